"""`pqdc verdicts`: credentials good and broken, served to other people's clients, and what those make of them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.peers import Peer

DEFAULT_PEERS = ("nss", "nss-firefox", "firefox", "tlslite")


def command(
    peers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PEER]...", help="nss, nss-firefox, firefox, tlslite; those that are here unless named."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the data to this file too.")] = None,
    source: Annotated[Path | None, typer.Option("--from", help="Print what this file says, and ask nobody.")] = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> int:
    """Ask clients what they make of credentials, good and broken.

    Each is served as by `pqdc serve --force`, to NSS's client, Firefox, tlslite-ng, and pqdc's own client; a table
    says who follows RFC 9345. Exit 1 if one of them says what it was not known to say.
    """
    from pqdc.cli import recorded
    from pqdc.peers.verdicts import unexpected
    from pqdc.report.verdicts import as_markdown, check_format

    results = recorded.read(source, check_format) if source else _ask(peers or [], algorithms)
    if out:
        recorded.write(out, results, force=force)
    sys.stdout.write(recorded.as_json(results) if as_json else as_markdown(results))
    surprises = unexpected(results)
    for surprise in surprises:
        print(f"pqdc: {surprise}", file=sys.stderr)
    return 1 if surprises else 0


def _ask(names: list[str], algorithms: list[Path] | None) -> dict[str, Any]:
    from contextlib import ExitStack

    from pqdc.errors import PeerUnavailable
    from pqdc.peers import load_peer
    from pqdc.peers.forging import Stage
    from pqdc.peers.verdicts import collect

    found: list[Peer] = []
    with ExitStack() as ends:
        for name in names or DEFAULT_PEERS:
            try:
                peer = load_peer(name)
            except PeerUnavailable as error:
                if names:
                    raise
                print(f"left out: {name}: {error}" + (f" ({error.hint})" if error.hint else ""), file=sys.stderr)
                continue
            ends.callback(peer.close)
            found.append(peer)
        stage = Stage(options.catalog(algorithms), datetime.now(UTC))
        return collect(found, stage, tell=lambda text: print(text, file=sys.stderr))
