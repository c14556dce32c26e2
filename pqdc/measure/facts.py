"""What a table needs to know of a scheme, taken down with the figures: a report is made without catalog or backends."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from pqdc.credential import fit
from pqdc.errors import UnknownScheme
from pqdc.measure.environment import scrub
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme

__all__ = ["scheme_facts", "select"]

COPIED = (
    "name",
    "kind",
    "family",
    "tls_name",
    "standard",
    "nist_level",
    "oid",
    "code_point",
    "code_point_source",
    "code_point_status",
    "public_key_bytes",
    "signature_bytes",
    "signature_length",
    "security_flag",
    "note",
)


def select(catalog: Catalog, patterns: Iterable[str]) -> list[Scheme]:
    """The schemes that are named, by name, alias, family or with * and ?; those of the catalog's tables if none is.

    Raises:
        UnknownScheme: nothing is called so.
    """
    wanted: dict[str, Scheme] = {}
    for pattern in patterns:
        if pattern in catalog:
            found = [catalog[pattern]]
        else:
            folded = pattern.casefold()
            schemes = [scheme for scheme in catalog.values() if scheme.benchmark]
            found = [
                scheme for scheme in schemes if any(fnmatchcase(name.casefold(), folded) for name in _names(scheme))
            ]
        if not found:
            catalog[pattern]  # says what is close
            raise UnknownScheme(f"no scheme is called {pattern!r}")
        wanted |= {scheme.name: scheme for scheme in found}
    return list(wanted.values()) or [scheme for scheme in catalog.values() if scheme.benchmark]


def _names(scheme: Scheme) -> tuple[str, ...]:
    return (scheme.name, scheme.family, *scheme.aliases)


def scheme_facts(scheme: Scheme, leaf_scheme: Scheme) -> dict[str, Any]:
    """For JSON: of the catalog, whether a credential under such a leaf can carry it, and who computes it here.

    `backends` has, for each backend in the catalog's order, why it cannot compute the scheme here; empty if it can.
    """
    facts = {name: getattr(scheme, name) for name in COPIED}
    return facts | {
        "aliases": list(scheme.aliases),
        "reason_against_dc": fit.reason_against(scheme, leaf_scheme.signature_bytes),
        "backends": {name: _why_not(scheme, name) for name in scheme.backends},
    }


def _why_not(scheme: Scheme, backend: str) -> str:
    """One reason for many schemes, so that a table tells it once."""
    reason = scrub(backends.reason_against(scheme, backend)).replace(
        f"compute {scheme.backends[backend]}", "compute it"
    )
    for part in scheme.components:
        for name in {part.name, *part.backends.values()}:
            reason = reason.replace(name, "its component")
    return reason
