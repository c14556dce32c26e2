"""Processes of a run take turns, so that a processor whose clock rises and falls over minutes does so for all of them.

One measures, the others wait between two cells. The one that starts them hands out the turns, one byte each; a process
has its first when it starts, and says in its journal when it has had enough.
"""

from __future__ import annotations

import os
import time
from typing import Final

from pqdc.measure.journal import Journal

__all__ = ["TURN", "Turns"]

TURN: Final = b"."


class Turns:
    """Of one process, as it sees them.

    Args:
        descriptor: where turns come from; the first never ends if there is none.
        seconds: that a turn lasts, and then to the end of a cell.
        journal: where it says that a turn is over.
    """

    def __init__(self, descriptor: int | None, seconds: float, journal: Journal) -> None:
        self._descriptor = descriptor
        self._seconds = seconds
        self._journal = journal
        self._since = time.monotonic()

    def wait(self) -> int:
        """Until it is this process's turn; the nanoseconds that took. Nobody is left to measure for: it ends."""
        now = time.monotonic()
        if self._descriptor is None or now - self._since < self._seconds:
            return 0
        self._journal.write(turn="over")
        if not os.read(self._descriptor, 1):
            os._exit(1)
        self._since = time.monotonic()
        return round((self._since - now) * 1e9)
