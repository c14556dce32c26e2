"""What a credential adds to the server's flight, in bytes: counted, not timed. See `pqdc.measure.flight`."""

from __future__ import annotations

import pytest

from pqdc.measure.flight import flight_bytes
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import Stock, Workbench

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
