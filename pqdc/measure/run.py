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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pqdc.errors import ResultError
from pqdc.measure import seal
from pqdc.measure.environment import load, scrub
from pqdc.measure.outcome import Outcome, Process

__all__ = ["Progress", "run"]

PLAN = "plan.json"


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
) -> None:
    """Run the plan of `outcome`, and put into it what comes.

    Args:
        outcome: without processes yet.
        overlays: files over the built-in catalog, which the processes read as well.
        clock: the time, with a time zone.
        progress: told of each cell.
        keep: called after each process, with all that is measured by then.

    Raises:
        ResultError: nothing was measured, or there is nothing to measure with.
    """
    _require("pytest", "pytest_benchmark")
    with tempfile.TemporaryDirectory(prefix="pqdc-bench-") as name:
        folder = Path(name)
        (folder / PLAN).write_text(json.dumps(outcome.plan.as_dict()), encoding="utf-8")
        for _ in range(outcome.plan.processes):
            process = Process(started=clock(), load_before=load())
            outcome.processes.append(process)
            environ = seal.environment(os.environ, overlays)
            with _finishing(process):
                _measure(outcome, process, folder, environ, progress=progress)
            if outcome.measured:
                keep(outcome)
            if process.ended == "stopped":
                break
    if not outcome.measured:
        raise ResultError(f"nothing was measured: {_why(outcome)}", hint="`pqdc doctor` says what is missing")


@contextlib.contextmanager
def _finishing(process: Process) -> Iterator[None]:
    start = time.monotonic()
    try:
        yield
    except KeyboardInterrupt:
        process.ended, process.reason = "stopped", "interrupted"
    finally:
        process.seconds = time.monotonic() - start
        process.load_after = load()


def _measure(
    outcome: Outcome,
    process: Process,
    folder: Path,
    environ: dict[str, str],
    *,
    progress: Callable[[Progress], None],
) -> None:
    """One process, from its start to its end."""
    reading, writing = os.pipe()
    index = len(outcome.processes) - 1
    command = seal.command(folder, plan=folder / PLAN, process=index, journal=writing)
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
            ended = _read(journal, outcome, process, progress)
            child.wait()
        _conclude(process, child.returncode, ended=ended, output=output)


def _read(journal: IO[str], outcome: Outcome, process: Process, progress: Callable[[Progress], None]) -> bool:
    """Take in the journal as it comes; whether it has its last line."""
    index = len(outcome.processes) - 1
    for line in journal:
        entry: dict[str, Any] = json.loads(line)
        if "tasks" in entry:
            process.tasks = entry["tasks"]
        elif "begin" in entry:
            process.begun += 1
            done, each = process.begun - 1, len(process.tasks)
            progress(
                Progress(
                    done=index * each + done,
                    total=outcome.plan.processes * each,
                    process=index + 1,
                    processes=outcome.plan.processes,
                    task=entry["begin"],
                )
            )
        elif "rows" in entry:
            process.rows += entry["rows"]
        elif "failed" in entry:
            process.failures.append(entry | {"failed": scrub(entry["failed"])})
        elif "end" in entry:
            return True
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
        last = process.tasks[process.begun - 1] if process.begun and process.tasks else "its start"
        process.reason = f"died of {signal.Signals(-status).name} in {last}"
        return
    output.seek(0)
    lines = output.read().decode(errors="replace").strip().splitlines()
    process.reason = scrub(f"pytest ended with {status}: {lines[-1] if lines else 'without a word'}")


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
