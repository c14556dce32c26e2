"""The leaf certificate, as far as delegation is concerned: read from the DER, whose oddities are named, not raised.

Libraries raise on duplicate extensions, odd times or serial numbers, and re-encode keys. Here the DER is read
(RFC 5280), a certificate that can be read at all is read, and what is wrong with it is a finding. Chain and name checks
are not made here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, NamedTuple

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from pqdc.errors import DecodeError, KeyFormatError
from pqdc.scheme import backends, spki
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import PublicKey

__all__ = ["DELEGATION_USAGE", "KEY_USAGE", "Certificate", "Extension"]

DELEGATION_USAGE = "1.3.6.1.4.1.44363.44"  # RFC 9345 section 4.2
KEY_USAGE = "2.5.29.15"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC_TIME = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")
_GENERALIZED_TIME = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")


class Extension(NamedTuple):
    """An extension as it stands: OID, dotted, critical or not, and the content of its OCTET STRING."""

    oid: str
    critical: bool
    value: bytes


@asn1.sequence
class _Validity:
    not_before: asn1.TLV
    not_after: asn1.TLV


@asn1.sequence
class _Extension:
    oid: ObjectIdentifier
    critical: Annotated[bool, asn1.Default(value=False)]
    value: bytes


@asn1.sequence
class _ToBeSigned:
    version: Annotated[int, asn1.Explicit(0), asn1.Default(0)]
    serial_number: asn1.TLV
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: _Validity
    subject: asn1.TLV
    subject_public_key_info: asn1.TLV
    issuer_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[_Extension] | None, asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    to_be_signed: _ToBeSigned
    signature_algorithm: asn1.TLV
    signature: asn1.BitString


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """A certificate read once, to verify any number of credentials under it.

    Attributes:
        der: as it came.
        not_before, not_after: Unix seconds; leaves from 1850 to 9999 exist in tests.
        spki: the DER of its public key.
        extensions: all of them, in order, duplicates included.
        oddities: what RFC 5280 forbids and this certificate does nevertheless.
        catalog: the schemes among which its key is looked up.
    """

    der: bytes
    not_before: int
    not_after: int
    serial_number: int
    spki: bytes
    extensions: tuple[Extension, ...]
    oddities: tuple[str, ...]
    catalog: Catalog
    _keys: dict[int, PublicKey | None] = field(default_factory=dict, repr=False)

    @classmethod
    def decode(cls, der: bytes, catalog: Catalog) -> Certificate:
        """Read the DER of a certificate.

        Raises:
            DecodeError: it is none, or its times are unreadable.
        """
        try:
            parts = asn1.decode_der(_Certificate, der).to_be_signed
        except ValueError as error:
            raise DecodeError(f"certificate: no X.509 in DER: {error}") from None
        oddities: list[str] = []
        not_before = _time(parts.validity.not_before, "notBefore", oddities)
        not_after = _time(parts.validity.not_after, "notAfter", oddities)
        extensions = tuple(
            [
                Extension(extension.oid.dotted_string, extension.critical, extension.value)
                for extension in parts.extensions or ()
            ]
        )
        serial_number = _serial_number(parts.serial_number, oddities)
        oddities += [
            f"its {name} is no SEQUENCE"
            for name in ("signature", "issuer", "subject")
            if getattr(parts, name).tag_bytes != b"\x30"
        ]
        _look_at(parts.version, serial_number, extensions, oddities)
        return cls(
            der=der,
            not_before=not_before,
            not_after=not_after,
            serial_number=serial_number,
            spki=spki.tlv_bytes(parts.subject_public_key_info),
            extensions=extensions,
            oddities=tuple(oddities),
            catalog=catalog,
        )

    def all_of(self, oid: str) -> tuple[Extension, ...]:
        """The extensions of that OID: RFC 5280 allows one."""
        return tuple([extension for extension in self.extensions if extension.oid == oid])

    @cached_property
    def digital_signature(self) -> bool | None:
        """Whether KeyUsage has digitalSignature; None if there is no KeyUsage, or one that cannot be read."""
        found = self.all_of(KEY_USAGE)
        try:
            bits = asn1.decode_der(asn1.BitString, found[0].value).as_bytes()
        except (IndexError, ValueError):
            return None
        return bool(bits) and bool(bits[0] & 0x80)

    @cached_property
    def schemes(self) -> tuple[Scheme, ...]:
        """The schemes that its key may sign with, the preferred first; none if its key is unknown."""
        try:
            return spki.schemes_of(self.catalog, self.spki)
        except DecodeError:
            return ()

    def is_of(self, raw: bytes) -> bool:
        """Whether its public key has these raw bytes."""
        return bool(self.schemes) and spki.decode(self.spki).key == raw

    def key_for(self, code_point: int) -> PublicKey | None:
        """Its public key, to check signatures of that TLS SignatureScheme; None if the key makes no such signatures.

        A key that the library refuses, such as a point that is not on its curve, makes none.

        Raises:
            BackendUnavailable: the key does, but nothing here computes the scheme.
        """
        if code_point not in self._keys:
            scheme = next((scheme for scheme in self.schemes if scheme.code_point == code_point), None)
            try:
                self._keys[code_point] = load_public_key(scheme, self.spki) if scheme else None
            except KeyFormatError:
                self._keys[code_point] = None
        return self._keys[code_point]


def load_public_key(scheme: Scheme, der: bytes) -> PublicKey:
    """The public key of an SPKI that must be the scheme's, in the scheme's first backend that is here.

    Raises:
        DecodeError, KeyFormatError: it is not.
        BackendUnavailable: none is here.
    """
    raw = spki.raw_key(scheme, der)  # first: a key of another type is refused wherever the scheme is computed
    return backends.choose(scheme).public_key(scheme, raw)


def say_time(seconds: int) -> str:
    """Unix seconds as ISO 8601 in UTC, or as a number where the calendar ends."""
    try:
        return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return f"{seconds} s after 1970"


def _serial_number(tlv: asn1.TLV, oddities: list[str]) -> int:
    try:
        number: int = tlv.parse(int)
    except ValueError:
        oddities.append("the serial number is no INTEGER in DER")
        number = int.from_bytes(bytes(tlv.data), "big", signed=True)
    return number


def say_duration(seconds: float, *, units: int = 4) -> str:
    """A duration in its largest units, as people ask for it: `7 d`, `7 d 1 h`, `90 s` is `1 min 30 s`."""
    left = abs(int(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:units])) or "0 s"


def _look_at(version: int, serial_number: int, extensions: tuple[Extension, ...], oddities: list[str]) -> None:
    if version != 2:
        oddities.append(f"version {version + 1}, but certificates with extensions are version 3")
    if serial_number <= 0:
        oddities.append("the serial number is not positive")
    oids = [extension.oid for extension in extensions]
    if len(set(oids)) < len(oids):
        oddities.extend(
            f"the extension {oid} stands in it {oids.count(oid)} times"
            for oid in dict.fromkeys(oids)
            if oids.count(oid) > 1
        )


def _time(tlv: asn1.TLV, name: str, oddities: list[str]) -> int:
    text = bytes(tlv.data)
    if match := _UTC_TIME.fullmatch(text) if tlv.tag_bytes == b"\x17" else None:
        year, *rest = map(int, match.groups())
        year += 1900 if year >= 50 else 2000
    elif match := _GENERALIZED_TIME.fullmatch(text) if tlv.tag_bytes == b"\x18" else None:
        year, *rest = map(int, match.groups())
        if 1950 <= year < 2050:
            oddities.append(f"{name} is a GeneralizedTime for a year that UTCTime has")
    else:
        raise DecodeError(f"certificate: {name} is no time of RFC 5280: {text[:40]!r}")
    try:
        month, day, hour, minute, second = rest
        since = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - EPOCH
    except ValueError as error:
        raise DecodeError(f"certificate: {name} is no time: {error}") from None
    return since.days * 86400 + since.seconds
