"""Files: read within bounds, written whole, never over another unasked; secrets are 0600 from their first byte."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pqdc.errors import FileError

__all__ = ["LARGEST_INPUT", "OutputFile", "read_file", "write_files"]

LARGEST_INPUT = 64 * 2**20  # the largest key of the catalog is 5.3 MB, as PEM 7.2 MB


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OutputFile:
    """A file to be: its name within the output folder, its bytes, and whether they are secret."""

    name: str
    data: bytes
    secret: bool = False


def read_file(path: Path, *, at_most: int = LARGEST_INPUT) -> bytes:
    """The bytes of a regular file.

    Raises:
        FileError: it is missing, unreadable, no regular file, empty, or larger than `at_most` (and then not read).
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FileError(f"{path}: a file wanted, this is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{path}: a regular file wanted")
        if status.st_size > at_most:
            raise FileError(f"{path}: at most {at_most:,} bytes wanted, this has {status.st_size:,}")
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as error:
        raise FileError(f"{path}: {_reason(error)}") from None
    except ValueError:  # a NUL in the name
        raise FileError("the file name cannot be one") from None
    if not data:
        raise FileError(f"{path}: the file is empty")
    return data


def write_files(folder: Path, files: Iterable[OutputFile], *, force: bool = False) -> list[Path]:
    """Write all of `files` into `folder`, which is made if missing; all, or on refusal none.

    Raises:
        FileError: one exists and `force` is not set, or the folder cannot be written.
    """
    wanted = list(files)
    targets = [folder / file.name for file in wanted]
    for target in targets:
        if not force and os.path.lexists(target):
            raise FileError(f"{target} exists already", hint="choose another --out, or overwrite with --force")
    temporary: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, target in zip(wanted, targets, strict=True):
            temporary.append(_write_beside(target, file))
        for source, target in zip(temporary, targets, strict=True):
            _move(source, target, force=force)
    except OSError as error:
        raise FileError(f"{error.filename or folder}: {_reason(error)}") from None
    finally:
        for leftover in temporary:
            with contextlib.suppress(OSError):
                leftover.unlink()
    return targets


def _write_beside(target: Path, file: OutputFile) -> Path:
    path = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if file.secret else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(file.data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        path.unlink()
        raise
    return path


def _move(source: Path, target: Path, *, force: bool) -> None:
    if force:
        source.replace(target)
        return
    try:
        os.link(source, target)  # unlike a rename, this refuses a file that has come in the meantime
    except PermissionError:  # a file system without hard links
        source.rename(target)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
