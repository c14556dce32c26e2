"""Folders in the user's cache, which all clones share: whole, with a manifest that was written last, or not there.

What is built for pqdc (native/) is kept in them. Knows nothing of what is in them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import platformdirs

__all__ = ["MANIFEST_NAME", "cache_folder", "cache_key", "read_manifest", "write_manifest"]

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
