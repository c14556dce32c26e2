"""Do pqdc's native figures agree with liboqs's own `speed_sig`? Both on the same library, in turns, in one run.

    .venv/bin/python bench/agree.py [SCHEME...] [--rounds N] [--seconds S] [--json FILE]

speed_sig is compiled from the source that liboqs was built of. Like it, the native loop here uses one key and one
message of 50 bytes in each round, and verifies one signature again and again, which a processor learns to predict: the
benchmarks, with new signatures, find Falcon-512's verification some 7 % slower. Each side's figure is the median of
its rounds: speed_sig's of means (it gives nothing else), pqdc's of medians and of means.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pqdc.scheme.backends.liboqs import Liboqs
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.facts import Scheme

MESSAGE_BYTES = 50  # speed_sig's
TOLERANCE = 0.03
OPERATIONS = ("keygen", "sign", "verify")
ROW = re.compile(r"^(keypair|sign|verify)\s*\|\s*(\d+)\s*\|\s*[\d.]+\s*\|\s*([\d.]+)\s*\|\s*([\d.]+)", re.MULTILINE)


def main() -> None:
    """Compile speed_sig, take turns, print the table."""
    parser = argparse.ArgumentParser(description="Compare pqdc's native loop with liboqs's speed_sig.")
    parser.add_argument("schemes", nargs="*", default=["ML-DSA-44", "Falcon-512"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each operation in each round, on each side")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    wanted = parser.parse_args()
    catalog, liboqs = load_catalog(), Liboqs()
    schemes = [scheme for scheme in catalog.values() if not liboqs.reason_against(scheme)]
    if wanted.schemes != ["all"]:
        schemes = [catalog[name] for name in wanted.schemes]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        program = compile_speed_sig(liboqs, Path(folder))
        for scheme in schemes:
            rows += compare(liboqs, program, scheme, wanted.rounds, wanted.seconds)
    print_table(rows)
    if wanted.json:
        facts = {"versions": dict(liboqs.versions()), "rounds": wanted.rounds, "seconds": wanted.seconds, "rows": rows}
        wanted.json.write_text(json.dumps(facts, indent=1))


def compile_speed_sig(liboqs: Liboqs, folder: Path) -> Path:
    """Compile liboqs's own benchmark against the library that pqdc uses."""
    builder = Path(__file__).resolve().parent.parent / "native" / "build.py"
    printed = subprocess.run(
        [sys.executable, str(builder), "--print-source"], capture_output=True, text=True, check=True
    )
    tests = Path(printed.stdout.strip()) / "tests"
    libraries = liboqs.library.liboqs.parent
    program = folder / "speed_sig"
    command = [
        "cc", "-O2", f"-I{libraries.parent / 'include'}", f"-I{tests}", str(tests / "speed_sig.c"),
        f"-L{libraries}", "-loqs", "-lm", f"-Wl,-rpath,{libraries}", "-o", str(program),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return program


def compare(liboqs: Liboqs, program: Path, scheme: Scheme, rounds: int, seconds: int) -> list[dict[str, Any]]:
    """The figures of one scheme, in microseconds."""
    theirs: dict[str, list[tuple[float, float]]] = {operation: [] for operation in OPERATIONS}
    ours: dict[str, list[list[int]]] = {operation: [] for operation in OPERATIONS}
    for _ in range(rounds):
        command = [str(program), "-d", str(seconds), scheme.backends["liboqs"]]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for name, _, mean, deviation in ROW.findall(printed):
            theirs["keygen" if name == "keypair" else name].append((float(mean), float(deviation)))
        for operation in OPERATIONS:
            count = max(1, min(100_000, int(seconds * 1e6 / theirs[operation][-1][0])))
            message = [os.urandom(MESSAGE_BYTES)]
            ours[operation].append(liboqs.time_natively(operation, message, scheme=scheme, samples=count))
    return [figures(scheme, operation, theirs[operation], ours[operation]) for operation in OPERATIONS]


def figures(scheme: Scheme, operation: str, theirs: list[tuple[float, float]], ours: list[list[int]]) -> dict[str, Any]:
    """One row."""
    median = statistics.median(statistics.median(samples) for samples in ours) / 1000
    mean = statistics.median(statistics.fmean(samples) for samples in ours) / 1000
    their_mean = statistics.median(mean for mean, _ in theirs)
    deviation = statistics.median(deviation for _, deviation in theirs)
    difference = median / their_mean - 1
    agrees = "within 3 %" if abs(difference) <= TOLERANCE else ""
    if not agrees and abs(median - their_mean) <= deviation:
        agrees = "within one standard deviation"
    return {
        "scheme": scheme.name,
        "operation": operation,
        "native_median_us": round(median, 3),
        "native_mean_us": round(mean, 3),
        "speed_sig_mean_us": round(their_mean, 3),
        "speed_sig_stdev_us": round(deviation, 3),
        "difference": round(difference, 4),
        "agrees": agrees or "NO",
    }


def print_table(rows: list[dict[str, Any]]) -> None:
    """For people, and for Markdown."""
    print("| scheme | operation | native median, µs | native mean, µs | speed_sig mean ± stdev, µs | median | agrees |")
    print("|---|---|---:|---:|---:|---:|---|")
    for row in rows:
        print(
            f"| {row['scheme']} | {row['operation']} | {row['native_median_us']:.2f} | {row['native_mean_us']:.2f} "
            f"| {row['speed_sig_mean_us']:.2f} ± {row['speed_sig_stdev_us']:.2f} "
            f"| {row['difference']:+.1%} | {row['agrees']} |"
        )


if __name__ == "__main__":
    main()
