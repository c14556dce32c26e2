"""Handshakes in memory: what a credential adds to the server's flight in bytes, and what both sides cost in CPU time.

Not measured: a network, an allocator under load, and sessions that are resumed. Client and server run in one thread,
each timed apart; nothing is kept from one handshake to the next but settings.
"""

from __future__ import annotations

from itertools import cycle
from time import perf_counter_ns
from typing import Any

import pytest
from sampling import replay

from pqdc.credential.authority import make_authority
from pqdc.credential.leaf import Leaf
from pqdc.credential.mint import Minter
from pqdc.handshake import Client, ClientConnection, Identity, Server, ServerConnection, Trust
from pqdc.measure.clock import CLOCK
from pqdc.measure.flight import flight_bytes
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import VALID_FOR, Stock, Workbench
from pqdc.scheme import backends

OWN_NS = 1_500_000  # about, without the credential's scheme; it only decides on the number of samples
MOST = 8  # flights; signatures of Falcon and ECDSA vary in length


@pytest.mark.cell(operation="handshake_bytes", level="bytes")
def test_handshake_bytes(workbench: Workbench, stock: Stock, record: Recorder) -> None:
    """Of real messages, where the scheme fits a credential; of key and signature alone where it does not."""
    signed = stock.signed()[:MOST]
    if stock.reason_against:
        record.sizes("signature", (len(one.signature) for one in signed))
        return
    dcs = stock.credentials[: len(signed)]
    flights = [
        flight_bytes(stock.leaf, dc, one.signature, stock.leaf.signer(workbench.message()))
        for dc, one in zip(dcs, signed, strict=True)
    ]
    for name in flights[0]:
        record.sizes(name, (flight[name] for flight in flights))


@pytest.mark.benchmark(group="handshakes in memory, through Python", timer=CLOCK)
@pytest.mark.cell(operation="handshake_client", level="python", needs_fit=True)
def test_handshake_client(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """The client: ClientHello to Finished; chain and credential verified."""
    _measure(benchmark, stock, record, "client")


@pytest.mark.benchmark(group="handshakes in memory, through Python", timer=CLOCK)
@pytest.mark.cell(operation="handshake_server", level="python", needs_fit=True)
def test_handshake_server(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """The server: ClientHello to the client's Finished."""
    _measure(benchmark, stock, record, "server")


def _measure(benchmark: Any, stock: Stock, record: Recorder, side: str) -> None:
    pairs = cycle(_settings(stock))
    estimate_ns = stock.estimates.sign_ns + stock.estimates.verify_ns + OWN_NS
    rounds = stock.bench.budget.rounds(estimate_ns)
    for _ in range(min(3, rounds)):
        _shake_hands(*next(pairs))
    replay(benchmark, [_shake_hands(*next(pairs))[side] for _ in range(rounds)])
    record.times(benchmark, keys=len(stock.keys()))


def _settings(stock: Stock) -> list[tuple[Client, Server]]:
    """One pair for each key; the client checks the chain, and asks for this scheme alone."""
    now, leaf_key, catalog = stock.bench.now, stock.bench.leaf_key, stock.leaf.certificate.catalog
    authority = make_authority(backends.choose(leaf_key.scheme).generate(leaf_key.scheme), name="CA", days=9, now=now)
    leaf = authority.issue(leaf_key, hosts=["bench.example"], days=9, now=now, catalog=catalog)
    minter = Minter(Leaf(leaf, leaf_key.sign))
    common: dict[str, Any] = {"catalog": catalog, "clock": lambda: now}
    client = Client(
        **common,
        trust=Trust([authority.der]),
        server_name="bench.example",
        dc_schemes=(stock.scheme.code_point or 0,),
    )
    pairs = []
    for key in list(stock.keys()):
        dc = minter.mint_for(key.public, valid_for=VALID_FOR, now=now)
        pairs.append((client, Server(**common, identities=(Identity.delegated(dc, key, leaf),))))
    return pairs


def _shake_hands(client: Client, server: Server) -> dict[str, int]:
    """Nanoseconds of each side."""
    spent = {"client": 0, "server": 0}
    start = perf_counter_ns()
    ours = ClientConnection(client)
    data = ours.data_to_send()
    spent["client"] += perf_counter_ns() - start
    start = perf_counter_ns()
    theirs = ServerConnection(server)
    spent["server"] += perf_counter_ns() - start
    while data:
        for name, end in (("server", theirs), ("client", ours)):
            start = perf_counter_ns()
            end.receive(data)
            data = end.data_to_send()
            spent[name] += perf_counter_ns() - start
    assert ours.session is not None
    assert theirs.session is not None
    return spent
