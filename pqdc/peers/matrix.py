"""The matrix: who serves whom with a credential of which scheme, under which leaf, and what came of it.

pqdc is one of the servers and one of the clients; others meet each other too, where a server that is not ours shows our
files to a client that is not ours. A cell is explained if what came is what `deviations` expects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pqdc.errors import FileError, PeerUnavailable
from pqdc.handshake import Proof
from pqdc.handshake.alerts import alert_name
from pqdc.peers import Peer, PeerOutcome, RefusedFiles
from pqdc.peers.deviations import CERTIFICATE, DELEGATED, UNLOADABLE, Deviation, expectation
from pqdc.peers.laboratory import HOST, Laboratory
from pqdc.peers.meeting import Meeting, ask_peer, serve_peer
from pqdc.peers.pairing import OURSELVES, Pairing

__all__ = ["Cell", "as_dict", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What came of it.

    Attributes:
        pairing: what was tried.
        outcome: `DELEGATED` or `CERTIFICATE`, by which the server has proved itself; `UNLOADABLE` if the format refuses
            such a credential; else the peer's own name of its refusal.
        expected: what should come, and why, where it is not simply that what is served is taken.
        said: the peer's name for the scheme of CertificateVerify.
        detail: what failed, in words, for those who wonder about an outcome that was not expected.
    """

    pairing: Pairing
    outcome: str
    expected: Deviation
    said: str = ""
    detail: str = ""

    @property
    def explained(self) -> bool:
        """Whether it came as expected."""
        return self.expected.explains(self.outcome)


def run(
    wanted: Iterable[Pairing],
    peers: Iterable[Peer],
    laboratory: Laboratory,
    *,
    each: Callable[[Cell], None] = lambda _: None,
) -> list[Cell]:
    """Try it all; `each` is told of each cell as it comes."""
    by_name = {peer.name: peer for peer in peers}
    cells = []
    for pairing in wanted:
        cell = _judge(pairing, partial(_meet, pairing, by_name, laboratory))
        each(cell)
        cells.append(cell)
    return cells


def as_dict(cell: Cell) -> dict[str, Any]:
    """As it stands in a result: nothing of this machine is in it."""
    pairing = cell.pairing
    return {
        "server": pairing.server,
        "client": pairing.client,
        "format": pairing.format,
        "leaf": pairing.leaf,
        "scheme": pairing.scheme,
        "outcome": cell.outcome,
        "said": cell.said,
        "reason": cell.expected.reason if cell.explained else "",
        "explained": cell.explained,
    }


def _judge(pairing: Pairing, meet: Callable[[], Sequence[PeerOutcome]]) -> Cell:
    said = detail = ""
    try:
        outcomes = meet()
        outcome = _agreed(outcomes)
        said, detail = outcomes[0].scheme, next((told.detail for told in outcomes if not told.accepted), "")
    except FileError as error:
        outcome, detail = UNLOADABLE, str(error)
    except RefusedFiles as error:
        outcome = str(error)
    except PeerUnavailable as error:
        outcome, detail = "no answer", str(error)
    return Cell(pairing=pairing, outcome=outcome, expected=expectation(pairing), said=said, detail=detail)


def _meet(pairing: Pairing, peers: dict[str, Peer], laboratory: Laboratory) -> Sequence[PeerOutcome]:
    """What both sides say of it, the one first whose words count: a peer before us, a client before a server."""
    leaf, scheme = pairing.leaf, pairing.scheme
    if pairing.server == OURSELVES:
        connect = partial(peers[pairing.client].connect, ca=laboratory.ca, name=HOST)
        met = serve_peer(laboratory.server(leaf, scheme), connect)
        return met.peer, _ours(met, met.session.own if met.session else None)
    with peers[pairing.server].serve(laboratory.files(leaf, scheme, pairing.format)) as serving:
        if pairing.client == OURSELVES:
            met = ask_peer(laboratory.client(*filter(None, [scheme])), serving)
            return met.peer, _ours(met, met.session.peer if met.session else None)
        theirs = peers[pairing.client].connect(serving.port, ca=laboratory.ca, name=HOST)
        return theirs, serving.outcome()


def _ours(met: Meeting, server: Proof | None) -> PeerOutcome:
    """Our side of it, told as a peer's; `server` is how the server has proved itself, if it has."""
    if met.failure is None and server is not None:
        return PeerOutcome(accepted=True, delegated=server.dc is not None, scheme=f"0x{server.scheme:04x}")
    alert = getattr(met.failure, "alert", None)
    name = "no connection" if alert is None else alert_name(alert)
    return PeerOutcome(accepted=False, error=f"{OURSELVES}: {name}", detail=str(met.failure or ""))


def _agreed(outcomes: Sequence[PeerOutcome]) -> str:
    """The outcome of a cell, on which both sides must agree."""
    for told in outcomes:
        if not told.accepted:
            return told.error
    told_of = {told.delegated for told in outcomes if told.delegated is not None}
    if len(told_of) != 1:
        return "disagreement" if told_of else "accepted, nobody says how"
    return DELEGATED if told_of.pop() else CERTIFICATE
