"""Results of commands that ask other people's software: kept as JSON in a file, and printed again from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pqdc.errors import ResultError
from pqdc.files import OutputFile, read_file, write_files

__all__ = ["as_json", "read", "write"]

Results = dict[str, Any]


def as_json(results: Results) -> str:
    """As it is printed, and written."""
    return json.dumps(results, indent=1) + "\n"


def read(path: Path, check: Callable[[Any], Results]) -> Results:
    """What a file holds, if `check` takes it.

    Raises:
        FileError, ResultError: it cannot be read, or is not such a result.
    """
    try:
        return check(json.loads(read_file(path)))
    except ValueError as error:
        raise ResultError(f"{path}: no JSON: {error}") from None


def write(path: Path, results: Results, *, force: bool) -> None:
    """Write them whole.

    Raises:
        FileError: the file exists and `force` is not set, or it cannot be written.
    """
    write_files(path.parent, [OutputFile(name=path.name, data=as_json(results).encode())], force=force)
