"""`pqdc scheme check`: what the author of a scheme wants to know of it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.check import Report

_COLOURS = {"passed": "green", "noted": "yellow", "failed": "red", "skipped": "dim"}


def command(
    name: Annotated[str, typer.Argument(help="The scheme.")],
    backend: Annotated[
        str | None, typer.Option("--backend", help="Who computes it; the first that does here, unless given.")
    ] = None,
    kat: Annotated[
        Path | None, typer.Option("--kat", metavar="FILE", help="Known answers in NIST's .rsp format.")
    ] = None,
    keys: Annotated[int, typer.Option("--keys", min=2, max=1_000_000, help="Keys to make, if there is time.")] = 100,
    signatures: Annotated[int, typer.Option("--signatures", min=1, max=1_000_000, help="By each key.")] = 10,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", min=0, max=86_400, help="For keys and signatures; each trial of changes may take as long."
        ),
    ] = 10,
    leaf_scheme: Annotated[str, typer.Option("--leaf-scheme", help="Of the leaf in the handshake.")] = "P-256",
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> int:
    """Try a scheme from outside, question by question.

    Sizes, failures, forgeries, memory, room in TLS: what was tried, and what came of it. That a scheme is secure,
    nobody can see from outside. Exit 1 if something failed.
    """
    from pqdc.check import Extent, examine

    catalog = options.catalog(algorithms)
    scheme = catalog[name]
    extent = Extent(keys=keys, signatures=signatures, seconds=seconds, clock=time.monotonic, randbytes=os.urandom)
    report = examine(
        scheme,
        backend,
        extent,
        catalog=catalog,
        leaf_scheme=catalog[leaf_scheme],
        now=options.moment(None),
        answers=kat,
    )
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        _print(report)
    return 1 if report.verdict == "failed" else 0


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(f"{report.scheme} by {report.backend}\n", markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in report.findings:
        table.add_row(
            Text(finding.verdict, style=_COLOURS[finding.verdict]), Text(finding.question), Text(finding.seen)
        )
    console.print(table)
    counts = {verdict: sum(finding.verdict == verdict for finding in report.findings) for verdict in _COLOURS}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    console.print(f"\n{report.verdict}: {told}", markup=False)
