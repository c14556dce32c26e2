"""Ordinary credentials: every classical leaf and key, both roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.vectors import seeded
from tests.vectors.shape import CLIENT, SERVER, Group, make_leaf, mint

LEAF_SCHEMES = ("ECDSA-P256", "ECDSA-P384", "ECDSA-P521", "Ed25519", "Ed448", "RSA-2048", "RSA-PSS-2048")
CLASSICAL_KEYS = ("ECDSA-P256", "ECDSA-P384", "ECDSA-P521", "Ed25519", "Ed448", "RSA-PSS-2048", "RSA-PSS-2048-SHA384")


def groups() -> Iterable[Group]:
    """Valid credentials: every classical leaf and key, both roles."""
    for number_, name in enumerate(LEAF_SCHEMES):
        leaf = make_leaf(seeded.key(name, "leaf"), serial=0x5000 + number_)
        group = Group(comment=f"a leaf of {name}", leaf=leaf.der)
        for key_name in CLASSICAL_KEYS:
            key = seeded.key(key_name, "dc")
            for role in (SERVER, CLIENT):
                group.valid(f"{key_name} under {name}, {role}", mint(leaf, key, role=role), role=role)
        for other in ("RSA-2048-SHA384", "RSA-2048-SHA512") if name == "RSA-2048" else ():
            again = replace(leaf, key=seeded.key(other, "leaf"))
            group.valid(f"P-256 under RSA, {again.key.scheme.tls_name}", mint(again))
        yield group
