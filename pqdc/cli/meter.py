"""How far a long command is, for people at stderr."""

from __future__ import annotations

import sys
from typing import Self

__all__ = ["Meter"]


class Meter:
    """A bar that moves at a terminal; elsewhere a line for each tenth."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True)
        self._shown = -1
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Begin."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def show(self, done: int, total: int, text: str) -> None:
        """`done` of `total`, and what is being done."""
        self._bar.update(self._task, completed=done, total=total, description=text)
        tenth = 10 * done // max(total, 1)
        if not self._console.is_terminal and tenth != self._shown:
            self._shown = tenth
            print(f"{done:5d} of {total}: {text}", file=sys.stderr, flush=True)
