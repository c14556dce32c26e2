"""What pqdc adds to its primitives: minting, verifying, encoding and decoding against the calls they cannot do without.

    .venv/bin/python bench/ratios.py [SCHEME...] [--rounds N]

In every round every function has its turn of a few calls, in a new random order, so that drift treats all alike, and
each runs as warm as in a loop of its own; the figure is the median of all calls. Primitives are called one after
the other, as in the whole, and cool each other's caches. All through the same bindings, under a P-256 leaf.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pqdc
from pqdc.credential.certificate import load_public_key

GOALS = {"mint": 1.15, "verify": 1.10}
CALLS = 20  # in one turn
DAY = timedelta(days=1)


def main() -> None:
    """Measure each scheme, print a table."""
    parser = argparse.ArgumentParser(description="What minting and verifying cost beyond their primitives.")
    parser.add_argument("schemes", nargs="*", default=["ML-DSA-44", "Falcon-512", "Ed25519", "P-256"])
    parser.add_argument("--rounds", type=int, default=200)
    wanted = parser.parse_args()
    catalog, now = pqdc.load_catalog(), datetime.now(UTC)
    leaf, signer = make_leaf(catalog, now)
    print("| scheme | mint, µs | ÷ keygen, SPKI, sign | verify, µs | ÷ load, leaf verify | encode, µs | decode, µs |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in wanted.schemes:
        medians = measure(operations(catalog[name], leaf, signer, now), wanted.rounds)
        mint = medians["mint"] / medians["mint's primitives"]
        verify = medians["verify"] / medians["verify's primitives"]
        print(
            f"| {catalog[name].name} | {medians['mint']:.1f} | {mint:.3f} (goal {GOALS['mint']}) "
            f"| {medians['verify']:.1f} | {verify:.3f} (goal {GOALS['verify']}) "
            f"| {medians['encode']:.1f} | {medians['decode']:.1f} |",
            flush=True,
        )


def make_leaf(catalog: pqdc.Catalog, now: datetime) -> tuple[pqdc.Leaf, Any]:
    """A P-256 leaf that may delegate, and its private key."""
    scheme = catalog["P-256"]
    backend = pqdc.choose(scheme)
    authority = pqdc.make_authority(backend.generate(scheme), name="bench CA", days=30, now=now)
    key = backend.generate(scheme)
    certificate = authority.issue(key, hosts=["localhost"], days=30, now=now, catalog=catalog)
    return pqdc.Leaf(certificate, key.sign), key


def operations(scheme: pqdc.Scheme, leaf: pqdc.Leaf, signer: Any, now: datetime) -> Mapping[str, Callable[[], Any]]:
    """What is compared, by name."""
    minter, backend = pqdc.Minter(leaf), pqdc.choose(scheme)
    dc, _ = minter.mint(scheme, valid_for=DAY, now=now)
    encoded = dc.encode()
    signed = dc.signed_bytes(leaf.certificate.der, pqdc.Role.SERVER)

    def primitives_of_mint() -> bytes:
        spki = backend.generate(scheme).public.spki
        signer.sign(signed)
        return spki

    def primitives_of_verify() -> None:
        load_public_key(scheme, dc.cred.spki)
        signer.public.verify(dc.signature, signed)

    return {
        "mint": lambda: minter.mint(scheme, valid_for=DAY, now=now),
        "mint's primitives": primitives_of_mint,
        "verify": lambda: pqdc.verify(dc, leaf.certificate, now=now),
        "verify's primitives": primitives_of_verify,
        "encode": dc.encode,
        "decode": lambda: pqdc.DelegatedCredential.decode(encoded),
    }


def measure(functions: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median time of each, in microseconds."""
    samples: dict[str, list[int]] = {name: [] for name in functions}
    order = list(functions.items())
    gc.disable()
    for _ in range(rounds):
        random.shuffle(order)
        for name, function in order:
            function()  # warm again
            for _ in range(CALLS):
                start = time.perf_counter_ns()
                function()
                samples[name].append(time.perf_counter_ns() - start)
    gc.enable()
    return {name: statistics.median(taken) / 1000 for name, taken in samples.items()}


if __name__ == "__main__":
    main()
