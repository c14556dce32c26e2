"""Peers that break a rule, one at a time: each is told so by the right alert, with the rule's own refusal behind it.

The peers are our own endpoints with one message twisted before it is sent, so all else about them is right.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from cryptography.x509 import load_der_x509_certificate

import pqdc
from pqdc.credential import refusals
from pqdc.credential.structures import EXTENSION_TYPE, Role
from pqdc.handshake import Alert, ClientAuth, ClientConnection, HandshakeFailure, Identity, ServerConnection
from pqdc.handshake import messages as m
from pqdc.handshake.codepoints import ExtensionType as E
from pqdc.handshake.messages import CertificateEntry
from pqdc.handshake.transport.memory import exchange
from pqdc.wire import vector
from tests.test_handshake import CATALOG, NOW, World, new_key

KINDS = {"retry": m.ServerHello, "hello": m.ServerHello, "client_hello": m.ClientHello, "request": m.CertificateRequest,
         "encrypted": m.EncryptedExtensions, "certificate": m.CertificateMessage, "verify": m.CertificateVerify,
         "finished": m.Finished}  # fmt: skip


class Forced(Identity):
    """Used whatever the peer has offered."""

    def reason_against(self, offer, role, now):
        return ""


def forced(identity, **changes):
    facts = {"leaf": identity.leaf, "key": identity.key, "issuers": identity.issuers, "dc": identity.dc}
    return Forced(**facts | changes)


class _Twisting:
    """Sends one kind of message as `twist` makes it; several messages, if it gives a list."""

    def __init__(self, settings, kind, twist):
        self._kind, self._twist = kind, twist
        super().__init__(settings)

    def _send(self, message):
        is_it = isinstance(message, KINDS[self._kind]) and (
            not isinstance(message, m.ServerHello) or message.is_retry == (self._kind == "retry")
        )
        made = self._twist(message) if is_it else message
        for one in made if isinstance(made, list) else [made]:
            super()._send(one)


class TwistedServer(_Twisting, ServerConnection):
    pass


class TwistedClient(_Twisting, ClientConnection):
    pass


@pytest.fixture(scope="module")
def world():
    return World()


def refused(client, server, alert, reason=None):
    with pytest.raises(HandshakeFailure) as caught:
        exchange(client, server)
    failure = caught.value
    assert failure.alert == alert, str(failure)
    assert failure.reason is not None
    if reason is not None:
        assert isinstance(failure.reason, reason), repr(failure.reason)


def with_extension(message, kind, data):
    """Replaced where it stands, or added."""
    kept = [(k, data if k == kind else d) for k, d in message.extensions]
    if kind not in dict(message.extensions):
        kept.append((kind, data))
    return replace(message, extensions=tuple(kept))


def without(message, kind):
    return replace(message, extensions=tuple(pair for pair in message.extensions if pair[0] != kind))


def first_entry(change):
    def twist(message):
        entry = message.entries[0]
        return replace(message, entries=(replace(entry, extensions=change(entry.extensions)), *message.entries[1:]))

    return twist


U16 = {point: point.to_bytes(2, "big") for point in (0x0303, 0x0304, 0x1D, 0x17, 0x11EC, 0x2A2A)}

# what the server does wrong: message, change, alert
SERVER_TWISTS = {
    "version 1.2": ("hello", lambda h: with_extension(h, E.SUPPORTED_VERSIONS, U16[0x0303]), 47),
    "no supported_versions": ("hello", lambda h: without(h, E.SUPPORTED_VERSIONS), 70),
    "downgrade": (
        "hello",
        lambda h: replace(without(h, E.SUPPORTED_VERSIONS), random=h.random[:24] + b"DOWNGRD\1"),
        47,
    ),
    "legacy_version": ("hello", lambda h: replace(h, legacy_version=0x0304), 47),
    "another session id": ("hello", lambda h: replace(h, session_id=bytes(32)), 47),
    "a suite not offered": ("hello", lambda h: replace(h, cipher_suite=0x1305), 47),
    "compression": ("hello", lambda h: replace(h, compression_method=1), 47),
    "no key share": ("hello", lambda h: without(h, E.KEY_SHARE), 109),
    "a share of another group": ("hello", lambda h: with_extension(h, E.KEY_SHARE, U16[0x17] + b"\0\1\4"), 47),
    "a short share": ("hello", lambda h: with_extension(h, E.KEY_SHARE, U16[0x1D] + b"\0\1\4"), 47),
    "a zero share": ("hello", lambda h: with_extension(h, E.KEY_SHARE, U16[0x1D] + b"\0\x20" + bytes(32)), 47),
    "a broken share": ("hello", lambda h: with_extension(h, E.KEY_SHARE, U16[0x1D] + b"\0\x21" + bytes(32)), 50),
    "a psk": ("hello", lambda h: with_extension(h, E.PRE_SHARED_KEY, b"\0\0"), 110),
    "an unasked extension": ("hello", lambda h: with_extension(h, 0x2A2A, b""), 110),
    "an extension in the wrong place": ("hello", lambda h: with_extension(h, E.SERVER_NAME, b""), 47),
    "an extension twice": ("hello", lambda h: replace(h, extensions=h.extensions + h.extensions[:1]), 47),
    "a second server hello": ("hello", lambda h: [h, h], 10),
    "no encrypted extensions": ("encrypted", lambda e: [], 10),
    "encrypted: unasked": ("encrypted", lambda e: with_extension(e, E.EARLY_DATA, b""), 110),
    "encrypted: key share": ("encrypted", lambda e: with_extension(e, E.KEY_SHARE, b""), 47),
    "encrypted: alpn unasked": ("encrypted", lambda e: with_extension(e, E.ALPN, b"\0\3\2h2"), 110),
    "encrypted: server name not empty": ("encrypted", lambda e: with_extension(e, E.SERVER_NAME, b"x"), 50),
    "no certificate": ("certificate", lambda c: [], 10),
    "an empty certificate": ("certificate", lambda c: replace(c, entries=()), 50),
    "a context": ("certificate", lambda c: replace(c, context=b"x"), 47),
    "no X.509": ("certificate", lambda c: replace(c, entries=(CertificateEntry(der=b"\x30\x00"),)), 42),
    "stapled, unasked": ("certificate", first_entry(lambda _: ((E.STATUS_REQUEST, b""),)), 110),
    "a long chain": ("certificate", lambda c: replace(c, entries=c.entries * 11), 42),
    "no certificate verify": ("verify", lambda v: [], 10),
    "a scheme not offered": ("verify", lambda v: replace(v, algorithm=0x0201), 47),
    "another key's scheme": ("verify", lambda v: replace(v, algorithm=0x0807), 47),
    "a broken signature": ("verify", lambda v: replace(v, signature=v.signature[:-1] + b"\0"), 51),
    "a short signature": ("verify", lambda v: replace(v, signature=v.signature[:-1]), 51),
    "no signature": ("verify", lambda v: replace(v, signature=b""), 51),
    "a wrong finished": ("finished", lambda f: replace(f, verify_data=bytes(32)), 51),
    "a short finished": ("finished", lambda f: replace(f, verify_data=bytes(31)), 50),
    "finished twice": ("finished", lambda f: [f, f], 10),
}


@pytest.mark.parametrize("name", SERVER_TWISTS)
def test_a_server_that_errs(world, name):
    kind, twist, alert = SERVER_TWISTS[name]
    client = ClientConnection(world.client("ML-DSA-44"))
    refused(client, TwistedServer(world.server(), kind, twist), alert)
    assert client.is_closed


def test_a_server_that_picks_another_protocol(world):
    twist = lambda e: with_extension(e, E.ALPN, b"\0\3\2h3")  # noqa: E731
    client = ClientConnection(world.client(alpn=(b"h2",)))
    refused(client, TwistedServer(world.server(alpn=(b"h2",)), "encrypted", twist), Alert.ILLEGAL_PARAMETER)


RETRY_TWISTS = {
    "changes nothing": (lambda h: without(h, E.KEY_SHARE), 47),
    "a group not offered": (lambda h: with_extension(h, E.KEY_SHARE, U16[0x2A2A]), 47),
    "a group already sent": (lambda h: with_extension(h, E.KEY_SHARE, U16[0x1D]), 47),
    "an unasked extension": (lambda h: with_extension(h, E.SERVER_NAME, b""), 47),
    "twice": (lambda h: [h, h], 10),
    "an empty cookie": (lambda h: with_extension(h, E.COOKIE, b"\0\0"), 50),
}


@pytest.mark.parametrize("name", RETRY_TWISTS)
def test_a_retry_that_errs(world, name):
    twist, alert = RETRY_TWISTS[name]
    client = ClientConnection(world.client(groups=(0x1D, 0x17)))
    refused(client, TwistedServer(world.server(groups=(0x17,)), "retry", twist), alert)


def second_only(change):
    seen = []

    def twist(hello):
        seen.append(hello)
        return change(hello) if len(seen) == 2 else hello

    return twist


SECOND_HELLO_TWISTS = {
    "another random": (lambda h: replace(h, random=bytes(32)), 47),
    "other suites": (lambda h: replace(h, cipher_suites=h.cipher_suites[:1]), 47),
    "another extension": (lambda h: with_extension(h, 0x2A2A, b""), 47),
    "another name": (lambda h: with_extension(h, E.SERVER_NAME, b"\0\4\0\0\1x"), 47),
    "a share too many": (lambda h: with_extension(h, E.KEY_SHARE, b"\0\x0a\0\x1d\0\1x\0\x17\0\1x"), 47),
    "no share": (lambda h: with_extension(h, E.KEY_SHARE, b"\0\0"), 47),
    "no cookie": (lambda h: without(h, E.COOKIE), 47),
    "another cookie": (lambda h: with_extension(h, E.COOKIE, b"\0\1x"), 47),
}


@pytest.mark.parametrize("name", SECOND_HELLO_TWISTS)
def test_a_second_hello_that_errs(world, name):
    change, alert = SECOND_HELLO_TWISTS[name]
    client = TwistedClient(world.client(groups=(0x1D, 0x17)), "client_hello", second_only(change))
    refused(client, ServerConnection(world.server(groups=(0x17,), cookie=True)), alert)


CLIENT_HELLO_TWISTS = {
    "no TLS 1.3": (lambda h: without(h, E.SUPPORTED_VERSIONS), 70),
    "only TLS 1.2": (lambda h: with_extension(h, E.SUPPORTED_VERSIONS, b"\2\3\3"), 70),
    "TLS 1.2 without extensions": (lambda h: replace(h, extensions=(), without_extensions=True), 70),
    "an old legacy_version": (lambda h: replace(h, legacy_version=0x0301), 70),
    "compression": (lambda h: replace(h, compression_methods=b"\0\1"), 47),
    "no suite in common": (lambda h: replace(h, cipher_suites=(0x1304, 0xC02B)), 40),
    "no signature algorithms": (lambda h: without(h, E.SIGNATURE_ALGORITHMS), 109),
    "no groups": (lambda h: without(h, E.SUPPORTED_GROUPS), 109),
    "no key share": (lambda h: without(h, E.KEY_SHARE), 109),
    "a share of no group": (lambda h: with_extension(h, E.KEY_SHARE, b"\0\5\x2a\x2a\0\1x"), 47),
    "a broken share": (lambda h: with_extension(h, E.KEY_SHARE, b"\0\5\0\x1d\0\1x"), 47),
    "a share twice": (lambda h: with_extension(h, E.KEY_SHARE, b"\0\x0a\0\x1d\0\1x\0\x1d\0\1x"), 47),
    "an extension twice": (lambda h: replace(h, extensions=h.extensions + h.extensions[:1]), 47),
    "oid_filters": (lambda h: with_extension(h, E.OID_FILTERS, b""), 47),
    "psk not last": (lambda h: with_extension(with_extension(h, E.PRE_SHARED_KEY, b"x"), 0x2A2A, b""), 47),
    "psk without modes": (lambda h: with_extension(h, E.PRE_SHARED_KEY, b"x"), 109),
    "odd signature algorithms": (lambda h: with_extension(h, E.SIGNATURE_ALGORITHMS, b"\0\3\4\3\4"), 50),
    "an empty list of credentials": (lambda h: with_extension(h, E.DELEGATED_CREDENTIAL, b"\0\0"), 50),
    "no authority": (lambda h: with_extension(h, E.CERTIFICATE_AUTHORITIES, b"\0\0"), 50),
    "bytes after authorities": (lambda h: with_extension(h, E.CERTIFICATE_AUTHORITIES, b"\0\3\0\1x\0"), 50),
    "bytes after a list": (lambda h: with_extension(h, E.SUPPORTED_GROUPS, b"\0\2\0\x1d\0"), 50),
    "a name of another type": (lambda h: with_extension(h, E.SERVER_NAME, b"\0\4\1\0\1x"), 50),
    "a second hello at once": (lambda h: [h, h], 10),
}


@pytest.mark.parametrize("name", CLIENT_HELLO_TWISTS)
def test_a_client_hello_that_errs(world, name):
    twist, alert = CLIENT_HELLO_TWISTS[name]
    refused(TwistedClient(world.client(), "client_hello", twist), ServerConnection(world.server()), alert)


def test_unknown_code_points_survive(world):
    """RFC 8701: GREASE in every list that takes any value."""

    def twist(hello):
        hello = replace(hello, cipher_suites=(0x0A0A, *hello.cipher_suites))
        hello = with_extension(hello, E.SUPPORTED_VERSIONS, b"\6\x0a\x0a\3\4\3\3")
        hello = with_extension(hello, E.SUPPORTED_GROUPS, b"\0\6\x1a\x1a\0\x1d\x63\x99")
        for kind in (E.SIGNATURE_ALGORITHMS, E.DELEGATED_CREDENTIAL):
            hello = with_extension(hello, kind, b"\0\6\x2a\x2a\4\3\x09\4")
        share = dict(hello.extensions)[E.KEY_SHARE][2:]
        hello = with_extension(hello, E.KEY_SHARE, (len(share) + 5).to_bytes(2, "big") + b"\x1a\x1a\0\1\0" + share)
        return with_extension(with_extension(hello, 0x3A3A, b""), 0x4A4A, b"\0")

    server = ServerConnection(world.server(world.mint("ML-DSA-44")))
    client = TwistedClient(world.client("ML-DSA-44"), "client_hello", twist)
    exchange(client, server)
    assert client.session.peer.dc is not None
    request = lambda r: with_extension(r, 0x5A5A, b"anything")  # noqa: E731
    asking = world.server(client_auth=ClientAuth.OPTIONAL)
    client = ClientConnection(world.client(identities=(world.plain,)))
    exchange(client, TwistedServer(asking, "request", request))
    assert client.session is not None


def test_the_chain_is_one_of_the_authorities_that_the_peer_names(world):
    """RFC 8446 sections 4.2.4, 4.4.2.2: if there is one; else another is sent all the same. In both roles."""
    other = World()
    other.authority = pqdc.make_authority(new_key("P-256"), name="another CA", days=400, now=NOW)
    other.leaf = other.authority.issue(other.leaf_key, hosts=["localhost"], days=90, now=NOW, catalog=CATALOG)
    other.plain = Identity.of_certificate([other.leaf.der], other.leaf_key, CATALOG)
    for name, wanted in (
        (load_der_x509_certificate(other.authority.der).subject.public_bytes(), other),
        (load_der_x509_certificate(world.authority.der).subject.public_bytes(), world),
        (b"\x30\0", world),  # nobody: the preferred
    ):
        twist = partial(with_extension, kind=E.CERTIFICATE_AUTHORITIES, data=vector(2, vector(2, name)))
        client = TwistedClient(world.client(trust=None), "client_hello", twist)
        exchange(client, ServerConnection(world.server(world.plain, other.plain)))
        assert client.session.peer.chain == (wanted.leaf.der,)
        asking = TwistedServer(world.server(client_auth=ClientAuth.REQUIRED), "request", twist)
        exchange(ClientConnection(world.client(identities=(world.plain, other.plain))), asking)
        assert asking.session.peer.chain == (wanted.leaf.der,)


def test_a_request_with_authorities_that_errs(world):
    """RFC 8446 section 4.2.4: `DistinguishedName authorities<3..2^16-1>`, to the last byte."""
    for data in (b"\0\0", b"\0\3\0\1x\0", b"\0\3\0\2x"):
        twist = partial(with_extension, kind=E.CERTIFICATE_AUTHORITIES, data=data)
        asking = TwistedServer(world.server(client_auth=ClientAuth.REQUIRED), "request", twist)
        refused(ClientConnection(world.client(identities=(world.plain,))), asking, Alert.DECODE_ERROR)


# ---- RFC 9345, both roles


def dc_twist(change):
    return first_entry(lambda extensions: change(dict(extensions)[EXTENSION_TYPE]))


MALFORMED = {
    "trailing": (lambda dc: ((EXTENSION_TYPE, dc + b"\0"),), refusals.Malformed, 50),
    "cut": (lambda dc: ((EXTENSION_TYPE, dc[:-1]),), refusals.Malformed, 50),
    "empty": (lambda dc: ((EXTENSION_TYPE, b""),), refusals.Malformed, 50),
    "twice": (lambda dc: ((EXTENSION_TYPE, dc),) * 2, refusals.ExtensionRepeated, None),
    "a flipped signature": (
        lambda dc: ((EXTENSION_TYPE, dc[:-1] + bytes([dc[-1] ^ 1])),),
        refusals.SignatureInvalid,
        47,
    ),
}


def both_roles(world, identity_of, kind, twist, points=(0x0807,), **judge):
    """The same wrong proof by a server and by a client: pairs of connections of which one must refuse."""
    client = ClientConnection(replace(world.client(), dc_schemes=points, **judge))
    yield client, TwistedServer(world.server(identity_of(Role.SERVER)), kind, twist)
    asked = world.server(client_auth=ClientAuth.REQUIRED, trust=world.trust, dc_schemes=points)
    proving = world.client(identities=(identity_of(Role.CLIENT),))
    yield TwistedClient(proving, kind, twist), ServerConnection(replace(asked, **judge))


def same(message):
    return message


@pytest.mark.parametrize("name", MALFORMED)
def test_v7_v5_malformed_credentials(world, name):
    change, refusal, alert = MALFORMED[name]
    for client, server in both_roles(
        world, lambda role: forced(world.mint("Ed25519", role=role)), "certificate", dc_twist(change)
    ):
        refused(client, server, alert or Alert[refusal.alert.upper()], refusal)


def test_c2_a_credential_that_nobody_asked_for(world):
    for pair in both_roles(world, lambda role: forced(world.mint("Ed25519", role=role)), "verify", same, points=()):
        refused(*pair, Alert.UNEXPECTED_MESSAGE, refusals.NotOffered)


def test_c3_credentials_of_other_entries_are_ignored(world):
    def twist(message):
        junk = CertificateEntry(der=world.authority.der, extensions=((EXTENSION_TYPE, b"junk"),))
        return replace(message, entries=(*message.entries, junk))

    for client, server in both_roles(world, lambda _: world.plain, "certificate", twist):
        exchange(client, server)
        assert client.session is not None


def test_c4_algorithms_that_were_not_offered(world):
    def identity(role):
        return forced(world.mint("Ed25519", role=role))

    for pair in both_roles(world, identity, "verify", same, points=(0x0904,)):
        refused(*pair, Alert.ILLEGAL_PARAMETER, refusals.AlgorithmNotOffered)
    for pair in both_roles(world, identity, "verify", same, signature_algorithms=(0x0804,)):
        refused(*pair, Alert.ILLEGAL_PARAMETER, refusals.LeafAlgorithmNotOffered)


def test_v3_certificate_verify_by_another_scheme(world):
    for pair in both_roles(
        world,
        lambda role: forced(world.mint("Ed25519", role=role)),
        "verify",
        lambda v: replace(v, algorithm=0x0403),
    ):
        refused(*pair, Alert.ILLEGAL_PARAMETER, refusals.AlgorithmNotUsed)


def test_certificate_verify_by_another_key(world):
    class OtherKey(Forced):
        def __post_init__(self):
            pass

    for pair in both_roles(
        world,
        lambda role: OtherKey(leaf=world.leaf, key=new_key("Ed25519"), dc=world.mint("Ed25519", role=role).dc),
        "verify",
        same,
    ):
        refused(*pair, Alert.DECRYPT_ERROR)


def test_v1_expired_in_both_roles(world):
    late = NOW + timedelta(hours=25)
    for pair in both_roles(
        world, lambda role: forced(world.mint("Ed25519", role=role)), "verify", same, clock=lambda: late
    ):
        refused(*pair, Alert.ILLEGAL_PARAMETER, refusals.Expired)


def test_v2_too_long_in_both_roles(world):
    signer = pqdc.Leaf(world.leaf, world.leaf_key.sign)

    def identity(role):
        minter = pqdc.Minter(signer, role, max_lifetime=timedelta(days=9))
        dc, key = minter.mint(CATALOG["Ed25519"], valid_for=timedelta(days=8), now=NOW)
        return forced(Identity.delegated(dc, key, world.leaf))

    for pair in both_roles(world, identity, "verify", same):
        refused(*pair, Alert.ILLEGAL_PARAMETER, refusals.LifetimeTooLong)


def test_v4_a_leaf_that_may_not_delegate_in_both_roles(world):
    bare = World(delegation=False)

    def identity(role):
        stolen = world.mint("Ed25519", role=role)
        return forced(Identity.delegated(stolen.dc, stolen.key, bare.leaf))

    for pair in both_roles(bare, identity, "verify", same):
        refused(*pair, Alert.ILLEGAL_PARAMETER, refusals.DelegationUsageMissing)


def test_ca_a_request_without_signature_algorithms(world):
    asking = world.server(client_auth=ClientAuth.OPTIONAL)
    twist = lambda r: without(r, E.SIGNATURE_ALGORITHMS)  # noqa: E731
    refused(ClientConnection(world.client()), TwistedServer(asking, "request", twist), Alert.MISSING_EXTENSION)
    twist = lambda r: replace(r, context=b"x")  # noqa: E731
    refused(ClientConnection(world.client()), TwistedServer(asking, "request", twist), Alert.ILLEGAL_PARAMETER)
