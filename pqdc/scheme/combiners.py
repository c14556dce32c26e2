"""How the parts of a hybrid or composite scheme become one: keys and signatures as bytes, and what each part signs.

A `combiner` of algorithms.toml names one of two ways:

    oqs-provider                oqs-provider's hybrids: uint32 length || classical part || post-quantum part; each part
                                signs the message. The private key is followed by the post-quantum public key.
    lamps-sha256, lamps-sha512, draft-ietf-lamps-pq-composite-sigs-19: ML-DSA part || traditional part, for keys and
    lamps-shake256              signatures; both sign M' = Prefix || Label || len(ctx) || ctx || PH(M), ML-DSA with the
                                Label for its context. The ML-DSA private key is its seed.

What stands in a PKCS#8 key of the part alone ("own") differs from what stands here: an ECPrivateKey names its curve,
and a key of RFC 8410 loses its OCTET STRING. Knows nothing of libraries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ObjectIdentifier

from pqdc.errors import KeyFormatError
from pqdc.scheme.facts import Scheme
from pqdc.scheme.pkcs8 import SEED_BYTES, Secret

__all__ = ["COMBINERS", "Combiner", "Representative"]

EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
CURVE_KEYS: Final = ("1.3.101.112", "1.3.101.113")  # Ed25519 and Ed448: RFC 8410 section 3
PREFIX: Final = b"CompositeAlgorithmSignatures2025"  # draft-ietf-lamps-pq-composite-sigs-19 section 2.2
LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Representative:
    """What all parts sign, and the context string of each, empty for none."""

    message: bytes
    contexts: tuple[bytes, ...]


class Combiner(Protocol):
    """One way to put the two parts of a scheme together; parts are in the order of its `components`.

    Attributes:
        pq_form: the form in which a PKCS#8 key holds the post-quantum part, a field of `Secret`.
    """

    @property
    def pq_form(self) -> Literal["seed", "expanded"]:
        """See above."""

    def join(self, parts: Sequence[bytes]) -> bytes:
        """Public keys or signatures of the parts as one."""

    def split_key(self, scheme: Scheme, data: bytes) -> Sequence[bytes]:
        """The parts of a public key; of a wrong length where it has one."""

    def split_signature(self, scheme: Scheme, data: bytes) -> Sequence[bytes]:
        """The parts of a signature; of a wrong length where it has one."""

    def representative(self, message: bytes, label: str) -> Representative:
        """What the parts sign for `message`; `label` tells one scheme from another."""

    def join_secrets(self, scheme: Scheme, secrets: Sequence[Secret]) -> bytes:
        """The content of a PKCS#8 private key.

        Raises:
            KeyFormatError: a part is not known in the form that stands in it.
        """

    def split_secrets(self, scheme: Scheme, content: bytes) -> Sequence[Secret]:
        """The private keys of the parts, from the content of a PKCS#8 private key.

        Raises:
            KeyFormatError: it is none of this scheme.
        """


@asn1.sequence
class _EcPrivateKey:
    """RFC 5915 section 3."""

    version: int
    private_key: bytes
    parameters: Annotated[ObjectIdentifier | None, asn1.Explicit(0)]
    public_key: Annotated[asn1.BitString | None, asn1.Explicit(1)]


class _OqsProvider:
    """As oqs-provider's oqsprov_keys.c, oqs_sig.c and oqs_encode_key2any.c do."""

    pq_form: Final = "expanded"

    def join(self, parts: Sequence[bytes]) -> bytes:
        classical, pq = parts
        return len(classical).to_bytes(LENGTH_BYTES) + classical + pq

    def split_key(self, scheme: Scheme, data: bytes) -> Sequence[bytes]:  # noqa: ARG002 - it tells its lengths
        return self._split(data)

    def split_signature(self, scheme: Scheme, data: bytes) -> Sequence[bytes]:  # noqa: ARG002 - as does this
        return self._split(data)

    def _split(self, data: bytes) -> Sequence[bytes]:
        end = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES])
        return data[LENGTH_BYTES:end], data[end:]

    def representative(self, message: bytes, label: str) -> Representative:  # noqa: ARG002 - nothing separates domains
        return Representative(message=message, contexts=(b"", b""))

    def join_secrets(self, scheme: Scheme, secrets: Sequence[Secret]) -> bytes:
        classical, pq = secrets
        if not pq.expanded:
            raise KeyFormatError(f"this key of {scheme.name} cannot be written: its post-quantum part is only a seed")
        bare = _bare(scheme.components[0], classical, with_public=True)
        return asn1.encode_der(self.join((bare, pq.expanded + pq.public)))

    def split_secrets(self, scheme: Scheme, content: bytes) -> Sequence[Secret]:
        classical, pq = scheme.components
        try:
            bare, both = self._split(asn1.decode_der(bytes, content))
        except ValueError:
            raise _broken(scheme, "an OCTET STRING of two private keys and a public key wanted") from None
        if len(both) != (size := pq.private_key_bytes or 0) + pq.public_key_bytes:
            raise _broken(scheme, f"{size + pq.public_key_bytes} bytes of {pq.name} wanted, this has {len(both)}")
        return _secret(scheme, classical, bare), Secret(expanded=both[:size], public=both[size:])


@dataclass(frozen=True, slots=True)
class _Lamps:
    """As draft-ietf-lamps-pq-composite-sigs-19: sections 3 (sign, verify), 4 (serialization)."""

    prehash: hashes.HashAlgorithm

    @property
    def pq_form(self) -> Literal["seed"]:
        return "seed"

    def join(self, parts: Sequence[bytes]) -> bytes:
        return b"".join(parts)

    def split_key(self, scheme: Scheme, data: bytes) -> Sequence[bytes]:
        size = scheme.components[0].public_key_bytes
        return data[:size], data[size:]

    def split_signature(self, scheme: Scheme, data: bytes) -> Sequence[bytes]:
        size = scheme.components[0].signature_bytes
        return data[:size], data[size:]

    def representative(self, message: bytes, label: str) -> Representative:
        digest = hashes.Hash(self.prehash)
        digest.update(message)
        name = label.encode("ascii")
        return Representative(message=PREFIX + name + b"\0" + digest.finalize(), contexts=(name, b""))

    def join_secrets(self, scheme: Scheme, secrets: Sequence[Secret]) -> bytes:
        pq, traditional = secrets
        if not pq.seed:
            raise KeyFormatError(f"this key of {scheme.name} cannot be written: its ML-DSA seed is unknown")
        return pq.seed + _bare(scheme.components[1], traditional, with_public=False)

    def split_secrets(self, scheme: Scheme, content: bytes) -> Sequence[Secret]:
        if len(content) <= SEED_BYTES:
            raise _broken(
                scheme, f"a seed of {SEED_BYTES} bytes and a private key wanted, this has {len(content)} bytes"
            )
        traditional = _secret(scheme, scheme.components[1], content[SEED_BYTES:])
        return Secret(seed=content[:SEED_BYTES]), traditional


def _bare(part: Scheme, secret: Secret, *, with_public: bool) -> bytes:
    """A classical private key as it stands beside another: it tells its curve, and has no wrapping."""
    if part.spki_oid == EC_PUBLIC_KEY:
        key = asn1.decode_der(_EcPrivateKey, secret.own)
        curve = ObjectIdentifier(part.key_parameters)
        public = key.public_key if with_public else None
        return asn1.encode_der(
            _EcPrivateKey(version=key.version, private_key=key.private_key, parameters=curve, public_key=public)
        )
    return asn1.decode_der(bytes, secret.own) if part.spki_oid in CURVE_KEYS else secret.own


def _secret(scheme: Scheme, part: Scheme, bare: bytes) -> Secret:
    """The opposite of `_bare`. An RSAPrivateKey is the same in both forms, and is looked into by the library."""
    if part.spki_oid == EC_PUBLIC_KEY:
        try:
            key = asn1.decode_der(_EcPrivateKey, bare)
        except ValueError:
            raise _broken(scheme, f"an ECPrivateKey of {part.name} wanted") from None
        if key.parameters is None or key.parameters.dotted_string != part.key_parameters:
            raise _broken(scheme, f"an ECPrivateKey of {part.name} wanted, this is of another curve, or of none")
    return Secret(own=asn1.encode_der(bare) if part.spki_oid in CURVE_KEYS else bare)


def _broken(scheme: Scheme, why: str) -> KeyFormatError:
    return KeyFormatError(f"a private key of {scheme.name}: {why}")


COMBINERS: Final[Mapping[str, Combiner]] = {
    "oqs-provider": _OqsProvider(),
    "lamps-sha256": _Lamps(hashes.SHA256()),
    "lamps-sha512": _Lamps(hashes.SHA512()),
    "lamps-shake256": _Lamps(hashes.SHAKE256(64)),
}
