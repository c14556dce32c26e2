"""Post-quantum keys in credentials and leaves."""

from __future__ import annotations

from collections.abc import Iterable

from tests.vectors import der, seeded
from tests.vectors.shape import CLIENT, SERVER, Group, Leaf, make_leaf, mint, number, p256_leaf

MLDSA = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")

PQ_KEYS = (
    *MLDSA, "Dilithium2", "Dilithium3", "Dilithium5", "Falcon-512", "Falcon-1024", "Falcon-padded-512",
    "Falcon-padded-1024", "MAYO-1", "MAYO-2", "MAYO-3", "MAYO-5", "SPHINCS+-SHA2-128f-simple",
    "SPHINCS+-SHA2-192f-simple", "SPHINCS+-SHA2-256f-simple", "SPHINCS+-SHAKE-128s-simple",
    "SPHINCS+-SHAKE-256s-simple", "cross-rsdp-128-balanced", "cross-rsdp-128-fast", "cross-rsdp-192-small",
    "cross-rsdpg-128-balanced", "cross-rsdpg-192-fast", "cross-rsdpg-256-small", "OV-Ip-pkc",
)  # fmt: skip
NEIGHBOURS = {  # of the same key length where there is one: the OID alone tells them apart
    "ML-DSA-44": "Dilithium2", "ML-DSA-65": "Dilithium3", "ML-DSA-87": "Dilithium5", "Dilithium2": "ML-DSA-44",
    "Dilithium3": "ML-DSA-65", "Dilithium5": "ML-DSA-87", "Falcon-512": "Falcon-padded-512",
    "Falcon-padded-512": "Falcon-512", "Falcon-1024": "Falcon-padded-1024", "Falcon-padded-1024": "Falcon-1024",
    "MAYO-1": "MAYO-2", "MAYO-2": "MAYO-1", "MAYO-3": "MAYO-5", "MAYO-5": "MAYO-3",
    "SPHINCS+-SHA2-128f-simple": "SPHINCS+-SHAKE-128f-simple",
    "SPHINCS+-SHAKE-128s-simple": "SPHINCS+-SHA2-128s-simple",
    "cross-rsdp-128-balanced": "cross-rsdp-128-fast", "cross-rsdp-128-fast": "cross-rsdp-128-balanced",
}  # fmt: skip


def groups() -> Iterable[Group]:
    leaf = p256_leaf()
    for name in PQ_KEYS:
        key = seeded.key(name, "dc")
        group = Group(comment=f"a key of {name} under P-256", leaf=leaf.der)
        flags = ("PostQuantum",) if name in MLDSA else ("PostQuantum", "PrivateCodePoint")
        for role in (SERVER, CLIENT) if len(key.raw) < 2000 else (SERVER,):
            group.valid(f"{name}, {role}", mint(leaf, key, role=role), *flags, role=role)
        yield group
        oid = key.scheme.oid
        if len(key.raw) > 6000:
            continue
        group.invalid("SignatureInvalid", f"{name}: another role", mint(leaf, key), "WrongRole", *flags, role=CLIENT)
        cases = (
            ("a byte short", der.spki(oid, key.raw[:-1])),
            ("a byte too many", der.spki(oid, key.raw + b"\0")),
            ("NULL for parameters", der.spki(oid, key.raw, der.NULL)),
        )
        for comment, spki in cases if len(key.raw) < 3000 else cases[:1]:
            group.invalid("KeyMismatch", f"{name}: {comment}", mint(leaf, key, spki=spki), "OddKey", *flags)
        if other := NEIGHBOURS.get(name):
            point = seeded.catalog()[other].code_point
            dc = mint(leaf, key, dcva=point)
            group.invalid("KeyMismatch", f"{name} under the code point of {other}", dc, "KeyMismatch", *flags)
        if name == "ML-DSA-44":
            wrapped = der.spki(oid, der.octets(key.raw))
            group.invalid(
                "KeyMismatch",
                f"{name}: an OCTET STRING in the BIT STRING",
                mint(leaf, key, spki=wrapped),
                "OddKey",
                *flags,
            )
            _odd_pq_containers(group, leaf, key, flags)
    for name in MLDSA:
        leaf = make_leaf(seeded.key(name, "leaf"))
        group = Group(comment=f"a leaf of {name}", leaf=leaf.der)
        for key_name in (name, "ECDSA-P256", "Falcon-512"):
            flags = ("PostQuantum", "PrivateCodePoint") if key_name == "Falcon-512" else ("PostQuantum",)
            group.valid(f"{key_name} under {name}", mint(leaf, seeded.key(key_name, "dc")), *flags)
        good = mint(leaf)
        size = len(good) - 13 - len(seeded.key("ECDSA-P256", "dc").spki)
        for comment, data in (("a byte short", good[-size:-1]), ("a byte too many", good[-size:] + b"\0")):
            dc = good[: -size - 2] + number(len(data), 2) + data
            group.invalid("SignatureInvalid", f"{name} signature: {comment}", dc, "InvalidEncoding", "PostQuantum")
        yield group


def _odd_pq_containers(group: Group, leaf: Leaf, key: seeded.Key, flags: tuple[str, ...]) -> None:
    cases = (
        ("bytes after the SPKI", key.spki + b"\0"),
        ("unused bits in the BIT STRING", der.spki(key.scheme.oid, key.raw, unused=1)),
        ("the SEQUENCE of indefinite length", b"\x30\x80" + key.spki[4:] + b"\0\0"),
        ("the raw key without SPKI", key.raw),
    )
    for comment, spki in cases:
        dc = mint(leaf, key, spki=spki)
        group.invalid("KeyMismatch", f"{key.scheme.name}: {comment}", dc, "OddKey", *flags)
