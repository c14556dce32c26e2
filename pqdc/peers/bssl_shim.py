"""bssl_shim, the test program of BoringSSL's own suite, as a server of what the format `bssl-shim` writes.

The shim connects to whoever tests it, says its number, and is then a TLS server; so each client's connection is passed
on to a new one. After the handshake it sends back, changed, whatever it gets.
"""

from __future__ import annotations

import contextlib
import queue
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, ServerFiles, Serving
from pqdc.peers.process import SECONDS, Child

__all__ = ["DC_BASE64", "serve_by_shim"]

DC_BASE64 = "dc.b64"
_NUMBER_BYTES = 8  # with which it introduces itself
_ERROR = re.compile(r":([A-Z][A-Z0-9_]+):")


@contextmanager
def serve_by_shim(program: Path, files: ServerFiles, credential: Path) -> Iterator[Serving]:
    """bssl_shim with the credential in this folder, and for clients that do not ask for it, the leaf's key."""
    own: list[str | Path] = ["-new-delegated-credential"]
    own += ["-cert-file", credential / "leaf.pem", "-key-file", credential / "dc.key"]
    own += ["-delegated-credential", (credential / DC_BASE64).read_text(encoding="ascii")]
    if files.leaf_key is not None:
        own += ["-new-x509-credential", "-cert-file", files.leaf, "-key-file", files.leaf_key]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield _Serving(listener, [program, "-server", "-shim-id", "0", *own])


class _Serving:
    """Passes connections on, one after the other, each to a shim of its own."""

    def __init__(self, listener: socket.socket, command: Sequence[str | Path]) -> None:
        self._listener = listener
        self._command = command
        self._told: queue.Queue[PeerOutcome] = queue.Queue()
        self.port = int(listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def outcome(self) -> PeerOutcome:
        try:
            return self._told.get(timeout=SECONDS)
        except queue.Empty:
            raise PeerUnavailable(f"bssl_shim says nothing within {SECONDS:g} s") from None

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed when the context ends
            while True:
                client, _ = self._listener.accept()
                with client:
                    self._told.put(self._pass_on(client))

    def _pass_on(self, client: socket.socket) -> PeerOutcome:
        with socket.create_server(("127.0.0.1", 0)) as meeting_point:
            meeting_point.settimeout(SECONDS)
            port = str(meeting_point.getsockname()[1])
            with Child([*self._command, "-port", port]) as child:
                try:
                    own, _ = meeting_point.accept()
                    with own:
                        own.settimeout(SECONDS)
                        own.recv(_NUMBER_BYTES, socket.MSG_WAITALL)
                        client.settimeout(SECONDS)
                        back = threading.Thread(target=_copy, args=(own, client), daemon=True)
                        back.start()
                        _copy(client, own)
                        back.join()
                except OSError:  # it has ended before it came, and says why
                    pass
                return _outcome(child.wait(), child.output)


def _copy(source: socket.socket, target: socket.socket) -> None:
    """All bytes of the one to the other, and the end of them."""
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _outcome(status: int | None, output: str) -> PeerOutcome:
    if status == 0:
        return PeerOutcome(accepted=True)
    error = _ERROR.search(output)
    return PeerOutcome(accepted=False, error=error[1] if error else f"exit {status}", detail=output)
