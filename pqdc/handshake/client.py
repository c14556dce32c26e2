"""The TLS 1.3 client (RFC 8446 section 4, RFC 9345 section 4.1.1): one handler for each message of the server's.

Rules held here: the server answers only what was asked; a HelloRetryRequest must change something, once; a credential
comes only if asked for, and proves the server by its own key. Session tickets are read and forgotten.
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
from pqdc.handshake.exchange import EXCHANGES, Ephemeral
from pqdc.handshake.extensions import KeyShare, Place, read_all, read_answer, write
from pqdc.handshake.key_schedule import SUITES, KeySchedule
from pqdc.handshake.messages import (
    HEADER_BYTES,
    CertificateMessage,
    CertificateRequest,
    ClientHello,
    EncryptedExtensions,
    NewSessionTicket,
    ServerHello,
)
from pqdc.handshake.settings import Client
from pqdc.handshake.suitability import Wishes

__all__ = ["ClientConnection"]

E = ExtensionType
_DOWNGRADE = (b"DOWNGRD\1", b"DOWNGRD\0")  # RFC 8446 section 4.1.3


class ClientConnection(Connection):
    """A client's side of one connection; its ClientHello is to be sent from the start."""

    role = Role.CLIENT

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._client = client
        self._random = client.entropy(32)
        self._session_id = client.entropy(32) if client.compatibility else b""
        shares = client.groups[:1] if client.key_shares is None else client.key_shares
        self._ephemerals: dict[int, Ephemeral] = {group: EXCHANGES[group].begin(client.entropy) for group in shares}
        self._group = 0
        self._retry: ServerHello | None = None
        self._request: CertificateRequest | None = None
        self._peer_offer = Offer(signature_algorithms=())
        self._peer_wishes = Wishes()
        self._alpn: bytes | None = None
        self._asked: frozenset[int] = frozenset()
        self._send_hello(None)
        self._compatibility_allowed = True
        self._expected = {HandshakeType.SERVER_HELLO: ClientConnection._take_server_hello}

    # ---- the hellos

    def _send_hello(self, cookie: bytes | None) -> None:
        shares = [KeyShare(group=group, key=own.share) for group, own in self._ephemerals.items()]
        values: dict[int, Any] = {E.KEY_SHARE: shares}
        if cookie is not None:
            values[E.COOKIE] = cookie
        extensions = self._client.hello + write(Place.CLIENT_HELLO, values)
        self._asked = frozenset([kind for kind, _ in extensions])
        self._send(
            ClientHello(
                random=self._random,
                session_id=self._session_id,
                cipher_suites=self._client.suites,
                extensions=extensions,
            )
        )
        self._flush(version=LEGACY_VERSION if self._retry else 0x0301)

    def _take_server_hello(self, message: bytes) -> None:
        hello = ServerHello.decode(message[HEADER_BYTES:])
        if hello.is_retry and self._retry is not None:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "a second HelloRetryRequest")
        place = Place.HELLO_RETRY_REQUEST if hello.is_retry else Place.SERVER_HELLO
        _check_version(hello)
        asked = self._asked | {E.COOKIE} if hello.is_retry else self._asked
        extensions = read_answer(place, hello.extensions, asked)
        self._check_echo(hello)
        if hello.is_retry:
            self._take_retry(hello, extensions, message)
        else:
            self._agree(hello, extensions, message)

    def _check_echo(self, hello: ServerHello) -> None:
        if hello.legacy_version != LEGACY_VERSION:
            raise _illegal(f"a legacy_version of 0x{hello.legacy_version:04x}")
        if hello.session_id != self._session_id:
            raise _illegal("a session id that is not ours")
        if hello.cipher_suite not in self._client.suites or hello.compression_method:
            raise _illegal(f"the cipher suite 0x{hello.cipher_suite:04x}, or a compression, that was not offered")
        if self._retry is not None and hello.cipher_suite != self._retry.cipher_suite:
            raise _illegal("another cipher suite than in the HelloRetryRequest")

    def _take_retry(self, hello: ServerHello, extensions: dict[int, Any], message: bytes) -> None:
        group, cookie = extensions.get(E.KEY_SHARE), extensions.get(E.COOKIE)
        if group is None and cookie is None:
            raise _illegal("a HelloRetryRequest that changes nothing")
        if group is not None:
            if group not in self._client.groups or group in self._ephemerals:
                raise _illegal(f"a HelloRetryRequest for the group 0x{group:04x}")
            self._ephemerals = {group: EXCHANGES[group].begin(self._client.entropy)}
            self._group = group
        self._suite = SUITES[hello.cipher_suite]
        self._transcript.begin(self._suite, retried=True)
        self._transcript.add(message)
        self._retry = hello
        if self._client.compatibility:
            self._send_compatibility()
        self._read_boundary()
        self._send_hello(cookie)

    def _agree(self, hello: ServerHello, extensions: dict[int, Any], message: bytes) -> None:
        share: KeyShare | None = extensions.get(E.KEY_SHARE)
        if share is None:
            raise ProtocolViolation(Alert.MISSING_EXTENSION, "a ServerHello without key_share")
        if E.PRE_SHARED_KEY in extensions or share.group not in self._ephemerals:
            raise _illegal(f"a key share of the group 0x{share.group:04x}, of which none was sent")
        self._group = share.group
        shared = exchange.finish(self._ephemerals[share.group], share.key)
        self._ephemerals = {}
        self._suite = SUITES[hello.cipher_suite]
        self._transcript.begin(self._suite)
        self._transcript.add(message)
        self._schedule = KeySchedule(self._suite, shared)
        client, server = self._schedule.handshake_secrets(self._transcript.digest())
        self._log("HANDSHAKE_TRAFFIC_SECRET", client, server)
        self._read_by(server)
        if self._client.compatibility and self._retry is None:
            self._send_compatibility()
        self._write_by(client)
        self._expected = {HandshakeType.ENCRYPTED_EXTENSIONS: ClientConnection._take_encrypted_extensions}

    def _take_encrypted_extensions(self, message: bytes) -> None:
        sent = EncryptedExtensions.decode(message[HEADER_BYTES:])
        extensions = read_answer(Place.ENCRYPTED_EXTENSIONS, sent.extensions, self._asked)
        chosen = extensions.get(E.ALPN)
        if chosen is not None:
            if len(chosen) != 1 or chosen[0] not in self._client.alpn:
                raise _illegal("an application protocol that was not offered")
            self._alpn = chosen[0]
        self._transcript.add(message)
        self._expected = {
            HandshakeType.CERTIFICATE_REQUEST: ClientConnection._take_request,
            HandshakeType.CERTIFICATE: ClientConnection._take_certificate,
        }

    # ---- authentication

    def _take_request(self, message: bytes) -> None:
        request = CertificateRequest.decode(message[HEADER_BYTES:])
        if request.context:
            raise _illegal("a certificate_request_context within the handshake")
        extensions = read_all(Place.CERTIFICATE_REQUEST, request.extensions)
        if E.SIGNATURE_ALGORITHMS not in extensions:
            raise ProtocolViolation(Alert.MISSING_EXTENSION, "a CertificateRequest without signature_algorithms")
        self._peer_offer = Offer(
            signature_algorithms=extensions[E.SIGNATURE_ALGORITHMS],
            delegated_credential=extensions.get(E.DELEGATED_CREDENTIAL),
        )
        self._peer_wishes = Wishes.of(extensions)
        self._request = request
        self._transcript.add(message)
        self._expected = {HandshakeType.CERTIFICATE: ClientConnection._take_certificate}

    def _take_certificate(self, message: bytes) -> None:
        shown = CertificateMessage.decode(message[HEADER_BYTES:])
        if shown.context:
            raise _illegal("a certificate_request_context in a server's Certificate")
        if not shown.entries:
            raise ProtocolViolation(Alert.DECODE_ERROR, "a server's Certificate without a certificate")
        asked = self._asked | {E.DELEGATED_CREDENTIAL}  # rules C2 and C3 say themselves what becomes of that
        for entry in shown.entries:
            read_answer(
                Place.CERTIFICATE, tuple(item for item in entry.extensions if item[0] != E.DELEGATED_CREDENTIAL), asked
            )
        self._peer = PeerCredentials(shown, Role.SERVER, self._client, self._client.server_name)
        self._transcript.add(message)
        self._expected = {HandshakeType.CERTIFICATE_VERIFY: ClientConnection._take_certificate_verify}

    def _take_finished(self, message: bytes) -> None:
        self._check_finished(message)
        client, server = self._schedule.application_secrets(self._transcript.digest())
        self._log("TRAFFIC_SECRET_0", client, server)
        self._read_by(server)
        own = self._prove() if self._request is not None else None
        self._send_finished()
        self._flush()
        self._write_by(client)
        self._connected(
            Session(
                role="client",
                cipher_suite=self._suite.code_point,
                group=self._group,
                server_name=self._client.server_name,
                alpn=self._alpn,
                retried=self._retry is not None,
                own=own.proof if own else None,
                peer=self._peer_proof,
            )
        )
        self._expected = {**self._expected, HandshakeType.NEW_SESSION_TICKET: ClientConnection._take_ticket}

    def _prove(self) -> Identity | None:
        """Show what the server takes, or nothing, which it may take too."""
        now = self._client.clock().timestamp()
        identity, _ = choose(self._client.identities, self._peer_offer, Role.CLIENT, now, self._peer_wishes)
        if identity is None:
            self._send(CertificateMessage(entries=()))
        else:
            self._send_proof(identity)
        return identity

    def _take_ticket(self, message: bytes) -> None:
        NewSessionTicket.decode(message[HEADER_BYTES:])


def _check_version(hello: ServerHello) -> None:
    """What comes must be TLS 1.3, and no other: RFC 8446 section 4.2.1."""
    for kind, data in hello.extensions:
        if kind == E.SUPPORTED_VERSIONS:
            if data != TLS13.to_bytes(2, "big"):
                raise _illegal(f"supported_versions says {data[:8].hex()}")
            return
    if hello.random[24:] in _DOWNGRADE:
        raise _illegal("a downgrade: the server knows TLS 1.3 and has been told otherwise")
    raise ProtocolViolation(Alert.PROTOCOL_VERSION, "the server does not speak TLS 1.3")


def _illegal(message: str) -> ProtocolViolation:
    return ProtocolViolation(Alert.ILLEGAL_PARAMETER, message)
