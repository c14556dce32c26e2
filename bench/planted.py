"""Is a backend that has become a tenth slower found, and a run against itself not flagged? Three runs, and the answer.

    .venv/bin/python bench/planted.py [SCHEME...] [--percent 10] [--processes N] [--patience TIMES] [--out DIR]

A baseline; the same again; and the same with `--check`, while every verification through liboqs waits for a tenth of
what it takes. Only rows of `verify` and `verify_cold` may be flagged there, and all of `verify` must be. Exit status 1
if it is otherwise. It wants a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PLANTED = """
from time import perf_counter_ns
from pqdc.scheme.backends import liboqs

verifies = liboqs._Public._verifies

def slower(self, *arguments, **others):
    start = perf_counter_ns()
    answer = verifies(self, *arguments, **others)
    until = start + (perf_counter_ns() - start) * {factor}
    while perf_counter_ns() < until:
        pass
    return answer

liboqs._Public._verifies = slower
"""
MAY = {"verify", "verify_cold"}
PQDC = [sys.executable, "-P", "-c", "from pqdc.cli import main; main()"]


def main() -> int:
    """Run, compare, say."""
    parser = argparse.ArgumentParser(description="Plant a slowdown, and see who finds it.")
    parser.add_argument("schemes", nargs="*", default=["ML-DSA-44", "Falcon-512", "MAYO-2"])
    parser.add_argument("--percent", type=float, default=10)
    parser.add_argument("--processes", type=int, default=10)
    parser.add_argument("--patience", type=float, default=2, help="of `pqdc bench`, on a busy machine")
    parser.add_argument("--out", type=Path, help="keep the results there")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out = wanted.out or Path(name, "results")
        plant = Path(name, "plant")
        plant.mkdir()
        (plant / "sitecustomize.py").write_text(PLANTED.format(factor=1 + wanted.percent / 100))
        path = os.pathsep.join([str(plant), *filter(None, [os.environ.get("PYTHONPATH")])])
        how = ("--processes", str(wanted.processes), "--patience", str(wanted.patience), "--out", str(out))
        _, baseline = pqdc("bench", *wanted.schemes, *how)
        _, again = pqdc("bench", "--plan", baseline, "--out", str(out))
        status, slow = pqdc("bench", "--check", baseline, "--out", str(out), PYTHONPATH=path)
        same, different = compared(baseline, again), compared(baseline, slow)
    flagged = [row for row in different if row["verdict"] in {"slower", "faster"}]
    missed = [row for row in different if row["operation"] == "verify" and by_liboqs(row) and row not in flagged]
    wrong = [row for row in flagged if row["operation"] not in MAY or not by_liboqs(row)]
    wrong += [row for row in same if row["verdict"] in {"slower", "faster"}]
    print(f"against itself: {len(same)} rows, {sum(row in wrong for row in same)} flagged")
    print(f"planted {wanted.percent:g} %: {len(flagged)} rows flagged, --check exits with {status}")
    for title, rows in (("found", flagged), ("missed", missed), ("flagged wrongly", wrong)):
        for row in rows:
            print(f"{title}: {row['operation']} of {row['scheme']}, {row['ratio']:.3f}, p {row['p_holm']:.2g} (Holm)")
    return int(bool(missed or wrong or status != 1))


def by_liboqs(row: dict[str, Any]) -> bool:
    """Whether the plant is in its way."""
    return row["backend"] == "liboqs" and row["level"] == "python"


def compared(first: str, second: str) -> list[dict[str, Any]]:
    """The rows of `pqdc compare`, by a margin of 5 %, as `--check` has."""
    command = [*PQDC, "compare", first, second, "--margin", "5%", "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    rows: list[dict[str, Any]] = json.loads(answer.stdout)["rows"]
    return rows


def pqdc(*arguments: str, **environ: str) -> tuple[int, str]:
    """Run it; its status, and the result's path, which it prints first."""
    command = [*PQDC, *arguments]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=os.environ | environ)
    return child.returncode, child.stdout.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
