"""Where the second implementations in Rust are: pqdc's own build in the user's cache.

Finds and never builds (native/build_rust.py does). The cache keeps one folder of them: the library, and the manifest
with the versions of its crates.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pqdc.cache import cache_folder, cache_key, read_manifest
from pqdc.errors import BackendUnavailable

__all__ = ["LIBRARY_NAME", "RustLibrary", "build_folder", "find_library"]

LIBRARY_NAME: Final = "libpqdc_rust.so"
INTERFACE: Final = 1  # raised when what native/rust/lib.rs exports changes


@dataclass(frozen=True, slots=True, kw_only=True)
class RustLibrary:
    """The library as it was built: where it is, of which crates, and how."""

    path: Path
    versions: Mapping[str, str]
    build: Mapping[str, str]
    origin: str = "cache"

    @property
    def code(self) -> Path:
        """The file whose code runs."""
        return self.path


def build_folder() -> Path:
    """Where it is, or would be."""
    return cache_folder() / f"rust-{cache_key(INTERFACE, platform.machine())}"


def find_library() -> RustLibrary:
    """The library.

    Raises:
        BackendUnavailable: it has not been built.
    """
    folder = build_folder()
    manifest = read_manifest(folder)
    if manifest is None:
        state = "is damaged" if folder.exists() else "has not been made"
        raise BackendUnavailable(f"the build of the Rust crates in {folder} {state}", hint="run `make liboqs`")
    return RustLibrary(path=folder / LIBRARY_NAME, versions=manifest["versions"], build=manifest["build"])
