"""Child processes of peers: read within bounds, limited in time, always ended; and packages of the distribution."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from pqdc.errors import PeerUnavailable
from pqdc.peers import distribution, process
from pqdc.peers.process import Child, run


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_command_is_run_to_its_end():
    status, output = run(python("import sys; print(sys.stdin.read() * 2); sys.exit(3)"), stdin=b"ab")
    assert (status, output) == (3, "abab\n")


def test_both_outputs_are_one_text():
    _, output = run(python("import sys; print('out'); print('err', file=sys.stderr)"))
    assert sorted(output.split()) == ["err", "out"]


def test_whoever_takes_too_long_is_ended():
    started = time.monotonic()
    status, output = run(python("print('here'); import time; time.sleep(60)"), seconds=0.5)
    assert (status, output) == (None, "here\n")
    assert time.monotonic() - started < 30


def test_what_a_child_has_started_ends_with_it():
    code = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid); sys.stdin.read()"
    with Child(python(code)) as child:
        grandchild = int(child.find(r"^(\d+)$")[1])
        assert is_running(grandchild)
    for _ in range(100):
        if not is_running(grandchild):
            break
        time.sleep(0.05)
    assert not is_running(grandchild)


def test_who_has_left_the_group_does_not_hold_us_up(monkeypatch):
    monkeypatch.setattr(process, "_LINGER", 0.2)
    code = "import subprocess; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
    with Child(python(code)) as child:
        escaped = int(child.find(r"^(\d+)$")[1])
    assert is_running(escaped)  # and still holds the pipe
    os.kill(escaped, signal.SIGKILL)


def test_a_child_is_ended_when_we_fail():
    pids = []

    def fail():
        with Child(python("import os, time; print(os.getpid()); time.sleep(60)")) as child:
            pids.append(int(child.find(r"^(\d+)$")[1]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not is_running(*pids)


def test_output_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(process, "LONGEST_OUTPUT", 1000)
    status, output = run(python("print('x' * 100_000)"))
    assert (status, output) == (0, "x" * 1000)


def test_output_is_found_as_it_comes():
    with Child(python("import time; print('one'); time.sleep(0.2); print('two'); input()")) as child:
        first = child.find(r"^\w+$")
        assert (first[0], child.find(r"^\w+$", start=first.end())[0]) == ("one", "two")


@pytest.mark.parametrize(
    ("code", "told"),
    [("print('so it is')", "has ended: so it is"), ("import time; time.sleep(60)", "says nothing of 'never' within")],
)
def test_what_is_not_found_is_a_reason(code, told):
    with Child(python(code)) as child, pytest.raises(PeerUnavailable, match=told):
        child.find("never", seconds=5 if "print" in code else 0.2)


def test_what_does_not_start_is_a_reason():
    with pytest.raises(PeerUnavailable, match="no-such-program does not start: No such file"):
        run(["no-such-program"])


# --- The distribution ---------------------------------------------------------------------------------------------


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """An apt-get that does as told, by a shell script, and writes down its arguments."""

    def make(script: str) -> Path:
        log = tmp_path / "log"
        program = tmp_path / "apt-get"
        program.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        return log

    return make


def test_packages_are_installed_after_an_update_if_need_be(apt, tmp_path):
    log = apt(f'case "$1" in update) touch {tmp_path}/updated;; install) test -e {tmp_path}/updated;; esac')
    told = []
    distribution.install(["one", "two"], told.append)
    assert told == ["installing one two with apt-get"]
    first, update, second = log.read_text().splitlines()
    assert first == second
    assert re.fullmatch(r"install -y .*one two", first)
    assert update.startswith("update")


def test_a_failure_of_apt_get_is_a_reason(apt):
    apt("echo 'E: Unable to locate package one'; exit 100")
    with pytest.raises(PeerUnavailable, match=r"apt-get install one fails: .*E: Unable to locate package one"):
        distribution.install(["one"], lambda _: None)


def test_who_is_not_root_is_told_what_to_do(apt, monkeypatch):
    apt("exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PeerUnavailable, match="only root") as caught:
        distribution.install(["one"], lambda _: None)
    assert caught.value.hint == "sudo apt-get install one"


def test_without_apt_get_the_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerUnavailable, match="no apt-get") as caught:
        distribution.provide("no-such-program", ["one"], lambda _: None)
    assert "one" in caught.value.hint


def test_what_is_there_is_not_installed(apt):
    log = apt("exit 1")
    distribution.provide("sh", ["one"], lambda _: None)
    assert not log.exists()
