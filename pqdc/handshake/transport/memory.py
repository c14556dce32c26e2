"""Two endpoints in one thread, without a network: for measuring, and for tests."""

from __future__ import annotations

from dataclasses import dataclass

from pqdc.handshake.alerts import HandshakeFailure
from pqdc.handshake.client import ClientConnection
from pqdc.handshake.endpoint import Connection
from pqdc.handshake.events import Event, Failed, Session
from pqdc.handshake.ledger import Ledger, direction_of
from pqdc.handshake.server import ServerConnection
from pqdc.handshake.settings import Client, Server

__all__ = ["Outcome", "exchange", "ledger_of", "shake_hands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished handshake, as each side sees it, and what it cost on the wire."""

    client: Session
    server: Session
    ledger: Ledger


def shake_hands(client: Client, server: Server) -> Outcome:
    """One handshake between new connections, in memory.

    Raises:
        HandshakeFailure: it does not finish; with the alert, who sent it, and the error behind it.
    """
    ours, theirs = ClientConnection(client), ServerConnection(server)
    exchange(ours, theirs)
    if ours.session is None or theirs.session is None:
        raise HandshakeFailure("both sides wait", alert=None, sender="client")
    return Outcome(client=ours.session, server=theirs.session, ledger=ledger_of(ours))


def exchange(client: Connection, server: Connection) -> list[Event]:
    """Carry bytes to and fro until both are silent; the events of both, in order.

    Raises:
        HandshakeFailure: one of them failed; the reason is that of the side where it happened.
    """
    events: list[Event] = []
    while True:
        to_server = client.data_to_send()
        events += server.receive(to_server) if to_server else []
        to_client = server.data_to_send()
        events += client.receive(to_client) if to_client else []
        for event in events:
            if isinstance(event, Failed):
                raise event.failure
        if not to_server and not to_client:
            return events


def ledger_of(connection: Connection) -> Ledger:
    """The account of a connection whose handshake is finished, as this side has counted it.

    Raises:
        HandshakeFailure: it is not finished.
    """
    sent, received = connection.sent_traffic, connection.received_traffic
    if sent is None or received is None:
        raise HandshakeFailure("no ledger of an unfinished handshake", alert=None, sender="client")
    own, peer = direction_of(connection.sent, sent), direction_of(connection.received, received)
    is_client = connection.role.name == "CLIENT"
    return Ledger(client=own if is_client else peer, server=peer if is_client else own)
