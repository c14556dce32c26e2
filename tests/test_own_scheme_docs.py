"""docs/own-scheme.md and the example's README do what they say: their blocks are run in a copy of the example."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from tests import console
from tests.own import EXAMPLE, needs_compiler

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "docs" / "own-scheme.md", EXAMPLE / "README.md")
pytestmark = needs_compiler


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_its_commands_print_what_it_shows(page, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.so"))
    environ = {key: value for key, value in os.environ.items() if key != "PQDC_ALGORITHMS"}
    environ |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}", "COLUMNS": "200"}
    (block,) = console.blocks(page)
    console.run(block, folder, environ)


def test_the_readme_shows_the_table_that_is_there():
    (shown,) = re.findall(r"```toml\n(.*?)```", (EXAMPLE / "README.md").read_text("utf-8"), re.DOTALL)
    assert tomllib.loads(shown) == tomllib.loads((EXAMPLE / "toy.toml").read_text("utf-8"))


def test_there_is_no_python_in_the_example():
    assert not list(EXAMPLE.rglob("*.py"))
