"""aioquic's TLS 1.3, a second implementation in Python, against our endpoints in memory; it knows no credentials.

It has no record layer, since QUIC has its own: `OverRecords` gives it ours. What is judged are messages, transcripts,
key schedules and signatures, each made by one side and read by the other.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from pqdc import pem
from pqdc.handshake import CipherSuite, ClientAuth, ClientConnection, Data, Failed, Group, ServerConnection
from pqdc.handshake import messages as m
from pqdc.handshake.codepoints import ContentType
from pqdc.handshake.key_schedule import SUITES
from pqdc.handshake.limits import Limits
from pqdc.handshake.record import RecordReader, RecordWriter
from tests.test_handshake import World

tls = pytest.importorskip("aioquic.tls", reason="aioquic is not installed: pip install aioquic")
Buffer = pytest.importorskip("aioquic.buffer").Buffer

LEAVES = ["P-256", "P-384", "Ed25519", "Ed448", "RSA-2048"]
GROUPS = {Group.X25519: tls.Group.X25519, Group.SECP256R1: tls.Group.SECP256R1}
MESSAGES = {
    kind.type: kind
    for kind in (
        m.ClientHello,
        m.ServerHello,
        m.EncryptedExtensions,
        m.CertificateRequest,
        m.CertificateMessage,
        m.CertificateVerify,
    )
}


class OverRecords:
    """An aioquic context between records; it has the methods of a `Connection` that carrying bytes needs."""

    def __init__(self, context):
        self._context = context
        self._reader = RecordReader(Limits())
        self._writers = {epoch: RecordWriter() for epoch in tls.Epoch}
        self._out = b""
        self.data = b""
        context.update_traffic_key_cb = self._use
        if context._is_client:
            self._handle(b"")

    @property
    def is_finished(self):
        return self._context.state in {tls.State.CLIENT_POST_HANDSHAKE, tls.State.SERVER_POST_HANDSHAKE}

    def _use(self, direction, epoch, suite, secret):
        end = self._reader if direction == tls.Direction.DECRYPT else self._writers[epoch]
        end.use(SUITES[suite], secret)

    def _handle(self, message):
        buffers = {epoch: Buffer(capacity=2**16) for epoch in tls.Epoch}
        self._context.handle_message(message, buffers)
        for epoch, buffer in buffers.items():
            if buffer.data:
                self._out += self._writers[epoch].write(ContentType.HANDSHAKE, buffer.data)

    def receive(self, data):
        self._reader.feed(data)
        while (record := self._reader.next()) is not None:
            kind, content = record
            assert kind != ContentType.ALERT, content.hex()
            if kind == ContentType.HANDSHAKE:
                self._handle(content)
            elif kind == ContentType.APPLICATION_DATA:
                self.data += content
        return []

    def send(self, data):
        self._out += self._writers[tls.Epoch.ONE_RTT].write(ContentType.APPLICATION_DATA, data)

    def data_to_send(self):
        data, self._out = self._out, b""
        return data


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module", params=LEAVES)
def world(request):
    """A world of today, since aioquic asks the clock."""
    return World(request.param, now=now())


def context(world, *, is_client, group=Group.X25519, suite=CipherSuite.AES_128_GCM_SHA256, proves=True):
    made = tls.Context(
        is_client=is_client,
        alpn_protocols=["pqdc"],
        cadata=pem.armour("CERTIFICATE", world.authority.der),
        cipher_suites=[tls.CipherSuite(suite)],
        server_name="localhost" if is_client else None,
    )
    made._supported_groups = [GROUPS[group]]
    if proves:
        made.certificate = x509.load_der_x509_certificate(world.leaf.der)
        made.certificate_private_key = load_der_private_key(world.leaf_key.pkcs8(), None)
    return made


def meet(client, server):
    """A handshake, then a word each way; the events of ours."""
    events = []
    for _ in range(4):
        events += server.receive(client.data_to_send())
        events += client.receive(server.data_to_send())
    for event in events:
        assert not isinstance(event, Failed), event.failure
    client.send(b"from the client")
    server.send(b"from the server")
    events += server.receive(client.data_to_send())
    return events + client.receive(server.data_to_send())


def check_messages(received):
    """All that aioquic sent is read, and written again, byte for byte."""
    seen = set()
    for message in received:
        kind, body = message[0], message[m.HEADER_BYTES :]
        seen.add(kind)
        if kind in MESSAGES:
            assert m.frame(MESSAGES[kind].decode(body)) == message
        else:
            assert m.frame(m.Finished(verify_data=body)) == message
    return seen


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("suite", CipherSuite)
def test_our_client_and_its_server(world, group, suite):
    """It is offered credentials, and does not know them."""
    theirs = OverRecords(context(world, is_client=False, group=group, suite=suite))
    ours = ClientConnection(world.client("ML-DSA-44", "P-256", now=now(), alpn=(b"pqdc",), groups=(group,)))
    events = meet(ours, theirs)
    assert theirs.is_finished
    assert theirs.data == b"from the client"
    assert events[-1] == Data(b"from the server")
    session = ours.session
    assert (session.group, session.cipher_suite, session.alpn) == (group, suite, b"pqdc")
    assert (session.peer.dc, session.peer.chain) == (None, (world.leaf.der,))
    assert check_messages(ours.received) == {2, 8, 11, 15, 20}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("suite", CipherSuite)
def test_its_client_and_our_server(world, group, suite):
    """It asks for no credential, and gets the leaf's own key, although the server likes another better."""
    settings = world.server(world.mint("ML-DSA-44", now=now()), world.plain, now=now(), alpn=(b"pqdc",))
    theirs, ours = OverRecords(context(world, is_client=True, group=group, suite=suite)), ServerConnection(settings)
    events = meet(theirs, ours)
    assert theirs.is_finished
    assert theirs.data == b"from the server"
    assert events[-1] == Data(b"from the client")
    assert (ours.session.group, ours.session.cipher_suite, ours.session.own.dc) == (group, suite, None)
    assert check_messages(ours.received) == {1, 20}


def test_its_client_proves_itself(world):
    settings = world.server(
        now=now(), alpn=(b"pqdc",), client_auth=ClientAuth.REQUIRED, trust=world.trust, dc_schemes=(0x0904,)
    )
    ours = ServerConnection(settings)
    meet(OverRecords(context(world, is_client=True)), ours)
    assert ours.session.peer.chain == (world.leaf.der,)
    assert check_messages(ours.received) == {1, 11, 15, 20}


def test_our_client_proves_itself_to_its_server(world):
    theirs = context(world, is_client=False)
    theirs._request_client_certificate = True
    ours = ClientConnection(world.client(now=now(), alpn=(b"pqdc",), identities=(world.plain,)))
    meet(ours, OverRecords(theirs))
    assert theirs._peer_certificate == x509.load_der_x509_certificate(world.leaf.der)
    assert check_messages(ours.received) == {2, 8, 11, 13, 15, 20}


def test_its_client_believes_no_other_key(world):
    """The shim would tell: a credential that nobody asked for is signed by a key that the leaf does not have."""
    ours = ServerConnection(world.server(world.mint("P-256", now=now()), now=now(), alpn=(b"pqdc",), force=True))
    theirs = OverRecords(context(world, is_client=True))
    ours.receive(theirs.data_to_send())
    with pytest.raises(tls.AlertDecryptError):
        theirs.receive(ours.data_to_send())
