"""SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of any scheme: raw public key to DER and back.

Nothing that came in is ever re-encoded: libraries lose parameters and turn id-RSASSA-PSS into rsaEncryption on the way,
so OID and parameters are read from the DER itself, and the DER is kept. A key with compressed points, explicit curve
parameters, or any encoding but DER is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from pqdc.errors import DecodeError, KeyFormatError
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme

__all__ = [
    "AlgorithmIdentifier",
    "SubjectPublicKeyInfo",
    "algorithm_of",
    "check_length",
    "decode",
    "encode",
    "encoded_bytes",
    "has_parameters",
    "raw_key",
    "schemes_of",
    "tlv_bytes",
]

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"  # which RFC 9345 section 4 forbids for DC keys
RSA_ENCRYPTION_DER = bytes.fromhex("06092a864886f70d010101")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmIdentifier:
    """An OID, dotted, and the DER of its parameters, empty where there are none."""

    oid: str
    parameters: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectPublicKeyInfo:
    """What an SPKI says: its algorithm, and the raw key in its BIT STRING."""

    algorithm: AlgorithmIdentifier
    key: bytes


@asn1.sequence
class _Spki:
    algorithm: list[asn1.TLV]
    subject_public_key: asn1.BitString


@asn1.sequence
class _PlainAlgorithm:
    oid: ObjectIdentifier


@asn1.sequence
class _NullAlgorithm:
    oid: ObjectIdentifier
    parameters: asn1.Null


@asn1.sequence
class _NamedCurve:
    oid: ObjectIdentifier
    parameters: ObjectIdentifier


Algorithm = _PlainAlgorithm | _NullAlgorithm | _NamedCurve  # the parameters that pqdc writes


@asn1.sequence
class _EncodedSpki:
    algorithm: Algorithm
    subject_public_key: asn1.BitString


def algorithm_of(scheme: Scheme) -> Algorithm:
    """The AlgorithmIdentifier of the scheme's keys, for an ASN.1 encoder.

    Raises:
        KeyFormatError: the scheme has no OID.
    """
    if not scheme.spki_oid:
        raise KeyFormatError(f"{scheme.name} has no OID, so its keys have no standard encoding")
    oid = ObjectIdentifier(scheme.spki_oid)
    if scheme.key_parameters == "NULL":
        return _NullAlgorithm(oid=oid, parameters=asn1.Null())
    if scheme.key_parameters:
        return _NamedCurve(oid=oid, parameters=ObjectIdentifier(scheme.key_parameters))
    return _PlainAlgorithm(oid=oid)


def encode(scheme: Scheme, key: bytes) -> bytes:
    """The SPKI of a raw public key, DER.

    Raises:
        KeyFormatError: the scheme has no OID, or the key another length than the scheme's.
    """
    check_length(scheme, key)
    return _prefix(scheme) + key


def encoded_bytes(scheme: Scheme) -> int:
    """How long the SPKI of a key of `scheme` is."""
    return len(_prefix(scheme)) + scheme.public_key_bytes


@lru_cache(maxsize=1024)
def _prefix(scheme: Scheme) -> bytes:
    """All of the SPKI before the key: it depends on the scheme alone, as its keys all have one length."""
    key = bytes(scheme.public_key_bytes)
    body = asn1.BitString(data=key, padding_bits=0)
    return asn1.encode_der(_EncodedSpki(algorithm=algorithm_of(scheme), subject_public_key=body))[: -len(key)]


def decode(der: bytes) -> SubjectPublicKeyInfo:
    """What an SPKI says, of any algorithm.

    Raises:
        DecodeError: it is not DER, has bytes after its end, or is no SPKI.
    """
    try:
        spki = asn1.decode_der(_Spki, der)
        algorithm = read_algorithm(spki.algorithm)
    except ValueError as error:
        raise DecodeError(f"SubjectPublicKeyInfo: {error}") from None
    bits = spki.subject_public_key
    if bits.padding_bits():
        raise DecodeError(f"SubjectPublicKeyInfo: a key of whole bytes wanted, {bits.padding_bits()} bits are unused")
    return SubjectPublicKeyInfo(algorithm=algorithm, key=bits.as_bytes())


def read_algorithm(parts: list[asn1.TLV]) -> AlgorithmIdentifier:
    """An AlgorithmIdentifier from the parts of its SEQUENCE.

    Raises:
        ValueError: it is none.
    """
    if len(parts) not in {1, 2}:
        raise ValueError(f"an AlgorithmIdentifier has one or two parts, this has {len(parts)}")
    oid = parts[0].parse(ObjectIdentifier).dotted_string
    return AlgorithmIdentifier(oid=oid, parameters=tlv_bytes(parts[1]) if len(parts) > 1 else b"")


def tlv_bytes(tlv: asn1.TLV) -> bytes:
    """The DER that `tlv` was read from: the reader gives tag and content, and DER has one length for them."""
    content = bytes(tlv.data)
    size = len(content)
    length = (
        bytes([size]) if size < 0x80 else bytes([0x80 | (n := (size.bit_length() + 7) // 8)]) + size.to_bytes(n, "big")
    )
    return tlv.tag_bytes + length + content


def raw_key(scheme: Scheme, der: bytes) -> bytes:
    """The raw public key of an SPKI that must be the scheme's.

    Raises:
        DecodeError: it is no SPKI in DER.
        KeyFormatError: it is of another algorithm, or its key has another length.
    """
    if scheme.spki_oid and len(der) > scheme.public_key_bytes:  # the common case costs a comparison
        prefix = _prefix(scheme)
        if len(der) == len(prefix) + scheme.public_key_bytes and der.startswith(prefix):
            return der[len(prefix) :]
    spki = decode(der)
    if not has_parameters(scheme, spki.algorithm):
        raise KeyFormatError(f"a key of {scheme.name} ({_say(scheme)}) wanted, this one is {_describe(spki.algorithm)}")
    check_length(scheme, spki.key)
    return spki.key


def schemes_of(catalog: Catalog, der: bytes) -> tuple[Scheme, ...]:
    """The schemes that a key may be used with: several for RSA, whose hash the key does not tell; none if unknown.

    Raises:
        DecodeError: it is no SPKI in DER.
    """
    for prefix, schemes in _prefixes(catalog).get(len(der), ()):  # the common case costs a comparison
        if der.startswith(prefix):
            return schemes
    spki = decode(der)
    return tuple(
        scheme
        for scheme in catalog.with_key_oid(spki.algorithm.oid)
        if has_parameters(scheme, spki.algorithm) and len(spki.key) == scheme.public_key_bytes
    )


@lru_cache(maxsize=8)
def _prefixes(catalog: Catalog) -> dict[int, list[tuple[bytes, tuple[Scheme, ...]]]]:
    """What SPKIs begin with, by their length, and the schemes of such keys in the catalog's order."""
    schemes_by_prefix: dict[tuple[int, bytes], list[Scheme]] = {}
    for scheme in catalog.values():
        if scheme.oid:
            schemes_by_prefix.setdefault((encoded_bytes(scheme), _prefix(scheme)), []).append(scheme)
    found: dict[int, list[tuple[bytes, tuple[Scheme, ...]]]] = {}
    for (length, prefix), schemes in schemes_by_prefix.items():
        found.setdefault(length, []).append((prefix, tuple(schemes)))
    return found


def has_parameters(scheme: Scheme, algorithm: AlgorithmIdentifier) -> bool:
    """Whether OID and parameters are those of the scheme's keys."""
    return algorithm.oid == scheme.spki_oid and algorithm.parameters in _parameters(scheme)


@lru_cache(maxsize=1024)
def _parameters(scheme: Scheme) -> tuple[bytes, ...]:
    if scheme.key_parameters == "NULL":
        own = asn1.encode_der(asn1.Null())
    else:
        own = asn1.encode_der(ObjectIdentifier(scheme.key_parameters)) if scheme.key_parameters else b""
    return (own, bytes.fromhex(scheme.key_parameters_too)) if scheme.key_parameters_too else (own,)


def check_length(scheme: Scheme, key: bytes) -> None:
    """Return if a raw public key has the length of the scheme's.

    Raises:
        KeyFormatError: it has another.
    """
    if len(key) != scheme.public_key_bytes:
        raise KeyFormatError(
            f"a public key of {scheme.name} has {scheme.public_key_bytes} bytes, this one has {len(key)}"
        )


def _say(scheme: Scheme) -> str:
    return " with ".join(filter(None, (scheme.spki_oid, scheme.key_parameters)))


def _describe(algorithm: AlgorithmIdentifier) -> str:
    parameters = f" with parameters {algorithm.parameters[:40].hex()}" if algorithm.parameters else ""
    return f"{algorithm.oid}{parameters}"
