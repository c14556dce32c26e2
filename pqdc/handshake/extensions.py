"""What extensions hold (RFC 8446 section 4.2), and in which messages they may stand: one table of writers and readers.

An extension that the table does not know is left alone where the peer may send any (ClientHello, CertificateRequest),
and refused where it answers something that we did not ask.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.codepoints import ExtensionType, name_of
from pqdc.handshake.messages import Extensions
from pqdc.wire import Reader, vector

__all__ = ["CODECS", "Codec", "KeyShare", "Place", "read_all", "read_answer", "write"]

E = ExtensionType


class Place(Enum):
    """A message that carries extensions."""

    CLIENT_HELLO = "ClientHello"
    SERVER_HELLO = "ServerHello"
    HELLO_RETRY_REQUEST = "HelloRetryRequest"
    ENCRYPTED_EXTENSIONS = "EncryptedExtensions"
    CERTIFICATE_REQUEST = "CertificateRequest"
    CERTIFICATE = "Certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShare:
    """RFC 8446 section 4.2.8: `struct { NamedGroup group; opaque key_exchange<1..2^16-1>; } KeyShareEntry;`."""

    group: int
    key: bytes

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return self.group.to_bytes(2, "big") + vector(2, self.key)

    @classmethod
    def read(cls, reader: Reader) -> KeyShare:
        """Read one; what follows stays in the reader."""
        return cls(group=reader.uint(2, "group"), key=reader.vector(2, "key_exchange", at_least=1))


@dataclass(frozen=True, slots=True)
class Codec:
    """How one extension is written and read; `read` need not come to the end, its caller checks it."""

    write: Callable[[Any], bytes]
    read: Callable[[Reader], Any]


def _u16s(length_size: int) -> Codec:
    return Codec(
        lambda values: vector(length_size, struct.pack(f">{len(values)}H", *values)),
        lambda reader: reader.uints(length_size, "list"),
    )


def _list(length_size: int, at_least: int, write: Callable[[Any], bytes], read: Callable[[Reader], Any]) -> Codec:
    def read_all_of(reader: Reader) -> tuple[Any, ...]:
        found = []
        with Reader(reader.vector(length_size, "list", at_least=at_least), reader.what) as inner:
            while inner.remaining:
                found.append(read(inner))
        return tuple(found)

    return Codec(lambda values: vector(length_size, b"".join(map(write, values))), read_all_of)


def _write_host(host: str) -> bytes:
    """A list of one `struct { NameType name_type = 0; HostName host_name<1..2^16-1>; } ServerName;`: RFC 6066."""
    return vector(2, b"\0" + vector(2, host.encode("ascii")))


def _read_host(reader: Reader) -> str:
    """The host name; other types of names have never been defined, and a second one of a type is forbidden."""
    with Reader(reader.vector(2, "server_name_list", at_least=1), reader.what) as inner:
        if inner.uint(1, "name_type"):
            raise ProtocolViolation(Alert.DECODE_ERROR, "server_name: only host names are defined")
        host = inner.vector(2, "host_name", at_least=1, at_most=255)
    try:
        return host.decode("ascii")
    except UnicodeDecodeError:
        raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, "server_name: a host name of ASCII is wanted") from None


_U16 = Codec(lambda value: value.to_bytes(2, "big"), lambda reader: reader.uint(2, "value"))
_EMPTY = Codec(lambda _: b"", lambda _: True)
_ANYTHING = Codec(lambda data: data, lambda reader: reader.read(reader.remaining, "data"))
_SCHEMES = _u16s(2)
_SHARES = _list(2, 0, KeyShare.encode, KeyShare.read)
_PROTOCOLS = _list(2, 2, lambda name: vector(1, name), lambda reader: reader.vector(1, "ProtocolName", at_least=1))
_AUTHORITIES = _list(
    2, 3, lambda name: vector(2, name), lambda reader: reader.vector(2, "DistinguishedName", at_least=1)
)
_COOKIE = Codec(lambda cookie: vector(2, cookie), lambda reader: reader.vector(2, "cookie", at_least=1))

CODECS: Mapping[Place, Mapping[int, Codec]] = {
    Place.CLIENT_HELLO: {
        E.SERVER_NAME: Codec(_write_host, _read_host),
        E.STATUS_REQUEST: _ANYTHING,
        E.SUPPORTED_GROUPS: _u16s(2),
        E.SIGNATURE_ALGORITHMS: _SCHEMES,
        E.ALPN: _PROTOCOLS,
        E.SIGNED_CERTIFICATE_TIMESTAMP: _ANYTHING,
        E.PADDING: _ANYTHING,
        E.DELEGATED_CREDENTIAL: _SCHEMES,
        E.PRE_SHARED_KEY: _ANYTHING,
        E.EARLY_DATA: _EMPTY,
        E.SUPPORTED_VERSIONS: _u16s(1),
        E.COOKIE: _COOKIE,
        E.PSK_KEY_EXCHANGE_MODES: _ANYTHING,
        E.CERTIFICATE_AUTHORITIES: _AUTHORITIES,
        E.POST_HANDSHAKE_AUTH: _EMPTY,
        E.SIGNATURE_ALGORITHMS_CERT: _SCHEMES,
        E.KEY_SHARE: _SHARES,
    },
    Place.SERVER_HELLO: {
        E.PRE_SHARED_KEY: _U16,
        E.SUPPORTED_VERSIONS: _U16,
        E.KEY_SHARE: Codec(KeyShare.encode, KeyShare.read),
    },
    Place.HELLO_RETRY_REQUEST: {
        E.SUPPORTED_VERSIONS: _U16,
        E.COOKIE: _COOKIE,
        E.KEY_SHARE: _U16,
    },
    Place.ENCRYPTED_EXTENSIONS: {
        E.SERVER_NAME: _EMPTY,
        E.SUPPORTED_GROUPS: _u16s(2),
        E.ALPN: _PROTOCOLS,
        E.EARLY_DATA: _EMPTY,
    },
    Place.CERTIFICATE_REQUEST: {
        E.STATUS_REQUEST: _ANYTHING,
        E.SIGNATURE_ALGORITHMS: _SCHEMES,
        E.SIGNED_CERTIFICATE_TIMESTAMP: _ANYTHING,
        E.DELEGATED_CREDENTIAL: _SCHEMES,
        E.CERTIFICATE_AUTHORITIES: _AUTHORITIES,
        E.OID_FILTERS: _ANYTHING,
        E.SIGNATURE_ALGORITHMS_CERT: _SCHEMES,
    },
    Place.CERTIFICATE: {
        E.STATUS_REQUEST: _ANYTHING,
        E.SIGNED_CERTIFICATE_TIMESTAMP: _ANYTHING,
        E.DELEGATED_CREDENTIAL: _ANYTHING,  # RFC 9345's rules say what becomes of it: pqdc.credential.offers
    },
}
_KNOWN = frozenset(kind for codecs in CODECS.values() for kind in codecs)


_NAMES = {kind: name_of(ExtensionType, kind) for kind in _KNOWN}


def write(place: Place, values: Mapping[int, Any]) -> Extensions:
    """The extensions of a message of ours, in the order given."""
    codecs = CODECS[place]
    return tuple((int(kind), codecs[kind].write(value)) for kind, value in values.items())


def read_all(place: Place, extensions: Extensions) -> dict[int, Any]:
    """What the known extensions of a message say; unknown ones stay out.

    Raises:
        DecodeError: one is malformed.
        ProtocolViolation: a type stands twice, or where RFC 8446 has no place for it.
    """
    codecs = CODECS[place]
    found: dict[int, Any] = {}
    seen: set[int] = set()
    for kind, data in extensions:
        if kind in seen:
            raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, f"{place.value}: {_name(kind)} stands in it twice")
        seen.add(kind)
        codec = codecs.get(kind)
        if codec is not None:
            reader = Reader(data, _NAMES[kind])
            found[kind] = codec.read(reader)
            reader.end()
        elif kind in _KNOWN:
            raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, f"{_name(kind)} has no place in a {place.value}")
    return found


def read_answer(place: Place, extensions: Extensions, asked: Collection[int]) -> dict[int, Any]:
    """As `read_all`, for a message that may only answer what was `asked`: RFC 8446 section 4.2.

    Raises:
        ProtocolViolation: unsupported_extension, if something else is in it.
    """
    for kind, _ in extensions:
        if kind not in asked:
            raise ProtocolViolation(Alert.UNSUPPORTED_EXTENSION, f"{place.value}: nobody asked for {_name(kind)}")
    return read_all(place, extensions)


def _name(kind: int) -> str:
    return name_of(ExtensionType, kind)
