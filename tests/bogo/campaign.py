"""A run of BoGo: runners as children, the zygote here, and what came of each test as a value.

Every test of the runner's is either run or stands in config.json with the reason why it is not; a test that is neither
is a failure, and so is one that asks for something that the shim does not know.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pqdc.errors import PqdcError
from tests.bogo import minted, zygote

__all__ = ["CONFIG", "Outcome", "RunnerUnavailable", "build", "run", "run_credentials"]

Results = Mapping[str, Mapping[str, str]]  # of the runner, by the name of the test

CONFIG = Path(__file__).with_name("config.json")
BUILD = Path(__file__).parents[2] / "native" / "build_bogo.py"
GOES_ON = "goes on to resume the session; the first connection is run apart, see below"  # a reason in config.json
IDLE = "300s"  # for which the runner waits at most; machines are busy, or asleep


class RunnerUnavailable(PqdcError):
    """The runner cannot be built here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of the tests.

    Attributes:
        version: of the crate that BoGo came with.
        passed: their names.
        disabled: why, by name; in the order of the table.
        first: those of the disabled whose first connection, run apart, has passed.
        judged: tests of ours, about credentials that go from pqdc to Go and from Go to pqdc, that have passed.
        failed: what was wrong, by name, in any of these.
    """

    version: str
    passed: tuple[str, ...]
    disabled: Mapping[str, str]
    first: tuple[str, ...]
    judged: tuple[str, ...]
    failed: Mapping[str, str]


def build() -> Path:
    """The folder with the runner; made, if need be.

    Raises:
        RunnerUnavailable: it cannot be.
    """
    done = subprocess.run([sys.executable, BUILD], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunnerUnavailable(f"BoGo's runner cannot be built: {done.stderr.strip()}")
    return Path(done.stdout.strip())


def run(folder: Path, *, patterns: Sequence[str] = (), options: Sequence[str] = ()) -> Outcome:
    """Run the tests whose names fit one of the patterns, or all, and then what is run apart.

    Args:
        folder: where the runner is.
        patterns: shell patterns.
        options: of the runners, besides.

    Raises:
        PqdcError: a runner did not come to its end.
    """
    names = json.loads((folder / "names.json").read_text())
    chosen = [name for name in names if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]
    table = json.loads(CONFIG.read_text())["DisabledTests"]
    reasons = {name: _reason(name, table) for name in chosen}
    resuming = [name for name, reason in reasons.items() if reason == GOES_ON]
    stock = [name for name, reason in reasons.items() if not reason]
    passed, failed = _sort(stock, run_stock(folder, patterns, options) if stock else {})
    first, failed_first = _sort(resuming, run_first(folder, resuming, options) if resuming else {})
    results = run_credentials(folder, folder / "client", options=options) if not patterns else {}
    judged, misjudged = _sort(results, results)
    order = list(table.values())
    return Outcome(
        version=json.loads((folder / "complete.json").read_text())["version"],
        passed=passed,
        disabled={
            name: reasons[name] for name in sorted(chosen, key=lambda n: _rank(reasons[n], order)) if reasons[name]
        },
        first=first,
        judged=judged,
        failed={**failed, **failed_first, **misjudged},
    )


def run_stock(folder: Path, patterns: Sequence[str], options: Sequence[str]) -> Results:
    """BoGo as it is."""
    return _run(folder / "runner", folder / "client", [*_only(patterns), *options])


def run_first(folder: Path, names: Sequence[str], options: Sequence[str]) -> Results:
    """The first connections of tests that go on to resume."""
    return _run(folder / "judge", folder / "client", [*_only(names), "-include-disabled", *options], PQDC_FIRST="1")


def run_credentials(folder: Path, shim: Path, pattern: str = "PQDC-*", options: Sequence[str] = ()) -> Results:
    """Credentials of our minting (PQDC-Minted-*) before BoGo's client, and of Go's signing (PQDC-Signed-*) before ours.

    The shim is our own, or BoringSSL's, which shows credentials and takes none.
    """
    with tempfile.TemporaryDirectory(prefix="bogo-") as made:
        credentials = str(minted.write(Path(made)))
        return _run(folder / "judge", shim, [*_only([pattern]), *options], PQDC_CREDENTIALS=credentials)


def _only(patterns: Sequence[str]) -> list[str]:
    return ["-test", ";".join(patterns)] if patterns else []


def _run(runner: Path, shim: Path, options: Sequence[str], **environ: str) -> Results:
    with tempfile.TemporaryDirectory(prefix="bogo-") as temporary:
        results, said, socket = (Path(temporary, name) for name in ("results.json", "said", "zygote"))
        command = [str(runner), "-shim-path", str(shim), "-shim-config", str(CONFIG), "-json-output", str(results)]
        command += ["-idle-timeout", IDLE, "-pipe", *options]
        with zygote.listening(socket) as listener, said.open("wb") as output:
            environ = {**os.environ, "BOGO_SOCKET": str(socket), **environ}
            with subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT) as child:
                try:
                    zygote.serve(listener, lambda: child.poll() is not None)
                finally:
                    child.kill()
        if not results.exists():
            raise PqdcError(f"the runner left no results: {said.read_text()[-2000:]}")
        tests: Results = json.loads(results.read_text())["tests"]
        return tests


def _sort(names: Iterable[str], results: Results) -> tuple[tuple[str, ...], dict[str, str]]:
    """Those that passed, and what was wrong with the others."""
    faults = {name: _fault(results.get(name)) for name in names}
    return tuple(name for name in faults if not faults[name]), {name: fault for name, fault in faults.items() if fault}


def _fault(result: Mapping[str, str] | None) -> str:
    if result is None:
        return "it was not run"
    if result["actual"] == "SKIP":
        return "the shim does not know a flag of it"
    return "" if result["actual"] == "PASS" else result.get("error") or "it failed"


def _reason(name: str, table: Mapping[str, str]) -> str:
    """The first that the table has for the name; empty without any."""
    return next((reason for pattern, reason in table.items() if fnmatchcase(name, pattern)), "")


def _rank(reason: str, order: Sequence[str]) -> int:
    return order.index(reason) if reason else -1
