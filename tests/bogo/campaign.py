"""A run of BoGo: the runner as a child, the zygote here, and what came of each test as a value.

Every test of the runner's is either run or stands in config.json with the reason why it is not; a test that is neither
is a failure, and so is one that asks for something that the shim does not know.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pqdc.errors import PqdcError
from tests.bogo import zygote

__all__ = ["CONFIG", "Outcome", "RunnerUnavailable", "build", "run"]

CONFIG = Path(__file__).with_name("config.json")
BUILD = Path(__file__).parents[2] / "native" / "build_bogo.py"
IDLE = "60s"  # for which the runner waits at most; machines are busy


class RunnerUnavailable(PqdcError):
    """The runner cannot be built here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of the tests.

    Attributes:
        version: of the crate that BoGo came with.
        passed: their names.
        failed: what was wrong, by name.
        disabled: why, by name; in the order of the table.
    """

    version: str
    passed: tuple[str, ...]
    failed: Mapping[str, str]
    disabled: Mapping[str, str]


def build() -> Path:
    """The folder with the runner; made, if need be.

    Raises:
        RunnerUnavailable: it cannot be.
    """
    done = subprocess.run([sys.executable, BUILD], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunnerUnavailable(f"BoGo's runner cannot be built: {done.stderr.strip()}")
    return Path(done.stdout.strip())


def run(folder: Path, *, patterns: Sequence[str] = (), workers: int = 2) -> Outcome:
    """Run the tests whose names fit one of the patterns, or all.

    Args:
        folder: where the runner is.
        patterns: shell patterns.
        workers: how many tests at a time.

    Raises:
        PqdcError: the runner did not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="bogo-") as temporary:
        results, said = Path(temporary, "results.json"), Path(temporary, "said")
        options = ["-shim-config", str(CONFIG), "-json-output", str(results), "-idle-timeout", IDLE]
        options += ["-num-workers", str(workers), "-pipe", "-shim-path", str(folder / "client")]
        if patterns:
            options += ["-test", ";".join(patterns)]
        socket = Path(temporary, "zygote")
        with zygote.listening(socket) as listener, said.open("wb") as output:
            environ = {**os.environ, "BOGO_SOCKET": str(socket)}
            command = [str(folder / "runner"), *options]
            with subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT) as runner:
                try:
                    zygote.serve(listener, lambda: runner.poll() is not None)
                finally:
                    runner.kill()
        if not results.exists():
            raise PqdcError(f"the runner left no results: {said.read_text()[-2000:]}")
        return _outcome(folder, json.loads(results.read_text())["tests"], patterns)


def _outcome(folder: Path, tests: Mapping[str, Mapping[str, str]], patterns: Sequence[str]) -> Outcome:
    names = json.loads((folder / "names.json").read_text())
    chosen = [name for name in names if not patterns or _reason(name, dict.fromkeys(patterns, "chosen"))]
    table = json.loads(CONFIG.read_text())["DisabledTests"]
    reasons = {name: _reason(name, table) for name in chosen}
    disabled = {name: reason for name, reason in reasons.items() if reason}
    failed = {name: _fault(tests.get(name)) for name in chosen if name not in disabled}
    return Outcome(
        version=json.loads((folder / "complete.json").read_text())["version"],
        passed=tuple(name for name, fault in failed.items() if not fault),
        failed={name: fault for name, fault in failed.items() if fault},
        disabled=dict(sorted(disabled.items(), key=lambda item: list(table.values()).index(item[1]))),
    )


def _reason(name: str, table: Mapping[str, str]) -> str:
    """The first that the table has for the name; empty without any."""
    return next((reason for pattern, reason in table.items() if fnmatchcase(name, pattern)), "")


def _fault(result: Mapping[str, str] | None) -> str:
    if result is None:
        return "it was not run"
    if result["actual"] == "SKIP":
        return "the shim does not know a flag of it"
    return "" if result["actual"] == "PASS" else result.get("error") or "it failed"
