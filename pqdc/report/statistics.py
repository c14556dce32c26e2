"""Samples of several processes to a few numbers, how sure they are, and whether the processes agree.

The process is the unit: samples of one process are not independent of each other (pooled, two runs of the same thing
look significantly different), so the median is that of the processes' medians, its interval resamples those, and
nothing is claimed of a single process. docs/results.md tells the choices and their sources.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, Literal

from pqdc.errors import ResultError

__all__ = [
    "CONFIDENCE",
    "FEWEST",
    "NOISY",
    "STABLE",
    "Agreement",
    "Interval",
    "Summary",
    "bootstrap_interval",
    "library",
    "median_intervals",
    "median_of",
    "summarise",
]

Agreement = Literal["stable", "noisy", "unstable", "one process"]
VERDICTS: Final[tuple[Agreement, ...]] = ("stable", "noisy", "unstable")
STABLE: Final = 0.03  # how far processes lie apart, and the median from where it would be, at the most
NOISY: Final = 0.10
MEDIAN_ERROR: Final = 1.2533  # the standard error of a median of n is this / sqrt(n): sqrt(pi / 2)
MAD_TO_DEVIATION: Final = 1.4826  # both of a normal distribution
LOST: Final = (0.03, 0.15)  # shares of the time that others took: more than the first lowers the verdict by one, ...
CONFIDENCE: Final = 0.95
FEWEST: Final = 3  # processes that an interval can be made of
RESAMPLES: Final = 999
AT_ONCE: Final = 200  # groups: bounds the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Of CONFIDENCE."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Of all valid samples of a cell, in the cell's unit.

    Attributes:
        median: of the processes' medians.
        medians: of each process that gave samples.
        mad: median of the absolute deviations of all samples from the median.
        p5: five of a hundred samples are smaller.
        p95: five of a hundred samples are larger.
        p99: one of a hundred samples is larger.
        count: valid samples.
        invalid: samples that were no finite, positive number.
        spread: standard deviation of the medians, relative to the median, beyond what the scatter of each process's
            samples explains; None of a single process.
        error: the standard error of the median, relative to it; None of a single process.
        lost: the share of the time that others took.
        agreement: of the medians; lower if much time was lost.
    """

    median: float
    medians: tuple[float, ...]
    mad: float
    p5: float
    p95: float
    p99: float
    least: float
    mean: float
    count: int
    invalid: int
    spread: float | None
    error: float | None
    lost: float
    agreement: Agreement

    @property
    def processes(self) -> int:
        """How many gave samples."""
        return len(self.medians)

    @property
    def interval(self) -> Interval | None:
        """Of the median; None of fewer than three processes."""
        return bootstrap_interval(median_of, self.medians)


def summarise(samples: Sequence[Sequence[int | None]], *, lost: float = 0.0) -> Summary | None:
    """The numbers for samples by process; None if no sample is valid.

    Args:
        samples: a list for each process.
        lost: the share of the time that others took meanwhile.

    Raises:
        ResultError: scipy is missing.
    """
    numpy = library("numpy")
    groups = [values for process in samples if len(values := _valid(process))]
    if not groups:
        return None
    pooled = numpy.sort(numpy.concatenate(groups))
    medians = tuple(map(_middle, groups))
    median = _middle(sorted(medians))
    spread, error = _between(groups, medians, median)
    return Summary(
        median=median,
        medians=medians,
        mad=_mad(pooled, median),
        p5=_percentile(pooled, 5),
        p95=_percentile(pooled, 95),
        p99=_percentile(pooled, 99),
        least=float(pooled[0]),
        mean=float(pooled.mean()),
        count=len(pooled),
        invalid=sum(map(len, samples)) - len(pooled),
        spread=spread,
        error=error,
        lost=lost,
        agreement=_agreement(spread, error, lost),
    )


def _valid(process: Sequence[int | None]) -> Any:
    """Its samples that are times, in order of size."""
    numpy = library("numpy")
    values = numpy.array(process, dtype=float)  # None becomes NaN, which is not even as large as 0
    return numpy.sort(values[values >= 0])


def _middle(ordered: Any) -> float:
    count = len(ordered)
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _mad(ordered: Any, median: float) -> float:
    """The median of the absolute deviations from the median; lengths, which are all alike, have none."""
    if ordered[0] == ordered[-1] == median:
        return 0.0
    return _middle(library("numpy").sort(abs(ordered - median)))


def _percentile(ordered: Any, percent: int) -> float:
    """By linear interpolation between the two nearest, as numpy's: all of them from one sorting."""
    position = (len(ordered) - 1) * percent / 100
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (position - low))


def _between(groups: Sequence[Any], medians: Sequence[float], middle: float) -> tuple[float, float] | tuple[None, None]:
    """Of processes: how far apart they lie (a variance component), and the error of their median; both relative.

    Args:
        groups: each process's samples, in order of size.
        medians: of each.
        middle: of those.
    """
    if len(medians) < 2:
        return None, None
    mean = math.fsum(medians) / len(medians)
    variance = math.fsum((median - mean) ** 2 for median in medians) / (len(medians) - 1)
    if not middle:
        return (math.inf, math.inf) if variance else (0.0, 0.0)
    explained = math.fsum(map(_variance_of_median, groups, medians)) / len(groups)
    between = math.sqrt(max(0.0, variance - explained))
    return between / middle, MEDIAN_ERROR * math.sqrt(variance / len(medians)) / middle


def _variance_of_median(ordered: Any, median: float) -> float:
    """As far as the scatter of the samples tells it."""
    deviation = MAD_TO_DEVIATION * _mad(ordered, median)
    return (MEDIAN_ERROR * deviation) ** 2 / len(ordered)


def _agreement(spread: float | None, error: float | None, lost: float) -> Agreement:
    """Stable: processes agree, and their median is sure; two standard errors are nearly an interval of 95 %."""
    if spread is None or error is None:
        return "one process"
    agreed = sum(max(spread, 2 * error) > limit for limit in (STABLE, NOISY))
    return VERDICTS[min(agreed + sum(lost > limit for limit in LOST), len(VERDICTS) - 1)]


@lru_cache(maxsize=4096)
def bootstrap_interval(statistic: Callable[..., Any], *groups: tuple[float, ...]) -> Interval | None:
    """The percentile interval of a statistic of one or more groups of processes; None if one has fewer than three.

    The same each time: the generator has a fixed seed.
    """
    if min(map(len, groups)) < FEWEST:
        return None
    low, high = _bootstrap(statistic, groups)
    return Interval(low=float(low), high=float(high))


def median_intervals(groups: Sequence[tuple[float, ...]]) -> list[Interval | None]:
    """`bootstrap_interval(median_of, group)` of each group; thousands at once, as all of a size are resampled alike."""
    numpy = library("numpy")
    found: dict[tuple[float, ...], Interval] = {
        group: Interval(low=group[0], high=group[0]) for group in groups if len(group) >= FEWEST and len({*group}) == 1
    }
    by_size: dict[int, list[tuple[float, ...]]] = {}
    for group in dict.fromkeys(groups):
        if len(group) >= FEWEST and group not in found:
            by_size.setdefault(len(group), []).append(group)
    for of_size in by_size.values():
        for start in range(0, len(of_size), AT_ONCE):
            some = of_size[start : start + AT_ONCE]
            ends = zip(*_bootstrap(median_of, (numpy.asarray(some),)), strict=True)
            found |= {
                group: Interval(low=float(low), high=float(high)) for group, (low, high) in zip(some, ends, strict=True)
            }
    return [found.get(group) for group in groups]


def _bootstrap(statistic: Callable[..., Any], groups: Sequence[Any]) -> tuple[Any, Any]:
    numpy, stats = library("numpy"), library("scipy.stats")
    found = stats.bootstrap(
        groups,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        axis=-1,
        rng=numpy.random.default_rng(0),
    ).confidence_interval
    return found.low, found.high


def median_of(values: Any, axis: int = -1) -> Any:
    """As scipy calls a statistic; of many small groups quicker than numpy's own."""
    numpy = library("numpy")
    ordered = numpy.sort(values, axis=axis)
    count = ordered.shape[axis]
    return (numpy.take(ordered, (count - 1) // 2, axis=axis) + numpy.take(ordered, count // 2, axis=axis)) / 2


@lru_cache
def library(name: str) -> Any:
    """Loaded when first used: scipy takes its time, and comes with an extra."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ResultError(
            f"{name} is missing, which figures are summed up with", hint="pip install 'pqdc[report]'"
        ) from None
