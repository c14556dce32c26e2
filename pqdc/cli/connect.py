"""`pqdc connect`: a client over TCP that asks for credentials, believes nothing unproved, and prints what came."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.handshake import Client, Ledger, Session
    from pqdc.handshake.transport.tcp import Bounds
    from pqdc.scheme.catalog import Catalog


def command(
    address: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where the server listens.")],
    ca: Annotated[Path, typer.Option("--ca", help="The CAs to trust.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The name that the server must have; HOST unless given.")
    ] = None,
    no_dc: Annotated[bool, typer.Option("--no-dc", help="Ask for no credential.")] = False,
    schemes: Annotated[
        str | None, typer.Option("--schemes", help="Of credentials to ask for, separated by commas; all unless given.")
    ] = None,
    client_leaf: Annotated[Path | None, typer.Option("--client-leaf", help="Our own leaf, if the server asks.")] = None,
    client_key: Annotated[Path | None, typer.Option("--client-key", help="Its key.")] = None,
    client_dc: Annotated[
        Path | None, typer.Option("--client-dc", help="Our own credential, under --client-leaf.")
    ] = None,
    client_dc_key: Annotated[Path | None, typer.Option("--client-dc-key", help="Its key.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="The only key exchange to offer.")] = None,
    keylog: Annotated[
        Path | None, typer.Option("--keylog", help="Add the secrets of the connection to this file.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds the server may be silent.")] = 10.0,
    as_json: options.AsJson = False,
    password_file: options.PasswordFile = None,
    algorithms: options.Algorithms = None,
) -> None:
    """Connect, verify strictly, and print what came.

    Chain, name and credential are verified, and how the server proved itself is said.
    """
    from pqdc.cli.service import dc_schemes, open_keylog
    from pqdc.credential.structures import Role
    from pqdc.handshake import Client
    from pqdc.handshake.loading import load_identities, load_trust
    from pqdc.handshake.settings import DEFAULT_GROUPS
    from pqdc.handshake.transport.tcp import Bounds

    host, port = _address(address)
    catalog = options.catalog(algorithms)
    if (client_dc is None) != (client_dc_key is None):
        raise typer.BadParameter("--client-dc and --client-dc-key belong together")
    if client_leaf is None and (client_dc or client_key):
        raise typer.BadParameter("a client's key or credential needs its leaf: --client-leaf")
    pairs = [(client_dc, client_dc_key)] if client_dc and client_dc_key else []
    log = open_keylog(keylog)
    client = Client(
        catalog=catalog,
        clock=lambda: datetime.now(UTC),
        trust=load_trust(ca, catalog),
        server_name=name or host,
        dc_schemes=() if no_dc else _points(catalog, schemes) if schemes else dc_schemes(catalog),
        identities=load_identities(
            client_leaf,
            client_key,
            pairs,
            role=Role.CLIENT,
            catalog=catalog,
            fallback=client_key is not None,
            password=options.password(password_file),
        )
        if client_leaf
        else (),
        keylog=None if log is None else partial(print, file=log, flush=True),
        groups=(_group(group),) if group else DEFAULT_GROUPS,
    )
    session, ledger = asyncio.run(_connect(client, host, port, Bounds(handshake=timeout, idle=timeout)))
    _print(session, ledger, catalog, as_json=as_json)


async def _connect(client: Client, host: str, port: int, bounds: Bounds) -> tuple[Session, Ledger]:
    """Shake hands, and wait for the server's view of it: a server that refuses our proof says so only afterwards."""
    from pqdc.handshake import ledger_of
    from pqdc.handshake.transport.tcp import connect

    async with await connect(client, host, port, bounds=bounds) as stream:
        if client.identities:
            await stream.write(b"HEAD / HTTP/1.1\r\nHost: " + host.encode("idna") + b"\r\n\r\n")
            await stream.read()
        session = stream.connection.session
        assert session is not None  # noqa: S101 - `connect` returns after the handshake
        return session, ledger_of(stream.connection)


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter(f"HOST:PORT wanted, got {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _points(catalog: Catalog, names: str) -> tuple[int, ...]:
    found = []
    for name in filter(None, names.split(",")):
        point = catalog[name.strip()].code_point
        if point is None:
            raise typer.BadParameter(f"{name} has no TLS code point")
        found.append(point)
    return tuple(found)


def _group(name: str) -> int:
    from pqdc.handshake import Group

    try:
        return Group[name.upper()]
    except KeyError:
        known = ", ".join(item.name for item in Group)
        raise typer.BadParameter(f"one of {known} wanted, got {name!r}", param_hint="--group") from None


def _print(session: Session, ledger: Ledger, catalog: Catalog, *, as_json: bool) -> None:
    from pqdc.handshake.transport.page import as_dict

    facts: dict[str, Any] = as_dict(session, ledger, catalog, datetime.now(UTC).timestamp())
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for side in ("server", "client"):
        proof = facts[side]
        if proof is None:
            continue
        print(f"{side}: {proof['kind']}, {proof['scheme']} ({proof['code_point']})")
        if "valid_until" in proof:
            print(
                f"  {proof['credential_bytes']:,} bytes, signed by {proof['signed_by']}, until {proof['valid_until']}"
            )
    print(f"{facts['group']}, {facts['cipher_suite']}{', after a HelloRetryRequest' if facts['hello_retry'] else ''}")
    sent, came = ledger.client.wire_bytes, ledger.server.wire_bytes
    print(f"handshake: {sent:,} bytes sent, {came:,} received")
