"""Markdown: a table for each run, families as rows of their own, reasons as footnotes."""

from __future__ import annotations

import re

from pqdc.report.table import Entry, Table

__all__ = ["Markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


class Markdown:
    """For a README or an issue: GitHub's dialect."""

    name = "md"

    def render(self, table: Table) -> str:
        """Title, table, provenance, notes, footnotes."""
        columns = table.columns
        lines = [f"**{escape(table.title)}**", ""]
        lines += [f"| {' | '.join(escape(column.heading) for column in columns)} |"]
        lines += [f"| {' | '.join('---:' if column.numeric else ':---' for column in columns)} |"]
        for group in table.groups:
            lines.append(f"| **{escape(group.family)}** |{' |' * (len(columns) - 1)}")
            lines += [f"| {' | '.join(_entry(row.entries[column.key]) for column in columns)} |" for row in group.rows]
        lines.append("")
        lines += [f"- {escape(note)}" for note in (*table.provenance, *table.notes)]
        if table.footnotes:
            lines.append("")
            lines += [f"[^{number}]: {escape(text)}" for number, text in enumerate(table.footnotes, 1)]
        return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """The text, with everything that means something to Markdown made harmless, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _entry(entry: Entry) -> str:
    return escape(entry.text) + "".join(f"[^{number}]" for number in entry.notes)
