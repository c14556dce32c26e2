"""Names for what stands in a certificate: OIDs and names of people and hosts, as text that a terminal may show."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import cache

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, SignatureAlgorithmOID

from pqdc.credential.certificate import DELEGATION_USAGE
from pqdc.credential.inspect import der
from pqdc.scheme.catalog import Catalog

__all__ = ["printable", "say_extension", "say_general_name", "say_name", "say_purpose", "say_signature"]

_ENCODINGS = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x14: "latin-1"}  # BMPString, UniversalString, TeletexString
_TEXTS = (0x0C, 0x13, 0x16, 0x12, 0x1A, *_ENCODINGS)


def printable(text: str) -> str:
    """`text` without what could move a terminal's cursor, or reorder its letters."""
    return re.sub(r"[^\x20-\x7e\u00a0-\u2000\u2010-\u2027\u2030-\u205f\u2070-\ufdff\ufe10-\uffef]", _escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def say_name(name: der.Element) -> str:
    """A distinguished name in its own order: `C=SE, O=Example, CN=www`."""
    return ", ".join("+".join(_attributes(relative)) for relative in name.children) or "(empty)"


def say_general_name(name: der.Element) -> str:
    """An alternative name: `DNS:www.example.org`, `IP:192.0.2.1`."""
    match name.tag:
        case 0x81 | 0x82 | 0x86:
            kind = {0x81: "email", 0x82: "DNS", 0x86: "URI"}[name.tag]
            return f"{kind}:{printable(name.content.decode('ascii', 'backslashreplace'))}"
        case 0x87 if len(name.content) in {4, 16}:
            return f"IP:{ipaddress.ip_address(name.content)}"
        case 0xA4 if name.children:
            return f"name:{say_name(name.children[0])}"
        case _:
            return f"tag {name.tag:#04x}:{name.content[:32].hex()}"


def say_extension(oid: str) -> str:
    """The name of an extension, or its OID."""
    return _extensions().get(oid, oid)


def say_purpose(oid: str) -> str:
    """The name of an extended key usage, or its OID."""
    return _purposes().get(oid, oid)


def say_signature(oid: str, catalog: Catalog) -> str:
    """The name of a signature algorithm's OID, and the OID."""
    known = _signatures().get(oid) or next((scheme.name for scheme in catalog.values() if scheme.oid == oid), "")
    return f"{known} ({oid})" if known else oid


@cache
def _extensions() -> dict[str, str]:
    return {oid: _camel(name) for oid, name in _constants(ExtensionOID)} | {DELEGATION_USAGE: "delegationUsage"}


@cache
def _purposes() -> dict[str, str]:
    return {oid: _camel(name) for oid, name in _constants(ExtendedKeyUsageOID)}


@cache
def _signatures() -> dict[str, str]:
    return {oid: name.lower().replace("_", "-") for oid, name in _constants(SignatureAlgorithmOID)}


def _constants(source: type) -> Iterator[tuple[str, str]]:
    for name, value in vars(source).items():
        if isinstance(value, x509.ObjectIdentifier):
            yield value.dotted_string, name


def _camel(name: str) -> str:
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def _attributes(relative: der.Element) -> Iterator[str]:
    for attribute in relative.children:
        kind, value = attribute.child(0, der.OID), attribute.child(1)
        yield f"{_short(kind.oid()) if kind else '?'}={_text(value) if value else '?'}"


def _short(oid: str) -> str:
    try:
        return x509.NameAttribute(x509.ObjectIdentifier(oid), "XX").rfc4514_attribute_name
    except ValueError:
        return oid


def _text(value: der.Element) -> str:
    if value.tag not in _TEXTS:
        return value.content[:32].hex()
    return printable(value.content.decode(_ENCODINGS.get(value.tag, "utf-8"), "backslashreplace"))
