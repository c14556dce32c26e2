"""TLS over TCP by asyncio: streams, and a server that bounds what its clients cost.

Peers that are slow time out, peers that vanish are cleaned up, and there are never more connections than allowed.
Signing happens in the event loop's thread: the other connections wait for it, which no slow scheme should surprise.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pqdc.errors import PqdcError
from pqdc.handshake.alerts import HandshakeFailure
from pqdc.handshake.client import ClientConnection
from pqdc.handshake.endpoint import Connection
from pqdc.handshake.events import Data, Event, Failed, PeerClosed, Session
from pqdc.handshake.server import ServerConnection
from pqdc.handshake.settings import Client, Server

__all__ = ["Bounds", "TcpServer", "TlsStream", "connect"]

_CHUNK = 65_536
_LINGER = 1.0  # seconds in which a peer may read our last alert before its own bytes make the system reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a peer may take, in seconds, and how many there may be.

    Attributes:
        handshake: for all of it, from the first byte awaited.
        idle: without a byte from the peer, or without it taking ours.
        connections: at a time; one more is closed at once.
    """

    handshake: float = 10.0
    idle: float = 30.0
    connections: int = 256


_DEFAULT = Bounds()


class TlsStream:
    """A connection on a socket.

    Attributes:
        connection: the endpoint, with its session and counts.
        bounds: on the peer.
    """

    def __init__(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bounds: Bounds
    ) -> None:
        self.connection = connection
        self._reader = reader
        self._writer = writer
        self.bounds = bounds
        self._arrived: list[bytes] = []
        self._ended = False

    async def handshake(self) -> Session:
        """Finish the handshake.

        Raises:
            HandshakeFailure: it fails, the peer vanishes, or it takes too long.
        """
        try:
            async with asyncio.timeout(self.bounds.handshake):
                await self._flush()
                while self.connection.session is None:
                    await self._step()
        except TimeoutError:
            raise self._gone(f"no handshake within {self.bounds.handshake:g} s") from None
        return self.connection.session

    async def read(self) -> bytes:
        """Application data as it comes; empty once the peer has closed.

        Raises:
            HandshakeFailure: the connection fails, or nothing comes for too long.
        """
        try:
            async with asyncio.timeout(self.bounds.idle):
                while not self._arrived and not self._ended:
                    await self._step()
        except TimeoutError:
            raise self._gone(f"nothing came for {self.bounds.idle:g} s") from None
        return self._arrived.pop(0) if self._arrived else b""

    async def write(self, data: bytes) -> None:
        """Send application data."""
        self.connection.send(data)
        try:
            async with asyncio.timeout(self.bounds.idle):
                await self._flush()
        except TimeoutError:
            raise self._gone(f"the peer took nothing for {self.bounds.idle:g} s") from None

    async def close(self) -> None:
        """Say goodbye, give the peer a moment to read it, and free the socket."""
        with contextlib.suppress(OSError, TimeoutError, HandshakeFailure):
            async with asyncio.timeout(_LINGER):
                self.connection.close()
                await self._flush()
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                while await self._reader.read(_CHUNK):  # unread bytes would make the system reset the connection
                    pass
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_LINGER):
                await self._writer.wait_closed()

    async def _step(self) -> None:
        """Wait for bytes, take them, answer."""
        try:
            data = await self._reader.read(_CHUNK)
        except OSError as error:
            raise self._gone(f"the connection broke: {error.strerror or type(error).__name__}") from None
        events = self.connection.receive(data) if data else self.connection.receive_end()
        self._take(events)
        try:
            await self._flush()
        finally:
            for event in events:
                if isinstance(event, Failed):
                    raise event.failure

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Data):
                self._arrived.append(event.data)
            elif isinstance(event, PeerClosed):
                self._ended = True

    async def _flush(self) -> None:
        data = self.connection.data_to_send()
        if data:
            try:
                self._writer.write(data)
                await self._writer.drain()
            except OSError as error:
                raise self._gone(f"the connection broke: {error.strerror or type(error).__name__}") from None

    def _gone(self, message: str) -> HandshakeFailure:
        return HandshakeFailure(message, alert=None, sender=self.connection.role.other.name.lower())

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, whatever happened."""
        await self.close()


async def connect(client: Client, host: str, port: int, *, bounds: Bounds = _DEFAULT) -> TlsStream:
    """A stream to a server, its handshake finished.

    Raises:
        HandshakeFailure: there is no connection, or no handshake.
    """
    try:
        async with asyncio.timeout(bounds.handshake):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", None) or "it does not answer"
        raise HandshakeFailure(f"no connection to {host}:{port}: {why}", alert=None, sender="server") from None
    stream = TlsStream(ClientConnection(client), reader, writer, bounds)
    try:
        await stream.handshake()
    except BaseException:
        await stream.close()
        raise
    return stream


Handler = Callable[[TlsStream], Awaitable[None]]


class TcpServer:
    """Listens, shakes hands, and gives each connection to `handler`; `settings` is asked anew for each.

    Args:
        settings: gives the server's settings, so that a reload touches no connection that stands.
        handler: serves a stream; the stream is closed after it.
        on_failure: is told why a connection failed.
        bounds: on clients.
    """

    def __init__(
        self,
        settings: Callable[[], Server],
        handler: Handler,
        *,
        on_failure: Callable[[PqdcError], None] = lambda _: None,
        bounds: Bounds = _DEFAULT,
    ) -> None:
        self._settings = settings
        self._handler = handler
        self._on_failure = on_failure
        self._bounds = bounds
        self._server: asyncio.Server | None = None
        self.active: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Begin to listen; the port, which the system chooses for 0."""
        self._server = await asyncio.start_server(self._accept, host, port)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Listen no more, and end the connections that stand."""
        if self._server is not None:
            self._server.close()
        for task in self.active:
            task.cancel()
        await asyncio.gather(*self.active, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self.active) >= self._bounds.connections:
            writer.close()
            return
        self.active.add(task)
        try:
            stream = TlsStream(ServerConnection(self._settings()), reader, writer, self._bounds)
            async with stream:
                await stream.handshake()
                await self._handler(stream)
        except PqdcError as error:
            self._on_failure(error)
        except asyncio.CancelledError:
            writer.close()
        finally:
            self.active.discard(task)
