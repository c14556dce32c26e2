"""`pqdc interop`: credentials between pqdc and other people's TLS, every scheme with every peer in every role."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.peers import Peer
    from pqdc.peers.matrix import Cell

LEAVES = "P-256,P-384,Ed25519,RSA-2048,ML-DSA-65"
TOOLS = ("tshark",)  # no peer, but a reader of what passes between peers
SCHEMES = "P-256,P-384,P-521,Ed25519,Ed448,RSA-PSS-2048,ML-DSA-44,ML-DSA-65,ML-DSA-87,Falcon-512"


def command(
    peers: Annotated[
        list[str] | None, typer.Argument(metavar="[PEER]...", help="Those that are here unless named.")
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only bring the peers here, as far as that can be done.")
    ] = False,
    leaves: Annotated[str, typer.Option("--leaves", help="Schemes of leaf keys.")] = LEAVES,
    schemes: Annotated[str, typer.Option("--schemes", help="Schemes of credentials.")] = SCHEMES,
    out: Annotated[Path | None, typer.Option("--out", help="Write the data to this file too.")] = None,
    source: Annotated[Path | None, typer.Option("--from", help="Print what this file says, and try nothing.")] = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> int:
    """Meet other people's TLS: BoringSSL, NSS, Firefox, tlslite-ng, OpenSSL, curl.

    Every scheme under every leaf with every peer in every role, in Markdown. Exit 1 if something came that was not
    expected, or, of named peers, one is not here.
    """
    from pqdc.cli import recorded
    from pqdc.report.interop import as_markdown, check_format

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that peers are ended, as they are on Ctrl-C
    if prepare:
        return _prepare(peers or [])
    results = recorded.read(source, check_format) if source else _run(peers or [], leaves, schemes, algorithms)
    if out:
        recorded.write(out, results, force=force)
    sys.stdout.write(recorded.as_json(results) if as_json else as_markdown(results))
    rows = [*results["cells"], *results["configuration"]]
    return 0 if rows and all(row["explained"] for row in rows) else 1


def _prepare(names: list[str]) -> int:
    """Whatever cannot be prepared is told with its reason; that is a failure only if it was named."""
    from pqdc.errors import PeerUnavailable
    from pqdc.peers import peer_names

    missing = False
    for name in names or (*peer_names(), *TOOLS):
        try:
            _prepare_one(name)
        except PeerUnavailable as error:
            _tell_missing(name, error)
            missing = True
    return 1 if missing and names else 0


def _prepare_one(name: str) -> None:
    from pqdc.peers import peer_class
    from pqdc.peers.distribution import provide

    if name in TOOLS:
        provide(name, [name], _tell)
    else:
        peer_class(name).prepare(_tell)


def _run(names: list[str], leaves: str, schemes: str, algorithms: list[Path] | None) -> dict[str, Any]:
    from tempfile import TemporaryDirectory

    import pqdc
    from pqdc.peers import configuration
    from pqdc.peers.deviations import UNTRIED
    from pqdc.peers.forging import Stage
    from pqdc.peers.laboratory import Laboratory
    from pqdc.peers.matrix import as_dict, run
    from pqdc.peers.pairing import pairings

    catalog = options.catalog(algorithms)
    started = time.monotonic()
    now = datetime.now(UTC)
    with ExitStack() as ends:
        peers, missing = _load(names, ends)
        folder = Path(ends.enter_context(TemporaryDirectory(prefix="pqdc-interop-")))
        laboratory = Laboratory(folder, catalog, lambda: datetime.now(UTC))
        wanted = pairings(peers, _computed(leaves, catalog), _computed(schemes, catalog))
        cells = run(wanted, peers, laboratory, each=_Progress(len(wanted)))
        servers = [peer for peer in peers if peer.name == configuration.SERVER]
        return {
            "kind": "pqdc interop",
            "format": 1,
            "collected": f"{now:%Y-%m-%d}",
            "pqdc": pqdc.__version__,
            "peers": {peer.name: {"software": peer.software, "versions": dict(peer.versions())} for peer in peers},
            "missing": missing,
            "cells": [as_dict(cell) for cell in cells],
            "configuration": [row for peer in servers for row in configuration.collect(peer, Stage(catalog, now))],
            "untried": dict(UNTRIED),
            "seconds": round(time.monotonic() - started),
        }


def _load(names: list[str], ends: ExitStack) -> tuple[list[Peer], dict[str, str]]:
    """The peers, which end with `ends`, and the reasons against those that are not here."""
    from pqdc.errors import PeerUnavailable
    from pqdc.peers import load_peer, peer_names

    peers: list[Peer] = []
    missing = {}
    for name in names or peer_names():
        try:
            peer = load_peer(name)
        except PeerUnavailable as error:
            if names:
                raise
            _tell_missing(name, error)
            missing[name] = error.hint or "see `pqdc doctor`"  # the reason itself names paths of this machine
            continue
        ends.callback(peer.close)
        peers.append(peer)
    return peers, missing


def _computed(names: str, catalog: Any) -> list[str]:
    """The schemes of these names that something computes here; of the others it is told."""
    from pqdc.scheme import backends

    found = []
    for name in filter(None, map(str.strip, names.split(","))):
        scheme = catalog[name]
        if backends.available(scheme):
            found.append(scheme.name)
        else:
            _tell(f"left out: {scheme.name}: nothing here computes it")
    return found


class _Progress:
    """Tells how far it is, and what was not expected at once."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def __call__(self, cell: Cell) -> None:
        self._done += 1
        pairing = cell.pairing
        if not cell.explained:
            what = f"{pairing.server} serves {pairing.client}: {pairing.scheme or 'no credential'} under {pairing.leaf}"
            _tell(f"not expected: {what}: {cell.outcome} instead of {cell.expected.outcome}: {cell.detail[-500:]}")
        elif self._done % 50 == 0 or self._done == self._total:
            _tell(f"{self._done} of {self._total}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _tell_missing(name: str, error: Any) -> None:
    _tell(f"not here: {name}: {error}" + (f" ({error.hint})" if error.hint else ""))
