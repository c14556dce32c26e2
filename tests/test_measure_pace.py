"""Samples are set aside by the processor's pace, never by their own times, and patience has an end."""

from __future__ import annotations

from itertools import chain, cycle, repeat

import pytest

from pqdc.measure import pace
from pqdc.measure.pace import ANY, Pace, Taken

MILLISECOND = 1_000_000


@pytest.fixture
def machine(monkeypatch):
    """A clock that moves by what is done, and a processor whose work takes as long as the test says."""

    class Machine:
        now = 0
        speeds = repeat(1.0)

        def work(self) -> int:
            took = round(MILLISECOND * next(self.speeds))
            self.now += took
            return took

        def take(self, count: int) -> list[int]:
            self.now += count * MILLISECOND
            return [self.now] * count

    machine = Machine()
    monkeypatch.setattr(pace, "_work_ns", machine.work)
    monkeypatch.setattr(pace.time, "monotonic_ns", lambda: machine.now)
    return machine


def test_what_was_taken_in_quiet_counts(machine):
    taken = Pace(patience=0.5).quietly(machine.take, 7, piece=3)
    assert (len(taken.samples), taken.aside, taken.slowed) == (7, [], 0.0)


def test_the_usual_pace_is_that_of_undisturbed_work(machine):
    looked = Pace(patience=0, best_ns={ANY: MILLISECOND})
    assert looked.usual_ns is None
    machine.speeds = chain([1.1, 1.1, 1.1], repeat(2.0))
    for _ in range(20):
        looked.excess()
    assert looked.usual_ns == 1.1 * MILLISECOND


def test_a_piece_that_ends_beside_a_neighbour_is_set_aside_and_taken_again(machine):
    looked = Pace(patience=0.5)
    machine.now += 1000 * MILLISECOND
    machine.speeds = chain([1.0], repeat(1.5, 6), repeat(1.0))  # quiet before, disturbed after it and for a while
    taken = looked.quietly(machine.take, 4, piece=2)
    assert (len(taken.samples), len(taken.aside), taken.slowed) == (4, 2, 0.0)
    assert looked.waited_ns > 2 * MILLISECOND
    assert not {*taken.samples} & {*taken.aside}


def test_a_neighbour_who_comes_and_goes_within_a_piece_is_seen_by_whoever_looks_meanwhile(machine):
    looked = Pace(patience=0.5)
    machine.now += 1000 * MILLISECOND
    machine.speeds = chain([1.0], repeat(1.5, 2), repeat(1.0))  # quiet before and after, disturbed in between

    def take(count: int) -> list[int]:
        looked.look()
        return machine.take(count)

    taken = looked.quietly(take, 3, piece=1)
    assert (len(taken.samples), len(taken.aside), taken.slowed) == (3, 1, 0.0)


def test_a_moment_of_quiet_between_disturbances_is_waited_through(machine):
    looked = Pace(patience=1.0)
    machine.now += 1000 * MILLISECOND
    machine.speeds = chain([1.5, 1.5], [1.0] * 5, [1.5, 1.5], repeat(1.0))
    start = machine.now
    taken = looked.quietly(machine.take, 1, piece=1)
    assert (len(taken.samples), taken.aside) == (1, [])
    assert taken.samples[0] - start > (2 * 1.5 + 5 + 2 * 1.5 + pace.CALM) * MILLISECOND


def test_an_interrupt_is_no_neighbour(machine):
    looked = Pace(patience=0.5)
    machine.speeds = chain([3.0, 1.0, 3.0], repeat(1.0))
    assert not looked.quietly(machine.take, 2, piece=1).aside


def test_patience_has_an_end_and_what_others_took_is_then_told(machine):
    looked = Pace(patience=0.5)
    start = machine.now
    machine.speeds = repeat(2.0)
    taken = looked.quietly(machine.take, 100, piece=1)
    assert len(taken.samples) == 100
    assert taken.slowed == pytest.approx(0.5)  # at half the speed, half of the time is others'
    assert looked.waited_ns <= (machine.now - start + 200 * MILLISECOND) / 2


def test_when_patience_is_over_what_was_taken_in_quiet_counts_if_it_is_enough(machine):
    looked = Pace(patience=0, best_ns={ANY: MILLISECOND})
    machine.speeds = cycle([1.0] * 4 + [1.5] * 9)  # of five pieces some are quiet at both ends
    taken = looked.quietly(machine.take, 40, piece=1)
    assert len(taken.samples) + len(taken.aside) == 40
    assert 40 > len(taken.samples) >= 8
    assert taken.slowed == 0.0


def test_without_patience_nothing_waits(machine):
    looked = Pace(patience=0, best_ns={ANY: MILLISECOND})
    machine.speeds = repeat(1.25)
    taken = looked.quietly(machine.take, 5, piece=5)
    assert (len(taken.samples), taken.aside, looked.waited_ns) == (5, [], 0)
    assert taken.slowed == pytest.approx(0.2)


def test_the_best_is_what_was_seen_or_known_before(machine):
    machine.speeds = repeat(1.05)
    assert Pace(patience=0.5).best_ns == {ANY: 1.05 * MILLISECOND}
    assert Pace(patience=0.5, best_ns={ANY: MILLISECOND}).best_ns == {ANY: MILLISECOND}


def test_a_view_of_samples_keeps_what_is_known_of_them():
    taken = Taken(samples=["aa"], aside=["b"], slowed=0.5).each(len)
    assert taken == Taken(samples=[2], aside=[1], slowed=0.5)


def test_the_work_takes_time():
    assert pace._work_ns() > 0


def test_where_it_stays_disturbed_another_processor_is_tried(machine, monkeypatch):
    at = []
    monkeypatch.setattr(pace, "pin", at.append)
    speed = {3: 1.0, 2: 1.02, 1: 1.4}
    monkeypatch.setattr(pace, "FIRST_NS", 5 * MILLISECOND)
    monkeypatch.setattr(pace, "LAST_NS", 50 * MILLISECOND)
    monkeypatch.setattr(type(machine), "speeds", property(lambda _: repeat(speed[at[-1] if at else 3])))
    looked = Pace(patience=1.0, cpus=[3, 2, 1])
    assert looked.cpus == [3, 2]  # the last is of another kind
    assert looked.best_ns == {str(cpu): times * MILLISECOND for cpu, times in speed.items()}
    assert at[-1] == 3
    machine.now += 1000 * MILLISECOND
    speed[3] = 2.0
    taken = looked.quietly(machine.take, 4, piece=2)
    assert at[-1] == 2
    assert (len(taken.samples), taken.aside, taken.slowed) == (4, [], 0.0)
    waited = looked.waited_ns
    each = 2 * 2 * MILLISECOND  # a look, as it is tried twice
    assert pace.HOP * each <= waited <= (pace.HOP + 2) * each + pace.CALM * 1.02 * MILLISECOND
    speed[2] = 2.0
    speed[3] = 1.0
    looked.quietly(machine.take, 1, piece=1)
    assert at[-1] == 3
    speed[3] = 1.2
    assert Pace(patience=1.0, cpus=[3, 2, 1]).cpus == [3]  # the second is at twice its best, for all that is known
    assert Pace(patience=1.0, cpus=[3, 2, 1], best_ns=looked.best_ns).cpus == [3, 2]


def test_without_patience_it_stays_where_it_is(machine, monkeypatch):
    at = []
    monkeypatch.setattr(pace, "pin", at.append)
    machine.speeds = repeat(2.0)
    assert Pace(patience=0, cpus=[3, 2]).cpus == [3] == at


def test_a_processor_that_is_disturbed_at_first_gets_longer_to_show_its_best(machine, monkeypatch):
    at = []
    monkeypatch.setattr(pace, "pin", at.append)
    monkeypatch.setattr(pace, "FIRST_NS", 5 * MILLISECOND)
    monkeypatch.setattr(pace, "LAST_NS", 50 * MILLISECOND)
    busy = chain(repeat(1.5, 20), repeat(1.0))
    monkeypatch.setattr(type(machine), "speeds", property(lambda _: busy if at and at[-1] == 3 else repeat(1.01)))
    assert Pace(patience=1.0, cpus=[3, 2]).cpus == [3, 2]
