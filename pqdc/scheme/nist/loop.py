"""The timing loop of companion.c: one function of a library with NIST's call interface, nothing between two readings.

Whoever has the library loaded calls it: the process of a user's library, or this one for a library of pqdc's own.
"""

from __future__ import annotations

import array
import ctypes
from typing import Any, Final

__all__ = ["BAD_SIGNATURE", "TIMED", "TimedLibrary", "time_natively"]

TIMED: Final = {"keygen": 1, "sign": 2, "verify": 3}  # companion.c
BAD_SIGNATURE: Final = -4


class TimedLibrary(ctypes.Structure):
    """`struct library` of companion.c: addresses of functions, how they are called, and sizes."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("keypair", "sign", "verify", "open")),
        *((name, ctypes.c_uint64) for name in ("sign_detached", "with_context", "offset", "from_end")),
        *((name, ctypes.c_uint64) for name in ("public_key_bytes", "secret_key_bytes", "signature_bytes")),
    ]


def time_natively(
    companion: Any, library: TimedLibrary, operation: str, messages: bytes, counts: tuple[int, int, int, int]
) -> tuple[int, array.array[int]]:
    """The outcome, 0 if all went well, and nanoseconds.

    Args:
        companion: loaded.
        library: what is called.
        operation: of TIMED.
        messages: one after the other.
        counts: bytes of a message; messages, samples, keys.
    """
    message_bytes, distinct, samples, keys = counts
    nanoseconds = array.array("Q", bytes(8 * samples))
    outcome: int = companion.pqdc_nist_time(
        ctypes.byref(library),
        TIMED[operation],
        messages,
        *map(ctypes.c_size_t, (message_bytes, distinct, samples, keys)),
        (ctypes.c_uint64 * samples).from_buffer(nanoseconds),
    )
    return outcome, nanoseconds
