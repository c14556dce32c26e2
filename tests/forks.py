"""Copies of a connection in the middle of a handshake, so that what comes next can be tried many times."""

from __future__ import annotations

import copyreg
import hashlib
from functools import cache
from typing import Any, TypeVar

from pqdc.handshake.assembly import Assembler
from pqdc.handshake.endpoint import Connection
from pqdc.handshake.record import RecordReader, RecordWriter, Traffic
from pqdc.handshake.transcript import Transcript

T = TypeVar("T", bound=Connection)
_HASH = type(hashlib.sha256())
_STATEFUL = (Connection, RecordReader, RecordWriter, Assembler, Transcript, Traffic)


def fork(connection: T) -> T:
    """A connection that goes on from where this one stands, and leaves it alone; keys and settings are shared."""
    return _copied(connection)


def _copied(value: Any) -> Any:
    if isinstance(value, bytearray | list | dict | _HASH):
        return value.copy()
    if not isinstance(value, _STATEFUL):
        return value
    kind = type(value)
    twin = kind.__new__(kind)
    for name in (*_slots(kind), *getattr(value, "__dict__", ())):
        setattr(twin, name, _copied(getattr(value, name)))
    return twin


@cache
def _slots(kind: type) -> tuple[str, ...]:
    return tuple(copyreg._slotnames(kind))
