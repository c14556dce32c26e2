"""What measuring costs: the same two paths round an operation that does nothing. It is included in every figure."""

from __future__ import annotations

from typing import Any

import pytest
from sampling import replay

from pqdc.errors import BackendUnavailable
from pqdc.measure.clock import CLOCK
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import Workbench
from pqdc.scheme import backends

SAMPLES, WARMUP = 300, 20


@pytest.mark.benchmark(timer=CLOCK, group="overhead")
@pytest.mark.cell(operation="empty", level="native", backend="liboqs")
def test_empty_native(benchmark: Any, workbench: Workbench, record: Recorder) -> None:
    """Two readings of the clock in the native loop."""
    try:
        backend: Any = backends.load_backend("liboqs")
        samples = backend.time_natively("empty", [workbench.message()], samples=WARMUP + SAMPLES)[WARMUP:]
    except BackendUnavailable as reason:
        pytest.skip(str(reason))
    replay(benchmark, samples)
    record.times(benchmark)


@pytest.mark.benchmark(group="overhead")
@pytest.mark.cell(operation="empty", level="python", backend="python")
def test_empty(benchmark: Any, record: Recorder) -> None:
    """Two readings of the clock round a call of a Python function with two arguments."""

    def nothing(_key: object, _message: object) -> None:
        return None

    benchmark.pedantic(nothing, setup=lambda: ((None, None), {}), rounds=SAMPLES, warmup_rounds=WARMUP)
    record.times(benchmark)
