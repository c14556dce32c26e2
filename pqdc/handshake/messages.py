"""Handshake messages (RFC 8446 section 4): each struct's encode beside its decode. Knows no rule but the syntax.

`body` is a message without its header; `frame` puts the header before it. What extensions hold is told in `extensions`;
here they are pairs of type and bytes, in order, so that unknown ones survive. Whatever decodes encodes to the same
bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from pqdc.errors import DecodeError
from pqdc.handshake.codepoints import LEGACY_VERSION, HandshakeType
from pqdc.wire import Reader, vector

__all__ = [
    "HEADER_BYTES",
    "HELLO_RETRY_RANDOM",
    "CertificateEntry",
    "CertificateMessage",
    "CertificateRequest",
    "CertificateVerify",
    "ClientHello",
    "EncryptedExtensions",
    "Extensions",
    "KeyUpdate",
    "Message",
    "NewSessionTicket",
    "ServerHello",
    "frame",
]

HEADER_BYTES = 4
# SHA-256 of "HelloRetryRequest", the random of a ServerHello that is one: RFC 8446 section 4.1.3
HELLO_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

_HEAD = struct.Struct(">HH").pack
_READ_HEAD = struct.Struct(">HH").unpack_from
Extensions = tuple[tuple[int, bytes], ...]


class Message(Protocol):
    """A handshake message of ours."""

    type: ClassVar[HandshakeType]

    def body(self) -> bytes:
        """Without the header."""


def frame(message: Message) -> bytes:
    """The message behind its header.

    ::

        struct { HandshakeType msg_type; uint24 length; ... } Handshake;
    """
    body = message.body()
    return (message.type << 24 | len(body)).to_bytes(4, "big") + body


def write_extensions(extensions: Extensions) -> bytes:
    """The list behind its length.

    ::

        struct { ExtensionType extension_type; opaque extension_data<0..2^16-1>; } Extension;
    """
    return vector(2, b"".join([_HEAD(kind, len(data)) + data for kind, data in extensions]))


def read_extensions(reader: Reader) -> Extensions:
    """The list, to its end; whether types repeat is not asked."""
    data = reader.vector(2, "extensions")
    found = []
    position, size = 0, len(data)
    while position < size:
        if position + 4 > size:
            raise DecodeError(
                f"{reader.what}: an extension wants 4 bytes for type and length, {size - position} are left"
            )
        kind, length = _READ_HEAD(data, position)
        start, position = position + 4, position + 4 + length
        if position > size:
            raise DecodeError(f"{reader.what}: extension_data wants {length} bytes, {size - start} are left")
        found.append((kind, data[start:position]))
    return tuple(found)


def _u16s(values: Sequence[int]) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """RFC 8446 section 4.1.2.

    ::

        struct {
            ProtocolVersion legacy_version = 0x0303;
            Random random;
            opaque legacy_session_id<0..32>;
            CipherSuite cipher_suites<2..2^16-2>;
            opaque legacy_compression_methods<1..2^8-1>;
            Extension extensions<8..2^16-1>;
        } ClientHello;
    """

    type: ClassVar[HandshakeType] = HandshakeType.CLIENT_HELLO
    random: bytes
    session_id: bytes
    cipher_suites: tuple[int, ...]
    extensions: Extensions
    legacy_version: int = LEGACY_VERSION
    compression_methods: bytes = b"\0"
    without_extensions: bool = False  # TLS 1.2 clients may end the message before them

    def body(self) -> bytes:
        """Without the header."""
        parts = (
            self.legacy_version.to_bytes(2, "big"),
            self.random,
            vector(1, self.session_id),
            vector(2, _u16s(self.cipher_suites)),
            vector(1, self.compression_methods),
            b"" if self.without_extensions else write_extensions(self.extensions),
        )
        return b"".join(parts)

    @classmethod
    def decode(cls, body: bytes) -> ClientHello:
        """The message in exactly these bytes."""
        with Reader(body, "ClientHello") as reader:
            version, random = reader.uint(2, "legacy_version"), reader.read(32, "random")
            session_id = reader.vector(1, "legacy_session_id", at_most=32)
            suites = reader.uints(2, "cipher_suites")
            compression = reader.vector(1, "legacy_compression_methods", at_least=1)
            bare = not reader.remaining
            return cls(
                legacy_version=version,
                random=random,
                session_id=session_id,
                cipher_suites=suites,
                compression_methods=compression,
                extensions=() if bare else read_extensions(reader),
                without_extensions=bare,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """RFC 8446 section 4.1.3; with a certain random it is a HelloRetryRequest.

    ::

        struct {
            ProtocolVersion legacy_version = 0x0303;
            Random random;
            opaque legacy_session_id_echo<0..32>;
            CipherSuite cipher_suite;
            uint8 legacy_compression_method = 0;
            Extension extensions<6..2^16-1>;
        } ServerHello;
    """

    type: ClassVar[HandshakeType] = HandshakeType.SERVER_HELLO
    random: bytes
    session_id: bytes
    cipher_suite: int
    extensions: Extensions
    legacy_version: int = LEGACY_VERSION
    compression_method: int = 0
    without_extensions: bool = False  # as TLS 1.2 servers may

    @property
    def is_retry(self) -> bool:
        """Whether it is a HelloRetryRequest."""
        return self.random == HELLO_RETRY_RANDOM

    def body(self) -> bytes:
        """Without the header."""
        parts = (
            self.legacy_version.to_bytes(2, "big"),
            self.random,
            vector(1, self.session_id),
            self.cipher_suite.to_bytes(2, "big"),
            self.compression_method.to_bytes(1, "big"),
            b"" if self.without_extensions else write_extensions(self.extensions),
        )
        return b"".join(parts)

    @classmethod
    def decode(cls, body: bytes) -> ServerHello:
        """The message in exactly these bytes."""
        with Reader(body, "ServerHello") as reader:
            version, random = reader.uint(2, "legacy_version"), reader.read(32, "random")
            session_id = reader.vector(1, "legacy_session_id_echo", at_most=32)
            suite, compression = reader.uint(2, "cipher_suite"), reader.uint(1, "legacy_compression_method")
            bare = not reader.remaining
            return cls(
                legacy_version=version,
                random=random,
                session_id=session_id,
                cipher_suite=suite,
                compression_method=compression,
                extensions=() if bare else read_extensions(reader),
                without_extensions=bare,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedExtensions:
    """RFC 8446 section 4.3.1: `struct { Extension extensions<0..2^16-1>; } EncryptedExtensions;`."""

    type: ClassVar[HandshakeType] = HandshakeType.ENCRYPTED_EXTENSIONS
    extensions: Extensions

    def body(self) -> bytes:
        """Without the header."""
        return write_extensions(self.extensions)

    @classmethod
    def decode(cls, body: bytes) -> EncryptedExtensions:
        """The message in exactly these bytes."""
        with Reader(body, "EncryptedExtensions") as reader:
            return cls(extensions=read_extensions(reader))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """RFC 8446 section 4.3.2.

    ::

        struct { opaque certificate_request_context<0..2^8-1>; Extension extensions<2..2^16-1>; } CertificateRequest;
    """

    type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_REQUEST
    extensions: Extensions
    context: bytes = b""

    def body(self) -> bytes:
        """Without the header."""
        return vector(1, self.context) + write_extensions(self.extensions)

    @classmethod
    def decode(cls, body: bytes) -> CertificateRequest:
        """The message in exactly these bytes."""
        with Reader(body, "CertificateRequest") as reader:
            return cls(context=reader.vector(1, "certificate_request_context"), extensions=read_extensions(reader))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateEntry:
    """RFC 8446 4.4.2: `struct { opaque cert_data<1..2^24-1>; Extension extensions<0..2^16-1>; } CertificateEntry;`."""

    der: bytes
    extensions: Extensions = ()

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return vector(3, self.der) + write_extensions(self.extensions)

    @classmethod
    def read(cls, reader: Reader) -> CertificateEntry:
        """Read one; what follows stays in the reader."""
        return cls(der=reader.vector(3, "cert_data", at_least=1), extensions=read_extensions(reader))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateMessage:
    """RFC 8446 section 4.4.2.

    ::

        struct {
            opaque certificate_request_context<0..2^8-1>;
            CertificateEntry certificate_list<0..2^24-1>;
        } Certificate;
    """

    type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE
    entries: tuple[CertificateEntry, ...]
    context: bytes = b""

    def body(self) -> bytes:
        """Without the header."""
        return vector(1, self.context) + vector(3, b"".join(entry.encode() for entry in self.entries))

    @classmethod
    def decode(cls, body: bytes) -> CertificateMessage:
        """The message in exactly these bytes."""
        entries = []
        with Reader(body, "Certificate") as reader:
            context = reader.vector(1, "certificate_request_context")
            with Reader(reader.vector(3, "certificate_list"), "Certificate") as inner:
                while inner.remaining:
                    entries.append(CertificateEntry.read(inner))
        return cls(context=context, entries=tuple(entries))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateVerify:
    """RFC 8446 4.4.3: `struct { SignatureScheme algorithm; opaque signature<0..2^16-1>; } CertificateVerify;`."""

    type: ClassVar[HandshakeType] = HandshakeType.CERTIFICATE_VERIFY
    algorithm: int
    signature: bytes

    def body(self) -> bytes:
        """Without the header."""
        return self.algorithm.to_bytes(2, "big") + vector(2, self.signature)

    @classmethod
    def decode(cls, body: bytes) -> CertificateVerify:
        """The message in exactly these bytes."""
        with Reader(body, "CertificateVerify") as reader:
            return cls(algorithm=reader.uint(2, "algorithm"), signature=reader.vector(2, "signature"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """RFC 8446 section 4.4.4: `struct { opaque verify_data[Hash.length]; } Finished;`."""

    type: ClassVar[HandshakeType] = HandshakeType.FINISHED
    verify_data: bytes

    def body(self) -> bytes:
        """Without the header."""
        return self.verify_data


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUpdate:
    """RFC 8446 section 4.6.3: `struct { KeyUpdateRequest request_update; } KeyUpdate;`, 0 or 1."""

    type: ClassVar[HandshakeType] = HandshakeType.KEY_UPDATE
    request_update: int

    def body(self) -> bytes:
        """Without the header."""
        return bytes([self.request_update])

    @classmethod
    def decode(cls, body: bytes) -> KeyUpdate:
        """The message in exactly these bytes."""
        with Reader(body, "KeyUpdate") as reader:
            return cls(request_update=reader.uint(1, "request_update"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSessionTicket:
    """RFC 8446 section 4.6.1, which this client reads and forgets.

    ::

        struct {
            uint32 ticket_lifetime; uint32 ticket_age_add; opaque ticket_nonce<0..255>;
            opaque ticket<1..2^16-1>; Extension extensions<0..2^16-2>;
        } NewSessionTicket;
    """

    type: ClassVar[HandshakeType] = HandshakeType.NEW_SESSION_TICKET
    lifetime: int
    age_add: int
    nonce: bytes
    ticket: bytes
    extensions: Extensions = field(default=())

    def body(self) -> bytes:
        """Without the header."""
        times = self.lifetime.to_bytes(4, "big") + self.age_add.to_bytes(4, "big")
        return times + vector(1, self.nonce) + vector(2, self.ticket) + write_extensions(self.extensions)

    @classmethod
    def decode(cls, body: bytes) -> NewSessionTicket:
        """The message in exactly these bytes."""
        with Reader(body, "NewSessionTicket") as reader:
            return cls(
                lifetime=reader.uint(4, "ticket_lifetime"),
                age_add=reader.uint(4, "ticket_age_add"),
                nonce=reader.vector(1, "ticket_nonce"),
                ticket=reader.vector(2, "ticket", at_least=1),
                extensions=read_extensions(reader),
            )
