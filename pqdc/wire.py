"""The TLS presentation language (RFC 8446 section 3): a bounded Reader and a Writer.

Rules: every vector is read by a reader of its own that cannot see beyond it; bytes left over are an error;
integers are big-endian and unsigned. Knows nothing of what is read or written.
"""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Self

from pqdc.errors import DecodeError

__all__ = ["Reader", "vector"]


class Reader:
    """Reads `data` front to back. As a context manager it refuses, at its end, bytes that nobody read.

    Args:
        data: what to read.
        what: its name, for messages.
    """

    __slots__ = ("_data", "_end", "_position", "what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._position = 0
        self._end = len(data)
        self.what = what

    @property
    def remaining(self) -> int:
        """How many bytes are unread."""
        return self._end - self._position

    def read(self, count: int, field: str) -> bytes:
        """The next `count` bytes.

        Raises:
            DecodeError: fewer are left.
        """
        start, end = self._position, self._position + count
        if end > self._end:
            raise DecodeError(f"{self.what}: {field} wants {count} bytes, {self._end - start} are left")
        self._position = end
        return self._data[start:end]

    def uint(self, size: int, field: str) -> int:
        """An unsigned integer of `size` bytes."""
        start, end = self._position, self._position + size
        if end > self._end:
            self.read(size, field)  # which says so
        self._position = end
        return int.from_bytes(self._data[start:end], "big")

    def vector(self, length_size: int, field: str, *, at_least: int = 0, at_most: int | None = None) -> bytes:
        """The content of a vector whose length takes `length_size` bytes.

        Raises:
            DecodeError: it ends beyond the data, is shorter than `at_least` or longer than `at_most`.
        """
        start = self._position + length_size
        if start > self._end:
            self.read(length_size, f"length of {field}")  # which says so
        length = int.from_bytes(self._data[self._position : start], "big")
        if length < at_least:
            raise DecodeError(f"{self.what}: {field} has {length} bytes, at least {at_least} are wanted")
        if at_most is not None and length > at_most:
            raise DecodeError(f"{self.what}: {field} has {length} bytes, at most {at_most} are allowed")
        end = start + length
        self._position = start
        if end > self._end:
            self.read(length, field)
        self._position = end
        return self._data[start:end]

    def uints(self, length_size: int, field: str) -> tuple[int, ...]:
        """A vector of 16-bit integers, at least one, whose length in bytes takes `length_size`.

        Raises:
            DecodeError: it is empty, of an odd length, or ends beyond the data.
        """
        content = self.vector(length_size, field, at_least=2)
        if len(content) % 2:
            raise DecodeError(f"{self.what}: {field} wants pairs of bytes, it has {len(content)}")
        return struct.unpack(f">{len(content) // 2}H", content)

    def end(self) -> None:
        """Refuse bytes left over.

        Raises:
            DecodeError: there are some.
        """
        if self._position != self._end:
            raise DecodeError(f"{self.what}: {self.remaining} bytes left over after the end")

    def __enter__(self) -> Self:
        """Begin; the end is checked on leaving."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Check the end, unless an error is on its way already."""
        if kind is None and self._position != self._end:
            self.end()


def vector(length_size: int, content: bytes) -> bytes:
    """`content` behind its length in `length_size` bytes.

    Raises:
        OverflowError: it is too long for that; callers check sizes first.
    """
    return len(content).to_bytes(length_size, "big") + content
