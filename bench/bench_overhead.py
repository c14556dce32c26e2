"""What measuring costs: the same two paths round an operation that does nothing. It is included in every figure."""

from __future__ import annotations

from typing import Any

import pytest
from sampling import replay, sample

from pqdc.errors import BackendUnavailable
from pqdc.measure.clock import CLOCK
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import Workbench
from pqdc.scheme import backends

SAMPLES, WARMUP = 300, 20
EMPTY_NS = 200  # about


@pytest.mark.benchmark(timer=CLOCK, group="overhead")
@pytest.mark.cell(operation="empty", level="native", backend="liboqs")
def test_empty_native(benchmark: Any, workbench: Workbench, record: Recorder) -> None:
    """Two readings of the clock in the native loop."""
    try:
        backend: Any = backends.load_backend("liboqs")
        message, pace = workbench.message(), workbench.pace
        backend.time_natively("empty", [message], samples=WARMUP)
        taken = pace.quietly(
            lambda count: backend.time_natively("empty", [message], samples=count), SAMPLES, piece=SAMPLES
        )
    except BackendUnavailable as reason:
        pytest.skip(str(reason))
    record.times(benchmark, replay(benchmark, taken))


@pytest.mark.benchmark(timer=CLOCK, group="overhead")
@pytest.mark.cell(operation="empty", level="python", backend="python")
def test_empty(benchmark: Any, workbench: Workbench, record: Recorder) -> None:
    """Two readings of the clock round a call of a Python function with two arguments."""

    def nothing(_key: object, _message: object) -> None:
        return None

    record.times(benchmark, sample(benchmark, nothing, lambda: (None, None), bench=workbench, estimate_ns=EMPTY_NS))
