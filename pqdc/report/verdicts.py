"""The verdicts of clients on credentials, as Markdown: who follows RFC 9345, and where implementations disagree.

From the data that `pqdc.peers.verdicts` collects, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pqdc.report import recorded
from pqdc.report.markdown import escape

__all__ = ["FORMAT", "as_markdown", "check_format"]

FORMAT = 1
_INTRODUCTION = """\
# What clients say of delegated credentials, good and broken

Each row is a server that shows its clients a credential, and what they made of the same bytes: Mozilla's clients,
tlslite-ng, and pqdc's own. **Bold** is what RFC 9345 does not want. `believed`: the handshake was proved by the
credential; `leaf's own key`: it finished without one; else the client's own name of its error. Of pqdc that is the
rule, as in [rules.md](rules.md).

A peer marked with an asterisk offers that scheme, unlike the others, so it is to believe the credential.

Printed by `pqdc verdicts --from results/verdicts.json`; collected by `pqdc verdicts --out results/verdicts.json`, on
"""
_SAYS = {"delegated": "believed", "certificate": "leaf's own key", "refused": "refused"}


def check_format(results: Any) -> dict[str, Any]:
    """The data, if it is such.

    Raises:
        ResultError: it is not, or of another format.
    """
    return recorded.check(results, kind="pqdc verdicts", form=FORMAT, what="verdicts")


def as_markdown(results: Mapping[str, Any]) -> str:
    """A document: versions, a table of all cases, and the disagreements by peer."""
    peers = ["pqdc", *results["peers"]]
    versions = ", ".join(_versions(results))
    lines = [
        f"{_INTRODUCTION}{results['collected']}, from {versions}.",
        "",
        f"| a server that shows | RFC 9345 wants | {' | '.join(peers)} |",
        "| --- | --- |" + " --- |" * len(peers),
    ]
    for case in results["cases"]:
        cells = [_said(case, case["said"].get(peer)) for peer in peers]
        lines.append(f"| {escape(case['served'])} | {_wanted(case)} | {' | '.join(cells)} |")
    lines += ["", "## Where they disagree", ""]
    for peer in peers:
        found = list(_disagreements(results, peer))
        lines += [f"**{escape(peer)}**" + (":" if found else " follows RFC 9345 in every row."), "", *found]
        lines += [""] if found else []
    return "\n".join(lines).rstrip() + "\n"


def _versions(results: Mapping[str, Any]) -> Iterator[str]:
    yield f"pqdc {results['pqdc']}"
    for peer in results["peers"].values():
        yield f"{peer['software']} ({', '.join(f'{name} {version}' for name, version in peer['versions'].items())})"


def _wanted(case: Mapping[str, Any]) -> str:
    rule = case["rule"].partition(",")[0]
    parts = [_SAYS[case["verdict"]], *filter(None, [case["alert"], rule])]
    return escape(", ".join(parts))


def _said(case: Mapping[str, Any], said: Mapping[str, Any] | None) -> str:
    if said is None:
        return ""
    text = said["error"] or (said["alert"] if said["verdict"] == "refused" else _SAYS[said["verdict"]])
    text = escape(text)
    if said["verdict"] != said["wanted"]:
        return f"**{text}**"
    if said["wanted"] != case["verdict"]:
        return text + "\\*"
    return f"{text}, **{escape(said['alert'])}**" if _is_other_alert(case, said) else text


def _is_other_alert(case: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """Whether it refused as it should, by another alert than it should."""
    return bool(case["alert"] and said["alert"] and said["wanted"] == "refused" and said["alert"] != case["alert"])


def _disagreements(results: Mapping[str, Any], peer: str) -> Iterator[str]:
    for case in results["cases"]:
        said = case["said"].get(peer)
        if said is None:
            continue
        rule = f" ({case['rule']})" if case["rule"] else ""
        if said["verdict"] != said["wanted"]:
            told = f" with {said['error']}" if said["error"] else ""
            yield "- " + escape(f"{case['served']}{rule}: {_SAYS[said['verdict']]}{told}")
        elif _is_other_alert(case, said):
            yield "- " + escape(f"{case['served']}{rule}: refused by {said['alert']}")
