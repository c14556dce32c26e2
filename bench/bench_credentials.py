"""Minting, verifying, encoding and decoding a delegated credential, through Python, under the plan's leaf.

Minting makes a new key, its SPKI, and one signature by the leaf: what a server pays for each credential. The leaf has
been read before, as it is for a server that mints, and a client that verifies, more than one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
from sampling import sample

from pqdc.credential.structures import DelegatedCredential
from pqdc.measure.clock import CLOCK
from pqdc.measure.journal import Recorder
from pqdc.measure.pace import Taken
from pqdc.measure.workbench import Stock

pytestmark = pytest.mark.benchmark(timer=CLOCK, group="credentials, through Python")
VERIFY_NS, CODEC_NS = 100_000, 5_000  # about; they only decide on the number of samples
LEAF_SIGNATURE_NS = 50_000
CODEC_SHARE = 0.1  # of a cell's budget


@pytest.mark.cell(operation="mint", level="python", needs_fit=True)
def test_mint(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """A credential with a new key; each is verified afterwards."""
    made: list[DelegatedCredential] = []
    estimate_ns = stock.estimates.keygen_ns + LEAF_SIGNATURE_NS

    def mint() -> None:
        made.append(stock.mint()[0])

    taken = sample(benchmark, mint, tuple, bench=stock.bench, estimate_ns=estimate_ns)
    for dc in made:
        stock.verify(dc)
    record.times(benchmark, taken, keys=len(taken.samples))


@pytest.mark.cell(operation="dc_verify", level="python", needs_fit=True)
def test_dc_verify(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """Every rule, with the leaf's signature."""
    rotating = cycle(stock.credentials)
    taken = sample(benchmark, stock.verify, lambda: (next(rotating),), bench=stock.bench, estimate_ns=VERIFY_NS)
    record.times(benchmark, taken, keys=len(stock.keys()))


@pytest.mark.cell(operation="dc_encode", level="python", needs_fit=True)
def test_dc_encode(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """From an object to bytes."""
    rotating = cycle(stock.credentials)
    record.times(benchmark, _sample_codec(benchmark, stock, DelegatedCredential.encode, lambda: (next(rotating),)))


@pytest.mark.cell(operation="dc_decode", level="python", needs_fit=True)
def test_dc_decode(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """From bytes to an object."""
    rotating = cycle([dc.encode() for dc in stock.credentials])
    record.times(benchmark, _sample_codec(benchmark, stock, DelegatedCredential.decode, lambda: (next(rotating),)))


def _sample_codec(
    benchmark: Any, stock: Stock, operation: Callable[..., Any], arguments: Callable[[], Any]
) -> Taken[int]:
    return sample(benchmark, operation, arguments, bench=stock.bench, share=CODEC_SHARE, estimate_ns=CODEC_NS)
