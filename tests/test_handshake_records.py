"""What a peer does with records, alerts and early data, each by the section of RFC 8446 that says what follows."""

from __future__ import annotations

import pytest

from pqdc.handshake import Alert, ClientConnection, Data, Failed, ServerConnection
from pqdc.handshake.codepoints import ContentType
from pqdc.handshake.codepoints import ExtensionType as E
from pqdc.handshake.transport.memory import exchange
from tests.test_handshake import World
from tests.test_handshake_rules import TwistedClient, with_extension

CHANGE_CIPHER_SPEC = b"\x14\x03\x03\x00\x01\x01"
RETRYING = ({"groups": (0x1D, 0x17)}, {"groups": (0x17,)})  # client and server, who must ask again


@pytest.fixture(scope="module")
def world():
    return World()


def connected(world):
    client, server = ClientConnection(world.client()), ServerConnection(world.server())
    exchange(client, server)
    return client, server


def failure(events):
    return next(event.failure for event in events if isinstance(event, Failed))


def raw(connection, kind, content):
    """A record of the connection's, protected by the keys that it writes with."""
    return connection._writer.write(kind, content)


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0304, 0x03FF, 0xFFFF])
def test_the_version_of_a_record_is_ignored(world, version):
    """Section 5.1: for all purposes."""
    client, server = ClientConnection(world.client()), ServerConnection(world.server())
    for sender, receiver in ((client, server), (server, client)):
        flight = sender.data_to_send()
        receiver.receive(flight[:1] + version.to_bytes(2, "big") + flight[3:])
    exchange(client, server)
    assert server.session is not None


@pytest.mark.parametrize("level", [0, 1, 2, 0x42])
def test_an_error_alert_is_one_at_any_level(world, level):
    """Section 6: the level can safely be ignored; unknown alerts are errors."""
    for number in (Alert.UNEXPECTED_MESSAGE, Alert.INTERNAL_ERROR, 200):
        client, server = connected(world)
        told = failure(server.receive(raw(client, ContentType.ALERT, bytes([level, number]))))
        assert (told.alert, told.sender) == (number, "client")
        assert server.is_closed
        assert server.data_to_send() == b""


@pytest.mark.parametrize("content", [b"\2", b"\2\x0a\2\x0a", b"\2\x0a\0"])
def test_an_alert_has_two_bytes(world, content):
    """Section 5.1: alerts are neither fragmented nor put together."""
    client, server = connected(world)
    assert failure(server.receive(raw(client, ContentType.ALERT, content))).alert == Alert.DECODE_ERROR


def test_user_canceled_is_awaited_no_further_than_the_limit(world):
    """Section 6.1: a close_notify follows it; data between them is data."""
    client, server = connected(world)
    limit = world.server().limits.key_updates
    for _ in range(2):
        for _ in range(limit):
            assert server.receive(raw(client, ContentType.ALERT, bytes([1, Alert.USER_CANCELED]))) == []
        client.send(b"still here")
        assert server.receive(client.data_to_send()) == [Data(b"still here")]
    for _ in range(limit):
        server.receive(raw(client, ContentType.ALERT, bytes([1, Alert.USER_CANCELED])))
    told = failure(server.receive(raw(client, ContentType.ALERT, bytes([1, Alert.USER_CANCELED]))))
    assert told.alert == Alert.UNEXPECTED_MESSAGE


def test_change_cipher_spec_is_sent_to_clients_with_a_session_id(world):
    """Appendix D.4: and to no others, by either side."""
    for compatibility in (True, False):
        client = ClientConnection(world.client(compatibility=compatibility))
        server = ServerConnection(world.server())
        server.receive(client.data_to_send())
        flight = server.data_to_send()
        client.receive(flight)
        answer = client.data_to_send()
        assert (CHANGE_CIPHER_SPEC in flight, answer.startswith(CHANGE_CIPHER_SPEC)) == (compatibility, compatibility)


def test_change_cipher_spec_has_its_time(world):
    """Section 5: from the first ClientHello to the peer's Finished, and with the one value."""
    client, server = connected(world)
    assert failure(server.receive(CHANGE_CIPHER_SPEC)).alert == Alert.UNEXPECTED_MESSAGE
    fresh = ServerConnection(world.server())
    assert failure(fresh.receive(CHANGE_CIPHER_SPEC)).alert == Alert.UNEXPECTED_MESSAGE
    client = ClientConnection(world.client())
    assert client.receive(CHANGE_CIPHER_SPEC) == []
    assert failure(client.receive(CHANGE_CIPHER_SPEC[:-1] + b"\2")).alert == Alert.UNEXPECTED_MESSAGE


def test_a_handshake_record_in_the_clear_where_keys_are_in_use(world):
    """Section 5: a record type that is not expected is an unexpected_message."""
    client, server = ClientConnection(world.client()), ServerConnection(world.server())
    server.receive(client.data_to_send())
    flight = server.data_to_send()
    size = 5 + int.from_bytes(flight[3:5], "big")
    client.receive(flight[:size])  # the ServerHello alone
    assert failure(client.receive(b"\x16\x03\x03\0\6\x08\0\0\2\0\0")).alert == Alert.UNEXPECTED_MESSAGE


# ---- early data, which this server cannot read (section 4.2.10)


def early(size):
    """A protected record, to which there is no key."""
    return b"\x17\x03\x03" + size.to_bytes(2, "big") + bytes(size)


def offering(times):
    """A twist that adds early_data to the first so many ClientHellos."""
    seen = []

    def twist(hello):
        seen.append(hello)
        return with_extension(hello, E.EARLY_DATA, b"") if len(seen) <= times else hello

    return twist


@pytest.mark.parametrize("options", [({}, {}), RETRYING])
def test_early_data_is_passed_over(world, options):
    client = TwistedClient(world.client(**options[0]), "client_hello", offering(1))
    server = ServerConnection(world.server(**options[1]))
    server.receive(client.data_to_send())
    assert server.receive(early(5000) * 3) == []
    exchange(client, server)
    client.send(b"data")
    assert server.receive(client.data_to_send()) == [Data(b"data")]


@pytest.mark.parametrize(("options", "alert"), [(({}, {}), Alert.BAD_RECORD_MAC), (RETRYING, Alert.UNEXPECTED_MESSAGE)])
def test_early_data_is_passed_over_within_the_limit(world, options, alert):
    client = TwistedClient(world.client(**options[0]), "client_hello", offering(1))
    server = ServerConnection(world.server(**options[1]))
    server.receive(client.data_to_send())
    limit = world.server().limits.early_data_bytes
    assert server.receive(early(limit - 1)) == []
    assert failure(server.receive(early(2))).alert == alert


def test_early_data_that_was_not_announced(world):
    for options, alert in ((({}, {}), Alert.BAD_RECORD_MAC), (RETRYING, Alert.UNEXPECTED_MESSAGE)):
        client, server = ClientConnection(world.client(**options[0])), ServerConnection(world.server(**options[1]))
        server.receive(client.data_to_send())
        assert failure(server.receive(early(100))).alert == alert


def test_early_data_ends_with_the_clients_keys(world):
    """Nothing is passed over any more once a record has opened."""
    client = TwistedClient(world.client(), "client_hello", offering(1))
    server = ServerConnection(world.server())
    exchange(client, server)
    assert failure(server.receive(early(100))).alert == Alert.BAD_RECORD_MAC


def test_early_data_is_not_offered_again(world):
    """Section 4.1.2: the second ClientHello lacks the extension."""
    client = TwistedClient(world.client(**RETRYING[0]), "client_hello", offering(2))
    server = ServerConnection(world.server(**RETRYING[1]))
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    assert failure(server.receive(client.data_to_send())).alert == Alert.ILLEGAL_PARAMETER
