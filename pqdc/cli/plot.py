"""`pqdc plot`: figures for a paper, from result files alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options, selecting

if TYPE_CHECKING:
    from pqdc.report.plots import Drawn


def command(
    runs: selecting.Runs = None,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to; made if missing.")] = Path("plots"),
    plots: Annotated[
        list[str] | None, typer.Option("--plot", help="Only this; may be given again. `help` lists them.")
    ] = None,
    level: selecting.Level = "native",
    schemes: selecting.Schemes = None,
    families: selecting.Families = None,
    nist_levels: selecting.NistLevels = None,
    backends: selecting.Backends = None,
    flags: selecting.Flags = None,
    force: options.Force = False,
) -> int:
    """Draw what was measured, as PDF and SVG.

    Bytes against time, handshakes by part, distributions, limits of TCP and QUIC; from result files alone.
    """
    from pqdc.files import write_files
    from pqdc.report.plots import PLOTS, draw
    from pqdc.report.selection import select

    if plots == ["help"]:
        sys.stdout.writelines(f"{name:20}{plot.tells}\n" for name, plot in PLOTS.items())
        return 0
    chosen = selecting.selection(schemes, families, nist_levels, backends, flags, computed=False, fitting=False)
    frame, notes = select(selecting.frame(runs), chosen)
    drawn = [draw(frame, name, level=selecting.level(level)) for name in plots or PLOTS]
    for path in write_files(out, [file for one in drawn for file in one.files], force=force, inputs=runs or ()):
        print(path)
    for note in notes:
        print(note, file=sys.stderr)
    _say_what_is_missing(drawn)
    return 0 if any(one.files for one in drawn) else 1


def _say_what_is_missing(drawn: list[Drawn]) -> None:
    """Each reason once, with the schemes and the plots that it keeps apart."""
    reasons: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for one in drawn:
        for scheme, reason in one.left_out:
            schemes, plots = reasons.setdefault(reason, ({}, {}))
            schemes[scheme] = plots[one.name] = None
    for reason, (schemes, plots) in reasons.items():
        where = "" if len(plots) == len(drawn) else f"{', '.join(plots)}: "
        print(f"{where}without {', '.join(schemes)}: {reason}", file=sys.stderr)
