"""NSS's client, on the system's NSS and on Firefox's, and Firefox itself, before our server: what they believe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pqdc import pem
from pqdc.errors import PeerUnavailable
from pqdc.handshake import Alert
from pqdc.peers.meeting import serve_peer
from pqdc.peers.nss import FirefoxNss, Nss
from tests.test_handshake import World

firefox = pytest.importorskip(
    "pqdc.peers.firefox", reason="marionette-driver is not installed: pip install pqdc[interop]"
)
PEERS = {kind.name: kind for kind in (Nss, FirefoxNss, firefox.Firefox)}
NOW = datetime.now(UTC)  # they ask their own clock


@pytest.fixture(scope="module", params=PEERS)
def peer(request):
    try:
        made = PEERS[request.param]()
    except PeerUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def world():
    return World(now=NOW)


@pytest.fixture(scope="module")
def ca(world, tmp_path_factory):
    file = tmp_path_factory.mktemp("mozilla") / "ca.pem"
    file.write_bytes(pem.armour("CERTIFICATE", world.authority.der))
    return file


def meet(peer, ca, server, **options):
    return serve_peer(server, lambda port: peer.connect(port, ca=ca, **options))


@pytest.mark.parametrize("scheme", ["P-256", "P-384", "P-521"])
def test_credentials_are_believed(peer, ca, world, scheme):
    met = meet(peer, ca, world.server(world.mint(scheme, now=NOW), now=NOW))
    assert met.failure is None
    assert (met.peer.accepted, met.peer.delegated, met.peer.error) == (True, True, "")
    assert scheme.removeprefix("P-") in met.peer.scheme  # they have names of their own for it
    assert met.session.own.dc is not None


def test_who_does_not_ask_gets_the_leaf(peer, ca, world):
    met = meet(peer, ca, world.server(world.mint("P-256", now=NOW), world.plain, now=NOW), ask=False)
    assert (met.peer.accepted, met.peer.delegated) == (True, False)
    assert meet(peer, ca, world.server(world.plain, now=NOW)).peer.delegated is False


def test_refusals_are_told_by_name(peer, ca, world):
    """And our side hears the alert."""
    before = NOW - timedelta(minutes=50)
    expired = world.server(world.mint("P-256", now=before, hours=0.5), now=NOW, force=True)
    met = meet(peer, ca, expired)
    assert (met.peer.accepted, met.peer.error, met.failure.alert) == (
        False,
        "SSL_ERROR_DC_EXPIRED",
        Alert.ILLEGAL_PARAMETER,
    )
    unasked = world.server(world.mint("P-256", now=NOW), now=NOW, force=True)
    met = meet(peer, ca, unasked, ask=False)
    assert met.peer.error == "SSL_ERROR_RX_UNEXPECTED_EXTENSION"
    stranger = World(now=NOW)
    assert not meet(peer, ca, stranger.server(now=NOW)).peer.accepted


def test_names_are_checked(peer, ca, world):
    assert meet(peer, ca, world.server(now=NOW), name="www.example.org").peer.accepted
    met = meet(peer, ca, world.server(now=NOW), name="elsewhere.test")
    assert met.peer.error == "SSL_ERROR_BAD_CERT_DOMAIN"


def test_they_say_who_they_are(peer):
    assert all(version[0].isdigit() for version in peer.versions().values())
    with pytest.raises(PeerUnavailable):
        peer.serve(None)


def test_nobody_is_there(peer, ca):
    with pytest.raises(PeerUnavailable):
        peer.connect(1, ca=ca)
