"""CSV: one line a row, every number plain, with spread and counts in columns of their own; for spreadsheets and R."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from pqdc.report.columns import Column
from pqdc.report.table import Entry, Row, Table

__all__ = ["Csv"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute
SPREAD = ("median", "low", "high", "mad", "p5", "p95", "p99", "least")


class Csv:
    """Times in nanoseconds, lengths in bytes."""

    name = "csv"

    def render(self, table: Table) -> str:
        """A header and the rows; notes are left to the result file."""
        rows = [_row(row, table) for row in table.rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def _row(row: Row, table: Table) -> dict[str, Any]:
    facts = row.facts
    line: dict[str, Any] = {
        "run": _text(facts["run"]),
        "machine": _text(facts["machine"]),
        "scheme": _text(facts["scheme"]),
        "family": _text(facts["family"]),
        "kind": _text(facts["kind"]),
        "backend": _text(row.backend),
        "nist_level": facts["nist_level"] or "",
        "public_key_bytes": facts["public_key_bytes"],
        "signature_bytes": facts["signature_bytes"],
        "signature_length": _text(facts["signature_length"]),
    }
    for column in table.columns:
        line |= _figures(column, row.entries[column.key])
    return line | {
        "fits": "yes" if facts["fits"] else "no",
        "reason": _text(row.reason),
        "security_flag": _text(facts["security_flag"]),
    }


def _figures(column: Column, entry: Entry) -> dict[str, Any]:
    """The columns that a column of the table makes; none of what stands in each line anyway."""
    if column.kind == "ratio":
        return {column.key: "" if entry.value is None else f"{entry.value:.4g}"}
    if column.kind == "size":
        return {f"{column.key}_bytes": "" if entry.value is None else round(entry.value)}
    if not column.measured:
        return {}
    unit = "ns" if column.kind == "time" else column.unit.name
    figure: Mapping[str, Any] = entry.figure or dict.fromkeys(SPREAD)
    return {
        **{f"{column.key}_{name}_{unit}": "" if figure[name] is None else round(figure[name]) for name in SPREAD},
        f"{column.key}_samples": figure.get("n", 0),
        f"{column.key}_verdict": figure.get("verdict", ""),
    }


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
