"""A table on a terminal: as much as its width holds. Spreads go first, then columns of little weight; it says so."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from pqdc.report.table import Column, Row, Table

__all__ = ["Terminal"]

GAP = 2
UNLIMITED = 400  # where there is no terminal to fit into


class Terminal:
    """With rich."""

    name = "rich"

    def __init__(self, width: int | None = None) -> None:
        self._width = width

    def render(self, table: Table) -> str:
        """Title, table, notes, footnotes; in colour where stdout is a terminal."""
        terminal = sys.stdout.isatty()
        width = self._width or (Console().width if terminal else UNLIMITED)
        columns, brief = _fitting(table, width)
        out = io.StringIO()
        console = Console(file=out, width=width, force_terminal=terminal, highlight=False, markup=False, emoji=False)
        console.print(Text(table.title, style="bold"))
        console.print(_rich(table, columns, brief=brief))
        left_out = [column.title for column in table.columns if column not in columns]
        notes = [*table.provenance, *table.notes]
        if brief or left_out:
            what = [*(["spread"] if brief else []), *left_out]
            notes.append(f"Left out for want of width: {', '.join(what)}. `--to md` or `--to csv` have them.")
        wide = min(width, 130)
        for note in notes:
            console.print(Text(note, style="dim"), width=wide)
        for number, text in enumerate(table.footnotes, 1):
            console.print(Text(f"[{number}] {text}", style="dim"), width=wide)
        return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _fitting(table: Table, width: int) -> tuple[Sequence[Column], bool]:
    """The columns to show, and whether in brief."""
    columns, brief = list(table.columns), False
    while _width(table, columns, brief=brief) > width and len(columns) > 1:
        if not brief:
            brief = True
        else:
            columns.remove(min(columns, key=lambda column: column.weight))
    return columns, brief


def _width(table: Table, columns: Sequence[Column], *, brief: bool) -> int:
    shown = [_texts(row, columns, brief=brief) for group in table.groups for row in group.rows]
    heads = [_title(column, brief=brief) for column in columns]
    return sum(max(map(cell_len, texts)) + GAP for texts in zip(heads, *shown, strict=True))


def _rich(table: Table, columns: Sequence[Column], *, brief: bool) -> RichTable:
    shown = RichTable(box=None, padding=(0, GAP, 0, 0), header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(_title(column, brief=brief), justify="right" if column.numeric else "left", no_wrap=True)
    for group in table.groups:
        shown.add_row(Text(group.family, style="bold cyan"))
        for row in group.rows:
            shown.add_row(*map(Text, _texts(row, columns, brief=brief)), style=_style(row))
    return shown


def _title(column: Column, *, brief: bool) -> str:
    return column.brief if brief else column.heading


def _texts(row: Row, columns: Sequence[Column], *, brief: bool) -> list[str]:
    return [_text(row, column, columns, brief=brief) for column in columns]


def _text(row: Row, column: Column, columns: Sequence[Column], *, brief: bool) -> str:
    """What stands there; where the backend has no column, it goes with the name of a scheme."""
    entry = row.entries[column.key]
    marks = "".join(f" [{number}]" for number in entry.notes)
    untold = column.key == "scheme" and row.backend and all(other.key != "backend" for other in columns)
    return (entry.brief if brief else entry.text) + (f" {row.backend}" if untold else "") + marks


def _style(row: Row) -> str:
    return "dim" if row.reason else ""
