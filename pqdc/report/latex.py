r"""LaTeX: a table with booktabs rules and siunitx columns, to be read by `\input`; its notes below it.

The document loads `booktabs`, `longtable` and `siunitx` (version 3). Notes are the argument of
`\pqdcnotes`, which a document may define for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pqdc.report import figures
from pqdc.report.columns import Column
from pqdc.report.table import Entry, Table

__all__ = ["Latex", "escape"]

AT_MOST: Final = r"{\(\leq\)\,}"
MOST_ROWS: Final = 45  # that a page holds
SYMBOLS: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "±": r"\textpm{}",
    "×": r"\texttimes{}",  # noqa: RUF001
    "≤": r"\(\leq\)",
    "µ": r"\textmu{}",
    "–": r"\textendash{}",  # noqa: RUF001
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "[": "{[}",
    "]": "{]}",
}
_SPECIAL: Final = re.compile("|".join(map(re.escape, SYMBOLS)))
NOTES: Final = r"""\providecommand{\pqdcnotes}[1]{\par\medskip
  \begin{minipage}{\linewidth}\footnotesize\raggedright\setlength{\parskip}{2pt}#1\end{minipage}}"""


class Latex:
    """With siunitx's S columns, aligned at the decimal point."""

    name = "latex"

    def render(self, table: Table) -> str:
        """Provenance as comments, the table, notes and footnotes."""
        count = len(table.columns)
        head = " & ".join(f"{{{_heading(column)}}}" for column in table.columns)
        rows = list(table.rows)
        environment = "longtable" if len(rows) > MOST_ROWS else "tabular"
        setup = r"separate-uncertainty, table-align-uncertainty=false, group-minimum-digits=4, group-separator={,}"
        formats = [_format(column, [row.entries[column.key] for row in rows]) for column in table.columns]
        lines = [f"% {' '.join(line.split())}" for line in (table.title, *table.provenance)]
        lines += [NOTES, r"\begingroup", rf"\sisetup{{{setup}}}", rf"\begin{{{environment}}}{{"]
        lines += [f"  {form}" for form in formats]
        lines += ["}", r"\toprule", rf"{head} \\", r"\midrule"]
        lines += [r"\endhead", r"\bottomrule", r"\endfoot"] if environment == "longtable" else []
        for number, group in enumerate(table.groups):
            lines += [r"\addlinespace"] if number else []
            lines += [rf"\multicolumn{{{count}}}{{@{{}}l}}{{\textit{{{escape(group.family)}}}}} \\*"]
            lines += [
                rf"{' & '.join(_entry(row.entries[column.key], column) for column in table.columns)} \\"
                for row in group.rows
            ]
        lines += [r"\bottomrule"] if environment == "tabular" else []
        lines += [rf"\end{{{environment}}}", r"\endgroup", *_notes(table)]
        return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """The text, with everything that means something to LaTeX made harmless, in one line."""
    return _SPECIAL.sub(lambda match: SYMBOLS[match[0]], " ".join(text.split()))


def _notes(table: Table) -> Iterable[str]:
    texts = [*map(escape, (*table.provenance, *table.notes))]
    texts += [rf"\textsuperscript{{{number}}} {escape(text)}" for number, text in enumerate(table.footnotes, 1)]
    return [r"\pqdcnotes{%", "\n\n".join(texts), "}"]


def _heading(column: Column) -> str:
    unit = rf"\unit{{{column.unit.siunitx}}}" if column.unit.siunitx else escape(column.unit.name)
    return escape(column.title) + (f" ({unit})" if unit else "")


def _format(column: Column, entries: Sequence[Entry]) -> str:
    """Of the column: `S` with room for its longest number; what is no number is centred in braces."""
    if not column.numeric:
        return "l"
    parts = [found for entry in entries if (found := _number(entry, column))]
    whole = max((len(value.partition(".")[0]) for value, _ in parts), default=1)
    decimals = max((len(value.partition(".")[2]) for value, _ in parts), default=0)
    spread = max((len(spread.partition(".")[0]) for _, spread in parts), default=0)
    form = f"{whole}.{decimals}{f'({spread + decimals})' if spread else ''}"
    options = [f"table-format={form}", "table-align-text-after=false"]
    if any(entry.at_most for entry in entries):
        options.append(rf"table-space-text-pre={AT_MOST}")
    if marks := [entry.mark for entry in entries if entry.mark]:
        options.append(rf"table-space-text-post={{\,{escape(max(marks, key=len))}}}")
    return f"S[{', '.join(options)}]"


def _entry(entry: Entry, column: Column) -> str:
    marks = "".join(rf"\textsuperscript{{{number}}}" for number in entry.notes)
    if not column.numeric:
        return escape(entry.text) + marks
    found = _number(entry, column)
    if found is None:
        return f"{{{escape(entry.text)}{marks}}}"
    value, spread = found
    before = AT_MOST if entry.at_most else ""
    after = escape(entry.mark) + marks
    return f"{before}{value}{f' +- {spread}' if spread else ''}" + (rf"{{\,{after}}}" if after else "")


def _number(entry: Entry, column: Column) -> tuple[str, str] | None:
    """Value and spread as digits; None for what is no number."""
    if entry.value is None:
        return None
    if column.kind == "size" or entry.figure is None:
        place = figures.places(entry.value) if column.kind == "ratio" else 0
        return _digits(entry.value, place), ""
    scaled, spread = entry.value / column.unit.size, entry.figure["plus_minus"] / column.unit.size
    if entry.figure["n"] < figures.FEWEST:
        return _digits(scaled, figures.places(scaled)), ""
    place = figures.places_with(scaled, spread)
    return _digits(scaled, place), _digits(spread, place)


def _digits(value: float, place: int) -> str:
    return figures.number(value, place).replace(",", "")
