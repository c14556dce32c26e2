"""Whatever ends a run, what was measured stays, and the run goes on from there; --check finds a slower backend."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pqdc.errors import FileError, ResultError
from pqdc.measure import interference
from pqdc.measure.diary import Diary
from pqdc.measure.presence import present
from tests.test_measure import new_outcome
from tests.test_measure_bench import PQDC, pqdc

pytest.importorskip("pytest_benchmark")
SMALL = ("bench", "--processes", "3", "--seed", "3", "Ed25519", "--operation", "sign", "--operation", "mint")


def entries(diary: Path) -> list[dict]:
    """Those that are whole."""
    lines = diary.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def stop_early(folder: Path, number: int) -> tuple[Path, list[dict], subprocess.CompletedProcess[str]]:
    """Start a run, and send it a signal when it has measured a cell; its diary, and its first process's rows in it."""
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # whoever runs in the background
    command = [*PQDC[:-1], f"{heard}; {PQDC[-1]}", *SMALL, "--out", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        rows: list[dict] = []
        until = time.monotonic() + 60
        while not rows:
            assert child.poll() is None, child.stderr.read()
            assert time.monotonic() < until, "nothing was measured in a minute"
            time.sleep(0.01)
            for diary in folder.glob("*.diary"):
                rows = [row for entry in entries(diary) for row in entry.get("rows", [])]
        child.send_signal(number)
        said, complained = child.communicate(timeout=60)
    (diary,) = folder.glob("*.diary")
    rows = [row for entry in entries(diary) if entry.get("index") == 0 for row in entry.get("rows", [])]
    return diary, rows, subprocess.CompletedProcess(command, child.returncode, said, complained)


def load(path: Path) -> dict:
    return json.loads(gzip.decompress(path.read_bytes()))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_goes_on_and_keeps_what_it_had(tmp_path: Path, number: signal.Signals):
    diary, rows, ended = stop_early(tmp_path, number)
    if number == signal.SIGKILL:
        assert ended.returncode == -number
    else:
        assert ended.returncode == 1
        assert load(Path(ended.stdout.strip()))["complete"] is False
        assert "--resume" in ended.stderr.splitlines()[-1]
        assert "Traceback" not in ended.stderr
    with diary.open("ab") as file:
        file.write(b'{"index":0,"rows":[{"cut')
    answer = pqdc("bench", "--resume", diary)
    assert answer.returncode == 0, answer.stderr
    path = Path(answer.stdout.strip())
    assert list(tmp_path.iterdir()) == [path]
    table = load(path)
    assert table["complete"]
    assert all(len(process) > 0 for cell in table["cells"] for process in cell["samples"])
    firsts = {(cell["level"], cell["operation"]): cell["samples"][0] for cell in table["cells"]}
    kept: dict[tuple[str, str], list] = {}
    for row in rows:  # one for each visit
        kept.setdefault((row["level"], row["operation"]), []).extend(row["samples"])
    for cell, samples in kept.items():
        assert firsts[cell][: len(samples)] == samples


FEW_CELLS = 3_400  # bytes of a diary


def run_with_files_up_to(size: int, folder: Path) -> subprocess.CompletedProcess[str]:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); {PQDC[-1]}"
    command = [*PQDC[:-1], limit, *SMALL, "--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_a_disk_that_was_full_from_the_start_keeps_nothing(tmp_path: Path):
    answer = run_with_files_up_to(1000, tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].endswith("file too large")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_one_line_and_what_was_saved(tmp_path: Path):
    answer = run_with_files_up_to(FEW_CELLS, tmp_path)
    assert answer.returncode == 1
    saved, refusal = answer.stderr.splitlines()[-2:]
    assert saved.startswith("saved: ")
    assert refusal.startswith("pqdc: ")
    assert "file too large" in refusal
    assert "Traceback" not in answer.stderr
    (diary,) = tmp_path.glob("*.diary")
    assert pqdc("bench", "--resume", diary).returncode == 0


def test_a_diary_on_a_full_disk_refuses_by_name(tmp_path: Path):
    diary = Diary.begin(new_outcome(), tmp_path)
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - its descriptor is wanted
        os.dup2(full.fileno(), diary._descriptor)
        with pytest.raises(FileError, match=r"\.diary: no space left on device"):
            diary.write(rows=[])


@pytest.mark.parametrize("data", [b"", b"text\n", b"{}\n", b'{"run":{"format":"pqdc-result","version":9}}\n'])
def test_what_is_no_diary_is_refused(tmp_path: Path, data: bytes):
    path = tmp_path / "x.diary"
    path.write_bytes(data)
    with pytest.raises(ResultError, match=r"x\.diary"):
        Diary.resume(path)


def test_a_run_that_has_ended_is_not_resumed(tmp_path: Path):
    answer = pqdc("bench", "--resume", tmp_path / "x.json.gz")
    assert answer.returncode == 1
    assert "no diary of an unfinished run" in answer.stderr


def plant(folder: Path, code: str) -> dict[str, str]:
    """An environment in which every Python runs `code` at its start."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}


CRASHING = """
import os
from pqdc.credential.structures import DelegatedCredential
DelegatedCredential.decode = lambda _: os.kill(os.getpid(), 11)
"""


def test_a_cell_that_kills_its_process_is_told_and_the_others_are_measured(tmp_path: Path):
    arguments = ("bench", "--processes", 2, "Ed25519", "--out", tmp_path / "made")
    operations = [part for name in ("dc_encode", "dc_decode", "sign") for part in ("--operation", name)]
    answer = pqdc(*arguments, *operations, **plant(tmp_path, CRASHING))
    assert answer.returncode == 0, answer.stderr
    assert "not measured: dc_decode of Ed25519 by openssl: the process died of it: SIGSEGV" in answer.stderr
    cells = {cell["operation"]: cell for cell in load(Path(answer.stdout.strip()))["cells"]}
    assert cells["dc_decode"]["samples"] == [[], []]
    assert all(cells["sign"]["samples"])
    assert all(cells["dc_encode"]["samples"])


SLOWER = """
from time import perf_counter_ns
from pqdc.scheme.backends import openssl

sign = openssl._Private.sign

def slower(self, message):
    start = perf_counter_ns()
    signature = sign(self, message)
    until = start + (perf_counter_ns() - start) * 3
    while perf_counter_ns() < until:
        pass
    return signature

openssl._Private.sign = slower
"""


def test_a_slower_backend_is_found_by_check_and_the_same_is_not_flagged(tmp_path: Path):
    """By far, as other tests may run beside this; docs/results.md tells of a tenth, on a quiet machine."""
    made = pqdc("bench", "--processes", 5, "Ed25519", "--operation", "sign", "--out", tmp_path)
    assert made.returncode == 0, made.stderr
    baseline = made.stdout.strip()
    checked = pqdc("bench", "--check", baseline, "--fail-over", "10%", "--out", tmp_path, **plant(tmp_path, SLOWER))
    assert checked.returncode == 1, checked.stdout
    assert "Ed25519" in checked.stdout
    assert "slower by more than 10 %: 1 rows" in checked.stderr
    slow = checked.stdout.splitlines()[0]
    again = pqdc("bench", "--plan", baseline, "--out", tmp_path)
    assert load(Path(again.stdout.strip()))["plan"] == load(Path(baseline))["plan"]
    assert pqdc("compare", baseline, again.stdout.strip(), "--fail-over", "100%").returncode == 0
    assert pqdc("compare", baseline, slow, "--fail-over", "10%").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plan", "x", "Ed25519"], "--plan says what to run: give it without schemes"),
        (["--check", "x", "--quick"], "--check says what to run: give it without --quick"),
        (["--plan", "x", "--patience", "0"], "--plan says what to run: give it without --patience"),
        (["--quick", "--thorough"], "exclude each other"),
        (["--fail-over", "5%"], "give both"),
        (["--check", "x", "--fail-over", "much"], "a share such as 5% wanted"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments: list[str], said: str):
    answer = pqdc("bench", *arguments)
    assert answer.returncode == 2
    assert said in " ".join(answer.stderr.replace("│", " ").split())


def test_two_runs_at_once_see_each_other(tmp_path: Path):
    with present(tmp_path) as first:
        assert first.alone()
        with present(tmp_path) as second:
            assert (first.alone(), second.alone()) == (False, False)
        assert first.alone()


def test_a_run_beside_another_says_so(tmp_path: Path):
    with present():
        answer = pqdc(*SMALL, "--out", tmp_path)
    assert "another run is measuring on this machine" in answer.stderr
    assert [process["alone"] for process in load(Path(answer.stdout.strip()))["processes"]] == [False] * 3


def test_a_place_for_the_lock_that_cannot_be_had_is_no_error(tmp_path: Path):
    with present(tmp_path / "missing") as presence:
        assert presence.alone() is None


def test_what_others_take_is_counted():
    before = interference.read([])
    until = time.monotonic() + 0.02
    while time.monotonic() < until:
        pass
    took = interference.read([]).since(before)
    assert took["elapsed_ns"] >= 20_000_000
    assert all(value >= 0 for value in took.values())


def test_pinning_leaves_one_cpu_of_each_core():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system pins no process")
    code = (
        "import os; from pqdc.measure.interference import cores, pin; before = os.sched_getaffinity(0); cpus = cores();"
        "assert os.sched_getaffinity(0) == before >= {*cpus}; pin(cpus[0]); print(cpus[0], *os.sched_getaffinity(0))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    cpu, *allowed = answer.stdout.split()
    assert allowed == [cpu]


def test_threads_of_one_core_are_one_choice(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(12)}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    monkeypatch.setattr(interference, "_siblings", lambda cpu: f"{cpu % 6},{cpu % 6 + 6}")
    assert interference.cores() == [11, 10, 9, 8]
    monkeypatch.setattr(interference, "_siblings", lambda cpu: "0-11")
    assert interference.cores() == [11]
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert interference.cores() == []
