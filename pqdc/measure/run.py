"""Run a plan: fresh processes of pytest on bench/, one after the other, and everything they tell put together.

Two that measure at once would disturb each other. What a process has told is kept when a later one fails, and when the
user stops the run.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pqdc.errors import FileError, ResultError
from pqdc.measure import seal
from pqdc.measure.environment import load, scrub
from pqdc.measure.outcome import Outcome, Process
from pqdc.measure.presence import Presence, present

__all__ = ["Progress", "run"]

PLAN, DONE = "plan.json", "done.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: cells done of all, in which process, and what is being measured."""

    done: int
    total: int
    process: int
    processes: int
    task: str


Note = Callable[[Mapping[str, Any]], None]


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
        folder = Path(name)
        (folder / PLAN).write_text(json.dumps(outcome.plan.as_dict()), encoding="utf-8")
        environ = seal.environment(os.environ, overlays)
        for index in range(outcome.plan.processes):
            if index == len(outcome.processes):
                outcome.processes.append(_begun(index, clock(), presence, note))
            process = outcome.processes[index]
            if process.ended == "complete":
                continue
            with _finishing(process, index, presence, note):
                _measure(outcome, index, folder, environ, progress=progress, note=note)
            if outcome.measured:
                keep(outcome)
            if process.ended == "stopped":
                break
    if not outcome.measured:
        raise ResultError(f"nothing was measured: {_why(outcome)}", hint="`pqdc doctor` says what is missing")


def _begun(index: int, now: datetime, presence: Presence, note: Note) -> Process:
    process = Process(started=now, load_before=load(), alone=presence.alone())
    note({"index": index, "process": now.isoformat(), "load": process.load_before, "alone": process.alone})
    return process


@contextlib.contextmanager
def _finishing(process: Process, index: int, presence: Presence, note: Note) -> Iterator[None]:
    """Whatever comes, the process has an end that is written down."""
    start = time.monotonic()
    process.ended, process.reason, process.running = "running", "", {}
    try:
        yield
    except KeyboardInterrupt:
        process.ended, process.reason = "stopped", "interrupted"
    except FileError as error:
        process.ended, process.reason = "stopped", scrub(str(error))
        raise
    finally:
        process.seconds += time.monotonic() - start
        process.load_after = load()
        process.alone = _both(process.alone, presence.alone())
    note(
        {
            "index": index,
            "ended": process.ended,
            "reason": process.reason,
            "seconds": process.seconds,
            "load": process.load_after,
            "alone": process.alone,
        }
    )


def _both(before: bool | None, after: bool | None) -> bool | None:
    return None if before is None or after is None else before and after


def _measure(
    outcome: Outcome,
    index: int,
    folder: Path,
    environ: dict[str, str],
    *,
    progress: Callable[[Progress], None],
    note: Note,
) -> None:
    """One process, from its start to its end; if it dies in a cell, another takes up the cells after that."""
    process = outcome.processes[index]
    while True:
        done = [*process.done, *outcome.left_out(index)]
        (folder / DONE).write_text(json.dumps(done), encoding="utf-8")
        reading, writing = os.pipe()
        command = seal.command(
            folder,
            plan=folder / PLAN,
            process=index,
            done=folder / DONE,
            journal=writing,
            pace_ns=outcome.pace_ns,
        )
        with open(reading, encoding="utf-8") as journal, tempfile.TemporaryFile() as output:  # noqa: PTH123 - a descriptor
            try:
                child = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=environ,
                    pass_fds=(writing,),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            finally:
                os.close(writing)
            with _ending(child):
                ended = _read(journal, outcome, index, progress, note)
                child.wait()
            if ended or not process.running:
                _conclude(process, child.returncode, ended=ended, output=output)
                return
        reason = f"the process died of it: {_fate(child.returncode)}"
        process.give_up(reason)
        note({"index": index, "gave_up": reason})


def _read(journal: IO[str], outcome: Outcome, index: int, progress: Callable[[Progress], None], note: Note) -> bool:
    """Take in the journal as it comes; whether it has its last line."""
    process = outcome.processes[index]
    for line in journal:
        entry: dict[str, Any] = json.loads(line)
        if "end" in entry:
            return True
        note({"index": index} | entry)
        process.take(entry)
        if "begin" in entry:
            each = len(process.tasks)
            progress(
                Progress(
                    done=index * each + len(process.done),
                    total=outcome.plan.processes * each,
                    process=index + 1,
                    processes=outcome.plan.processes,
                    task=entry["begin"],
                )
            )
    return False


@contextlib.contextmanager
def _ending(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens here, the child does not outlive it."""
    try:
        yield
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _conclude(process: Process, status: int, *, ended: bool, output: IO[bytes]) -> None:
    if ended and status in {0, 1, 5}:  # pytest: all well; cells failed, and told why; there were none
        process.ended = "complete"
        return
    process.ended = "failed"
    if status < 0:
        process.reason = f"died of {_fate(status)} {'between two cells' if process.done else 'in its start'}"
        return
    output.seek(0)
    lines = output.read().decode(errors="replace").strip().splitlines()
    process.reason = scrub(f"pytest ended with {status}: {lines[-1] if lines else 'without a word'}")


def _fate(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


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
