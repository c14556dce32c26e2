"""Whether another run measures on this machine: two at once disturb each other, and both should say so.

Each run holds a shared lock on one file; the one that can have it for itself alone is alone. The kernel takes locks
back from a process that dies, however it does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Presence", "present"]

NAME = "pqdc-bench.lock"


class Presence:
    """This run's."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def alone(self) -> bool | None:
        """Whether no other run is there now; None if that cannot be known."""
        if self._descriptor is None:
            return None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        return True


@contextlib.contextmanager
def present(folder: Path | None = None) -> Iterator[Presence]:
    """Be seen by other runs, of any user, for as long as this lasts."""
    path = (folder or Path(tempfile.gettempdir())) / NAME
    try:
        descriptor = _open(path)
    except OSError:
        yield Presence(None)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield Presence(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """Of whoever made it; in a folder that all may write to, systems forbid to open another's file with O_CREAT."""
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
