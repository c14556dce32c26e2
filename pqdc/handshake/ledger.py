"""The byte ledger of a finished handshake: what each message and each part of it cost, on both levels, both ways.

Counted from what was serialised: messages are cut as they were sent or received, record and wire bytes are those
that the record layer has counted. The model of the network is stated in `segments` and `flights`; docs/handshake.md
tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pqdc.credential.structures import EXTENSION_TYPE, DelegatedCredential
from pqdc.errors import DecodeError
from pqdc.handshake.codepoints import ExtensionType, HandshakeType, name_of
from pqdc.handshake.messages import (
    HEADER_BYTES,
    CertificateMessage,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    Extensions,
    ServerHello,
)
from pqdc.handshake.record import Traffic

__all__ = ["INITCWND", "MSS", "Direction", "Ledger", "MessageBytes", "Part", "flights", "segments"]

MSS = 1460  # bytes of TCP payload in an Ethernet frame over IPv4
INITCWND = 10  # segments in the first flight: RFC 6928


def segments(size: int, mss: int = MSS) -> int:
    """How many TCP segments `size` bytes take, full ones first."""
    return -(-size // mss)


def flights(size: int, mss: int = MSS, initcwnd: int = INITCWND) -> int:
    """How many flights `size` bytes take in slow start without loss: the window doubles each time; 1 needs no wait."""
    count, window, left = 0, initcwnd, segments(size, mss)
    while left > 0:
        count, left, window = count + 1, left - window, window * 2
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a message; its bytes are those of its own parts, where it has some."""

    name: str
    bytes: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBytes:
    """A handshake message, its header of 4 bytes included; the parts add up to `bytes`."""

    name: str
    bytes: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """What one side has sent up to the end of its handshake.

    Attributes:
        messages: in order.
        handshake_bytes: of all messages.
        records: how many carried them.
        record_overhead: bytes of record headers, content types and authentication tags.
        compatibility_bytes: of change_cipher_spec records.
        wire_bytes: of all; what a capture of the TCP payload shows.
        segments, flights: by the model.
    """

    messages: tuple[MessageBytes, ...]
    handshake_bytes: int
    records: int
    record_overhead: int
    compatibility_bytes: int
    wire_bytes: int
    segments: int
    flights: int

    def bytes_of(self, *path: str) -> int:
        """The bytes under a path of names, as `bytes_of("Certificate", "delegated_credential", "spki")`; 0 if none."""
        found: Sequence[MessageBytes | Part] = self.messages
        total = 0
        for name in path:
            found = [item for item in found if item.name == name]
            total = sum(item.bytes for item in found)
            found = [part for item in found for part in item.parts]
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Both directions of one handshake."""

    client: Direction
    server: Direction

    @property
    def server_flight_bytes(self) -> int:
        """All that the server has sent, as on the wire."""
        return self.server.wire_bytes

    @property
    def total_bytes(self) -> int:
        """Both directions, as on the wire."""
        return self.client.wire_bytes + self.server.wire_bytes

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        model = {"mss": MSS, "initcwnd": INITCWND}
        return {"client": asdict(self.client), "server": asdict(self.server), "model": model}


def direction_of(messages: Sequence[bytes], traffic: Traffic) -> Direction:
    """The account of one side, from its messages and what its records cost."""
    size = sum(map(len, messages))
    return Direction(
        messages=tuple(map(message_of, messages)),
        handshake_bytes=size,
        records=traffic.records,
        record_overhead=traffic.wire_bytes - traffic.compatibility_bytes - traffic.content_bytes,
        compatibility_bytes=traffic.compatibility_bytes,
        wire_bytes=traffic.wire_bytes,
        segments=segments(traffic.wire_bytes),
        flights=flights(traffic.wire_bytes),
    )


def message_of(message: bytes) -> MessageBytes:
    """The account of one message, given with its header."""
    body = message[HEADER_BYTES:]
    cut = _PARTS.get(message[0])
    found = list(cut(body)) if cut else []
    name = name_of(HandshakeType, message[0])
    if message[0] == HandshakeType.SERVER_HELLO and ServerHello.decode(body).is_retry:
        name = "HelloRetryRequest"
    return MessageBytes(name=name, bytes=len(message), parts=_with_rest(len(message), found, "fields"))


def _with_rest(size: int, parts: list[Part], name: str) -> tuple[Part, ...]:
    """What no part covers (headers, lengths, fixed fields) is a part too, the first."""
    rest = size - sum(part.bytes for part in parts)
    return (Part(name=name, bytes=rest), *parts)


def _extensions(extensions: Extensions) -> Iterator[Part]:
    for kind, data in extensions:
        yield Part(name=name_of(ExtensionType, kind), bytes=4 + len(data))


def _certificates(body: bytes) -> Iterator[Part]:
    for position, entry in enumerate(CertificateMessage.decode(body).entries):
        yield Part(name="leaf certificate" if position == 0 else f"CA certificate {position}", bytes=len(entry.der))
        for kind, data in entry.extensions:
            parts = _credential(data) if kind == EXTENSION_TYPE and position == 0 else ()
            yield Part(name=name_of(ExtensionType, kind), bytes=4 + len(data), parts=parts)


def _credential(data: bytes) -> tuple[Part, ...]:
    """Header: the extension's type and length, valid_time, algorithms and lengths."""
    try:
        dc = DelegatedCredential.decode(data)
    except DecodeError:
        return ()
    spki, signature = Part(name="spki", bytes=len(dc.cred.spki)), Part(name="signature", bytes=len(dc.signature))
    return _with_rest(4 + len(data), [spki, signature], "header")


def _verify(body: bytes) -> Iterator[Part]:
    yield Part(name="signature", bytes=len(CertificateVerify.decode(body).signature))


_PARTS: Mapping[int, Callable[[bytes], Iterator[Part]]] = {
    HandshakeType.CLIENT_HELLO: lambda body: _extensions(ClientHello.decode(body).extensions),
    HandshakeType.SERVER_HELLO: lambda body: _extensions(ServerHello.decode(body).extensions),
    HandshakeType.ENCRYPTED_EXTENSIONS: lambda body: _extensions(EncryptedExtensions.decode(body).extensions),
    HandshakeType.CERTIFICATE_REQUEST: lambda body: _extensions(CertificateRequest.decode(body).extensions),
    HandshakeType.CERTIFICATE: _certificates,
    HandshakeType.CERTIFICATE_VERIFY: _verify,
}
