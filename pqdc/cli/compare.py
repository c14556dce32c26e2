"""`pqdc compare A B`: is the second run slower or faster than the first, and how sure is that; row by row."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.report.comparison import Comparison, Difference

MOST = 5  # names in a line
NOTHING_SHOWN = "–"  # noqa: RUF001 - an en dash, as tables have it


def parse_share(text: str) -> float:
    """`5%` or `0.05`."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < 10:  # NaN is not
        raise typer.BadParameter(f"a share such as 5% wanted, got {text!r}")
    return share


FailOver = Annotated[
    str | None,
    typer.Option("--fail-over", metavar="SHARE", help="Exit 1 if a row is slower by more, such as 5%: for CI."),
]


def command(
    first: Annotated[Path, typer.Argument(help="A result file: the run to compare with.")],
    second: Annotated[Path, typer.Argument(help="A result file: the run that may be slower.")],
    schemes: Annotated[
        list[str] | None, typer.Argument(help="Schemes or families, with * and ?; all unless given.")
    ] = None,
    operations: Annotated[
        list[str] | None, typer.Option("--operation", help="Only this, such as sign; may be given again.")
    ] = None,
    margin: Annotated[
        str | None, typer.Option("--margin", metavar="SHARE", help="Differences up to this are not looked for; 3%.")
    ] = None,
    fail_over: FailOver = None,
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Compare runs of different machines all the same.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Show the rows without a difference too.")] = False,
    as_json: options.AsJson = False,
) -> int:
    """Compare two runs, row by row.

    The ratio of their medians with its interval, and whether it is significant. Fewer rows show more.
    """
    from pqdc.report.comparison import MARGIN, compare
    from pqdc.report.result import read

    if margin and fail_over:
        raise typer.BadParameter("--margin and --fail-over both say which differences count: give one")
    share = parse_share(margin or fail_over or str(MARGIN))
    comparison = compare(
        read(first),
        read(second),
        margin=share,
        schemes=schemes or (),
        operations=operations or (),
        across_machines=across_machines,
    )
    if as_json:
        print(json.dumps(_as_dict(comparison), indent=2))
    else:
        show(comparison, every=every)
    return fails(comparison) if fail_over else 0


def fails(comparison: Comparison) -> int:
    """1 if a row is slower by more than the margin, or if that could not have been found; and says so."""
    slower = comparison.of("slower")
    if slower:
        print(f"slower by more than {_percent(comparison.margin)}: {len(slower)} rows", file=sys.stderr)
    elif not comparison.decides:
        print("these runs cannot tell; see above", file=sys.stderr)
    return int(bool(slower) or not comparison.decides)


def show(comparison: Comparison, *, every: bool = False) -> None:
    """The rows that differ, or all; then what was compared, and what that can show."""
    from rich.console import Console
    from rich.table import Table

    shown = list(comparison.differences) if every else comparison.of("slower", "faster")
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False, emoji=False)
    if shown:
        heads = (
            "scheme",
            "backend",
            "level",
            "operation",
            "first",
            "second",
            "ratio",
            "95 % interval",
            "p",
            "p (Holm)",
        )
        table = Table(*heads, "effect", "difference", "verdicts", box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for column in table.columns[4:11]:
            column.justify = "right"
        for row in shown:
            table.add_row(*_texts(row))
        console.print(table)
    for note in notes(comparison):
        console.print(note, soft_wrap=True)


def _texts(row: Difference) -> list[str]:
    from pqdc.report.figures import duration

    amount = duration if row.unit == "ns" else "{:,.0f}".format
    interval = f"{row.interval.low:.3f} to {row.interval.high:.3f}" if row.interval else NOTHING_SHOWN
    numbers = [f"{value:.2g}" if value is not None else NOTHING_SHOWN for value in (row.p, row.p_holm)]
    effect = f"{row.effect:+.2f}" if row.effect is not None else NOTHING_SHOWN
    agreements = " / ".join(row.agreements)
    return [
        *(row.scheme, row.backend, row.level, row.operation, amount(row.first), amount(row.second)),
        *(f"{row.ratio:.3f}", interval, *numbers, effect, row.verdict, agreements),
    ]


def notes(comparison: Comparison) -> list[str]:
    """What was compared, how it came out, and what such runs can show."""
    from pqdc.report.comparison import ALPHA, machines_differ

    first, second, rows = comparison.first, comparison.second, comparison.differences
    margin = _percent(comparison.margin)
    counts = {verdict: len(comparison.of(verdict)) for verdict in ("slower", "faster", "same", "unclear")}
    lines = [f"{second.name} against {first.name}: {len(rows)} rows."]
    if reason := machines_differ(first.environment, second.environment):
        lines.append(f"Runs of different machines ({reason}): a ratio tells nothing of the software alone.")
    lines += _what_else_differs(comparison)
    lines.append(
        f"{counts['slower']} slower and {counts['faster']} faster by more than {margin}, at a level of {ALPHA:g}; "
        f"{counts['same']} the same within {margin}; {counts['unclear']} neither."
    )
    if comparison.pace:
        lines.append(
            f"The fixed work that tells the processor's pace took {comparison.pace:.3f} times as long in the second "
            "run, while nobody disturbed it; ratios include that, and what it explains is not claimed."
        )
    if comparison.only_first or comparison.only_second:
        lines.append(f"Only in the first: {comparison.only_first} rows; only in the second: {comparison.only_second}.")
    lines.append(
        "p: exact Mann-Whitney test on the processes' medians, of a difference larger than the margin; Holm: corrected "
        "for all rows above and below. effect: Cliff's delta. ratio: second / first; more is slower."
    )
    ours, theirs = comparison.processes
    if comparison.smallest_p is None:
        lines.append("Nothing is claimed from a single process: run more with `pqdc bench --processes`.")
    elif not comparison.decides:
        lines.append(
            f"{ours} processes against {theirs} can show no difference among {len(rows)} rows: the smallest p they can "
            f"have is {comparison.smallest_p:.2g}. Take {comparison.needed} in each, or compare fewer rows."
        )
    if suspects := comparison.suspects:
        names = ", ".join(f"{row.operation} of {row.scheme} ({row.level}, {row.ratio:.3f})" for row in suspects[:MOST])
        more = f" and {len(suspects) - MOST} more" if len(suspects) > MOST else ""
        lines.append(f"Worth a closer look, as their interval lies beyond {margin}: {names}{more}.")
    return lines


def _what_else_differs(comparison: Comparison) -> list[str]:
    """Versions and commits, as they are what a comparison is mostly about."""
    first, second = (_software(run.environment) for run in (comparison.first, comparison.second))
    found = [
        f"{name} {first.get(name, 'none')} and {second.get(name, 'none')}"
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    ]
    return [f"Not the same: {'; '.join(found)}."] if found else []


def _software(environment: Any) -> dict[str, str]:
    versions = {"Python": environment.get("python", {}).get("version", "?")}
    for backend in environment.get("backends", {}).values():
        versions |= backend.get("versions", {})
    pqdc = environment.get("pqdc", {})
    changed = " with changes" if pqdc.get("dirty") else ""
    return versions | {"pqdc": f"{pqdc.get('commit', pqdc.get('version', '?'))[:7]}{changed}"}


def _as_dict(comparison: Comparison) -> dict[str, Any]:
    from pqdc.report.comparison import ALPHA, machines_differ

    verdicts = [row.verdict for row in comparison.differences]
    return {
        "first": comparison.first.name,
        "second": comparison.second.name,
        "different_machines": machines_differ(comparison.first.environment, comparison.second.environment),
        "margin": comparison.margin,
        "alpha": ALPHA,
        "processes": comparison.processes,
        "smallest_p": comparison.smallest_p,
        "decides": comparison.decides,
        "pace": comparison.pace,
        "counts": {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)},
        "rows": [asdict(row) for row in comparison.differences],
    }


def _percent(share: float) -> str:
    return f"{share * 100:g} %"
