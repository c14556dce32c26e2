"""What a linter says: where, what, and against which text."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DER", "Finding"]

DER = "X.690"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be, though it could be read.

    Attributes:
        where: a field, or a byte counted from the start of what is inspected.
        what: is wrong.
        section: of the text that says how it should be.
    """

    where: str
    what: str
    section: str
