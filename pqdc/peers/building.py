"""Programs of our own around other people's libraries, which a checkout's scripts (native/) build into the cache."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pqdc.cache import read_manifest
from pqdc.errors import PeerUnavailable
from pqdc.resources import resource

__all__ = ["build", "built"]

LONGEST_REASON = 300  # characters; all of it has been told


def build(script: str, software: str, tell: Callable[[str], None]) -> None:
    """Run a script of native/, which makes what is missing and is quick if nothing is.

    Raises:
        PeerUnavailable: it fails, or this is no checkout.
    """
    path = resource("native") / script
    if not path.exists():
        raise PeerUnavailable(f"what {software} needs is built by a checkout of pqdc; this is an installed one")
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, path], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as child:
        for line in child.stderr or ():
            said.append(line)
            tell(line.rstrip())
    if child.returncode:
        error = "".join(said).partition("error: ")[2].strip() or f"exit {child.returncode}"
        raise PeerUnavailable(f"what {software} needs does not build: {error[:LONGEST_REASON]}")


def built(folder: Path, name: str, software: str) -> Path:
    """A file of a folder in the cache.

    Raises:
        PeerUnavailable: the folder has not been made, or is not whole.
    """
    if read_manifest(folder) is None:
        state = "damaged" if folder.exists() else "missing"
        raise PeerUnavailable(f"what {software} needs has not been built: {folder} is {state}", hint="run `make peers`")
    return folder / name
