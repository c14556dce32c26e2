"""glibc's malloc as it is in a process that has run for long, whatever a process has done before it measures.

Memory beyond one threshold is mapped anew, page by page, each time it is asked for, and beyond another the free end of
the heap is given back; both rise as large blocks are freed, up to these (mallopt(3)). Else the order of the cells would
decide what keys of a megabyte cost.
"""

from __future__ import annotations

import ctypes

MMAP_THRESHOLD = 32 * 2**20  # bytes, the largest that it comes to
TRIM_THRESHOLD = 2 * MMAP_THRESHOLD
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
SETTLED = {  # in the environment of another program
    "GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={MMAP_THRESHOLD}:glibc.malloc.trim_threshold={TRIM_THRESHOLD}"
}


def settle() -> None:
    """Bring this process there, where its malloc can be told."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD)
        mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD)
