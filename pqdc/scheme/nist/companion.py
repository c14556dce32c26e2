"""The companion of a user's library: companion.c, compiled on first use into the user's cache.

It is needed where the library lacks `randombytes`, and to time natively; everything else works without a C compiler.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from pqdc.errors import BackendUnavailable

__all__ = ["companion"]

SOURCE = Path(__file__).with_name("companion.c")
NAME = "libpqdc-companion.so"
FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden")
_SECONDS = 60


def companion(environ: Mapping[str, str]) -> Path:
    """The shared object; compiled if the cache has none of this source.

    Raises:
        BackendUnavailable: there is no C compiler, or it fails.
    """
    source = SOURCE.read_bytes()
    key = hashlib.sha256(b"\0".join([source, platform.machine().encode(), *map(str.encode, FLAGS)])).hexdigest()[:16]
    path = platformdirs.user_cache_path("pqdc") / f"companion-{key}" / NAME
    if not path.exists():
        _compile(path, shlex.split(environ.get("CC", "")) or ["cc"])
    return path


def _compile(path: Path, compiler: list[str]) -> None:
    """Beside its place, and renamed into it once it is whole: others may do the same now."""
    if shutil.which(compiler[0]) is None:
        raise BackendUnavailable(
            f"there is no C compiler ({compiler[0]}) to make pqdc's companion for it with",
            hint="install one, or set CC; a library that has its own randombytes signs and verifies without",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="part-", dir=path.parent) as folder:
            made = Path(folder, NAME)
            command = [*compiler, *FLAGS, str(SOURCE), "-o", str(made)]
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", check=False, timeout=_SECONDS
            )
            if done.returncode:
                last = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
                raise BackendUnavailable(f"{compiler[0]} does not compile {SOURCE.name}: {last[0]}")
            os.replace(made, path)  # noqa: PTH105 - as rename, it is atomic
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendUnavailable(f"{SOURCE.name} cannot be compiled into {path.parent}: {error}") from None
