"""TLS SignatureSchemes by number: named by the catalog where it knows them, else by the range they are in.

Ranges: RFC 8446 sections 4.2.3 and 11, GREASE RFC 8701.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pqdc.credential.fit import forbidden
from pqdc.scheme.catalog import Catalog

__all__ = ["CodePoint", "code_point"]

Kind = Literal["known", "forbidden", "GREASE", "private use", "reserved", "unknown"]
_RESERVED = (
    *((0x0000, 0x0200), (0x0202, 0x0202), (0x0204, 0x0400), (0x0402, 0x0402), (0x0404, 0x0500)),
    *((0x0502, 0x0502), (0x0504, 0x0600), (0x0602, 0x0602), (0x0604, 0x06FF)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePoint:
    """A SignatureScheme as it came.

    Attributes:
        kind: "known" to the catalog, "forbidden" in credentials (rule M3), or the range it is in.
        name: the TLS name, where there is one.
        schemes: the catalog's names for it, several where key sizes share it.
    """

    value: int
    kind: Kind
    name: str = ""
    schemes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As people read it: number, name, and what is known of it."""
        names = ", ".join(name for name in self.schemes if name.casefold() != self.name.casefold())
        parts = [f"0x{self.value:04x}", self.name, f"({names})" if names else ""]
        if self.kind == "forbidden":
            parts.append("- not allowed in a credential")
        elif self.kind != "known":
            parts.append(
                "unknown, no scheme of the catalog" if self.kind == "unknown" else f"unknown, {self.kind} range"
            )
        return " ".join(filter(None, parts))


def code_point(value: int, catalog: Catalog, *, of_credential: bool) -> CodePoint:
    """What is known of a SignatureScheme; `of_credential` if it is the scheme of a credential's own key."""
    schemes = catalog.with_code_point(value)
    names = tuple(scheme.name for scheme in schemes)
    against = forbidden(value)
    if not schemes and not against:
        return CodePoint(value=value, kind=_range(value))
    name = schemes[0].tls_name if schemes else against.split(":")[0]
    return CodePoint(value=value, kind="forbidden" if against and of_credential else "known", name=name, schemes=names)


def _range(value: int) -> Kind:
    if value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF:
        return "GREASE"
    if value >= 0xFE00:
        return "private use"
    if any(low <= value <= high for low, high in _RESERVED):
        return "reserved"
    return "unknown"
