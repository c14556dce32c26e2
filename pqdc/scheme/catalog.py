"""algorithms.toml to schemes, found by name, TLS name, alias or code point. Computes nothing.

The catalog is the built-in list, which the wheel carries, under any overlay that the user names. What is declared is
checked here for shape and against itself; `tests/test_contract.py` holds it against the running libraries.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import tomli

from pqdc.errors import CatalogError, FileError, UnknownScheme
from pqdc.files import read_file
from pqdc.resources import resource
from pqdc.scheme.facts import Kind, Library, PrivateKeyEncoding, Scheme, SignatureLength
from pqdc.scheme.nist.declared import with_library

__all__ = ["Catalog", "load_catalog"]

FORMAT = 1
LONGEST_OID = 63  # bytes, in cryptography
LARGEST_ARC = 2**128 - 80  # a UUID under 2.25 (X.667) is the longest that there is; the first two are one number
LARGEST_SIZE = 2**24 - 1  # what an SPKI vector of a Credential can hold: RFC 9345 section 4
Check = tuple[str, Callable[[Any], bool]]


def load_catalog(*overlays: Path | str) -> Catalog:
    """The built-in schemes, then each overlay: it may add schemes and change single facts of known ones.

    Raises:
        CatalogError: a file is missing, is not TOML, or says something impossible; the message begins with the path of
            the entry (``scheme.ML-DSA-44.code_point: expected ...``).
    """
    return _load(*map(Path, overlays)) if overlays else _built_in()


@lru_cache(maxsize=1)
def _built_in() -> Catalog:
    """The built-in schemes, read once: a scheme is itself, and two copies of one would be two."""
    return _load()


def _load(*overlays: Path) -> Catalog:
    tables: dict[str, dict[str, Any]] = {}
    origin: dict[str, str] = {}
    shared: dict[str, str] = {}
    for path in (resource("algorithms.toml"), *map(Path, overlays)):
        document = _read(path)
        shared |= document.get("shared", {})
        for name, facts in document.get("scheme", {}).items():
            given = with_library(name, facts, path) if "library" in facts else facts
            tables[name] = tables.get(name, {}) | given
            origin[name] = path.name
    schemes: list[Scheme] = []
    labels: dict[str, Scheme] = {}
    for name, facts in tables.items():
        scheme = _scheme(name, facts, origin[name], labels)
        schemes.append(scheme)
        for label in (name, *scheme.aliases, scheme.tls_name):
            labels.setdefault(label.casefold(), scheme)
    _check_unique(schemes, shared)
    return Catalog(schemes)


class Catalog(Mapping[str, Scheme]):
    """Schemes by canonical name, in the order of the file; `catalog[...]` takes TLS names and aliases, in any case.

    A catalog equals itself alone, so that what has been found out about one can be remembered.
    """

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, schemes: Iterable[Scheme]) -> None:
        self._by_name = {scheme.name: scheme for scheme in schemes}
        self._by_label: dict[str, Scheme] = {}
        self._by_code_point: dict[int, tuple[Scheme, ...]] = {}
        self._by_oid: dict[str, tuple[Scheme, ...]] = {}
        for scheme in self._by_name.values():
            self._label(scheme, scheme.name)
            if scheme.code_point is not None:
                self._by_code_point[scheme.code_point] = (*self.with_code_point(scheme.code_point), scheme)
            if scheme.oid:
                self._by_oid[scheme.spki_oid] = (*self.with_key_oid(scheme.spki_oid), scheme)
        for scheme in self._by_name.values():
            for alias in scheme.aliases:
                self._label(scheme, alias, ".aliases")
        for scheme in self._by_name.values():
            if scheme.tls_name:
                self._label(scheme, scheme.tls_name, ".tls_name")

    def _label(self, scheme: Scheme, label: str, key: str = "") -> None:
        """Let `label` stand for `scheme`. RSA key sizes share a TLS name and code point: the first listed answers."""
        other = self._by_label.setdefault(label.casefold(), scheme)
        same_point = scheme.code_point is not None and scheme.code_point == other.code_point
        if other is not scheme and not (same_point and label == scheme.tls_name == other.tls_name):
            raise CatalogError(
                f"scheme.{scheme.name}{key}: expected a name of its own, got {label!r}, which is {other.name}'s"
            )

    def __getitem__(self, label: str) -> Scheme:
        """The scheme of that name, TLS name or alias.

        Raises:
            UnknownScheme: there is none; the hint names close ones.
        """
        try:
            return self._by_label[label.casefold()]
        except KeyError:
            close = difflib.get_close_matches(label.casefold(), self._by_label, n=3)
            names = dict.fromkeys(self._by_label[match].name for match in close)
            hint = f"did you mean {' or '.join(names)}?" if names else "`pqdc schemes` lists them all"
            raise UnknownScheme(f"no scheme is called {label!r}", hint=hint) from None

    def __contains__(self, label: object) -> bool:
        """Whether a scheme answers to `label`."""
        return isinstance(label, str) and label.casefold() in self._by_label

    def __iter__(self) -> Iterator[str]:
        """Canonical names, in the order of the file."""
        return iter(self._by_name)

    def __len__(self) -> int:
        """How many schemes there are."""
        return len(self._by_name)

    def with_code_point(self, code_point: int) -> tuple[Scheme, ...]:
        """The schemes of a TLS SignatureScheme: none if unknown, several where key sizes share it."""
        return self._by_code_point.get(code_point, ())

    def with_key_oid(self, oid: str) -> tuple[Scheme, ...]:
        """The schemes whose keys carry `oid`."""
        return self._by_oid.get(oid, ())


def _integer(low: int, high: int) -> Check:
    return f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high


def _one_of(kind: Any) -> Check:
    return " or ".join(map(repr, get_args(kind))), lambda value: value in get_args(kind)


def _is_oid(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"[0-2](\.(0|[1-9][0-9]{0,38})){1,20}", value):
        return False
    first, second, *rest = map(int, value.split("."))
    if max(second, *rest, 0) >= LARGEST_ARC:
        return False
    octets = sum((max(arc.bit_length(), 1) + 6) // 7 for arc in (40 * first + second, *rest))
    return (first == 2 or second < 40) and octets <= LONGEST_OID


def _is_hex(value: Any) -> bool:
    try:
        return bool(bytes.fromhex(value))
    except (TypeError, ValueError):
        return False


TEXT: Check = "text", lambda value: isinstance(value, str)
NAME: Check = "text that is not empty", lambda value: isinstance(value, str) and bool(value)
OID: Check = "a dotted OID", _is_oid
SIZE = _integer(1, LARGEST_SIZE)
TEXTS: Check = (
    "a list of texts",
    lambda value: isinstance(value, list) and all(isinstance(item, str) and item for item in value),
)
REQUIRED = ("kind", "family", "public_key_bytes", "signature_bytes", "signature_length")
FIELDS: Mapping[str, Check] = {
    "kind": _one_of(Kind),
    "family": NAME,
    "aliases": TEXTS,
    "nist_level": _integer(1, 5),
    "standard": TEXT,
    "public_key_bytes": SIZE,
    "signature_bytes": SIZE,
    "signature_length": _one_of(SignatureLength),
    "private_key_bytes": SIZE,
    "private_key": _one_of(PrivateKeyEncoding),
    "oid": OID,
    "key_oid": OID,
    "key_parameters": ("an OID or 'NULL'", lambda value: value == "NULL" or _is_oid(value)),
    "key_parameters_too": ("DER in hex", _is_hex),
    "tls_name": NAME,
    "code_point": _integer(0, 0xFFFF),
    "code_point_source": TEXT,
    "code_point_status": TEXT,
    "code_point_conflict": TEXT,
    "security_flag": ("'warning', 'broken' or ''", lambda value: value in ("", "warning", "broken")),
    "backends": (
        "a table of backend to its name for the scheme",
        lambda value: isinstance(value, dict) and all(isinstance(item, str) and item for item in value.values()),
    ),
    "benchmark": ("true or false", lambda value: isinstance(value, bool)),
    "components": TEXTS,
    "combiner": NAME,
    "library": ("a table", lambda value: isinstance(value, Library)),
    "note": TEXT,
}


def _read(path: Path) -> dict[str, Any]:
    try:
        document = tomli.loads(read_file(path).decode())
    except FileError as error:
        raise CatalogError(str(error)) from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path}: not TOML: {error}") from None
    if unknown := sorted(set(document) - {"format", "shared", "scheme"}):
        raise CatalogError(f"{unknown[0]}: unknown key (in {path.name})", hint="known are format, shared and scheme")
    version = document.get("format", FORMAT)
    if type(version) is not int or version != FORMAT:
        raise CatalogError(f"format: expected {FORMAT}, got {version!r} (in {path.name})")
    for name in ("shared", "scheme"):
        if not isinstance(document.get(name, {}), dict):
            raise CatalogError(f"{name}: expected a table, got {document[name]!r} (in {path.name})")
    for name, facts in document.get("scheme", {}).items():
        if not isinstance(facts, dict):
            raise CatalogError(f"scheme.{name}: expected a table, got {facts!r} (in {path.name})")
    return document


def _scheme(name: str, facts: dict[str, Any], file: str, before: Mapping[str, Scheme]) -> Scheme:
    """The scheme of one table; its components are among those `before` it, so nothing is made of itself."""
    if not name.isprintable() or name.strip() != name or not name:
        raise CatalogError(f"scheme.{name}: expected a name of printable characters, got {name!r} (in {file})")
    for key, value in facts.items():
        where = f"scheme.{name}.{key}"
        if key not in FIELDS:
            close = difflib.get_close_matches(key, FIELDS, n=1)
            raise CatalogError(f"{where}: unknown key (in {file})", hint=f"did you mean {close[0]}?" if close else "")
        wanted, fits = FIELDS[key]
        if not fits(value):
            raise CatalogError(f"{where}: expected {wanted}, got {value!r} (in {file})")
    for key in REQUIRED:
        if key not in facts:
            raise CatalogError(f"scheme.{name}.{key}: expected {FIELDS[key][0]}, got nothing (in {file})")
    for component in facts.get("components", ()):
        if component.casefold() not in before:
            raise CatalogError(
                f"scheme.{name}.components: expected schemes that are listed before it, got {component!r} (in {file})"
            )
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    values["components"] = tuple(before[component.casefold()] for component in facts.get("components", ()))
    values["backends"] = MappingProxyType(dict(facts.get("backends", {})))
    return Scheme(name=name, **values)


def _check_unique(schemes: Iterable[Scheme], shared: Mapping[str, str]) -> None:
    """No two schemes share a code point, OID or key type, but for what the table `shared` allows."""
    seen: dict[tuple[str, str], Scheme] = {}
    for scheme in schemes:
        point = "" if scheme.code_point is None else f"0x{scheme.code_point:04x}"
        owned = scheme.oid and point not in shared
        key_type = f"{scheme.spki_oid} {scheme.key_parameters}".strip() if owned else ""
        claims = (
            ("oid", "oid", scheme.oid),
            ("code point", "code_point", point),
            ("key type", "key_oid" if scheme.key_oid else "oid", key_type),
        )
        for kind, key, value in claims:
            if not value or value in shared:
                continue
            other = seen.setdefault((kind, value), scheme)
            if other is not scheme:
                raise CatalogError(
                    f"scheme.{scheme.name}.{key}: expected one of its own, got {value}, which is {other.name}'s"
                )
