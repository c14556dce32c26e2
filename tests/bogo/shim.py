"""One test: pqdc's client or server as the runner's arguments want it, on a socket that connects to the runner.

After the handshake every byte comes back inverted. What the runner wants to be told of the session is compared here;
the rest it judges itself, by what it sees on the wire.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509

from pqdc.credential.certificate import Certificate
from pqdc.credential.leaf import read_certificates
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.handshake import (
    Alert,
    CipherSuite,
    Client,
    ClientAuth,
    ClientConnection,
    Connected,
    Data,
    Event,
    Failed,
    Group,
    Identity,
    KeysUpdated,
    Limits,
    PeerClosed,
    ProtocolViolation,
    Server,
    ServerConnection,
    Session,
    Trust,
)
from pqdc.handshake.path import check_path
from pqdc.handshake.settings import DEFAULT_GROUPS, schemes_to_verify
from pqdc.scheme import keyfile
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.keys import PrivateKey
from tests.bogo.arguments import Arguments, CredentialFiles, Unsupported

__all__ = ["Unexpected", "prepare", "run"]

TLS13 = 0x0304
PEER_SECONDS = 240.0  # the runner itself waits 300
GROUPS = (*DEFAULT_GROUPS, Group.SECP384R1)  # unless told otherwise; with the last the runner makes us ask again
LONGEST_CHAIN = 100  # the runner makes large messages of long chains
INVERTED = bytes(byte ^ 0xFF for byte in range(256))
CATALOG = load_catalog()


class Unexpected(Exception):
    """The session is not what the runner wants it to be."""


def prepare(arguments: Arguments) -> None:
    """Load what such a test needs, for the processes that are forked from this one.

    Raises:
        PqdcError: a file cannot be used.
    """
    _schemes_to_verify()
    for files in arguments.credentials:
        _identities(files)


def run(arguments: Arguments) -> None:
    """Do it.

    Raises:
        Unsupported: pqdc has no such thing.
        PqdcError: the settings are refused, or the connection fails.
        Unexpected: it does not, but the session is another than wanted.
    """
    credentials = [_identities(files) for files in arguments.credentials]
    secrets: dict[str, bytes] = {}
    settings = _settings(arguments, sum(credentials, ()), secrets)
    host = "::1" if "-ipv6" in arguments.switches else "127.0.0.1"
    with socket.create_connection((host, arguments.number("-port") or 0), PEER_SECONDS) as peer:
        peer.sendall((arguments.number("-shim-id") or 0).to_bytes(8, "little"))
        _Exchange(arguments, settings, credentials, secrets, peer).run()


# ---- settings


def _settings(arguments: Arguments, identities: tuple[Identity, ...], secrets: dict[str, bytes]) -> Client | Server:
    switches, numbers = arguments.switches, arguments.numbers
    _check_version(arguments)
    common: dict[str, Any] = {
        "catalog": CATALOG,
        "clock": _now,
        "identities": identities,
        "trust": _trust(arguments),
        "signature_algorithms": numbers.get("-verify-prefs") or _schemes_to_verify(),
        "dc_schemes": numbers.get("-pqdc-dc-schemes", ()),
        "groups": _known(Group, numbers.get("-curves", GROUPS)),
        "limits": Limits(
            chain_length=LONGEST_CHAIN, message_bytes=arguments.number("-max-cert-list") or Limits().message_bytes
        ),
        "keylog": lambda line: secrets.update({line.split()[0]: bytes.fromhex(line.split()[2])}),
    }
    if "-tls13-ciphers" in numbers:
        common["suites"] = _known(CipherSuite, numbers["-tls13-ciphers"])
    if "-server" in switches:
        return Server(client_auth=_client_auth(switches), alpn=_alpn_of_server(arguments), **common)
    shares = _known(Group, numbers["-key-shares"]) if "-key-shares" in numbers else None
    return Client(
        server_name=arguments.text("-host-name"),
        key_shares=() if "-no-key-shares" in switches else shares,
        alpn=_protocols(arguments.text("-advertise-alpn") or ""),
        **common,
    )


def _check_version(arguments: Arguments) -> None:
    lowest, highest = arguments.number("-min-version") or 0, arguments.number("-max-version") or TLS13
    if not lowest <= TLS13 <= highest:
        raise Unsupported("a version other than TLS 1.3")
    if arguments.number("-expect-version") not in {None, TLS13}:
        raise Unsupported("a version other than TLS 1.3")


def _known(enumeration: type[Group | CipherSuite], numbers: Iterable[int]) -> tuple[int, ...]:
    numbers = tuple(numbers)
    if not set(numbers) <= set(enumeration):
        raise Unsupported(f"{enumeration.__name__} {numbers}")
    return numbers


def _client_auth(switches: frozenset[str]) -> ClientAuth:
    if "-require-any-client-certificate" in switches:
        return ClientAuth.REQUIRED
    return ClientAuth.OPTIONAL if "-verify-peer" in switches else ClientAuth.NO


def _protocols(packed: str) -> tuple[bytes, ...]:
    data, found = packed.encode("latin-1"), []
    while data:
        found.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return tuple(found)


def _alpn_of_server(arguments: Arguments) -> tuple[bytes, ...]:
    if "-reject-alpn" in arguments.switches:
        return (b"a protocol that nobody offers",)
    selected = None if "-decline-alpn" in arguments.switches else arguments.text("-select-alpn")
    return () if selected is None else (selected.encode("latin-1"),)


class _Path(Trust):
    """The path to a root, whatever the server is called: the runner's leaves have no subject, and no name is wanted."""

    def check(self, chain: Sequence[bytes], *, now: datetime, role: Role, name: str | None) -> None:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        check_path(certificates, self._roots, now=now, role=role, name=None)


class _Nobody(Trust):
    """What an application believes that distrusts everyone; BoringSSL's callbacks have these two alerts for it."""

    def __init__(self, alert: Alert) -> None:
        super().__init__(())
        self._alert = alert

    def check(self, chain: Sequence[bytes], *, now: datetime, role: Role, name: str | None) -> None:
        raise ProtocolViolation(self._alert, "the application distrusts the chain")


def _trust(arguments: Arguments) -> Trust | None:
    if "-verify-fail" in arguments.switches:
        is_custom = "-use-custom-verify-callback" in arguments.switches
        return _Nobody(Alert.CERTIFICATE_UNKNOWN if is_custom else Alert.HANDSHAKE_FAILURE)
    root = arguments.text("-trust-cert")
    return _Path(certificate.der for certificate in _chain(root)) if root else None


@lru_cache(maxsize=1)
def _schemes_to_verify() -> tuple[int, ...]:
    return schemes_to_verify(CATALOG)


@lru_cache(maxsize=1024)
def _identities(files: CredentialFiles) -> tuple[Identity, ...]:
    """The ways to use a credential: an RSA key signs by several schemes."""
    leaf, *issuers = _chain(files.certificates)
    below = tuple(issuer.der for issuer in issuers)
    keys = _keys(Path(files.key).read_bytes(), Path(files.key))
    if files.delegated is not None:
        dc = DelegatedCredential.decode(files.delegated)
        fitting = [key for key in keys if key.scheme.code_point == dc.cred.dc_cert_verify_algorithm]
        return (Identity.delegated(dc, (fitting or keys)[0], leaf, below),)
    found = [
        Identity(leaf=leaf, issuers=below, key=key)
        for key in keys
        if key.scheme.code_point in files.schemes or not files.schemes
    ]
    return tuple(sorted(found, key=lambda own: files.schemes.index(own.scheme) if files.schemes else 0))


_LOADED: dict[bytes, list[PrivateKey]] = {}


def _keys(content: bytes, path: Path) -> list[PrivateKey]:
    """The keys of a file; the runner has many copies of few, and RSA keys are checked when they are loaded."""
    if content not in _LOADED:
        _LOADED[content] = keyfile.load_private_keys(path, CATALOG)
    return _LOADED[content]


def _chain(path: str) -> list[Certificate]:
    return read_certificates(Path(path), CATALOG)


def _now() -> datetime:
    return datetime.now(UTC)


# ---- the connection


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
            wanted = tuple(certificate.der for certificate in _chain(wanted))
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
