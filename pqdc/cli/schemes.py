"""`pqdc schemes`: the catalog, what computes it here, and whether it fits a credential."""

from __future__ import annotations

import json
import shutil
import sys
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.scheme.facts import Scheme


def command(
    pattern: Annotated[
        str, typer.Argument(help="Names to show, with * and ?; a family's name shows the family.")
    ] = "*",
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> None:
    """List the signature schemes, and whether a DC can carry them.

    Sizes, NIST level, code point, and who computes them here.
    """
    from pqdc.errors import UnknownScheme

    catalog = options.catalog(algorithms)
    chosen = [scheme for scheme in catalog.values() if _matches(scheme, pattern)]
    if not chosen and pattern in catalog:
        chosen = [catalog[pattern]]
    if not chosen:
        raise UnknownScheme(f"no scheme matches {pattern!r}", hint="`pqdc schemes` lists them all")
    rows = [_row(scheme) for scheme in chosen]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        _print(rows)


def _matches(scheme: Scheme, pattern: str) -> bool:
    wanted = pattern.casefold()
    return any(
        fnmatch(name.casefold(), wanted) for name in (scheme.name, scheme.family, scheme.tls_name, *scheme.aliases)
    )


def _row(scheme: Scheme) -> dict[str, Any]:
    from pqdc.credential.fit import reason_against
    from pqdc.scheme import backends

    reason = reason_against(scheme)
    why = {name: backends.reason_against(scheme, name) for name in scheme.backends}
    facts = {field: getattr(scheme, field) for field in type(scheme).__slots__}
    facts["backends"] = dict(scheme.backends)
    facts["library"] = scheme.library and scheme.library.path.name
    facts["components"] = [part.name for part in scheme.components]
    return facts | {
        "available": [name for name, against in why.items() if not against],
        "unavailable": {name: against for name, against in why.items() if against},
        "fits": not reason,
        "reason": reason,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("scheme", "level", "public key", "signature", "code point", "by", "fits a DC", box=None)
    for index in (1, 2, 3):
        table.columns[index].justify = "right"
    for column in table.columns[1:-2]:
        column.no_wrap = True
    table.columns[0].overflow = "fold"
    table.columns[-1].min_width = 12
    for row in rows:
        point = row["code_point"]
        mark = f" ({row['security_flag']})" if row["security_flag"] else ""
        table.add_row(
            row["name"] + mark,
            str(row["nist_level"] or ""),
            f"{row['public_key_bytes']:,}",
            ("≤ " if row["signature_length"] == "max" else "") + f"{row['signature_bytes']:,}",
            "" if point is None else f"0x{point:04x}",
            ", ".join(row["available"]) or "-",
            "yes" if row["fits"] else row["reason"],
        )
    Console(width=shutil.get_terminal_size((200, 24)).columns).print(table)
    for row in rows:
        if row["library"]:  # the user's own: why it does not work, nobody else will say
            for reason in row["unavailable"].values():
                print(f"{row['name']}: {reason}", file=sys.stderr)
