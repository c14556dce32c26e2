"""PKCS#8 private keys (RFC 5958 OneAsymmetricKey) of any scheme: the envelope, and what schemes put into it.

Four contents: "own" is the standard of the key type (ECPrivateKey, CurvePrivateKey, RSAPrivateKey); "seed" is RFC
9881, which allows seed, expanded key, or both, and of which pqdc writes the seed where it is known; "raw" is RFC 9909,
the bytes of an SLH-DSA key, whose second half is the public key; "concatenated" is oqs-provider's OCTET STRING of
private key, then public key, which it writes for ML-DSA and SLH-DSA too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from pqdc.errors import DecodeError, KeyFormatError
from pqdc.scheme.facts import Scheme
from pqdc.scheme.spki import AlgorithmIdentifier, algorithm_of, read_algorithm

__all__ = ["SEED_BYTES", "OneAsymmetricKey", "Secret", "decode", "encode", "secret_of"]

SEED_BYTES = 32  # xi of FIPS 204, the only seed that a standard private key format carries today (RFC 9881)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Secret:
    """A private key's bytes in the forms that are known; at least one of the first three is there."""

    own: bytes = b""
    seed: bytes = b""
    expanded: bytes = b""
    public: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OneAsymmetricKey:
    """The envelope: algorithm, the content of privateKey, and the raw public key if it is in it."""

    algorithm: AlgorithmIdentifier
    private_key: bytes
    public_key: bytes


@asn1.sequence
class _Algorithm:
    oid: ObjectIdentifier
    parameters: asn1.TLV


@asn1.sequence
class _Written:
    version: int
    algorithm: asn1.TLV
    private_key: bytes
    public_key: Annotated[asn1.BitString | None, asn1.Implicit(1)]


@asn1.sequence
class _Read:
    version: int
    algorithm: list[asn1.TLV]
    private_key: bytes
    attributes: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    public_key: Annotated[asn1.BitString | None, asn1.Implicit(1)]


@asn1.sequence
class _Both:
    seed: bytes
    expanded: bytes


def encode(scheme: Scheme, secret: Secret, *, parameters: bytes | None = None) -> bytes:
    """The OneAsymmetricKey of `secret`, DER.

    It is of version 1, without the public key, but for an expanded RFC 9881 key: its public key cannot be told from it
    without computing, so it goes with it where it is known, and the version is 2.

    Args:
        scheme: whose key it is.
        secret: its bytes.
        parameters: DER of the algorithm's parameters, if they are not to be the scheme's own.

    Raises:
        KeyFormatError: the scheme has no OID, or the secret lacks the form that its encoding wants.
    """
    content = _content(scheme, secret)
    public = secret.public if scheme.private_key == "seed" and not secret.seed else b""
    written = _Written(
        version=1 if public else 0,
        algorithm=asn1.decode_der(asn1.TLV, _algorithm(scheme, parameters)),
        private_key=content,
        public_key=asn1.BitString(data=public, padding_bits=0) if public else None,
    )
    return asn1.encode_der(written)


def _algorithm(scheme: Scheme, parameters: bytes | None) -> bytes:
    if not parameters:
        return asn1.encode_der(algorithm_of(scheme))
    oid = ObjectIdentifier(scheme.spki_oid)
    return asn1.encode_der(_Algorithm(oid=oid, parameters=asn1.decode_der(asn1.TLV, parameters)))


def _content(scheme: Scheme, secret: Secret) -> bytes:
    if scheme.private_key == "own" and secret.own:
        return secret.own
    if scheme.private_key == "seed" and secret.seed:
        return bytes([0x80, len(secret.seed)]) + secret.seed  # [0] IMPLICIT, of 32 bytes: RFC 9881 section 6
    if scheme.private_key == "seed" and secret.expanded:
        return asn1.encode_der(secret.expanded)
    if scheme.private_key == "raw" and secret.expanded:
        return secret.expanded
    if scheme.private_key == "concatenated" and secret.expanded and secret.public:
        return asn1.encode_der(secret.expanded + secret.public)
    raise KeyFormatError(
        f"this key of {scheme.name} cannot be written as PKCS#8: its {scheme.private_key} form is unknown"
    )


def decode(der: bytes) -> OneAsymmetricKey:
    """The envelope of a private key of any algorithm.

    Raises:
        DecodeError: it is no OneAsymmetricKey in DER. The message never quotes the bytes.
    """
    try:
        key = asn1.decode_der(_Read, der)
        algorithm = read_algorithm(key.algorithm)
    except ValueError:
        raise DecodeError("private key: no PKCS#8 in DER") from None
    if key.version not in {0, 1}:
        raise DecodeError(f"private key: PKCS#8 version 0 or 1 wanted, got {key.version}")
    public = key.public_key.as_bytes() if key.public_key else b""
    return OneAsymmetricKey(algorithm=algorithm, private_key=key.private_key, public_key=public)


def secret_of(scheme: Scheme, key: OneAsymmetricKey) -> Secret:
    """What an envelope holds, read as a key of `scheme`.

    Raises:
        KeyFormatError: it is not in the form that the scheme declares, or has another length.
    """
    match scheme.private_key:
        case "own":
            return Secret(own=key.private_key, public=key.public_key)
        case "seed":
            return _read_rfc9881(scheme, key)
        case "raw" if len(key.private_key) == scheme.private_key_bytes:
            return _with_public(scheme, key, key.private_key, key.private_key[-scheme.public_key_bytes :])
        case "raw" | "concatenated":
            return _read_concatenated(scheme, key)


def _read_rfc9881(scheme: Scheme, key: OneAsymmetricKey) -> Secret:
    seed = expanded = b""
    try:
        choice = asn1.decode_der(asn1.TLV, key.private_key)
        match choice.tag_bytes:
            case b"\x80":
                seed = bytes(choice.data)
            case b"\x04":
                expanded = bytes(choice.data)
            case b"\x30":
                both = choice.parse(_Both)
                seed, expanded = both.seed, both.expanded
            case _:
                raise ValueError("another tag")
    except ValueError:
        raise KeyFormatError(f"a private key of {scheme.name}: seed, expanded key or both wanted (RFC 9881)") from None
    if seed and len(seed) != SEED_BYTES:
        raise KeyFormatError(
            f"a private key of {scheme.name}: a seed of {SEED_BYTES} bytes wanted, this has {len(seed)}"
        )
    size = scheme.private_key_bytes or 0
    if expanded and not seed and len(expanded) == size + scheme.public_key_bytes:
        return _split(scheme, key, expanded)
    if expanded:
        _check_expanded(scheme, len(expanded), size)
    return Secret(seed=seed, expanded=expanded, public=key.public_key)


def _read_concatenated(scheme: Scheme, key: OneAsymmetricKey) -> Secret:
    try:
        both = asn1.decode_der(bytes, key.private_key)
    except ValueError:
        raise KeyFormatError(
            f"a private key of {scheme.name}: an OCTET STRING of private and public key wanted"
        ) from None
    _check_expanded(scheme, len(both), (scheme.private_key_bytes or 0) + scheme.public_key_bytes)
    return _split(scheme, key, both)


def _split(scheme: Scheme, key: OneAsymmetricKey, both: bytes) -> Secret:
    return _with_public(scheme, key, both[: -scheme.public_key_bytes], both[-scheme.public_key_bytes :])


def _with_public(scheme: Scheme, key: OneAsymmetricKey, private: bytes, public: bytes) -> Secret:
    if key.public_key and key.public_key != public:
        raise KeyFormatError(f"a private key of {scheme.name}: its two public keys differ")
    return Secret(expanded=private, public=public)


def _check_expanded(scheme: Scheme, got: int, wanted: int) -> None:
    if got != wanted:
        raise KeyFormatError(f"a private key of {scheme.name}: {wanted} bytes wanted, this has {got}")
