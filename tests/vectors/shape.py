"""What a vector is: a leaf, credentials under it, and what a verifier must say of them.

Credentials are packed and signed here, without pqdc's own code, so that it is judged by the vectors and not by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.vectors import der, seeded

DAY, WEEK = 86_400, 7 * 86_400
START = 1_735_689_600  # 2025-01-01T00:00:00Z, the leaves' notBefore
END = START + 90 * DAY
NOW = START + 30 * DAY
EXPIRY = NOW + DAY
SERVER, CLIENT = "server", "client"
CONTEXT = {SERVER: b"TLS, server delegated credentials", CLIENT: b"TLS, client delegated credentials"}


RULES = {
    # refusal: rule, alert
    "DecodeError": ("V7", "decode_error"),
    "TooLarge": ("M4", "decode_error"),
    "LeafMalformed": ("V0", "bad_certificate"),
    "LeafNotYetValid": ("V0", "certificate_expired"),
    "LeafExpired": ("V0", "certificate_expired"),
    "Expired": ("V1", "illegal_parameter"),
    "LifetimeTooLong": ("V2", "illegal_parameter"),
    "BeyondLeaf": ("M2", "illegal_parameter"),
    "AlgorithmForbidden": ("M3", "illegal_parameter"),
    "LeafAlgorithmMismatch": ("M6", "illegal_parameter"),
    "DelegationUsageMissing": ("V4", "illegal_parameter"),
    "KeyUsageMissing": ("V4", "illegal_parameter"),
    "DigitalSignatureMissing": ("V4", "illegal_parameter"),
    "DelegationUsageCritical": ("M7", "illegal_parameter"),
    "DelegationUsageNotNull": ("M7", "illegal_parameter"),
    "SignatureInvalid": ("V5", "illegal_parameter"),
    "KeyMismatch": ("V6", "illegal_parameter"),
    "AlgorithmUnknown": ("V6", "illegal_parameter"),
}

FLAGS = {
    "Valid": ("BASIC", "An ordinary credential that must be accepted."),
    "Boundary": ("EDGE_CASE", "Times, lengths or numbers at the last value that is allowed, or the first that is not."),
    "LeafValidity": ("MISSING_STEP", "The leaf itself is not valid at this time; a credential does not change that."),
    "OddTime": ("EDGE_CASE", "The leaf's validity is before 1970, after 2038, or at the ends of UTCTime."),
    "AbsoluteTime": ("KNOWN_BUG", "valid_time was written as Unix time, not relative to the leaf's notBefore."),
    "BeyondLeaf": ("POLICY", "The credential ends after its leaf. RFC 9345 forbids minting it; a peer need not look."),
    "Truncated": ("MODIFIED_PARAMETER", "Bytes are missing at the end."),
    "TrailingBytes": ("MODIFIED_PARAMETER", "Bytes follow the end of the structure."),
    "WrongLength": ("MODIFIED_PARAMETER", "A length field does not say the length of what follows."),
    "EmptyField": ("MODIFIED_PARAMETER", "A vector of at least one byte is empty."),
    "WrongWrapping": ("KNOWN_BUG", "The structure came with a header, in another encoding, or as a part of itself."),
    "TooLarge": ("EDGE_CASE", "Larger than an extension of TLS can hold, so it can come from a file only."),
    "WrongRole": ("MISSING_STEP", "A client's credential used by a server, or the other way round (context string)."),
    "WrongSignedBytes": ("KNOWN_BUG", "Signed by the right key, but not over the right bytes in the right order."),
    "WrongKey": ("MISSING_STEP", "Signed by another key than the leaf's."),
    "WrongLeaf": ("MISSING_STEP", "Signed under another certificate, of the same key or not."),
    "ModifiedSignature": ("MODIFIED_PARAMETER", "A valid signature was changed."),
    "SignatureMalleability": ("SIGNATURE_MALLEABILITY", "A valid signature, made from another without the key."),
    "InvalidEncoding": ("BER_ENCODED_SIGNATURE", "A signature in an encoding that is not DER, or not that of TLS."),
    "PssParameters": (
        "WEAK_PARAMS",
        "RSASSA-PSS with other hash, mask or salt length than RFC 8446 section 4.2.3 says.",
    ),
    "WrongLeafAlgorithm": ("MISSING_STEP", "algorithm is not one of the leaf's key."),
    "ForbiddenAlgorithm": (
        "MISSING_STEP",
        "An algorithm or key type that RFC 9345 or RFC 8446 rules out for credentials.",
    ),
    "UnknownAlgorithm": ("EDGE_CASE", "A SignatureScheme that is not assigned; it cannot have been offered."),
    "KeyMismatch": ("MISSING_STEP", "The SubjectPublicKeyInfo is not one of dc_cert_verify_algorithm."),
    "OddKey": ("INVALID_KEY", "A SubjectPublicKeyInfo in an encoding that the key type does not have."),
    "InvalidKey": ("INVALID_KEY", "A well-formed SubjectPublicKeyInfo that holds no public key."),
    "PssKeyParameters": ("POLICY", "An id-RSASSA-PSS key with parameters, which implementations treat differently."),
    "MissingExtension": ("MISSING_STEP", "The leaf lacks an extension that RFC 9345 section 4.2 wants."),
    "DelegationUsage": ("MISSING_STEP", "The leaf's DelegationUsage is critical or not NULL."),
    "KeyUsage": ("MISSING_STEP", "The leaf's KeyUsage does not allow digital signatures, or cannot be read."),
    "OddLeaf": ("EDGE_CASE", "A leaf that breaks RFC 5280; many libraries raise, some accept."),
    "PostQuantum": ("FUNCTIONALITY", "The credential's or the leaf's key is of a post-quantum scheme."),
    "PrivateCodePoint": (
        "FUNCTIONALITY",
        "A code point without IANA assignment, as oqs-provider uses; skip if unknown.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A leaf and its key. `key` may be of any scheme; RSA keys sign under several."""

    der: bytes
    key: seeded.Key
    start: int = START
    end: int = END


@dataclass(frozen=True, kw_only=True)
class Test:
    comment: str
    dc: bytes
    flags: tuple[str, ...]
    refusal: str = ""  # of a strict verifier; empty for a credential that is valid
    result: str = ""
    now: int = NOW
    role: str = SERVER
    rule: str = ""
    also: tuple[str, ...] = ()  # other rules that cannot but be broken with it


@dataclass(kw_only=True)
class Group:
    comment: str
    leaf: bytes
    tests: list[Test] = field(default_factory=list)

    def valid(self, comment: str, dc: bytes, *flags: str, **more: Any) -> None:
        self.tests.append(Test(comment=comment, dc=dc, flags=flags or ("Valid",), **more))

    def invalid(self, refusal: str, comment: str, dc: bytes, *flags: str, **more: Any) -> None:
        self.tests.append(Test(comment=comment, dc=dc, flags=flags, refusal=refusal, **more))

    def judged(self, refusal: str, comment: str, dc: bytes, *flags: str, **more: Any) -> None:
        """Invalid with a refusal, valid without one."""
        self.tests.append(Test(comment=comment, dc=dc, flags=flags, refusal=refusal, **more))

    def acceptable(self, refusal: str, comment: str, dc: bytes, *flags: str, **more: Any) -> None:
        self.tests.append(Test(comment=comment, dc=dc, flags=flags, refusal=refusal, result="acceptable", **more))


# ---- making credentials


def pack(valid_time: int, dcva: int, key: bytes, algorithm: int, signature: bytes) -> bytes:
    return cred(valid_time, dcva, key) + number(algorithm, 2) + number(len(signature), 2) + signature


def cred(valid_time: int, dcva: int, key: bytes) -> bytes:
    return number(valid_time, 4) + number(dcva, 2) + number(len(key), 3) + key


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def make_leaf(key: seeded.Key, *, start: int = START, end: int = END, **recipe: Any) -> Leaf:
    ca = seeded.key("ECDSA-P256", "CA")
    facts = {"spki": key.spki, "not_before": der.time(start), "not_after": der.time(end)} | recipe
    return Leaf(der=der.Recipe(**facts).issue(ca.sign), key=key, start=start, end=end)


def mint(
    leaf: Leaf,
    key: seeded.Key | None = None,
    *,
    role: str = SERVER,
    expiry: int = EXPIRY,
    valid_time: int | None = None,
    dcva: int | None = None,
    spki: bytes | None = None,
    algorithm: int | None = None,
    sign: Callable[[bytes], bytes] | None = None,
    signed: Callable[[bytes, bytes, bytes, bytes], bytes] | None = None,
) -> bytes:
    """A credential; what is given replaces what would be right. `signed` composes head, leaf, cred and algorithm."""
    key = key or seeded.key("ECDSA-P256", "dc")
    valid_time = expiry - leaf.start if valid_time is None else valid_time
    dcva = key.code_point if dcva is None else dcva
    spki = key.spki if spki is None else spki
    algorithm = leaf.key.code_point if algorithm is None else algorithm
    parts = (b" " * 64 + CONTEXT[role] + b"\0", leaf.der, cred(valid_time, dcva, spki), number(algorithm, 2))
    message = signed(*parts) if signed else b"".join(parts)
    return pack(valid_time, dcva, spki, algorithm, (sign or leaf.key.sign)(message))


def p256_leaf() -> Leaf:
    return make_leaf(seeded.key("ECDSA-P256", "leaf"))
