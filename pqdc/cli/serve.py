"""`pqdc serve`: a server over TCP that proves itself with credentials, and a page that says which."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.errors import PqdcError
    from pqdc.handshake import Ledger, Server, Session
    from pqdc.handshake.transport.http import Answer
    from pqdc.handshake.transport.tcp import TlsStream
    from pqdc.scheme.catalog import Catalog


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
    from pqdc.handshake import ClientAuth, Server
    from pqdc.handshake.loading import load_identities, load_trust
    from pqdc.handshake.transport.tcp import Bounds

    if len(dc or []) != len(dc_key or []):
        raise typer.BadParameter(f"one --dc-key for each --dc wanted, got {len(dc_key or [])} for {len(dc or [])}")
    if require_client_dc and ca is None:
        raise typer.BadParameter("--require-client-dc needs the CAs of the clients: --ca")
    catalog = options.catalog(algorithms)
    pairs = tuple(zip(dc or (), dc_key or (), strict=True))
    log = _open_keylog(keylog)

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
    service = _Service(load, catalog)
    asyncio.run(service.run_preview(host, port, timeout) if http else service.run(host, port, bounds))


def dc_schemes(catalog: Catalog) -> tuple[int, ...]:
    """The code points of all schemes that a credential can carry and something here computes."""
    from pqdc.credential import fit
    from pqdc.scheme import backends

    points = (
        scheme.code_point
        for scheme in catalog.values()
        if scheme.code_point is not None and not fit.reason_against(scheme) and backends.available(scheme)
    )
    return tuple(dict.fromkeys(points))


def _open_keylog(path: Path | None) -> TextIO | None:
    """For appending; whoever reads it can read the connections, so it is 0600 if it is new."""
    import os

    if path is None:
        return None
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="ascii")


class _Service:
    """The settings in force, and what clients get."""

    def __init__(self, load: Callable[[], Server], catalog: Catalog) -> None:
        self._load = load
        self._catalog = catalog
        self._settings = load()
        if not self._settings.identities:
            raise typer.BadParameter("nothing to serve with: give --key, or --dc and --dc-key")

    async def run(self, host: str, port: int, bounds: Any) -> None:
        """Serve until told to stop."""
        from pqdc.handshake.transport.tcp import TcpServer

        server = TcpServer(lambda: self._settings, self._serve, on_failure=_say_failure, bounds=bounds)
        chosen = await server.listen(host, port)
        await self._wait(f"https://{_printable(host)}:{chosen}/")
        await server.close()

    async def run_preview(self, host: str, port: int, seconds: float) -> None:
        """The page of a handshake in memory, over plain HTTP."""
        from pqdc.handshake.transport.http import read_request, respond

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await read_request(lambda: reader.read(4096), seconds=seconds)
            writer.write(respond(head, self._preview()))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, host, port)
        await self._wait(f"http://{_printable(host)}:{server.sockets[0].getsockname()[1]}/")
        server.close()

    async def _wait(self, address: str) -> None:
        print(address, flush=True)
        for line in self._inventory():
            print(line, file=sys.stderr)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        await stop.wait()

    def reload(self) -> None:
        """Read all files again; connections that stand keep what they have. If that fails, nothing changes."""
        from pqdc.errors import PqdcError

        try:
            settings = self._load()
        except PqdcError as error:
            print(f"pqdc: not reloaded: {error}", file=sys.stderr)
            return
        self._settings = settings
        print("reloaded", *self._inventory(), sep="\n", file=sys.stderr)

    def _inventory(self) -> list[str]:
        from pqdc.credential.certificate import say_time

        return [
            f"  {identity.key.scheme.name} credential until {say_time(identity.expiry)}"
            if identity.expiry is not None
            else f"  {identity.key.scheme.name} leaf key"
            for identity in self._settings.identities
        ]

    async def _serve(self, stream: TlsStream) -> None:
        from pqdc.handshake import ledger_of
        from pqdc.handshake.transport.http import read_request, respond

        head = await read_request(stream.read, seconds=stream.bounds.idle)
        session = stream.connection.session
        if session is not None:
            answer = respond(head, self._pages(session, ledger_of(stream.connection)))
            if answer:
                await stream.write(answer)

    def _pages(self, session: Session, ledger: Ledger, *, preview: bool = False) -> dict[str, Answer]:
        from pqdc.handshake.transport import page
        from pqdc.handshake.transport.http import Answer

        facts = page.as_dict(session, ledger, self._catalog, datetime.now(UTC).timestamp())
        return {
            "/": Answer("text/html", lambda: page.as_html(facts, ledger, preview=preview)),
            "/handshake.json": Answer("application/json", lambda: json.dumps(facts, indent=2) + "\n"),
        }

    def _preview(self) -> dict[str, Answer]:
        from dataclasses import replace

        from pqdc.handshake import Client, ClientAuth, shake_hands

        client = Client(
            catalog=self._catalog,
            clock=self._settings.clock,
            server_name="localhost",
            dc_schemes=dc_schemes(self._catalog),
        )
        outcome = shake_hands(client, replace(self._settings, client_auth=ClientAuth.NO))
        return self._pages(outcome.server, outcome.ledger, preview=True)


def _printable(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say_failure(error: PqdcError) -> None:
    print(f"pqdc: {error}", file=sys.stderr)
