"""Whether others slow this processor down, by a fixed piece of work that is timed between samples.

Who shares a core, its caches or its power takes time that neither the run queue nor the hypervisor tells of: on one
rented machine a neighbour made the same signature take up to twice as long, for a tenth of a second at a time. What
decides is this work alone, never a sample: to choose samples by their own times would bend the figures.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

__all__ = ["Pace", "Taken"]

T = TypeVar("T")
BLOCK: Final = bytes(2048)  # small, so that the caches stay as they were
BLOCKS: Final = 8
LIMIT: Final = 1.1  # times the best: undisturbed the work takes up to 1.07 times that, beside a neighbour 1.2 to 2.2
FIRST_NS: Final = 200_000_000  # that finding the best takes, at the start


@dataclass(slots=True)
class Taken(Generic[T]):
    """Samples of one cell.

    Attributes:
        samples: those that count.
        aside: others, taken while the processor was slowed down.
        slowed: about which share of the time of `samples` was lost all the same, as there was no more patience.
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
        best_ns: of the work, as far as it is known from before.

    Attributes:
        best_ns: of the work, so far.
        waited_ns: for quiet, samples set aside included.
    """

    def __init__(self, *, patience: float, best_ns: int | None = None) -> None:
        self._patience = patience
        self._began = time.monotonic_ns()
        self.waited_ns = 0
        self.best_ns = best_ns or _work_ns()
        while patience and time.monotonic_ns() - self._began < FIRST_NS:
            self.excess()

    def excess(self) -> float:
        """How much longer the work takes than at its best, relative to that; 0 if that is nothing unusual.

        The better of two tries: an interrupt is no neighbour.
        """
        took = min(_work_ns(), _work_ns())
        self.best_ns = min(self.best_ns, took)
        ratio = took / self.best_ns
        return ratio - 1 if ratio > LIMIT else 0.0

    def quietly(self, take: Callable[[int], Sequence[T]], count: int, *, piece: int) -> Taken[T]:
        """Take samples while it is quiet, as far as patience lasts.

        Args:
            take: takes that many.
            count: how many.
            piece: how many at a time, between two looks.
        """
        taken: Taken[T] = Taken()
        total, slowed = 0, 0.0
        disturbed = self._wait()
        while len(taken.samples) < count:
            start = time.monotonic_ns()
            some = take(min(piece, count - len(taken.samples)))
            took = time.monotonic_ns() - start
            disturbed = max(disturbed, self.excess())
            if disturbed and self._patient:
                taken.aside += some
                self.waited_ns += took
            else:
                taken.samples += some
                total += took
                slowed += took * disturbed / (1 + disturbed)
            disturbed = disturbed and self._wait()
        taken.slowed = slowed / total if total else 0.0
        return taken

    def _wait(self) -> float:
        """Until it is quiet, as far as patience lasts; by how much it is not."""
        start = time.monotonic_ns()
        while (disturbed := self.excess()) and self._patient:
            now = time.monotonic_ns()
            self.waited_ns += now - start
            start = now
        return disturbed

    @property
    def _patient(self) -> bool:
        elapsed = time.monotonic_ns() - self._began
        return self.waited_ns * (1 + self._patience) < elapsed * self._patience


def _work_ns() -> int:
    """Keccak keeps all of a core's arithmetic units busy, which a neighbour on it wants as well."""
    digest = hashlib.sha3_256
    start = time.perf_counter_ns()
    for _ in range(BLOCKS):
        digest(BLOCK)
    return time.perf_counter_ns() - start
