"""The zygote: a process that has loaded pqdc once, and forks for each test, which a new Python would take ten times.

`client.c` is the other end; the protocol stands there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from pqdc.errors import PqdcError
from tests.bogo.arguments import Unsupported, parse
from tests.bogo.endpoints import prepare
from tests.bogo.shim import Unexpected, run

__all__ = ["listening", "serve"]

FAILED, UNIMPLEMENTED, MUST_FAIL = 1, 89, 90  # exit statuses, as the runner reads them
CHILD_SECONDS = 270
POLL_SECONDS = 0.1
LARGEST_REQUEST = 1_048_576


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A socket at this path, for `serve`."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        listener.settimeout(POLL_SECONDS)
        yield listener


def serve(listener: socket.socket, is_over: Callable[[], bool]) -> None:
    """Answer clients until `is_over`; then children are ended."""
    children: set[int] = set()
    try:
        while not is_over():
            _reap(children)
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            with client:
                children.add(_fork(client, listener))
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _reap(children: set[int]) -> None:
    for child in tuple(children):
        if os.waitpid(child, os.WNOHANG)[0]:
            children.discard(child)


def _fork(client: socket.socket, listener: socket.socket) -> int:
    client.settimeout(CHILD_SECONDS)
    words = _request(client)
    with contextlib.suppress(Unsupported, PqdcError, OSError, LookupError):  # the child meets it again, and tells
        prepare(parse(words))
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        listener.close()
        signal.alarm(CHILD_SECONDS)
        code, text = _answer(words)
        client.sendall(bytes([code]) + text.encode())
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is to be cleaned up twice


def _request(client: socket.socket) -> list[str]:
    data = bytearray()
    while chunk := client.recv(65_536):
        data += chunk
        if len(data) > LARGEST_REQUEST:
            raise ValueError("a command line beyond all measure")
    return [word.decode("latin-1") for word in bytes(data).split(b"\0")[:-1]]


def _answer(words: list[str]) -> tuple[int, str]:
    """Exit status and text of a test with this command line."""
    try:
        run(parse(words))
    except Unsupported as flag:
        return UNIMPLEMENTED, f"not implemented: {flag}\n"
    except Unexpected as mismatch:
        return MUST_FAIL, f"{mismatch}\n"
    except (PqdcError, OSError) as error:
        return FAILED, f"{error}\n"
    except Exception:  # noqa: BLE001 - a bug of ours, which no expected error may cover up
        return MUST_FAIL, traceback.format_exc()
    return 0, ""
