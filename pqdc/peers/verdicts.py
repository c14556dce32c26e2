"""What clients say of credentials, good and broken: each case of `cases` served to each, and to our own client.

The result is data, which `pqdc.report.verdicts` prints; what is expected of whom stands in the cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pqdc
from pqdc import pem
from pqdc.errors import PqdcError
from pqdc.handshake import Client, HandshakeFailure, Server, Trust, shake_hands
from pqdc.handshake.alerts import alert_name
from pqdc.peers import Peer
from pqdc.peers.cases import CASES, Case
from pqdc.peers.forging import Stage
from pqdc.peers.meeting import serve_peer

__all__ = ["OWN", "collect", "unexpected"]

OWN = "pqdc"  # our own client among the peers
# What Mozilla's clients offer in extension 34, so that ours is asked the same question.
_OFFERED = ("ECDSA-P256", "ECDSA-P384", "ECDSA-P521")


def collect(
    peers: Sequence[Peer], stage: Stage, *, cases: Sequence[Case] = CASES, tell: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Serve each case to each peer, and to our own client; what they said, as JSON.

    Raises:
        PeerUnavailable: a peer does not run.
    """
    said: list[dict[str, Any]] = []
    with TemporaryDirectory(prefix="pqdc-verdicts-") as folder:
        ca = Path(folder, "ca.pem")
        ca.write_bytes(pem.armour("CERTIFICATE", stage.authority.der))
        for case in cases:
            tell(case.name)
            server = _server(case, stage)
            verdicts = {OWN: _of_own_client(case, stage, server)}
            for peer in peers:
                verdicts[peer.name] = _of_peer(peer, case, server, ca)
            for name, verdict in verdicts.items():
                verdict["wanted"] = case.verdict_of(name)
            said.append(_as_dict(case) | {"said": verdicts})
    software = {peer.name: {"software": peer.software, "versions": dict(peer.versions())} for peer in peers}
    return {
        "kind": "pqdc verdicts",
        "format": 1,
        "collected": f"{stage.now:%Y-%m-%d}",
        "pqdc": pqdc.__version__,
        "peers": software,
        "cases": said,
    }


def unexpected(results: Mapping[str, Any]) -> list[str]:
    """A sentence for each verdict that is not the known one; our own client is expected to follow the RFC."""
    found = []
    for case in results["cases"]:
        for peer, said in case["said"].items():
            wanted = case["expected"].get(peer, said["wanted"])
            got = said["error"] or said["verdict"]
            if wanted not in {got, said["verdict"]}:
                found.append(f"{case['name']}: {peer} was expected to say {wanted}, and says {got}")
    return found


def _server(case: Case, stage: Stage) -> Server:
    return Server(
        catalog=stage.catalog,
        clock=lambda: stage.now,
        identities=case.make(stage),
        force=case.force,
        alpn=(b"http/1.1",),
    )


def _of_own_client(case: Case, stage: Stage, server: Server) -> dict[str, str]:
    points = [stage.catalog[name].code_point or 0 for name in _OFFERED]
    client = Client(
        catalog=stage.catalog,
        clock=lambda: stage.now,
        trust=Trust([stage.authority.der]),
        server_name="localhost",
        dc_schemes=tuple(points) if case.ask else (),
    )
    try:
        session = shake_hands(client, replace(server, alpn=())).client
    except HandshakeFailure as failure:
        rule = getattr(failure.reason, "rule", "")
        return {"verdict": "refused", "error": rule, "alert": _alert(failure), "sender": failure.sender}
    delegated = session.peer is not None and session.peer.dc is not None
    return {"verdict": "delegated" if delegated else "certificate", "error": "", "alert": "", "sender": ""}


def _of_peer(peer: Peer, case: Case, server: Server, ca: Path) -> dict[str, str]:
    met = serve_peer(server, lambda port: peer.connect(port, ca=ca, ask=case.ask))
    if met.peer.accepted:
        verdict = "delegated" if met.peer.delegated else "certificate"
        return {"verdict": verdict, "error": "", "alert": "", "sender": ""}
    sender = getattr(met.failure, "sender", "")
    return {"verdict": "refused", "error": met.peer.error, "alert": _alert(met.failure), "sender": sender}


def _alert(error: PqdcError | None) -> str:
    """Its RFC name; empty if none was sent."""
    number = getattr(error, "alert", None)
    return "" if number is None else alert_name(number)


def _as_dict(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "served": case.served,
        "verdict": case.verdict,
        "rule": case.rule,
        "alert": case.alert,
        "expected": dict(case.expected),
    }
