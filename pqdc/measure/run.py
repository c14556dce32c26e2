"""Run a plan: fresh processes of pytest on bench/, and everything they tell put together.

One measures at a time: two would disturb each other. Several take turns, so that what changes over minutes, such as a
processor's clock, changes for all of them; those that measure slow schemes among themselves, then the others, who are
spared those. What a process has told is kept when another fails, and when the user stops the run.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pqdc.errors import FileError, ResultError
from pqdc.measure import seal
from pqdc.measure.environment import load, scrub
from pqdc.measure.outcome import Outcome, Process
from pqdc.measure.plan import Plan
from pqdc.measure.presence import Presence, present
from pqdc.measure.worker import Note, Worker

__all__ = ["Progress", "run"]

MOST_AT_ONCE: Final = 10  # processes that take turns: each keeps its keys meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: cells done of all, in which process, and what is being measured."""

    done: int
    total: int
    process: int
    processes: int
    task: str


def run(
    outcome: Outcome,
    *,
    overlays: Sequence[Path] = (),
    clock: Callable[[], datetime],
    progress: Callable[[Progress], None],
    keep: Callable[[Outcome], None],
    note: Note = lambda _: None,
) -> None:
    """Run the plan of `outcome`, or what is left of it, and put into it what comes.

    Args:
        outcome: new, or of a run that has not come to its end.
        overlays: files over the built-in catalog, which the processes read as well.
        clock: the time, with a time zone.
        progress: told of each cell.
        keep: called after each process, with all that is measured by then.
        note: told of everything, as it comes.

    Raises:
        ResultError: nothing was measured, or there is nothing to measure with.
        FileError: what was measured cannot be written.
    """
    _require("pytest", "pytest_benchmark")
    with tempfile.TemporaryDirectory(prefix="pqdc-bench-") as name, present() as presence:
        running = _Run(
            outcome=outcome,
            folder=Path(name),
            environ=seal.environment(os.environ, overlays),
            clock=clock,
            presence=presence,
            progress=progress,
            keep=keep,
            note=note,
        )
        for indices in _rounds(outcome.plan):
            if not running.take_turns(indices):
                break
    if not outcome.measured:
        raise ResultError(f"nothing was measured: {_why(outcome)}", hint="`pqdc doctor` says what is missing")


def _rounds(plan: Plan) -> Iterator[range]:
    """The processes that take turns with each other: those for slow schemes first, as the others ask what is slow."""
    slow = min(plan.slow_processes, plan.processes)
    for first, end in ((0, slow), (slow, plan.processes)):
        for index in range(first, end, MOST_AT_ONCE):
            yield range(index, min(index + MOST_AT_ONCE, end))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What `run` was given."""

    outcome: Outcome
    folder: Path
    environ: Mapping[str, str]
    clock: Callable[[], datetime]
    presence: Presence
    progress: Callable[[Progress], None]
    keep: Callable[[Outcome], None]
    note: Note

    def take_turns(self, indices: Sequence[int]) -> bool:
        """Until these processes have ended; whether to go on with others."""
        with contextlib.ExitStack() as workers:
            left = deque(workers.enter_context(worker) for worker in self._workers(indices))
            try:
                while left:
                    if self._turn(left[0]):
                        left.rotate(-1)
                        continue
                    self._tell_end(left.popleft())
                    if self.outcome.measured:
                        self.keep(self.outcome)
            except KeyboardInterrupt:
                for worker in left:
                    worker.process.ended, worker.process.reason = "stopped", "interrupted"
                    self._tell_end(worker)
                if self.outcome.measured:
                    self.keep(self.outcome)
                return False
            except FileError as error:
                for worker in left:
                    worker.process.ended, worker.process.reason = "stopped", scrub(str(error))
                raise
        return True

    def _workers(self, indices: Sequence[int]) -> Iterator[Worker]:
        """For those that have not come to their end; which have not begun either, begin."""
        for index in indices:
            if index == len(self.outcome.processes):
                self._begin(index)
            process = self.outcome.processes[index]
            if process.ended == "complete":
                continue
            process.ended, process.reason, process.running = "running", "", {}
            folder = self.folder / str(index)
            folder.mkdir()
            yield Worker(self.outcome, index, folder, self.environ, self.note)

    def _begin(self, index: int) -> None:
        process = Process(started=self.clock(), load_before=load(), alone=self.presence.alone())
        self.outcome.processes.append(process)
        told = {"process": process.started.isoformat(), "load": process.load_before, "alone": process.alone}
        self.note({"index": index} | told)

    def _turn(self, worker: Worker) -> bool:
        """Let it measure; whether there is more to come."""
        start = time.monotonic()
        try:
            return worker.turn(lambda task: self._tell(worker, task))
        finally:
            worker.process.seconds += time.monotonic() - start

    def _tell(self, worker: Worker, task: str) -> None:
        processes, plan = self.outcome.processes, self.outcome.plan
        spared = len(worker.left_out) * (len(processes) - plan.slow_processes)
        self.progress(
            Progress(
                done=sum(len(process.done) for process in processes) + spared,
                total=plan.processes * len(worker.process.tasks),
                process=worker.index + 1,
                processes=plan.processes,
                task=task,
            )
        )

    def _tell_end(self, worker: Worker) -> None:
        process = worker.process
        process.load_after = load()
        process.alone = _both(process.alone, self.presence.alone())
        self.note(
            {
                "index": worker.index,
                "ended": process.ended,
                "reason": process.reason,
                "seconds": process.seconds,
                "load": process.load_after,
                "alone": process.alone,
            }
        )


def _both(before: bool | None, after: bool | None) -> bool | None:
    return None if before is None or after is None else before and after


def _require(*modules: str) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ResultError(f"{module} is missing, which takes the samples", hint="pip install 'pqdc[bench]'")


def _why(outcome: Outcome) -> str:
    """The first reason there is: of a process, a cell, or a backend."""
    reasons = [process.reason for process in outcome.processes]
    reasons += [failure["failed"] for process in outcome.processes for failure in process.failures]
    reasons += [f"{facts['name']}: {why}" for facts in outcome.schemes for why in facts["backends"].values()]
    reasons += [f"{facts['name']}: the catalog names no backend" for facts in outcome.schemes]
    return next(filter(None, reasons), "there are no cells")
