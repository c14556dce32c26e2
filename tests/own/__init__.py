"""Libraries of users: the toy of examples/own-scheme, compiled with one thing wrong or with another call interface."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.facts import Scheme

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own-scheme"
SOURCE = Path(__file__).with_name("faulty.c")
DECLARED = {"public_key_bytes": 32, "private_key_bytes": 64, "signature_bytes": 48}
COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler, so no library can be made")


def compile_library(folder: Path, *defines: str, name: str = "") -> Path:
    """A shared object with these macros."""
    path = folder / f"lib{name or '-'.join(defines).replace('=', '-').lower() or 'toy'}.so"
    if not path.exists():
        flags = ["-O1", "-w", "-shared", "-fPIC", f'-DTOY="{EXAMPLE / "toy.c"}"', f"-I{EXAMPLE}"]
        command = [str(COMPILER), *flags, *(f"-D{define}" for define in defines), str(SOURCE), "-o", str(path)]
        subprocess.run(command, check=True)
    return path


def declare(library: Path, *, prefix: str = "", seconds: float = 5, name: str = "Mine", **facts: object) -> str:
    """The table of a scheme that this library computes; `facts` are TOML values."""
    values = {**DECLARED, "signature_length": '"fixed"', **facts}
    lines = [f"{key} = {value}" for key, value in values.items()]
    table = f'library = {{ path = "{library}", prefix = "{prefix}", seconds = {seconds} }}'
    return "\n".join([f'[scheme."{name}"]', 'kind = "pq"', 'family = "Mine"', table, *lines, ""])


def scheme_of(library: Path, **declared: object) -> Scheme:
    """The scheme that this library computes, from an overlay beside it."""
    overlay = library.with_suffix(".toml")
    overlay.write_text(declare(library, **declared), encoding="utf-8")
    return load_catalog(overlay)[str(declared.get("name", "Mine"))]
