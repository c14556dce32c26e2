"""Cycles and instructions by perf events, where the kernel gives them: many virtual machines do not, and say so.

Counted in user mode alone, of the calling thread. Never ticks of a time stamp counter under the name of cycles.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
from collections.abc import Iterator
from typing import Final

from pqdc.errors import BackendUnavailable

__all__ = ["COUNTERS", "counter", "reasons_against"]

COUNTERS: Final = {"cycles": (0, 0), "instructions": (0, 1)}  # PERF_TYPE_HARDWARE and the event
SYSTEM_CALL: Final = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "loongarch64": 241, "ppc64le": 319, "s390x": 331}
ATTRIBUTE_BYTES: Final = 112  # struct perf_event_attr, its fifth version
EXCLUDE_KERNEL, EXCLUDE_HYPERVISOR = 1 << 5, 1 << 6
CLOSE_ON_EXEC: Final = 8


@contextlib.contextmanager
def counter(kind: int, event: int) -> Iterator[int]:
    """A file descriptor that counts this thread's events from now on: reading gives 8 bytes.

    Args:
        kind: PERF_TYPE_HARDWARE is 0, PERF_TYPE_SOFTWARE 1.
        event: of that kind.

    Raises:
        BackendUnavailable: the kernel does not give it, with its reason.
    """
    number = SYSTEM_CALL.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        raise BackendUnavailable(f"no perf events are known of {platform.system()} on {platform.machine()}")
    flags = EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR
    attribute = struct.pack("=IIQQQQQ", kind, ATTRIBUTE_BYTES, event, 0, 0, 0, flags).ljust(ATTRIBUTE_BYTES, b"\0")
    system = ctypes.CDLL(None, use_errno=True)
    descriptor = system.syscall(number, attribute, 0, -1, -1, CLOSE_ON_EXEC)
    if descriptor < 0:
        raise BackendUnavailable(f"the kernel gives none: {os.strerror(ctypes.get_errno()).lower()}")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def reasons_against() -> dict[str, str]:
    """Of each of COUNTERS, why it is not to be had here; empty if it is."""
    reasons = {}
    for name, event in COUNTERS.items():
        try:
            with counter(*event):
                reasons[name] = ""
        except BackendUnavailable as reason:
            reasons[name] = str(reason)
    return reasons
