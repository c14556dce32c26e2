"""Options that several commands share, and the reading of times and durations."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pqdc.credential.rules import Policy
    from pqdc.credential.structures import Role
    from pqdc.scheme.catalog import Catalog

__all__ = [
    "Algorithms",
    "AsJson",
    "At",
    "BeyondLeaf",
    "ClockSkew",
    "Force",
    "MaxLifetime",
    "Out",
    "PasswordFile",
    "SomeRole",
    "catalog",
    "duration",
    "moment",
    "password",
    "policy",
    "role",
]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Algorithms = Annotated[
    list[Path] | None,
    typer.Option(
        "--algorithms", help="A TOML file over the built-in schemes; may be given again. Also PQDC_ALGORITHMS."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]
Out = Annotated[Path, typer.Option("--out", help="The folder to write to; made if missing.")]
At = Annotated[
    str | None, typer.Option("--at", help="The time to judge at, ISO 8601 or Unix seconds; now unless given.")
]
SomeRole = Annotated[str | None, typer.Option("--role", help="server or client; else what the file says, or server.")]
MaxLifetime = Annotated[str, typer.Option("--max-lifetime", help="How far ahead a credential may end: 7d.")]
ClockSkew = Annotated[str, typer.Option("--clock-skew", help="How wrong this clock may be: 30s.")]
BeyondLeaf = Annotated[bool, typer.Option("--allow-beyond-leaf", help="Accept a credential that outlives its leaf.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="A file whose first line opens an encrypted private key.")
]


def catalog(overlays: list[Path] | None) -> Catalog:
    """The built-in schemes under `PQDC_ALGORITHMS` (a list, separated as PATH is) and the overlays named."""
    from pqdc.scheme.catalog import load_catalog

    named = [Path(name) for name in os.environ.get("PQDC_ALGORITHMS", "").split(os.pathsep) if name]
    return load_catalog(*named, *(overlays or ()))


def duration(text: str) -> timedelta:
    """`24h`, `7d`, `90m`, `900s`, or seconds."""
    match = re.fullmatch(r"(\d{1,12})([smhd]?)", text.strip().lower())
    if not match:
        raise typer.BadParameter(f"a duration such as 24h, 7d, 90m or 900s wanted, got {text!r}")
    try:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2] or "s"])
    except OverflowError:
        raise typer.BadParameter(f"the duration {text!r} is longer than time") from None


def moment(text: str | None) -> datetime:
    """ISO 8601 (UTC unless it says otherwise) or Unix seconds; the clock's time for None."""
    if text is None:
        return datetime.now(UTC)
    try:
        if re.fullmatch(r"-?\d+(\.\d+)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(f"a time such as 2026-11-25T12:00Z or 1795608000 wanted, got {text!r}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def password(file: Path | None) -> bytes | None:
    """The first line of a password file; None if there is no file."""
    from pqdc.files import read_file

    return read_file(file, at_most=4096).splitlines()[0] if file else None


def role(text: str) -> Role:
    """`server` or `client`."""
    from pqdc.credential.structures import Role

    try:
        return Role[text.upper()]
    except KeyError:
        raise typer.BadParameter(f"server or client wanted, got {text!r}") from None


def policy(max_lifetime: str, clock_skew: str, *, allow_beyond_leaf: bool) -> Policy:
    """What the options of a judging command add up to."""
    from pqdc.credential.rules import Policy

    return Policy(
        max_lifetime=duration(max_lifetime), clock_skew=duration(clock_skew), allow_beyond_leaf=allow_beyond_leaf
    )
