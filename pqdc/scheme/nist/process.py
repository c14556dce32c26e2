"""A process that has a user's library loaded, seen from its parent: asked, waited for, and ended in time.

A private key goes through the pipe and nowhere else. After a crash, a hang or an answer that is none, the process is
ended, and the next request starts another.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

from pqdc.errors import BackendUnavailable, DecodeError, LibraryFault
from pqdc.scheme.facts import Library
from pqdc.scheme.nist import frames
from pqdc.scheme.nist.binding import FUNCTIONS

__all__ = ["LibraryProcess"]

START_SECONDS = 20.0  # of Python itself, on a busy machine
_LAST_WORDS = 300  # characters
_PLACES = {
    "load": "loading it",
    "time": "the native loop",
    "footprint": "measuring its memory",
    "randombytes_init": "randombytes_init",
}


class LibraryProcess:
    """One library, in a process that is started when it is first asked.

    Attributes:
        context: whether the functions of the library take a context string; set before it is started.
        symbols: the library's own names of the functions that it has.
        supplied: whether it lacked `randombytes`.

    Args:
        library: which.
        companion: gives the path of pqdc's own shared object, or raises BackendUnavailable.
    """

    def __init__(self, library: Library, companion: Callable[[], Path]) -> None:
        self.library = library
        self.context = False
        self.symbols: dict[str, str] = {}
        self.supplied = False
        self.slowest = 0.0  # seconds, of a single call
        self.companion = companion
        self._lock = threading.RLock()
        self._child: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None
        self._owner = 0
        self._ending: weakref.finalize[..., LibraryProcess] | None = None

    @property
    def name(self) -> str:
        """The library's, as people know it."""
        return self.library.path.name

    def start(self) -> None:
        """Load the library, unless it is.

        Raises:
            BackendUnavailable: it cannot be loaded.
            LibraryFault: loading it is more than its process survives.
        """
        with self._lock:
            if self._child is not None and self._owner == os.getpid():
                return
            self._owner = os.getpid()  # after a fork, the parent's child is left alone; its finalizer holds it
            self._words = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the child lives
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "pqdc.scheme.nist.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                start_new_session=True,  # Ctrl-C is for us; and what it starts is in its group
            )
            self._ending = weakref.finalize(self, _end, self._child, self._words, self._owner)
            for pipe in self._pipes():
                os.set_blocking(pipe, False)
            self._load()

    def _load(self) -> None:
        try:
            companion = os.fsencode(self.companion())
            why_not = ""
        except BackendUnavailable as reason:
            companion, why_not = b"", f", and {reason}"
        flag = b"context" if self.context else b""
        names = os.fsencode(self.library.path), self.library.prefix.encode(), companion, flag
        kind, *fields = self._ask(b"load", *names, seconds=START_SECONDS + self.library.seconds)
        told = [field.decode(errors="replace") for field in fields]
        if kind == b"done" and len(told) == 1 + len(FUNCTIONS):
            self.supplied = bool(told[0])
            self.symbols = {name: symbol for name, symbol in zip(FUNCTIONS, told[1:], strict=True) if symbol}
            return
        self.stop()
        text = " ".join(told).removeprefix(f"{self.library.path}: ")
        raise BackendUnavailable(f"{self.name} cannot be loaded: {text}{why_not if 'randombytes' in text else ''}")

    def call(self, function: str, *fields: bytes, calls: float = 1.0) -> tuple[int, list[bytes]]:
        """What `worker` answers: a status, and the rest.

        Args:
            function: the request; the name of a function of the library, without prefix.
            fields: as the worker's method of that request has them.
            calls: how many of the library's calls it takes, each of which may last as long as the library may.

        Raises:
            LibraryFault: the library crashed, hung, or wrote where it must not.
            BackendUnavailable: it cannot be loaded any more.
        """
        with self._lock:
            self.start()
            begin = time.monotonic()
            kind, *answer = self._ask(function.encode(), *fields, seconds=self.library.seconds * calls)
            if calls == 1:
                self.slowest = max(self.slowest, time.monotonic() - begin)
            first = answer[0].decode(errors="replace") if answer else ""
            if kind == b"done" and re.fullmatch(r"-?[0-9]{1,12}", first):
                return int(first), answer[1:]
            self.stop()
            place = self.symbol(function)
            if kind == b"trespass":
                raise LibraryFault(f"{place} {first}")
            if kind == b"failed":
                raise LibraryFault(f"{place} cannot be called: {first}")
            raise LibraryFault(f"{place} has ruined the memory of its process: its answer is none")

    def symbol(self, function: str) -> str:
        """A function as its author calls it."""
        return _PLACES.get(function) or self.symbols.get(function) or self.library.prefix + function

    def _ask(self, request: bytes, *fields: bytes, seconds: float) -> list[bytes]:
        place = self.symbol(request.decode())
        writing, reading = self._pipes()
        deadline = time.monotonic() + seconds
        try:
            frame = frames.pack(request, *fields)
        except OverflowError as error:
            raise LibraryFault(f"too much for {place}: {error}") from None
        try:
            frames.send(writing, frame, deadline)
            return frames.receive(reading, deadline)
        except frames.Overdue:
            self.stop()
            raise LibraryFault(f"{place} hangs: it does not return within {seconds:g} s") from None
        except frames.Closed:
            raise LibraryFault(self._death(place)) from None
        except DecodeError as error:
            self.stop()
            raise LibraryFault(f"{place} has ruined the memory of its process: {error}") from None
        except BaseException:  # an interrupt: the answer, whenever it comes, would be taken for that of another
            self.stop()
            raise

    def _pipes(self) -> tuple[int, int]:
        child = self._child
        assert child is not None  # noqa: S101 - for mypy; it has been started
        assert child.stdin is not None  # noqa: S101 - as above
        assert child.stdout is not None  # noqa: S101 - as above
        return child.stdin.fileno(), child.stdout.fileno()

    def _death(self, place: str) -> str:
        """What a process died of, while it was in `place`."""
        child = self._child
        try:
            status = child.wait(timeout=START_SECONDS) if child else 0
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        words = self._last_words()
        self.stop()
        if status < 0:
            try:
                cause = signal.Signals(-status).name
            except ValueError:
                cause = f"signal {-status}"
            return f"{place} crashes: its process died of {cause}{words}"
        return f"{place} does not return: it ends its process, with status {status}{words}"

    def _last_words(self) -> str:
        """The last line of what the process wrote to its standard error, with a colon before it."""
        if self._words is None:
            return ""
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - 4 * _LAST_WORDS))
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        last = "".join(filter(str.isprintable, lines[-1]))[:_LAST_WORDS] if lines else ""
        return f": {last}" if last else ""

    def stop(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            if self._ending is not None and self._owner == os.getpid():
                self._ending()
            self._child = self._words = None


def _end(child: subprocess.Popen[bytes], words: IO[bytes], owner: int) -> None:
    """Kill a child of ours, and what it has started, and take it in; another process's is not ours to touch."""
    if os.getpid() != owner:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):  # none is left
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for file in (child.stdin, child.stdout, words):
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
