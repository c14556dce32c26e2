"""What stands in the table: columns, rows by family, and notes; from a result alone, in no format's syntax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final, Literal

from pqdc.report import figures
from pqdc.report.result import Cell, Result, SchemeFacts
from pqdc.report.statistics import CONFIDENCE, FEWEST, NOISY, STABLE, Summary

__all__ = ["Column", "Entry", "Group", "Level", "Row", "Table", "make_table"]

Level = Literal["native", "python"]
WORST: Final = ("one process", "stable", "noisy", "unstable")
FLAGS: Final = {"warning": "†", "broken": "‡"}
FLAG_NOTES: Final = {
    "†": "attacks have cut into the claimed security level",
    "‡": "the claimed security level is lost",
}
TIMES_AS_MUCH: Final = "\N{MULTIPLICATION SIGN}"
NOT_MEASURED: Final = "–"  # noqa: RUF001 - an en dash, as tables have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        key: for CSV, with the unit in it.
        title: for people.
        short: the title where room is scarce.
        numeric: whether it is set flush right.
        weight: columns of little weight go first where there is no room.
    """

    key: str
    title: str
    short: str = ""
    numeric: bool = True
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What stands in a row under a column.

    Attributes:
        text: in full.
        short: where room is scarce.
        value: the number behind it, in ns or bytes.
        summary: behind a time.
        notes: numbers of the table's footnotes.
    """

    text: str
    short: str = ""
    value: float | None = None
    summary: Summary | None = None
    notes: tuple[int, ...] = ()

    @property
    def brief(self) -> str:
        """The short text, or the only one."""
        return self.short or self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scheme in one backend; entries by the key of their column."""

    facts: SchemeFacts
    backend: str
    reason: str
    entries: dict[str, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of a family."""

    family: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of it; `notes` stand at its head, `footnotes` below, counted from 1."""

    title: str
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    footnotes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Time:
    key: str
    title: str
    short: str = ""
    primitive: bool
    weight: int


TIMES: Final = (
    _Time(key="keygen", title="keygen", primitive=True, weight=7),
    _Time(key="sign", title="sign", primitive=True, weight=7),
    _Time(key="verify", title="verify", primitive=True, weight=7),
    _Time(key="mint", title="mint", primitive=False, weight=8),
    _Time(key="dc_verify", title="DC verify", primitive=False, weight=4),
    _Time(key="handshake_client", title="handshake, client", short="client", primitive=False, weight=5),
    _Time(key="handshake_server", title="handshake, server", short="server", primitive=False, weight=5),
)
SIZES: Final = (
    Column(key="dc", title="DC", weight=5),
    Column(key="certificate_verify", title="CertVerify", weight=2),
    Column(key="added_to_flight", title="added to flight", short="added", weight=8),
    Column(key="server_sends", title="server sends", weight=4),
)


@dataclass(slots=True)
class _Footnotes:
    """Each reason once."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def make_table(result: Result, *, level: Level = "native", relative_to: str = "", computed_only: bool = False) -> Table:
    """The table of a run.

    Args:
        result: the run.
        level: of the primitives: "native" where a native loop has timed them, or all through Python.
        relative_to: a scheme, by name or alias, whose figures others are divided by, in columns of their own.
        computed_only: leave out schemes that nothing computed; a note counts them.

    Raises:
        UnknownScheme: the result has no scheme of that name.
    """
    baseline = result.scheme(relative_to) if relative_to else None
    footnotes = _Footnotes()
    shown = [facts for facts in _sorted(result.schemes) if facts.able or not computed_only]
    rows = [row for facts in shown for row in _rows(result, facts, level, footnotes)]
    if baseline is not None:
        base = next(row for row in rows if row.facts is baseline)
        rows = [replace(row, entries=row.entries | _ratios(row, base)) for row in rows]
    rows = [replace(row, entries=row.entries | {"agreement": _agreement(row)}) for row in rows]
    groups = [
        Group(family=family, rows=tuple(members)) for family, members in groupby(rows, lambda row: row.facts.family)
    ]
    return Table(
        title=f"Delegated credentials under a leaf of {result.plan.get('leaf_scheme', 'an unknown scheme')}",
        notes=(*_notes(result, level, rows, baseline), *_left_out(result, shown)),
        columns=tuple(_used(_columns(result, baseline), rows)),
        groups=tuple(groups),
        footnotes=tuple(footnotes.texts),
    )


def _sorted(schemes: Sequence[SchemeFacts]) -> list[SchemeFacts]:
    """Classical families first, those of which nothing was computed last; else as in the catalog, and by NIST level."""
    families = list(dict.fromkeys(facts.family for facts in schemes))
    classical = {facts.family for facts in schemes if facts.kind == "classical"}
    computed = {facts.family for facts in schemes if facts.able}

    def place(facts: SchemeFacts) -> tuple[bool, bool, int, int]:
        family = facts.family
        return family not in computed, family not in classical, families.index(family), facts.nist_level or 0

    return sorted(schemes, key=place)


def _columns(result: Result, baseline: SchemeFacts | None) -> Iterable[Column]:
    yield Column(key="scheme", title="scheme", numeric=False, weight=99)
    yield Column(key="backend", title="backend", numeric=False, weight=3)
    yield Column(key="nist_level", title="level", short="L", weight=6)
    yield Column(key="public_key_bytes", title="public key", weight=2)
    yield Column(key="signature_bytes", title="signature", weight=2)
    for time in TIMES:
        yield Column(key=time.key, title=time.title, short=time.short, weight=time.weight)
        if baseline:
            yield Column(key=f"{time.key}_ratio", title=f"{time.title} {TIMES_AS_MUCH}", weight=9)
    for size in SIZES:
        yield size
        if baseline and size.key != "certificate_verify":
            yield Column(key=f"{size.key}_ratio", title=f"{size.title} {TIMES_AS_MUCH}", weight=9)
    yield Column(key="fits", title="fits", numeric=False, weight=8)
    if len(result.processes) > 1:
        yield Column(key="agreement", title="verdict", numeric=False, weight=9)


def _used(columns: Iterable[Column], rows: Sequence[Row]) -> Iterable[Column]:
    """Without those that nothing stands in, as in a run of some operations, or of an older pqdc."""
    return (column for column in columns if any(row.entries[column.key].text != NOT_MEASURED for row in rows))


def _rows(result: Result, facts: SchemeFacts, level: Level, footnotes: _Footnotes) -> Iterable[Row]:
    """One for each backend that was to compute the scheme; one with the reasons if none could."""
    if facts.able:
        for backend in facts.able:
            yield _row(result, facts, backend, level, footnotes)
        return
    reason = "; ".join(facts.backends.values()) or "the catalog names no backend that computes it"
    row = _row(result, facts, "", level, footnotes)
    note = (footnotes.number(f"not computed: {reason}"),)
    yield replace(row, reason=reason, entries=row.entries | {"backend": Entry(text="none", notes=note)})


def _row(result: Result, facts: SchemeFacts, backend: str, level: Level, footnotes: _Footnotes) -> Row:
    name = facts.name + FLAGS.get(facts.security_flag, "")
    entries = {
        "scheme": Entry(text=name, short=f"{name} {backend}" if len(facts.able) > 1 else name),
        "backend": Entry(text=backend),
        "nist_level": Entry(text=str(facts.nist_level or NOT_MEASURED), value=facts.nist_level),
        "public_key_bytes": _size(facts.public_key_bytes),
        "signature_bytes": _size(facts.signature_bytes, most=facts.signature_length == "max"),
    }
    for time in TIMES:
        cell = _cell(result, facts.name, backend, time, level)
        entries[time.key] = _time(cell, footnotes)
    for size in SIZES:
        cell = result.cell(facts.name, backend, "bytes", size.key)
        summary = cell.summary() if cell else None
        entries[size.key] = _size(round(summary.median)) if summary else Entry(text=NOT_MEASURED)
    reason = facts.reason_against_dc
    entries["fits"] = Entry(text="no", notes=(footnotes.number(reason),)) if reason else Entry(text="yes")
    return Row(facts=facts, backend=backend, reason=reason, entries=entries)


def _cell(result: Result, scheme: str, backend: str, time: _Time, level: Level) -> Cell | None:
    native = result.cell(scheme, backend, "native", time.key) if time.primitive and level == "native" else None
    return native or result.cell(scheme, backend, "python", time.key)


def _time(cell: Cell | None, footnotes: _Footnotes) -> Entry:
    if cell is None:
        return Entry(text=NOT_MEASURED)
    notes: tuple[int, ...] = (footnotes.number(f"not measured: {cell.failed}"),) if cell.failed else ()
    summary = cell.summary()
    if summary is None:
        return Entry(text=NOT_MEASURED, notes=notes)
    if summary.invalid:
        notes += (footnotes.number("some samples were no times, and are left out"),)
    return Entry(
        text=_with_spread(summary),
        short=figures.duration(summary.median),
        value=summary.median,
        summary=summary,
        notes=notes,
    )


def _with_spread(summary: Summary) -> str:
    """How sure the median is, where processes can say so; else how far samples lie from it."""
    if (interval := summary.interval) is None:
        return figures.with_spread(summary.median, summary.mad, summary.count)
    sure = max(interval.high - summary.median, summary.median - interval.low)
    return figures.with_spread(summary.median, sure, summary.count)


def _size(size: int, *, most: bool = False) -> Entry:
    return Entry(text=f"{'≤ ' if most else ''}{size:,}", value=size)


def _ratios(row: Row, base: Row) -> dict[str, Entry]:
    """Each time and length, divided by that of the base."""
    found = {}
    for key in (*(time.key for time in TIMES), *(size.key for size in SIZES)):
        value, unit = row.entries[key].value, base.entries[key].value
        quotient = value / unit if value is not None and unit else None
        text = NOT_MEASURED if quotient is None else figures.ratio(quotient)
        found[f"{key}_ratio"] = Entry(text=text, value=quotient)
    return found


def _agreement(row: Row) -> Entry:
    """The worst verdict of the row's times, and whose it is."""
    verdicts = {time.title: found.agreement for time in TIMES if (found := row.entries[time.key].summary)}
    if not verdicts:
        return Entry(text=NOT_MEASURED)
    worst = max(verdicts.values(), key=WORST.index)
    which = "" if worst in {"stable", "one process"} else ", ".join(k for k, v in verdicts.items() if v == worst)
    return Entry(text=f"{worst} ({which})" if which else worst, short=worst)


def _notes(result: Result, level: Level, rows: Sequence[Row], baseline: SchemeFacts | None) -> Iterable[str]:
    yield _machine(result)
    yield _software(result)
    processes = len(result.processes)
    yield (
        f"{result.name}, {result.started}: {processes} {'processes' if processes > 1 else 'process'}, "
        f"seed {result.plan.get('seed', 'unknown')}. {_what_times_are(processes)}"
    )
    if not result.complete:
        yield "The run is not complete: it was stopped, or a process failed."
    looped = sorted({cell.backend for cell in result.cells.values() if cell.level == "native"})
    if level == "native" and looped:
        yield (
            f"keygen, sign and verify by {' and '.join(looped)} are timed in a native loop; everything else through "
            "Python, as a user of pqdc pays for it. mint is a new key, its SPKI, and the leaf's signature."
        )
    else:
        yield "All times are through Python. mint is a new key, its SPKI, and the leaf's signature."
    yield from _overheads(result)
    lengths = {cell.message_bytes for cell in result.cells.values() if cell.message_bytes}
    if lengths:
        yield f"The message signed is a CertificateVerify input of {' or '.join(map(str, sorted(lengths)))} bytes."
    yield (
        "Bytes are of serialised handshake messages without record headers (medians, as some signatures vary in "
        "length); added to flight: against the same leaf without a credential."
    )
    if any(cell.operation.startswith("handshake_") for cell in result.cells.values()):
        yield (
            "Handshakes are in memory with X25519, each side timed apart; the server sends its leaf alone, and the "
            "client verifies that, the credential, and the CertificateVerify. server sends: all its bytes on the wire."
        )
    if baseline:
        yield f"Columns with {TIMES_AS_MUCH}: how many times the figure of {baseline.name}; less is better."
    if len(result.processes) > 1:
        yield (
            f"Verdict: stable if the standard deviation of the processes' medians is at most {STABLE * 100:.0f} % of "
            f"their median, noisy up to {NOISY * 100:.0f} %, else unstable; lower where others took much of the time; "
            "of the worst time of the row."
        )
    flags = {FLAGS[row.facts.security_flag] for row in rows if row.facts.security_flag in FLAGS}
    for flag in sorted(flags):
        yield f"{flag} {FLAG_NOTES[flag]}."


def _what_times_are(processes: int) -> str:
    if processes >= FEWEST:
        return (
            "Times are the median of the processes' medians ± the larger half of its "
            f"{CONFIDENCE * 100:.0f} % interval (bootstrap of the processes)."
        )
    said = "Times are median ± MAD (median absolute deviation) of all samples."
    return said if processes > 1 else f"{said} One process: nothing can be said of how stable they are."


def _left_out(result: Result, shown: Sequence[SchemeFacts]) -> Iterable[str]:
    families = dict.fromkeys(facts.family for facts in result.schemes if facts not in shown)
    if families:
        count = len(result.schemes) - len(shown)
        yield f"Left out: {count} schemes that nothing computed there, of {', '.join(families)}."


def _overheads(result: Result) -> Iterable[str]:
    """What an empty operation costs on each path."""
    cells = [cell for cell in result.cells.values() if cell.operation == "empty"]
    found = [
        f"{figures.duration(summary.median)} {'natively' if cell.level == 'native' else 'through Python'}"
        for cell in cells
        if (summary := cell.summary())
    ]
    if found:
        yield f"An operation that does nothing takes {' and '.join(found)}; this is not subtracted."


def _machine(result: Result) -> str:
    machine = result.environment.get("machine", {})
    model = machine.get("cpu_family_model_stepping")
    parts = [
        f"{machine.get('cpu', 'unknown CPU')}{f' ({model})' if model else ''}",
        f"{machine.get('cpus', '?')} CPUs{', virtual' if 'hypervisor' in machine.get('flags', ()) else ''}",
        str(machine.get("kernel", "unknown kernel")),
    ]
    parts += [f"{name} {machine[name]}" for name in ("governor", "turbo", "smt") if machine.get(name)]
    loads = [load for process in result.processes for load in (*process.load_before[:1], *process.load_after[:1])]
    if loads:
        parts.append(f"load {min(loads):.1f} to {max(loads):.1f}")
    return ", ".join(parts)


def _software(result: Result) -> str:
    environment = result.environment
    parts = [f"pqdc {environment.get('pqdc', {}).get('version', '?')}"]
    if commit := environment.get("pqdc", {}).get("commit"):
        parts[0] += f" at {commit[:7]}{' with changes' if environment['pqdc'].get('dirty') else ''}"
    parts.append(f"Python {environment.get('python', {}).get('version', '?')}")
    for backend in environment.get("backends", {}).values():
        for name, version in backend.get("versions", {}).items():
            parts.append(version if version.startswith(name) else f"{name} {version}")
        if compiler := backend.get("build", {}).get("compiler"):
            parts.append(f"built by {compiler}")
    return ", ".join(parts)
