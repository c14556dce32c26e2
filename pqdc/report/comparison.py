"""Two runs, row by row: is one slower than the other, by more than a margin, or can that not be told?

The process is the unit. A row's processes, all of them, are compared by the Mann-Whitney test of "the difference is
larger than the margin", exact, in both directions; p-values are corrected by Holm over all rows that are compared. All
processes of a run share the processor's clock: the margin is wider by what that explains. What two runs of so many
processes and rows could show at all is part of the answer. docs/results.md tells the choices and their sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import comb
from statistics import median
from typing import Any, Final, Literal

from pqdc.errors import ResultError
from pqdc.report.result import Cell, Result
from pqdc.report.statistics import Agreement, Interval, Summary, bootstrap_interval, library, median_of, summarise

__all__ = ["ALPHA", "MARGIN", "Comparison", "Difference", "compare", "machines_differ"]

ALPHA: Final = 0.05
MARGIN: Final = 0.03  # what two runs of the same thing on one machine may differ by: as STABLE
MOST_PROCESSES: Final = 100
MACHINE: Final = ("cpu", "cpu_family_model_stepping", "architecture", "cpus")
Verdict = Literal["slower", "faster", "same", "unclear", "one process"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row of both runs.

    Attributes:
        unit: of the medians: "ns", "cycles" and so on.
        ratio: the second run's median, as so many times the first's.
        interval: of the ratio, by resampling the processes of both; None where one has fewer than three.
        p: of the Mann-Whitney test, for the direction that fits better, times two; None of a single process.
        p_holm: the same, corrected for all rows.
        effect: how often a process of the second is slower than one of the first, less how often it is faster: -1 to 1.
        verdict: "slower" or "faster" if that is significant; "same" if the whole interval lies within the margin.
        agreements: of the first and the second run's processes.
    """

    scheme: str
    backend: str
    level: str
    operation: str
    unit: str
    first: float
    second: float
    ratio: float
    interval: Interval | None
    p: float | None
    p_holm: float | None
    effect: float | None
    verdict: Verdict
    agreements: tuple[Agreement, Agreement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All rows that both runs have, and what such runs can show.

    Attributes:
        margin: differences up to this are not looked for.
        processes: of the first and the second run, where rows have most.
        smallest_p: that any row could have, corrected; above ALPHA nothing can be significant. None: nothing is tested.
        needed: processes in each run with which a row could be significant.
        only_first: rows that the second run lacks.
        only_second: rows that the first run lacks.
        pace: how long a fixed piece of work took in the second run, as so many times the first's; None if unknown.
    """

    first: Result
    second: Result
    margin: float
    differences: tuple[Difference, ...]
    processes: tuple[int, int]
    smallest_p: float | None
    needed: int
    only_first: int
    only_second: int
    pace: float | None

    @property
    def decides(self) -> bool:
        """Whether a difference could have been found."""
        return self.smallest_p is not None and self.smallest_p <= ALPHA

    @property
    def suspects(self) -> list[Difference]:
        """Rows whose whole interval lies beyond the edges, but which are not significant among so many."""
        slower, faster = _edges(self.margin, self.pace)
        return [
            row
            for row in self.of("unclear")
            if row.interval and not (row.interval.low <= slower and row.interval.high >= 1 / faster)
        ]

    def of(self, *verdicts: Verdict) -> list[Difference]:
        """The rows of these verdicts, the largest difference first."""
        found = [row for row in self.differences if row.verdict in verdicts]
        return sorted(found, key=lambda row: -abs(row.ratio - 1))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A row of both: its summaries, as tables have them, and the medians of all processes of each run.

    Tested are all: ranks bear a few that were disturbed, and without those the others could be too few to tell.
    """

    cell: Cell
    first: Summary
    second: Summary
    medians: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def sizes(self) -> tuple[int, int]:
        """How many processes there are of each."""
        first, second = map(len, self.medians)
        return first, second

    @property
    def testable(self) -> bool:
        return min(self.sizes) > 1


def compare(
    first: Result,
    second: Result,
    *,
    margin: float = MARGIN,
    schemes: Sequence[str] = (),
    operations: Sequence[str] = (),
    across_machines: bool = False,
) -> Comparison:
    """Compare the times of two runs.

    Args:
        first: the one to compare with.
        second: the one that may be slower.
        margin: a share, such as 0.03.
        schemes: names or families, with * and ?; all unless given.
        operations: all unless given. The fewer rows are compared, the more can be shown of each.
        across_machines: compare runs of different machines all the same.

    Raises:
        ResultError: they are of different machines, or have no row in common.
    """
    if (reason := machines_differ(first.environment, second.environment)) and not across_machines:
        raise ResultError(
            f"{first.name} and {second.name} are of different machines: {reason}",
            hint="--across-machines compares them all the same",
        )
    chosen = [_cells(result, schemes, operations) for result in (first, second)]
    keys = [key for key in chosen[0] if key in chosen[1]]
    pairs = [
        _Pair(chosen[0][key], one, other, (_medians(chosen[0][key], one), _medians(chosen[1][key], other)))
        for key in keys
        if (one := chosen[0][key].summary()) and (other := chosen[1][key].summary()) and one.median
    ]
    if not pairs:
        raise ResultError(f"{first.name} and {second.name} have no row in common")
    tested = [pair for pair in pairs if pair.testable]
    processes = max((pair.sizes for pair in tested or pairs), key=min)
    pace = _pace(first, second)
    raw = [_mann_whitney(*pair.medians, _edges(margin, pace)) for pair in tested]
    tests = {id(pair): (p, p_holm) for pair, p, p_holm in zip(tested, raw, holm(raw), strict=True)}
    return Comparison(
        first=first,
        second=second,
        margin=margin,
        differences=tuple(_difference(pair, tests.get(id(pair), (None, None)), margin) for pair in pairs),
        processes=processes,
        smallest_p=min(1.0, _smallest(*processes) * len(tested)) if tested else None,
        needed=next((n for n in range(2, MOST_PROCESSES) if _smallest(n, n) * len(pairs) <= ALPHA), MOST_PROCESSES),
        only_first=len(chosen[0]) - len(keys),
        only_second=len(chosen[1]) - len(keys),
        pace=pace,
    )


def _pace(first: Result, second: Result) -> float | None:
    ours, theirs = ([ns for process in run.processes if (ns := process.usual_pace_ns)] for run in (first, second))
    return median(theirs) / median(ours) if ours and theirs else None


def _edges(margin: float, pace: float | None) -> tuple[float, float]:
    """How many times as long a row must take to count as slower, and, of the first run, for it to count as faster."""
    clock = pace or 1.0
    return (1 + margin) * max(clock, 1.0), (1 + margin) * max(1 / clock, 1.0)


def machines_differ(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """In what the machines of two environments differ; empty if they look like one."""
    ours, theirs = (environment.get("machine", {}) for environment in (first, second))
    for name in (*MACHINE, "id"):
        if ours.get(name) != theirs.get(name) and None not in {ours.get(name), theirs.get(name)}:
            return f"{name} {ours.get(name)} and {theirs.get(name)}"
    return ""


def holm(values: Sequence[float]) -> list[float]:
    """Corrected p-values (Holm 1979): the smallest times n, the next times n - 1, ..., none below one before it."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, least = [1.0] * len(values), 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, values[index] * (len(values) - rank)))
        corrected[index] = least
    return corrected


def _cells(result: Result, schemes: Sequence[str], operations: Sequence[str]) -> dict[tuple[str, ...], Cell]:
    """The rows of a scheme that are times or counts; lengths are exact, and need no test."""
    families = {facts.name: facts.family for facts in result.schemes}
    patterns = [pattern.casefold() for pattern in schemes]

    def wanted(cell: Cell) -> bool:
        names = (cell.scheme.casefold(), families.get(cell.scheme, "").casefold())
        named = not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
        return named and bool(cell.scheme) and cell.unit != "bytes" and (not operations or cell.operation in operations)

    return {key: cell for key, cell in result.cells.items() if wanted(cell)}


def _medians(cell: Cell, figures: Summary) -> tuple[float, ...]:
    """Of every process that gave samples, whether it counts in the cell's figures or not."""
    if figures.processes < sum(map(bool, cell.samples)):
        figures = summarise(cell.samples) or figures
    return figures.medians


def _mann_whitney(first: Sequence[float], second: Sequence[float], edges: Sequence[float]) -> float:
    """Two-sided p of "the second is longer, or the first, by more than its edge": twice the smaller one's."""
    stats = library("scipy.stats")
    one_sided = [
        float(stats.mannwhitneyu(longer, [value * edge for value in base], alternative="greater", method="exact")[1])
        for longer, base, edge in zip((second, first), (first, second), edges, strict=True)
    ]
    return min(1.0, 2 * min(one_sided))


def _smallest(first: int, second: int) -> float:
    """The p of two groups that do not overlap: two of the ways to deal the processes out."""
    return 2 / comb(first + second, first)


def _ratio(first: Any, second: Any, axis: int = -1) -> Any:
    return median_of(second, axis=axis) / median_of(first, axis=axis)


def _difference(pair: _Pair, test: tuple[float | None, float | None], margin: float) -> Difference:
    one, other, cell, (p, p_holm) = pair.first, pair.second, pair.cell, test
    ratio = other.median / one.median
    interval = bootstrap_interval(_ratio, one.medians, other.medians)
    return Difference(
        scheme=cell.scheme,
        backend=cell.backend,
        level=cell.level,
        operation=cell.operation,
        unit=cell.unit,
        first=one.median,
        second=other.median,
        ratio=ratio,
        interval=interval,
        p=p,
        p_holm=p_holm,
        effect=_effect(*pair.medians) if pair.testable else None,
        verdict=_verdict(ratio, interval, p_holm, margin),
        agreements=(one.agreement, other.agreement),
    )


def _effect(first: Iterable[float], second: Sequence[float]) -> float:
    """Cliff's delta, which is the rank-biserial correlation of the test without a margin."""
    signs = [(other > one) - (other < one) for one in first for other in second]
    return sum(signs) / len(signs)


def _verdict(ratio: float, interval: Interval | None, p_holm: float | None, margin: float) -> Verdict:
    if p_holm is None:
        return "one process"
    if p_holm <= ALPHA:
        return "slower" if ratio > 1 else "faster"
    within = interval is not None and 1 / (1 + margin) <= interval.low and interval.high <= 1 + margin
    return "same" if within else "unclear"
