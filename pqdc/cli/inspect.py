"""`pqdc inspect`: credentials, leaves and keys, decoded, linted, and judged rule by rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pqdc.credential.inspect.text import Line

_LOOKS = {"title": "bold", "good": "bold green", "bad": "bold red", "odd": "yellow", "dim": "dim", "": ""}


def command(
    files: Annotated[list[Path], typer.Argument(help="Credentials, certificates, keys, in any format.")],
    leaf: Annotated[
        Path | None, typer.Option("--leaf", help="The leaf certificate; else one is looked for in the files.")
    ] = None,
    role: options.SomeRole = None,
    at: options.At = None,
    max_lifetime: options.MaxLifetime = "7d",
    clock_skew: options.ClockSkew = "0s",
    allow_beyond_leaf: options.BeyondLeaf = False,
    password_file: options.PasswordFile = None,
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> int:
    """Show credentials, leaves and keys, with every verdict.

    Every field, what is odd, and every rule.

    Nothing secret is ever shown. Exit 0 if all could be decoded, whatever the rules say of it; 1 if not.
    """
    from pqdc.credential.inspect import inspect
    from pqdc.credential.inspect.contents import read_contents
    from pqdc.credential.inspect.facts import facts_of
    from pqdc.credential.inspect.text import lines_of

    policy = options.policy(max_lifetime, clock_skew, allow_beyond_leaf=allow_beyond_leaf)
    found = inspect(
        [read_contents(file) for file in files],
        catalog=options.catalog(algorithms),
        now=options.moment(at),
        leaf=read_contents(leaf) if leaf else None,
        role=options.role(role) if role else None,
        policy=policy,
        password=options.password(password_file),
    )
    if as_json:
        print(json.dumps(facts_of(found), indent=2))
    else:
        _print(lines_of(found))
    return 0 if found.is_whole else 1


def _print(lines: Iterable[Line]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False, emoji=False)
    for line in lines:
        console.print(Text(line.text, style=_LOOKS[line.look]))
