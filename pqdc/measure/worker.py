"""A process of pytest on bench/ measures for a run, turn by turn; if it dies in a cell, another takes up the rest."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, Self

from pqdc.measure import seal
from pqdc.measure.environment import scrub
from pqdc.measure.outcome import Outcome
from pqdc.measure.turns import TURN

__all__ = ["Note", "Worker"]

Note = Callable[[Mapping[str, Any]], None]
PYTEST_ENDS: Final = {0, 1, 5}  # all well; cells failed, and told why; there were none
PLAN, DONE = "plan.json", "done.json"


class Worker:
    """For one process of an outcome, into which it puts what that tells.

    Args:
        outcome: whose plan it follows.
        index: of the process.
        folder: of its own, for what it is handed and whatever pytest and its plugins want to keep.
        environ: sealed.
        note: told of everything, as it comes.

    Attributes:
        process: what it tells.
        index: its number.
        left_out: tasks that others measure.
    """

    def __init__(self, outcome: Outcome, index: int, folder: Path, environ: Mapping[str, str], note: Note) -> None:
        self.process = outcome.processes[index]
        self.left_out = frozenset(outcome.left_out(index))
        self.index = index
        self._outcome = outcome
        self._folder = folder
        self._environ = environ
        self._note = note
        self._resources = contextlib.ExitStack()
        self._child: subprocess.Popen[bytes] | None = None
        self._journal: IO[str]
        self._output: IO[bytes]
        self._turns: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever happened, no child outlives it."""
        with self._resources:
            if self._child is not None:
                self._child.kill()
                self._child.wait()

    def turn(self, begun: Callable[[str], None]) -> bool:
        """Let it measure for a turn; whether there is more to come. `begun` is told the task of each cell."""
        if self._child is None:
            self._start()
        else:
            with contextlib.suppress(BrokenPipeError):  # it has died: its journal ends here
                os.write(self._turns, TURN)
        while (more := self._read(begun)) is None:
            reason = f"the process died of it: {_fate(self._end())}"
            self.process.give_up(reason)
            self._note({"index": self.index, "gave_up": reason})
            self._start()
        return more

    def _start(self) -> None:
        plan, done = self._folder / PLAN, self._folder / DONE
        plan.write_text(json.dumps(self._outcome.plan.as_dict()), encoding="utf-8")
        done.write_text(json.dumps([*self.process.done, *self.left_out]), encoding="utf-8")
        reading, writing = os.pipe()
        keep = self._resources.enter_context
        self._journal = keep(open(reading, encoding="utf-8"))  # noqa: PTH123, SIM115 - a descriptor; closed in the end
        self._output = keep(tempfile.TemporaryFile())  # noqa: SIM115
        waiting, self._turns = os.pipe()
        self._resources.callback(os.close, self._turns)
        try:
            self._child = subprocess.Popen(
                seal.command(
                    self._folder,
                    plan=plan,
                    process=self.index,
                    done=done,
                    journal=writing,
                    turns=waiting,
                    pace_ns=self._outcome.pace_ns,
                ),
                cwd=self._folder,
                env=self._environ,
                pass_fds=(writing, waiting),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
            )
        finally:
            os.close(writing)
            os.close(waiting)

    def _read(self, begun: Callable[[str], None]) -> bool | None:
        """Take in the journal as it comes: whether there is more after a turn; None if it broke off in a cell."""
        for line in self._journal:
            entry: dict[str, Any] = json.loads(line)
            if "turn" in entry:
                return True
            if "end" in entry:
                self._conclude(ended=True)
                return False
            self._note({"index": self.index} | entry)
            self.process.take(entry)
            if "begin" in entry:
                begun(entry["begin"])
        if self.process.running:
            return None
        self._conclude(ended=False)
        return False

    def _conclude(self, *, ended: bool) -> None:
        """How it ended, if not in a cell."""
        process, output = self.process, self._output
        assert self._child  # noqa: S101 - it has told something, or nothing
        status = self._child.wait()
        if ended and status in PYTEST_ENDS:
            process.ended = "complete"
            return
        process.ended = "failed"
        if status < 0:
            process.reason = f"died of {_fate(status)} {'between two cells' if process.done else 'in its start'}"
            return
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines()
        process.reason = scrub(f"pytest ended with {status}: {lines[-1] if lines else 'without a word'}")

    def _end(self) -> int:
        """Its status, when it has ended."""
        assert self._child  # noqa: S101 - as above
        status = self._child.wait()
        self._child = None
        self._resources.close()
        return status


def _fate(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"
