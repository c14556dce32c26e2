"""Other people's TLS: a driver each, found by name among the entry points of `pqdc.peers`, loaded on first use.

A driver runs its software as a process of this machine against our endpoints, and says how the handshake ended in the
software's own words. What ought to come of it is known elsewhere (`pqdc.peers.deviations`). Absence is an exception
with a reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from pqdc.errors import PeerUnavailable, PqdcError

__all__ = ["Peer", "PeerOutcome", "RefusedFiles", "ServerFiles", "Serving", "load_peer", "peer_class", "peer_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerOutcome:
    """How the peer says that a handshake ended.

    Attributes:
        accepted: whether it finished.
        delegated: whether a delegated credential proved the server; None where the peer does not tell.
        scheme: of the server's CertificateVerify, by the peer's name for it; empty where it does not tell.
        error: the peer's own name of its refusal: "SSL_ERROR_DC_EXPIRED"; empty if it accepted.
        detail: what else it said, for people who ask why.
    """

    accepted: bool
    delegated: bool | None = None
    scheme: str = ""
    error: str = ""
    detail: str = ""


class RefusedFiles(PqdcError):
    """The peer's server does not take the files; the message is the peer's own name of the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFiles:
    """What a peer's server proves itself with.

    Attributes:
        leaf: PEM, the leaf first, then those that lead to its CA.
        leaf_key: PKCS#8 PEM of the leaf's key; None: the server has nothing to fall back to.
        credential: the folder that the format `Peer.format` wrote; None: no credential is served.
    """

    leaf: Path
    leaf_key: Path | None = None
    credential: Path | None = None


class Serving(Protocol):
    """A peer's server that listens on 127.0.0.1.

    Attributes:
        port: chosen by the system.
    """

    @property
    def port(self) -> int:
        """Where it listens."""

    def outcome(self) -> PeerOutcome:
        """How it says that the next connection ended, which it may take seconds to say; one for each connection.

        Raises:
            PeerUnavailable: it says nothing in time, or is gone.
        """


class Peer(Protocol):
    """A driver. To make one looks whether its software is here: `PeerUnavailable` if not.

    Attributes:
        name: as in `pqdc interop NAME`.
        software: what it is called by people.
        roles: what it can be: "client", "server".
        format: of the files that its server loads a credential from; empty if it serves none.
        other_formats: that it loads too.
    """

    name: str
    software: str
    roles: tuple[str, ...]
    format: str
    other_formats: tuple[str, ...]

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """Bring the software here, if it is not: build it, or install it. People are told of what takes long.

        Raises:
            PeerUnavailable: that cannot be done here, and why.
        """

    def versions(self) -> Mapping[str, str]:
        """What it is made of: {"NSS": "3.87.1"}."""

    def serve(self, files: ServerFiles) -> AbstractContextManager[Serving]:
        """Its server, which ends with the context.

        Raises:
            RefusedFiles: it does not take the files.
            PeerUnavailable: it does not start.
        """

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """Its client, which asks the server at 127.0.0.1:`port` for a page, and is gone afterwards.

        Args:
            port: where the server listens.
            ca: PEM of the CA to trust.
            name: that the server must have.
            ask: whether to ask for a credential, where it can be told so.

        Raises:
            PeerUnavailable: it does not start, or says nothing that can be understood.
        """

    def close(self) -> None:
        """End what it has kept running, and remove what it has kept; nothing for most."""


def peer_names() -> tuple[str, ...]:
    """The names of all peers, whether their software is here or not."""
    return tuple(sorted({point.name for point in entry_points(group="pqdc.peers")}))


def peer_class(name: str) -> type[Peer]:
    """The driver of that name, of which `prepare` can be asked before there is one.

    Raises:
        PeerUnavailable: there is none, or it needs a Python package that is not here.
    """
    for point in entry_points(group="pqdc.peers"):
        if point.name == name:
            try:
                with warnings.catch_warnings(action="ignore"):  # of libraries that are old; nobody here can help it
                    driver: type[Peer] = point.load()
            except ImportError as error:
                raise PeerUnavailable(f"{name}: {error}", hint="pip install 'pqdc[interop]'") from None
            return driver
    raise PeerUnavailable(f"no peer is called {name!r}", hint=f"there are {', '.join(peer_names())}")


def load_peer(name: str) -> Peer:
    """A driver of that name; `close` it.

    Raises:
        PeerUnavailable: there is none, or its software is not here.
    """
    return peer_class(name)()
