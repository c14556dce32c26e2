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
from itertools import accumulate, chain
from typing import Any, Final, Literal

from pqdc.errors import ResultError

__all__ = [
    "CONFIDENCE",
    "FEWEST",
    "LOST",
    "NOISY",
    "STABLE",
    "Agreement",
    "Interval",
    "Summary",
    "bootstrap_interval",
    "counting",
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


def counting(samples: Sequence[Sequence[int | None]], losses: Sequence[float]) -> list[int]:
    """Which processes count: those that others took little of the time from, if they are half of all and not too few.

    What decides is the loss, never a sample.

    Args:
        samples: a list for each process; one without any counts for nothing.
        losses: the share of each one's time that others took.
    """
    there = [process for process, some in enumerate(samples) if some]
    quiet = [process for process in there if losses[process] <= LOST[0]]
    return quiet if len(quiet) >= max(FEWEST, len(there) / 2) else there


def summarise(samples: Sequence[Sequence[int | None]], *, lost: float = 0.0) -> Summary | None:
    """The numbers for samples by process; None if no sample is valid.

    Args:
        samples: a list for each process.
        lost: the share of the time that others took meanwhile.

    Raises:
        ResultError: numpy is missing.
    """
    if (value := _only(samples)) is not None:
        return _exactly(value, samples, lost)
    numpy = library("numpy")
    groups = _ordered(samples)
    counts = (groups >= 0).sum(axis=1)
    groups, counts = groups[counts > 0], counts[counts > 0]
    if not len(groups):
        return None
    pooled = numpy.sort(groups, axis=None)[: counts.sum()]
    middles = _middles(groups, counts)
    medians = tuple(middles.tolist())
    median = _middle(sorted(medians))
    mads = _middles(numpy.sort(abs(groups - middles[:, None])), counts).tolist()
    spread, error = _between(medians, median, list(map(_variance_of_median, mads, counts.tolist())))
    return Summary(
        median=median,
        medians=medians,
        mad=_middle(numpy.sort(abs(pooled - median))),
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


def _only(samples: Sequence[Sequence[int | None]]) -> int | None:
    """The value that all samples have, as most lengths are always the same; None if they differ."""
    first = samples[0][0] if samples and samples[0] else None
    alike = first is not None and first >= 0 and all(each and each.count(first) == len(each) for each in samples)
    return first if alike else None


def _exactly(value: float, samples: Sequence[Sequence[int | None]], lost: float) -> Summary:
    """What needs no computing."""
    value = float(value)
    several = 0.0 if len(samples) > 1 else None
    return Summary(
        median=value,
        medians=(value,) * len(samples),
        mad=0.0,
        p5=value,
        p95=value,
        p99=value,
        least=value,
        mean=value,
        count=sum(map(len, samples)),
        invalid=0,
        spread=several,
        error=several,
        lost=lost,
        agreement=_agreement(several, several, lost),
    )


def _ordered(samples: Sequence[Sequence[int | None]]) -> Any:
    """A row for each process: its samples that are times, in order of size, then NaN for the others and to the end."""
    numpy = library("numpy")
    lengths = [*map(len, samples)]
    ordered = numpy.full((len(lengths), max(lengths, default=0)), numpy.nan)
    there = numpy.arange(ordered.shape[1]) < numpy.array(lengths)[:, None]
    ordered[there] = numpy.array([*chain.from_iterable(samples)]).astype(float)  # None becomes NaN
    ordered[~(ordered >= 0)] = numpy.nan
    ordered.sort(axis=1)
    return ordered


def _middle(ordered: Sequence[float]) -> float:
    count = len(ordered)
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _middles(ordered: Any, counts: Any) -> Any:
    """The median of each row, of which so many stand first."""
    numpy = library("numpy")
    rows = numpy.arange(len(ordered))
    return (ordered[rows, (counts - 1) // 2] + ordered[rows, counts // 2]) / 2


def _percentile(ordered: Any, percent: int) -> float:
    """By linear interpolation between the two nearest, as numpy's: all of them from one sorting."""
    position = (len(ordered) - 1) * percent / 100
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (position - low))


def _between(
    medians: Sequence[float], middle: float, variances: Sequence[float]
) -> tuple[float, float] | tuple[None, None]:
    """Of processes: how far apart they lie (a variance component), and the error of their median; both relative.

    Args:
        medians: of each.
        middle: of those.
        variances: of each median, as far as the scatter of the samples tells it.
    """
    if len(medians) < 2:
        return None, None
    mean = math.fsum(medians) / len(medians)
    variance = math.fsum((median - mean) ** 2 for median in medians) / (len(medians) - 1)
    if not middle:
        return (math.inf, math.inf) if variance else (0.0, 0.0)
    between = math.sqrt(max(0.0, variance - math.fsum(variances) / len(variances)))
    return between / middle, MEDIAN_ERROR * math.sqrt(variance / len(medians)) / middle


def _variance_of_median(mad: float, count: int) -> float:
    return (MEDIAN_ERROR * (MAD_TO_DEVIATION * mad)) ** 2 / count


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
            ends = zip(*_percentile_interval(_resampled_medians(numpy.asarray(some))), strict=True)
            found |= {
                group: Interval(low=float(low), high=float(high)) for group, (low, high) in zip(some, ends, strict=True)
            }
    return [found.get(group) for group in groups]


def _resampled_medians(groups: Any) -> Any:
    """Of each group, a row, the medians of the resamples that scipy would draw of it.

    None is sorted for that: values are counted, from the smallest, until half of what was drawn is reached.
    """
    numpy = library("numpy")
    size = groups.shape[1]
    drawn = numpy.random.default_rng(0).integers(0, size, (RESAMPLES, size))
    often = numpy.zeros((size, RESAMPLES), dtype=numpy.min_scalar_type(size))
    numpy.add.at(often, (drawn, numpy.arange(RESAMPLES)[:, None]), 1)
    order = numpy.argsort(groups, axis=1)
    ordered = numpy.take_along_axis(groups, order, axis=1)
    so_far = numpy.asarray([*accumulate(often[order.T])])  # by value, group and resample; quicker than cumsum
    smaller = ((so_far <= half).sum(axis=0, dtype=often.dtype) for half in ((size - 1) // 2, size // 2))
    low, high = (numpy.take_along_axis(ordered, count, axis=1) for count in smaller)
    return (low + high) / 2


def _percentile_interval(values: Any) -> tuple[Any, Any]:
    """Of each row, by linear interpolation between the two nearest, in the steps of scipy's, so that no bit differs."""
    ordered = library("numpy").sort(values, axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = (_at(ordered, share * values.shape[1] + (1 - share)) for share in (tail, 1 - tail))
    return low, high


def _at(ordered: Any, place: float) -> Any:
    """Of each row what stands there, counted from 1."""
    number, part = int(place), place % 1
    return (1 - part) * ordered[:, number - 1] + part * ordered[:, number]


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
