"""Malformed structures."""

from __future__ import annotations

from collections.abc import Iterable

from tests.vectors import seeded
from tests.vectors.shape import CONTEXT, EXPIRY, SERVER, START, Group, cred, mint, number, p256_leaf, pack


def groups() -> Iterable[Group]:
    leaf = p256_leaf()
    group = Group(comment="malformed structures", leaf=leaf.der)
    key = seeded.key("ECDSA-P256", "dc")
    good = mint(leaf)
    valid_time, signature = EXPIRY - START, good[13 + len(key.spki) :]
    group.valid("the credential that the others were made from", good)
    fields = (
        ("nothing", 0),
        ("one byte", 1),
        ("half of valid_time", 2),
        ("no dc_cert_verify_algorithm", 4),
        ("half of dc_cert_verify_algorithm", 5),
        ("no length of the key", 6),
        ("half a length of the key", 7),
        ("no key", 9),
        ("half a key", 9 + len(key.spki) // 2),
        ("half an algorithm", 10 + len(key.spki)),
        ("no length of the signature", 11 + len(key.spki)),
        ("half a length of the signature", 12 + len(key.spki)),
        ("no signature", 13 + len(key.spki)),
        ("half a signature", 50 + len(key.spki)),
        ("all but a byte", len(good) - 1),
    )
    for comment, size in fields:
        group.invalid("DecodeError", f"cut: {comment}", good[:size], "Truncated")
    for extra in (b"\0", b"\xff", bytes(16), good):
        comment = f"{len(extra)} bytes after the end" if extra != good else "the credential twice"
        group.invalid("DecodeError", comment, good + extra, "TrailingBytes")
    lengths = ((6, 3, len(key.spki), "key"), (11 + len(key.spki), 2, len(signature), "signature"))
    for at, size, length, what in lengths:
        for wrong in (0, 1, length - 1, length + 1, length + 256, 256**size - 1):
            changed = good[:at] + number(wrong, size) + good[at + size :]
            group.invalid("DecodeError", f"the {what} has {length} bytes, said to be {wrong}", changed, "WrongLength")
    algorithm = leaf.key.code_point
    group.invalid("DecodeError", "an empty key", mint(leaf, spki=b""), "EmptyField")
    group.invalid("DecodeError", "an empty signature", mint(leaf, sign=lambda _: b""), "EmptyField")
    group.invalid("DecodeError", "zeros", bytes(176), "WrongWrapping")
    group.invalid("DecodeError", "ones", b"\xff" * 176, "WrongWrapping")
    inner = cred(valid_time, key.code_point, key.spki)
    wrappings = (
        ("in its extension: type, length, data", b"\0\x22" + number(len(good), 2) + good),
        ("in a vector of 16 bits length", number(len(good), 2) + good),
        ("as hexadecimal text", good.hex().encode()),
        ("the Credential alone", inner),
        ("without the Credential", good[len(inner) :]),
        ("its parts in another order", good[len(inner) :] + inner),
        ("the length of the key in 16 bits", good[:6] + good[7:]),
        ("the length of the key in 32 bits", good[:6] + b"\0" + good[6:]),
        ("the length of the signature in 24 bits", good[: len(inner) + 2] + b"\0" + good[len(inner) + 2 :]),
        ("valid_time in 64 bits", bytes(4) + good),
        ("the leaf in its place", leaf.der),
        ("a SubjectPublicKeyInfo in its place", key.spki),
    )
    for comment, data in wrappings:
        group.invalid("DecodeError", comment, data, "WrongWrapping")
    large = seeded.key("OV-Is-pkc", "dc")
    if large.scheme.code_point is not None:
        group.invalid(
            "TooLarge",
            f"a real key of {len(large.raw)} bytes: more than an extension holds",
            pack(valid_time, large.code_point, large.spki, algorithm, leaf.key.sign(
                b" " * 64 + CONTEXT[SERVER] + b"\0" + leaf.der
                + cred(valid_time, large.code_point, large.spki) + number(algorithm, 2)
            )),
            "TooLarge", "PostQuantum", "PrivateCodePoint",
        )  # fmt: skip
    yield group
