"""What a handshake costs beyond its primitives, and beside tlslite-ng's: in memory, both sides, in one thread.

    .venv/bin/python bench/handshake_ratio.py [SCHEME...] [--rounds N]

The primitives are those that a handshake cannot do without: two X25519 keys and two exchanges, the chain, the leaf's
signature under the credential, CertificateVerify made and verified; called as the handshake calls them, one after the
other. `all calls` adds the key schedule, the transcript's hashes and the protection of records, as often as a handshake
makes them. Handshake and primitives take turns; the figure is the median. The client has met the leaf before, as one
that measures has, and all signatures are checked each time; `new leaf` is a client that reads it for the first time.

Where tlslite-ng is here (`make peers`), it shakes hands with a P-256 credential in turns with pqdc.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.x509 import verification

import pqdc
from pqdc.credential.certificate import load_public_key
from pqdc.errors import PeerUnavailable
from pqdc.handshake import Client, ClientConnection, Identity, Server, ServerConnection, Trust, authentication
from pqdc.handshake.authentication import signed_content
from pqdc.handshake.key_schedule import SUITES, KeySchedule, traffic_keys
from pqdc.handshake.transcript import Transcript
from pqdc.handshake.transport.memory import exchange
from pqdc.peers import tlslite

GOAL, GOAL_TLSLITE = 2.0, 10
NAME = "localhost"
DAY = timedelta(days=1)


class World:
    """A CA, a P-256 leaf, and a credential with its key."""

    def __init__(self, catalog: pqdc.Catalog, scheme: pqdc.Scheme, now: datetime) -> None:
        p256 = catalog["P-256"]
        backend = pqdc.choose(p256)
        self.now = now
        self.authority = pqdc.make_authority(backend.generate(p256), name="bench CA", days=30, now=now)
        self.leaf_key = backend.generate(p256)
        self.leaf = self.authority.issue(self.leaf_key, hosts=[NAME], days=30, now=now, catalog=catalog)
        self.dc, self.key = pqdc.mint(pqdc.Leaf(self.leaf, self.leaf_key.sign), scheme, valid_for=DAY, now=now)
        common: dict[str, Any] = {"catalog": catalog, "clock": lambda: now}
        self.server = Server(**common, identities=(Identity.delegated(self.dc, self.key, self.leaf),))
        self.client = Client(
            **common,
            trust=Trust([self.authority.der]),
            server_name=NAME,
            dc_schemes=(scheme.code_point or 0,),
        )

    def handshake(self) -> tuple[ClientConnection, ServerConnection]:
        """One, both sides."""
        client, server = ClientConnection(self.client), ServerConnection(self.server)
        exchange(client, server)
        return client, server

    def handshake_with_new_leaf(self) -> None:
        """One whose client has not met the leaf."""
        authentication.read_certificate.cache_clear()
        self.handshake()

    def primitives(self) -> Callable[[], None]:
        """The asymmetric ones, through the same bindings."""
        store = verification.Store([x509.load_der_x509_certificate(self.authority.der)])
        subject = x509.DNSName(NAME)
        signed = self.dc.signed_bytes(self.leaf.der, pqdc.Role.SERVER)
        content = signed_content(pqdc.Role.SERVER, bytes(32))
        share = X25519PrivateKey.generate().public_key().public_bytes_raw()

        def call() -> None:
            for _ in range(2):
                own = X25519PrivateKey.from_private_bytes(os.urandom(32))
                own.public_key().public_bytes_raw()
                own.exchange(X25519PublicKey.from_public_bytes(share))
            verifier = verification.PolicyBuilder().time(self.now).store(store).build_server_verifier(subject)
            verifier.verify(x509.load_der_x509_certificate(self.leaf.der), [])
            self.leaf_key.public.verify(self.dc.signature, signed)
            signature = self.key.sign(content)
            load_public_key(self.key.scheme, self.dc.cred.spki).verify(signature, content)

        return call

    def symmetric(self) -> Callable[[], None]:
        """The key schedule, hashes and records of both sides."""
        client, server = self.handshake()
        hello, answer, flight = client.sent[0], server.sent[0], server.sent[1:]
        suite = SUITES[client.session.cipher_suite] if client.session else SUITES[0x1301]
        clear = b"".join(flight)

        def side() -> None:
            transcript = Transcript()
            transcript.add(hello)
            transcript.begin(suite)
            transcript.add(answer)
            schedule = KeySchedule(suite, bytes(32))
            secrets = schedule.handshake_secrets(transcript.digest())
            for message in flight:
                transcript.add(message)
                transcript.digest()
            for secret in secrets:
                schedule.finished(secret, transcript.digest())
                keys = traffic_keys(suite, secret)
                keys.aead.encrypt(bytes(12), clear if secret is secrets[1] else hello[:36], None)
            schedule.application_secrets(transcript.digest())

        def call() -> None:
            side()
            side()

        return call


class Tlslite:
    """tlslite-ng in a process of its own, which shakes hands when told to.

    Args:
        python: that has it.
        world: whose P-256 credential is served.
    """

    def __init__(self, python: Path, world: World) -> None:
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("tlslite_handshake.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        given = {"dc": world.dc.encode(), "key": world.key.pkcs8(), "leaf": world.leaf.der}
        self.version = self._ask({name: data.hex() for name, data in given.items()})["version"]

    def handshake_us(self) -> float:
        """The CPU time of one, both sides."""
        return float(self._ask({})["us"])

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def main() -> None:
    """Measure each scheme, print a table."""
    parser = argparse.ArgumentParser(description="What a handshake costs beyond its primitives.")
    parser.add_argument("schemes", nargs="*", default=["ML-DSA-44", "P-256", "Falcon-512", "Ed25519"])
    parser.add_argument("--rounds", type=int, default=1000)
    wanted = parser.parse_args()
    catalog, now = pqdc.load_catalog(), datetime.now(UTC)
    print("| DC under a P-256 leaf | handshake, µs | ÷ primitives | ÷ all calls | new leaf, µs | ÷ primitives |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in wanted.schemes:
        world = World(catalog, catalog[name], now)
        found = measure(
            {
                "whole": world.handshake,
                "primitives": world.primitives(),
                "symmetric": world.symmetric(),
                "new": world.handshake_with_new_leaf,
            },
            wanted.rounds,
        )
        whole, primitives, every = found["whole"], found["primitives"], found["primitives"] + found["symmetric"]
        print(
            f"| {catalog[name].name} | {whole:.0f} | {whole / primitives:.2f} (goal {GOAL}) | {whole / every:.2f} "
            f"| {found['new']:.0f} | {found['new'] / primitives:.2f} |",
            flush=True,
        )
    try:
        compare(tlslite.interpreter(), World(catalog, catalog["P-256"], now))
    except PeerUnavailable as error:
        print(f"\nnot beside tlslite-ng: {error}")


def compare(python: Path, world: World) -> None:
    """The P-256 credential by both, in turns."""
    peer = Tlslite(python, world)
    theirs: list[float] = []
    world.handshake()
    ours = measure({"whole": world.handshake, "peer": lambda: theirs.append(peer.handshake_us())}, 30)["whole"]
    peer.close()
    median = statistics.median(theirs)
    print(
        f"\nP-256 DC: {ours:.0f} µs here, {median:.0f} µs by tlslite-ng {peer.version}: "
        f"{median / ours:.1f} times as long (goal {GOAL_TLSLITE})"
    )


def measure(functions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median time of each, in microseconds; they take turns."""
    samples: dict[str, list[int]] = {name: [] for name in functions}
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter_ns()
            function()
            samples[name].append(time.perf_counter_ns() - start)
    gc.enable()
    return {name: statistics.median(taken) / 1000 for name, taken in samples.items()}


if __name__ == "__main__":
    main()
