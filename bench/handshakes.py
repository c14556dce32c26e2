"""One handshake in memory, each side timed apart; and who takes part: a server with or without a credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter_ns

from pqdc.credential.certificate import Certificate
from pqdc.handshake import (
    Client,
    ClientConnection,
    Failed,
    Identity,
    Ledger,
    Server,
    ServerConnection,
    Trust,
    ledger_of,
)
from pqdc.measure.workbench import HOST, Stock, Workbench
from pqdc.scheme.catalog import Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What each side took, and the account of every byte."""

    client_ns: int
    server_ns: int
    ledger: Ledger


def pairs(stock: Stock, count: int) -> list[tuple[Client, Server]]:
    """One for each of so many credentials; the client checks the chain, and asks for this scheme alone."""
    leaf = stock.leaf.certificate
    client = _client(stock.bench, leaf.catalog, stock.scheme.code_point or 0)
    identities = [
        Identity.delegated(dc, key, leaf)
        for dc, key in zip(stock.credentials[:count], cycle(stock.keys()), strict=False)
    ]
    return [(client, _server(stock.bench, leaf.catalog, identity)) for identity in identities]


def pair_without_credential(bench: Workbench) -> tuple[Client, Server]:
    """The same leaf, which proves the server by its own key."""
    leaf = Certificate.decode(bench.leaf_der, bench.catalog)
    server = _server(bench, bench.catalog, Identity(leaf=leaf, key=bench.leaf_key))
    return _client(bench, bench.catalog), server


def _client(bench: Workbench, catalog: Catalog, *dc_schemes: int) -> Client:
    trust = Trust([bench.authority.der])
    return Client(catalog=catalog, clock=lambda: bench.now, trust=trust, server_name=HOST, dc_schemes=dc_schemes)


def _server(bench: Workbench, catalog: Catalog, identity: Identity) -> Server:
    return Server(catalog=catalog, clock=lambda: bench.now, identities=(identity,))


def shake_hands(client: Client, server: Server, *, between: Callable[[], None] = lambda: None) -> Handshake:
    """From two new connections to the end of both handshakes.

    Args:
        client: who begins.
        server: who is reached.
        between: called, and not timed, when the other side's turn comes.

    Raises:
        HandshakeFailure: it does not come to that.
    """
    start = perf_counter_ns()
    ours = ClientConnection(client)
    data = ours.data_to_send()
    after = perf_counter_ns()
    theirs = ServerConnection(server)
    spent = {"client": after - start, "server": perf_counter_ns() - after}
    between()
    while data:
        for name, end in (("server", theirs), ("client", ours)):
            start = perf_counter_ns()
            events = end.receive(data)
            data = end.data_to_send()
            spent[name] += perf_counter_ns() - start
            between()
            for event in events:
                if isinstance(event, Failed):
                    raise event.failure
    return Handshake(client_ns=spent["client"], server_ns=spent["server"], ledger=ledger_of(ours))
