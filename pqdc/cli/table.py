"""`pqdc table`: the comparison, from result files alone."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pqdc.cli import selecting


def command(
    runs: selecting.Runs = None,
    to: Annotated[str, typer.Option("--to", help="rich, md, csv, latex, macros (for LaTeX) or html.")] = "rich",
    columns: Annotated[
        str, typer.Option("--columns", help="Which, in order: scheme,backend,sign,sign_ratio; `help` lists them.")
    ] = "",
    relative_to: Annotated[
        str,
        typer.Option("--relative-to", help="A row to divide figures by: P-256, or ML-DSA-44@openssl for a backend's."),
    ] = "",
    level: selecting.Level = "native",
    schemes: selecting.Schemes = None,
    families: selecting.Families = None,
    nist_levels: selecting.NistLevels = None,
    backends: selecting.Backends = None,
    flags: selecting.Flags = None,
    computed: selecting.Computed = False,
    fitting: selecting.Fitting = False,
) -> None:
    """Show what was measured.

    Sizes, times, bytes on the wire, and whether a scheme fits a credential; from result files alone.
    """
    from pqdc.report import load_renderer
    from pqdc.report.columns import COLUMNS
    from pqdc.report.table import make_table

    if columns == "help":
        sys.stdout.writelines(f"{column.key:30}{column.title}: {column.tells}\n" for column in COLUMNS)
        return
    renderer = load_renderer(to)
    table = make_table(
        selecting.frame(runs),
        level=selecting.level(level),
        relative_to=relative_to,
        columns=[name.strip() for name in columns.split(",") if name.strip()],
        selection=selecting.selection(
            schemes, families, nist_levels, backends, flags, computed=computed, fitting=fitting
        ),
    )
    sys.stdout.write(renderer.render(table))
