"""Folders in the user's cache, which all clones share: whole, with a manifest that was written last, or not there.

What is built for pqdc (native/) is kept in them. Knows nothing of what is in them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import platformdirs

__all__ = ["MANIFEST_NAME", "cache_folder", "cache_key", "locked", "read_manifest", "staged", "write_manifest"]

MANIFEST_NAME: Final = "complete.json"


def cache_folder() -> Path:
    """The folder in the user's cache that all of pqdc's clones share."""
    return platformdirs.user_cache_path("pqdc")


def cache_key(*parts: object) -> str:
    """Sixteen characters that stand for all of `parts`, for the name of a folder."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder that is whole, with every file as long as it was; None for any other."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST_NAME).read_bytes())
        whole = all((folder / name).stat().st_size == size for name, size in manifest["files"].items())
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return None
    return manifest if whole else None


def write_manifest(folder: Path, **facts: Any) -> None:
    """Declare a folder whole: what is in it now, and the facts about it."""
    files = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    (folder / MANIFEST_NAME).write_text(json.dumps({"files": files, **facts}, indent=1))


@contextmanager
def locked(tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the cache's lock; the kernel takes it back from a process that dies. People are told if there is a wait."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another process is building; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def staged(final: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of `final` if all goes well, and else vanishes. Wants the lock held."""
    for abandoned in final.parent.glob("part-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=final.parent, ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary, final.name)
        folder.mkdir()
        yield folder
        shutil.rmtree(final, ignore_errors=True)
        folder.rename(final)
