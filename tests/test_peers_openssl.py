"""OpenSSL's `s_server` and `s_client` against our endpoints over TCP, without the credentials that it lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from pqdc import pem
from pqdc.errors import PeerUnavailable
from pqdc.handshake import Client, ClientAuth, Group, Server
from pqdc.peers import ServerFiles
from pqdc.peers.meeting import ask_peer, serve_peer
from pqdc.peers.openssl import OpenSsl
from tests.test_handshake import CATALOG, World

SCHEMES = ["P-256", "P-384", "Ed25519", "RSA-2048", "ML-DSA-44"]


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def peer():
    try:
        return OpenSsl()
    except PeerUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")


@pytest.fixture(scope="module", params=SCHEMES)
def files(request, peer, tmp_path_factory):
    """A world of today, on disk."""
    if request.param.startswith("ML-DSA") and peer.version < (3, 5):
        pytest.skip(f"openssl has ML-DSA certificates from 3.5 on, this is {peer.version}")
    world = World(request.param, request.param, now=now())
    folder = tmp_path_factory.mktemp("openssl")
    for name, label, data in (
        ("ca.pem", "CERTIFICATE", world.authority.der),
        ("leaf.pem", "CERTIFICATE", world.leaf.der),
        ("leaf.key", "PRIVATE KEY", world.leaf_key.pkcs8()),
    ):
        (folder / name).write_bytes(pem.armour(label, data))
    return world, folder


@pytest.fixture
def s_server(peer, files):
    """Starts `openssl s_server` with further arguments."""
    _, folder = files
    return partial(peer.serve, ServerFiles(leaf=folder / "leaf.pem", leaf_key=folder / "leaf.key"))


def client_of(world, **options):
    return Client(catalog=CATALOG, clock=now, trust=world.trust, server_name="localhost", **options)


@pytest.mark.parametrize("group", [Group.X25519, Group.SECP256R1])
def test_our_client_and_s_server(files, s_server, group):
    world, _ = files
    with s_server() as serving:
        met = ask_peer(client_of(world, groups=(group,), dc_schemes=(0x0904,)), serving)
        assert met.peer.accepted, met.peer
        assert met.session.peer.dc is None
        assert met.session.peer.chain == (world.leaf.der,)
        retried = ask_peer(client_of(world, groups=(group,), key_shares=()), serving)
    assert retried.peer.accepted
    assert retried.session.retried


def test_s_server_names_what_it_refuses(files, s_server):
    world, _ = files
    with s_server("-groups", "P-521") as serving:
        met = ask_peer(client_of(world), serving)
        assert met.failure.alert == 40
        assert not met.peer.accepted
        assert met.peer.error == "no suitable key share"


def test_our_client_shows_its_certificate(files, s_server):
    world, folder = files
    with s_server("-Verify", "1", "-verify_return_error", "-CAfile", folder / "ca.pem") as serving:
        met = ask_peer(client_of(world, identities=(world.plain,)), serving)
        assert met.session.own is not None
        assert met.peer.accepted
        refused = ask_peer(client_of(world), serving)
    assert refused.failure.alert == 116
    assert refused.peer.error == "peer did not return a certificate"


def meet_s_client(peer, world, folder, *arguments, **options):
    server = Server(catalog=CATALOG, clock=now, identities=(world.plain,), trust=world.trust, **options)
    return serve_peer(server, lambda port: peer.connect(port, *arguments, ca=folder / "ca.pem"))


@pytest.mark.parametrize("arguments", [(), ("-groups", "P-256"), ("-groups", "P-384:X25519")])
@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_s_client_and_our_server(peer, files, arguments, suite):
    world, folder = files
    met = meet_s_client(peer, world, folder, "-ciphersuites", suite, *arguments)
    assert met.failure is None
    assert met.peer.accepted, met.peer.error
    assert "\nhello\n" in met.peer.detail
    assert met.session.server_name == "localhost"


def test_s_client_shows_its_certificate(peer, files):
    world, folder = files
    arguments = ("-cert", folder / "leaf.pem", "-key", folder / "leaf.key")
    met = meet_s_client(peer, world, folder, *arguments, client_auth=ClientAuth.REQUIRED)
    assert met.failure is None
    assert met.session.peer.chain[0] == world.leaf.der
    refused = meet_s_client(peer, world, folder, client_auth=ClientAuth.REQUIRED)
    assert refused.failure.alert == 116
    assert "certificate required" in refused.peer.detail


def test_s_client_names_what_it_refuses(peer, files, tmp_path):
    world, _ = files
    other = World(now=now())
    (tmp_path / "ca.pem").write_bytes(pem.armour("CERTIFICATE", other.authority.der))
    met = meet_s_client(peer, world, tmp_path)
    assert not met.peer.accepted
    assert met.peer.error == "certificate verify failed"
    assert met.failure.alert == 48


def test_s_client_that_speaks_no_tls13(peer, files):
    world, folder = files
    met = meet_s_client(peer, world, folder, "-tls1_2")
    assert met.failure.alert == 70
    assert "protocol version" in met.peer.error
