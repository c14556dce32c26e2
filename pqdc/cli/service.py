"""A TLS server that answers with a page about the very connection: what `pqdc serve` and `pqdc demo-site` run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from pqdc.errors import PqdcError
    from pqdc.handshake import Ledger, Server, Session
    from pqdc.handshake.transport.http import Answer
    from pqdc.handshake.transport.tcp import TlsStream
    from pqdc.scheme.catalog import Catalog

__all__ = ["Service", "dc_schemes", "open_keylog"]


class Service:
    """The settings in force, and what clients get.

    Args:
        load: gives the settings, now and whenever they are to be read again.
        catalog: names schemes.
        greet: is told of each connection that asks for the page; says what that has at its head, if anything.
        listening: is told the address once clients may come.
    """

    def __init__(
        self,
        load: Callable[[], Server],
        catalog: Catalog,
        *,
        greet: Callable[[Session], str] = lambda _: "",
        listening: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._load = load
        self._catalog = catalog
        self._greet = greet
        self._listening = listening
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
        self._listening(address)
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

        def show() -> str:
            return page.as_html(facts, ledger, preview=preview, advice=self._greet(session))

        return {
            "/": Answer("text/html", show),
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


def open_keylog(path: Path | None) -> TextIO | None:
    """For appending; whoever reads it can read the connections, so it is 0600 if it is new."""
    if path is None:
        return None
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="ascii")
