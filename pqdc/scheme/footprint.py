"""How much memory a call takes: pages of the stack that it has touched, and how far the process has grown meanwhile.

The stack is a new thread's, of which the kernel tells each page that was touched, less what an empty call takes: right
to a page or two. Growth is the peak of the resident set over what it was before; the kernel counts that in larger
steps.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import mmap
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["STACK_BYTES", "Footprint", "footprint"]

STACK_BYTES = 2**26  # of the thread; some schemes use megabytes
# Each is larger than those before: a stack that the C library has kept for reuse still has pages of its former owner.
_SIZES = itertools.count(STACK_BYTES, 2**16)
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Of one call.

    Attributes:
        stack_bytes: in whole pages; None where the system does not tell.
        growth_bytes: of the resident set at its peak; None where the system does not tell.
    """

    stack_bytes: int | None
    growth_bytes: int | None


def footprint(call: Callable[[], object]) -> Footprint:
    """What `call` takes; whatever it raises, is raised here."""
    call()  # what is set up once is not counted
    empty = _stack(lambda: None)
    before = _peak()
    used = _stack(call)
    after = _read_status("VmHWM")
    return Footprint(
        stack_bytes=None if used is None or empty is None else max(0, used - empty),
        growth_bytes=None if before is None or after is None else max(0, after - before),
    )


def _stack(call: Callable[[], object]) -> int | None:
    """Bytes of the stack of a new thread that are resident once it has made the call.

    The thread is looked at by this one, as looking takes stack as well; it waits meanwhile.
    """
    failed: list[BaseException] = []
    made, seen = threading.Lock(), threading.Lock()
    made.acquire()
    seen.acquire()

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - it is raised in the other thread
            failed.append(error)
        made.release()
        seen.acquire()

    with _stack_size(next(_SIZES)):
        thread = threading.Thread(target=run)
        thread.start()
    try:
        made.acquire()
        resident = _resident_stack(thread.ident or 0)
    finally:
        seen.release()
        thread.join()
    if failed:
        raise failed[0]
    return resident


@contextlib.contextmanager
def _stack_size(size: int) -> Iterator[None]:
    before = threading.stack_size(size)
    try:
        yield
    finally:
        threading.stack_size(before)


def _resident_stack(thread: int) -> int | None:
    """Of a thread that runs, by its identifier; None on a system without `pthread_getattr_np` and `mincore`."""
    libc = ctypes.CDLL(None)
    attributes = ctypes.create_string_buffer(256)  # pthread_attr_t has 56 bytes or 64
    address, size = ctypes.c_void_p(), ctypes.c_size_t()
    try:
        if libc.pthread_getattr_np(ctypes.c_void_p(thread), attributes):
            return None
        failed = libc.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size))
        libc.pthread_attr_destroy(attributes)
        pages = (ctypes.c_ubyte * (size.value // mmap.PAGESIZE))()
        start = -(-(address.value or 0) // mmap.PAGESIZE) * mmap.PAGESIZE
        if failed or libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(len(pages) * mmap.PAGESIZE), pages):
            return None
    except AttributeError:
        return None
    return sum(page & 1 for page in pages) * mmap.PAGESIZE


def _peak() -> int | None:
    """The peak of the resident set, set to what it is now."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5", encoding="ascii")
        return _read_status("VmHWM")
    return None


def _read_status(name: str) -> int | None:
    try:
        match = re.search(rf"^{name}:\s*(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(match[1]) * 1024 if match else None
