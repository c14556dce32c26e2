"""Samples of several processes to a few numbers, and whether the processes agree.

Samples of one process are not independent of each other, so agreement is asked of the processes' medians, and nothing
is claimed of a single process.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Agreement", "Summary", "summarise"]

Agreement = Literal["stable", "noisy", "unstable", "one process"]
STABLE, NOISY = 0.05, 0.15  # (largest - smallest median of a process) / median of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Of all valid samples of a cell, in the cell's unit.

    Attributes:
        mad: median of the absolute deviations from the median.
        p5: five of a hundred samples are smaller.
        p95: five of a hundred samples are larger.
        count: valid samples.
        invalid: samples that were no finite, positive number.
        processes: that gave samples.
        agreement: of their medians.
    """

    median: float
    mad: float
    p5: float
    p95: float
    least: float
    mean: float
    count: int
    invalid: int
    processes: int
    agreement: Agreement


def summarise(samples: Sequence[Sequence[int | None]]) -> Summary | None:
    """The numbers for samples by process; None if no sample is valid."""
    valid = [[value for value in process if value is not None and value >= 0] for process in samples]
    invalid = sum(map(len, samples)) - sum(map(len, valid))
    groups = [process for process in valid if process]
    pooled = sorted(value for process in groups for value in process)
    if not pooled:
        return None
    median = statistics.median(pooled)
    return Summary(
        median=median,
        mad=statistics.median(abs(value - median) for value in pooled),
        p5=_percentile(pooled, 5),
        p95=_percentile(pooled, 95),
        least=pooled[0],
        mean=statistics.fmean(pooled),
        count=len(pooled),
        invalid=invalid,
        processes=len(groups),
        agreement=_agreement([statistics.median(process) for process in groups]),
    )


def _percentile(ordered: Sequence[int], percent: int) -> float:
    """By linear interpolation between the two nearest."""
    position = (len(ordered) - 1) * percent / 100
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def _agreement(medians: Sequence[float]) -> Agreement:
    if len(medians) < 2:
        return "one process"
    middle = statistics.median(medians)
    spread = (max(medians) - min(medians)) / middle if middle else float(max(medians) > 0)
    return "stable" if spread <= STABLE else "noisy" if spread <= NOISY else "unstable"
