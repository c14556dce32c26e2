"""What the verdict should be, worked out without pqdc's credential code.

That is: from what was minted, what was changed, and a model of RFC 9345 in integers and byte strings.

What may be accepted, and nothing else:

- a credential that the leaf's key signed as it stands, for that leaf and role, at a time at which it is valid: the
  mutation turned one valid credential into another, or moved the clock within its life;
- the same credential with another valid encoding of its signature, in schemes that have one (`another_signature`);
- a leaf that was mutated where chain and names are checked only, with a credential that its key signed for it as it is
  (`leaf_may_delegate`); and whatever RSA key of the right length the library takes, likewise signed again.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pqdc.scheme import backends
from pqdc.scheme.facts import Scheme
from tests.mutate.corpus import Corpus, LeafEntry
from tests.mutate.mutations import WEEK, Trial
from tests.vectors import der, seeded

LARGEST = 65_531
FORBIDDEN = {0x0201, 0x0203, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806}
NO, YES, EITHER = "refuse", "accept", "either"
# Public keys that are not bound by what is signed: another key may take the same signature (no exclusive ownership).
# A property of the scheme, known of multivariate ones and of Falcon. The keys of DC and leaf stand under a signature.
UNBOUND_FAMILIES = frozenset({"Falcon", "MAYO", "UOV", "SNOVA"})
FALCON_PADDED = {752: 666, 1462: 1280}  # liboqs's Falcon verifies both formats: compressed, and padded with zeros
P256 = (2**256 - 2**224 + 2**192 + 2**96 - 1, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B)
P384 = (
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
)
P521 = (
    2**521 - 1,
    0x051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
)
CURVES = {"ecdsa-p256": P256, "ecdsa-p384": P384, "ecdsa-p521": P521}


def expected(trial: Trial, corpus: Corpus) -> str:
    """What a verifier must say of `trial`."""
    entry = corpus.by_der.get(trial.leaf)
    if trial.broken:
        return NO
    if not trial.resigned:
        if entry is None or (trial.dc, trial.leaf, trial.role) not in corpus.valid:
            return NO
        return YES if _in_time(entry, int.from_bytes(trial.dc[:4], "big"), trial.now) else NO
    if entry is None:
        return EITHER  # a mutated leaf: judged by `leaf_may_delegate` if it is accepted
    if entry.key is not trial.original.leaf.key:
        return NO
    return _well_made(trial, entry)


def _in_time(leaf: LeafEntry, valid_time: int, now: int) -> bool:
    expiry = leaf.not_before + valid_time
    return leaf.not_before <= now <= leaf.not_after and now <= expiry <= min(now + WEEK, leaf.not_after)


def _well_made(trial: Trial, leaf: LeafEntry) -> str:
    valid_time, dcva, key, algorithm, _ = unpack(trial.dc)
    if len(trial.dc) > LARGEST or dcva in FORBIDDEN or algorithm != leaf.algorithm:
        return NO
    if not _in_time(leaf, valid_time, trial.now):
        return NO
    return key_is_of(dcva, key)


def unpack(dc: bytes) -> tuple[int, int, bytes, int, bytes]:
    """The parts of a DC that is known to be well-formed."""
    end = 9 + int.from_bytes(dc[6:9], "big")
    return (
        int.from_bytes(dc[:4], "big"),
        int.from_bytes(dc[4:6], "big"),
        dc[9:end],
        int.from_bytes(dc[end : end + 2], "big"),
        dc[end + 4 :],
    )


def key_is_of(code_point: int, key: bytes) -> str:
    """Whether an SPKI is one of that code point, by the bytes that all such keys begin with."""
    for scheme, prefix in _prefixes().get(code_point, ()):
        raw = key[len(prefix) :]
        if key.startswith(prefix) and len(raw) == scheme.public_key_bytes:
            if scheme.family == "RSA":
                return EITHER  # which modulus and exponent will do is left to the library
            return _on_curve(scheme, raw)
    return NO


@lru_cache(maxsize=1)
def _prefixes() -> dict[int, list[tuple[Scheme, bytes]]]:
    found: dict[int, list[tuple[Scheme, bytes]]] = {}
    for scheme in seeded.catalog().values():
        if scheme.code_point is None or not scheme.spki_oid:
            continue
        own = b""
        if scheme.key_parameters:
            own = der.NULL if scheme.key_parameters == "NULL" else der.oid(scheme.key_parameters)
        for parameters in (own, bytes.fromhex(scheme.key_parameters_too)):
            whole = der.spki(scheme.spki_oid, bytes(scheme.public_key_bytes), parameters)
            found.setdefault(scheme.code_point, []).append((scheme, whole[: -scheme.public_key_bytes]))
            if not scheme.key_parameters_too:
                break
    return found


def _on_curve(scheme: Scheme, raw: bytes) -> str:
    curve = CURVES.get(scheme.backends.get("openssl", ""))
    if curve is None:  # which points of other curves do is left to the library; of others, any bytes are a key
        return EITHER if scheme.family == "ECDSA" else YES
    prime, b = curve
    half = len(raw) // 2
    x, y = int.from_bytes(raw[1 : 1 + half], "big"), int.from_bytes(raw[1 + half :], "big")
    return YES if raw[0] == 4 and x < prime and y < prime and (y * y - x**3 + 3 * x - b) % prime == 0 else NO


def other_encoding(trial: Trial, corpus: Corpus) -> str:
    """How an accepted DC's signature is the original's after all, differently written; empty if it is not."""
    minted = trial.original
    if trial.leaf != minted.leaf.der or trial.role is not minted.role:
        return ""
    if not _in_time(minted.leaf, minted.valid_time, trial.now):
        return ""
    if trial.dc[: 11 + len(minted.spki)] != minted.dc[: 11 + len(minted.spki)]:
        return ""
    return another_signature(minted.leaf.key.scheme, minted.signature, trial.dc[13 + len(minted.spki) :])


def another_signature(scheme: Scheme, one: bytes, other: bytes) -> str:
    """Why `other` is a valid signature wherever `one` is; empty if there is no known reason."""
    if scheme.family == "ECDSA":
        order = seeded.CURVES[scheme.backends["openssl"]][0].group_order
        try:
            (r, s), (other_r, other_s) = decode_dss_signature(one), decode_dss_signature(other)
        except ValueError:
            return ""
        return "ECDSA: (r, n - s)" if r == other_r and s + other_s == order else ""
    if scheme.family == "Falcon" and scheme.signature_length == "max":
        padded = FALCON_PADDED[scheme.signature_bytes]
        return "Falcon: zeros up to the padded length" if other == one + bytes(max(padded - len(one), 0)) else ""
    return ""


def leaf_may_delegate(leaf: bytes, original: LeafEntry, valid_time: int, now: int) -> bool:
    """Whether a mutated leaf still says all that RFC 9345 asks of one, with the original's key, at that time.

    Names and other extensions may be damaged: they are for the chain's checks, which nobody makes here.
    """
    try:
        to_be_signed, *_ = elements(elements(leaf)[0][1])
        parts = [part for part in elements(to_be_signed[1]) if part[0] not in {0x81, 0x82}]
        version, serial, _, _, validity, _, key, extensions = parts
        if bytes(part[0] for part in parts) != b"\xa0\x02\x30\x30\x30\x30\x30\xa3" or version[1] != b"\2\1\2":
            return False
        if serial[1][0] & 0x80 or not any(serial[1]):
            return False
        start, end = (_seconds(tag, text) for tag, text, _ in elements(validity[1]))
        found = [_extension(whole[1]) for whole in elements(elements(extensions[1])[0][1])]
    except (ValueError, IndexError):
        return False
    usage = [value for oid, _, value in found if oid == KEY_USAGE]
    delegation = [(critical, value) for oid, critical, value in found if oid == DELEGATION_USAGE]
    return (
        len({oid for oid, _, _ in found}) == len(found)
        and len(usage) == 1
        and usage[0][0] == 3
        and bool(usage[0][3] & 0x80)
        and delegation == [(False, der.NULL)]
        and key[2] == original.key.spki
        and start <= now <= end
        and now <= start + valid_time <= min(now + WEEK, end)
    )


KEY_USAGE, DELEGATION_USAGE = der.oid(der.KEY_USAGE_OID), der.oid(der.DELEGATION_USAGE_OID)


def elements(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Tag, content, and the whole of each element: a reader of its own, short and not strict."""
    found, at = [], 0
    while at < len(data):
        tag, size, start = data[at], data[at + 1], at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[at + 2 : start], "big")
        found.append((tag, data[start : start + size], data[at : start + size]))
        at = start + size
    return found


def _extension(content: bytes) -> tuple[bytes, bool, bytes]:
    oid, *critical, value = elements(content)
    return oid[2], bool(critical) and critical[0][1] != b"\0", value[1]


def _seconds(tag: int, text: bytes) -> int:
    digits = text.decode("ascii").removesuffix("Z")
    if tag == 0x17:
        digits = ("19" if digits >= "50" else "20") + digits
    return int(datetime.strptime(digits + "+0000", "%Y%m%d%H%M%S%z").timestamp())


def uncomputable(code_point: int) -> bool:
    """Whether nothing here computes any scheme of that code point, so that a verifier may say just that."""
    schemes = [scheme for scheme in seeded.catalog().values() if scheme.code_point == code_point]
    return bool(schemes) and not any(backends.available(scheme) for scheme in schemes)
