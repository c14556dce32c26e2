"""What is signed, by whom, as what, and how it is encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.vectors import der, seeded
from tests.vectors.shape import (
    CLIENT,
    CONTEXT,
    EXPIRY,
    SERVER,
    START,
    Group,
    Leaf,
    cred,
    make_leaf,
    mint,
    number,
    p256_leaf,
    pack,
)


def groups() -> Iterable[Group]:
    yield from _signed_bytes()
    yield from _leaf_algorithms()
    yield _ecdsa_signatures()
    yield _ed25519_signatures()
    yield _rsa_signatures()


def _signed_bytes() -> Iterable[Group]:
    names = ("ECDSA-P256", "Ed25519", "RSA-2048", "ML-DSA-44")
    for name in names:
        leaf = make_leaf(seeded.key(name, "leaf"))
        group = Group(comment=f"what is signed, under a leaf of {name}", leaf=leaf.der)
        more = ("PostQuantum",) if name == "ML-DSA-44" else ()
        for role, other in ((SERVER, CLIENT), (CLIENT, SERVER)):
            group.valid(f"{name}: {role}", mint(leaf, role=role), *(more or ("Valid",)), role=role)
            group.invalid(
                "SignatureInvalid", f"{name}: a {role} credential as {other}", mint(leaf, role=role), "WrongRole",
                *more, role=other,
            )  # fmt: skip
        # h: spaces, context string and zero byte; e: the leaf; c: the cred; a: the algorithm
        wrong: dict[str, Callable[[bytes, bytes, bytes, bytes], bytes]] = {
            "leaf, algorithm, cred: the order of BoringSSL's test runner": lambda h, e, c, a: h + e + a + c,
            "cred, algorithm, leaf": lambda h, e, c, a: h + c + a + e,
            "algorithm, cred, leaf": lambda h, e, c, a: h + a + c + e,
            "without the algorithm": lambda h, e, c, a: h + e + c,
            "without the leaf": lambda h, e, c, a: h + c + a,
            "without the cred": lambda h, e, c, a: h + e + a,
            "without the 64 spaces": lambda h, e, c, a: h[64:] + e + c + a,
            "63 spaces": lambda h, e, c, a: h[1:] + e + c + a,
            "65 spaces": lambda h, e, c, a: b" " + h + e + c + a,
            "without the zero byte": lambda h, e, c, a: h[:-1] + e + c + a,
            "without a context string": lambda h, e, c, a: b" " * 64 + b"\0" + e + c + a,
            "the context string of CertificateVerify": lambda h, e, c, a: (
                b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + e + c + a
            ),
            "a context string in capitals": lambda h, e, c, a: h.replace(b"server", b"SERVER") + e + c + a,
            "the SPKI of the leaf for the leaf": lambda h, e, c, a: h + seeded.key(name, "leaf").spki + c + a,  # noqa: B023
            "a hash of the leaf for the leaf": lambda h, e, c, a: h + hashlib.sha256(e).digest() + c + a,
            "the leaf behind its length": lambda h, e, c, a: h + number(len(e), 3) + e + c + a,
            "the cred behind its length": lambda h, e, c, a: h + e + number(len(c), 2) + c + a,
            "a byte more at the end": lambda h, e, c, a: h + e + c + a + b"\0",
            "a hash of it all": lambda h, e, c, a: hashlib.sha256(h + e + c + a).digest(),
        }
        for comment, signed in wrong.items():
            group.invalid(
                "SignatureInvalid", f"{name}: {comment}", mint(leaf, signed=signed), "WrongSignedBytes", *more
            )
        other_key = seeded.key(name, "other")
        group.invalid(
            "SignatureInvalid", f"{name}: signed by another key", mint(leaf, sign=other_key.sign), "WrongKey", *more
        )
        again = make_leaf(seeded.key(name, "leaf"), serial=0x77)
        group.invalid(
            "SignatureInvalid", f"{name}: made for another certificate of the same key",
            mint(again), "WrongLeaf", *more,
        )  # fmt: skip
        dc_key = seeded.key("ECDSA-P256", "dc")
        if name == "ECDSA-P256":
            group.invalid(
                "SignatureInvalid", "signed by the credential's own key", mint(leaf, sign=dc_key.sign), "WrongKey"
            )
        good = mint(leaf)
        for comment, at in (
            ("valid_time", 3), ("dc_cert_verify_algorithm", None), ("its key", None), ("a bit of the signature", -9),
        ):  # fmt: skip
            changed = bytearray(good)
            if at is None:
                key = seeded.key("ECDSA-P384" if comment.startswith("dc_") else "ECDSA-P256", "exchanged")
                size = len(good) - 13 - len(dc_key.spki)
                replaced = pack(EXPIRY - START, key.code_point, key.spki, leaf.key.code_point, good[-size:])
                group.invalid("SignatureInvalid", f"{name}: {comment} exchanged", replaced, "ModifiedSignature", *more)
                continue
            changed[at] ^= 1
            group.invalid("SignatureInvalid", f"{name}: {comment} changed", bytes(changed), "ModifiedSignature", *more)
        yield group


def _leaf_algorithms() -> Iterable[Group]:
    wrong = {
        "ECDSA-P256": (0x0503, 0x0603, 0x0807, 0x0804, 0x0203, 0x0904, 0x0000, 0x0A0A, 0xFFFF),
        "ECDSA-P384": (0x0403, 0x0603),
        "ECDSA-P521": (0x0403, 0x0503),
        "Ed25519": (0x0403, 0x0808),
        "Ed448": (0x0403, 0x0807),
        "RSA-2048": (0x0401, 0x0501, 0x0601, 0x0201, 0x0809, 0x080A, 0x080B, 0x0403),
        "RSA-PSS-2048": (0x0401, 0x0804, 0x0403),
        "ML-DSA-44": (0x0905, 0x0906, 0x0403),
    }
    for name, points in wrong.items():
        leaf = make_leaf(seeded.key(name, "leaf"))
        group = Group(comment=f"algorithm is not that of a {name} leaf", leaf=leaf.der)
        more = ("PostQuantum",) if name == "ML-DSA-44" else ()
        for point in points:
            comment = f"{name}: signed as algorithm 0x{point:04x} says, by the leaf's key"
            group.invalid("LeafAlgorithmMismatch", comment, mint(leaf, algorithm=point), "WrongLeafAlgorithm", *more)
        yield group


def _ecdsa_signatures() -> Group:
    leaf = p256_leaf()
    key = seeded.key("ECDSA-P256", "dc")
    order = ec.SECP256R1().group_order
    group = Group(comment="ECDSA signatures", leaf=leaf.der)
    good = mint(leaf)
    signature = good[13 + len(key.spki) :]
    r, s = decode_dss_signature(signature)

    def write(*parts: bytes) -> bytes:
        return pack(EXPIRY - START, key.code_point, key.spki, leaf.key.code_point, der.sequence(*parts))

    def raw(data: bytes) -> bytes:
        return pack(EXPIRY - START, key.code_point, key.spki, leaf.key.code_point, data)

    group.valid(
        "(r, n - s), which ECDSA cannot tell from (r, s)",
        write(der.integer(r), der.integer(order - s)),
        "SignatureMalleability",
    )
    numbers = (
        ("r = 0", 0, s), ("s = 0", r, 0), ("both 0", 0, 0), ("r = n", order, s), ("s = n", r, order),
        ("r + n", r + order, s), ("s + n", r, s + order), ("-r", -r, s), ("-s", r, -s), ("n - r", order - r, s),
        ("r and s exchanged", s, r), ("r = 1, s = 1", 1, 1), ("s of 2^256", r, 2**256), ("s of 2^521", r, 2**521),
    )  # fmt: skip
    for comment, first, second in numbers:
        longer = max(first.bit_length(), second.bit_length()) > 264
        flag = "ModifiedSignature"
        group.invalid("SignatureInvalid", comment, write(der.integer(first), der.integer(second)), flag)
        assert longer == (comment == "s of 2^521")
    encodings = (
        ("r and s as 64 bytes (P1363)", number(r, 32) + number(s, 32)),
        ("a byte after the SEQUENCE", signature + b"\0"),
        ("a byte missing", signature[:-1]),
        ("the SEQUENCE of indefinite length", b"\x30\x80" + signature[2:] + b"\0\0"),
        ("the length in a long form", b"\x30\x81" + signature[1:]),
        (
            "a zero too many before r",
            der.sequence(b"\x02" + bytes([len(der.integer(r)) - 1]) + b"\0" + der.integer(r)[2:], der.integer(s)),
        ),
        ("a third element", der.sequence(der.integer(r), der.integer(s), der.NULL)),
        ("r alone", der.sequence(der.integer(r))),
        ("an empty SEQUENCE", der.sequence()),
        ("a SET", b"\x31" + signature[1:]),
        ("OCTET STRINGs", der.sequence(der.octets(number(r, 32)), der.octets(number(s, 32)))),
        ("a BIT STRING around it", der.bits(signature)),
        ("one byte", b"\0"),
        ("zeros", bytes(len(signature))),
        (
            "a signature with SHA-1",
            seeded.key("ECDSA-P256", "leaf").private.sign(
                _signed(leaf),
                ec.ECDSA(hashes.SHA1(), deterministic_signing=True),  # noqa: S303 - what is refused
            ),
        ),
        (
            "a signature with SHA-384",
            seeded.key("ECDSA-P256", "leaf").private.sign(
                _signed(leaf), ec.ECDSA(hashes.SHA384(), deterministic_signing=True)
            ),
        ),
    )
    for comment, data in encodings:
        group.invalid(
            "SignatureInvalid", comment, raw(data), "InvalidEncoding" if "SHA" not in comment else "WrongSignedBytes"
        )
    return group


def _signed(leaf: Leaf) -> bytes:
    """What is signed of the usual P-256 credential."""
    key = seeded.key("ECDSA-P256", "dc")
    parts = cred(EXPIRY - START, key.code_point, key.spki) + number(leaf.key.code_point, 2)
    return b" " * 64 + CONTEXT[SERVER] + b"\0" + leaf.der + parts


def _ed25519_signatures() -> Group:
    leaf = make_leaf(seeded.key("Ed25519", "leaf"))
    group = Group(comment="Ed25519 signatures", leaf=leaf.der)
    order = 2**252 + 27742317777372353535851937790883648493
    good = mint(leaf)
    head, signature = good[:-64], good[-64:]
    scalar = int.from_bytes(signature[32:], "little")
    cases = (
        ("S + L, which is not reduced", signature[:32] + (scalar + order).to_bytes(32, "little"), "ModifiedSignature"),
        ("-S", signature[:32] + (order - scalar).to_bytes(32, "little"), "ModifiedSignature"),
        ("S = 0", signature[:32] + bytes(32), "ModifiedSignature"),
        ("S = L", signature[:32] + order.to_bytes(32, "little"), "ModifiedSignature"),
        ("R = 0", bytes(32) + signature[32:], "ModifiedSignature"),
        ("R of the largest value", b"\xff" * 32 + signature[32:], "ModifiedSignature"),
        ("R and S exchanged", signature[32:] + signature[:32], "ModifiedSignature"),
        ("zeros", bytes(64), "ModifiedSignature"),
    )
    for comment, data, flag in cases:
        group.invalid("SignatureInvalid", comment, head + data, flag)
    for comment, data in (
        ("a byte short", signature[:-1]),
        ("a byte too many", signature + b"\0"),
        ("one byte", b"\0"),
    ):
        group.invalid("SignatureInvalid", comment, head[:-2] + number(len(data), 2) + data, "InvalidEncoding")
    return group


def _rsa_signatures() -> Group:
    leaf = make_leaf(seeded.key("RSA-2048", "leaf"))
    group = Group(comment="RSASSA-PSS signatures", leaf=leaf.der)
    private = leaf.key.private
    modulus = private.public_key().public_numbers().n

    def signer(digest: str, size: int, mgf: str = "") -> Callable[[bytes], bytes]:
        return lambda message: seeded.pss(private, message, digest, salt=seeded.drawn("salt", size), mgf=mgf)

    for comment, sign in (
        ("no salt", signer("sha256", 0)),
        ("a salt of 20 bytes", signer("sha256", 20)),
        ("a salt of 31 bytes", signer("sha256", 31)),
        ("a salt of 33 bytes", signer("sha256", 33)),
        ("the longest salt", signer("sha256", 222)),
        ("MGF1 with SHA-1", signer("sha256", 32, "sha1")),
        ("MGF1 with SHA-512", signer("sha256", 32, "sha512")),
        ("SHA-1", signer("sha1", 20)),
        ("SHA-384 under the code point of SHA-256", signer("sha384", 48)),
        ("SHA-512 under the code point of SHA-256", signer("sha512", 64)),
        (
            "PKCS #1 v1.5 under the code point of PSS",
            lambda message: private.sign(message, padding.PKCS1v15(), hashes.SHA256()),
        ),
    ):
        group.invalid("SignatureInvalid", comment, mint(leaf, sign=sign), "PssParameters")
    good = mint(leaf)
    value = int.from_bytes(good[-256:], "big")
    cases = [
        ("n - s", number(modulus - value, 256)),
        ("s = 0", bytes(256)),
        ("s = 1", number(1, 256)),
        ("s = n - 1", number(modulus - 1, 256)),
        ("s = n", number(modulus, 256)),
        ("a byte short", good[-256:-1]),
        ("a zero before it", b"\0" + good[-256:]),
        ("a zero after it", good[-256:] + b"\0"),
    ]
    if value + modulus < 2**2048:
        cases.append(("s + n", number(value + modulus, 256)))
    for comment, data in cases:
        group.invalid("SignatureInvalid", comment, good[:-258] + number(len(data), 2) + data, "ModifiedSignature")
    return group
