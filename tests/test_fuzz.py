"""The fuzz targets for a moment, without a fuzzer: seeds as they are, mutated, and inputs made to be slow."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pqdc.errors import BackendUnavailable
from pqdc.scheme.backends import load_backend
from tests.fuzz import targets as fuzz
from tests.mutate.mutations import some_bytes

TARGETS = fuzz.targets()
SECONDS = 1.0  # for each target
LONGEST = 2.0  # seconds that one input may take, on a machine that has other things to do
SLOW = {
    "many beginnings": b"-----BEGIN A-----\n" * 20_000,
    "many endings": b"-----END A-----\n" * 20_000,
    "dashes": b"-" * 300_000,
    "a beginning, and dashes apart": b"-----BEGIN A-----\n" + b"-a" * 100_000,
    "headers": b"-----BEGIN A-----\n" + b"a:\n" * 50_000 + b"-----END A-----\n",
    "header lines that go on": b"-----BEGIN A-----\na:\n" + b" \n" * 50_000 + b"-----END A-----\n",
    "spaces": b"-----BEGIN A-----" + b" " * 300_000,
    "line ends": b"\r\n" * 100_000,
    "sequences in sequences": b"\x30\x80" * 50_000,
    "long sequences in sequences": b"".join(b"\x30\x83" + (5 * n).to_bytes(3, "big") for n in range(20_000, 0, -1)),
    "hexadecimal digits": b"0" * 300_000,
    "commas": b"," * 300_000,
    "braces": b"[" * 100_000,
}


@pytest.mark.parametrize("name", TARGETS)
def test_the_laws_hold_for_seeds_and_what_mutations_make_of_them(name):
    target = TARGETS[name]
    seeds = [seed for seed in target.seeds() if seed]
    assert seeds
    rng = random.Random(f"smoke {name}")  # noqa: S311 - it must repeat
    for seed in seeds:
        target.run(seed)
    target.run(b"")
    end = time.monotonic() + SECONDS
    tried = 0
    while time.monotonic() < end or tried < 200:
        data = rng.choice(seeds)
        for _ in range(rng.randrange(1, 4)):
            data = some_bytes(rng, data, rng.choice(seeds))[1]
        try:
            target.run(data)
        except Exception as error:  # noqa: BLE001 - any is a finding
            pytest.fail(f"{name}: {error!r} for {data.hex()}")
        tried += 1


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("kind", SLOW)
def test_no_input_takes_long(name, kind):
    started = time.process_time()
    TARGETS[name].run(SLOW[kind])
    assert time.process_time() - started < LONGEST


def test_the_fuzzer_finds_what_is_there(tmp_path):
    """A law that is broken behind three comparisons is found, and the file that it leaves breaks it again."""
    pytest.importorskip("atheris", reason="atheris is not installed: pip install pqdc[fuzz]")
    script = (
        "import sys, atheris\n"
        "@atheris.instrument_func\n"
        "def run(data):\n"
        "    if len(data) > 2 and data[0] == 0x30 and data[1] == 0x82 and data[2] == 0x05: raise AssertionError\n"
        f"atheris.Setup(['fuzz', '-max_total_time=60', '-seed=1', '-artifact_prefix={tmp_path}/'], run)\n"
        "atheris.Fuzz()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode
    (found,) = tmp_path.glob("crash-*")
    assert found.read_bytes()[:3] == b"\x30\x82\x05"


def test_a_finding_is_tried_again_by_name(tmp_path):
    file = tmp_path / "input"
    file.write_bytes(b"\0")
    command = [sys.executable, "-m", "tests.fuzz", "dc", str(file)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "all laws hold" in done.stderr


def setup_module():
    try:
        load_backend("liboqs")
    except BackendUnavailable as reason:
        pytest.skip(f"the seeds hold post-quantum keys: {reason}")
