"""The process that has a user's library loaded: reads a request, calls the library, answers; `process` is its parent.

Whatever the library does happens here. Its standard output goes nowhere; what it says on standard error, the parent
reads if this process dies. No core is dumped, since it would hold private keys, and no parent is outlived.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import threading
from collections.abc import Callable, Mapping
from typing import Any

from pqdc.errors import DecodeError
from pqdc.scheme.drbg import CtrDrbg
from pqdc.scheme.footprint import STACK_BYTES, footprint
from pqdc.scheme.nist import frames
from pqdc.scheme.nist.binding import FUNCTIONS, Binding
from pqdc.scheme.nist.buffers import Trespass
from pqdc.scheme.nist.loop import TimedLibrary, time_natively

__all__ = ["main"]

LIMITS: Mapping[int, int] = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 2**20,  # of any file, its standard error too
    resource.RLIMIT_DATA: 2**32,
}
DRAWER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_ulonglong)


class Worker:
    """One library, and the requests that can be made of it. Numbers are decimal, a flag is empty or not."""

    def __init__(self) -> None:
        self._binding: Binding | None = None
        self._context = False
        self._companion: ctypes.CDLL | None = None
        self._draw: Any = None  # what the companion calls must not be collected
        self.requests: Mapping[bytes, Callable[..., list[bytes]]] = {
            b"load": self.load,
            b"crypto_sign_keypair": self.keypair,
            b"crypto_sign": self.sign,
            b"crypto_sign_signature": self.signature,
            b"crypto_sign_open": self.open,
            b"crypto_sign_verify": self.verify,
            b"time": self.time,
            b"footprint": self.footprint,
            b"randombytes_init": self.seed,
        }

    def answer(self, name: bytes, *fields: bytes) -> list[bytes]:
        """Of a request: "done" and what came, or the kind of failure and a sentence."""
        try:
            return [b"done", *self.requests[name](*fields)]
        except Trespass as trespass:
            return [b"trespass", str(trespass).encode()]
        except (OSError, MemoryError) as error:
            return [b"failed", (str(error) or type(error).__name__).encode()]

    def load(self, path: bytes, prefix: bytes, companion: bytes, context: bytes) -> list[bytes]:
        """Load the library; gives whether it lacked `randombytes`, and its name for each of FUNCTIONS, or empty."""

        def supply() -> None:
            if not companion:
                raise OSError("it lacks randombytes")
            self._companion = ctypes.CDLL(os.fsdecode(companion), mode=ctypes.RTLD_GLOBAL)

        self._binding = Binding(os.fsdecode(path), prefix.decode(), supply, context=bool(context))
        self._context = bool(context)
        symbols = [self._binding.symbols.get(name, "").encode() for name in FUNCTIONS]
        return [b"supplied" if self._binding.supplied else b"", *symbols]

    @property
    def binding(self) -> Binding:
        """The library, loaded."""
        if self._binding is None:
            raise OSError("nothing is loaded")
        return self._binding

    def keypair(self, public_bytes: bytes, secret_bytes: bytes, fill: bytes) -> list[bytes]:
        """Status, public and secret key."""
        answer = self.binding.keypair(int(public_bytes), int(secret_bytes), int(fill))
        return [b"%d" % answer.status, *answer.outputs]

    def signature(self, message: bytes, secret: bytes, room: bytes) -> list[bytes]:
        """Status, length, signature."""
        answer = self.binding.sign(message, secret, int(room), detached=True)
        return [b"%d" % answer.status, b"%d" % answer.length, *answer.outputs]

    def sign(self, message: bytes, secret: bytes, room: bytes) -> list[bytes]:
        """Status, length, signed message."""
        answer = self.binding.sign(message, secret, int(room), detached=False)
        return [b"%d" % answer.status, b"%d" % answer.length, *answer.outputs]

    def verify(self, signature: bytes, message: bytes, public: bytes) -> list[bytes]:
        """Status."""
        return [b"%d" % self.binding.verify(signature, message, public).status]

    def open(self, signed: bytes, public: bytes) -> list[bytes]:
        """Status, length, message."""
        answer = self.binding.open(signed, public)
        return [b"%d" % answer.status, b"%d" % answer.length, *answer.outputs]

    def time(self, companion: bytes, plan: bytes, messages: bytes) -> list[bytes]:
        """Outcome, and nanoseconds as 64-bit numbers of this machine.

        Args:
            companion: its path.
            plan: JSON: `operation` (of TIMED), `signs` and `verifies` (functions), `envelope` (offset, from_end),
                `sizes` (of public key, secret key, signature), `counts` (bytes of a message; messages, samples, keys).
            messages: one after the other.
        """
        if self._companion is None:
            self._companion = ctypes.CDLL(os.fsdecode(companion))
        wanted: dict[str, Any] = json.loads(plan)
        address, signs, verifies = self.binding.address, wanted["signs"], wanted["verifies"]
        library = TimedLibrary(
            address("crypto_sign_keypair"),
            address(signs),
            address(verifies) if verifies == "crypto_sign_verify" else None,
            address(verifies) if verifies == "crypto_sign_open" else None,
            int(signs == "crypto_sign_signature"),
            int(self._context),
            *wanted["envelope"],
            *wanted["sizes"],
        )
        outcome, nanoseconds = time_natively(
            self._companion, library, wanted["operation"], messages, tuple(wanted["counts"])
        )
        return [b"%d" % outcome, nanoseconds.tobytes()]

    def footprint(self, name: bytes, *fields: bytes) -> list[bytes]:
        """Stack and growth in bytes, empty where the system does not tell, of another request."""
        taken = footprint(lambda: self.requests[name](*fields))
        return [b"0", *(b"" if size is None else b"%d" % size for size in (taken.stack_bytes, taken.growth_bytes))]

    def seed(self, seed: bytes) -> list[bytes]:
        """Let `randombytes` repeat what this seed of NIST's known answers gives; status 1 if nobody can."""
        own = self.binding.symbol("randombytes_init")
        if own is not None:
            own(seed, None, ctypes.c_int(256))
        elif self._companion is not None and self.binding.supplied:
            generator = CtrDrbg(seed)
            self._draw = DRAWER(lambda place, count: ctypes.memmove(place, generator.draw(count), count) and None)
            self._companion.pqdc_nist_draw(self._draw)
        else:
            return [b"1"]
        return [b"0"]


def main() -> None:
    """Serve the pipes that are standard input and output until they are closed."""
    for limit, most in LIMITS.items():
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    requests, answers = _take_pipes()
    threading.Thread(target=_end_with, args=(requests,), daemon=True).start()
    threading.stack_size(STACK_BYTES)
    serving = threading.Thread(target=_serve, args=(requests, answers))
    serving.start()
    serving.join()


def _take_pipes() -> tuple[int, int]:
    """The pipes under other numbers, and nothing in their old place: the library may print."""
    pipes = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    return pipes


def _end_with(requests: int) -> None:
    """End this process when its parent has gone, also while the library does not return."""
    poll = select.poll()
    poll.register(requests, 0)  # which reports nothing but the other end's closing
    poll.poll()
    os._exit(0)


def _serve(requests: int, answers: int) -> None:
    worker = Worker()
    with contextlib.suppress(frames.Closed, DecodeError):
        while True:
            request = frames.receive(requests)
            frames.send(answers, frames.pack(*worker.answer(*request)))
    os._exit(0)


if __name__ == "__main__":
    main()
