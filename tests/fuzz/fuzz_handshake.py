"""Both endpoints, fed with any bytes: in the clear as a first flight, and behind the protection as any message.

`handshake_targets` is for `targets`. The law: an endpoint ends in an alert, or waits; it never raises, and never says
internal_error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

import pqdc
from pqdc.handshake import (
    Alert,
    Client,
    ClientAuth,
    ClientConnection,
    Failed,
    Identity,
    Server,
    ServerConnection,
    Trust,
)
from pqdc.handshake.endpoint import Connection
from pqdc.scheme import backends
from tests.forks import fork

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@lru_cache(maxsize=1)
def _settings() -> tuple[Client, Server]:
    catalog = pqdc.load_catalog()
    scheme = catalog["P-256"]
    ca_key, key = (backends.choose(scheme).generate(scheme) for _ in range(2))
    authority = pqdc.make_authority(ca_key, name="fuzz", days=9, now=NOW)
    leaf = authority.issue(key, hosts=["localhost"], days=9, now=NOW, catalog=catalog)
    common = {"catalog": catalog, "clock": lambda: NOW}
    client = Client(**common, trust=Trust([authority.der]), server_name="localhost", dc_schemes=(0x0904, 0x0403))
    return client, Server(**common, identities=(Identity(leaf=leaf, key=key),))


def _law(connection: Connection, data: bytes) -> None:
    for event in connection.receive(data):
        if isinstance(event, Failed) and event.failure.sender == connection.role.name.lower():
            assert event.failure.alert != Alert.INTERNAL_ERROR, event.failure
    assert len(connection.data_to_send()) < 2**17


def feed_server(data: bytes) -> None:
    """As what a client sends first."""
    _law(ServerConnection(_settings()[1]), data)


def feed_client(data: bytes) -> None:
    """As what a server answers."""
    client = ClientConnection(_settings()[0])
    client.data_to_send()
    _law(client, data)


def feed_client_behind(data: bytes) -> None:
    """As what a server says once keys are in use."""
    _law(fork(_behind()[0]), data)


def feed_server_behind(data: bytes) -> None:
    """As what a client that must prove itself says once keys are in use."""
    _law(fork(_behind()[1]), data)


@lru_cache(maxsize=1)
def _behind() -> tuple[ClientConnection, ServerConnection, bytes, bytes]:
    """Both sides, each where it waits for the other's first protected message, and what that side would say."""
    client_settings, server_settings = _settings()
    identity = server_settings.identities[0]
    asking = replace(server_settings, client_auth=ClientAuth.REQUIRED, trust=client_settings.trust)
    client, server = ClientConnection(replace(client_settings, identities=(identity,))), ServerConnection(asking)
    server.receive(client.data_to_send())
    flight = server.data_to_send()
    hello = flight[: 5 + int.from_bytes(flight[3:5], "big")]
    client.receive(hello + b"\x14\x03\x03\0\1\1")
    waiting = fork(client)
    client.receive(flight[len(hello) + 6 :])
    for end in (waiting, server):
        end.data_to_send()
        end._reader._keys = end._reader._secret = None  # records in the clear: what is fuzzed lies behind them
    return waiting, server, b"".join(server.sent[1:]), b"".join(client.sent[1:])


def _in_the_clear(messages: bytes) -> bytes:
    return b"\x16\x03\x03" + len(messages).to_bytes(2, "big") + messages


def handshake_targets() -> dict[str, tuple[Callable[[bytes], None], Callable[[], Iterable[bytes]]]]:
    """Name to what runs and what it begins from."""
    client, server = ClientConnection(_settings()[0]), ServerConnection(_settings()[1])
    hello = client.data_to_send()
    server.receive(hello)
    flight = server.data_to_send()
    of_server, of_client = map(_in_the_clear, _behind()[2:])
    return {
        "tls-server": (feed_server, lambda: [hello]),
        "tls-client": (feed_client, lambda: [flight]),
        "tls-server-behind": (feed_server_behind, lambda: [of_client]),
        "tls-client-behind": (feed_client_behind, lambda: [of_server]),
    }
