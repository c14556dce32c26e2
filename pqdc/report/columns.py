"""The columns that a table may have: what each is called, which cells it shows, and whether it is there unasked.

An operation that is not listed here is a column too, by its own name, when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from pqdc.errors import ResultError
from pqdc.report.figures import BYTES, ONE, Unit

__all__ = ["COLUMNS", "RATIO", "Column", "chosen", "ratio_of"]

Kind = Literal["text", "fact", "time", "size", "count", "ratio"]
RATIO: Final = "_ratio"
TIMES_AS_MUCH: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        key: its name on the command line; of times and sizes that are measured, the operation's.
        title: for people, without the unit.
        short: the title where room is scarce.
        kind: a text, a number among the scheme's facts, a time, bytes, something else
            that was counted, or a ratio.
        unit: of all its figures; times get theirs when the table is made.
        primitive: whether a native loop may have timed it.
        asked: whether it is there only when it is named.
        weight: columns of little weight go first where there is no room.
        tells: what it shows, in a sentence.
        of: of a ratio: the column that is divided.
    """

    key: str
    title: str
    short: str = ""
    kind: Kind = "text"
    unit: Unit = ONE
    primitive: bool = False
    asked: bool = False
    weight: int = 1
    tells: str = ""
    of: Column | None = None

    @property
    def numeric(self) -> bool:
        """Whether it is set flush right."""
        return self.kind != "text"

    @property
    def heading(self) -> str:
        """The title with the unit."""
        return f"{self.title} ({self.unit.name})" if self.unit.name else self.title

    @property
    def brief(self) -> str:
        """The heading where room is scarce."""
        title = self.short or self.title
        return f"{title} ({self.unit.name})" if self.unit.name else title

    @property
    def measured(self) -> bool:
        """Whether samples are behind it."""
        return self.kind in {"time", "size", "count"}


def _time(key: str, title: str, tells: str, *, short: str = "", primitive: bool = False, weight: int = 0) -> Column:
    asked = not weight
    return Column(
        key=key, title=title, short=short, kind="time", primitive=primitive, asked=asked, weight=weight, tells=tells
    )


def _size(key: str, title: str, tells: str, *, short: str = "", weight: int = 0) -> Column:
    asked = not weight
    return Column(key=key, title=title, short=short, kind="size", unit=BYTES, asked=asked, weight=weight, tells=tells)


COLUMNS: Final = (
    Column(key="scheme", title="scheme", weight=99, tells="its name in the catalog"),
    Column(key="run", title="run", short="", weight=98, tells="a letter for each run, where there are several"),
    Column(key="backend", title="backend", weight=3, tells="the library that computed it"),
    Column(key="nist_level", title="level", short="L", kind="fact", weight=6, tells="NIST's security level"),
    Column(key="public_key_bytes", title="public key", kind="fact", unit=BYTES, weight=2, tells="the raw key"),
    Column(key="signature_bytes", title="signature", kind="fact", unit=BYTES, weight=2, tells="≤: at most"),
    _time("keygen", "keygen", "a new key pair", primitive=True, weight=7),
    _time("sign", "sign", "a signature of a CertificateVerify input", primitive=True, weight=7),
    _time("verify", "verify", "verifying it", primitive=True, weight=7),
    _time("mint", "mint", "a new key, its SPKI, and the leaf's signature", weight=8),
    _time("dc_verify", "DC verify", "every rule that needs no handshake, with the leaf's signature", weight=4),
    _time("dc_encode", "DC encode", "the credential to bytes"),
    _time("dc_decode", "DC decode", "bytes to the credential"),
    _time("handshake_client", "handshake, client", "CPU time of its side", short="client", weight=5),
    _time("handshake_server", "handshake, server", "CPU time of its side", short="server", weight=5),
    _size("spki", "SPKI", "of the credential's key"),
    _size("dc", "DC", "the DelegatedCredential structure", weight=5),
    _size("certificate_entry_extension", "DC extension", "type, length and DC"),
    _size("certificate_verify", "CertVerify", "the CertificateVerify message", weight=2),
    _size("added_to_flight", "added to flight", "against the same leaf without one", short="added", weight=8),
    _size("server_sends", "server sends", "all on the wire, record headers included", weight=4),
    _size("client_sends", "client sends", "all on the wire, record headers included"),
    Column(key="fits", title="fits", weight=8, tells="whether a credential can carry the key"),
    Column(key="verdict", title="verdict", weight=9, tells="the worst of the row's times"),
)


def ratio_of(column: Column) -> Column:
    """The column beside it that divides by a base."""
    return Column(
        key=f"{column.key}{RATIO}",
        title=f"{column.title} {TIMES_AS_MUCH}",
        short=f"{column.short} {TIMES_AS_MUCH}" if column.short else "",
        kind="ratio",
        weight=9,
        tells=f"{column.title}, divided by that of the base",
        of=column,
    )


def chosen(names: Iterable[str], operations: Mapping[str, str]) -> list[Column]:
    """The columns of these names, in that order; `sign_ratio` is the column `sign` divided by the base's.

    Args:
        names: keys of columns.
        operations: that were measured, with their units: each is a column, listed above or not.

    Raises:
        ResultError: there is no such column; the hint names close ones, or all.
    """
    known = {column.key: column for column in COLUMNS}
    for operation, unit in operations.items():
        known.setdefault(operation, _unlisted(operation, unit))
    columns = []
    for name in names:
        base = known.get(name.removesuffix(RATIO))
        if base is None or (name.endswith(RATIO) and not base.measured):
            close = get_close_matches(name, known) or list(known)
            raise ResultError(f"no column is called {name!r}", hint=f"there is {', '.join(close)}")
        columns.append(ratio_of(base) if name.endswith(RATIO) else base)
    return columns


def _unlisted(operation: str, unit: str) -> Column:
    title = operation.replace("_", " ")
    if unit in {"bytes", "ns"}:
        return (_size if unit == "bytes" else _time)(operation, title, "")
    return Column(key=operation, title=title, kind="count", unit=Unit(name=unit), asked=True)
