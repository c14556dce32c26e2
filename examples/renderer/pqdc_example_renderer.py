"""A renderer for pqdc in one file: the table in reStructuredText, for a manual made by Sphinx."""

from __future__ import annotations

from pqdc.report.table import Table


class Rst:
    """A list-table."""

    name = "rst"

    def render(self, table: Table) -> str:
        """Title, table, notes; no name in it means anything to reStructuredText."""
        lines = [f".. list-table:: {_safe(table.title)}", "   :header-rows: 1", ""]
        lines += _row([column.heading for column in table.columns])
        for row in table.rows:
            lines += _row([row.entries[column.key].text for column in table.columns])
        lines.append("")
        lines += [f"- {_safe(note)}" for note in (*table.provenance, *table.notes)]
        return "\n".join(lines) + "\n"


def _row(texts: list[str]) -> list[str]:
    return [f"   {'*' if i == 0 else ' '} - {_safe(text)}" for i, text in enumerate(texts)]


def _safe(text: str) -> str:
    """In one line, with what means something to reStructuredText made harmless."""
    return "".join(f"\\{character}" if character in r"\*`|_" else character for character in " ".join(text.split()))
