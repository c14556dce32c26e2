"""Results as one pandas DataFrame: a row for each thing that was measured, the columns of `COLUMNS`.

Tables, plots and pages are all made from this frame, so what a user selects in pandas can be rendered as it stands.
What the rows cannot say of a run (its machine, versions, hash) travels in `frame.attrs["runs"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd
from pandas import DataFrame

from pqdc.errors import ResultError
from pqdc.report import provenance
from pqdc.report.result import Cell, Result, SchemeFacts, newest, read
from pqdc.report.statistics import median_intervals

__all__ = ["COLUMNS", "frame_of", "load_results", "paths_of", "records"]

# Column: pandas type, what it holds.
COLUMNS: Final = {
    "run": ("str", "the result file's name without its suffix"),
    "machine": ("str", "CPU, how many, kernel; of the machine that the run was made on"),
    "leaf_scheme": ("str", "of the leaf under which credentials were minted"),
    "scheme": ("str", "the scheme's name in the catalog; empty for `empty`, the cost of measuring itself"),
    "tls_name": ("str", "its name in TLS, or empty"),
    "aliases": ("object", "a tuple of other names"),
    "standard": ("str", "where it is specified; this and what follows, to `note`, older files lack"),
    "oid": ("str", "of the signature algorithm"),
    "code_point": ("Int64", "its SignatureScheme in TLS, or missing"),
    "code_point_source": ("str", "who says so"),
    "code_point_status": ("str", "such as `IANA` or `draft`"),
    "note": ("str", "what the catalog has to say besides"),
    "backends": (
        "object",
        "a dict: each library that the catalog names, and why it did not compute it there, or empty",
    ),
    "kind": ("str", "`classical`, `pq`, `hybrid` or `composite`"),
    "family": ("str", "of schemes, such as `ML-DSA`"),
    "nist_level": ("Int64", "1 to 5, or missing"),
    "security_flag": ("str", "`warning`, `broken`, or empty"),
    "public_key_bytes": ("Int64", "of the raw public key"),
    "signature_bytes": ("Int64", "exactly, or at most where `signature_length` is `max`"),
    "signature_length": ("str", "`fixed` or `max`"),
    "fits": ("bool", "whether a credential can carry the key"),
    "reason_against_dc": ("str", "why not, or empty"),
    "backend": ("str", "the library that computed it; empty if none did"),
    "level": ("str", "`native` (a loop in C), `python` (as a user of pqdc pays for it), `bytes`"),
    "operation": ("str", "`keygen`, `sign`, `mint`, ...; docs/results.md lists them; empty if none was computed"),
    "unit": ("str", "of the figures that follow: `ns`, `bytes`, `cycles` and so on"),
    "n": ("int64", "valid samples, of all processes"),
    "invalid": ("int64", "samples that were no finite, positive number, and do not count"),
    "processes": ("int64", "that gave samples, and count"),
    "disturbed": ("int64", "processes that do not count, as others took too much of their time and enough were left"),
    "median": ("float64", "of the processes' medians; NaN if there are none, and so on"),
    "low": ("float64", "lower end of the 95 % interval of the median; NaN of fewer than three processes"),
    "high": ("float64", "its upper end"),
    "plus_minus": ("float64", "what tables print after ±: the larger half of that interval, or `mad` without one"),
    "mad": ("float64", "median of the absolute deviations of all samples from the median"),
    "p5": ("float64", "five of a hundred samples are smaller"),
    "p95": ("float64", "five of a hundred samples are larger"),
    "p99": ("float64", "one of a hundred samples is larger"),
    "least": ("float64", "the smallest sample"),
    "mean": ("float64", "of all valid samples"),
    "medians": ("object", "a tuple: the median of each process that counts"),
    "spread": (
        "float64",
        "how far the processes lie apart beyond what their own scatter explains, relative to the median",
    ),
    "error": ("float64", "the standard error of the median, relative to it; as `spread` NaN of a single process"),
    "lost": ("float64", "the share of the time that others took meanwhile"),
    "verdict": ("str", "`stable`, `noisy`, `unstable`, `one process`; empty if there are no samples"),
    "reason": ("str", "why there is no figure, or why some processes gave none; else empty"),
    "message_bytes": ("Int64", "that were signed or verified"),
    "keys": ("Int64", "how many took turns"),
    "method": ("str", "how it was measured, where there is more than one way"),
    "samples": (
        "object",
        "a tuple for each process that counts, of every sample in the order taken; None for what was no time",
    ),
}
_FACTS: Final = (
    "tls_name",
    "aliases",
    "standard",
    "oid",
    "code_point",
    "code_point_source",
    "code_point_status",
    "note",
    "backends",
    "kind",
    "family",
    "nist_level",
    "security_flag",
    "public_key_bytes",
    "signature_bytes",
    "signature_length",
    "reason_against_dc",
    "scheme",
)
_STATISTICS: Final = ("median", "mad", "p5", "p95", "p99", "least", "mean", "medians", "spread", "error", "lost")


def load_results(*paths: Path | str) -> DataFrame:
    """The figures of one or more runs; of several, the rows stand under each other, never merged.

    Args:
        paths: result files, or folders, of which the newest result is taken; `results/` unless given.

    Returns:
        A DataFrame with the columns of `COLUMNS`, a row for each scheme, backend, level and operation of each run;
        and one for each scheme that nothing computed, which has no operation but a reason.

    Raises:
        ResultError: a file is broken, unknown or given twice.
    """
    return frame_of(read(path) for path in paths_of(paths))


def paths_of(paths: Iterable[Path | str]) -> list[Path]:
    """The files that are meant: of a folder its newest result.

    Raises:
        ResultError: a folder has none.
    """
    named = [Path(path) for path in paths] or [Path("results")]
    return [newest(path) if path.is_dir() else path for path in named]


def frame_of(results: Iterable[Result], *, refuse: Callable[[ResultError], None] | None = None) -> DataFrame:
    """The rows of these runs.

    Args:
        results: in the order in which outputs name them.
        refuse: told of a run that cannot be used, which is then left out; without it, the error is raised.

    Raises:
        ResultError: two of them have one name, or one measured nothing.
    """
    rows: list[dict[str, Any]] = []
    runs = provenance.Runs()
    for result in results:
        name = provenance.run_name(result)
        try:
            rows += _measured(result, name, runs)
        except ResultError as error:
            if refuse is None:
                raise
            refuse(error)
        else:
            runs[name] = provenance.facts_of(result)
    _add_intervals(rows)
    columns = {
        name: pd.Series([row[name] for row in rows], dtype=object if kind in {"str", "object"} else kind)
        for name, (kind, _) in COLUMNS.items()
    }
    frame = pd.DataFrame(columns)
    frame.attrs["runs"] = runs
    return frame


def _measured(result: Result, name: str, others: Container[str]) -> list[dict[str, Any]]:
    if name in others:
        raise ResultError(f"{result.name}: two runs of that name", hint="give each run once")
    rows = list(_rows(result, name))
    if not any(row["n"] for row in rows):
        raise ResultError(f"{result.name}: nothing was measured in it")
    return rows


def _add_intervals(rows: list[dict[str, Any]]) -> None:
    intervals = median_intervals([row["medians"] or () for row in rows])
    for row, interval in zip(rows, intervals, strict=True):
        row |= {"low": None, "high": None, "plus_minus": row["mad"]}
        if interval:
            half = max(interval.high - row["median"], row["median"] - interval.low)
            row |= {"low": interval.low, "high": interval.high, "plus_minus": half}


def records(frame: DataFrame) -> list[dict[str, Any]]:
    """The rows as tables of plain Python; what is missing is None."""
    plain = [
        (column if column.dtype == object else column.to_numpy(dtype=object, na_value=None)).tolist()
        for _, column in frame.items()
    ]
    names = frame.columns.tolist()
    return [dict(zip(names, row, strict=True)) for row in zip(*plain, strict=True)]


def _rows(result: Result, name: str) -> Iterator[dict[str, Any]]:
    run = {
        "run": name,
        "machine": provenance.machine_of(result),
        "leaf_scheme": str(result.plan.get("leaf_scheme", "")),
    }
    cells: dict[str, dict[str, list[Cell]]] = {}
    for cell in result.cells.values():
        cells.setdefault(cell.scheme, {}).setdefault(cell.backend, []).append(cell)
    for facts in result.schemes:
        measured = cells.get(facts.name, {})
        of_scheme = run | _facts(facts)
        for backend in dict.fromkeys((*facts.able, *measured)) or [""]:
            if backend in measured:
                yield from (of_scheme | _figures(cell) for cell in measured[backend])
            else:
                yield of_scheme | _nothing(facts, backend)
    for empty in cells.get("", {}).values():
        yield from (run | _facts(None) | _figures(cell) for cell in empty)


def _facts(facts: SchemeFacts | None) -> dict[str, Any]:
    """Of a scheme; of none where the cost of measuring itself was measured."""
    if facts is None:
        return dict.fromkeys(_FACTS, "") | {
            "aliases": (),
            "backends": {},
            "code_point": None,
            "nist_level": None,
            "public_key_bytes": None,
            "signature_bytes": None,
            "fits": False,
        }
    return {name: getattr(facts, name) for name in _FACTS if name != "scheme"} | {
        "scheme": facts.name,
        "fits": not facts.reason_against_dc,
    }


def _figures(cell: Cell) -> dict[str, Any]:
    summary = cell.summary()
    return {name: getattr(summary, name, None) for name in _STATISTICS} | {
        "backend": cell.backend,
        "level": cell.level,
        "operation": cell.operation,
        "unit": cell.unit,
        "n": summary.count if summary else 0,
        "invalid": summary.invalid if summary else sum(map(len, cell.samples)),
        "processes": summary.processes if summary else 0,
        "disturbed": sum(map(bool, cell.samples)) - sum(map(bool, cell.counted)),
        "verdict": summary.agreement if summary else "",
        "reason": cell.failed or ("" if summary else "no sample of it is a time"),
        "message_bytes": cell.message_bytes,
        "keys": cell.keys,
        "method": cell.method,
        "samples": cell.counted,
    }


def _nothing(facts: SchemeFacts, backend: str) -> dict[str, Any]:
    """A scheme without a figure, and why."""
    reasons = "; ".join(filter(None, facts.backends.values()))
    reason = reasons or "the catalog names no backend that computes it"
    return dict.fromkeys(_STATISTICS) | {
        "backend": backend,
        "level": "",
        "operation": "",
        "unit": "",
        "n": 0,
        "invalid": 0,
        "processes": 0,
        "disturbed": 0,
        "verdict": "",
        "reason": "nothing of it was measured" if backend else reason,
        "message_bytes": None,
        "keys": None,
        "method": "",
        "samples": (),
    }
