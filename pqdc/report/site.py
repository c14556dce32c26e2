"""A site that opens from disk: comparison, charts, a page for each scheme, method and machine, downloads.

No page asks anything of a network: styles, scripts and Vega lie beside them.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from pandas import DataFrame

from pqdc.files import OutputFile
from pqdc.report import figures, load_renderer, provenance, series
from pqdc.report.charts import charts, vega
from pqdc.report.columns import COLUMNS
from pqdc.report.figures import Unit
from pqdc.report.frame import records
from pqdc.report.html import FOLDER, templates
from pqdc.report.macros import unique
from pqdc.report.notes import FLAG_NOTES
from pqdc.report.table import Table, make_table

__all__ = ["site"]

TABLES: Final = {
    "md": ("table.md", "the comparison for a README or an issue"),
    "csv": ("table.csv", "the comparison, plain numbers: times in ns, lengths in bytes"),
    "latex": ("table.tex", "the comparison for LaTeX, with booktabs and siunitx"),
    "macros": ("macros.tex", "a LaTeX macro for each figure"),
}
BEST: Final = {
    "added_to_flight": "fewest bytes added",
    "sign": "quickest to sign",
    "verify": "quickest to verify",
    "mint": "quickest to mint",
    "handshake_server": "least CPU time of the server",
}


def site(frame: DataFrame, raw: Mapping[str, bytes], refused: Sequence[str] = ()) -> list[OutputFile]:
    """All files, by their paths within the site.

    Args:
        frame: from `load_results`.
        raw: result files to hand out, by name; those that are not among them are named with their hash.
        refused: what was asked for and could not be used, a line each.
    """
    with ThreadPoolExecutor(1) as meanwhile:
        script = meanwhile.submit(vega)
        return _site(frame, raw, refused, script)


def _site(frame: DataFrame, raw: Mapping[str, bytes], refused: Sequence[str], script: Future[str]) -> list[OutputFile]:
    table = make_table(frame)
    links = _links(frame)
    runs = list(_runs(frame))
    missing = list(_missing(frame))
    common: dict[str, Any] = {
        "table": table,
        "links": links,
        "runs": runs,
        "refused": refused,
        "missing": missing,
        "title": table.title,
    }
    drawn = list(charts(frame))
    data = [
        *_tables(table),
        ("figures.csv.gz", "every figure, a row each; pandas, R and spreadsheets read it packed", _figures_csv(frame)),
    ]
    data += [(name, "all samples, as they were written", content) for name, content in raw.items()]
    absent = [
        f"{facts['file']} is not handed out here; its SHA-256 is {facts['sha256']}."
        for facts in frame.attrs["runs"].values()
        if facts["file"] not in raw
    ]
    downloads: dict[str, Any] = {"files": [(name, what) for name, what, _ in data], "absent": absent}
    pages = {
        "index.html": _page("index.html", **common),
        "charts.html": _page("charts.html", charts=drawn, **common),
        "method.html": _page("method.html", **common),
        "downloads.html": _page("downloads.html", **downloads),
    }
    ledgers = _ledgers(frame)
    for scheme, rows in _by_scheme(frame).items():
        pages[links[scheme]] = _scheme_page(frame, scheme, rows, ledgers)
    assets = {"style.css": _asset("style.css"), "site.js": _asset("site.js"), "vega.js": script.result()}
    files = [OutputFile(name=name, data=text.encode()) for name, text in pages.items()]
    files += [OutputFile(name=f"assets/{name}", data=text.encode()) for name, text in assets.items()]
    return files + [OutputFile(name=f"data/{name}", data=content) for name, _, content in data]


def _page(template: str, *, root: str = "", **values: Any) -> str:
    return templates().get_template(template).render(root=root, here=template, **values)


def _asset(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def _tables(table: Table) -> Iterator[tuple[str, str, bytes]]:
    for renderer, (name, what) in TABLES.items():
        yield name, what, load_renderer(renderer).render(table).encode()


def _figures_csv(frame: DataFrame) -> bytes:
    dropped = frame.drop(columns=["samples", "aliases", "medians", "backends"])
    text = str(dropped.to_csv(index=False, lineterminator="\n"))
    return gzip.compress(text.encode(), mtime=0)


def _links(frame: DataFrame) -> dict[str, str]:
    """A page for each scheme; no two share one, also where letters' case does not count."""
    schemes = [scheme for scheme in dict.fromkeys(frame["scheme"]) if scheme]
    slugs = [re.sub(r"[^a-z0-9]+", "-", scheme.lower()).strip("-") or "scheme" for scheme in schemes]
    names = unique(list(zip(slugs, schemes, strict=True)), joint="-")
    return {scheme: f"scheme/{name}.html" for scheme, name in zip(schemes, names, strict=True)}


def _by_scheme(frame: DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in records(frame[frame["scheme"] != ""]):
        found.setdefault(row["scheme"], []).append(row)
    return found


def _runs(frame: DataFrame) -> Iterator[dict[str, Any]]:
    """A card for each run."""
    letters = provenance.letters(frame)
    rows = series.preferred(frame)
    for run, facts in frame.attrs["runs"].items():
        of_run = frame[(frame["run"] == run) & (frame["scheme"] != "")]
        machine = of_run["machine"].iloc[0]
        times = of_run[(of_run["unit"] == "ns") & (of_run["n"] > 0)]
        verdicts = times["verdict"].value_counts()
        schemes = of_run.drop_duplicates("scheme")
        yield {
            "letter": letters[run],
            "machine": machine,
            "lines": list(provenance.lines(facts, machine)),
            "processes": facts["processes"],
            "started": facts["started"],
            "complete": facts["complete"],
            "command": facts["command"],
            "schemes": len(schemes),
            "measured": of_run[of_run["n"] > 0]["scheme"].nunique(),
            "fitting": int(schemes["fits"].sum()),
            "times": len(times),
            "stable": None if "one process" in verdicts else int(verdicts.get("stable", 0)),
            "noisy": int(verdicts.get("noisy", 0)),
            "unstable": int(verdicts.get("unstable", 0)),
            "best": list(_best(rows[rows["run"] == run])),
            "environment": list(_flat(facts["environment"])),
        }


def _best(rows: DataFrame) -> Iterator[dict[str, str]]:
    """The post-quantum schemes that lead in a figure, of those that a credential can carry."""
    candidates = rows[(rows["kind"] != "classical") & rows["fits"]]
    for operation, what in BEST.items():
        some = candidates[candidates["operation"] == operation]
        if not some.empty:
            row = some.loc[some["median"].idxmin()]
            told = f"{row['median']:,.0f} B" if row["unit"] == "bytes" else figures.duration(row["median"])
            yield {"what": what, "scheme": row["scheme"], "figure": f"{told} ({row['backend']})"}


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The environment, a line each."""
    for name, value in table.items():
        path = f"{above} {name}".strip().replace("_", " ")
        if isinstance(value, dict):
            yield from _flat(value, path)
        elif isinstance(value, list):
            yield path, ", ".join(map(str, value)) or "none"
        else:
            yield path, "not known" if value is None else str(value)


def _missing(frame: DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Each reason why there is no figure, or none of a kind, and the schemes that it concerns."""
    reasons: dict[str, dict[str, None]] = {}
    for row in records(frame[(frame["scheme"] != "") & (frame["reason"] != "")]):
        what = f"{row['operation'].replace('_', ' ')}: " if row["operation"] else "not measured: "
        reasons.setdefault(what + row["reason"], {})[row["scheme"]] = None
    for row in records(frame[(frame["scheme"] != "") & (frame["reason_against_dc"] != "")].drop_duplicates("scheme")):
        reasons.setdefault(f"no credential: {row['reason_against_dc']}", {})[row["scheme"]] = None
    for reason, schemes in reasons.items():
        yield reason, list(schemes)


def _scheme_page(
    frame: DataFrame, scheme: str, rows: list[dict[str, Any]], ledgers: Mapping[str, Sequence[dict[str, Any]]]
) -> str:
    facts = rows[0]
    letters = provenance.letters(frame)
    several = len(letters) > 1
    heads = list(dict.fromkeys((row["backend"], row["run"]) for row in rows if row["backend"]))
    cells = {(row["level"], row["operation"], row["backend"], row["run"]): row for row in rows if row["operation"]}
    order = [column.key for column in COLUMNS]
    lines = sorted(
        dict.fromkeys((level, operation) for level, operation, _, _ in cells),
        key=lambda line: (line[0] == "bytes", order.index(line[1]) if line[1] in order else len(order)),
    )
    found = ledgers.get(scheme)
    return _page(
        "scheme.html",
        root="../",
        facts=facts,
        flag=FLAG_NOTES.get(facts["security_flag"], facts["security_flag"]),
        described=list(_described(facts)),
        heads=[f"{backend}, run {letters[run]}" if several else backend for backend, run in heads],
        figures=[
            (_operation(level, operation), [_cell(cells.get((level, operation, *head))) for head in heads])
            for level, operation in lines
        ],
        reasons=list(dict.fromkeys(row["reason"] for row in rows if row["reason"])),
        ledger=_ledger(found) if found else None,
        no_ledger=_no_ledger(facts),
    )


def _operation(level: str, operation: str) -> str:
    title = next((column.title for column in COLUMNS if column.key == operation), operation.replace("_", " "))
    return title if level == "bytes" else f"{title} ({level})"


def _cell(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None or not row["n"]:
        return None
    if row["unit"] == "bytes":
        return {"text": f"{row['median']:,.0f} B", "median": row["median"], "verdict": "", "range": ""}
    unit = figures.time_unit([row["median"]]) if row["unit"] == "ns" else Unit(name=row["unit"])
    text = " ".join(figures.with_spread(row["median"], row["plus_minus"], row["n"], unit))
    ends = " to ".join(
        figures.number(row[end] / unit.size, figures.places(row[end] / unit.size)) for end in ("p5", "p95")
    )
    return {
        "text": f"{text} {unit.name}",
        "median": row["median"],
        "verdict": row["verdict"],
        "range": f"{ends}, n = {row['n']:,}",
    }


def _described(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the catalog said of it when the run was made."""
    point = facts["code_point"]
    source = ", ".join(filter(None, (facts["code_point_source"], facts["code_point_status"])))
    at_most = "at most " if facts["signature_length"] == "max" else ""
    yield "family", f"{facts['family']} ({facts['kind']})"
    yield "standard", facts["standard"] or "none"
    yield "NIST level", str(facts["nist_level"] or "none")
    yield "public key", f"{facts['public_key_bytes']:,} bytes"
    yield "signature", f"{at_most}{facts['signature_bytes']:,} bytes"
    yield "in TLS", facts["tls_name"] or "no name"
    yield "code point", f"0x{point:04x}{f' ({source})' if source else ''}" if point is not None else "none"
    if facts["oid"]:
        yield "OID", facts["oid"]
    if facts["aliases"]:
        yield "also called", ", ".join(facts["aliases"])
    for backend, reason in facts["backends"].items():
        yield backend, reason or "computes it"
    if facts["note"]:
        yield "note", facts["note"]


def _ledgers(frame: DataFrame) -> dict[str, list[dict[str, Any]]]:
    """The parts of one handshake of each scheme: of its first backend and run."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in records(series.handshake_parts(frame)):
        found.setdefault(row["scheme"], []).append(row)
    return {scheme: [row for row in rows if row["label"] == rows[0]["label"]] for scheme, rows in found.items()}


def _ledger(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: row["order"])
    parts = [
        {"name": row["part"], "bytes": f"{row['bytes']:,.0f}", "share": f"{row['bytes'] / row['total']:.5f}"}
        for row in ordered
    ]
    return {"total": f"{rows[0]['total']:,.0f}", "label": rows[0]["label"], "parts": parts}


def _no_ledger(facts: Mapping[str, Any]) -> str:
    if facts["reason_against_dc"]:
        return "No handshake can carry it"
    return "It was not computed" if not facts["backend"] else "The run has no handshakes of it"
