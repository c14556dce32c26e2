"""The two ways to take samples: a call through Python, and the native loop. pytest-benchmark is handed what they give.

Either way a few samples go before that do not count: from how long they take and how far they scatter follows how many
will count. An operation too slow for that within its budget goes without. What counts is spread over the visits of the
plan, so far as there are samples for each, and is taken piece by piece, while nobody slows the processor down; the
pieces of a quick operation warm up first, and are several, as a neighbour's short work may hide in one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import median
from time import perf_counter_ns
from typing import Any, TypeVar

import pytest

from pqdc.measure.clock import CLOCK
from pqdc.measure.pace import Pace, Taken
from pqdc.measure.workbench import Stock, Workbench

T = TypeVar("T")
MOST_FIRST = 12  # samples that do not count
FIRST_SHARE = 0.15  # of a cell's budget, for them
SETTLING = 2  # of them, after which times are believed
FEWEST = 5  # times that tell how far they scatter
PIECE_NS = 500_000  # between two looks at the processor's pace, which take 40 µs: neighbours come and go within 1 ms
PIECES = 8  # of a quick operation, as far as its budget goes
MAD_TO_DEVIATION = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the samples of a cell are to be taken.

    Attributes:
        rounds: samples that count.
        piece: how many of them are taken at a time.
        warm: samples that go before each piece, and do not count.
        settling: samples that go before all, and do not count.
    """

    rounds: int
    piece: int
    warm: int
    settling: int

    @property
    def pieces(self) -> int:
        """How many there are."""
        return ceil(self.rounds / self.piece)

    def part(self, visit: int, visits: int) -> Course:
        """What a visit has of it: the first ones a sample more than others, those beyond its pieces none."""
        visits = min(visits, self.pieces)
        before, after = (ceil(self.rounds * min(upto / visits, 1)) for upto in (visit, visit + 1))
        return replace(self, rounds=after - before)

    def run(self, take: Callable[[int], Sequence[T]], pace: Pace) -> Taken[T]:
        """Take them; `take` takes that many."""
        if self.settling:
            take(self.settling)
        return pace.quietly(lambda count: take(self.warm + count)[self.warm :], self.rounds, piece=self.piece)


_COURSES: dict[Hashable, Course] = {}


def course_of(cell: Hashable, bench: Workbench, find: Callable[[], Course]) -> tuple[Course, Course]:
    """The course of a cell, and this visit's part of it; a visit without any is skipped.

    It is found where a process comes to the cell first, whatever the number of that visit: then all has settled.
    """
    settled = cell not in _COURSES
    if settled:
        _COURSES[cell] = find()
    course = _COURSES[cell]
    part = course.part(bench.visit, bench.plan.visits)
    if not part.rounds:
        pytest.skip("other visits take all samples")
    return course, replace(part, settling=0) if settled else part


def course_after(
    take: Callable[[int], Sequence[int]],
    bench: Workbench,
    *,
    estimate_ns: float,
    share: float = 1.0,
    besides_ns: float = 0.0,
    first_ns: float = 0.0,
    pieces: int | None = None,
) -> Course:
    """Take the first samples, and say from them how the others are to be taken.

    Args:
        take: takes that many samples, in nanoseconds.
        bench: whose budget a cell has.
        estimate_ns: about how long a sample takes.
        share: of the budget that this cell has.
        besides_ns: what each sample costs besides.
        first_ns: what each of the first samples costs besides, if that is more.
        pieces: how many it may be at the most, if each costs something of its own.
    """
    budget = bench.budget
    cost = estimate_ns + max(besides_ns, first_ns)
    count = min(MOST_FIRST, int(FIRST_SHARE * share * budget.milliseconds * 1e6 / cost))
    times = take(count)[SETTLING:] if count else []
    middle, scatter = estimate_ns, None
    if len(times) >= FEWEST:
        middle = median(times)
        scatter = MAD_TO_DEVIATION * median(abs(time - middle) for time in times) / max(middle, 1)
    each_ns = max(middle + besides_ns, 1)
    rounds = budget.rounds(each_ns, share=share, scatter=scatter)
    room = max(1, int(PIECE_NS / each_ns))
    several = min(PIECES, max(1, int(share * budget.milliseconds * 1e6 / PIECE_NS)))
    piece = max(min(room, ceil(rounds / several)), ceil(rounds / (pieces or rounds)))
    return Course(rounds=rounds, piece=piece, warm=max(0, room - piece), settling=min(SETTLING, count))


def sample(
    benchmark: Any,
    operation: Callable[..., Any],
    arguments: Callable[[], tuple[Any, ...]],
    *,
    bench: Workbench,
    estimate_ns: float,
    share: float = 1.0,
) -> Taken[int]:
    """Time `operation` once a round, each with new arguments."""

    def take(count: int) -> list[int]:
        return [_timed(operation, arguments()) for _ in range(count)]

    _, part = course_of(bench.cell, bench, lambda: course_after(take, bench, estimate_ns=estimate_ns, share=share))
    return replay(benchmark, part.run(take, bench.pace))


def _timed(operation: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
    start = perf_counter_ns()
    operation(*arguments)
    return perf_counter_ns() - start


def sample_natively(
    benchmark: Any,
    stock: Stock,
    operation: Any,
    *,
    estimate_ns: float,
    besides_ns: float = 0.0,
    signatures: int | None = None,
    keys: int = 1,
) -> Taken[int]:
    """Let the native loop take the samples.

    Args:
        benchmark: pytest-benchmark's fixture.
        stock: of the scheme.
        operation: "keygen", "sign" or "verify".
        estimate_ns: about how long it takes.
        besides_ns: what the loop does besides for each sample, or for each signature if those are given.
        signatures: how many are made, and taken in turn; one for each sample unless given.
        keys: how many are made, and taken in turn.
    """
    backend: Any = stock.backend

    def take(count: int, of: int = 1) -> list[int]:
        wanted = count if signatures is None else min(ceil(signatures / of), count)
        messages = [stock.bench.message() for _ in range(wanted)]
        few = min(ceil(keys / of), len(messages))
        taken: list[int] = backend.time_natively(operation, messages, scheme=stock.scheme, samples=count, keys=few)
        return taken

    besides = {"first_ns": besides_ns} if signatures else {"besides_ns": besides_ns}
    bench, making = stock.bench, stock.affordable_keys()
    pieces = None if operation == "keygen" else min(making, signatures or making)  # each makes a key and a signature
    course, part = course_of(
        bench.cell, bench, lambda: course_after(take, bench, estimate_ns=estimate_ns, pieces=pieces, **besides)
    )
    return replay(benchmark, replace(part, settling=0).run(lambda count: take(count, course.pieces), bench.pace))


def replay(benchmark: Any, taken: Taken[int]) -> Taken[int]:
    """Let pytest-benchmark see the samples as if it had taken them: its timer is CLOCK."""
    CLOCK.restart()
    upcoming = iter(taken.samples)
    benchmark.pedantic(lambda: CLOCK.advance(next(upcoming)), rounds=len(taken.samples), iterations=1)
    return taken
