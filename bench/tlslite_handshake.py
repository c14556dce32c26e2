"""Run by a Python that has tlslite-ng, for bench/handshake_ratio.py: a handshake in memory for every line that comes.

The first line brings leaf, credential and its key, in hexadecimal.
Its client and server take turns in one thread, over a pair of buffers; it says the CPU time of both, in microseconds.
The client checks the credential; tlslite-ng checks no chain.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from typing import Any

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain
from tlslite.constants import SignatureScheme
from tlslite.utils.codec import Parser
from tlslite.utils.keyfactory import parsePEMKey
from tlslite.utils.pem import pem
from tlslite.x509 import X509, DelegatedCredential


class End:
    """One end of a pair of sockets that are buffers."""

    def __init__(self) -> None:
        self.inbox = bytearray()
        self.peer = self

    def send(self, data: bytes) -> int:
        """To the peer's buffer."""
        self.peer.inbox += data
        return len(data)

    def sendall(self, data: bytes) -> None:
        """As `send`."""
        self.send(data)

    def recv(self, size: int) -> bytes:
        """What is there, or the error of a socket that would block."""
        if not self.inbox:
            raise BlockingIOError(11, "nothing yet")
        data = bytes(self.inbox[:size])
        del self.inbox[:size]
        return data


def main() -> None:
    """Answer until the input ends."""
    given = {name: bytearray.fromhex(data) for name, data in json.loads(sys.stdin.readline()).items()}
    certificate = X509()
    certificate.parseBinary(given["leaf"])
    chain = X509CertChain([certificate])
    key = parsePEMKey(pem(given["key"], "PRIVATE KEY"), private=True)
    dc = DelegatedCredential().parse(Parser(given["dc"]))
    say(version=importlib.metadata.version("tlslite-ng"))
    for _ in sys.stdin:
        say(us=handshake(chain, key, dc))


def handshake(chain: Any, key: Any, dc: Any) -> float:
    """One, in microseconds of CPU time."""
    ends = End(), End()
    ends[0].peer, ends[1].peer = ends[1], ends[0]
    start = time.process_time_ns()
    client, server = TLSConnection(ends[0]), TLSConnection(ends[1])
    settings = HandshakeSettings()
    settings.minVersion = (3, 4)
    settings.keyShares = ["x25519"]
    settings.eccCurves = ["x25519", "secp256r1"]
    settings.dc_sig_algs = [SignatureScheme.ecdsa_secp256r1_sha256]
    sides = [
        client.handshakeClientCert(settings=settings, serverName="localhost", async_=True),
        server.handshakeServerAsync(certChain=chain, settings=settings, dc_key=key, del_cred=dc, privateKey=None),
    ]
    while sides:
        for side in tuple(sides):
            try:
                next(side)
            except StopIteration:
                sides.remove(side)
    spent = time.process_time_ns() - start
    if client.session.delegated_credential is None:
        raise SystemExit("no credential was used")
    return spent / 1000


def say(**values: object) -> None:
    """A line of JSON."""
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
