"""docs/extending.md does what it says: its commands are run in a copy of examples/, where the packages are installed.

They are installed by pip, without a network and into a folder of their own: the environment stays as it is.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pqdc.errors import BackendUnavailable
from pqdc.scheme import backends
from tests import console

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "extending.md"
TITLES = ("Add your scheme", "Add a backend", "Add a format", "Add a peer", "Add a renderer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    copy = tmp_path_factory.mktemp("extending") / "examples"
    shutil.copytree(ROOT / "examples", copy, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return copy


@pytest.fixture(scope="module")
def environ(folder) -> dict[str, str]:
    for module in ("pip", "hatchling"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"no {module} in this environment, to install the examples with")
    target = str(folder / "installed")
    own = {key: value for key, value in os.environ.items() if key != "PQDC_ALGORITHMS"}
    pip = {
        "TARGET": target,
        "NO_DEPS": "1",
        "NO_INDEX": "1",
        "NO_BUILD_ISOLATION": "0",
        "DISABLE_PIP_VERSION_CHECK": "1",
    }
    return (
        own
        | {f"PIP_{key}": value for key, value in pip.items()}
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [own.get("PYTHONPATH")]), target]),
            "COLUMNS": "200",
        }
    )


def test_the_page_has_a_block_for_each_thing_to_add():
    assert len(console.blocks(PAGE)) == len(TITLES)
    assert re.findall(r"^## (.*)$", PAGE.read_text("utf-8"), re.MULTILINE) == list(TITLES)


def test_its_commands_print_what_it_shows(folder, environ):
    """In the order of the page: each block needs the files of those before it."""
    try:
        backends.load_backend("liboqs")
    except BackendUnavailable as error:
        pytest.skip(f"the page's hybrid has a part of liboqs: {error}")
    for block in console.blocks(PAGE):
        console.run(block, folder, environ)
    assert (folder / "lab" / "json" / "dc.json").stat().st_mode & 0o777 == 0o600


CONTRACT = r"""
from pqdc.credential import formats
from pqdc.peers import peer_names
from pqdc.report import renderer_names
from pqdc.scheme import backends
assert "example" in backends.backend_names(), backends.backend_names()
assert "json" in formats.format_names()
assert "another-pqdc" in peer_names()
assert "rst" in renderer_names()
json = formats.load_format("json")
bundle = formats.Bundle(dc=b"credential", private_key=b"key", certificates=(b"leaf",))
(file,) = json.write(bundle)
(again,) = json.read(file.data)
assert (again.dc, again.private_key, again.certificates) == (bundle.dc, bundle.private_key, bundle.certificates)
assert file.secret
for other in (b"", b"{", b"[1]", b"7", b"null", b'{"kind": 1}', b"[" * 100_000, b"\xff\xfe"):
    assert json.read(other) == (), other
"""


def test_the_packages_are_found_and_keep_their_contracts(folder, environ):
    for name in ("backend", "format", "peer", "renderer"):
        command = [sys.executable, "-m", "pip", "install", "-q", "--upgrade", f"./{name}"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, env=environ, timeout=120
        )
        assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [sys.executable, "-c", CONTRACT], capture_output=True, text=True, check=False, env=environ, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
