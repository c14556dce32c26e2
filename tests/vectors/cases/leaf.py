"""What a leaf must say to delegate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.vectors import der, seeded
from tests.vectors.shape import END, Group, make_leaf, mint, p256_leaf


def groups() -> Iterable[Group]:
    key = seeded.key("ECDSA-P256", "leaf")
    cases: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("", "KeyUsage not critical", "KeyUsage", {"key_usage": (_usage(b"\x80", 7, critical=False),)}),
        ("", "KeyUsage with other bits besides", "KeyUsage", {"key_usage": (_usage(b"\xa0", 5),)}),
        ("", "KeyUsage of nine bits", "KeyUsage", {"key_usage": (_usage(b"\x88\x80", 7),)}),
        ("", "an unknown extension that is not critical", "Valid", {"more": (der.extension("1.2.3.4", b"\5\0"),)}),
        ("", "the largest serial number, 20 bytes", "Valid", {"serial": 2**159 - 1}),
        ("DelegationUsageMissing", "no DelegationUsage", "MissingExtension", {"delegation": ()}),
        ("DelegationUsageMissing", "an OID next to that of DelegationUsage", "MissingExtension",
         {"delegation": (der.extension("1.3.6.1.4.1.44363.45", der.NULL),)}),
        ("DelegationUsageMissing", "an OID that DelegationUsage's begins with", "MissingExtension",
         {"delegation": (der.extension("1.3.6.1.4.1.44363", der.NULL),)}),
        ("DelegationUsageMissing", "an OID that begins with DelegationUsage's", "MissingExtension",
         {"delegation": (der.extension("1.3.6.1.4.1.44363.44.1", der.NULL),)}),
        ("DelegationUsageCritical", "DelegationUsage critical", "DelegationUsage",
         {"delegation": (der.extension(der.DELEGATION_USAGE_OID, der.NULL, critical=True),)}),
        *(
            ("DelegationUsageNotNull", f"DelegationUsage of {value.hex() or 'nothing'}", "DelegationUsage",
             {"delegation": (der.extension(der.DELEGATION_USAGE_OID, value),)})
            for value in (b"", b"\5", b"\5\1\0", b"\5\x81\0", b"\5\0\0", b"\5\0\5\0", b"\x30\0", b"\x30\2\5\0",
                          b"\1\1\xff", b"\4\0", b"\x25\0")
        ),
        ("KeyUsageMissing", "no KeyUsage", "MissingExtension", {"key_usage": ()}),
        ("KeyUsageMissing", "a KeyUsage that is no BIT STRING", "KeyUsage",
         {"key_usage": (der.extension(der.KEY_USAGE_OID, der.octets(b"\x80"), critical=True),)}),
        ("KeyUsageMissing", "an empty KeyUsage extension", "KeyUsage",
         {"key_usage": (der.extension(der.KEY_USAGE_OID, b"", critical=True),)}),
        ("DigitalSignatureMissing", "KeyUsage keyEncipherment", "KeyUsage", {"key_usage": (_usage(b"\x20", 5),)}),
        ("DigitalSignatureMissing", "KeyUsage nonRepudiation", "KeyUsage", {"key_usage": (_usage(b"\x40", 6),)}),
        ("DigitalSignatureMissing", "KeyUsage keyAgreement", "KeyUsage", {"key_usage": (_usage(b"\x08", 3),)}),
        ("DigitalSignatureMissing", "KeyUsage without a bit", "KeyUsage",
         {"key_usage": (der.extension(der.KEY_USAGE_OID, b"\x03\x01\x00", critical=True),)}),
        ("LeafMalformed", "DelegationUsage twice", "OddLeaf",
         {"delegation": (der.DELEGATION_USAGE, der.DELEGATION_USAGE)}),
        ("LeafMalformed", "KeyUsage twice", "OddLeaf", {"key_usage": (der.KEY_USAGE, der.KEY_USAGE)}),
        ("LeafMalformed", "another extension twice", "OddLeaf",
         {"more": (der.extension("1.2.3.4", b"\5\0"), der.extension("1.2.3.4", b"\5\0"))}),
        ("LeafMalformed", "version 1 with extensions", "OddLeaf", {"version": b""}),
        ("LeafMalformed", "version 2 with extensions", "OddLeaf", {"version": der.tlv(0xA0, der.integer(1))}),
        ("LeafMalformed", "version 4", "OddLeaf", {"version": der.tlv(0xA0, der.integer(3))}),
        ("LeafMalformed", "serial number 0", "OddLeaf", {"serial": 0}),
        ("LeafMalformed", "a negative serial number", "OddLeaf", {"serial": -1}),
        ("LeafMalformed", "GeneralizedTime for a year that UTCTime has", "OddLeaf",
         {"not_after": der.generalized_time(END)}),
        ("DecodeError", "UTCTime without seconds", "OddLeaf", {"not_after": der.tlv(0x17, b"2504010000Z")}),
        ("DecodeError", "UTCTime with an offset", "OddLeaf", {"not_after": der.tlv(0x17, b"250401000000+0000")}),
        ("DecodeError", "GeneralizedTime with fractions", "OddLeaf",
         {"not_after": der.tlv(0x18, b"20250401000000.5Z")}),
        ("DecodeError", "a thirteenth month", "OddLeaf", {"not_after": der.tlv(0x17, b"251301000000Z")}),
        ("DecodeError", "an INTEGER for a time", "OddLeaf", {"not_after": der.integer(END)}),
    )  # fmt: skip
    for refusal, comment, flag, recipe in cases:
        leaf = make_leaf(key, **recipe)
        group = Group(comment=comment, leaf=leaf.der)
        rule = {"rule": "V0"} if refusal == "DecodeError" else {}
        group.judged(refusal, comment, mint(leaf), flag, **rule)
        yield group
    good = p256_leaf()
    for comment, data in (
        ("bytes after the leaf", good.der + b"\0"),
        ("the leaf cut", good.der[:-1]),
        ("an empty SEQUENCE for a leaf", der.sequence()),
        ("a SubjectPublicKeyInfo for a leaf", key.spki),
    ):
        group = Group(comment=comment, leaf=data)
        group.invalid("DecodeError", comment, mint(replace(good, der=data)), "OddLeaf", rule="V0")
        yield group
    yield _leaf_keys()


def _leaf_keys() -> Group:
    """A key in the leaf that is none: the signature is good under the key that it should have been."""
    key = seeded.key("ECDSA-P256", "leaf")
    off = key.raw[:-1] + bytes([key.raw[-1] ^ 1])
    leaf = make_leaf(key, spki=key.spki.replace(key.raw, off))
    group = Group(comment="a leaf whose point is off the curve", leaf=leaf.der)
    group.invalid("LeafAlgorithmMismatch", "a leaf whose point is off the curve", mint(leaf), "InvalidKey")
    return group


def _usage(content: bytes, unused: int, *, critical: bool = True) -> bytes:
    return der.extension(der.KEY_USAGE_OID, der.bits(content, unused), critical=critical)
