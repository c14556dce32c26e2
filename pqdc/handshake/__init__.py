"""TLS 1.3 (RFC 8446) with delegated credentials (RFC 9345), as bytes in, events and bytes out.

`Client` and `Server` say what an endpoint is; `ClientConnection` and `ServerConnection` are one connection of it,
without a socket, a clock or randomness of their own; `shake_hands` lets two meet in memory. The names below are the
API.
"""

from __future__ import annotations

from pqdc.handshake.alerts import Alert, HandshakeFailure, ProtocolViolation
from pqdc.handshake.chain import Trust
from pqdc.handshake.client import ClientConnection
from pqdc.handshake.codepoints import CipherSuite, Group
from pqdc.handshake.credentials import Identity
from pqdc.handshake.events import Connected, Data, Event, Failed, KeysUpdated, PeerClosed, Proof, Session
from pqdc.handshake.ledger import Ledger
from pqdc.handshake.limits import Limits
from pqdc.handshake.server import ServerConnection
from pqdc.handshake.settings import Client, ClientAuth, Server
from pqdc.handshake.transport.memory import Outcome, ledger_of, shake_hands

__all__ = [
    "Alert",
    "CipherSuite",
    "Client",
    "ClientAuth",
    "ClientConnection",
    "Connected",
    "Data",
    "Event",
    "Failed",
    "Group",
    "HandshakeFailure",
    "Identity",
    "KeysUpdated",
    "Ledger",
    "Limits",
    "Outcome",
    "PeerClosed",
    "Proof",
    "ProtocolViolation",
    "Server",
    "ServerConnection",
    "Session",
    "Trust",
    "ledger_of",
    "shake_hands",
]
