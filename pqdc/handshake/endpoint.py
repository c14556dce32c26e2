"""What both endpoints do: records to messages to handlers, alerts, closing, key updates (RFC 8446 4.6.3, 5, 6).

Bytes in, events and bytes out; no socket, no clock, no wait. A subclass says which messages it expects next, by a table
of handlers; anything else is an unexpected_message. After a failure nothing is read any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pqdc.credential.structures import Role
from pqdc.errors import PqdcError
from pqdc.handshake.alerts import Alert, HandshakeFailure, ProtocolViolation, alert_for, alert_name
from pqdc.handshake.assembly import Assembler
from pqdc.handshake.authentication import PeerCredentials, signed_content
from pqdc.handshake.codepoints import ContentType, HandshakeType, name_of
from pqdc.handshake.credentials import Identity
from pqdc.handshake.events import Connected, Data, Event, Failed, KeysUpdated, PeerClosed, Proof, Session
from pqdc.handshake.key_schedule import KeySchedule, Suite, next_secret
from pqdc.handshake.messages import HEADER_BYTES, CertificateVerify, Finished, KeyUpdate, Message, frame
from pqdc.handshake.record import RecordReader, RecordWriter, Traffic
from pqdc.handshake.settings import Settings
from pqdc.handshake.transcript import Transcript

__all__ = ["Connection"]

Handler = Callable[[Any, bytes], None]  # a method, not bound: a table of bound ones would keep its own connection alive


class Connection:
    """One connection. Subclasses are `ClientConnection` and `ServerConnection`.

    Attributes:
        session: what was agreed on; None before the handshake has finished.
        sent, received: the handshake messages so far, with their headers.
        sent_traffic, received_traffic: what the handshake cost on the wire, once it is finished.
        is_closed: whether nothing can be sent any more.
    """

    role: Role

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader = RecordReader(settings.limits)
        self._writer = RecordWriter()
        self._assembler = Assembler(settings.limits)
        self._transcript = Transcript()
        self._expected: Mapping[int, Handler] = {}
        self._events: list[Event] = []
        self._out = bytearray()
        self._flight = bytearray()
        self._owes_update = False
        self._updates = 0
        self._received_bytes = 0
        self._compatibility_allowed = False
        self._is_over = False
        self._suite: Suite  # from the hello that chooses it on
        self._schedule: KeySchedule  # from the ServerHello on
        self._read_secret = self._write_secret = b""
        self._peer: PeerCredentials | None = None
        self._peer_proof: Proof | None = None
        self._random = b""  # of the ClientHello, which names the connection in a key log
        self.session: Session | None = None
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.sent_traffic: Traffic | None = None
        self.received_traffic: Traffic | None = None
        self.is_closed = False

    # ---- what a caller does

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the peer, any number; returns what they have brought about. Then ask `data_to_send`."""
        if self._is_over:
            return []
        self._events = []
        self._reader.feed(data)
        try:
            while not self._is_over and (record := self._reader.next()) is not None:
                self._take(*record)
        except PqdcError as error:
            self._fail(error)
        return self._events

    def receive_end(self) -> list[Event]:
        """The peer's stream has ended: a failure, unless it has said so by close_notify."""
        if self._is_over:
            return []
        self._events = []
        self._end(HandshakeFailure("the peer is gone without close_notify", alert=None, sender=self._peer_name))
        return self._events

    def data_to_send(self) -> bytes:
        """What is to be sent to the peer, once."""
        data = bytes(self._out)
        self._out.clear()
        self._owes_update = False
        return data

    def send(self, data: bytes) -> None:
        """Send application data, after the handshake."""
        if self.session is None or self.is_closed:
            raise PqdcError("application data can be sent between the handshake and close_notify only")
        if self._writer.is_worn:
            self.update_keys()
        self._out += self._writer.write(ContentType.APPLICATION_DATA, data)

    def update_keys(self, *, ask_peer: bool = False) -> None:
        """Change our keys, and ask the peer to change its own if told so."""
        if self.session is None or self.is_closed:
            raise PqdcError("keys can be updated between the handshake and close_notify only")
        message = frame(KeyUpdate(request_update=int(ask_peer)))
        self._out += self._writer.write(ContentType.HANDSHAKE, message)
        self._write_secret = next_secret(self._suite, self._write_secret)
        self._writer.use(self._suite, self._write_secret)

    def close(self) -> None:
        """Say that nothing more will be sent; what the peer still sends can be read."""
        if not self.is_closed:
            self.is_closed = True
            self._out += self._writer.write(ContentType.ALERT, bytes([1, Alert.CLOSE_NOTIFY]))

    # ---- what comes in

    def _take(self, kind: int, content: bytes) -> None:
        if kind == ContentType.HANDSHAKE:
            self._assembler.feed(content)
            while not self._is_over and (message := self._assembler.next()) is not None:
                self._take_message(message)
        elif kind == ContentType.ALERT:
            self._take_alert(content)
        elif self._assembler.pending:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "another record within a handshake message")
        elif kind == ContentType.APPLICATION_DATA:
            if self.session is None:
                raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "application data before the end of the handshake")
            self._updates = 0
            if content:
                self._events.append(Data(content))
        elif kind != ContentType.CHANGE_CIPHER_SPEC or content != b"\1" or not self._compatibility_allowed:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, f"a record of type {kind} where none may stand")

    def _take_message(self, message: bytes) -> None:
        handler = self._expected.get(message[0])
        if handler is None:
            wanted = " or ".join(name_of(HandshakeType, kind) for kind in self._expected)
            raise ProtocolViolation(
                Alert.UNEXPECTED_MESSAGE, f"{wanted or 'no message'} wanted, got {name_of(HandshakeType, message[0])}"
            )
        if self.session is None:
            self._received_bytes += len(message)
            if self._received_bytes > self._settings.limits.handshake_bytes:
                raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, "the handshake is larger than the limit")
            self.received.append(message)
        handler(self, message)

    def _take_alert(self, content: bytes) -> None:
        if len(content) != 2:
            raise ProtocolViolation(Alert.DECODE_ERROR, f"an alert has two bytes, this has {len(content)}")
        if content[1] == Alert.CLOSE_NOTIFY and self.session is not None:
            if self._assembler.pending:
                raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "close_notify within a handshake message")
            self._is_over = True
            self._events.append(PeerClosed())
        elif content[1] == Alert.USER_CANCELED:
            self._count_update()  # a close_notify follows; not for ever
        else:
            name = alert_name(content[1])
            self._end(HandshakeFailure(f"the peer sent {name}", alert=content[1], sender=self._peer_name))

    def _take_key_update(self, message: bytes) -> None:
        asked = KeyUpdate.decode(message[HEADER_BYTES:]).request_update
        if asked > 1:
            raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, f"a request_update of {asked}")
        self._count_update()
        self._read_secret = next_secret(self._suite, self._read_secret)
        self._read_by(self._read_secret)
        answered = bool(asked) and not self.is_closed and not self._owes_update
        if answered:
            self.update_keys()
            self._owes_update = True
        self._events.append(KeysUpdated(answered))

    def _count_update(self) -> None:
        self._updates += 1
        if self._updates > self._settings.limits.key_updates:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, f"{self._updates} messages in a row that bring nothing")

    # ---- what goes out

    def _send(self, message: Message) -> None:
        """Add a handshake message to the flight."""
        encoded = frame(message)
        self._transcript.add(encoded)
        self.sent.append(encoded)
        self._flight += encoded

    def _flush(self, *, version: int = 0x0303) -> None:
        """Put the flight into records under the keys in use."""
        if self._flight:
            self._out += self._writer.write(ContentType.HANDSHAKE, bytes(self._flight), version=version)
            self._flight.clear()

    def _send_compatibility(self) -> None:
        self._out += self._writer.write(ContentType.CHANGE_CIPHER_SPEC, b"\1")

    def _send_proof(self, identity: Identity) -> None:
        """Certificate and CertificateVerify."""
        self._send(identity.message)
        signature = identity.key.sign(signed_content(self.role, self._transcript.digest()))
        self._send(CertificateVerify(algorithm=identity.scheme, signature=signature))

    def _take_certificate_verify(self, message: bytes) -> None:
        if self._peer is None:
            raise RuntimeError("a CertificateVerify before its Certificate")
        verify = CertificateVerify.decode(message[HEADER_BYTES:])
        self._peer_proof = self._peer.check_signature(verify, self._transcript.digest())
        self._transcript.add(message)
        self._expected = {HandshakeType.FINISHED: type(self)._take_finished}  # noqa: SLF001 - our own, by role

    def _take_finished(self, message: bytes) -> None:
        """Check it, and go on as the role does."""
        raise NotImplementedError

    def _send_finished(self) -> None:
        self._send(Finished(verify_data=self._schedule.finished(self._write_secret, self._transcript.digest())))

    def _check_finished(self, message: bytes) -> None:
        """The peer's Finished; the transcript ends before it."""
        digest, verify_data = self._transcript.digest(), message[HEADER_BYTES:]
        if len(verify_data) != self._suite.hash_bytes:
            raise ProtocolViolation(Alert.DECODE_ERROR, f"a Finished of {len(verify_data)} bytes")
        if not self._schedule.is_finished(self._read_secret, digest, verify_data):
            raise ProtocolViolation(Alert.DECRYPT_ERROR, "the Finished does not verify")
        self._transcript.add(message)

    # ---- keys

    def _read_boundary(self) -> None:
        """RFC 8446 section 5.1 wants messages to end where keys change, or where an answer is waited for."""
        if self._assembler.pending:
            raise ProtocolViolation(Alert.UNEXPECTED_MESSAGE, "a message goes on across a change of keys")

    def _read_by(self, secret: bytes) -> None:
        """Open records by this secret from now on."""
        self._read_boundary()
        self._read_secret = secret
        self._reader.use(self._suite, secret)

    def _write_by(self, secret: bytes) -> None:
        """Protect records by this secret from now on."""
        self._write_secret = secret
        self._writer.use(self._suite, secret)

    def _log(self, label: str, client: bytes, server: bytes) -> None:
        if self._settings.keylog is not None:
            self._settings.keylog(f"CLIENT_{label} {self._random.hex()} {client.hex()}")
            self._settings.keylog(f"SERVER_{label} {self._random.hex()} {server.hex()}")

    # ---- ends

    def _connected(self, session: Session) -> None:
        self.session = session
        self._compatibility_allowed = False
        self.sent_traffic = self._writer.traffic.copy()
        self.received_traffic = self._reader.traffic.copy()
        self._expected = {HandshakeType.KEY_UPDATE: Connection._take_key_update}
        self._events.append(Connected(session))

    @property
    def _peer_name(self) -> str:
        return self.role.other.name.lower()

    def _fail(self, error: PqdcError) -> None:
        alert = alert_for(error)
        self._flight.clear()
        if not self.is_closed:
            self._out += self._writer.write(ContentType.ALERT, bytes([2, alert]))
        own = self.role.name.lower()
        self._end(HandshakeFailure(f"{own} sends {alert_name(alert)}: {error}", alert=alert, sender=own, reason=error))

    def _end(self, failure: HandshakeFailure) -> None:
        self._is_over = self.is_closed = True
        self._expected = {}
        self._events.append(Failed(failure))
