"""docs/own-scheme.md and the example's README do what they say: their blocks are run in a copy of the example."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.own import EXAMPLE, needs_compiler

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "docs" / "own-scheme.md", EXAMPLE / "README.md")
pytestmark = needs_compiler


def blocks(page: Path) -> list[str]:
    return re.findall(r"<!-- tested -->\n```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_its_commands_print_what_it_shows(page, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.so"))
    environ = {key: value for key, value in os.environ.items() if key != "PQDC_ALGORITHMS"}
    environ |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}", "COLUMNS": "200"}
    (block,) = blocks(page)
    for step in block.removeprefix("$ ").split("\n$ "):
        command, *shown = step.strip().splitlines()
        if match := re.fullmatch(r"export (\w+)=(\S+)", command):
            environ[match[1]] = match[2]
            continue
        done = subprocess.run(
            command.split(), cwd=folder, capture_output=True, text=True, check=False, env=environ, timeout=300
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
        for line in shown:
            assert any(" ".join(line.split()) in other for other in printed), f"{command}: no {line!r} in {done.stdout}"


def test_the_readme_shows_the_table_that_is_there():
    (shown,) = re.findall(r"```toml\n(.*?)```", (EXAMPLE / "README.md").read_text("utf-8"), re.DOTALL)
    assert tomllib.loads(shown) == tomllib.loads((EXAMPLE / "toy.toml").read_text("utf-8"))


def test_there_is_no_python_in_the_example():
    assert not list(EXAMPLE.rglob("*.py"))
