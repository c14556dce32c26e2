"""Faults planted in our endpoints, and the tests of BoGo that must find them: `python -m tests.bogo.faults FOLDER`.

Each prints a line: its test, and whether that has failed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest import mock

from pqdc.handshake.authentication import PeerCredentials
from pqdc.handshake.client import ClientConnection
from pqdc.handshake.credentials import Identity
from pqdc.handshake.endpoint import Connection
from pqdc.handshake.record import RecordReader
from pqdc.handshake.server import ServerConnection
from tests.bogo import campaign


def nothing(*_: Any, **__: Any) -> None:
    """What a check does that has been forgotten."""


FAULTS = {
    "ServerHelloBogusCipher-TLS13": (ClientConnection, "_check_echo", nothing),
    "SecondClientHelloWrongCurve-TLS13": (ServerConnection, "_check_second", nothing),
    "PartialClientFinishedWithClientHello": (Connection, "_read_boundary", nothing),
    "SendEmptyRecords": (RecordReader, "_bound_empty", nothing),
    "DelegatedCredentials-SigAlgoMissing": (Identity, "reason_against", lambda *_: ""),
    "ServerAuth-Enforced-TLS13": (PeerCredentials, "_key", lambda peer, _: peer.leaf.key_for(0x0804)),
}


def main() -> None:
    """Plant each, and run its test."""
    folder = Path(sys.argv[1])
    for test, (owner, name, faulty) in FAULTS.items():
        with mock.patch.object(owner, name, faulty):
            outcome = campaign.run(folder, patterns=[test])
        sys.stdout.write(f"{test} {'found' if test in outcome.failed else 'missed'}\n")


if __name__ == "__main__":
    main()
