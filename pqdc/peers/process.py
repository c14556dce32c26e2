"""A child process of a peer: its output kept within bounds, its time limited, ended with all that it started.

Knows nothing of TLS.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pqdc.errors import PeerUnavailable

__all__ = ["Child", "run"]

LONGEST_OUTPUT = 2**20  # bytes kept; a peer that says more is not believed to say anything useful
SECONDS = 20.0
_LINGER = 5.0  # seconds for a grandchild that has left the group, and holds the pipe, to let go of it


class Child:
    """A process whose standard output and error are read as one text.

    Args:
        command: with its arguments; nothing secret stands in them.
        environ: over this process's own environment.
        stdin: all that it is given to read; None: its input stays open, and without content, as long as it lives.
        cwd: where it runs.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environ: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self._environ = {**os.environ, **(environ or {})}
        self._stdin = stdin
        self._cwd = cwd
        self._output = bytearray()
        self._changed = threading.Condition()
        self._ended = False

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            PeerUnavailable: it cannot be started.
        """
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environ,
                cwd=self._cwd,
                start_new_session=True,  # so that what it starts is ended with it
            )
        except OSError as error:
            raise PeerUnavailable(f"{self.command[0]} does not start: {error.strerror}") from None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if self._stdin is not None:
            threading.Thread(target=self._feed, args=(self._stdin,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and everything in its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(_LINGER)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    @property
    def output(self) -> str:
        """What it has said so far, at most LONGEST_OUTPUT of it."""
        with self._changed:
            return self._output.decode(errors="replace")

    def find(self, pattern: str, *, seconds: float = SECONDS, start: int = 0) -> re.Match[str]:
        """The first place from character `start` on where its output, as it comes, matches `pattern`, line by line.

        Raises:
            PeerUnavailable: it ends, or the time passes, without it.
        """
        wanted = re.compile(pattern, re.MULTILINE)
        until = time.monotonic() + seconds
        with self._changed:
            while not (found := wanted.search(self._output.decode(errors="replace"), start)):
                left = until - time.monotonic()
                if self._ended or left <= 0:
                    how = "has ended" if self._ended else f"says nothing of {pattern!r} within {seconds:g} s"
                    raise PeerUnavailable(f"{shlex.join(self.command[:2])} {how}: {self._last_words()}")
                self._changed.wait(left)
        return found

    def wait(self, *, seconds: float = SECONDS) -> int | None:
        """Its exit status (negative: the signal that ended it), once its output is complete; None: it still runs."""
        until = time.monotonic() + seconds
        with self._changed:
            while not self._ended and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
        try:
            return self._process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - it is a pipe
        with stream:
            while data := os.read(stream.fileno(), 65_536):
                with self._changed:
                    self._output += data[: LONGEST_OUTPUT - len(self._output)]
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _feed(self, data: bytes) -> None:
        stream = self._process.stdin
        assert stream is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(OSError, ValueError):  # it may be gone before it has read all
            stream.write(data)
            stream.close()

    def _last_words(self) -> str:
        lines = self._output.decode(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:]) or "it said nothing"


def run(
    command: Sequence[str | Path],
    *,
    seconds: float = SECONDS,
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
) -> tuple[int | None, str]:
    """Run a command to its end; its exit status, None if it had to be ended, and what it said.

    Raises:
        PeerUnavailable: it cannot be started.
    """
    with Child(command, environ=environ, stdin=stdin, cwd=cwd) as child:
        return child.wait(seconds=seconds), child.output
