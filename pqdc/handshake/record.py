"""The record layer (RFC 8446 section 5): fragments, protection, padding, and what one direction has cost on the wire.

Knows content types and lengths, and nothing of what records hold; any split of the incoming bytes is the same to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.codepoints import ContentType
from pqdc.handshake.key_schedule import Suite, TrafficKeys, traffic_keys
from pqdc.handshake.limits import Limits

__all__ = ["RecordReader", "RecordWriter", "Traffic"]

HEADER_BYTES = 5
LARGEST_PLAINTEXT = 2**14
LARGEST_CIPHERTEXT = 2**14 + 256
RECORDS_PER_KEY = 2**23  # within the limit of AES-GCM, 2^24.5: RFC 8446 section 5.5


@dataclass(slots=True)
class Traffic:
    """What one direction has carried, in bytes as they stood on the wire.

    Attributes:
        records: how many, change_cipher_spec aside.
        wire_bytes: of all records with their headers, change_cipher_spec included.
        content_bytes: of what the records carried.
        compatibility_bytes: of change_cipher_spec records.
    """

    records: int = 0
    wire_bytes: int = 0
    content_bytes: int = 0
    compatibility_bytes: int = 0

    def count(self, kind: int, content: int, wire: int) -> None:
        """Take one record into account."""
        self.wire_bytes += wire
        if kind == ContentType.CHANGE_CIPHER_SPEC:
            self.compatibility_bytes += wire
        else:
            self.records += 1
            self.content_bytes += content

    def copy(self) -> Traffic:
        """As it is now."""
        return Traffic(self.records, self.wire_bytes, self.content_bytes, self.compatibility_bytes)


class _Protection:
    """The keys of one direction, and the number of the next record under them."""

    __slots__ = ("_keys", "_secret", "sequence")

    def __init__(self) -> None:
        self._secret: tuple[Suite, bytes] | None = None
        self._keys: TrafficKeys | None = None
        self.sequence = 0

    def use(self, suite: Suite, secret: bytes) -> None:
        """Protect by the keys of this traffic secret from now on; they are made when the first record needs them."""
        self._secret = suite, secret
        self._keys = None
        self.sequence = 0

    @property
    def keys(self) -> TrafficKeys | None:
        """In use now; None before there are any."""
        if self._keys is None and self._secret is not None:
            self._keys = traffic_keys(*self._secret)
            self._secret = None
        return self._keys

    def nonce(self, keys: TrafficKeys) -> bytes:
        """Of the next record."""
        nonce = (keys.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return nonce


class RecordWriter(_Protection):
    """Content to records."""

    __slots__ = ("traffic",)

    def __init__(self) -> None:
        super().__init__()
        self.traffic = Traffic()

    @property
    def is_worn(self) -> bool:
        """Whether these keys should be updated."""
        return self.sequence >= RECORDS_PER_KEY

    def write(self, kind: ContentType, content: bytes, *, version: int = 0x0303) -> bytes:
        """The records that carry `content`, as few as can be.

        Args:
            kind: of the content. change_cipher_spec is never protected.
            content: any length, not empty.
            version: legacy_record_version; 0x0301 is for a first ClientHello.
        """
        keys = None if kind is ContentType.CHANGE_CIPHER_SPEC else self.keys
        out = []
        for start in range(0, len(content), LARGEST_PLAINTEXT):
            fragment = content[start : start + LARGEST_PLAINTEXT]
            if keys is None:
                record = b"%c%b%b%b" % (kind, version.to_bytes(2, "big"), len(fragment).to_bytes(2, "big"), fragment)
            else:
                header = b"\x17\x03\x03" + (len(fragment) + 17).to_bytes(2, "big")
                record = header + keys.aead.encrypt(self.nonce(keys), fragment + bytes([kind]), header)
            self.traffic.count(kind, len(fragment), len(record))
            out.append(record)
        return b"".join(out)


class RecordReader(_Protection):
    """Records to content."""

    __slots__ = ("_buffer", "_empty", "_limits", "_opened", "_skippable", "traffic")

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.traffic = Traffic()
        self._limits = limits
        self._buffer = bytearray()
        self._empty = 0
        self._opened = False  # whether a protected record has been read
        self._skippable = 0

    def skip_early_data(self) -> None:
        """The client has sent early data that nobody here can read: pass over what does not open, within the limit."""
        self._skippable = self._limits.early_data_bytes

    def feed(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._buffer += data

    def next(self) -> tuple[int, bytes] | None:
        """The type and content of the next record; None if it is not here yet.

        Raises:
            ProtocolViolation: it is malformed, too long, or not authentic; or too many in a row were empty.
        """
        while (record := self._cut()) is not None:
            kind, header, fragment = record
            opened = self._open(kind, header, fragment)
            if opened is None:
                continue
            self.traffic.count(opened[0], len(opened[1]), len(header) + len(fragment))
            self._bound_empty(*opened)
            return opened
        return None

    def _cut(self) -> tuple[int, bytes, bytes] | None:
        buffer = self._buffer
        if len(buffer) < HEADER_BYTES:
            if buffer and not ContentType.CHANGE_CIPHER_SPEC <= buffer[0] <= ContentType.APPLICATION_DATA:
                raise ProtocolViolation(
                    Alert.UNEXPECTED_MESSAGE, f"a TLS record wanted, got the byte 0x{buffer[0]:02x}"
                )
            return None
        kind, length = buffer[0], int.from_bytes(buffer[3:5], "big")
        if not ContentType.CHANGE_CIPHER_SPEC <= kind <= ContentType.APPLICATION_DATA:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, f"a TLS record wanted, got one of type {kind}")
        largest = LARGEST_CIPHERTEXT if kind == ContentType.APPLICATION_DATA else LARGEST_PLAINTEXT
        if length > largest:
            raise ProtocolViolation(Alert.RECORD_OVERFLOW, f"a record of at most {largest} bytes wanted, got {length}")
        end = HEADER_BYTES + length
        if len(buffer) < end:
            return None
        header, fragment = bytes(buffer[:HEADER_BYTES]), bytes(buffer[HEADER_BYTES:end])
        del buffer[:end]
        return kind, header, fragment

    def _open(self, kind: int, header: bytes, fragment: bytes) -> tuple[int, bytes] | None:
        """Type and content; None for early data that is passed over."""
        protected = kind == ContentType.APPLICATION_DATA
        keys = self.keys
        if keys is None:
            if protected:
                self._skip(fragment, Alert.UNEXPECTED_MESSAGE, "application data before any key")
                return None
            return kind, fragment
        if not protected:
            # A peer that could not use our hello says so in the clear; once it has shown its keys, nothing else is.
            if kind == ContentType.CHANGE_CIPHER_SPEC or (kind == ContentType.ALERT and not self._opened):
                return kind, fragment
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "a record in the clear where keys are in use")
        sequence = self.sequence
        try:
            inner = keys.aead.decrypt(self.nonce(keys), fragment, header)
        except InvalidTag:
            self.sequence = sequence
            self._skip(fragment, Alert.BAD_RECORD_MAC, "a record that is not authentic")
            return None
        self._opened = True
        self._skippable = 0
        content = inner.rstrip(b"\0")
        if not content:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "a record without a content type")
        if len(inner) > LARGEST_PLAINTEXT + 1:
            raise ProtocolViolation(Alert.RECORD_OVERFLOW, f"a content of {len(inner) - 1} bytes in one record")
        return content[-1], content[:-1]

    def _skip(self, fragment: bytes, alert: Alert, message: str) -> None:
        if self._opened or self._skippable <= 0 or len(fragment) > self._skippable:
            raise ProtocolViolation(alert, message)
        self._skippable -= max(len(fragment), 1)

    def _bound_empty(self, kind: int, content: bytes) -> None:
        if content and kind != ContentType.CHANGE_CIPHER_SPEC:
            self._empty = 0
            return
        self._empty += 1
        if self._empty > self._limits.empty_records:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, f"{self._empty} records in a row that bring nothing")
