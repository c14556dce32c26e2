"""Whether others slow this processor down, by a fixed piece of work that is timed between samples.

Who shares a core, its caches or its power takes time that neither the run queue nor the hypervisor tells of: on one
rented machine a neighbour made the same signature take up to twice as long, for a tenth of a second at a time. What
decides is this work alone, never a sample: to choose samples by their own times would bend the figures.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from statistics import median
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from pqdc.measure.interference import pin

__all__ = ["ANY", "Pace", "Taken"]

T = TypeVar("T")
ANY: Final = ""  # CPU
BLOCK: Final = bytes(2048)  # small, so that the caches stay as they were
BLOCKS: Final = 8
LIMIT: Final = 1.2  # times the best: undisturbed the work takes up to 1.16 times that, beside a neighbour 1.26 to 2.2
CALM: Final = 12  # looks, half a millisecond: once it was disturbed, it often is again after less
ENOUGH: Final = 0.2  # of the samples wanted, taken in quiet
FIRST_NS: Final = 200_000_000  # that finding the best takes, at the start
LAST_NS: Final = 2_000_000_000  # after which a CPU that has been slower so far is taken to be slower
SAME: Final = 1.05  # times the best: no more does it take at its best on another core of the kind
HOP: Final = 25  # looks, one or two milliseconds: disturbed for longer, it is tried elsewhere


@dataclass(slots=True)
class Taken(Generic[T]):
    """Samples of one cell.

    Attributes:
        samples: those that count.
        aside: others, taken while the processor was slowed down.
        slowed: about which share of the time of `samples` was lost all the same, as too few were taken in quiet.
    """

    samples: list[T] = field(default_factory=list)
    aside: list[T] = field(default_factory=list)
    slowed: float = 0.0

    def each(self, view: Callable[[T], int]) -> Taken[int]:
        """The same, of what `view` sees of a sample."""
        return Taken(samples=[*map(view, self.samples)], aside=[*map(view, self.aside)], slowed=self.slowed)


class Pace:
    """How fast this processor is now, against its best.

    Args:
        patience: how much longer all may take for the sake of quiet, as a share of the time since now.
        best_ns: of the work on each CPU, as far as it is known from before.
        cpus: to stay on, one at a time, the first until it is disturbed; not pinned if there are none.

    Attributes:
        best_ns: of the work on each CPU so far, under its number; under ANY if not pinned.
        cpus: those of them that are as quick as any, without patience the first.
        waited_ns: for quiet, samples set aside included.
    """

    def __init__(
        self, *, patience: float, best_ns: Mapping[str, int] = MappingProxyType({}), cpus: Sequence[int] = ()
    ) -> None:
        self._patience = patience
        self._began = time.monotonic_ns()
        self._meanwhile = 0.0
        self._here = ANY
        self.waited_ns = 0
        self._undisturbed: Counter[int] = Counter()  # nanoseconds
        self.best_ns = {**best_ns}
        self.cpus = self._as_quick_as_any(cpus) if patience else [*cpus[:1]]
        self._around = cycle(self.cpus)
        self._move()

    def _as_quick_as_any(self, cpus: Sequence[int]) -> list[int]:
        """Find the best of each, and which are alike: one that is disturbed gets longer to show that it is."""
        for cpu in cpus or (None,):
            self._stay_on(cpu)
            self._try_for(FIRST_NS)
        for cpu in cpus:
            self._stay_on(cpu)
            self._try_for(LAST_NS, until_alike=True)
        return [cpu for cpu in cpus if self._alike(str(cpu))]

    def _try_for(self, longest_ns: int, *, until_alike: bool = False) -> None:
        start = time.monotonic_ns()
        while not (until_alike and self._alike(self._here)) and time.monotonic_ns() - start < longest_ns:
            self._tried()

    def _alike(self, cpu: str) -> bool:
        """Whether the work takes, at its best there, as little as on any: other kinds of cores are no choice."""
        return self.best_ns[cpu] <= SAME * min(self.best_ns.values())

    def _move(self) -> None:
        """To the next of the CPUs."""
        self._stay_on(next(self._around, None))

    def _stay_on(self, cpu: int | None) -> None:
        if cpu is not None:
            pin(cpu)
            self._here = str(cpu)

    def excess(self) -> float:
        """How much longer the work takes than at its best, relative to that; 0 if that is nothing unusual.

        Tried once more if it is: an interrupt is no neighbour.
        """
        excess = self._tried()
        if excess > LIMIT - 1:
            excess = min(excess, self._tried())
        return excess if excess > LIMIT - 1 else 0.0

    def _tried(self) -> float:
        took = _work_ns()
        best = self.best_ns[self._here] = min(took, self.best_ns.get(self._here, took))
        if took <= LIMIT * best:
            self._undisturbed[took] += 1
        return took / best - 1

    @property
    def usual_ns(self) -> float | None:
        """What the work has taken while nobody disturbed it, the median: a processor's clock rises and falls."""
        return median(self._undisturbed.elements()) if self._undisturbed else None

    def pause(self, nanoseconds: int) -> None:
        """So long others measured, and no patience grew."""
        self._began += nanoseconds

    def look(self) -> None:
        """Once more within a piece, where nothing is being timed: a long sample has room for what comes and goes."""
        self._meanwhile = max(self._meanwhile, self.excess())

    def quietly(self, take: Callable[[int], Sequence[T]], count: int, *, piece: int) -> Taken[T]:
        """Take samples while it is quiet, as far as patience lasts; then as many as are still wanting, come what may.

        If enough of them were taken in quiet, these alone count.

        Args:
            take: takes that many.
            count: how many.
            piece: how many at a time, between two looks.
        """
        pieces: list[tuple[Sequence[T], float, int]] = []  # with how slow it was, and how long it took
        quiet = taken = 0
        before = self._wait()
        while quiet < count and (self._patient or taken < count):
            start = time.monotonic_ns()
            self._meanwhile = before
            some = take(min(piece, count - quiet))
            took = time.monotonic_ns() - start
            self.look()
            slow = self._meanwhile
            pieces.append((some, slow, took))
            taken += len(some)
            if slow:
                self.waited_ns += took if self._patient else 0
                before = self._wait()
            else:
                quiet += len(some)
                before = slow
        return _sorted_out(pieces, enough=quiet >= ENOUGH * count)

    def _wait(self) -> float:
        """Until it is quiet and stays so, as far as patience lasts; by how much it is not."""
        start = time.monotonic_ns()
        disturbed = self.excess()
        missing = CALM if disturbed else 0
        looks = 0  # here
        while missing and self._patient:
            looks += 1
            if disturbed and looks > HOP:
                self._move()
                looks = 0
            disturbed = self.excess()
            missing = CALM if disturbed else missing - 1
            now = time.monotonic_ns()
            self.waited_ns += now - start
            start = now
        return disturbed

    @property
    def _patient(self) -> bool:
        elapsed = time.monotonic_ns() - self._began
        return self.waited_ns * (1 + self._patience) < elapsed * self._patience


def _sorted_out(pieces: Sequence[tuple[Sequence[T], float, int]], *, enough: bool) -> Taken[T]:
    """What was taken in quiet, if that is enough; else all, and how much of its time was lost."""
    counted: Taken[T] = Taken()
    total, lost = 0, 0.0
    for some, slow, took in pieces:
        if slow and enough:
            counted.aside += some
        else:
            counted.samples += some
            total += took
            lost += took * slow / (1 + slow)
    counted.slowed = lost / total if total else 0.0
    return counted


def _work_ns() -> int:
    """Keccak keeps all of a core's arithmetic units busy, which a neighbour on it wants as well."""
    digest = hashlib.sha3_256
    start = time.perf_counter_ns()
    for _ in range(BLOCKS):
        digest(BLOCK)
    return time.perf_counter_ns() - start
