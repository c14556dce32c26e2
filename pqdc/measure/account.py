"""What operations and keys take besides time, asked from processes of their own: native/account.c, and this module.

As a program, it prints how much memory key objects take: every allocation of such a process goes through malloc, whose
books are read before and after an object is made. Its caches are off, as they keep no books of what they hold.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pqdc.errors import BackendUnavailable, PqdcError
from pqdc.scheme import backends
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.facts import Scheme

__all__ = ["OPERATIONS", "Account", "of_key_objects", "of_scheme"]

OPERATIONS: Final = ("keygen", "sign", "verify")
STACK_METHOD: Final = "a painted stack"
HEAP_METHOD: Final = "malloc and its kin, counted"
OBJECT_METHOD: Final = "mallinfo2 before and after"
EXACT_BOOKS: Final = {
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0",
}
MOST_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Of an operation: peaks of the first, the bytes that each of some drew, and the nanoseconds that drawing takes."""

    stack_bytes: int
    heap_bytes: int
    random_bytes: tuple[int, ...]
    random_ns: tuple[int, ...]


def of_scheme(program: Path | None, name: str, milliseconds: int) -> dict[str, Account]:
    """What liboqs takes for each operation of the scheme that it calls `name`, some of them in so much time each.

    Raises:
        BackendUnavailable: there is no program that says so, or it failed.
    """
    if program is None:
        raise BackendUnavailable("pqdc-account has not been made", hint="run `make liboqs`")
    command = [str(program), name, str(milliseconds)]
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MOST_SECONDS)
    if child.returncode:
        raise BackendUnavailable(f"pqdc-account {name} ended with {child.returncode}: {child.stderr.strip()}")
    lines = [tuple(map(int, line.split())) for line in child.stdout.splitlines()]
    return {
        operation: Account(stack_bytes=stack, heap_bytes=heap, random_bytes=drawn, random_ns=took)
        for operation, (stack, heap), drawn, took in zip(OPERATIONS, lines[::3], lines[1::3], lines[2::3], strict=True)
    }


def of_key_objects(schemes: Sequence[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Bytes of a public and of a private key object, by scheme and backend that computes it.

    Raises:
        BackendUnavailable: this system does not tell.
    """
    command = [sys.executable, "-P", "-m", __name__, *schemes]
    environ = os.environ | EXACT_BOOKS
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MOST_SECONDS, env=environ)
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["without a word"])[-1]
        raise BackendUnavailable(f"key objects could not be measured: {last}")
    return {(scheme, backend): (public, private) for scheme, backend, public, private in json.loads(child.stdout)}


def main(names: Sequence[str]) -> list[tuple[str, str, int, int]]:
    """Measure the key objects of these schemes."""
    catalog = load_catalog(*map(Path, filter(None, os.environ.get("PQDC_ALGORITHMS", "").split(os.pathsep))))
    rows = []
    for scheme in map(catalog.__getitem__, names):
        for name in backends.available(scheme):
            try:
                rows.append((scheme.name, name, *_object_bytes(scheme, backends.load_backend(name))))
            except PqdcError as error:
                print(f"{scheme.name} by {name}: {error}", file=sys.stderr)  # noqa: T201 - a program
    return rows


def _object_bytes(scheme: Scheme, backend: Any) -> tuple[int, int]:
    """Of a public key, and of a private one with its public half; after a first, which makes what all share."""
    private = backend.generate(scheme)
    raw = bytearray(private.public.raw)
    public = backend.public_key(scheme, bytes(raw))
    of_public = _growth(public, lambda: backend.public_key(scheme, bytes(raw)))
    return of_public, _growth(private, lambda: backend.generate(scheme))


def _growth(first: Any, make: Callable[[], Any]) -> int:
    """What malloc has given out for another object beside the first."""
    kept = [first]
    before = _in_use()
    kept.append(make())
    return _in_use() - before


class _Books(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def _in_use() -> int:
    """Bytes that malloc has given out, in its arenas and apart from them."""
    read = ctypes.CDLL(None).mallinfo2
    read.restype = _Books
    books = read()
    return int(books.uordblks + books.hblkhd)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1:])))
