"""Key generation, signing and verifying: in liboqs's native loop, and through Python as a user of pqdc pays for it.

The message is a CertificateVerify input (RFC 8446 section 4.4.3), 130 bytes with SHA-256, new for each signature; keys
rotate. Each signature that is timed, or whose verification is, has been verified.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from sampling import sample, sample_natively

from pqdc.measure.clock import CLOCK
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import MESSAGE_BYTES, Signed, Stock, Workbench

native = pytest.mark.benchmark(timer=CLOCK, group="primitives, native")
python = pytest.mark.benchmark(group="primitives, through Python")


@native
@pytest.mark.cell(operation="keygen", level="native")
def test_keygen_native(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """A key pair."""
    rounds = stock.bench.budget.rounds(stock.estimates.keygen_ns)
    sample_natively(benchmark, stock, "keygen", rounds=rounds)
    record.times(benchmark, keys=rounds)


@native
@pytest.mark.cell(operation="sign", level="native")
def test_sign_native(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """A signature; the loop verifies each."""
    _signatures_natively(benchmark, stock, record, "sign")


@native
@pytest.mark.cell(operation="verify", level="native")
def test_verify_native(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """Verifying; the loop makes a signature for each sample."""
    _signatures_natively(benchmark, stock, record, "verify")


def _signatures_natively(benchmark: Any, stock: Stock, record: Recorder, operation: Any) -> None:
    estimates, keys = stock.estimates, stock.key_count()
    rounds = stock.bench.budget.rounds(estimates.sign_ns + estimates.verify_ns)
    keys = min(keys, rounds)
    sample_natively(benchmark, stock, operation, rounds=rounds, keys=keys)
    record.times(benchmark, message_bytes=MESSAGE_BYTES, keys=keys)


@python
@pytest.mark.cell(operation="keygen", level="python")
def test_keygen(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """A key object."""
    backend, scheme = stock.backend, stock.scheme
    rounds = stock.bench.budget.rounds(stock.estimates.keygen_ns)
    sample(benchmark, backend.generate, lambda: (scheme,), rounds=rounds, estimate_ns=stock.estimates.keygen_ns)
    record.times(benchmark, keys=rounds)


@python
@pytest.mark.cell(operation="sign", level="python")
def test_sign(benchmark: Any, workbench: Workbench, stock: Stock, record: Recorder) -> None:
    """A signature, with a key object that was made before."""
    keys = stock.keys()
    rounds = workbench.budget.rounds(stock.estimates.sign_ns)
    rotating, made = cycle(keys), []

    def sign(key: Any, message: bytes) -> None:
        made.append((key, message, key.sign(message)))

    sample(
        benchmark,
        sign,
        lambda: (next(rotating), workbench.message()),
        rounds=rounds,
        estimate_ns=stock.estimates.sign_ns,
    )
    for key, message, signature in made:
        key.public.verify(signature, message)
    stock.keep([Signed(public=key.public, signature=signature, message=message) for key, message, signature in made])
    record.times(benchmark, message_bytes=MESSAGE_BYTES, keys=min(len(keys), rounds))


@python
@pytest.mark.cell(operation="verify", level="python")
def test_verify(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """Verifying, with a key object that was made before."""
    signed = stock.signed()
    rounds = stock.bench.budget.rounds(stock.estimates.verify_ns)
    rotating = cycle(signed)

    def verify(one: Signed) -> None:
        one.public.verify(one.signature, one.message)

    sample(benchmark, verify, lambda: (next(rotating),), rounds=rounds, estimate_ns=stock.estimates.verify_ns)
    record.times(benchmark, message_bytes=MESSAGE_BYTES, keys=len({id(one.public) for one in signed}))
