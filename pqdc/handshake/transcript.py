"""The transcript hash: RFC 8446 section 4.4.1. Before the suite is known, the messages wait."""

from __future__ import annotations

import hashlib
from typing import Any

from pqdc.handshake.codepoints import HandshakeType
from pqdc.handshake.key_schedule import Suite
from pqdc.wire import vector

__all__ = ["Transcript"]


class Transcript:
    """All handshake messages so far, with their headers."""

    __slots__ = ("_hash", "_waiting")

    def __init__(self) -> None:
        self._waiting = b""
        self._hash: Any = None  # hashlib's, whose digest leaves it open

    def add(self, message: bytes) -> None:
        """Take the next message."""
        if self._hash is None:
            self._waiting += message
        else:
            self._hash.update(message)

    def begin(self, suite: Suite, *, retried: bool = False) -> None:
        """Hash by this suite from now on.

        Args:
            suite: the one chosen.
            retried: a HelloRetryRequest comes next, so the first ClientHello is replaced by a message that holds its
                hash.
        """
        if self._hash is not None:
            return
        if retried:
            first = hashlib.new(suite.hash.name, self._waiting).digest()
            self._waiting = bytes([HandshakeType.MESSAGE_HASH]) + vector(3, first)
        self._hash = hashlib.new(suite.hash.name, self._waiting)
        self._waiting = b""

    def digest(self) -> bytes:
        """The hash so far; `begin` has been called."""
        if self._hash is None:
            raise RuntimeError("the transcript has no hash yet")
        digest: bytes = self._hash.digest()
        return digest
