"""A credential, decoded field by field, so that of a broken one what stands before the break is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pqdc.credential import refusals
from pqdc.credential.inspect.code_points import CodePoint, code_point
from pqdc.credential.inspect.public_key import PublicKeyReport, report_public_key
from pqdc.credential.structures import DelegatedCredential
from pqdc.errors import DecodeError
from pqdc.scheme.catalog import Catalog
from pqdc.wire import Reader

__all__ = ["Break", "CredentialReport", "Part", "report_credential"]

SPKI_START = 9  # after valid_time, dc_cert_verify_algorithm and the length

Value = int | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A field on the wire: its name, its first byte, and its size with the length before it."""

    name: str
    start: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where decoding failed."""

    field: str
    byte: int
    refusal: refusals.Malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialReport:
    """What a credential says; fields behind a break are None.

    Attributes:
        dc: decoded; None if it is broken.
    """

    size: int
    parts: tuple[Part, ...]
    valid_time: int | None = None
    dc_cert_verify_algorithm: CodePoint | None = None
    public_key: PublicKeyReport | None = None
    algorithm: CodePoint | None = None
    signature: bytes | None = None
    dc: DelegatedCredential | None = None
    broken: Break | None = None


@dataclass(slots=True)
class _Walk:
    """Reads fields, and remembers where they were."""

    reader: Reader
    size: int
    parts: list[Part] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    current: str = ""

    @property
    def position(self) -> int:
        return self.size - self.reader.remaining

    def read(self, name: str, read: Callable[[], Value]) -> None:
        self.current, start = name, self.position
        self.values[name] = read()
        self.parts.append(Part(name=name, start=start, size=self.position - start))


def report_credential(data: bytes, catalog: Catalog) -> CredentialReport:
    """Decode a credential as far as it goes; never raises for what it holds."""
    reader = Reader(data, "DelegatedCredential")
    walk = _Walk(reader, len(data))
    broken = None
    try:
        walk.read("valid_time", lambda: reader.uint(4, "valid_time"))
        walk.read("dc_cert_verify_algorithm", lambda: reader.uint(2, "dc_cert_verify_algorithm"))
        walk.read("ASN1_subjectPublicKeyInfo", lambda: reader.vector(3, "ASN1_subjectPublicKeyInfo", at_least=1))
        walk.read("algorithm", lambda: reader.uint(2, "algorithm"))
        walk.read("signature", lambda: reader.vector(2, "signature", at_least=1))
        walk.current = "end"
        reader.end()
    except DecodeError as error:
        refusal = refusals.Malformed("a DelegatedCredential, to the last byte", str(error))
        broken = Break(field=walk.current, byte=walk.position, refusal=refusal)
    return _report(data, walk, catalog, broken)


def _report(data: bytes, walk: _Walk, catalog: Catalog, broken: Break | None) -> CredentialReport:
    def number(name: str) -> int | None:
        value = walk.values.get(name)
        return value if isinstance(value, int) else None

    def content(name: str) -> bytes | None:
        value = walk.values.get(name)
        return value if isinstance(value, bytes) else None

    own, of_leaf, spki = number("dc_cert_verify_algorithm"), number("algorithm"), content("ASN1_subjectPublicKeyInfo")
    return CredentialReport(
        size=len(data),
        parts=tuple(walk.parts),
        valid_time=number("valid_time"),
        dc_cert_verify_algorithm=None if own is None else code_point(own, catalog, of_credential=True),
        public_key=None if spki is None else report_public_key(spki, catalog, base=SPKI_START),
        algorithm=None if of_leaf is None else code_point(of_leaf, catalog, of_credential=False),
        signature=content("signature"),
        dc=None if broken else DelegatedCredential.decode(data),
        broken=broken,
    )
