"""The two ways to take samples: through pytest-benchmark's own timer, and from the native loop.

Either way a few samples go before that do not count: they warm up, and from how long they take and how far they
scatter follows how many will count. An operation too slow for that within its budget goes without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter_ns
from typing import Any

from pqdc.measure.clock import CLOCK
from pqdc.measure.plan import Budget
from pqdc.measure.workbench import Stock

MOST_FIRST = 12  # samples that do not count
FIRST_SHARE = 0.15  # of a cell's budget, for them
SETTLING = 2  # of them, after which times are believed
FEWEST = 5  # times that tell how far they scatter
MAD_TO_DEVIATION = 1.4826  # of a normal distribution


def rounds_after(
    take: Callable[[int], Sequence[int]],
    budget: Budget,
    *,
    estimate_ns: float,
    share: float = 1.0,
    besides_ns: float = 0.0,
    first_ns: float = 0.0,
) -> int:
    """Take the first samples, and say how many are to count.

    Args:
        take: takes that many samples, in nanoseconds.
        budget: of a cell.
        estimate_ns: about how long a sample takes.
        share: of the budget that this cell has.
        besides_ns: what each sample costs besides.
        first_ns: what each of the first samples costs besides, if that is more.
    """
    cost = estimate_ns + max(besides_ns, first_ns)
    count = min(MOST_FIRST, int(FIRST_SHARE * share * budget.milliseconds * 1e6 / cost))
    times = take(count)[SETTLING:] if count else []
    if len(times) < FEWEST:
        return budget.rounds(estimate_ns + besides_ns, share=share)
    middle = median(times)
    scatter = MAD_TO_DEVIATION * median(abs(time - middle) for time in times) / max(middle, 1)
    return budget.rounds(middle + besides_ns, share=share, scatter=scatter)


def sample(
    benchmark: Any,
    operation: Callable[..., Any],
    arguments: Callable[[], tuple[Any, ...]],
    *,
    budget: Budget,
    estimate_ns: float,
    share: float = 1.0,
) -> int:
    """Time `operation` once a round, each with new arguments; how often."""

    def take(count: int) -> list[int]:
        return [_timed(operation, arguments()) for _ in range(count)]

    rounds = rounds_after(take, budget, estimate_ns=estimate_ns, share=share)
    benchmark.pedantic(operation, setup=lambda: (arguments(), {}), rounds=rounds)
    return rounds


def _timed(operation: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
    start = perf_counter_ns()
    operation(*arguments)
    return perf_counter_ns() - start


def sample_natively(
    benchmark: Any,
    stock: Stock,
    operation: Any,
    *,
    estimate_ns: float,
    besides_ns: float = 0.0,
    signatures: int | None = None,
    keys: int = 1,
) -> int:
    """Let the native loop take the samples, and hand them to pytest-benchmark; how many.

    Args:
        benchmark: pytest-benchmark's fixture.
        stock: of the scheme.
        operation: "keygen", "sign" or "verify".
        estimate_ns: about how long it takes.
        besides_ns: what the loop does besides for each sample, or for each signature if those are given.
        signatures: how many are made, and taken in turn; one for each sample unless given.
        keys: how many are made, and taken in turn.
    """
    backend: Any = stock.backend

    def take(count: int) -> list[int]:
        messages = [stock.bench.message() for _ in range(min(signatures or count, count))]
        few = min(keys, len(messages))
        taken: list[int] = backend.time_natively(operation, messages, scheme=stock.scheme, samples=count, keys=few)
        return taken

    besides = {"first_ns": besides_ns} if signatures else {"besides_ns": besides_ns}
    rounds = rounds_after(take, stock.bench.budget, estimate_ns=estimate_ns, **besides)
    replay(benchmark, take(rounds))
    return rounds


def replay(benchmark: Any, samples: list[int]) -> None:
    """Let pytest-benchmark see the samples as if it had taken them: its timer is CLOCK."""
    CLOCK.restart()
    upcoming = iter(samples)
    benchmark.pedantic(lambda: CLOCK.advance(next(upcoming)), rounds=len(samples), iterations=1)
