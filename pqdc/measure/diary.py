"""A run's diary: a file beside the result, to which each thing that a run is told is added as it comes.

Whatever ends a run, its diary has every cell that had ended; `resume` makes of it the outcome that goes on. A line is
an entry, as JSON; the last may be cut off. It is taken away once the result is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from pqdc.errors import FileError, ResultError
from pqdc.measure.outcome import FORMAT, SUFFIX, VERSION, Outcome, Process
from pqdc.measure.plan import Plan

__all__ = ["Diary"]

DIARY: Final = ".diary"
MOST_BYTES: Final = 512 * 2**20


class Diary:
    """The open file.

    Attributes:
        path: its own.
        result: the file that it will become.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.result = path.with_name(path.name.removesuffix(DIARY) + SUFFIX)
        self._descriptor = descriptor

    @classmethod
    def begin(cls, outcome: Outcome, folder: Path) -> Self:
        """A new one, under a name that neither a result nor a diary has: runs of one minute are numbered.

        Raises:
            FileError: the folder cannot be written.
        """
        for mark in ("", *(f"-{i}" for i in range(2, 100))):
            path = folder / f"{outcome.name}{mark}{DIARY}"
            if (folder / f"{outcome.name}{mark}{SUFFIX}").exists():
                continue
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                continue
            except OSError as error:
                raise _refusal(path, error) from None
            diary = cls(path, descriptor)
            try:
                diary.write(run=_run(outcome))
            except FileError:
                diary.close(remove=True)
                raise
            return diary
        raise FileError(f"{folder}: too many results of this minute")

    @classmethod
    def resume(cls, path: Path) -> tuple[Self, Outcome]:
        """The diary of a run that has not come to its end, named itself or by the result, and what it has measured.

        Raises:
            ResultError: there is none, or it is none of ours.
            FileError: it cannot be written.
        """
        own = path if path.name.endswith(DIARY) else path.with_name(path.name.removesuffix(SUFFIX) + DIARY)
        try:
            descriptor = os.open(own, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            hint = "a run that has come to its end has none; `pqdc bench --plan` measures its plan again"
            raise ResultError(f"{own}: no diary of an unfinished run", hint=hint) from None
        except OSError as error:
            raise _refusal(own, error) from None
        with os.fdopen(os.dup(descriptor), "rb") as file:
            data = file.read(MOST_BYTES)
        whole = data[: data.rfind(b"\n") + 1]
        os.ftruncate(descriptor, len(whole))
        os.lseek(descriptor, 0, os.SEEK_END)
        return cls(own, descriptor), _outcome(own, whole)

    def write(self, **entry: Any) -> None:
        """Add an entry, whole.

        Raises:
            FileError: the system does not let it.
        """
        data = memoryview(json.dumps(entry, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise _refusal(self.path, error) from None

    def close(self, *, remove: bool) -> None:
        """The end: take it away, or leave it to be resumed."""
        os.close(self._descriptor)
        if remove:
            self.path.unlink(missing_ok=True)


def _refusal(path: Path, error: OSError) -> FileError:
    return FileError(f"{path}: {(error.strerror or str(error)).lower()}")


def _run(outcome: Outcome) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "plan": outcome.plan.as_dict(),
        "command": outcome.command,
        "started": outcome.started.isoformat(),
        "environment": dict(outcome.environment),
        "schemes": outcome.schemes,
    }


def _outcome(path: Path, data: bytes) -> Outcome:
    try:
        first, *entries = map(json.loads, data.splitlines())
        run = first["run"]
        if (run["format"], run["version"]) != (FORMAT, VERSION):
            raise ResultError(f"{path}: a diary of version {VERSION} wanted, this is {run['version']}")
        outcome = Outcome(
            plan=Plan.from_dict(run["plan"]),
            command=run["command"],
            started=datetime.fromisoformat(run["started"]),
            environment=run["environment"],
            schemes=run["schemes"],
        )
        for entry in entries:
            _take(outcome, entry)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ResultError(f"{path}: no diary of a run, or a damaged one: {error}") from None
    return outcome


def _take(outcome: Outcome, entry: Mapping[str, Any]) -> None:
    if "process" in entry:
        started = datetime.fromisoformat(entry["process"])
        outcome.processes.append(Process(started=started, load_before=entry["load"], alone=entry["alone"]))
        return
    process = outcome.processes[entry["index"]]
    if "gave_up" in entry:
        process.give_up(entry["gave_up"])
    elif "ended" in entry:
        process.ended, process.reason = entry["ended"], entry["reason"]
        process.seconds, process.load_after, process.alone = entry["seconds"], entry["load"], entry["alone"]
    else:
        process.take(entry)
