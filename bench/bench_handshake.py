"""Handshakes in memory: what both sides cost in CPU time, and what a credential adds to the server's flight in bytes.

Not measured: a network, an allocator under load, and sessions that are resumed. Client and server run in one thread,
each timed apart. Nothing is kept from one handshake to the next but settings, and what endpoints have read of their own
credential and of the peer's chain: each credential has been in a handshake before. The three cells of a scheme are
three views of the same handshakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import cycle, islice
from typing import Any

import pytest
from handshakes import Handshake, pair_without_credential, pairs, shake_hands
from sampling import Course, course_after, course_of, replay

from pqdc.handshake import Client, Server
from pqdc.measure.clock import CLOCK
from pqdc.measure.journal import Recorder
from pqdc.measure.pace import Taken
from pqdc.measure.workbench import Stock, Workbench

OWN_NS = 700_000  # about, of both, without the credential's scheme; it only decides on the number of samples
SHARE = 2.0  # budgets of a cell: the client's and the server's
PAIRS = 4  # of client and server, at the most
MOST = 8  # ledgers; signatures of Falcon and ECDSA vary in length


@pytest.mark.benchmark(group="handshakes in memory, through Python", timer=CLOCK)
@pytest.mark.cell(operation="handshake_client", level="python", needs_fit=True)
def test_handshake_client(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """The client: ClientHello to Finished; chain and credential verified."""
    taken = handshakes(stock).each(lambda made: made.client_ns)
    record.times(benchmark, replay(benchmark, taken), keys=_keys(stock))


@pytest.mark.benchmark(group="handshakes in memory, through Python", timer=CLOCK)
@pytest.mark.cell(operation="handshake_server", level="python", needs_fit=True)
def test_handshake_server(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """The server: ClientHello to the client's Finished."""
    taken = handshakes(stock).each(lambda made: made.server_ns)
    record.times(benchmark, replay(benchmark, taken), keys=_keys(stock))


@pytest.mark.cell(operation="handshake_bytes", level="bytes")
def test_handshake_bytes(stock: Stock, record: Recorder) -> None:
    """From their ledgers, where the scheme fits a credential; of a signature alone where it does not."""
    if stock.reason_against:
        record.sizes("signature", (len(one.signature) for one in stock.signed()[:MOST]))
        return
    plain = handshakes_without_credential(stock.bench)
    lengths = [_lengths(made, other) for made, other in zip(handshakes(stock).samples, plain, strict=False)]
    for name in lengths[0]:
        record.sizes(name, (each[name] for each in lengths))


def handshakes(stock: Stock) -> Taken[Handshake]:
    """Those of this visit: which of its cells comes first makes them."""
    return _handshakes(stock, stock.bench.visit)


@cache
def _handshakes(stock: Stock, _visit: int) -> Taken[Handshake]:
    """With the credentials in turn; between the turns the pace is looked at."""
    bench = stock.bench
    rotating = cycle(_acquainted(stock))
    client_ns, server_ns = _estimates(stock)

    def make(count: int) -> list[Handshake]:
        return [shake_hands(*pair, between=bench.pace.look) for pair in islice(rotating, count)]

    def find() -> Course:
        return course_after(
            lambda count: [made.server_ns for made in make(count)],  # who signs: that may scatter
            bench,
            estimate_ns=server_ns,
            besides_ns=client_ns,
            share=SHARE,
        )

    _, part = course_of(stock, bench, find)
    return part.run(make, bench.pace)


@cache
def _acquainted(stock: Stock) -> list[tuple[Client, Server]]:
    """Some clients and servers that have met before: as many as a cell's budget lets meet."""
    affordable = stock.bench.budget.rounds(sum(_estimates(stock)))
    made = pairs(stock, min(PAIRS, affordable))
    for pair in made:
        shake_hands(*pair)
    return made


def _estimates(stock: Stock) -> tuple[float, float]:
    """Of the client and the server, nanoseconds."""
    return stock.estimates.verify_ns + OWN_NS / 2, stock.estimates.sign_ns + OWN_NS / 2


def _keys(stock: Stock) -> int:
    """How many the servers have between them."""
    return min(len(_acquainted(stock)), len(stock.keys()))


@cache
def handshakes_without_credential(bench: Workbench) -> list[Handshake]:
    """MOST of them."""
    pair = pair_without_credential(bench)
    return [shake_hands(*pair) for _ in range(MOST)]


def _lengths(made: Handshake, plain: Handshake) -> Mapping[str, int]:
    server = made.ledger.server
    extension = server.bytes_of("Certificate", "delegated_credential")
    return {
        "spki": server.bytes_of("Certificate", "delegated_credential", "spki"),
        "signature": server.bytes_of("CertificateVerify", "signature"),
        "dc": extension - 4,
        "certificate_entry_extension": extension,
        "certificate_verify": server.bytes_of("CertificateVerify"),
        "added_to_flight": server.handshake_bytes - plain.ledger.server.handshake_bytes,
        "server_hello": server.bytes_of("ServerHello"),
        "encrypted_extensions": server.bytes_of("EncryptedExtensions"),
        "certificate": server.bytes_of("Certificate"),
        "server_finished": server.bytes_of("Finished"),
        "server_records": server.wire_bytes - server.handshake_bytes,
        "server_sends": server.wire_bytes,
        "client_sends": made.ledger.client.wire_bytes,
    }
