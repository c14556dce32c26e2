"""The backend `openssl`: classical schemes and ML-DSA, through the package `cryptography`.

Each primitive is a few functions over the library's key objects; the table PRIMITIVES is all that `algorithms.toml`
can name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import cryptography
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.backends.openssl import backend as _openssl
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from pqdc.errors import KeyFormatError
from pqdc.scheme import pkcs8, spki
from pqdc.scheme.facts import Scheme
from pqdc.scheme.halves import apart
from pqdc.scheme.keys import PrivateKey, PublicKey
from pqdc.scheme.pkcs8 import SEED_BYTES, Secret

__all__ = ["OpenSSL"]


class _Primitive(Protocol):
    """What one entry of PRIMITIVES can do; keys are the library's objects."""

    def generate(self) -> Any: ...
    def owns(self, private: Any) -> bool: ...
    def public(self, raw: bytes) -> Any: ...
    def raw(self, public: Any) -> bytes: ...
    def sign(self, private: Any, message: bytes) -> bytes: ...
    def verify(self, public: Any, signature: bytes, message: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class _Ecdsa:
    curve: ec.EllipticCurve
    algorithm: ec.ECDSA

    def generate(self) -> Any:
        return ec.generate_private_key(self.curve)

    def owns(self, private: Any) -> bool:
        return isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name == self.curve.name

    def public(self, raw: bytes) -> Any:
        if raw[0] != 4:
            raise ValueError("an uncompressed point is wanted")
        return ec.EllipticCurvePublicKey.from_encoded_point(self.curve, raw)

    def raw(self, public: Any) -> bytes:
        encoded: bytes = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return encoded

    def sign(self, private: Any, message: bytes) -> bytes:
        signature: bytes = private.sign(message, self.algorithm)
        return signature

    def verify(self, public: Any, signature: bytes, message: bytes) -> None:
        public.verify(signature, message, self.algorithm)


@dataclass(frozen=True, slots=True)
class _Plain:
    """Ed25519 and Ed448: keys are raw bytes, and signing takes no choice."""

    private_class: Any
    public_class: Any

    def generate(self) -> Any:
        return self.private_class.generate()

    def owns(self, private: Any) -> bool:
        return isinstance(private, self.private_class)

    def public(self, raw: bytes) -> Any:
        return self.public_class.from_public_bytes(raw)

    def raw(self, public: Any) -> bytes:
        encoded: bytes = public.public_bytes_raw()
        return encoded

    def sign(self, private: Any, message: bytes) -> bytes:
        signature: bytes = private.sign(message)
        return signature

    def verify(self, public: Any, signature: bytes, message: bytes) -> None:
        public.verify(signature, message)


class _MlDsa(_Plain):
    """Present in the package, but not in every OpenSSL under it; and it takes a context."""

    def sign_with_context(self, private: Any, message: bytes, context: bytes) -> bytes:
        signature: bytes = private.sign(message, context)
        return signature

    def verify_with_context(self, public: Any, signature: bytes, message: bytes, context: bytes) -> None:
        public.verify(signature, message, context)


@dataclass(frozen=True, slots=True)
class _Rsa:
    """RSA keys of one size with one padding and hash."""

    bits: int
    hash: hashes.HashAlgorithm
    padding: padding.PSS | padding.PKCS1v15

    def generate(self) -> Any:
        return rsa.generate_private_key(public_exponent=65537, key_size=self.bits)

    def owns(self, private: Any) -> bool:
        return isinstance(private, rsa.RSAPrivateKey) and private.key_size == self.bits

    def public(self, raw: bytes) -> Any:
        key = load_der_public_key(raw)
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size != self.bits or self.raw(key) != raw:
            raise ValueError(f"an RSAPublicKey of {self.bits} bits in DER is wanted")
        return key

    def raw(self, public: Any) -> bytes:
        encoded: bytes = public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
        return encoded

    def sign(self, private: Any, message: bytes) -> bytes:
        signature: bytes = private.sign(message, self.padding, self.hash)
        return signature

    def verify(self, public: Any, signature: bytes, message: bytes) -> None:
        public.verify(signature, message, self.padding, self.hash)


def _pss(algorithm: hashes.HashAlgorithm) -> padding.PSS:
    """The salt as long as the digest, and MGF1 over the same hash: RFC 8446 section 4.2.3."""
    return padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)


PRIMITIVES: Mapping[str, _Primitive] = {
    "ecdsa-p256": _Ecdsa(ec.SECP256R1(), ec.ECDSA(hashes.SHA256())),
    "ecdsa-p384": _Ecdsa(ec.SECP384R1(), ec.ECDSA(hashes.SHA384())),
    "ecdsa-p521": _Ecdsa(ec.SECP521R1(), ec.ECDSA(hashes.SHA512())),
    "ecdsa-p256-sha384": _Ecdsa(ec.SECP256R1(), ec.ECDSA(hashes.SHA384())),
    "ecdsa-brainpoolp256r1": _Ecdsa(ec.BrainpoolP256R1(), ec.ECDSA(hashes.SHA256())),
    "ecdsa-brainpoolp384r1": _Ecdsa(ec.BrainpoolP384R1(), ec.ECDSA(hashes.SHA384())),
    "ed25519": _Plain(ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    "ed448": _Plain(ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
    "ml-dsa-44": _MlDsa(mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
    "ml-dsa-65": _MlDsa(mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
    "ml-dsa-87": _MlDsa(mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey),
    **{
        f"rsa-{bits}-{algorithm.name}": _Rsa(bits, algorithm, _pss(algorithm))
        for bits in (2048, 3072, 4096)
        for algorithm in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
    },
    **{
        f"rsa-pkcs1-{bits}-{algorithm.name}": _Rsa(bits, algorithm, padding.PKCS1v15())
        for bits in (2048, 3072, 4096)
        for algorithm in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
    },
}


class _Public(PublicKey):
    __slots__ = ("_key", "_primitive")

    def __init__(self, scheme: Scheme, primitive: _Primitive, key: Any, raw: bytes) -> None:
        super().__init__(scheme, OpenSSL.name, raw)
        self._primitive = primitive
        self._key = key

    def _verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            self._primitive.verify(self._key, signature, message)
        except InvalidSignature:
            return False
        return True

    def _verifies_with_context(self, signature: bytes, message: bytes, context: bytes) -> bool:
        if not isinstance(self._primitive, _MlDsa):
            return super()._verifies_with_context(signature, message, context)
        try:
            self._primitive.verify_with_context(self._key, signature, message, context)
        except InvalidSignature:
            return False
        return True


class _Private(PrivateKey):
    __slots__ = ("_key", "_primitive")

    def __init__(self, scheme: Scheme, primitive: _Primitive, key: Any) -> None:
        public = key.public_key()
        super().__init__(_Public(scheme, primitive, public, primitive.raw(public)))
        self._primitive = primitive
        self._key = key

    def sign(self, message: bytes) -> bytes:
        return self._primitive.sign(self._key, message)

    def _sign_with_context(self, message: bytes, context: bytes) -> bytes:
        if not isinstance(self._primitive, _MlDsa):
            return super()._sign_with_context(message, context)
        return self._primitive.sign_with_context(self._key, message, context)

    def secret(self) -> Secret:
        der = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return pkcs8.secret_of(self.scheme, pkcs8.decode(der))


class OpenSSL:
    """`cryptography`, and the OpenSSL inside it."""

    name = "openssl"

    def versions(self) -> Mapping[str, str]:
        """Of the package and of its OpenSSL."""
        return {"cryptography": cryptography.__version__, "OpenSSL": _openssl.openssl_version_text()}

    def reason_against(self, scheme: Scheme) -> str:
        """Empty for what is in PRIMITIVES, and in the OpenSSL underneath."""
        name = scheme.backends.get(self.name, "")
        if name not in PRIMITIVES:
            return f"the backend openssl knows no {name!r}; it knows {', '.join(PRIMITIVES)}"
        if isinstance(PRIMITIVES[name], _MlDsa) and not _openssl.mldsa_supported():
            return f"{_openssl.openssl_version_text()} computes no ML-DSA"
        return ""

    def generate(self, scheme: Scheme, *, seed: bytes | None = None) -> PrivateKey:
        """A new key pair."""
        primitive = self._primitive(scheme)
        if seed is None:
            return _Private(scheme, primitive, primitive.generate())
        return self.private_key(scheme, Secret(seed=seed))

    def private_key(self, scheme: Scheme, secret: Secret) -> PrivateKey:
        """A private key from its own encoding or its seed; expanded ML-DSA keys are not for this library."""
        primitive = self._primitive(scheme)
        if scheme.private_key == "seed" and not secret.seed:
            raise KeyFormatError(
                f"OpenSSL computes {scheme.name} from the seed alone, this key is expanded",
                hint="the backend liboqs takes it",
            )
        if scheme.private_key != "seed" and secret.seed:
            raise KeyFormatError(f"keys of {scheme.name} are not made from a seed")
        if secret.seed and len(secret.seed) != SEED_BYTES:
            raise KeyFormatError(f"a seed of {scheme.name} has {SEED_BYTES} bytes, this has {len(secret.seed)}")
        try:
            key: Any = load_der_private_key(pkcs8.encode(scheme, secret), password=None)
        except (ValueError, UnsupportedAlgorithm, InternalError):  # the last for an Ed25519 key of another length
            raise KeyFormatError(f"the private key cannot be read as one of {scheme.name}") from None
        if not primitive.owns(key):
            raise KeyFormatError(f"a private key of {scheme.name} wanted, this is another type or size")
        private = _Private(scheme, primitive, key)
        if secret.public and secret.public != private.public.raw:
            raise apart(scheme)
        if secret.expanded:
            _check_expanded(scheme, secret, private.public.raw)
        return private

    def public_key(self, scheme: Scheme, raw: bytes) -> PublicKey:
        """A public key from its raw bytes; the point must be on the curve."""
        spki.check_length(scheme, raw)
        primitive = self._primitive(scheme)
        try:
            key = primitive.public(raw)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyFormatError(f"no public key of {scheme.name}: {error}") from None
        return _Public(scheme, primitive, key, raw)

    def _primitive(self, scheme: Scheme) -> _Primitive:
        return PRIMITIVES[scheme.backends[self.name]]


def _check_expanded(scheme: Scheme, secret: Secret, public: bytes) -> None:
    """An expanded ML-DSA key holds, after two values of 32 bytes, tr = SHAKE256(pk) of 64: FIPS 204 section 7.2."""
    digest = hashes.Hash(hashes.SHAKE256(64))
    digest.update(public)
    if secret.expanded[64:128] != digest.finalize():
        raise apart(scheme, "seed and expanded form")
