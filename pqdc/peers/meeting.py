"""Our endpoints and a peer's, over TCP on this machine: one handshake, and how each side says it ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from pqdc.errors import PqdcError
from pqdc.handshake import Client, Server, Session
from pqdc.handshake.transport.tcp import Bounds, TcpServer, TlsStream, connect
from pqdc.peers import PeerOutcome, Serving

__all__ = ["Meeting", "ask_peer", "serve_peer"]

BOUNDS = Bounds(handshake=10, idle=10)
_SETTLE = 2.0  # seconds
_PAGE = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """How a handshake ended.

    Attributes:
        session: ours, if it finished on our side.
        failure: what failed on our side; None if nothing did.
        peer: what the peer says.
    """

    session: Session | None
    failure: PqdcError | None
    peer: PeerOutcome


def serve_peer(server: Server, connect_peer: Callable[[int], PeerOutcome]) -> Meeting:
    """Our server listens, `connect_peer` runs the peer's client against its port.

    Peers that connect more than once (browsers do) leave the first finished session, else the first failure.

    Raises:
        PeerUnavailable: the peer does not run.
    """
    return asyncio.run(_serve_peer(server, connect_peer))


async def _serve_peer(server: Server, connect_peer: Callable[[int], PeerOutcome]) -> Meeting:
    sessions: list[Session] = []
    failures: list[PqdcError] = []
    ended = asyncio.Event()

    async def serve(stream: TlsStream) -> None:
        if stream.connection.session is not None:
            sessions.append(stream.connection.session)
        if await stream.read():
            await stream.write(_PAGE)
        ended.set()

    def fail(error: PqdcError) -> None:
        failures.append(error)
        ended.set()

    tcp = TcpServer(lambda: server, serve, on_failure=fail, bounds=BOUNDS)
    port = await tcp.listen("127.0.0.1", 0)
    try:
        peer = await asyncio.to_thread(connect_peer, port)
        with contextlib.suppress(TimeoutError):  # a peer may be gone before our side has read its last words
            await asyncio.wait_for(ended.wait(), _SETTLE)
    finally:
        await tcp.close()
    return Meeting(session=next(iter(sessions), None), failure=next(iter(failures), None), peer=peer)


def ask_peer(client: Client, serving: Serving) -> Meeting:
    """Our client asks the peer's server for a page.

    Raises:
        PeerUnavailable: the peer does not run, or does not say how it ended.
    """
    session, failure = asyncio.run(_ask(client, serving.port))
    return Meeting(session=session, failure=failure, peer=serving.outcome())


async def _ask(client: Client, port: int) -> tuple[Session | None, PqdcError | None]:
    session = None
    try:
        async with await connect(client, "127.0.0.1", port, bounds=BOUNDS) as stream:
            session = stream.connection.session
            await stream.write(b"GET / HTTP/1.0\r\n\r\n")
            await stream.read()  # a server that refuses our proof says so only now
    except PqdcError as error:
        return session, error
    return session, None
