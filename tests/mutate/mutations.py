"""The mutations. Each draws from a seeded generator and gives a `Trial`; none asks pqdc's verifier anything."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pqdc.credential.structures import Role
from pqdc.scheme.facts import Scheme
from tests.mutate.corpus import DAY, NOW, Corpus, Minted, PrivateFile, Signed, pack, to_be_signed
from tests.vectors import der
from tests.vectors.seeded import CURVES

WEEK = 7 * DAY


# ---- of any bytes


def _one_bit(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    out = bytearray(data)
    bit = int(rng.random() * len(out) * 8)
    out[bit >> 3] ^= 1 << (bit & 7)
    return bytes(out)


def _some_bits(rng: random.Random, data: bytes, other: bytes) -> bytes:
    for _ in range(2 + int(rng.random() * 15)):
        data = _one_bit(rng, data, other)
    return data


def _one_byte(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    out = bytearray(data)
    at = int(rng.random() * len(out))
    out[at] = rng.choice((0, 0xFF, 0x7F, 0x80, (out[at] + 1) & 0xFF, (out[at] - 1) & 0xFF, rng.getrandbits(8)))
    return bytes(out)


def _truncated(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    return data[: -1 - int(rng.random() * min(len(data), 1 << int(rng.random() * 17)))]


def _beheaded(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    return data[1 + int(rng.random() * min(len(data), 1 << int(rng.random() * 17))) :]


def _appended(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    size = 1 + int(rng.random() * (1 << int(rng.random() * 10)))
    return data + (bytes(size) if rng.random() < 0.5 else rng.randbytes(size))


def _inserted(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at, size = int(rng.random() * len(data)), 1 + int(rng.random() * 8)
    return data[:at] + (bytes(size) if rng.random() < 0.5 else rng.randbytes(size)) + data[at:]


def _deleted(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at = int(rng.random() * len(data))
    return data[:at] + data[at + 1 + int(rng.random() * 8) :]


def _repeated(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at = int(rng.random() * len(data))
    end = at + 1 + int(rng.random() * 64)
    return data[:end] + data[at:end] + data[end:]


def _overwritten(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """A stretch replaced by the same stretch of something of its kind."""
    at = int(rng.random() * len(data))
    end = min(at + 1 + int(rng.random() * 64), len(data))
    return data[:at] + (other[at:end] + bytes(end - at))[: end - at] + data[end:]


def _zeroed(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at = int(rng.random() * len(data))
    end = min(at + 1 + int(rng.random() * 64), len(data))
    return data[:at] + (b"\0" if rng.random() < 0.5 else b"\xff") * (end - at) + data[end:]


def _spliced(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """The beginning of one, the end of another."""
    at = int(rng.random() * len(data))
    return data[:at] + other[at:]


def _random(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    return rng.randbytes(len(data))


def _swapped(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    """Two stretches of one length change places."""
    size = 1 + int(rng.random() * 32)
    if len(data) < 2 * size:
        return data[::-1]
    first = int(rng.random() * (len(data) - 2 * size + 1))
    second = first + size + int(rng.random() * (len(data) - first - 2 * size + 1))
    middle = data[first + size : second]
    return data[:first] + data[second : second + size] + middle + data[first : first + size] + data[second + size :]


BYTES: tuple[tuple[str, Callable[[random.Random, bytes, bytes], bytes]], ...] = (
    ("one bit", _one_bit),
    ("one bit", _one_bit),
    ("one bit", _one_bit),
    ("several bits", _some_bits),
    ("one byte", _one_byte),
    ("one byte", _one_byte),
    ("truncated", _truncated),
    ("beheaded", _beheaded),
    ("appended", _appended),
    ("inserted", _inserted),
    ("deleted", _deleted),
    ("repeated", _repeated),
    ("overwritten from another", _overwritten),
    ("zeros or ones", _zeroed),
    ("spliced with another", _spliced),
    ("random", _random),
    ("swapped stretches", _swapped),
)


def some_bytes(rng: random.Random, data: bytes, other: bytes) -> tuple[str, bytes]:
    """A mutation of `data`; never `data` itself."""
    if not data:
        return "appended", rng.randbytes(1 + int(rng.random() * 8))
    while True:
        name, mutate = rng.choice(BYTES)
        if (out := mutate(rng, data, other)) != data:
            return name, out


# ---- of signatures: other ways to write one, some of which are valid in some schemes

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def rewritten(rng: random.Random, scheme: Scheme, signature: bytes, raw: bytes) -> bytes:
    """The signature otherwise: with the scheme's known malleability, or in an encoding that only a lax reader takes."""
    if scheme.family == "ECDSA":
        n = CURVES[scheme.backends["openssl"]][0].group_order
        r, s = decode_dss_signature(signature)
        r, s = rng.choice(
            ((r, n - s), (r, n - s), (r + n, s), (r, s + n), (-r, s), (r, -s), (n - r, s), (0, s), (r, 0))
        )
        parts = [der.integer(r), der.integer(s)]
        odd = rng.random()
        if odd < 0.1:
            parts[1] = b"\x02" + bytes([parts[1][1] + 1]) + b"\0" + parts[1][2:]  # a leading zero too many
        elif odd < 0.2:
            parts.append(der.NULL)
        whole = der.sequence(*parts)
        if 0.2 < odd < 0.3:
            whole = b"\x30\x81" + whole[1:] if whole[1] < 0x80 else b"\x30\x82\0" + whole[2:]
        return whole
    if scheme.family == "Falcon":
        length = rng.choice((666, 1280, scheme.signature_bytes, len(signature) + 1))
        return signature + bytes(max(length - len(signature), 0))
    if scheme.family == "RSA":
        modulus = int.from_bytes(raw[raw.index(b"\x02") + 4 : -5], "big")
        number = int.from_bytes(signature, "big")
        number = rng.choice((modulus - number, number + modulus))
        return number.to_bytes(len(signature) + number.bit_length() // 8, "big")[-len(signature) :]
    if scheme.name == "Ed25519":
        scalar = int.from_bytes(signature[32:], "little") + ED25519_ORDER * (1 + int(rng.random() * 14))
        return signature[:32] + (scalar % 2**256).to_bytes(32, "little")
    return signature + b"\0"


# ---- of credentials and what they come with


@dataclass(slots=True)
class Trial:
    """What pqdc is asked to verify. `kind` says what was done to `original`."""

    kind: str
    original: Minted
    dc: bytes
    leaf: bytes
    role: Role
    now: int
    resigned: bool = False  # the leaf's key signed what is here now: the oracle must judge what it says
    broken: bool = False  # it signed something that is no credential


def _as_it_is(minted: Minted, kind: str) -> Trial:
    return Trial(kind=kind, original=minted, dc=minted.dc, leaf=minted.leaf.der, role=minted.role, now=NOW)


def _dc_bytes(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    name, dc = some_bytes(rng, minted.dc, rng.choice(corpus.minted).dc)
    trial = _as_it_is(minted, f"DC: {name}")
    trial.dc = dc
    return trial


def _dc_header(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """Bytes of the fixed fields and lengths only: in a DC of 40 kB chance hardly ever hits them."""
    end = 9 + len(minted.spki)
    at = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, end, end + 1, end + 2, end + 3, 9, 10, 11, 12, end + 4, end + 5))
    trial = _as_it_is(minted, "DC: a byte of fields and lengths")
    out = bytearray(minted.dc)
    out[at] ^= rng.choice((1, 2, 4, 8, 16, 32, 64, 128, 255, 1 + int(rng.random() * 255)))
    trial.dc = bytes(out)
    return trial


def _dc_length(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    at, size, length = rng.choice(((6, 3, len(minted.spki)), (11 + len(minted.spki), 2, len(minted.signature))))
    wrong = rng.choice((0, 1, length - 1, length + 1, length * 2, 256**size - 1, length ^ 0x100, rng.getrandbits(16)))
    trial = _as_it_is(minted, "DC: a length")
    trial.dc = minted.dc[:at] + (wrong % 256**size).to_bytes(size, "big") + minted.dc[at + size :]
    return trial


def _field(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """One part changed, all lengths right."""
    other = rng.choice(corpus.minted)
    parts = {
        "valid_time": minted.valid_time,
        "dcva": minted.dcva,
        "key": minted.spki,
        "algorithm": minted.leaf.algorithm,
        "signature": minted.signature,
    }
    choice = rng.choice(
        (
            "valid_time",
            "dcva",
            "algorithm",
            "key of another",
            "key and code point of another",
            "signature of another",
            "key",
            "signature",
        )
    )
    match choice:
        case "valid_time":
            parts["valid_time"] = _some_valid_time(rng, minted)
        case "dcva":
            parts["dcva"] = _some_code_point(rng, corpus)
        case "algorithm":
            parts["algorithm"] = _some_code_point(rng, corpus)
        case "key of another":
            parts["key"] = other.spki
        case "key and code point of another":
            parts |= {"key": other.spki, "dcva": other.dcva}
        case "signature of another":
            parts["signature"] = other.signature
        case _:
            parts[choice] = some_bytes(rng, parts[choice], getattr(other, "spki" if choice == "key" else choice))[1]
    trial = _as_it_is(minted, f"DC part: {choice}")
    trial.dc = pack(*parts.values())
    return trial


def _some_valid_time(rng: random.Random, minted: Minted) -> int:
    value = rng.choice(
        (
            minted.valid_time + rng.choice((-1, 1, -60, 60, -3600, 3600)),
            NOW - minted.leaf.not_before + rng.choice((-1, 0, 1, WEEK - 1, WEEK, WEEK + 1)),
            minted.leaf.not_after - minted.leaf.not_before + rng.choice((-1, 0, 1)),
            0,
            2**32 - 1,
            2**31,
            rng.getrandbits(32),
            minted.expiry,
        )
    )
    return value % 2**32


def _some_code_point(rng: random.Random, corpus: Corpus) -> int:
    return rng.choice(corpus.code_points) if rng.random() < 0.8 else rng.getrandbits(16)


def _rewritten(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    key = minted.leaf.key
    trial = _as_it_is(minted, "DC: the signature written otherwise")
    signature = rewritten(rng, key.scheme, minted.signature, key.raw)
    trial.dc = pack(minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm, signature)
    return trial


def _role(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    trial = _as_it_is(minted, "the other role")
    trial.role = minted.role.other
    return trial


def _leaf(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    trial = _as_it_is(minted, "another leaf")
    trial.leaf = rng.choice(corpus.leaves).der
    return trial


def _whole(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """Another credential with this leaf: valid where it is of the same leaf."""
    trial = _as_it_is(minted, "another DC")
    trial.dc = rng.choice(corpus.minted).dc
    return trial


def _leaf_bytes(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    name, leaf = some_bytes(rng, minted.leaf.der, rng.choice(corpus.leaves).der)
    trial = _as_it_is(minted, f"leaf: {name}")
    trial.leaf = leaf
    return trial


def _leaf_signature(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """The CA's signature on the leaf: a reissued leaf is another leaf."""
    trial = _as_it_is(minted, "leaf: the CA's signature")
    out = bytearray(minted.leaf.der)
    out[-1 - int(rng.random() * 60)] ^= 1 + int(rng.random() * 255)
    trial.leaf = bytes(out)
    return trial


def _time(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    edges = (minted.expiry, minted.expiry - WEEK, minted.leaf.not_before, minted.leaf.not_after, NOW)
    trial = _as_it_is(minted, "time")
    trial.now = (
        rng.choice(edges) + rng.choice((-2, -1, 0, 1, 2, int(rng.gauss(0, DAY))))
        if rng.random() < 0.9
        else rng.getrandbits(34)
    )
    return trial


def _stacked(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """Several at once."""
    trial = _field(rng, corpus, minted)
    trial.kind = "several at once"
    trial.role = rng.choice((minted.role, minted.role.other))
    trial.leaf = rng.choice((minted.leaf.der, minted.leaf.der, rng.choice(corpus.leaves).der))
    if rng.random() < 0.5:
        trial.now = minted.expiry + int(rng.gauss(-3 * DAY, 4 * DAY))
    if rng.random() < 0.3:
        trial.dc = some_bytes(rng, trial.dc, minted.dc)[1]
    return trial


# ---- signed again: what the leaf's key says is new, so the signature does not save the verifier from judging it

QUICK_SIGNERS = frozenset({0x0403, 0x0807})  # the RSA here is Python's


def _resigned(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:  # noqa: C901 - one arm for each kind
    other = rng.choice(corpus.minted)
    valid_time, dcva, key, algorithm = minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm
    choice = rng.choice(
        (
            "valid_time",
            "dc_cert_verify_algorithm",
            "algorithm",
            "SPKI",
            "SPKI",
            "first bytes of the SPKI",
            "key of another",
            "key and code point of another",
            "role",
            "valid_time and time",
            "valid_time and time",
            "a key too large",
        )
    )
    role, now = minted.role, NOW
    match choice:
        case "valid_time":
            valid_time = _some_valid_time(rng, minted)
        case "dc_cert_verify_algorithm":
            dcva = _some_code_point(rng, corpus)
        case "algorithm":
            algorithm = _some_code_point(rng, corpus)
        case "SPKI":
            key = some_bytes(rng, key, other.spki)[1] or b"\0"
        case "first bytes of the SPKI":
            key = some_bytes(rng, key[:32], other.spki[:32])[1] + key[32:]
        case "key of another":
            key = other.spki
        case "key and code point of another":
            key, dcva = other.spki, other.dcva
        case "role":
            role = role.other
        case "valid_time and time":
            start, end = minted.leaf.not_before, minted.leaf.not_after
            now = rng.choice((start, end)) + rng.choice((-DAY, -2, -1, 0, 1, 2, DAY))
            expiry = rng.choice((now, now, end)) + rng.choice((-1, 0, 1, DAY, WEEK - 1, WEEK, WEEK + 1))
            valid_time = (expiry - start) % 2**32
        case "a key too large":
            key, dcva = corpus.too_large.spki, corpus.too_large.code_point
    message = to_be_signed(minted.leaf.der, role, valid_time, dcva, key, algorithm)
    return Trial(
        kind=f"signed again: {choice}",
        original=minted,
        dc=pack(valid_time, dcva, key, algorithm, minted.leaf.key.sign(message)),
        leaf=minted.leaf.der,
        role=role,
        now=now,
        resigned=True,
    )


def _signed_wrongly(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """The leaf's key signs what other implementations were seen to sign, or something close to the right thing."""
    leaf, algorithm = minted.leaf.der, minted.leaf.algorithm.to_bytes(2, "big")
    right = to_be_signed(leaf, minted.role, minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm)
    head = right[: 64 + len(minted.role.value) + 1]
    cred = right[len(head) + len(leaf) : -2]
    message = rng.choice(
        (
            head + leaf + algorithm + cred,
            head + cred + algorithm + leaf,
            head + leaf + cred,
            head + cred + algorithm,
            head[1:] + leaf + cred + algorithm,
            b" " + right,
            head[:-1] + leaf + cred + algorithm,
            right[64:],
            leaf + cred + algorithm,
            right + b"\0",
            right[:-1],
            right.replace(b"credentials", b"credential", 1),
            b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + leaf + cred + algorithm,
            some_bytes(rng, right, right[::-1])[1],
        )
    )
    trial = _as_it_is(minted, "signed wrongly")
    trial.dc = pack(minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm, minted.leaf.key.sign(message))
    trial.broken = True
    return trial


def _leaf_resigned(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """A mutated leaf, and a credential that its key made for it as it is now: the leaf's own rules must catch it."""
    name, leaf = some_bytes(rng, minted.leaf.der, rng.choice(corpus.leaves).der)
    if rng.random() < 0.5:  # aim at validity and extensions
        at = int(rng.random() * 150)
        out = bytearray(minted.leaf.der)
        start = out.find(b"\xa3", len(out) - 260) if rng.random() < 0.7 else 60
        out[(start + at) % len(out)] ^= 1 << int(rng.random() * 8)
        name, leaf = "one bit", bytes(out)
    message = to_be_signed(leaf, minted.role, minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm)
    signature = minted.leaf.key.sign(message)
    return Trial(
        kind=f"leaf, DC signed again: {name}",
        original=minted,
        dc=pack(minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm, signature),
        leaf=leaf,
        role=minted.role,
        now=NOW,
        resigned=True,
    )


def _leaf_reissued(rng: random.Random, corpus: Corpus, minted: Minted) -> Trial:
    """A leaf that differs in one thing which RFC 9345 or RFC 5280 has a rule for, well-formed otherwise."""
    entry = minted.leaf
    usage = der.DELEGATION_USAGE_OID
    value = rng.choice((b"", b"\5", b"\5\0\0", b"\5\1\0", b"\x30\0", rng.randbytes(2)))
    bits = rng.randbytes(1)
    changed: dict[str, Any] = rng.choice(
        (
            {"delegation": (der.extension(usage, der.NULL, critical=True),)},
            {"delegation": (der.extension(usage, value),)},
            {"delegation": ()},
            {"delegation": (der.DELEGATION_USAGE, der.DELEGATION_USAGE)},
            {"delegation": (der.DELEGATION_USAGE, der.extension(usage, value))},
            {"delegation": (der.extension(f"{usage}.1", der.NULL),)},
            {"key_usage": (der.extension(der.KEY_USAGE_OID, der.bits(bits), critical=rng.random() < 0.5),)},
            {"key_usage": ()},
            {"key_usage": (der.extension(der.KEY_USAGE_OID, value, critical=True),)},
            {"key_usage": (der.KEY_USAGE, der.KEY_USAGE)},
            {"serial": rng.choice((0, -1, 1, -rng.getrandbits(64), rng.getrandbits(150)))},
            {"version": rng.choice((b"", der.tlv(0xA0, der.integer(rng.choice((0, 1, 2, 3)))))), "serial": 99},
            {"not_before": der.time(NOW + rng.choice((-1, 0, 1, DAY, -DAY)))},
            {"not_after": der.time(minted.expiry + rng.choice((-1, 0, 1, DAY, -DAY)))},
            {"not_after": der.generalized_time(entry.not_after)},
            {"spki": rng.choice(corpus.leaves).key.spki},
        )
    )
    facts = {"not_before": der.time(entry.not_before), "not_after": der.time(entry.not_after), "serial": 5}
    leaf = der.Recipe(**({"spki": entry.key.spki} | facts | changed)).issue(lambda _: bytes(70))
    message = to_be_signed(leaf, minted.role, minted.valid_time, minted.dcva, minted.spki, entry.algorithm)
    signature = entry.key.sign(message)
    return Trial(
        kind=f"leaf reissued with another {' and '.join(changed)}",
        original=minted,
        dc=pack(minted.valid_time, minted.dcva, minted.spki, entry.algorithm, signature),
        leaf=leaf,
        role=minted.role,
        now=NOW,
        resigned=True,
    )


CREDENTIAL: tuple[tuple[float, Callable[[random.Random, Corpus, Minted], Trial], bool], ...] = (
    (30, _dc_bytes, False),
    (8, _dc_header, False),
    (5, _dc_length, False),
    (18, _field, False),
    (1, _rewritten, False),
    (2, _role, False),
    (3, _leaf, False),
    (2, _whole, False),
    (8, _leaf_bytes, False),
    (2, _leaf_signature, False),
    (4, _time, False),
    (4, _stacked, False),
    (9, _resigned, True),
    (1, _signed_wrongly, True),
    (4, _leaf_resigned, True),
    (3, _leaf_reissued, True),
)
_WEIGHTS = [weight for weight, _, _ in CREDENTIAL]
DEAR_SHARE = 0.05


def credential_trial(rng: random.Random, corpus: Corpus) -> Trial:
    """A mutated credential, leaf, role or time; never what it was made from."""
    while True:
        _, mutate, signs = rng.choices(CREDENTIAL, _WEIGHTS)[0]
        minted = rng.choice(corpus.dear if rng.random() < DEAR_SHARE else corpus.cheap)
        while signs and minted.leaf.algorithm not in QUICK_SIGNERS:
            minted = rng.choice(corpus.cheap)
        trial = mutate(rng, corpus, minted)
        if (trial.dc, trial.leaf, trial.role, trial.now) != (minted.dc, minted.leaf.der, minted.role, NOW):
            return trial


# ---- of raw signatures and private keys


@dataclass(slots=True)
class SignatureTrial:
    kind: str
    original: Signed
    signature: bytes
    message: bytes
    raw: bytes


def signature_trial(rng: random.Random, corpus: Corpus) -> SignatureTrial:
    """A mutated signature, message or public key of one scheme in one backend."""
    original = rng.choices(corpus.signed, corpus.signed_weights)[0]
    trial = SignatureTrial("", original, original.signature, original.message, original.key.raw)
    choice = rng.random()
    if choice < 0.70:
        name, trial.signature = some_bytes(rng, original.signature, original.other)
        trial.kind = f"raw signature: {name}"
    elif choice < 0.80:
        size = len(original.signature) + rng.choice((-2, -1, 1, 2))
        trial.signature = (original.signature + bytes(2))[:size]
        trial.kind = "raw signature: one or two bytes off"
    elif choice < 0.84:
        trial.signature, trial.kind = original.other, "raw signature: of another message"
    elif choice < 0.85:
        trial.signature = rewritten(rng, original.key.scheme, original.signature, original.key.raw)
        trial.kind = "raw signature: written otherwise"
    elif choice < 0.87:
        trial.signature = rng.choice(corpus.signed).signature
        trial.kind = "raw signature: of another scheme"
    elif choice < 0.93:
        name, trial.message = some_bytes(rng, original.message, original.signature[:64])
        trial.kind = f"message: {name}"
    else:
        name, trial.raw = some_bytes(rng, original.key.raw, rng.choice(corpus.signed).key.raw)
        trial.kind = f"public key: {name}"
    if (trial.signature, trial.message, trial.raw) == (original.signature, original.message, original.key.raw):
        return signature_trial(rng, corpus)
    return trial


@dataclass(slots=True)
class KeyTrial:
    kind: str
    original: PrivateFile
    der: bytes


def key_trial(rng: random.Random, corpus: Corpus) -> KeyTrial:
    """A mutated private key, PKCS#8."""
    original = rng.choices(corpus.files, corpus.files_weights)[0]
    other = rng.choice(corpus.files)
    if rng.random() < 0.3:  # the envelope
        name, head = some_bytes(rng, original.der[:40], other.der[:40])
        return KeyTrial(f"private key, first bytes: {name}", original, head + original.der[40:])
    name, changed = some_bytes(rng, original.der, other.der)
    return KeyTrial(f"private key: {name}", original, changed)
