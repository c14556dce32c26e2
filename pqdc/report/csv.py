"""CSV: one line a row, every number plain, with spread and counts in columns of their own; for spreadsheets and R."""

from __future__ import annotations

import csv
import io
from typing import Any

from pqdc.report.table import TIMES, Row, Table

__all__ = ["Csv"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


class Csv:
    """Times in nanoseconds, lengths in bytes."""

    name = "csv"

    def render(self, table: Table) -> str:
        """A header and the rows; notes are left to the result file."""
        rows = [_row(row, table) for group in table.groups for row in group.rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def _row(row: Row, table: Table) -> dict[str, Any]:
    facts = row.facts
    line: dict[str, Any] = {
        "scheme": _text(facts.name),
        "family": _text(facts.family),
        "kind": _text(facts.kind),
        "backend": _text(row.backend),
        "nist_level": facts.nist_level or "",
        "public_key_bytes": facts.public_key_bytes,
        "signature_bytes": facts.signature_bytes,
        "signature_length": _text(facts.signature_length),
    }
    times = {time.key for time in TIMES}
    for column in table.columns:
        entry = row.entries[column.key]
        if column.key in times:
            line |= _time(column.key, entry.summary)
        elif column.key.endswith("_ratio"):
            line[column.key] = "" if entry.value is None else f"{entry.value:.4g}"
        elif column.key not in line and column.key not in {"fits", "agreement"}:
            line[f"{column.key}_bytes"] = "" if entry.value is None else int(entry.value)
    return line | {
        "fits": "no" if facts.reason_against_dc else "yes",
        "reason": _text(row.reason),
        "security_flag": _text(facts.security_flag),
    }


def _time(key: str, summary: Any) -> dict[str, Any]:
    line: dict[str, Any] = {
        f"{key}_{name}_ns": "" if summary is None else round(getattr(summary, name))
        for name in ("median", "mad", "p5", "p95", "p99", "least")
    }
    interval = summary and summary.interval
    line |= {f"{key}_{end}_ns": round(getattr(interval, end)) if interval else "" for end in ("low", "high")}
    line[f"{key}_samples"] = 0 if summary is None else summary.count
    line[f"{key}_verdict"] = "" if summary is None else summary.agreement
    return line


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
