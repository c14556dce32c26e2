"""Keys as bytes, through Python: reading an SPKI, writing and reading PKCS#8, and how many bytes PKCS#8 is."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from sampling import sample

from pqdc.credential.certificate import load_public_key
from pqdc.measure.clock import CLOCK
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import Stock
from pqdc.scheme import pkcs8

pytestmark = pytest.mark.benchmark(timer=CLOCK, group="keys as bytes, through Python")
CODEC_NS = 20_000  # about; it only decides on the number of samples
SHARE = 0.1  # of a cell's budget


@pytest.mark.cell(operation="spki_decode", level="python", needs_spki=True)
def test_spki_decode(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """From an SPKI to a key object."""
    keys = stock.keys()
    rotating = cycle([key.public.spki for key in keys])
    scheme, bench = stock.scheme, stock.bench
    taken = sample(
        benchmark, load_public_key, lambda: (scheme, next(rotating)), bench=bench, share=SHARE, estimate_ns=CODEC_NS
    )
    record.times(benchmark, taken, keys=len(keys))


@pytest.mark.cell(operation="pkcs8_encode", level="python", needs_spki=True)
def test_pkcs8_encode(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """From a key object to PKCS#8."""
    keys, bench = stock.keys(), stock.bench
    rotating = cycle(keys)
    taken = sample(
        benchmark, lambda key: key.pkcs8(), lambda: (next(rotating),), bench=bench, share=SHARE, estimate_ns=CODEC_NS
    )
    record.times(benchmark, taken, keys=len(keys))
    if not bench.visit:
        record.sizes("pkcs8", (len(key.pkcs8()) for key in keys))


@pytest.mark.cell(operation="pkcs8_decode", level="python", needs_spki=True)
def test_pkcs8_decode(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """From PKCS#8 to a key's parts; `sign_cold` has what follows."""
    keys = stock.keys()
    rotating = cycle([key.pkcs8() for key in keys])
    scheme, bench = stock.scheme, stock.bench

    def decode(der: bytes) -> None:
        pkcs8.secret_of(scheme, pkcs8.decode(der))

    taken = sample(benchmark, decode, lambda: (next(rotating),), bench=bench, share=SHARE, estimate_ns=CODEC_NS)
    record.times(benchmark, taken, keys=len(keys))
