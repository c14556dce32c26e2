"""What stands in a table: columns, rows by family, and notes; from a frame of results, in no format's syntax."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final, Literal

from pandas import DataFrame

from pqdc.errors import ResultError
from pqdc.report import figures, notes
from pqdc.report.columns import COLUMNS, RATIO, Column, chosen, ratio_of
from pqdc.report.frame import records
from pqdc.report.notes import FLAGS, MARKS
from pqdc.report.provenance import letters
from pqdc.report.selection import Selection, find_row, select

__all__ = ["MARKS", "Column", "Entry", "Group", "Level", "Row", "Table", "make_table"]

Level = Literal["native", "python"]
WORST: Final = ("one process", "stable", "noisy", "unstable")
NOT_MEASURED: Final = "–"  # noqa: RUF001 - an en dash, as tables have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What stands in a row under a column.

    Attributes:
        text: in full, in the column's unit, with spread and mark.
        number: of a time: without them.
        spread: of a time: `± 0.4`, or `(n = 1)` of so few samples that there is none.
        value: the number behind it, in ns or bytes, not scaled.
        at_most: whether the number is a bound.
        figure: the row of the frame behind what was measured; None for all else.
        notes: numbers of the table's footnotes.
    """

    text: str
    number: str = ""
    spread: str = ""
    value: float | None = None
    at_most: bool = False
    figure: Mapping[str, Any] | None = None
    notes: tuple[int, ...] = ()

    @property
    def brief(self) -> str:
        """Where room is scarce: without the spread."""
        return " ".join(filter(None, (self.number, self.mark))) if self.number else self.text

    @property
    def verdict(self) -> str:
        """Of a time: whether the processes agree."""
        return str(self.figure["verdict"]) if self.figure and self.figure["unit"] != "bytes" else ""

    @property
    def mark(self) -> str:
        """Of a time whose processes do not agree."""
        return MARKS.get(self.verdict, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scheme in one backend in one run; entries by the key of their column.

    Attributes:
        facts: of the scheme: columns of the frame.
        run: a letter, as the table's notes have it.
        reason: why it does not fit, or was not computed; empty if neither.
    """

    facts: Mapping[str, Any]
    run: str
    backend: str
    reason: str
    entries: dict[str, Entry]

    @property
    def worst(self) -> str:
        """The worst verdict of its times; empty if there are none."""
        return max((entry.verdict for entry in self.entries.values() if entry.verdict), key=WORST.index, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of a family."""

    family: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of it; `provenance` and `notes` stand at its head, `footnotes` below, counted from 1."""

    title: str
    provenance: tuple[str, ...]
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    footnotes: tuple[str, ...]

    @property
    def rows(self) -> Iterator[Row]:
        """Of all groups."""
        return (row for group in self.groups for row in group.rows)

    @property
    def choices(self) -> list[tuple[str, str, list[str]]]:
        """What rows may be chosen by, where they differ in it: key, title, values."""
        rows = list(self.rows)
        found = {
            ("family", "Family"): [str(row.facts["family"]) for row in rows],
            ("level", "NIST level"): sorted(str(row.facts["nist_level"] or "none") for row in rows),
            ("backend", "Backend"): [row.backend or "none" for row in rows],
            ("run", "Run"): [row.run for row in rows],
            ("flag", "Security flag"): [str(row.facts["security_flag"] or "none") for row in rows],
        }
        distinct = {key: list(dict.fromkeys(values)) for key, values in found.items()}
        return [(*key, values) for key, values in distinct.items() if len(values) > 1]


def make_table(
    frame: DataFrame,
    *,
    level: Level = "native",
    relative_to: str = "",
    columns: Sequence[str] = (),
    selection: Selection | None = None,
) -> Table:
    """The table of one or more runs.

    Args:
        frame: from `load_results`, or a part of it.
        level: of the primitives: "native" where a native loop has timed them, or all through Python.
        relative_to: SCHEME or SCHEME@BACKEND, by whose figures in the same run others are divided, in columns of
            their own.
        columns: keys, in order; those that are there unasked, unless given.
        selection: of rows.

    Raises:
        UnknownScheme: the results have no scheme of that name.
        ResultError: no column, family or backend is called so; or the frame does not say which runs it is from.
    """
    if not frame.attrs.get("runs"):
        raise ResultError("the frame does not say which runs it is from", hint="keep frame.attrs of load_results")
    base = find_row(frame, relative_to) if relative_to else None
    if base is None and any(name.endswith(RATIO) for name in columns):
        raise ResultError("a column of ratios wants a row to divide by", hint="name it: --relative-to P-256")
    kept, left_out = select(frame, selection or Selection())
    measured = [_Measured.of(rows, level) for rows in _by_row(kept)]
    shown = _columns(kept, measured, columns, relative=base is not None)
    footnotes = _Footnotes()
    marks = letters(frame)
    rows = [_row(one, shown, marks[one.facts["run"]], footnotes) for one in measured]
    if base:
        scheme, backend = base
        of_base = frame[(frame["scheme"] == scheme) & (frame["backend"] == backend)]
        bases = {rows[0]["run"]: _Measured.of(rows, level) for rows in _by_row(of_base)}
        rows = [
            replace(row, entries=row.entries | _ratios(one, bases.get(one.facts["run"]), shown))
            for row, one in zip(rows, measured, strict=True)
        ]
    groups = [
        Group(family=family, rows=tuple(members))
        for family, members in groupby(rows, lambda row: str(row.facts["family"]))
    ]
    return Table(
        title=notes.title(kept),
        provenance=tuple(notes.of_runs(kept, marks)),
        notes=(*notes.on_figures(kept, level, base, shown), *left_out, *notes.not_shown(kept, shown)),
        columns=tuple(shown),
        groups=tuple(groups),
        footnotes=tuple(footnotes.texts),
    )


@dataclass(slots=True)
class _Footnotes:
    """Each reason once."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The rows of the frame that make a row of the table: a scheme in one backend in one run."""

    facts: Mapping[str, Any]
    cells: Mapping[tuple[str, str], Mapping[str, Any]]
    level: Level

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], level: Level) -> _Measured:
        cells = {(row["level"], row["operation"]): row for row in rows if row["operation"]}
        return cls(facts=rows[0], cells=cells, level=level)

    def figure(self, column: Column) -> Mapping[str, Any] | None:
        """What a column shows of it: of a primitive the native loop's where that is wanted and there is one."""
        levels = ["bytes"] if column.kind == "size" else ["python", "native"]
        if column.primitive and self.level == "native":
            levels.reverse()
        found = [self.cells[at, column.key] for at in levels if (at, column.key) in self.cells]
        found += [cell for (_, operation), cell in self.cells.items() if operation == column.key]
        return found[0] if found else None

    def median(self, column: Column) -> float | None:
        """Of what a column shows, if there is a figure."""
        found = self.figure(column)
        return float(found["median"]) if found and found["n"] else None


def _by_row(frame: DataFrame) -> list[list[dict[str, Any]]]:
    """Schemes in the order of tables; of each scheme its backends, of each backend its runs."""
    rows: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for record in records(frame[frame["scheme"] != ""]):
        rows.setdefault((record["scheme"], record["backend"], record["run"]), []).append(record)
    facts = [found[0] for found in rows.values()]
    runs = list(frame.attrs["runs"])
    families = list(dict.fromkeys(one["family"] for one in facts))
    schemes = list(dict.fromkeys(one["scheme"] for one in facts))
    backends = list(dict.fromkeys((scheme, backend) for scheme, backend, _ in rows))
    classical = {one["family"] for one in facts if one["kind"] == "classical"}
    computed = {one["family"] for one in facts if one["backend"]}

    def place(key: tuple[str, str, str]) -> tuple[Any, ...]:
        """Classical families first, those of which nothing was computed last; else as the catalog has them."""
        one = rows[key][0]
        family = one["family"]
        order = (family not in computed, family not in classical, families.index(family), one["nist_level"] or 0)
        return (*order, schemes.index(key[0]), backends.index(key[:2]), runs.index(key[2]))

    return [rows[key] for key in sorted(rows, key=place)]


def _columns(frame: DataFrame, measured: Sequence[_Measured], names: Sequence[str], *, relative: bool) -> list[Column]:
    """Those that were asked for; else those that are there unasked and have something to show. With their units."""
    if names:
        found = chosen(names, dict(zip(frame["operation"], frame["unit"], strict=True)))
    else:
        several = len(frame.attrs["runs"]) > 1
        processes = any(facts["processes"] > 1 for facts in frame.attrs["runs"].values())
        hidden = {"run": not several, "verdict": not processes}
        found = [
            column
            for column in COLUMNS
            if not column.asked
            and not hidden.get(column.key)
            and (not column.measured or any(one.figure(column) for one in measured))
        ]
        if relative:
            found = [
                each for column in found for each in ((column, ratio_of(column)) if column.measured else (column,))
            ]
    return [_with_unit(column, measured) if column.kind == "time" else column for column in found]


def _with_unit(column: Column, measured: Sequence[_Measured]) -> Column:
    medians = [median for one in measured if (median := one.median(column)) is not None]
    return replace(column, unit=figures.time_unit(medians))


def _row(one: _Measured, columns: Sequence[Column], letter: str, footnotes: _Footnotes) -> Row:
    facts = one.facts
    entries = {column.key: _measured(one.figure(column), column, footnotes) for column in columns if column.measured}
    not_computed = "" if one.cells else facts["reason"]
    told = "not measured" if facts["backend"] else "not computed"
    name = facts["scheme"] + FLAGS.get(facts["security_flag"], "")
    against = facts["reason_against_dc"]
    entries |= {
        "scheme": Entry(text=name),
        "run": Entry(text=letter),
        "backend": Entry(
            text=facts["backend"] or "none",
            notes=(footnotes.number(f"{told}: {not_computed}"),) if not_computed else (),
        ),
        "nist_level": Entry(text=str(facts["nist_level"] or NOT_MEASURED), value=facts["nist_level"]),
        "public_key_bytes": _size(facts["public_key_bytes"]),
        "signature_bytes": _size(facts["signature_bytes"], at_most=facts["signature_length"] == "max"),
        "fits": Entry(text="no", notes=(footnotes.number(against),)) if against else Entry(text="yes"),
    }
    row = Row(facts=facts, run=letter, backend=facts["backend"], reason=not_computed or against, entries=entries)
    entries["verdict"] = Entry(text=row.worst or NOT_MEASURED)
    return row


def _measured(figure: Mapping[str, Any] | None, column: Column, footnotes: _Footnotes) -> Entry:
    if figure is None:
        return Entry(text=NOT_MEASURED)
    reasons: tuple[int, ...] = (footnotes.number(f"not measured: {figure['reason']}"),) if figure["reason"] else ()
    if not figure["n"]:
        return Entry(text=NOT_MEASURED, notes=reasons)
    if figure["invalid"]:
        reasons += (footnotes.number("some samples were no times, and are left out"),)
    median = figure["median"]
    if column.kind == "size":
        return replace(_size(median), figure=figure, notes=reasons)
    number, spread = figures.with_spread(median, figure["plus_minus"], figure["n"], column.unit)
    entry = Entry(text="", number=number, spread=spread, value=median, figure=figure, notes=reasons)
    return replace(entry, text=" ".join(filter(None, (number, spread, entry.mark))))


def _size(size: float, *, at_most: bool = False) -> Entry:
    return Entry(text=f"{'≤ ' if at_most else ''}{round(size):,}", value=size, at_most=at_most)


def _ratios(one: _Measured, base: _Measured | None, columns: Sequence[Column]) -> dict[str, Entry]:
    """Each time and length, divided by that of the base in the same run."""
    found = {}
    for column in columns:
        if column.of:
            value, unit = one.median(column.of), base.median(column.of) if base else None
            quotient = value / unit if value is not None and unit else None
            text = NOT_MEASURED if quotient is None else figures.ratio(quotient)
            found[column.key] = Entry(text=text, value=quotient)
    return found
