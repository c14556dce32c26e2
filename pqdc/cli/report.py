"""`pqdc report`: a site with everything that was measured, from result files alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pqdc.cli import options, selecting


def command(
    runs: selecting.Runs = None,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to; made if missing.")] = Path("report"),
    raw: Annotated[bool, typer.Option("--raw/--no-raw", help="Hand out the result files too.")] = True,
    force: options.Force = False,
) -> None:
    """Write a site that opens from disk.

    A comparison that sorts and filters, charts, a page for each scheme, the method, and downloads; no network needed.
    """
    from pqdc.files import read_file, write_files
    from pqdc.report.frame import paths_of
    from pqdc.report.site import site

    paths = paths_of(runs or [selecting.newest_results()])
    frame, refused = selecting.frame_and_refused(paths)
    named = {facts["file"] for facts in frame.attrs["runs"].values()}
    data = {path.name: read_file(path) for path in paths if path.name in named} if raw else {}
    write_files(out, site(frame, data, refused), force=force, inputs=paths)
    sys.stdout.write(f"{out / 'index.html'}\n")
