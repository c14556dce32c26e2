"""What is tried: who serves whom, with a credential of which scheme, under which leaf, from files of which format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pqdc.peers import Peer

__all__ = ["OURSELVES", "Pairing", "pairings"]

OURSELVES = "pqdc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What is to be tried.

    Attributes:
        server, client: names of peers, or `OURSELVES`.
        format: of the files that the server loads; empty where it is ours, or serves no credential.
        leaf: the scheme of the leaf's key.
        scheme: of the credential; empty: the leaf's own key alone.
    """

    server: str
    client: str
    format: str
    leaf: str
    scheme: str


def pairings(peers: Iterable[Peer], leaves: Sequence[str], schemes: Sequence[str]) -> list[Pairing]:
    """Everything there is to try: each peer against us under each leaf, and under the first of them the rest."""
    peers = list(peers)
    against_us = [
        pairing
        for leaf in leaves
        for scheme in ("", *schemes)
        for peer in peers
        for pairing in _with_us(peer, leaf, scheme)
    ]
    others = [
        pairing for scheme in schemes for peer in peers for pairing in _without_us(peer, peers, leaves[0], scheme)
    ]
    return against_us + others


def _with_us(peer: Peer, leaf: str, scheme: str) -> Iterator[Pairing]:
    """The peer in each of its roles."""
    if "client" in peer.roles:
        yield Pairing(server=OURSELVES, client=peer.name, format="", leaf=leaf, scheme=scheme)
    if "server" in peer.roles and (peer.format or not scheme):
        yield Pairing(server=peer.name, client=OURSELVES, format=peer.format, leaf=leaf, scheme=scheme)


def _without_us(server: Peer, peers: Iterable[Peer], leaf: str, scheme: str) -> Iterator[Pairing]:
    """Our files in the other formats that the server loads; and the server with other clients than ours."""
    if "server" not in server.roles or not server.format:
        return
    for other in server.other_formats:
        yield Pairing(server=server.name, client=OURSELVES, format=other, leaf=leaf, scheme=scheme)
    for client in peers:
        if "client" in client.roles and client.name != server.name:
            yield Pairing(server=server.name, client=client.name, format=server.format, leaf=leaf, scheme=scheme)
