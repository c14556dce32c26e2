"""Files: read within bounds, written whole, never over another unasked; secrets are 0600 from their first byte."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pqdc.errors import FileError

__all__ = ["LARGEST_INPUT", "OutputFile", "merge_files", "read_file", "write_files"]

LARGEST_INPUT = 64 * 2**20  # the largest key of the catalog is 5.3 MB, as PEM 7.2 MB
_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OutputFile:
    """A file to be: its name, or path, within the output folder, its bytes, and whether they are secret."""

    name: str
    data: bytes
    secret: bool = False


def read_file(path: Path, *, at_most: int = LARGEST_INPUT) -> bytes:
    """The bytes of a regular file. Devices and pipes are refused unopened: they may have no end, or hold up the reader.

    Raises:
        FileError: it is missing, unreadable, no regular file, empty, or larger than `at_most` (and then not read).
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FileError(f"{path}: a file wanted, this is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{path}: a regular file wanted, this is none")
        data = b""
        if status.st_size <= at_most:
            with path.open("rb") as file:
                data = file.read(at_most + 1)  # files of the system have no size, and others may grow
        if (size := max(status.st_size, len(data))) > at_most:
            raise FileError(f"{path}: a file of at most {at_most:,} bytes wanted, this has {size:,}")
    except OSError as error:
        raise FileError(f"{path}: {_reason(error)}") from None
    except ValueError:  # a NUL in the name
        raise FileError(f"{str(path)!r} is no name of a file") from None
    if not data:
        raise FileError(f"{path}: the file is empty")
    return data


def merge_files(files: Iterable[OutputFile]) -> list[OutputFile]:
    """Each name once, for sets of files that share some.

    Raises:
        FileError: two files of one name differ.
    """
    merged: dict[str, OutputFile] = {}
    for file in files:
        other = merged.get(file.name, file)
        if other.data != file.data:
            raise FileError(f"two files would be called {file.name}, and differ", hint="write them to different --out")
        merged[file.name] = other if other.secret else file
    return list(merged.values())


def write_files(
    folder: Path, files: Iterable[OutputFile], *, force: bool = False, inputs: Iterable[Path] = ()
) -> list[Path]:
    """Write all of `files` into `folder`, which is made if missing; all, or on refusal none.

    A file that stands there already with the very same bytes (and, if secret, for nobody else) is left as it is.

    Args:
        folder: where to.
        files: what.
        force: overwrite what is there.
        inputs: files that were read for this, and are not overwritten even so.

    Raises:
        FileError: one exists and `force` is not set, or is one of `inputs`; or the folder cannot be written.
    """
    wanted = merge_files(files)
    targets = [folder / file.name for file in wanted]
    try:
        missing = [
            (file, target)
            for file, target in zip(wanted, targets, strict=True)
            if not _stands(target, file, force=force, inputs=inputs)
        ]
        _write(folder, missing, force=force)
    except OSError as error:
        raise FileError(f"{error.filename or folder}: {_reason(error)}") from None
    except ValueError:  # a NUL in the name
        raise FileError(f"{str(folder)!r} is no name of a folder") from None
    return targets


def _stands(target: Path, file: OutputFile, *, force: bool, inputs: Iterable[Path]) -> bool:
    """Whether the file is there already and may stay."""
    if not os.path.lexists(target):
        return False
    if _holds(target, file):
        return True
    if target.exists() and any(path.exists() and target.samefile(path) for path in inputs):
        raise FileError(f"{target} was given as input, and is not overwritten", hint="choose another --out")
    if not force:
        raise FileError(f"{target} exists already", hint="choose another --out, or overwrite with --force")
    return False


def _holds(path: Path, file: OutputFile) -> bool:
    with contextlib.suppress(OSError):
        status = path.stat()
        fit = stat.S_ISREG(status.st_mode) and not (file.secret and status.st_mode & 0o077)
        return fit and status.st_size == len(file.data) and path.read_bytes() == file.data
    return False


def _write(folder: Path, files: list[tuple[OutputFile, Path]], *, force: bool) -> None:
    temporary: list[Path] = []
    moved: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, target in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.append(_write_beside(target, file))
        for source, (_, target) in zip(temporary, files, strict=True):
            _move(source, target, force=force)
            moved.append(target)
    except OSError:
        if not force:  # these came into being just now; what was overwritten, nobody can bring back
            _remove(moved)
        raise
    finally:
        _remove(temporary)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


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
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS or os.path.lexists(target):
            raise
        source.rename(target)  # a file system without hard links


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
