"""`pqdc bench` and `pqdc table`, from outside: a small run among hostile settings, and the table on a bare laptop."""

from __future__ import annotations

import getpass
import gzip
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pqdc.measure import interference
from pqdc.resources import resource
from pqdc.scheme import backends
from pqdc.scheme.catalog import load_catalog

pytest.importorskip("pytest_benchmark")
needs_liboqs = pytest.mark.skipif(
    not backends.available(load_catalog()["Falcon-512"]), reason="liboqs is not here, so nothing has a native loop"
)
PQDC = [sys.executable, "-P", "-c", "from pqdc.cli import main; main()"]


def pqdc(*arguments: object, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PQDC, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | environ,
        timeout=100,
    )


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Two schemes in two processes, from a folder that wants to spoil it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "conftest.py").write_text("raise SystemExit('the conftest of where the user stands')")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\npython_files = nothing.py\n")
    (folder / "pytest.py").write_text("raise SystemExit('not pytest')")
    answer = pqdc(
        *("bench", "--quick", "--processes", 2, "--seed", 5, "--patience", "0.5", "Falcon-512", "Ed25519"),
        *("--out", "made"),
        cwd=folder,
        PYTEST_ADDOPTS="--collect-only",
        PYTEST_PLUGINS="no_such_plugin",
    )
    assert answer.returncode == 0, answer.stderr
    return folder / answer.stdout.strip(), answer


@pytest.fixture(scope="module")
def table(small_run) -> dict:
    return json.loads(gzip.decompress(small_run[0].read_bytes()))


def test_it_says_where_it_wrote_and_nothing_else_on_stdout(small_run):
    path, answer = small_run
    assert re.fullmatch(r"made/\d{4}-\d\d-\d\dT\d{4}Z-[0-9a-f]{7}\.json\.gz\n", answer.stdout)
    assert list(path.parent.iterdir()) == [path]
    assert "of" in answer.stderr


def test_every_cell_was_visited_in_an_order_of_its_own(table):
    orders = [process["order"] for process in table["processes"]]
    assert [sorted(order) for order in orders] == [list(range(len(table["tasks"])))] * 2
    assert orders[0] != orders[1]
    assert table["complete"]
    assert table["plan"]["seed"] == 5


def test_a_cell_is_visited_more_than_once_and_its_samples_are_put_together(tmp_path: Path):
    operations = [part for name in ("sign", "pkcs8_encode", "handshake_client") for part in ("--operation", name)]
    answer = pqdc("bench", "Ed25519", "--processes", 2, *operations, "--patience", 0, "--out", tmp_path)
    assert answer.returncode == 0, answer.stderr
    table = json.loads(gzip.decompress(next(tmp_path.iterdir()).read_bytes()))
    visits = table["plan"]["visits"]
    for process in table["processes"]:
        visited = [table["tasks"][task].removesuffix("]").rpartition("-visit")[::2] for task in process["order"]]
        assert len(visited) == len(set(visited)) == 3 * visits
        assert {number for _, number in visited} == {str(number + 1) for number in range(visits)}
    timed = {cell["operation"]: cell for cell in table["cells"] if cell["unit"] == "ns"}
    assert set(timed) == {"sign", "pkcs8_encode", "handshake_client"}
    usual = table["plan"]["budget"]["usual"]
    sign = timed["sign"]
    taken = [*map(len, sign["samples"])]
    if "aside" in sign:
        taken = [count + len(aside) for count, aside in zip(taken, sign["aside"], strict=True)]
    assert min(taken) >= usual
    for cell in timed.values():
        assert all(sum(some) <= elapsed for some, elapsed in zip(cell["samples"], cell["elapsed_ns"], strict=True))


SERVER_PARTS = ("server_hello", "encrypted_extensions", "certificate", "server_finished", "server_records")


@needs_liboqs
def test_the_rows_are_those_of_the_plan(table):
    rows = {(cell["scheme"], cell["level"], cell["operation"]) for cell in table["cells"]}
    timed = {"keygen", "sign", "verify", "mint", "dc_verify", "handshake_client", "handshake_server"}
    sizes = {"spki", "signature", "dc", "certificate_entry_extension", "certificate_verify", "added_to_flight"}
    sizes |= {*SERVER_PARTS, "server_sends", "client_sends"}
    wanted = {(scheme, "python", name) for scheme in ("Falcon-512", "Ed25519") for name in timed}
    wanted |= {(scheme, "bytes", name) for scheme in ("Falcon-512", "Ed25519") for name in sizes}
    wanted |= {("Falcon-512", "native", name) for name in ("keygen", "sign", "verify")}
    assert rows == wanted | {("", "native", "empty"), ("", "python", "empty")}


@needs_liboqs
def test_the_parts_of_what_the_server_sends_add_up(table):
    lengths = {
        (cell["scheme"], cell["operation"]): cell["samples"] for cell in table["cells"] if cell["level"] == "bytes"
    }
    for scheme in ("Falcon-512", "Ed25519"):
        parts = zip(*(lengths[scheme, part][0] for part in (*SERVER_PARTS, "certificate_verify")), strict=True)
        assert [sum(each) for each in parts] == lengths[scheme, "server_sends"][0]


@needs_liboqs
def test_a_whole_run_has_more(tmp_path: Path):
    """Cold keys, keys as bytes, and what operations and keys take besides time, which the first processes alone ask."""
    more = ("sign_cold", "verify_cold", "spki_decode", "pkcs8_encode", "pkcs8_decode", "dc_encode", "dc_decode")
    operations = [part for name in (*more, "account", "key_objects") for part in ("--operation", name)]
    answer = pqdc("bench", "Falcon-512", "--processes", 4, *operations, "--out", tmp_path)
    assert answer.returncode == 0, answer.stderr
    table = json.loads(gzip.decompress(Path(answer.stdout.strip()).read_bytes()))
    cells = {(cell["level"], cell["operation"]): cell for cell in table["cells"]}
    assert {operation for level, operation in cells if level == "python"} == set(more)
    assert {operation for level, operation in cells if level == "bytes"} == {
        *("pkcs8", "public_key_object", "private_key_object"),
        *(f"{name}_{what}" for name in ("keygen", "sign", "verify") for what in ("stack", "heap", "random_bytes")),
    }
    assert [len(process) for process in cells["bytes", "sign_stack"]["samples"]] == [1, 1, 1, 0]
    assert [len(process) for process in cells["bytes", "private_key_object"]["samples"]] == [1, 1, 1, 0]
    assert cells["bytes", "sign_stack"]["method"] == "a painted stack"
    assert all(len(process) > 1 for process in cells["native", "sign_random"]["samples"][:1])
    timed = cells["python", "verify_cold"]
    assert all(0 <= lost <= elapsed for lost, elapsed in zip(timed["lost_ns"], timed["elapsed_ns"], strict=True))


def test_samples_are_raw_integers_of_each_process(table):
    for cell in table["cells"]:
        assert "failed" not in cell
        assert len(cell["samples"]) == 2
        for process in cell["samples"]:
            assert process
            assert all(type(sample) is int and sample >= 0 for sample in process), cell
    signed = [cell for cell in table["cells"] if cell["operation"] in {"sign", "verify"}]
    assert {cell["message_bytes"] for cell in signed} == {130}


def test_a_result_tells_neither_who_nor_where_nor_any_key(small_run, table):
    text = json.dumps(table)
    path, _ = small_run
    for secret in (socket.gethostname(), str(Path.home()), str(path.parent), sys.prefix, str(resource("bench").parent)):
        assert secret not in text
    assert not re.search(r"(?<![\w.])/(\w+/)+\w", text.replace("1/1", "")), "an absolute path"
    assert f'"{getpass.getuser()}"' not in text
    assert not re.search(r"[0-9a-fA-F]{48}|[A-Za-z0-9+/=]{60}", text.replace(table_commit(table), ""))


def table_commit(table: dict) -> str:
    return table["environment"]["pqdc"].get("commit") or "no commit"


def test_the_environment_is_written_down(table):
    environment = table["environment"]
    assert environment["machine"]["cpus"] == os.cpu_count()
    assert environment["backends"]["openssl"]["versions"]["cryptography"]
    assert environment["python"]["version"] == sys.version.split()[0]
    assert table["command"].startswith("pqdc bench --quick --processes 2")
    assert "--patience 0.5 " in table["command"]
    assert table["plan"]["patience"] == 0.5
    assert len(table["processes"][0]["load_before"]) == 3
    assert all(1 <= len(process["cpus"]) <= interference.MOST_CPUS for process in table["processes"])


BLOCKED = """
import sys
for name in ("cryptography", "oqs", "tomli", "pytest", "pqdc.scheme", "pqdc.credential", "pqdc.measure"):
    sys.modules[name] = None
from pqdc.cli import main
main()
"""


@pytest.mark.parametrize("to", ["md", "csv", "rich"])
def test_a_table_is_rebuilt_without_catalog_or_backends(small_run, to):
    arguments = ["table", str(small_run[0]), "--to", to, "--relative-to", "ed25519"]
    script = BLOCKED.replace("main()", f"sys.argv[1:] = {arguments}; main()")
    # The command line imports every command; of those, `table` alone matters here.
    script = script.replace(
        "from pqdc.cli import main", "import pqdc.cli; pqdc.cli.COMMANDS = ('table',)\nmain = pqdc.cli.main"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "Falcon-512" in answer.stdout
    assert "Ed25519" in answer.stdout


def test_nothing_measured_is_a_failure_and_leaves_no_file(tmp_path: Path):
    nobody = next(s for s in load_catalog().values() if s.benchmark and not backends.available(s))
    answer = pqdc("bench", "--quick", nobody.name, "--operation", "sign", "--out", tmp_path / "made")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.splitlines()[-1].startswith(f"pqdc: nothing was measured: {nobody.name}: ")
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["bench", "Falcn-512"], 1, "did you mean Falcon-512"),
        (["bench", "--operation", "fly"], 2, "got 'fly'"),
        (["bench", "--out", "/proc/none", "Ed25519"], 1, "/proc/none"),
        (["table", "/nonexistent"], 1, "/nonexistent"),
        (["table", "--to", "pdf", "x"], 1, "no renderer is called 'pdf' (there are csv,"),
        (["table", "--level", "deep"], 2, "got 'deep'"),
    ],
)
def test_bad_input_is_one_line(arguments, status, said):
    answer = pqdc(*arguments)
    assert answer.returncode == status, answer.stderr
    assert said in " ".join(answer.stderr.replace("│", " ").split())
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


def test_plain_pytest_collects_the_same_benchmarks():
    command = [sys.executable, "-m", "pytest", str(resource("bench")), "-k", "Ed25519 and sign", "-q", "--collect-only"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=resource("bench").parent)
    assert "bench_primitives.py::test_sign[Ed25519-openssl]" in answer.stdout
