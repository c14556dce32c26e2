"""Handshake messages out of the content of records (RFC 8446 section 5.1): coalesced, fragmented, or both."""

from __future__ import annotations

from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.limits import Limits
from pqdc.handshake.messages import HEADER_BYTES

__all__ = ["Assembler"]


class Assembler:
    """Takes fragments, gives whole messages; keeps never more than one message of the largest size and one record."""

    __slots__ = ("_buffer", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether a message has begun; nothing else may come before its end, and no key may change."""
        return bool(self._buffer)

    def feed(self, fragment: bytes) -> None:
        """Take the content of a record."""
        if not fragment:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "an empty fragment of a handshake message")
        self._buffer += fragment

    def next(self) -> bytes | None:
        """The next message with its header; None if it is not whole yet.

        Raises:
            ProtocolViolation: it says that it will be larger than the limit.
        """
        buffer = self._buffer
        if len(buffer) < HEADER_BYTES:
            return None
        length = int.from_bytes(buffer[1:HEADER_BYTES], "big")
        if length > self._limits.message_bytes:
            raise ProtocolViolation(
                Alert.ILLEGAL_PARAMETER,
                f"a handshake message of at most {self._limits.message_bytes:,} bytes wanted, this has {length:,}",
            )
        end = HEADER_BYTES + length
        if len(buffer) < end:
            return None
        message = bytes(buffer[:end])
        del buffer[:end]
        return message
