"""A small DER writer, which also writes what no library would: odd certificates are what it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tlv(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*content: bytes) -> bytes:
    return tlv(0x30, *content)


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> bytes:
    return tlv(0x04, content)


def bits(content: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes([unused]), content)


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        out += bytes(reversed(septets))
    return tlv(0x06, bytes(out))


def name(common_name: str) -> bytes:
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0C, common_name.encode()))))


def time(seconds: int) -> bytes:
    """As RFC 5280 wants it: UTCTime from 1950 to 2049, GeneralizedTime before and after."""
    moment = EPOCH + timedelta(seconds=seconds)
    if 1950 <= moment.year < 2050:
        return tlv(0x17, f"{moment:%y%m%d%H%M%SZ}".encode())
    return generalized_time(seconds)


def generalized_time(seconds: int) -> bytes:
    moment = EPOCH + timedelta(seconds=seconds)
    return tlv(0x18, f"{moment.year:04}{moment:%m%d%H%M%SZ}".encode())


def spki(algorithm: str, key: bytes, parameters: bytes = b"", *, unused: int = 0) -> bytes:
    return sequence(sequence(oid(algorithm), parameters), bits(key, unused))


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    return sequence(oid(dotted), TRUE if critical else b"", octets(value))


BASIC_CONSTRAINTS = extension("2.5.29.19", sequence(), critical=True)
KEY_USAGE_OID = "2.5.29.15"
KEY_USAGE = extension(KEY_USAGE_OID, bits(b"\x80", 7), critical=True)
DELEGATION_USAGE_OID = "1.3.6.1.4.1.44363.44"
DELEGATION_USAGE = extension(DELEGATION_USAGE_OID, NULL)
ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A leaf to be; what is not said is as it should be."""

    spki: bytes
    not_before: bytes
    not_after: bytes
    serial: int = 0x1234_5678_9ABC_DEF0
    version: bytes = field(default=tlv(0xA0, integer(2)))
    subject: str = "dc.example"
    delegation: Sequence[bytes] = (DELEGATION_USAGE,)
    key_usage: Sequence[bytes] = (KEY_USAGE,)
    more: Sequence[bytes] = ()

    def extensions(self) -> bytes:
        host = extension("2.5.29.17", sequence(tlv(0x82, self.subject.encode())))
        return sequence(BASIC_CONSTRAINTS, *self.key_usage, host, *self.delegation, *self.more)

    def issue(self, sign: Callable[[bytes], bytes]) -> bytes:
        """The certificate, DER, signed by an ECDSA P-256 CA with SHA-256."""
        to_be_signed = sequence(
            self.version,
            integer(self.serial),
            ECDSA_SHA256,
            name("pqdc vectors CA"),
            sequence(self.not_before, self.not_after),
            name(self.subject),
            self.spki,
            tlv(0xA3, self.extensions()),
        )
        return sequence(to_be_signed, ECDSA_SHA256, bits(sign(to_be_signed)))
