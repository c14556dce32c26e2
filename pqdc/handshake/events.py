"""What an endpoint tells its caller: frozen values, and nothing that the caller could break."""

from __future__ import annotations

from dataclasses import dataclass

from pqdc.credential.structures import DelegatedCredential
from pqdc.handshake.alerts import HandshakeFailure

__all__ = ["Connected", "Data", "Event", "Failed", "KeysUpdated", "PeerClosed", "Proof", "Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How one side has proved itself.

    Attributes:
        chain: its certificates, DER, the leaf first.
        scheme: the code point of its CertificateVerify.
        dc: the credential whose key made the CertificateVerify; None if the leaf's key did.
        dc_expiry: when that ends, Unix seconds.
    """

    chain: tuple[bytes, ...]
    scheme: int
    dc: DelegatedCredential | None = None
    dc_expiry: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a finished handshake has agreed on.

    Attributes:
        role: "client" or "server", ours.
        cipher_suite, group: code points.
        server_name: as the client sent it.
        alpn: the protocol chosen.
        retried: whether a HelloRetryRequest was needed.
        own, peer: the proofs; None for a client that gave none.
    """

    role: str
    cipher_suite: int
    group: int
    server_name: str | None
    alpn: bytes | None
    retried: bool
    own: Proof | None
    peer: Proof | None


@dataclass(frozen=True, slots=True)
class Connected:
    """The handshake is finished on this side."""

    session: Session


@dataclass(frozen=True, slots=True)
class Data:
    """Application data."""

    data: bytes


@dataclass(frozen=True, slots=True)
class KeysUpdated:
    """The peer has updated its keys; `answered` says whether it asked us to do so too."""

    answered: bool


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The peer sends nothing more; what it had sent came whole."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is over; an alert is among the bytes to send, unless the peer sent one or is gone."""

    failure: HandshakeFailure


Event = Connected | Data | KeysUpdated | PeerClosed | Failed
