"""The TLS 1.3 server (RFC 8446 section 4, RFC 9345 sections 4.1.1, 4.1.2): a handler for each message of the client's.

Rules held here: a credential goes only to clients that ask for it, and only while it lasts; the second ClientHello is
the first but for what the HelloRetryRequest asked. No session tickets are sent, so none come back that count.
"""

from __future__ import annotations

from typing import Any

from pqdc.credential.offers import Offer
from pqdc.credential.structures import Role
from pqdc.handshake import exchange
from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.authentication import PeerCredentials
from pqdc.handshake.codepoints import LEGACY_VERSION, TLS13, ExtensionType, HandshakeType
from pqdc.handshake.credentials import Identity, choose
from pqdc.handshake.endpoint import Connection
from pqdc.handshake.events import Session
from pqdc.handshake.extensions import KeyShare, Place, read_all, write
from pqdc.handshake.key_schedule import SUITES, KeySchedule
from pqdc.handshake.messages import (
    HEADER_BYTES,
    HELLO_RETRY_RANDOM,
    CertificateMessage,
    CertificateRequest,
    ClientHello,
    EncryptedExtensions,
    ServerHello,
)
from pqdc.handshake.settings import ClientAuth, Server
from pqdc.handshake.suitability import Wishes

__all__ = ["ServerConnection"]

E = ExtensionType
_MAY_CHANGE = {E.KEY_SHARE, E.COOKIE, E.EARLY_DATA, E.PRE_SHARED_KEY, E.PADDING}  # RFC 8446 section 4.1.2
_COOKIE_BYTES = 32


class ServerConnection(Connection):
    """A server's side of one connection; it waits for a ClientHello."""

    role = Role.SERVER

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._server = server
        self._first: ClientHello | None = None
        self._retry_group = 0
        self._cookie = b""
        self._server_name: str | None = None
        self._alpn: bytes | None = None
        self._group = 0
        self._client_offer = Offer(signature_algorithms=())
        self._own: Identity | None = None
        self._client_secret = b""
        self._application: tuple[bytes, bytes] = (b"", b"")
        self._expected = {HandshakeType.CLIENT_HELLO: ServerConnection._take_client_hello}

    # ---- the hellos

    def _take_client_hello(self, message: bytes) -> None:
        self._read_boundary()
        hello = ClientHello.decode(message[HEADER_BYTES:])
        extensions = read_all(Place.CLIENT_HELLO, hello.extensions)
        _check_hello(hello, extensions)
        if self._first is not None:
            self._check_second(self._first, hello, extensions)
        self._random = hello.random
        self._compatibility_allowed = True
        self._transcript.add(message)
        suite = next((suite for suite in self._server.suites if suite in hello.cipher_suites), None)
        if suite is None:
            raise ProtocolViolation(Alert.HANDSHAKE_FAILURE, "no cipher suite in common")
        self._suite = SUITES[suite]
        share = self._choose_share(extensions)
        if E.EARLY_DATA in extensions:
            self._reader.skip_early_data()
        if share is None:
            self._ask_again(hello)
        else:
            self._agree(hello, extensions, share)

    def _choose_share(self, extensions: dict[int, Any]) -> KeyShare | None:
        """The client's share of the group that we like best; None if it must send one of `_retry_group`."""
        groups: tuple[int, ...] = extensions[E.SUPPORTED_GROUPS]
        shares: tuple[KeyShare, ...] = extensions[E.KEY_SHARE]
        for group in self._server.groups:
            for share in shares:
                if share.group == group:
                    return share
        self._retry_group = next((group for group in self._server.groups if group in groups), 0)
        if not self._retry_group:
            raise ProtocolViolation(Alert.HANDSHAKE_FAILURE, "no key exchange group in common")
        return None

    def _ask_again(self, hello: ClientHello) -> None:
        """HelloRetryRequest: RFC 8446 section 4.1.4."""
        self._first = hello
        values: dict[int, Any] = {E.SUPPORTED_VERSIONS: TLS13, E.KEY_SHARE: self._retry_group}
        if self._server.cookie:
            self._cookie = values[E.COOKIE] = self._server.entropy(_COOKIE_BYTES)
        self._transcript.begin(self._suite, retried=True)
        self._send(
            ServerHello(
                random=HELLO_RETRY_RANDOM,
                session_id=hello.session_id,
                cipher_suite=self._suite.code_point,
                extensions=write(Place.HELLO_RETRY_REQUEST, values),
            )
        )
        self._flush()
        if hello.session_id:
            self._send_compatibility()

    def _check_second(self, first: ClientHello, second: ClientHello, extensions: dict[int, Any]) -> None:
        """It must be the first, but for one share of the group asked for, and the cookie."""
        shares = extensions[E.KEY_SHARE]
        if len(shares) != 1 or shares[0].group != self._retry_group:
            raise _illegal(f"a second ClientHello without just one share of the group 0x{self._retry_group:04x}")
        if E.EARLY_DATA in extensions:
            raise _illegal("early_data in a second ClientHello")
        if extensions.get(E.COOKIE, b"") != self._cookie:
            raise _illegal("a second ClientHello without our cookie")
        if _unchanging(first) != _unchanging(second):
            raise _illegal("a second ClientHello that differs from the first")

    # ---- the server's flight

    def _agree(self, hello: ClientHello, extensions: dict[int, Any], share: KeyShare) -> None:
        self._client_offer = Offer(
            signature_algorithms=extensions[E.SIGNATURE_ALGORITHMS],
            delegated_credential=extensions.get(E.DELEGATED_CREDENTIAL),
        )
        self._group, self._server_name = share.group, extensions.get(E.SERVER_NAME)
        own = self._choose_identity(Wishes.of(extensions))
        answers = self._answers(extensions)
        public, shared = exchange.respond(share.group, share.key, self._server.entropy)
        suite = self._suite
        self._transcript.begin(suite)
        values: dict[int, Any] = {E.SUPPORTED_VERSIONS: TLS13, E.KEY_SHARE: KeyShare(group=share.group, key=public)}
        self._send(
            ServerHello(
                random=self._server.entropy(32),
                session_id=hello.session_id,
                cipher_suite=suite.code_point,
                extensions=write(Place.SERVER_HELLO, values),
            )
        )
        self._flush()
        if hello.session_id and self._first is None:
            self._send_compatibility()
        self._schedule = KeySchedule(suite, shared)
        self._client_secret, secret = self._schedule.handshake_secrets(self._transcript.digest())
        self._log("HANDSHAKE_TRAFFIC_SECRET", self._client_secret, secret)
        self._write_by(secret)
        self._read_by(self._client_secret)
        self._finish_flight(own, answers)

    def _finish_flight(self, own: Identity, answers: dict[int, Any]) -> None:
        self._send(EncryptedExtensions(extensions=write(Place.ENCRYPTED_EXTENSIONS, answers)))
        if self._server.client_auth is not ClientAuth.NO:
            self._send(CertificateRequest(extensions=write(Place.CERTIFICATE_REQUEST, self._server.asks())))
        self._send_proof(own)
        self._send_finished()
        self._flush()
        client, server = self._application = self._schedule.application_secrets(self._transcript.digest())
        self._log("TRAFFIC_SECRET_0", client, server)
        self._write_by(server)
        if self._server.client_auth is ClientAuth.NO:
            self._expected = {HandshakeType.FINISHED: ServerConnection._take_finished}
        else:
            self._expected = {HandshakeType.CERTIFICATE: ServerConnection._take_certificate}

    def _choose_identity(self, wishes: Wishes) -> Identity:
        if self._server.force and self._server.identities:
            self._own = self._server.identities[0]
            return self._own
        now = self._server.clock().timestamp()
        self._own, reasons = choose(self._server.identities, self._client_offer, Role.SERVER, now, wishes)
        if self._own is None:
            why = "; ".join(dict.fromkeys(reasons)) or "the server has none"
            raise ProtocolViolation(Alert.HANDSHAKE_FAILURE, f"no credential that this client takes: {why}")
        return self._own

    def _answers(self, extensions: dict[int, Any]) -> dict[int, Any]:
        """What EncryptedExtensions says."""
        answers: dict[int, Any] = {}
        if E.SERVER_NAME in extensions:
            answers[E.SERVER_NAME] = True
        offered = extensions.get(E.ALPN)
        if offered and self._server.alpn:
            self._alpn = next((name for name in self._server.alpn if name in offered), None)
            if self._alpn is None:
                raise ProtocolViolation(Alert.NO_APPLICATION_PROTOCOL, "no application protocol in common")
            answers[E.ALPN] = (self._alpn,)
        return answers

    # ---- the client's flight

    def _take_certificate(self, message: bytes) -> None:
        shown = CertificateMessage.decode(message[HEADER_BYTES:])
        if shown.context:
            raise _illegal("a certificate_request_context that is not ours")
        wanted = self._server.client_auth
        if not shown.entries:
            if wanted is not ClientAuth.OPTIONAL:
                raise ProtocolViolation(Alert.CERTIFICATE_REQUIRED, "the client has shown no certificate")
            self._expected = {HandshakeType.FINISHED: ServerConnection._take_finished}
        else:
            self._peer = self._judge(shown)
            if wanted is ClientAuth.DELEGATED and self._peer.dc is None:
                raise ProtocolViolation(Alert.CERTIFICATE_REQUIRED, "the client has shown no delegated credential")
            self._expected = {HandshakeType.CERTIFICATE_VERIFY: ServerConnection._take_certificate_verify}
        self._transcript.add(message)

    def _judge(self, shown: CertificateMessage) -> PeerCredentials:
        for entry in shown.entries:
            for kind, _ in entry.extensions:
                if kind != E.DELEGATED_CREDENTIAL:  # of which rules C2 and C3 say themselves what becomes
                    raise ProtocolViolation(Alert.UNSUPPORTED_EXTENSION, f"nobody asked for the extension {kind}")
        return PeerCredentials(shown, Role.CLIENT, self._server, None)

    def _take_finished(self, message: bytes) -> None:
        self._check_finished(message)
        self._read_by(self._application[0])
        self._connected(
            Session(
                role="server",
                cipher_suite=self._suite.code_point,
                group=self._group,
                server_name=self._server_name,
                alpn=self._alpn,
                retried=self._first is not None,
                own=self._own.proof if self._own else None,
                peer=self._peer_proof,
            )
        )


def _check_hello(hello: ClientHello, extensions: dict[int, Any]) -> None:
    """Version, compression, and the extensions that must be there: RFC 8446 sections 4.1.2, 4.2.1, 9.2."""
    if hello.legacy_version < LEGACY_VERSION or TLS13 not in extensions.get(E.SUPPORTED_VERSIONS, ()):
        raise ProtocolViolation(Alert.PROTOCOL_VERSION, "the client does not speak TLS 1.3")
    if hello.compression_methods != b"\0":
        raise _illegal("a compression method in a ClientHello of TLS 1.3")
    for kind in (E.SUPPORTED_GROUPS, E.KEY_SHARE, E.SIGNATURE_ALGORITHMS):
        if kind not in extensions:
            raise ProtocolViolation(Alert.MISSING_EXTENSION, f"a ClientHello without {kind.name.lower()}")
    if E.PRE_SHARED_KEY in extensions:
        if hello.extensions[-1][0] != E.PRE_SHARED_KEY:
            raise _illegal("pre_shared_key is not the last extension")
        if E.PSK_KEY_EXCHANGE_MODES not in extensions:
            raise ProtocolViolation(Alert.MISSING_EXTENSION, "pre_shared_key without psk_key_exchange_modes")
    groups = [share.group for share in extensions[E.KEY_SHARE]]
    if len(set(groups)) != len(groups) or not set(groups) <= set(extensions[E.SUPPORTED_GROUPS]):
        raise _illegal("key shares of a group twice, or of one that supported_groups lacks")


def _unchanging(hello: ClientHello) -> tuple[Any, ...]:
    """What the second ClientHello must say as the first did."""
    kept = tuple(extension for extension in hello.extensions if extension[0] not in _MAY_CHANGE)
    return hello.legacy_version, hello.random, hello.session_id, hello.cipher_suites, hello.compression_methods, kept


def _illegal(message: str) -> ProtocolViolation:
    return ProtocolViolation(Alert.ILLEGAL_PARAMETER, message)
