"""The README does what it says: its tested blocks are run as they stand, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"<!-- tested -->\n```(\w+)\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


def run(folder: Path, command: list[str]) -> str:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_has_a_console_and_a_python_block():
    assert [kind for kind, _ in BLOCKS] == ["console", "python"]


def test_its_commands_and_then_its_program_run(folder):
    (_, console), (_, program) = BLOCKS
    for step in console.removeprefix("$ ").split("\n$ "):
        command, *printed = step.strip().splitlines()
        output = run(folder, command.split())
        assert all(line in output for line in printed), output
    output = run(folder, [sys.executable, "-c", program])
    assert re.fullmatch(r"1?\d{3} bytes of credential, \d{3} bytes of signature\n", output), output
