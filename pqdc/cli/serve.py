"""`pqdc serve`: a server over TCP that proves itself with credentials, and a page that says which."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.handshake import Server


def command(
    leaf: Annotated[Path, typer.Option("--leaf", help="The leaf certificate, with its chain if it has one.")],
    key: Annotated[Path | None, typer.Option("--key", help="The leaf's private key, to fall back to.")] = None,
    dc: Annotated[
        list[Path] | None,
        typer.Option("--dc", help="A credential, in any format; again for more, the preferred first."),
    ] = None,
    dc_key: Annotated[list[Path] | None, typer.Option("--dc-key", help="Its key; one for each --dc.")] = None,
    fallback: Annotated[
        bool,
        typer.Option("--fallback/--no-fallback", help="Whether the leaf's own key serves clients that take no DC."),
    ] = True,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Show the first --dc to all clients: asked for or not, expired, unfit, or with another's key. "
            "For experiments.",
        ),
    ] = False,
    require_client_dc: Annotated[
        bool, typer.Option("--require-client-dc", help="Clients must prove themselves by credentials, under --ca.")
    ] = False,
    ca: Annotated[Path | None, typer.Option("--ca", help="The CAs of clients.")] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free; it is printed.")] = 4433,
    http: Annotated[bool, typer.Option("--http", help="The same page as a preview, over plain HTTP.")] = False,
    keylog: Annotated[
        Path | None, typer.Option("--keylog", help="Add the secrets of connections to this file.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds a client may be silent.")] = 30.0,
    connections: Annotated[int, typer.Option("--connections", min=1, help="At a time.")] = 256,
    password_file: options.PasswordFile = None,
    algorithms: options.Algorithms = None,
) -> None:
    """Serve TLS 1.3 with delegated credentials.

    A page says which credential protected the connection. SIGHUP reads the files again.
    """
    from pqdc.cli.service import Service, dc_schemes, open_keylog
    from pqdc.handshake import ClientAuth, Server
    from pqdc.handshake.loading import load_identities, load_trust
    from pqdc.handshake.transport.tcp import Bounds

    if len(dc or []) != len(dc_key or []):
        raise typer.BadParameter(f"one --dc-key for each --dc wanted, got {len(dc_key or [])} for {len(dc or [])}")
    if require_client_dc and ca is None:
        raise typer.BadParameter("--require-client-dc needs the CAs of the clients: --ca")
    catalog = options.catalog(algorithms)
    pairs = tuple(zip(dc or (), dc_key or (), strict=True))
    log = open_keylog(keylog)

    def load() -> Server:
        from pqdc.credential.structures import Role

        return Server(
            catalog=catalog,
            clock=lambda: datetime.now(UTC),
            identities=load_identities(
                leaf,
                key,
                pairs,
                role=Role.SERVER,
                catalog=catalog,
                fallback=fallback and key is not None,
                force=force,
                password=options.password(password_file),
            ),
            trust=load_trust(ca, catalog) if ca else None,
            client_auth=ClientAuth.DELEGATED if require_client_dc else ClientAuth.NO,
            dc_schemes=dc_schemes(catalog) if require_client_dc else (),
            alpn=(b"http/1.1",),
            force=force,
            keylog=None if log is None else partial(print, file=log, flush=True),
        )

    bounds = Bounds(idle=timeout, handshake=timeout, connections=connections)
    service = Service(load, catalog)
    asyncio.run(service.run_preview(host, port, timeout) if http else service.run(host, port, bounds))
