"""What goes through the pipes between pqdc and the process that has the library: frames of fields, all bounded.

    uint32 length; then fields, each opaque<0..2^32-1>: RFC 8446 section 3's vectors

The first field of a request is the function's name, that of an answer says how it went. Nothing is ever unpickled: the
other side may have lost its memory to the library.
"""

from __future__ import annotations

import os
import select
import time

from pqdc.errors import DecodeError
from pqdc.wire import Reader, vector

__all__ = ["LARGEST_FRAME", "Closed", "Overdue", "pack", "receive", "send", "unpack"]

LARGEST_FRAME = 2**26
MOST_FIELDS = 16
_CHUNK = 2**20


class Closed(Exception):
    """The other side has gone."""


class Overdue(Exception):
    """The other side took longer than it may."""


def pack(*fields: bytes) -> bytes:
    """A frame.

    Raises:
        OverflowError: it would be larger than the other side takes.
    """
    content = b"".join(vector(4, field) for field in fields)
    if len(content) > LARGEST_FRAME:
        raise OverflowError(f"{len(content):,} bytes are more than a frame of {LARGEST_FRAME:,}")
    return vector(4, content)


def unpack(content: bytes) -> list[bytes]:
    """The fields of a frame's content.

    Raises:
        DecodeError: it is none.
    """
    fields: list[bytes] = []
    with Reader(content, "frame") as reader:
        while reader.remaining:
            if len(fields) == MOST_FIELDS:
                raise DecodeError(f"frame: at most {MOST_FIELDS} fields are allowed")
            fields.append(reader.vector(4, "field"))
    if not fields:
        raise DecodeError("frame: a field wanted")
    return fields


def send(descriptor: int, frame: bytes, deadline: float | None = None) -> None:
    """Write a frame whole.

    Args:
        descriptor: of a pipe; not blocking if there is a deadline.
        frame: as `pack` made it.
        deadline: by `time.monotonic`.

    Raises:
        Closed: nobody reads it.
        Overdue: nobody has read it in time.
    """
    left = memoryview(frame)
    while left:
        _wait(descriptor, select.POLLOUT, deadline)
        try:
            left = left[os.write(descriptor, left[:_CHUNK]) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            raise Closed from None


def receive(descriptor: int, deadline: float | None = None) -> list[bytes]:
    """The fields of the next frame.

    Raises:
        Closed: there is none to come.
        Overdue: it has not come in time.
        DecodeError: what came is no frame.
    """
    length = int.from_bytes(_read(descriptor, 4, deadline), "big")
    if length > LARGEST_FRAME:
        raise DecodeError(f"frame: at most {LARGEST_FRAME:,} bytes are allowed, got {length:,}")
    return unpack(_read(descriptor, length, deadline))


def _read(descriptor: int, count: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        _wait(descriptor, select.POLLIN, deadline)
        try:
            piece = os.read(descriptor, min(count - len(data), _CHUNK))
        except BlockingIOError:
            continue
        if not piece:
            raise Closed
        data += piece
    return bytes(data)


def _wait(descriptor: int, event: int, deadline: float | None) -> None:
    if deadline is None:
        return
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0, (deadline - time.monotonic())) * 1000):
        raise Overdue
