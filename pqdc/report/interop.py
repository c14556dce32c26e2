"""The matrix of `pqdc interop` as Markdown: who serves whom, and why not where not. From its data, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pqdc.report import recorded
from pqdc.report.markdown import escape

__all__ = ["FORMAT", "as_markdown", "check_format"]

FORMAT = 1
DELEGATED, CERTIFICATE = "delegated", "certificate"
_INTRODUCTION = """\
# Credentials between pqdc and other people's TLS

Each row is a server and a client, each column the scheme of the credential that the server has; the first column is a
server without one, which proves itself by its leaf's own key. `DC`: the credential proved it, says whoever tells.
`leaf`: the leaf's own key did. `no`: nothing did. Where a cell is not what its column asks for, a footnote says why,
after the peer's own name of its error. A cell that nobody expected is **bold**; `pqdc/peers/deviations.py` says what is
expected.

pqdc's client verifies chain, name and credential strictly, and asks for the scheme of the column; other clients ask for
what they ask for. tlslite-ng 0.9.0b2 reads ML-DSA keys in certificates, but takes those in credentials for RSA: the
program that drives it (`pqdc/peers/tlslite_program.py`) teaches it that, and nothing else. It checks no chain.

`make interop` brings that software here, as far as can be, and tries everything anew.
Printed by `pqdc interop --from results/interop.json`; collected by `pqdc interop --out results/interop.json`, on
"""


def check_format(results: Any) -> dict[str, Any]:
    """The data, if it is such.

    Raises:
        ResultError: it is not, or of another format.
    """
    return recorded.check(results, kind="pqdc interop", form=FORMAT, what="a matrix")


def as_markdown(results: Mapping[str, Any]) -> str:
    """A document: versions, a table for each leaf, other meetings, what BoringSSL is not configured with, footnotes."""
    notes = _Notes()
    lines = [f"{_INTRODUCTION}{results['collected']}, from {', '.join(_versions(results))}. {_count(results)}", ""]
    own = _own_formats(results["cells"])
    direct = [cell for cell in results["cells"] if _is_direct(cell, own)]
    for leaf in _values(direct, "leaf"):
        lines += [f"## Under a leaf of {escape(leaf)}", ""]
        lines += _table([cell for cell in direct if cell["leaf"] == leaf], own, notes)
    others = [cell for cell in results["cells"] if not _is_direct(cell, own)]
    if others:
        leaves = ", ".join(map(escape, _values(others, "leaf")))
        lines += [f"## Our files elsewhere, under a leaf of {leaves}", ""]
        lines += ["Other formats, and servers that show our files to clients that are not ours.", ""]
        lines += _table(others, own, notes)
    lines += [*_configuration(results), *_absent(results), *notes.lines()]
    return "\n".join(lines).rstrip() + "\n"


class _Notes:
    """Footnotes, each text once."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def mark(self, text: str) -> str:
        """The mark of a footnote with this text."""
        if text not in self._texts:
            self._texts.append(text)
        return f"[^{self._texts.index(text) + 1}]"

    def lines(self) -> list[str]:
        """All of them."""
        return [f"[^{number}]: {escape(text)}" for number, text in enumerate(self._texts, 1)]


def _own_formats(cells: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The format that each server is known by: the first that it is given."""
    found: dict[str, str] = {}
    for cell in cells:
        found.setdefault(cell["server"], cell["format"])
    return found


def _is_direct(cell: Mapping[str, Any], own: Mapping[str, str]) -> bool:
    """Whether we are one of the two, and the files are of the format that the server is known by."""
    return "pqdc" in {cell["server"], cell["client"]} and cell["format"] == own[cell["server"]]


def _values(cells: Iterable[Mapping[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(cell[key] for cell in cells))


def _table(cells: Sequence[Mapping[str, Any]], own: Mapping[str, str], notes: _Notes) -> Iterator[str]:
    schemes = _values(cells, "scheme")
    yield f"| server → client | {' | '.join(escape(scheme) or 'none' for scheme in schemes)} |"
    yield f"| --- |{' --- |' * len(schemes)}"
    rows: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    for cell in cells:
        form = "" if cell["format"] == own[cell["server"]] else cell["format"]
        rows.setdefault((cell["server"], cell["client"], form), {})[cell["scheme"]] = cell
    for (server, client, form), row in rows.items():
        name = f"{server}{f' ({form})' if form else ''} → {client}"
        yield f"| {escape(name)} | {' | '.join(_entry(row.get(scheme), notes) for scheme in schemes)} |"
    yield ""


def _entry(cell: Mapping[str, Any] | None, notes: _Notes) -> str:
    if cell is None:
        return ""
    outcome = cell["outcome"]
    short = {DELEGATED: "DC", CERTIFICATE: "leaf"}.get(outcome)
    if not cell["explained"]:
        return f"**{short or escape(outcome)}**"
    if not cell["reason"]:
        return short or escape(outcome)
    return (short or "no") + notes.mark(cell["reason"] if short else f"{outcome}: {cell['reason']}")


def _versions(results: Mapping[str, Any]) -> Iterator[str]:
    yield f"pqdc {results['pqdc']}"
    for peer in results["peers"].values():
        yield f"{peer['software']} ({', '.join(f'{name} {version}' for name, version in peer['versions'].items())})"


def _count(results: Mapping[str, Any]) -> str:
    cells = results["cells"]
    delegated = sum(cell["outcome"] == DELEGATED for cell in cells)
    surprises = sum(not cell["explained"] for cell in cells)
    return (
        f"{len(cells)} cells in {results['seconds']} s: {delegated} by credential, "
        f"{len(cells) - delegated - surprises} otherwise as expected, {surprises} unexplained."
    )


def _configuration(results: Mapping[str, Any]) -> Iterator[str]:
    if not results["configuration"]:
        return
    yield from (
        "## Files that a server ought not to take",
        "",
        "What BoringSSL says when it is configured with them, and of our client where it serves them all the same;",
        "what our client says then; and what pqdc says when it verifies and loads the same files.",
        "",
        "| the credential, or what is beside it, has | BoringSSL | then | pqdc's client | pqdc |",
        "| --- | --- | --- | --- | --- |",
    )
    for row in results["configuration"]:
        cells = [
            row["given"],
            row["server"],
            row["handshake"],
            row["client"] or _content(row),
            row["ours"] or "accepted",
        ]
        text = " | ".join(map(escape, cells))
        yield f"| {text} |" if row["explained"] else f"| **{text}** |"
    yield ""


def _content(row: Mapping[str, Any]) -> str:
    return "accepted" if row["server"] == "served" and not row["handshake"] else ""


def _absent(results: Mapping[str, Any]) -> Iterator[str]:
    absent = [f"- {name}: {hint}" for name, hint in results["missing"].items()]
    absent += [f"- files of the format `{name}`: {reason}" for name, reason in results["untried"].items()]
    if absent:
        yield from ("## What was not tried", "", *absent, "")
