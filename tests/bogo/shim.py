"""One test: a connection of pqdc's to the runner.

After the handshake every byte comes back inverted. What the runner wants to be told of the session is compared here;
the rest it judges itself, by what it sees on the wire.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from typing import Any

from pqdc.handshake import (
    Client,
    ClientConnection,
    Connected,
    Data,
    Event,
    Failed,
    Identity,
    KeysUpdated,
    PeerClosed,
    Server,
    ServerConnection,
    Session,
)
from tests.bogo.arguments import Arguments
from tests.bogo.endpoints import chain_of, identities_of, settings_of

__all__ = ["Unexpected", "run"]

PEER_SECONDS = 240.0  # the runner itself waits 300
INVERTED = bytes(byte ^ 0xFF for byte in range(256))


class Unexpected(Exception):
    """The session is not what the runner wants it to be."""


def run(arguments: Arguments) -> None:
    """Do it.

    Raises:
        Unsupported: pqdc has no such thing.
        PqdcError: the settings are refused, or the connection fails.
        Unexpected: it does not, but the session is another than wanted.
    """
    credentials = [identities_of(files) for files in arguments.credentials]
    secrets: dict[str, bytes] = {}
    settings = settings_of(arguments, sum(credentials, ()), secrets)
    host = "::1" if "-ipv6" in arguments.switches else "127.0.0.1"
    with socket.create_connection((host, arguments.number("-port") or 0), PEER_SECONDS) as peer:
        peer.sendall((arguments.number("-shim-id") or 0).to_bytes(8, "little"))
        _Exchange(arguments, settings, credentials, secrets, peer).run()


class _Exchange:
    """A connection on the runner's socket."""

    def __init__(
        self,
        arguments: Arguments,
        settings: Client | Server,
        credentials: Sequence[tuple[Identity, ...]],
        secrets: dict[str, bytes],
        peer: socket.socket,
    ) -> None:
        self._arguments = arguments
        self._credentials = credentials
        self._secrets = secrets
        self._peer = peer
        self._held = b""  # written by the application, and not yet taken by the network
        self._connection = ClientConnection(settings) if isinstance(settings, Client) else ServerConnection(settings)

    def run(self) -> None:
        """Shake hands, echo, and end."""
        try:
            self._flush()
            while not self._step():
                pass
        finally:
            self._drain()

    def _step(self) -> bool:
        """Take what came and answer; whether that was the end."""
        data = self._peer.recv(65_536)
        if not data:
            return self._take_end()
        step = 1 if "-async" in self._arguments.switches else len(data)
        for start in range(0, len(data), step):
            events = self._connection.receive(data[start : start + step])
            ended = [self._take(event) for event in events]
            # One KeyUpdate answers all that came before the next write (RFC 8446 section 4.6.3), so it waits for that.
            if self._connection.session is None or not all(isinstance(event, KeysUpdated) for event in events):
                self._flush()
            if any(ended):
                return True
        return False

    def _take_end(self) -> bool:
        is_lenient = self._connection.session is not None and "-check-close-notify" not in self._arguments.switches
        if not is_lenient:
            for event in self._connection.receive_end():
                self._take(event)
        return True

    def _take(self, event: Event) -> bool:
        if isinstance(event, Connected):
            return self._begin(event.session)
        if isinstance(event, Data):
            self._echo(event.data)
        elif isinstance(event, Failed):
            with contextlib.suppress(OSError):  # the peer may have gone
                self._flush()
            raise event.failure
        return isinstance(event, PeerClosed)

    def _begin(self, session: Session) -> bool:
        """What the application does first; whether it is all that it does."""
        switches = self._arguments.switches
        _check(session, self._arguments, self._credentials)
        if "-export-traffic-secrets" in switches:
            self._send_secrets(session)
        greeting = (self._arguments.text("-shim-initial-write") or "hello").encode("latin-1")
        if "-shim-writes-first" in switches:
            self._connection.send(greeting)
        if "-read-with-unfinished-write" in switches:
            self._flush()
            self._connection.send(greeting)
            self._held = self._connection.data_to_send()
            self._peer.sendall(self._held[:1])
        if "-shim-shuts-down" in switches:
            self._connection.close()
            return "-check-close-notify" not in switches
        if "-key-update-before-read" in switches:
            self._connection.update_keys()
        return False

    def _send_secrets(self, session: Session) -> None:
        client, server = self._secrets["CLIENT_TRAFFIC_SECRET_0"], self._secrets["SERVER_TRAFFIC_SECRET_0"]
        read, write = (server, client) if session.role == "client" else (client, server)
        self._connection.send(len(read).to_bytes(2, "little") + read + write)

    def _echo(self, data: bytes) -> None:
        self._peer.sendall(self._held[1:])
        self._held = b""
        if "-key-update" in self._arguments.switches:
            self._connection.update_keys()
        self._connection.send(data.translate(INVERTED))
        if "-key-update-before-read" in self._arguments.switches:
            self._connection.update_keys()

    def _flush(self) -> None:
        if not self._held:
            self._peer.sendall(self._connection.data_to_send())

    def _drain(self) -> None:
        """Say goodbye, and let the runner read it before the system resets the connection."""
        with contextlib.suppress(OSError):
            self._connection.close()
            self._flush()
            self._peer.shutdown(socket.SHUT_WR)
            while self._peer.recv(65_536):
                pass


def _check(session: Session, arguments: Arguments, credentials: Sequence[tuple[Identity, ...]]) -> None:
    """Compare the session with what the runner wants it to be."""
    peer, own = session.peer, session.own
    selected = [index for index, ways in enumerate(credentials) if any(way.proof is own for way in ways)]
    if selected == [len(arguments.credentials) - 1] and arguments.has_default:
        selected = [-1]
    facts = {
        "-expect-curve-id": session.group,
        "-expect-cipher": session.cipher_suite,
        "-expect-peer-signature-algorithm": peer.scheme if peer else None,
        "-expect-selected-credential": selected[0] if selected else None,
        "-expect-server-name": session.server_name,
        "-expect-alpn": None if session.alpn is None else session.alpn.decode("latin-1"),
        "-expect-peer-cert-file": peer.chain if peer else None,
    }
    for flag, fact in facts.items():
        wanted: Any = arguments.number(flag) if flag in arguments.numbers else arguments.text(flag)
        if flag == "-expect-peer-cert-file" and wanted is not None:
            wanted = tuple(certificate.der for certificate in chain_of(wanted))
        if wanted is not None and wanted != fact:
            raise Unexpected(f"{flag} {wanted}: it is {fact}")
    statements = {
        "-expect-hrr": session.retried,
        "-expect-no-hrr": not session.retried,
        "-expect-no-peer-cert": peer is None,
        "-pqdc-expect-dc": peer is not None and peer.dc is not None,
        "-expect-no-server-name": session.server_name is None,
    }
    for flag, is_true in statements.items():
        if flag in arguments.switches and not is_true:
            raise Unexpected(f"{flag}: it is not so")
