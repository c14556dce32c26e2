"""Cycles and instructions of key generation, signing and verifying, in liboqs's native loop; where the kernel has them.

Reading a counter is a system call, which counts in user mode only what surrounds it; `empty` says how much that is.
"""

from __future__ import annotations

from typing import Any

import pytest

from pqdc.measure.counters import COUNTERS, counter
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import Stock

SHARE = 0.2  # of a cell's budget, for each operation and counter


@pytest.mark.cell(operation="counts", level="native", counts=True)
def test_counts(stock: Stock, record: Recorder) -> None:
    """Each operation by each counter, in passes of their own."""
    estimates, budget = stock.estimates, stock.bench.budget
    backend: Any = stock.backend
    costs = {
        "keygen": estimates.keygen_ns,
        "sign": estimates.sign_ns + estimates.verify_ns,
        "verify": estimates.verify_ns,
    }
    messages = [stock.bench.message() for _ in range(stock.signature_count())]
    keys = min(stock.key_count(), len(messages))
    for unit, event in COUNTERS.items():
        with counter(*event) as descriptor:
            for operation, cost_ns in costs.items():
                samples = budget.rounds(cost_ns, share=SHARE)
                counted = backend.time_natively(
                    operation, messages, scheme=stock.scheme, samples=samples, keys=keys, counter=descriptor
                )
                record.counts(f"{operation}_{unit}", counted, unit=unit)
