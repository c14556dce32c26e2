"""The command and the environment of a measuring process, sealed off from whatever surrounds the user.

pytest would read PYTEST_ADDOPTS, plugins, and the pytest.ini and conftest.py of where the user stands; Python has
switches that slow it down. The process runs in an empty folder, with bench/'s own settings alone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pqdc.resources import resource

__all__ = ["command", "environment"]

UNWANTED = ("PYTEST", "COV_", "COVERAGE", "PYTHONDEV", "PYTHONWARN", "PYTHONTRACE", "PYTHONPROF", "PYTHONFAULT")
UNWANTED_NAMES = frozenset({"PYTHONMALLOC", "PYTHONDUMPREFS", "PYTHONVERBOSE", "PYTHONINSPECT", "PYTHONOPTIMIZE"})
PATHS = ("OQS_INSTALL_PATH", "PQDC_ALGORITHMS", "PYTHONPATH", "LD_LIBRARY_PATH")  # which would be read elsewhere


def command(
    folder: Path, *, plan: Path, process: int, done: Path, journal: int, turns: int, pace_ns: Mapping[str, int]
) -> list[str]:
    """Run bench/ by `plan`, less what is `done`, with `folder` for whatever pytest and its plugins want to keep.

    `pace_ns` is the best of each CPU, as far as it is known.
    """
    bench = resource("bench")
    return [
        *(sys.executable, "-P", "-m", "pytest", str(bench)),
        *("-c", str(bench / "pytest.ini"), "--rootdir", str(bench), "--confcutdir", str(bench)),
        *("-p", "no:cacheprovider", "-p", "pytest_benchmark.plugin", "-q", "--tb=line", "--color=no"),
        *("--benchmark-quiet", f"--benchmark-storage=file://{folder}"),
        *("--pqdc-plan", str(plan), "--pqdc-process", str(process)),
        *("--pqdc-done", str(done), "--pqdc-journal", str(journal), "--pqdc-turns", str(turns)),
        *("--pqdc-pace", json.dumps(pace_ns)),
    ]


def environment(environ: Mapping[str, str], overlays: Sequence[Path] = ()) -> dict[str, str]:
    """The user's, without what changes pytest or slows Python; paths are absolute, overlays of the catalog added."""
    kept = {
        name: value for name, value in environ.items() if not name.startswith(UNWANTED) and name not in UNWANTED_NAMES
    }
    for name in PATHS:
        if kept.get(name, "").strip():
            kept[name] = os.pathsep.join(str(Path(part).absolute()) for part in kept[name].split(os.pathsep))
    if overlays:
        named = [kept["PQDC_ALGORITHMS"]] if kept.get("PQDC_ALGORITHMS") else []
        kept["PQDC_ALGORITHMS"] = os.pathsep.join([*named, *(str(path.absolute()) for path in overlays)])
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
