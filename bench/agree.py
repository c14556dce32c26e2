"""Do pqdc's figures agree with those of the libraries' own benchmarks? All in one run, in turns.

    make agree        or   .venv/bin/python bench/agree.py [SCHEME...] [--rounds N] [--seconds S] [--json FILE]

liboqs: `speed_sig`, compiled from the source that the library was built of, against the native loop. Like it, the loop
here uses one key and one message of 50 bytes in each round, and verifies one signature again and again, which a
processor learns to predict: the benchmarks, with new signatures, find Falcon-512's verification some 7 % slower. In
each round each side is a new process and gives a mean (speed_sig gives nothing else). The figure is the median of the
rounds' ratios with its bootstrap interval; where that of a few rounds lies outside of 3 %, it is of more. Both sides
have the same malloc, with the same thresholds, and what is large on cache lines: UOV's megabytes tell the difference,
and where a process happens to have them may still make a tenth of its key generation. Operations that reject and repeat
scatter by nature: their means need not agree within 3 %.

OpenSSL: `openssl speed`, where the command exists, against the classical rows, which go through Python and through the
OpenSSL inside `cryptography`, mostly another version: told, not judged.

Exit status 1 if an operation that does not scatter lies outside of 3 % with its whole interval.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import malloc
from natively import MESSAGE_BYTES

from pqdc.measure.account import OPERATIONS
from pqdc.report.statistics import bootstrap_interval, median_of
from pqdc.scheme import backends
from pqdc.scheme.backends.liboqs import Liboqs
from pqdc.scheme.catalog import Catalog, load_catalog
from pqdc.scheme.facts import Scheme

HERE = Path(__file__).resolve().parent
TOLERANCE = 0.03
WITHIN = "within 3 %"
MORE = 3  # times the rounds, where the first ones do not tell
SCATTERED = 0.1  # standard deviation / mean: as of pqdc.measure.plan
OURS = 0.5  # of the seconds that the other side takes
ROW = re.compile(r"^(keypair|sign|verify)\s*\|\s*(\d+)\s*\|\s*[\d.]+\s*\|\s*([\d.]+)\s*\|\s*([\d.]+)", re.MULTILINE)
# What `openssl speed` calls a scheme, by our backend's name for it; its rows are "+F2:...:sign/s:verify/s" and alike.
SPEED_NAMES = {
    "ecdsa-p256": "ecdsap256",
    "ecdsa-p384": "ecdsap384",
    "ecdsa-p521": "ecdsap521",
    "ed25519": "ed25519",
    "ed448": "ed448",
}
SPEED_ROW = re.compile(r"^\+F[246]:.*:([\d.]+):([\d.]+)$", re.MULTILINE)


def main() -> int:
    """Take turns, print the tables."""
    parser = argparse.ArgumentParser(description="Compare pqdc's figures with the libraries' own benchmarks.")
    parser.add_argument("schemes", nargs="*", help="all unless given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1, help="of each operation in each round, on the other side")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    wanted = parser.parse_args()
    catalog = load_catalog()
    chosen = [catalog[name] for name in wanted.schemes] or [scheme for scheme in catalog.values() if scheme.benchmark]
    native = of_liboqs(chosen, wanted.rounds, wanted.seconds)
    classical = of_openssl(chosen, catalog, wanted.seconds)
    disagree = [row for row in native if row["agrees"] == "NO"]
    steady = [row for row in native if not row["scatters"]]
    within = sum(row["agrees"] == WITHIN for row in steady)
    print(f"\n{within} of {len(steady)} operations that do not scatter agree within 3 %, {len(disagree)} do not.")
    if wanted.json:
        facts = {"rounds": wanted.rounds, "seconds": wanted.seconds, "versions": versions()}
        wanted.json.write_text(json.dumps(facts | {"liboqs": native, "openssl": classical}, indent=1))
    return int(bool(disagree))


def versions() -> dict[str, str]:
    """Of all that is compared."""
    found = {}
    for name in backends.backend_names():
        found |= dict(backends.load_backend(name).versions())
    return found | ({"openssl speed": openssl_version()} if shutil.which("openssl") else {})


# --- liboqs -------------------------------------------------------------------------------------------------------


def of_liboqs(schemes: list[Scheme], rounds: int, seconds: int) -> list[dict[str, Any]]:
    """A row for each operation of what liboqs computes, printed as it comes."""
    liboqs = Liboqs()
    print(
        "| scheme | operation | speed_sig mean, µs | native mean, µs | native median, µs "
        "| rounds | ratio | 95 % | agrees |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---|", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        program = compile_speed_sig(liboqs, Path(folder))
        environ = os.environ | malloc.SETTLED | {"LD_PRELOAD": str(compile_malloc(Path(folder)))}
        for scheme in schemes:
            if "liboqs" not in scheme.backends or liboqs.reason_against(scheme):
                continue
            for row in compare(program, scheme, environ, rounds, seconds):
                rows.append(row)
                print(
                    f"| {row['scheme']} | {row['operation']} | {row['speed_sig_mean_us']:.2f} "
                    f"| {row['native_mean_us']:.2f} | {row['native_median_us']:.2f} | {row['rounds']} "
                    f"| {row['ratio']:.3f} | {row['low']:.3f} to {row['high']:.3f} | {row['agrees']} |",
                    flush=True,
                )
    return rows


def compile_speed_sig(liboqs: Liboqs, folder: Path) -> Path:
    """Compile liboqs's own benchmark against the library that pqdc uses."""
    printed = output_of([sys.executable, str(HERE.parent / "native" / "build.py"), "--print-source"])
    tests = Path(printed.strip()) / "tests"
    libraries = liboqs.library.liboqs.parent
    program = folder / "speed_sig"
    command = [
        "cc", "-O2", f"-I{libraries.parent / 'include'}", f"-I{tests}", str(tests / "speed_sig.c"),
        f"-L{libraries}", "-loqs", "-lm", f"-Wl,-rpath,{libraries}", "-o", str(program),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return program


def compile_malloc(folder: Path) -> Path:
    """Compile the malloc of both sides."""
    library = folder / "aligned_malloc.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", str(HERE / "aligned_malloc.c"), "-o", str(library)], check=True)
    return library


def output_of(command: list[str], environ: Mapping[str, str] | None = None) -> str:
    """What a program prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout


def compare(
    program: Path, scheme: Scheme, environ: Mapping[str, str], rounds: int, seconds: int
) -> list[dict[str, Any]]:
    """The figures of one scheme, in microseconds; of more rounds if those do not show that the sides agree."""
    theirs: dict[str, list[float]] = {operation: [] for operation in OPERATIONS}
    ours: dict[str, list[list[int]]] = {operation: [] for operation in OPERATIONS}
    for wanted in (rounds, MORE * rounds):
        while len(theirs["keygen"]) < wanted:
            means, samples = take_round(program, scheme, environ, seconds)
            for operation in OPERATIONS:
                theirs[operation].append(means[operation])
                ours[operation].append(samples[operation])
        rows = [figures(scheme, operation, theirs[operation], ours[operation]) for operation in OPERATIONS]
        if all(row["scatters"] or row["agrees"] == WITHIN for row in rows):
            break
    return rows


def take_round(
    program: Path, scheme: Scheme, environ: Mapping[str, str], seconds: int
) -> tuple[dict[str, float], dict[str, list[int]]]:
    """The other side's means, in microseconds, and our samples, in nanoseconds, by operation."""
    printed = output_of([str(program), "-d", str(seconds), scheme.backends["liboqs"]], environ)
    means = {"keygen" if name == "keypair" else name: float(mean) for name, _, mean, _ in ROW.findall(printed)}
    counts = [max(1, min(100_000, int(OURS * seconds * 1e6 / means[operation]))) for operation in OPERATIONS]
    command = [sys.executable, str(HERE / "natively.py"), scheme.name, *map(str, counts)]
    return means, json.loads(output_of(command, environ))


def figures(scheme: Scheme, operation: str, theirs: list[float], ours: list[list[int]]) -> dict[str, Any]:
    """One row."""
    means = [statistics.fmean(samples) / 1000 for samples in ours]
    ratios = tuple(mean / other for mean, other in zip(means, theirs, strict=True))
    interval = bootstrap_interval(median_of, ratios)
    low, high = (interval.low, interval.high) if interval else (min(ratios), max(ratios))
    ratio = statistics.median(ratios)
    middle = statistics.median(samples := [value for one in ours for value in one])
    scatter = statistics.median(abs(value - middle) for value in samples) / middle
    agrees = "NO"
    if abs(ratio - 1) <= TOLERANCE:
        agrees = WITHIN
    elif low <= 1 + TOLERANCE and high >= 1 - TOLERANCE:
        agrees = "its interval reaches 3 %"
    elif scatter > SCATTERED:
        agrees = "it scatters"
    return {
        "scheme": scheme.name,
        "operation": operation,
        "native_median_us": round(middle / 1000, 3),
        "native_mean_us": round(statistics.median(means), 3),
        "speed_sig_mean_us": round(statistics.median(theirs), 3),
        "rounds": len(ratios),
        "ratio": round(ratio, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "scatters": scatter > SCATTERED,
        "agrees": agrees,
    }


# --- OpenSSL ------------------------------------------------------------------------------------------------------


def of_openssl(schemes: list[Scheme], catalog: Catalog, seconds: int) -> list[dict[str, Any]]:
    """A row for signing and for verifying of what `openssl speed` knows too."""
    if shutil.which("openssl") is None:
        print("\nThere is no openssl here, so its `speed` is not asked.")
        return []
    ours = versions()["OpenSSL"]
    print(f"\n`openssl speed` of {openssl_version()}; pqdc through Python and {ours}")
    print("| scheme | operation | openssl speed, µs | pqdc median, µs | ratio |")
    print("|---|---|---:|---:|---:|", flush=True)
    rows = []
    for scheme in schemes:
        name = speed_name(scheme.backends.get("openssl", ""))
        command = ["openssl", "speed", "-mr", "-seconds", str(seconds), name]
        answer = subprocess.run(command, capture_output=True, text=True, check=False) if name else None
        if answer is None or not (rates := SPEED_ROW.findall(answer.stdout)):
            continue
        theirs = dict(zip(("sign", "verify"), (1e6 / float(rate) for rate in rates[-1]), strict=True))
        for operation, median in through_python(catalog[scheme.name], seconds).items():
            row = {"scheme": scheme.name, "operation": operation, "speed_us": theirs[operation], "pqdc_us": median}
            rows.append(row)
            ratio = median / theirs[operation]
            print(f"| {scheme.name} | {operation} | {theirs[operation]:.2f} | {median:.2f} | {ratio:.3f} |", flush=True)
    return rows


def speed_name(name: str) -> str:
    """What `openssl speed` calls a primitive; empty if it does not know it."""
    size = re.fullmatch(r"rsa-(\d+)-sha256", name)
    return f"rsa{size[1]}" if size else SPEED_NAMES.get(name, "")


def openssl_version() -> str:
    """Of the command."""
    return output_of(["openssl", "version"]).split("(")[0].strip()


def through_python(scheme: Scheme, seconds: int) -> dict[str, float]:
    """Medians in microseconds, with one key and one message."""
    key, message = backends.load_backend("openssl").generate(scheme), os.urandom(MESSAGE_BYTES)
    signature = key.sign(message)
    return {
        "sign": median_us(lambda: key.sign(message), OURS * seconds),
        "verify": median_us(lambda: key.public.verify(signature, message), OURS * seconds),
    }


def median_us(operation: Callable[[], Any], seconds: float) -> float:
    """Of as many calls as there is time for."""
    times: list[int] = []
    end = perf_counter_ns() + int(seconds * 1e9)
    while not times or perf_counter_ns() < end:
        start = perf_counter_ns()
        operation()
        times.append(perf_counter_ns() - start)
    return statistics.median(times) / 1000


if __name__ == "__main__":
    sys.exit(main())
