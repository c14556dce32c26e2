"""`python -m tests.fuzz`: all targets, each for a while; one target; or one target on a file that broke it before.

Corpora and findings are kept under build/fuzz. A finding is a file: `python -m tests.fuzz TARGET FILE` tries it again.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

FOLDER = Path("build") / "fuzz"
SLOW = 10  # seconds for one input, which libFuzzer then reports
MEMORY = 2048  # MiB
LONGEST = 16_384  # bytes of an input


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", help="all of them, unless named")
    parser.add_argument("file", nargs="*", type=Path, help="try these inputs, and nothing else")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.file:
        return _replay(options.target, options.file)
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("atheris is not installed: pip install 'pqdc[fuzz]'\n")
        return 2
    if options.here:
        _fuzz(options.target, options.seconds)
    from tests.fuzz.targets import targets  # noqa: PLC0415 - a fuzzing process instruments it first

    known = targets()
    if options.target and options.target not in known:
        parser.error(f"no target is called {options.target!r}: there are {', '.join(known)}")
    names = [options.target] if options.target else list(known)
    failed = [name for name in names if _run(name, options.seconds)]
    for name in failed:
        sys.stderr.write(f"{name}: see the files {FOLDER / 'found' / name}-*\n")
    return 1 if failed else 0


def _run(name: str, seconds: int) -> int:
    """One target in a process of its own, so that a crash ends nothing else. Its last lines are told."""
    command = [sys.executable, "-m", "tests.fuzz", name, f"--seconds={seconds}", "--here"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    lines = done.stderr.strip().splitlines()
    told = lines[-30:] if done.returncode else [line for line in lines if line.startswith(("Done", "stat::"))][:2]
    facts = [line for line in lines if " cov: " in line]
    sys.stderr.write(f"{name}: " + "\n".join((facts[-1:] or [""]) + told) + "\n")
    return done.returncode


def _fuzz(name: str, seconds: int) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris  # noqa: PLC0415

    with atheris.instrument_imports(include=["pqdc", "tests.fuzz.targets"]):
        from tests.fuzz.targets import targets  # noqa: PLC0415

        target = targets()[name]
    corpus = FOLDER / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    (FOLDER / "found").mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    arguments = [
        "pqdc-fuzz",
        f"-max_total_time={seconds}",
        f"-timeout={SLOW}",
        f"-rss_limit_mb={MEMORY}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={FOLDER / 'found' / name}-",
        str(corpus),
    ]
    atheris.Setup(arguments, target.run)
    atheris.Fuzz()


def _replay(name: str, files: list[Path]) -> int:
    from tests.fuzz.targets import targets  # noqa: PLC0415

    for file in files:
        targets()[name].run(file.read_bytes())
        sys.stderr.write(f"{name}: {file}: all laws hold\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
