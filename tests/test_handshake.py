"""Two endpoints in memory: what they agree on, what they believe, and what each failure is called."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

import pqdc
from pqdc.credential import fit, refusals
from pqdc.credential.structures import Credential, DelegatedCredential, Role
from pqdc.errors import KeyFormatError, PqdcError
from pqdc.handshake import (
    Alert,
    CipherSuite,
    Client,
    ClientAuth,
    ClientConnection,
    Data,
    Failed,
    Group,
    HandshakeFailure,
    Identity,
    KeysUpdated,
    Limits,
    PeerClosed,
    Server,
    ServerConnection,
    Trust,
    shake_hands,
)
from pqdc.handshake.suitability import Wishes
from pqdc.handshake.transport.memory import exchange
from pqdc.scheme import backends

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CATALOG = pqdc.load_catalog()


def new_key(name):
    scheme = CATALOG[name]
    return backends.choose(scheme).generate(scheme)


class World:
    """A CA, a leaf under it, and endpoints that trust the one and use the other."""

    def __init__(self, leaf_scheme="P-256", ca_scheme="P-256", *, now=NOW, **leaf_options):
        self.authority = pqdc.make_authority(new_key(ca_scheme), name="test CA", days=400, now=now)
        self.leaf_key = new_key(leaf_scheme)
        options = {"hosts": ["localhost", "127.0.0.1", "*.example.org"], "days": 90, "now": now, "catalog": CATALOG}
        self.leaf = self.authority.issue(self.leaf_key, **options | leaf_options)
        self.trust = Trust([self.authority.der])
        self.plain = Identity.of_certificate([self.leaf.der], self.leaf_key, CATALOG)

    def mint(self, scheme, *, role=Role.SERVER, hours=24, now=NOW):
        dc, key = pqdc.mint(
            pqdc.Leaf(self.leaf, self.leaf_key.sign),
            CATALOG[scheme],
            role=role,
            now=now,
            valid_for=timedelta(hours=hours),
        )
        return Identity.delegated(dc, key, self.leaf)

    def server(self, *identities, now=NOW, **options):
        return Server(catalog=CATALOG, clock=lambda: now, identities=identities or (self.plain,), **options)

    def client(self, *dc_schemes, now=NOW, **options):
        points = tuple(CATALOG[name].code_point for name in dc_schemes)
        given = {"trust": self.trust, "server_name": "localhost", "dc_schemes": points}
        return Client(catalog=CATALOG, clock=lambda: now, **given | options)


@pytest.fixture(scope="module")
def world():
    return World()


def fails(client, server, alert, sender, reason=None):
    """The handshake ends by that alert of that side; the error behind it, if one is asked for, is of that kind."""
    with pytest.raises(HandshakeFailure) as caught:
        shake_hands(client, server)
    failure = caught.value
    assert failure.alert == alert, str(failure)
    assert failure.sender == sender, str(failure)
    if reason is not None:
        assert isinstance(failure.reason, reason)
    return failure


COMPUTABLE = [
    scheme.name for scheme in CATALOG.values() if backends.available(scheme) and not fit.reason_against(scheme)
]


@pytest.mark.parametrize("scheme", COMPUTABLE)
def test_every_scheme_that_fits_proves_server_and_client(world, scheme):
    point = CATALOG[scheme].code_point
    server = world.server(
        world.mint(scheme),
        world.plain,
        client_auth=ClientAuth.DELEGATED,
        dc_schemes=(point,),
        trust=world.trust,
    )
    client = world.client(scheme, identities=(world.mint(scheme, role=Role.CLIENT),))
    outcome = shake_hands(client, server)
    for proof in (outcome.client.peer, outcome.client.own, outcome.server.peer, outcome.server.own):
        assert proof.scheme == proof.dc.cred.dc_cert_verify_algorithm == point
        assert proof.dc_expiry == int(NOW.timestamp()) + 86400
    for direction in (outcome.ledger.client, outcome.ledger.server):
        _check_formula(direction, CATALOG[scheme])


def _check_formula(direction, scheme):
    """The ledger against what the structures must cost: RFC 8446 sections 4.4.2, 4.4.3 and 5.2, RFC 9345 section 4."""
    key = pqdc.scheme.spki.encoded_bytes(scheme)
    assert direction.bytes_of("Certificate", "delegated_credential", "spki") == key
    signature = direction.bytes_of("Certificate", "delegated_credential", "signature")
    assert 68 <= signature <= 72
    assert direction.bytes_of("Certificate", "delegated_credential") == 4 + 4 + 2 + 3 + key + 2 + 2 + signature
    der = direction.bytes_of("Certificate", "leaf certificate")
    assert direction.bytes_of("Certificate") == (
        4 + 1 + 3 + 3 + der + 2 + direction.bytes_of("Certificate", "delegated_credential")
    )
    made = direction.bytes_of("CertificateVerify", "signature")
    assert scheme.makes_signature_of(made)
    assert direction.bytes_of("CertificateVerify") == 4 + 2 + 2 + made
    assert direction.bytes_of("Finished") == 4 + 32
    assert sum(message.bytes for message in direction.messages) == direction.handshake_bytes
    for message in direction.messages:
        assert sum(part.bytes for part in message.parts) == message.bytes
    hello = direction.messages[0].bytes
    protected = direction.handshake_bytes - hello
    records = -(-protected // 16384)
    assert direction.records == 1 + records
    assert direction.record_overhead == 5 + 22 * records
    assert direction.compatibility_bytes == 6
    assert direction.wire_bytes == hello + protected + direction.record_overhead + 6


LEAVES = [
    ("P-256", "P-256"),
    ("P-384", "P-384"),
    ("P-521", "P-256"),
    ("Ed25519", "P-256"),
    ("Ed25519", "Ed25519"),
    ("Ed448", "Ed448"),
    ("RSA-2048", "RSA-2048"),
    ("ML-DSA-44", "ML-DSA-44"),
    ("ML-DSA-65", "ML-DSA-87"),
]


@pytest.mark.parametrize(("leaf", "ca"), LEAVES)
def test_leaves_prove_themselves_and_delegate(leaf, ca):
    world = World(leaf, ca)
    outcome = shake_hands(world.client("ML-DSA-44"), world.server())
    assert outcome.client.peer.dc is None
    assert outcome.client.peer.scheme == CATALOG[leaf].code_point
    outcome = shake_hands(world.client("ML-DSA-44"), world.server(world.mint("ML-DSA-44")))
    assert outcome.client.peer.scheme == CATALOG["ML-DSA-44"].code_point
    assert outcome.client.peer.dc.algorithm == CATALOG[leaf].code_point
    stranger = World(leaf, ca)
    fails(stranger.client(), world.server(), Alert.BAD_CERTIFICATE, "client")
    fails(world.client(server_name="elsewhere"), world.server(), Alert.BAD_CERTIFICATE, "client")
    late = world.client(now=NOW + timedelta(days=91))
    fails(late, world.server(), Alert.CERTIFICATE_EXPIRED, "client")


@pytest.mark.parametrize("group", Group)
@pytest.mark.parametrize("suite", CipherSuite)
def test_groups_and_suites(world, group, suite):
    client = world.client(groups=(group,), suites=(suite,))
    outcome = shake_hands(client, world.server(groups=tuple(Group)))
    assert (outcome.client.group, outcome.client.cipher_suite) == (group, suite)
    assert outcome.client == dataclasses.replace(
        outcome.server, role="client", server_name="localhost", peer=outcome.server.own, own=None
    )
    again = shake_hands(
        world.client(groups=tuple(Group), key_shares=(), suites=(suite,)), world.server(groups=(group,))
    )
    assert (again.server.group, again.server.retried, again.client.retried) == (group, True, True)
    names = [message.name for message in again.ledger.server.messages]
    assert names[:2] == ["HelloRetryRequest", "ServerHello"]


def test_retry_with_cookie(world):
    client = world.client("ML-DSA-44", key_shares=())
    assert shake_hands(client, world.server(world.mint("ML-DSA-44"), cookie=True)).client.retried


def test_names_and_protocols(world):
    outcome = shake_hands(
        world.client(server_name="www.example.org", alpn=(b"h2", b"http/1.1")), world.server(alpn=(b"http/1.1",))
    )
    assert outcome.server.server_name == "www.example.org"
    assert outcome.server.alpn == outcome.client.alpn == b"http/1.1"
    assert shake_hands(world.client(server_name="127.0.0.1"), world.server()).server.server_name is None
    fails(world.client(alpn=(b"h2",)), world.server(alpn=(b"x",)), Alert.NO_APPLICATION_PROTOCOL, "server")


def test_the_first_credential_that_the_client_takes(world):
    server = world.server(world.mint("ML-DSA-44"), world.mint("Ed25519"), world.plain)
    assert shake_hands(world.client("Ed25519"), server).client.peer.scheme == CATALOG["Ed25519"].code_point
    assert shake_hands(world.client("Ed25519", "ML-DSA-44"), server).client.peer.scheme == 0x0904
    assert shake_hands(world.client("P-384"), server).client.peer.dc is None
    assert shake_hands(world.client(), server).client.peer.dc is None  # S1


def test_s1_without_fallback_is_handshake_failure(world):
    fails(world.client(), world.server(world.mint("Ed25519")), Alert.HANDSHAKE_FAILURE, "server")
    fails(world.client("P-384"), world.server(world.mint("Ed25519")), Alert.HANDSHAKE_FAILURE, "server")


def test_the_leaf_is_the_one_of_the_name_that_the_client_wants(world):
    """RFC 8446 section 4.4.2.2: server_name guides the choice, first of all; among the others the order stays."""
    other = World(hosts=["other.example", "*.other.example"])
    both = world.server(world.plain, other.plain)
    for name, wanted in (
        ("localhost", world),
        ("other.example", other),
        ("www.other.example", other),
        ("OTHER.example", other),
        ("127.0.0.1", world),  # an address is not sent
        ("unknown.example", world),
    ):
        session = shake_hands(world.client(server_name=name, trust=None), both).client
        assert session.peer.chain == (wanted.leaf.der,)
    # The preferred credential of the right leaf, and not the first of the wrong one.
    many = world.server(world.mint("Ed25519"), world.plain, other.mint("ML-DSA-44"), other.plain)
    client = world.client("Ed25519", "ML-DSA-44", server_name="other.example", trust=other.trust)
    assert shake_hands(client, many).client.peer.scheme == CATALOG["ML-DSA-44"].code_point
    # A leaf whose key the client cannot check is no choice, whatever its name.
    client = world.client(server_name="other.example", trust=None, signature_algorithms=(0x0807,))
    edwards = World("Ed25519")
    assert shake_hands(client, world.server(other.plain, edwards.plain)).client.peer.chain == (edwards.leaf.der,)


@pytest.mark.parametrize("ca", ["P-256", "P-384", "Ed25519", "RSA-2048", "ML-DSA-44"])
def test_the_chain_is_one_whose_signatures_the_peer_takes(ca):
    """RFC 8446 sections 4.2.3, 4.4.2.2: if there is one; else another is sent all the same. In both roles."""
    point = 0x0401 if ca == "RSA-2048" else CATALOG[ca].code_point
    liked, other = World(ca_scheme=ca), World(ca_scheme="P-521")
    verify = (0x0403, 0x0503, 0x0807)
    for lists in ({"signature_algorithms_cert": (point,)}, {"signature_algorithms": (*verify, point)}):
        taken = {"signature_algorithms": verify} | lists
        server = liked.server(other.plain, liked.plain)
        assert shake_hands(liked.client(trust=None, **taken), server).client.peer.chain == (liked.leaf.der,)
        asking = liked.server(client_auth=ClientAuth.REQUIRED, **taken)
        session = shake_hands(liked.client(identities=(other.plain, liked.plain)), asking).server
        assert session.peer.chain == (liked.leaf.der,)
    alone = liked.server(other.plain)
    client = liked.client(trust=None, signature_algorithms=verify, signature_algorithms_cert=(point,))
    assert shake_hands(client, alone).client.peer.chain == (other.leaf.der,)


def test_a_leaf_that_signs_itself_suits_as_well(world):
    """Its signature is not validated: RFC 8446 section 4.4.2.2."""
    authority = pqdc.make_authority(new_key("P-384"), name="localhost", days=9, now=NOW)
    itself = Identity.of_certificate([authority.der], authority.key, CATALOG)
    client = world.client(trust=None, server_name=None, signature_algorithms_cert=(0x0807,))
    server = world.server(world.plain, itself)
    assert itself.chain.shortcomings(Wishes(certificate_algorithms=(0x0807,))) == (False, False, False)
    assert world.plain.chain.shortcomings(Wishes(certificate_algorithms=(0x0807,))) == (False, False, True)
    failure = fails(
        client, server, Alert.UNSUPPORTED_CERTIFICATE, "client"
    )  # it has come, and may sign certificates only
    assert "digitalSignature" in str(failure)


def test_an_expired_credential_is_not_sent(world):
    soon = NOW + timedelta(hours=25)
    server = world.server(world.mint("Ed25519"), world.plain, now=soon)
    assert shake_hands(world.client("Ed25519", now=soon), server).client.peer.dc is None
    server = world.server(world.mint("Ed25519"), now=soon)
    fails(world.client("Ed25519", now=soon), server, Alert.HANDSHAKE_FAILURE, "server")


def test_v1_an_expired_credential_is_refused(world):
    late = world.client("Ed25519", now=NOW + timedelta(hours=25))
    fails(late, world.server(world.mint("Ed25519")), Alert.ILLEGAL_PARAMETER, "client", refusals.Expired)
    late = world.client("Ed25519", now=NOW + timedelta(hours=25), trust=None)
    fails(late, world.server(world.mint("Ed25519")), Alert.ILLEGAL_PARAMETER, "client", refusals.Expired)


def test_chain_checks_stay_on_without_credentials(world):
    stranger = World()
    fails(stranger.client("Ed25519"), world.server(world.mint("Ed25519")), Alert.BAD_CERTIFICATE, "client")
    assert shake_hands(stranger.client("Ed25519", trust=None), world.server(world.mint("Ed25519")))


def test_a_credential_of_another_leaf_or_role(world):
    other = World()
    stolen = other.mint("Ed25519")
    wrong = Identity.delegated(stolen.dc, stolen.key, world.leaf)
    fails(world.client("Ed25519"), world.server(wrong), Alert.ILLEGAL_PARAMETER, "client", refusals.SignatureInvalid)
    mirrored = world.server(world.mint("Ed25519", role=Role.CLIENT))
    fails(world.client("Ed25519"), mirrored, Alert.ILLEGAL_PARAMETER, "client", refusals.SignatureInvalid)


def test_m3_no_endpoint_proves_itself_with_a_credential_that_may_not_be(world):
    """RFC 9345 section 4: never an rsaEncryption key, whatever the peer offers."""
    key = new_key("RSA-2048")
    cred = Credential(valid_time=86400, dc_cert_verify_algorithm=0x0804, spki=key.public.spki)
    dc = DelegatedCredential(cred=cred, algorithm=0x0403, signature=b"s")
    with pytest.raises(KeyFormatError, match="none may be: rsa_pss_rsae_sha256"):
        Identity.delegated(dc, key, world.leaf)


def test_client_authentication(world):
    def server(wanted, *schemes):
        points = tuple(CATALOG[name].code_point for name in schemes)
        return world.server(client_auth=wanted, trust=world.trust, dc_schemes=points)

    def client(*identities):
        return world.client(identities=identities)

    assert shake_hands(client(), server(ClientAuth.OPTIONAL)).server.peer is None
    fails(client(), server(ClientAuth.REQUIRED), Alert.CERTIFICATE_REQUIRED, "server")
    assert shake_hands(client(world.plain), server(ClientAuth.REQUIRED)).server.peer.dc is None
    dc = world.mint("Ed25519", role=Role.CLIENT)
    assert shake_hands(client(dc), server(ClientAuth.REQUIRED, "Ed25519")).server.peer.dc
    assert shake_hands(client(dc, world.plain), server(ClientAuth.REQUIRED)).server.peer.dc is None
    assert shake_hands(client(dc), server(ClientAuth.OPTIONAL)).server.peer is None
    fails(client(world.plain), server(ClientAuth.DELEGATED, "Ed25519"), Alert.CERTIFICATE_REQUIRED, "server")
    stranger = World()
    fails(client(stranger.plain), server(ClientAuth.REQUIRED), Alert.BAD_CERTIFICATE, "server")


def test_nothing_in_common(world):
    fails(world.client(suites=(0x1301,)), world.server(suites=(0x1302,)), Alert.HANDSHAKE_FAILURE, "server")
    fails(world.client(groups=(Group.X25519,)), world.server(groups=(0x17,)), Alert.HANDSHAKE_FAILURE, "server")
    fails(world.client(signature_algorithms=(0x0807,)), world.server(), Alert.HANDSHAKE_FAILURE, "server")


def test_limits_are_settings(world):
    small = Limits(message_bytes=1000)
    fails(world.client("ML-DSA-44", limits=small), world.server(world.mint("ML-DSA-44")), 47, "client")
    small = Limits(handshake_bytes=3000)
    fails(world.client("ML-DSA-44", limits=small), world.server(world.mint("ML-DSA-44")), 47, "client")


def connected(world, **options):
    client, server = ClientConnection(world.client(**options)), ServerConnection(world.server())
    exchange(client, server)
    return client, server


def carry(source, target):
    return target.receive(source.data_to_send())


def test_data_key_updates_and_closing(world):
    client, server = connected(world)
    client.send(b"x" * 40_000)
    assert b"".join(event.data for event in carry(client, server)) == b"x" * 40_000
    client.update_keys(ask_peer=True)
    client.send(b"new keys")
    assert carry(client, server) == [KeysUpdated(answered=True), Data(b"new keys")]
    server.send(b"answer")
    assert carry(server, client) == [KeysUpdated(answered=False), Data(b"answer")]
    client.close()
    assert carry(client, server) == [PeerClosed()]
    server.send(b"the other half stays open")
    server.close()
    assert server.receive(b"whatever") == []
    with pytest.raises(PqdcError):
        client.send(b"no more")


def test_a_peer_that_vanishes(world):
    client, _ = connected(world)
    (event,) = client.receive_end()
    assert isinstance(event, Failed)
    assert event.failure.alert is None
    assert client.receive_end() == []
    assert ServerConnection(world.server()).receive_end()[0].failure.sender == "client"


def test_floods_are_bounded(world):
    client, server = connected(world)
    for _ in range(40):
        client.update_keys()
    assert carry(client, server)[-1].failure.alert == Alert.UNEXPECTED_MESSAGE
    client, server = connected(world)
    for _ in range(40):
        client._out += client._writer.write(23, b"") or _empty_record(client._writer)
    assert carry(client, server)[-1].failure.alert == Alert.UNEXPECTED_MESSAGE
    server = ServerConnection(world.server())
    server.receive(ClientConnection(world.client()).data_to_send())
    assert server.receive(b"\x14\x03\x03\0\1\1" * 40)[-1].failure.alert == Alert.UNEXPECTED_MESSAGE


def _empty_record(writer):
    header = b"\x17\x03\x03\0\x11"
    return header + writer.keys.aead.encrypt(writer.nonce(writer.keys), b"\x17", header)


def test_ten_requests_to_update_are_answered_once(world):
    client, server = connected(world)
    for _ in range(10):
        client.update_keys(ask_peer=True)
    events = carry(client, server)
    assert [event.answered for event in events] == [True] + [False] * 9


def test_byte_by_byte(world):
    client = ClientConnection(world.client("ML-DSA-44", identities=(world.plain,)))
    server = ServerConnection(world.server(world.mint("ML-DSA-44"), client_auth=ClientAuth.REQUIRED, trust=world.trust))
    for _ in range(3):
        for source, target in ((client, server), (server, client)):
            for byte in source.data_to_send():
                target.receive(bytes([byte]))
    assert client.session.peer == server.session.own
    assert client.session.own == server.session.peer


def test_secrets_stay_inside(world):
    lines = []
    client, server = ClientConnection(world.client(keylog=lines.append)), ServerConnection(world.server())
    exchange(client, server)
    assert len(lines) == 4
    assert all(len(line.split()) == 3 for line in lines)
    secrets = [line.split()[2] for line in lines]
    shown = repr((client, server, client.session, world.plain, client._reader.keys, client._schedule))
    assert not any(secret in shown for secret in secrets)
    assert world.leaf_key.pkcs8().hex()[-40:] not in shown
