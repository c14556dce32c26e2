"""Options that tables, plots and reports share: which result files, and which rows of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from pandas import DataFrame

    from pqdc.report.result import Result
    from pqdc.report.selection import Selection

__all__ = [
    "Backends",
    "Computed",
    "Families",
    "Fitting",
    "Flags",
    "Level",
    "NistLevels",
    "Runs",
    "Schemes",
    "frame",
    "frame_and_refused",
    "level",
    "newest_results",
    "selection",
]

Runs = Annotated[
    list[Path] | None,
    typer.Argument(help="Result files, of one or more machines; the newest in results/ unless given."),
]
Level = Annotated[
    str,
    typer.Option("--level", help="native: primitives of liboqs from its native loop; python: all through Python."),
]
Schemes = Annotated[list[str] | None, typer.Option("--scheme", help="Only this, with * and ?; may be given again.")]
Families = Annotated[list[str] | None, typer.Option("--family", help="Only this, such as ML-DSA; may be given again.")]
NistLevels = Annotated[
    list[int] | None, typer.Option("--nist-level", help="Only this, 1 to 5, or 0 for none; may be given again.")
]
Backends = Annotated[list[str] | None, typer.Option("--backend", help="Only this; may be given again.")]
Flags = Annotated[
    list[str] | None,
    typer.Option("--flag", help="Only schemes with this security flag: none, warning or broken; may be given again."),
]
Computed = Annotated[bool, typer.Option("--computed", help="Leave out schemes that nothing computed.")]
Fitting = Annotated[bool, typer.Option("--fitting", help="Leave out schemes that no credential can carry.")]


def frame(runs: Iterable[Path] | None) -> DataFrame:
    """The figures of these files; of several, those that can be used."""
    from pqdc.report.frame import paths_of

    found, _ = frame_and_refused(paths_of(runs or [newest_results()]))
    return found


def newest_results() -> Path:
    """The folder whose newest result is meant where none is named."""
    from pqdc.cli.bench import results_folder

    return results_folder()


def frame_and_refused(paths: Sequence[Path]) -> tuple[DataFrame, list[str]]:
    """The figures of these files, and a line for each that cannot be used, which stderr gets too.

    Raises:
        ResultError: none can.
    """
    from pqdc.errors import ResultError
    from pqdc.report.frame import frame_of
    from pqdc.report.result import read

    results: list[Result] = []
    refused: list[str] = []

    def refuse(error: ResultError) -> None:
        if len(paths) == 1:
            raise error
        refused.append(f"{error}{f' ({error.hint})' if error.hint else ''}")
        print(f"not used: {refused[-1]}", file=sys.stderr)

    for path in paths:
        try:
            results.append(read(path))
        except ResultError as error:
            refuse(error)
    found = frame_of(results, refuse=refuse)
    if found.empty:
        raise ResultError(f"none of {len(paths)} files can be used")
    return found, refused


def level(text: str) -> Literal["native", "python"]:
    """`native` or `python`."""
    match text:
        case "native" | "python":
            return text
        case _:
            raise typer.BadParameter(f"native or python wanted, got {text!r}")


def selection(
    schemes: list[str] | None,
    families: list[str] | None,
    nist_levels: list[int] | None,
    backends: list[str] | None,
    flags: list[str] | None,
    *,
    computed: bool,
    fitting: bool,
) -> Selection:
    """What the options add up to."""
    from pqdc.report.selection import Selection

    return Selection(
        schemes=tuple(schemes or ()),
        families=tuple(families or ()),
        nist_levels=tuple(nist_levels or ()),
        backends=tuple(backends or ()),
        flags=tuple(flags or ()),
        computed=computed,
        fitting=fitting,
    )
