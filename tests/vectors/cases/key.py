"""dc_cert_verify_algorithm and the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.vectors import der, seeded
from tests.vectors.shape import Group, Leaf, mint, number, p256_leaf

ECDSA = "1.2.840.10045.2.1"
CURVE = {"ECDSA-P256": "1.2.840.10045.3.1.7", "ECDSA-P384": "1.3.132.0.34", "ECDSA-P521": "1.3.132.0.35"}
SHA = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


def groups() -> Iterable[Group]:
    leaf = p256_leaf()
    yield _forbidden(leaf)
    yield _mismatched(leaf)
    yield _odd_ec(leaf)
    yield _odd_eddsa(leaf)
    yield _odd_rsa(leaf)


def _forbidden(leaf: Leaf) -> Group:
    group = Group(comment="algorithms that no credential may have", leaf=leaf.der)
    rsa = seeded.key("RSA-2048", "dc")
    pss = seeded.pss_spki(rsa.raw)
    p256 = seeded.key("ECDSA-P256", "dc")
    for name, point in (("sha256", 0x0804), ("sha384", 0x0805), ("sha512", 0x0806)):
        comment = f"rsa_pss_rsae_{name} with"
        group.invalid(
            "AlgorithmForbidden", f"{comment} an rsaEncryption key", mint(leaf, rsa, dcva=point), "ForbiddenAlgorithm"
        )
        group.invalid(
            "AlgorithmForbidden",
            f"{comment} an id-RSASSA-PSS key",
            mint(leaf, rsa, dcva=point, spki=pss),
            "ForbiddenAlgorithm",
        )
    others = (
        ("rsa_pkcs1_sha1", 0x0201),
        ("ecdsa_sha1", 0x0203),
        ("rsa_pkcs1_sha256", 0x0401),
        ("rsa_pkcs1_sha384", 0x0501),
        ("rsa_pkcs1_sha512", 0x0601),
    )
    for name, point in others:
        spki = p256.spki if "ecdsa" in name else pss
        group.invalid(
            "AlgorithmForbidden", f"{name}, no rsaEncryption", mint(leaf, spki=spki, dcva=point), "ForbiddenAlgorithm"
        )
    for point in (0x0809, 0x080A, 0x080B):
        group.invalid(
            "AlgorithmForbidden",
            f"an rsaEncryption key under 0x{point:04x}, which is for id-RSASSA-PSS keys",
            mint(leaf, rsa, dcva=point),
            "ForbiddenAlgorithm",
        )
    group.invalid(
        "AlgorithmForbidden",
        "an rsaEncryption key under ecdsa_secp256r1_sha256",
        mint(leaf, rsa, dcva=0x0403),
        "ForbiddenAlgorithm",
    )
    for point in (0x0000, 0x0A0A, 0x1A1A, 0xFAFA, 0xFFFF, 0x0404, 0x0703, 0x0101, 0x0402):
        group.invalid(
            "AlgorithmUnknown", f"dc_cert_verify_algorithm 0x{point:04x}", mint(leaf, dcva=point), "UnknownAlgorithm"
        )
    return group


def _mismatched(leaf: Leaf) -> Group:
    group = Group(comment="keys of another algorithm than dc_cert_verify_algorithm", leaf=leaf.der)
    names = ("ECDSA-P256", "ECDSA-P384", "ECDSA-P521", "Ed25519", "Ed448", "RSA-PSS-2048", "ML-DSA-44")
    for name in names:
        for other in names:
            if name != other:
                dc = mint(leaf, seeded.key(name, "dc"), dcva=seeded.key(other, "dc").code_point)
                flags = ("KeyMismatch", "PostQuantum") if "ML-DSA-44" in {name, other} else ("KeyMismatch",)
                group.invalid("KeyMismatch", f"a key of {name} under the code point of {other}", dc, *flags)
    return group


def _odd_ec(leaf: Leaf) -> Group:
    group = Group(comment="EC keys in other encodings, and points that are none", leaf=leaf.der)

    def refuse(comment: str, spki: bytes, flag: str = "OddKey", **more: Any) -> None:
        group.invalid("KeyMismatch", comment, mint(leaf, spki=spki, **more), flag)

    for name in ("ECDSA-P256", "ECDSA-P384", "ECDSA-P521"):
        key = seeded.key(name, "dc")
        half = len(key.raw) // 2
        x, y = key.raw[1 : 1 + half], key.raw[1 + half :]
        curve, point = der.oid(CURVE[name]), key.code_point
        group.valid(f"{name}, uncompressed, named curve", mint(leaf, key))
        refuse(f"{name}: a compressed point", der.spki(ECDSA, bytes([2 + (y[-1] & 1)]) + x, curve), dcva=point)
        refuse(f"{name}: a hybrid point", der.spki(ECDSA, bytes([6 + (y[-1] & 1)]) + x + y, curve), dcva=point)
        refuse(f"{name}: the point at infinity", der.spki(ECDSA, b"\0", curve), "InvalidKey", dcva=point)
        off = y[:-1] + bytes([y[-1] ^ 1])
        refuse(f"{name}: a point off the curve", der.spki(ECDSA, b"\4" + x + off, curve), "InvalidKey", dcva=point)
        zero = b"\4" + bytes(2 * half)
        refuse(f"{name}: the point (0, 0)", der.spki(ECDSA, zero, curve), "InvalidKey", dcva=point)
        refuse(
            f"{name}: a coordinate of the largest value",
            der.spki(ECDSA, b"\4" + b"\xff" * half + y, curve),
            "InvalidKey",
            dcva=point,
        )
        refuse(f"{name}: no parameters", der.spki(ECDSA, key.raw), dcva=point)
        refuse(f"{name}: NULL for parameters", der.spki(ECDSA, key.raw, der.NULL), dcva=point)
        refuse(f"{name}: a byte short", der.spki(ECDSA, key.raw[:-1], curve), dcva=point)
        refuse(f"{name}: a byte too many", der.spki(ECDSA, key.raw + b"\0", curve), dcva=point)
        refuse(f"{name}: without the byte 04", der.spki(ECDSA, key.raw[1:], curve), dcva=point)
        refuse(f"{name}: an OCTET STRING in the BIT STRING", der.spki(ECDSA, der.octets(key.raw), curve), dcva=point)
        refuse(f"{name}: the OID id-ecDH", der.spki("1.3.132.1.12", key.raw, curve), dcva=point)
    key = seeded.key("ECDSA-P256", "dc")
    refuse("P-256 with the OID of secp256k1", der.spki(ECDSA, key.raw, der.oid("1.3.132.0.10")))
    refuse("P-256 with explicit parameters", der.spki(ECDSA, key.raw, _explicit_p256()))
    _odd_containers(group, leaf, key)
    return group


def _odd_containers(group: Group, leaf: Leaf, key: seeded.Key) -> None:
    """What can be wrong around any key; the credential's own lengths are right."""
    spki = key.spki
    algorithm, bits = spki[2 : 4 + spki[3]], spki[4 + spki[3] :]
    name = key.scheme.name
    indefinite = b"\x30\x80" + spki[2:] + b"\0\0"
    cases = (
        ("bytes after the SPKI", spki + b"\0"),
        ("the SPKI twice", spki + spki),
        ("the SPKI cut", spki[:-1]),
        ("the length of the SEQUENCE in a long form", b"\x30\x81" + spki[1:]),
        ("the SEQUENCE of indefinite length", indefinite),
        ("a SET around it", b"\x31" + spki[1:]),
        ("unused bits in the BIT STRING", der.sequence(algorithm, der.bits(key.raw, 1))),
        ("an OCTET STRING for the key", der.sequence(algorithm, der.octets(key.raw))),
        ("an empty BIT STRING", der.sequence(algorithm, der.bits(b""))),
        ("a third element", der.sequence(algorithm, bits, der.NULL)),
        ("no algorithm", der.sequence(bits)),
        ("key and algorithm exchanged", der.sequence(bits, algorithm)),
        ("the raw key without SPKI", key.raw),
        ("one byte", b"\0"),
        ("an empty SEQUENCE", der.sequence()),
        (
            "an OID with a leading 80",
            spki.replace(b"\x06\x07\x2a", b"\x06\x08\x80\x2a")
            .replace(b"\x30\x13", b"\x30\x14")
            .replace(b"\x30\x59", b"\x30\x5a"),
        ),
        ("the leaf certificate", leaf.der),
        ("PEM", b"-----BEGIN PUBLIC KEY-----\n" + spki.hex().encode() + b"\n-----END PUBLIC KEY-----\n"),
    )
    for comment, data in cases:
        group.invalid("KeyMismatch", f"{name}: {comment}", mint(leaf, key, spki=data), "OddKey")


def _explicit_p256() -> bytes:
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    base = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    point = base.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return der.sequence(
        der.integer(1),
        der.sequence(der.oid("1.2.840.10045.1.1"), der.integer(prime)),
        der.sequence(der.octets(number(prime - 3, 32)), der.octets(number(b, 32))),
        der.octets(point),
        der.integer(ec.SECP256R1().group_order),
        der.integer(1),
    )


def _odd_eddsa(leaf: Leaf) -> Group:
    group = Group(comment="Edwards keys in other encodings", leaf=leaf.der)
    for name, oid, other in (("Ed25519", "1.3.101.112", "1.3.101.110"), ("Ed448", "1.3.101.113", "1.3.101.111")):
        key = seeded.key(name, "dc")
        group.valid(f"{name} without parameters", mint(leaf, key))
        cases = (
            ("NULL for parameters", der.spki(oid, key.raw, der.NULL)),
            ("a byte short", der.spki(oid, key.raw[:-1])),
            ("a byte too many", der.spki(oid, key.raw + b"\0")),
            ("an OCTET STRING in the BIT STRING", der.spki(oid, der.octets(key.raw))),
            ("the OID of the Diffie-Hellman function", der.spki(other, key.raw)),
        )
        for comment, spki in cases:
            group.invalid("KeyMismatch", f"{name}: {comment}", mint(leaf, key, spki=spki), "OddKey")
    return group


def _odd_rsa(leaf: Leaf) -> Group:
    group = Group(comment="RSASSA-PSS keys", leaf=leaf.der)
    key = seeded.key("RSA-PSS-2048", "dc")
    for digest, point, salt in (("sha256", 0x0809, 32), ("sha384", 0x080A, 48), ("sha512", 0x080B, 64)):
        with_parameters = seeded.pss_spki(key.raw, SHA[digest], salt)
        group.valid(f"no parameters, {digest}", mint(leaf, key, dcva=point))
        group.acceptable(
            "", f"parameters that say {digest} in full", mint(leaf, key, spki=with_parameters, dcva=point),
            "PssKeyParameters",
        )  # fmt: skip
    contradictions = (
        ("parameters of SHA-384 under the code point of SHA-256", seeded.pss_spki(key.raw, SHA["sha384"], 48)),
        ("parameters of SHA-1", seeded.pss_spki(key.raw, SHA["sha1"], 20)),
        ("a least salt length of 64 under the code point of SHA-256", seeded.pss_spki(key.raw, SHA["sha256"], 64)),
    )
    for comment, spki in contradictions:
        group.invalid("KeyMismatch", comment, mint(leaf, key, spki=spki), "PssKeyParameters")
    oid = seeded.RSASSA_PSS
    cases = (
        ("NULL for parameters", der.spki(oid, key.raw, der.NULL)),
        ("an empty SEQUENCE for parameters, which means SHA-1", der.spki(oid, key.raw, der.sequence())),
        ("a modulus of 2047 bits", der.spki(oid, _rsa_raw(key, lambda n: n >> 1 | 1))),
        ("a modulus of 1024 bits", der.spki(oid, _rsa_raw(key, lambda n: n >> 1024 | 1))),
        (
            "a negative modulus",
            der.spki(
                oid,
                key.raw.replace(b"\x02\x82\x01\x01\0", b"\x02\x82\x01\x00")[:2]
                + number(265, 2)
                + key.raw[4:].replace(b"\x02\x82\x01\x01\0", b"\x02\x82\x01\x00"),
            ),
        ),
        ("bytes after the RSAPublicKey", der.spki(oid, key.raw + b"\0")),
        ("an SPKI in the BIT STRING", der.spki(oid, key.spki)),
    )
    for comment, spki in cases:
        group.invalid("KeyMismatch", f"RSASSA-PSS: {comment}", mint(leaf, key, spki=spki), "OddKey")
    return group


def _rsa_raw(key: seeded.Key, change: Callable[[int], int]) -> bytes:
    modulus = int.from_bytes(key.raw[9:-5], "big")
    return der.sequence(der.integer(change(modulus)), der.integer(65537))
