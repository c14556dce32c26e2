"""What other people's software has said, kept as JSON by the commands that asked it: whose it is, and its format."""

from __future__ import annotations

from typing import Any

from pqdc.errors import ResultError

__all__ = ["check"]


def check(results: Any, *, kind: str, form: int, what: str) -> dict[str, Any]:
    """The data, if it is such.

    Args:
        results: from JSON.
        kind: the command: "pqdc interop".
        form: the number of the format.
        what: what it should be, for messages: "a matrix".

    Raises:
        ResultError: it is not, or of another format.
    """
    if not isinstance(results, dict) or results.get("kind") != kind:
        raise ResultError(f"{what} of `{kind}` wanted, this is something else")
    if results.get("format") != form:
        raise ResultError(f"{what} of format {form} wanted, got {results.get('format')!r}")
    return results
