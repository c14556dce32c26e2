"""What is written down of a run: docs/results.md tells the format. Samples stay raw, and each process's apart.

Knows how to merge processes and to become JSON, and nothing of how a table reads it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from pqdc.errors import FileError
from pqdc.files import OutputFile, write_files
from pqdc.measure.environment import scrub
from pqdc.measure.plan import VISIT, Plan

__all__ = ["FORMAT", "SUFFIX", "VERSION", "Outcome", "Process", "check_folder", "write"]

FORMAT: Final = "pqdc-result"
VERSION: Final = 2
SUFFIX: Final = ".json.gz"
IDENTITY: Final = ("scheme", "backend", "level", "operation")
BY_PROCESS: Final[Mapping[str, type]] = {"samples": list, "aside": list, "elapsed_ns": int, "lost_ns": int}


@dataclass(slots=True, kw_only=True)
class Process:
    """What one process did; a crash or an interruption may have made several of the system's of it.

    Attributes:
        tasks: the tests it was to run, in its order.
        done: those that have ended, well or not.
        running: the cell that has begun and not ended, with its task as "begin"; empty if there is none.
        rows: what cells gave: identity, unit, samples, and facts of the sampling; time lost is what can be told of a
            cell, without what the hypervisor stole.
        failures: of cells that gave nothing, identity and reason.
        interference: what others took of its cells' time, summed up.
        alone: whether no other run was on the machine, at its start and its end; None if that is not known.
        cpus: those it was pinned to, one at a time.
        pace_ns: what a fixed piece of work took at the best of each CPU that was tried, by its number.
        usual_pace_ns: what it took in the median, while nobody disturbed it; None if that was never so.
        ended: "running" until it has; then "complete", "stopped" (by the user) or "failed", with a reason.
    """

    started: datetime
    load_before: list[float]
    alone: bool | None = None
    cpus: list[int] = field(default_factory=list)
    pace_ns: dict[str, int] = field(default_factory=dict)
    usual_pace_ns: float | None = None
    tasks: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    interference: Counter[str] = field(default_factory=Counter)
    ended: Literal["running", "complete", "stopped", "failed"] = "running"
    reason: str = ""
    seconds: float = 0.0
    load_after: list[float] = field(default_factory=list)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take in a line of its journal."""
        if "tasks" in entry:
            self.tasks, self.cpus = entry["tasks"], entry["cpus"]
        elif "pace_ns" in entry:
            self.pace_ns, self.usual_pace_ns = entry["pace_ns"], entry.get("usual_pace_ns")
        elif "begin" in entry:
            self.running = dict(entry)
        elif "rows" in entry:
            took = entry["interference"]
            lost = {"elapsed_ns": took["elapsed_ns"], "lost_ns": took["waited_ns"] + took["slowed_ns"]}
            self.rows += [row | (lost if row["unit"] != "bytes" else {}) for row in entry["rows"]]
            self.interference.update(took)
            self._finish()
        elif "failed" in entry:
            cell = {name: entry[name] for name in IDENTITY}
            self.failures.append(cell | {"failed": scrub(entry["failed"])})
        elif "done" in entry:
            self._finish()

    def give_up(self, reason: str) -> None:
        """Let the cell that is running be one that failed."""
        cell = {name: self.running[name] for name in IDENTITY}
        self.failures.append(cell | {"failed": reason})
        self._finish()

    def share(self, name: str) -> float:
        """Of the time that its cells took, what `interference` has under that name."""
        return round(self.interference[name] / max(self.interference["elapsed_ns"], 1), 4)

    def lost_ns(self, row: Mapping[str, Any]) -> int:
        """Of a cell's time, with its part of what the hypervisor stole: in ticks, which are too coarse for a cell."""
        elapsed_ns: int = row["elapsed_ns"]
        lost_ns: int = row["lost_ns"] + round(self.share("stolen_ns") * elapsed_ns)
        return min(lost_ns, elapsed_ns)

    def _finish(self) -> None:
        """What has given its rows has ended: it says that it has afterwards, if it still can."""
        if self.running:
            self.done.append(self.running["begin"])
        self.running = {}


@dataclass(slots=True, kw_only=True)
class Outcome:
    """A run, finished or not."""

    plan: Plan
    command: str
    started: datetime
    environment: Mapping[str, Any]
    schemes: list[dict[str, Any]]
    processes: list[Process] = field(default_factory=list)

    @property
    def pace_ns(self) -> dict[str, int]:
        """The best of each CPU, of all processes."""
        pairs = sorted((pair for process in self.processes for pair in process.pace_ns.items()), reverse=True)
        return dict(pairs)  # the last of each CPU is its least

    @property
    def complete(self) -> bool:
        """Whether all processes of the plan came to their end."""
        ended = [process.ended for process in self.processes]
        return ended == ["complete"] * self.plan.processes

    @property
    def measured(self) -> int:
        """How many rows have samples."""
        return sum(1 for cell in self._cells() if any(cell["samples"]))

    def left_out(self, index: int) -> list[str]:
        """The tasks that a process has not to run, as its schemes are slow and enough processes measure them."""
        first = self.processes[: self.plan.slow_processes]
        if index < self.plan.slow_processes:
            return []
        slow = {
            f"{row['scheme']}-{row['backend']}"
            for process in first
            for row in process.rows
            if row["operation"] in {"keygen", "sign"}
            and min(filter(None, row["samples"]), default=0) > self.plan.slow_ns
        }
        return [task for process in first for task in process.tasks if _parameters(task) in slow]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        tasks = sorted({task for process in self.processes for task in process.tasks})
        number = {task: i for i, task in enumerate(tasks)}
        return {
            "format": FORMAT,
            "version": VERSION,
            "complete": self.complete,
            "command": self.command,
            "started": self.started.isoformat(timespec="seconds"),
            "plan": self.plan.as_dict(),
            "environment": dict(self.environment),
            "schemes": self.schemes,
            "tasks": tasks,
            "processes": [_process(process, number, {*self.left_out(i)}) for i, process in enumerate(self.processes)],
            "cells": list(self._cells()),
        }

    def _cells(self) -> Iterator[dict[str, Any]]:
        """Rows of one identity merged: the samples of a process's visits, in its place; the first failure's reason."""
        cells: dict[tuple[str, ...], dict[str, Any]] = {}
        for i, process in enumerate(self.processes):
            for row in (*process.rows, *process.failures):
                key = tuple(row[name] for name in IDENTITY)
                facts = {name: value for name, value in row.items() if name not in {*BY_PROCESS, "failed"}}
                cell = cells.setdefault(key, facts | {"samples": [[] for _ in self.processes]})
                cell |= facts
                own = row | {"lost_ns": process.lost_ns(row)} if "lost_ns" in row else row
                for name in BY_PROCESS.keys() & row.keys():
                    cell.setdefault(name, [BY_PROCESS[name]() for _ in self.processes])[i] += own[name]
                if "failed" in row:
                    cell.setdefault("failed", row["failed"])
        for key in sorted(cells):
            yield cells[key]

    @property
    def name(self) -> str:
        """The file's: when the run began and the commit, or what stands for it."""
        mark = str(self.environment.get("pqdc", {}).get("commit", ""))
        if not mark:
            mark = hashlib.sha256(json.dumps(self.environment, sort_keys=True).encode()).hexdigest()
        return f"{self.started:%Y-%m-%dT%H%MZ}-{mark[:7]}"


def _parameters(task: str) -> str:
    """Scheme and backend of a task, without its visit."""
    return re.sub(rf"-{VISIT}\d+$", "", task.partition("[")[2].removesuffix("]"))


def _process(process: Process, number: Mapping[str, int], left_out: set[str]) -> dict[str, Any]:
    return {
        "started": process.started.isoformat(timespec="seconds"),
        "seconds": round(process.seconds, 1),
        "ended": process.ended,
        "reason": process.reason,
        "load_before": process.load_before,
        "load_after": process.load_after,
        "alone": process.alone,
        "cpus": process.cpus,
        "pace_ns": process.pace_ns,
        "usual_pace_ns": process.usual_pace_ns,
        "switches": process.interference["switches"],
        "stolen": process.share("stolen_ns"),
        "slowed": process.share("slowed_ns"),
        "aside": process.share("aside_ns"),
        "order": [number[task] for task in process.tasks if task not in left_out],
    }


def write(outcome: Outcome, path: Path) -> None:
    """Write it whole, over what this run wrote before.

    Raises:
        FileError: the folder cannot be written.
    """
    text = json.dumps(outcome.as_dict(), allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    data = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    write_files(path.parent, [OutputFile(name=path.name, data=data)], force=True)


def check_folder(folder: Path) -> None:
    """Return if `folder` can be written: better known before a run than after it.

    Raises:
        FileError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FileError(f"{folder}: cannot be written: {(error.strerror or str(error)).lower()}") from None
