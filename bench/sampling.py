"""The two ways to take samples: through pytest-benchmark's own timer, and from the native loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pqdc.measure.clock import CLOCK
from pqdc.measure.workbench import Stock

MOST_WARMUP_ROUNDS = 5
WARMUP_SHARE = 0.2  # of a cell's budget, at the most
WARMUP_LIMIT_NS = 1e9


def sample(
    benchmark: Any,
    operation: Callable[..., Any],
    arguments: Callable[[], tuple[Any, ...]],
    *,
    rounds: int,
    estimate_ns: float,
) -> None:
    """Time `operation` once a round, each with new arguments, after a few rounds that do not count."""
    warmup = warmup_rounds(rounds, estimate_ns)
    benchmark.pedantic(operation, setup=lambda: (arguments(), {}), rounds=rounds, warmup_rounds=warmup)


def warmup_rounds(rounds: int, estimate_ns: float) -> int:
    """How many calls go before, and do not count; none of an operation so slow that nothing it warms lasts."""
    return min(MOST_WARMUP_ROUNDS, int(WARMUP_SHARE * rounds)) if estimate_ns * rounds < WARMUP_LIMIT_NS else 0


def sample_natively(benchmark: Any, stock: Stock, operation: Any, *, rounds: int, keys: int = 1) -> None:
    """Let the native loop take the samples, and hand them to pytest-benchmark."""
    backend: Any = stock.backend
    warmup = int(WARMUP_SHARE * rounds)
    if warmup:
        few = [stock.bench.message() for _ in range(min(MOST_WARMUP_ROUNDS, warmup))]
        backend.time_natively(operation, few, scheme=stock.scheme)
    messages = [stock.bench.message() for _ in range(rounds)]
    replay(benchmark, backend.time_natively(operation, messages, scheme=stock.scheme, keys=keys))


def replay(benchmark: Any, samples: list[int]) -> None:
    """Let pytest-benchmark see the samples as if it had taken them: its timer is CLOCK."""
    CLOCK.restart()
    upcoming = iter(samples)
    benchmark.pedantic(lambda: CLOCK.advance(next(upcoming)), rounds=len(samples), iterations=1)
