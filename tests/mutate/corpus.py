"""What is mutated: credentials of every scheme that fits one under leaves of every kind, private keys, signatures.

Deterministic: a campaign that is resumed builds the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pqdc.credential import fit
from pqdc.credential.certificate import Certificate
from pqdc.credential.structures import Role
from pqdc.scheme import backends, pkcs8
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import PublicKey
from tests.vectors import der, seeded

NOW = 1_760_000_000
DAY = 86_400
# Cheap to verify under, so that they get most of the mutations; the others get a share that pays for them.
CHEAP_LEAVES = ("ECDSA-P256", "Ed25519", "RSA-2048", "ML-DSA-44", "Falcon-512", "MAYO-2")
OTHER_LEAVES = (
    "ECDSA-P384",
    "ECDSA-P521",
    "Ed448",
    "RSA-PSS-2048",
    "ML-DSA-65",
    "ML-DSA-87",
    "Dilithium2",
    "Falcon-padded-512",
    "Falcon-1024",
    "MAYO-1",
    "SPHINCS+-SHA2-128f-simple",
    "OV-Ip-pkc",
    "cross-rsdpg-128-fast",
)
SLOW_TO_SIGN = 16_000  # bytes of signature; schemes beyond, and SPHINCS+, are given one signature only


@dataclass(frozen=True, kw_only=True, eq=False)
class LeafEntry:
    """A leaf, read once, and the key that signs for it."""

    name: str
    der: bytes
    not_before: int
    not_after: int
    key: seeded.Key
    certificate: Certificate

    @property
    def algorithm(self) -> int:
        return self.key.code_point


@dataclass(frozen=True, kw_only=True, eq=False)
class Minted:
    """A credential that is valid at `now`, in parts and whole."""

    valid_time: int
    dcva: int
    spki: bytes
    signature: bytes
    leaf: LeafEntry
    role: Role
    scheme: Scheme
    dc: bytes

    @property
    def expiry(self) -> int:
        return self.leaf.not_before + self.valid_time


@dataclass(frozen=True, kw_only=True, eq=False)
class Signed:
    """A signature by a key in one backend, and another message's for swaps."""

    key: PublicKey
    message: bytes
    signature: bytes
    other: bytes

    @property
    def name(self) -> str:
        return f"{self.key.scheme.name} by {self.key.backend}"


@dataclass(frozen=True, kw_only=True, eq=False)
class PrivateFile:
    """A private key as PKCS#8, and its public half."""

    scheme: Scheme
    der: bytes
    public: PublicKey


@dataclass(frozen=True, kw_only=True)
class Corpus:
    minted: Sequence[Minted]
    leaves: Sequence[LeafEntry]
    cheap: Sequence[Minted]
    dear: Sequence[Minted]
    signed: Sequence[Signed]
    signed_weights: Sequence[float]
    files: Sequence[PrivateFile]
    files_weights: Sequence[float]
    too_large: seeded.Key  # of a scheme whose keys no extension holds
    code_points: Sequence[int]
    valid: frozenset[tuple[bytes, bytes, Role]]
    certificates: dict[bytes, Certificate] = field(repr=False)
    by_der: dict[bytes, LeafEntry] = field(repr=False)

    def digest(self) -> str:
        """Of all that is mutated: a campaign is resumed only over the same."""
        state = hashlib.sha256()
        for minted in self.minted:
            state.update(hashlib.sha256(minted.dc + minted.leaf.der + minted.role.value).digest())
        for signed in self.signed:
            state.update(hashlib.sha256(signed.key.raw + signed.signature + signed.other).digest())
        for file in self.files:
            state.update(hashlib.sha256(file.der).digest())
        return state.hexdigest()


def pack(valid_time: int, dcva: int, key: bytes, algorithm: int, signature: bytes) -> bytes:
    """A DelegatedCredential, written without pqdc's own code."""
    return b"".join(
        (
            valid_time.to_bytes(4, "big"),
            dcva.to_bytes(2, "big"),
            len(key).to_bytes(3, "big"),
            key,
            algorithm.to_bytes(2, "big"),
            len(signature).to_bytes(2, "big"),
            signature,
        )
    )


def to_be_signed(  # noqa: PLR0917 - in the order of the wire
    leaf: bytes, role: Role, valid_time: int, dcva: int, key: bytes, algorithm: int
) -> bytes:
    """What the leaf's key signs: RFC 9345 section 4."""
    context = {Role.SERVER: b"TLS, server delegated credentials", Role.CLIENT: b"TLS, client delegated credentials"}
    return b" " * 64 + context[role] + b"\0" + leaf + pack(valid_time, dcva, key, algorithm, b"")[:-2]


def _leaf(scheme_name: str, label: str, number: int) -> LeafEntry:
    key = seeded.key(scheme_name, label)
    ca = seeded.key("ECDSA-P256", "CA")
    start, end = NOW - 30 * DAY, NOW + 60 * DAY
    recipe = der.Recipe(
        spki=key.spki, not_before=der.time(start), not_after=der.time(end), serial=0x7000_0000_0000 + number
    )
    encoded = recipe.issue(ca.sign)
    return LeafEntry(
        name=f"{scheme_name} {label} {number}",
        der=encoded,
        not_before=start,
        not_after=end,
        key=key,
        certificate=Certificate.decode(encoded, seeded.catalog()),
    )


def _mint(leaf: LeafEntry, key: seeded.Key, role: Role, valid_for: int) -> Minted:
    valid_time = NOW - leaf.not_before + valid_for
    message = to_be_signed(leaf.der, role, valid_time, key.code_point, key.spki, leaf.algorithm)
    signature = leaf.key.sign(message)
    return Minted(
        valid_time=valid_time,
        dcva=key.code_point,
        spki=key.spki,
        signature=signature,
        leaf=leaf,
        role=role,
        scheme=key.scheme,
        dc=pack(valid_time, key.code_point, key.spki, leaf.algorithm, signature),
    )


def _dc_schemes() -> list[Scheme]:
    return [
        scheme
        for scheme in seeded.catalog().values()
        if seeded.takes(scheme) and backends.available(scheme) and not fit.reason_against(scheme)
    ]


def _minted(leaves: Sequence[LeafEntry], cheap: frozenset[str]) -> list[Minted]:
    schemes = _dc_schemes()
    found = []
    for number, leaf in enumerate(leaves):
        wanted = schemes if leaf.name in cheap else schemes[number % 5 :: 11]
        for index, scheme in enumerate(wanted):
            role = (Role.SERVER, Role.CLIENT)[(index + number) % 3 == 0]
            found.append(_mint(leaf, seeded.key(scheme.name, "dc"), role, DAY + 3600 * index))
    return found


def _signed() -> list[Signed]:
    found = []
    for scheme in seeded.catalog().values():
        names = backends.available(scheme)
        if not names or not seeded.takes(scheme):
            continue
        key = seeded.key(scheme.name, "signer")
        message = seeded.drawn(f"{scheme.name}|message", 64)
        signature = key.sign(message)
        slow = scheme.signature_bytes > SLOW_TO_SIGN or scheme.family == "SPHINCS+"
        other = seeded.drawn(f"{scheme.name}|other", len(signature)) if slow else key.sign(message + b"!")
        found.extend(
            Signed(
                key=backends.choose(scheme, name).public_key(scheme, key.raw),
                message=message,
                signature=signature,
                other=other,
            )
            for name in names
        )
    return found


def _files() -> list[PrivateFile]:
    found = []
    for scheme in seeded.catalog().values():
        if not backends.available(scheme) or not scheme.spki_oid or not seeded.takes(scheme):
            continue
        if scheme.public_key_bytes > 100_000 or scheme.signature_bytes > SLOW_TO_SIGN or scheme.family == "SPHINCS+":
            continue  # signing with each mutated key would cost seconds
        key = seeded.key(scheme.name, "dc")
        public = backends.choose(scheme).public_key(scheme, key.raw)
        private: Any = key.private
        if hasattr(private, "pkcs8"):
            found.append(PrivateFile(scheme=scheme, der=private.pkcs8(), public=public))
            if scheme.private_key == "seed":
                found.extend(
                    PrivateFile(scheme=scheme, der=encoded, public=public)
                    for encoded in _rfc9881(scheme, private.secret())
                )
        else:
            own = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            secret = pkcs8.secret_of(scheme, pkcs8.decode(own))
            found.append(PrivateFile(scheme=scheme, der=pkcs8.encode(scheme, secret), public=public))
    return found


def _rfc9881(scheme: Scheme, secret: pkcs8.Secret) -> list[bytes]:
    """Seed and expanded key together: the form whose halves can contradict each other."""
    both = der.sequence(der.octets(secret.seed), der.octets(secret.expanded))
    algorithm = der.sequence(der.oid(scheme.spki_oid))
    return [der.sequence(der.integer(0), algorithm, der.octets(both))]


def _weights(schemes: Iterable[Scheme]) -> list[float]:
    """Less often what costs more, by declared sizes: measured times would differ from run to run."""
    return [1 / (1 + scheme.signature_bytes / 400 + scheme.public_key_bytes / 4000) for scheme in schemes]


@lru_cache(maxsize=1)
def build() -> Corpus:
    """All of it; some seconds."""
    leaves = [_leaf(name, "leaf", number) for number, name in enumerate((*CHEAP_LEAVES, *OTHER_LEAVES))]
    cheap = frozenset(leaf.name for leaf in leaves[: len(CHEAP_LEAVES)])
    leaves.append(_leaf("ECDSA-P256", "leaf", 100))  # the same key again, in another certificate
    leaves.append(_leaf("ECDSA-P256", "another leaf", 101))
    minted = _minted(leaves, cheap)
    signed, files = _signed(), _files()
    known = {scheme.code_point for scheme in seeded.catalog().values() if scheme.code_point is not None}
    return Corpus(
        minted=minted,
        leaves=leaves,
        cheap=[item for item in minted if item.leaf.name in cheap],
        dear=[item for item in minted if item.leaf.name not in cheap],
        signed=signed,
        signed_weights=_weights(item.key.scheme for item in signed),
        files=files,
        files_weights=[
            weight / (500 if item.scheme.family == "RSA" else 1)  # checking the primes of one takes 0.4 s
            for weight, item in zip(_weights(item.scheme for item in files), files, strict=True)
        ],
        too_large=seeded.key("OV-Is-pkc", "dc"),
        code_points=sorted(known | {0, 0x0201, 0x0203, 0x0401, 0x0501, 0x0601, 0x0A0A, 0xFAFA, 0xFFFF, 0x0304}),
        valid=frozenset((item.dc, item.leaf.der, item.role) for item in minted),
        certificates={leaf.der: leaf.certificate for leaf in leaves},
        by_der={leaf.der: leaf for leaf in leaves},
    )
