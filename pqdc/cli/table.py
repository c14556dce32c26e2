"""`pqdc table`: the comparison, from a result file alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[Path | None, typer.Argument(help="A result file; the newest in results/ unless given.")] = None,
    to: Annotated[str, typer.Option("--to", help="md, csv or rich.")] = "rich",
    relative_to: Annotated[
        str, typer.Option("--relative-to", help="A scheme, such as P-256, to divide figures by.")
    ] = "",
    level: Annotated[
        str,
        typer.Option("--level", help="native: primitives of liboqs from its native loop; python: all through Python."),
    ] = "native",
    computed: Annotated[bool, typer.Option("--computed", help="Leave out schemes that nothing computed.")] = False,
) -> None:
    """Show what was measured.

    Sizes, times, bytes on the wire, and whether a scheme fits a credential; from a result file alone.
    """
    from pqdc.cli.bench import results_folder
    from pqdc.report import load_renderer
    from pqdc.report.result import newest, read
    from pqdc.report.table import make_table

    if level not in {"native", "python"}:
        raise typer.BadParameter(f"native or python wanted, got {level!r}")
    renderer = load_renderer(to)
    path = run or newest(results_folder())
    result = read(path)
    table = make_table(
        result, level="python" if level == "python" else "native", relative_to=relative_to, computed_only=computed
    )
    sys.stdout.write(renderer.render(table))
