"""Memory that a library is given: on both sides a zone that it must not touch, and beyond it pages that it cannot.

    | no access | zone, 4096 bytes | the buffer | zone, 4096 bytes and more | no access |

What writes past its buffer is found in a zone, and named; what writes far past it dies of SIGSEGV at once.
"""

from __future__ import annotations

import ctypes
import mmap
import os

__all__ = ["GuardedBuffer", "Trespass"]

ZONE = 4096
_NO_ACCESS = 0  # PROT_NONE of <sys/mman.h>, which the module mmap lacks


class Trespass(Exception):
    """A zone was written to: how many bytes from the buffer's end, or from its start, the farthest one is."""


class GuardedBuffer:
    """`size` bytes at `address`, which is aligned to a page."""

    def __init__(self, size: int) -> None:
        self.size = size
        page = mmap.PAGESIZE
        self._before = -(-ZONE // page) * page
        inside = -(-(self._before + size + ZONE) // page) * page
        self._memory = mmap.mmap(-1, page + inside + page)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        for edge in (base, base + page + inside):
            _close(edge, page)
        self._start = base + page
        self.address = self._start + self._before
        self._after = inside - self._before - size
        self._pattern = os.urandom(max(self._before, self._after))
        ctypes.memmove(self._start, self._pattern, self._before)
        ctypes.memmove(self.address + size, self._pattern, self._after)

    def fill(self, byte: int) -> None:
        """Let the whole buffer be that byte."""
        ctypes.memset(self.address, byte, self.size)

    def write(self, data: bytes) -> None:
        """Put `data` at the start; it fits."""
        ctypes.memmove(self.address, data, min(len(data), self.size))

    def read(self, count: int) -> bytes:
        """The first bytes, no more than there are."""
        return ctypes.string_at(self.address, min(count, self.size))

    def check(self) -> None:
        """Return if both zones are as they were.

        Raises:
            Trespass: one is not; it is mended.
        """
        after = ctypes.string_at(self.address + self.size, self._after)
        if after != self._pattern[: self._after]:
            ctypes.memmove(self.address + self.size, self._pattern, self._after)
            touched = max(i for i, byte in enumerate(after) if byte != self._pattern[i]) + 1
            raise Trespass(f"{touched} bytes past the end of")
        before = ctypes.string_at(self._start, self._before)
        if before != self._pattern[: self._before]:
            ctypes.memmove(self._start, self._pattern, self._before)
            touched = self._before - min(i for i, byte in enumerate(before) if byte != self._pattern[i])
            raise Trespass(f"{touched} bytes before the start of")


def _close(address: int, size: int) -> None:
    """Take all access to these pages away."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), _NO_ACCESS):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
