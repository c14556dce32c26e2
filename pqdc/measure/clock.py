"""A clock that moves only by what the native loop has measured, so that pytest-benchmark carries native samples."""

from __future__ import annotations

__all__ = ["CLOCK", "NativeClock"]


class NativeClock:
    """The timer of native cells: called, it tells seconds, and it stands still unless advanced."""

    __name__ = "native loop"

    def __init__(self) -> None:
        self._nanoseconds = 0

    def __call__(self) -> float:
        """Seconds."""
        return self._nanoseconds / 1e9

    def restart(self) -> None:
        """Begin at zero again: a float tells nanoseconds apart for 50 days, and differences best near zero."""
        self._nanoseconds = 0

    def advance(self, nanoseconds: int) -> None:
        """Let the next sample be this long."""
        self._nanoseconds += nanoseconds


CLOCK = NativeClock()
