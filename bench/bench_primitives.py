"""Key generation, signing and verifying: in liboqs's native loop, and through Python as a user of pqdc pays for it.

The message is a CertificateVerify input (RFC 8446 section 4.4.3), 130 bytes with SHA-256, new for each signature; keys
rotate. Each signature that is timed, or whose verification is, has been verified. Keys are warm: objects that have been
used before, and so few that a processor keeps them. Cold are those that are read from their bytes for each sample, as
a client does with the key of every credential; liboqs itself keeps nothing of a key between two calls.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from sampling import sample, sample_natively

from pqdc.credential.certificate import load_public_key
from pqdc.measure.clock import CLOCK
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import MESSAGE_BYTES, Signed, Stock, Workbench

native = pytest.mark.benchmark(timer=CLOCK, group="primitives, native")
python = pytest.mark.benchmark(timer=CLOCK, group="primitives, through Python")
COLD_SHARE = 0.5  # of a cell's budget


@native
@pytest.mark.cell(operation="keygen", level="native")
def test_keygen_native(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """A key pair."""
    taken = sample_natively(benchmark, stock, "keygen", estimate_ns=stock.estimates.keygen_ns)
    record.times(benchmark, taken, keys=len(taken.samples))


@native
@pytest.mark.cell(operation="sign", level="native")
def test_sign_native(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """A signature; the loop verifies each."""
    estimates, keys = stock.estimates, stock.key_count()
    taken = sample_natively(
        benchmark, stock, "sign", estimate_ns=estimates.sign_ns, besides_ns=estimates.verify_ns, keys=keys
    )
    record.times(benchmark, taken, message_bytes=MESSAGE_BYTES, keys=min(keys, len(taken.samples)))


@native
@pytest.mark.cell(operation="verify", level="native")
def test_verify_native(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """Verifying; the loop makes the signatures, few where that is slow."""
    estimates, keys, signatures = stock.estimates, stock.key_count(), stock.signature_count()
    taken = sample_natively(
        benchmark,
        stock,
        "verify",
        estimate_ns=estimates.verify_ns,
        besides_ns=estimates.sign_ns,
        signatures=signatures,
        keys=keys,
    )
    record.times(benchmark, taken, message_bytes=MESSAGE_BYTES, keys=min(keys, signatures))


@python
@pytest.mark.cell(operation="keygen", level="python")
def test_keygen(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """A key object."""
    backend, scheme, bench = stock.backend, stock.scheme, stock.bench
    if stock.estimates.keygen_ns > bench.plan.slow_ns:  # the check has taken a sample, and another costs as much
        if not bench.visit:
            record.counts("keygen", [round(stock.estimates.keygen_ns)], unit="ns")
        return
    taken = sample(benchmark, backend.generate, lambda: (scheme,), bench=bench, estimate_ns=stock.estimates.keygen_ns)
    record.times(benchmark, taken, keys=len(taken.samples))


@python
@pytest.mark.cell(operation="sign", level="python")
def test_sign(benchmark: Any, workbench: Workbench, stock: Stock, record: Recorder) -> None:
    """A signature, with a key object that was made before."""
    if stock.estimates.sign_ns > workbench.plan.slow_ns:  # as above
        if not workbench.visit:
            record.counts("sign", [round(stock.estimates.sign_ns)], unit="ns")
        return
    keys, made = stock.keys(), []
    rotating = cycle(keys)

    def sign(key: Any, message: bytes) -> None:
        made.append((key, message, key.sign(message)))

    taken = sample(
        benchmark,
        sign,
        lambda: (next(rotating), workbench.message()),
        bench=workbench,
        estimate_ns=stock.estimates.sign_ns,
    )
    for key, message, signature in made:
        key.public.verify(signature, message)
    stock.keep([Signed(public=key.public, signature=signature, message=message) for key, message, signature in made])
    record.times(benchmark, taken, message_bytes=MESSAGE_BYTES, keys=min(len(keys), len(taken.samples)))


@python
@pytest.mark.cell(operation="verify", level="python")
def test_verify(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """Verifying, with a key object that was made before."""
    signed = stock.signed()
    rotating = cycle(signed)

    def verify(one: Signed) -> None:
        one.public.verify(one.signature, one.message)

    estimate_ns = stock.estimates.verify_ns
    taken = sample(benchmark, verify, lambda: (next(rotating),), bench=stock.bench, estimate_ns=estimate_ns)
    record.times(benchmark, taken, message_bytes=MESSAGE_BYTES, keys=len({id(one.public) for one in signed}))


@python
@pytest.mark.cell(operation="sign_cold", level="python")
def test_sign_cold(benchmark: Any, workbench: Workbench, stock: Stock, record: Recorder) -> None:
    """The first signature of a key: it is read from its bytes, and its halves held against each other."""
    backend, scheme, estimates = stock.backend, stock.scheme, stock.estimates
    keys = stock.keys()
    secrets = [key.secret() for key in keys]
    rotating = cycle(secrets)

    def sign(secret: Any, message: bytes) -> None:
        backend.private_key(scheme, secret).sign(message)

    taken = sample(
        benchmark,
        sign,
        lambda: (next(rotating), workbench.message()),
        bench=workbench,
        share=COLD_SHARE,
        estimate_ns=2 * estimates.sign_ns + estimates.verify_ns,
    )
    record.times(benchmark, taken, message_bytes=MESSAGE_BYTES, keys=len(secrets))


@python
@pytest.mark.cell(operation="verify_cold", level="python", needs_spki=True)
def test_verify_cold(benchmark: Any, stock: Stock, record: Recorder) -> None:
    """The first verification by a key, which is read from its SPKI."""
    scheme, signed = stock.scheme, [(one.public.spki, one) for one in stock.signed()]
    rotating = cycle(signed)

    def verify(spki: bytes, one: Signed) -> None:
        load_public_key(scheme, spki).verify(one.signature, one.message)

    estimate_ns = stock.estimates.verify_ns
    taken = sample(
        benchmark,
        verify,
        lambda: next(rotating),
        bench=stock.bench,
        share=COLD_SHARE,
        estimate_ns=estimate_ns,
    )
    record.times(benchmark, taken, message_bytes=MESSAGE_BYTES, keys=len({id(one.public) for _, one in signed}))
