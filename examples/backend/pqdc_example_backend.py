"""A backend for pqdc in one file: ECDSA on secp256k1, by the package cryptography."""

from __future__ import annotations

from collections.abc import Mapping

import cryptography
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from pqdc.errors import KeyFormatError
from pqdc.scheme import pkcs8, spki
from pqdc.scheme.facts import Scheme
from pqdc.scheme.halves import apart
from pqdc.scheme.keys import PrivateKey, PublicKey
from pqdc.scheme.pkcs8 import Secret

ALGORITHM = ec.ECDSA(SHA256())


class Public(PublicKey):
    """Lengths have been checked when the library is asked."""

    def __init__(self, scheme: Scheme, key: ec.EllipticCurvePublicKey) -> None:
        super().__init__(scheme, Example.name, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        self._key = key

    def _verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            self._key.verify(signature, message, ALGORITHM)
        except InvalidSignature:
            return False
        return True


class Private(PrivateKey):
    """It holds the library's object, so that signing does not pay for parsing."""

    def __init__(self, scheme: Scheme, key: ec.EllipticCurvePrivateKey) -> None:
        super().__init__(Public(scheme, key.public_key()))
        self._key = key

    def sign(self, message: bytes) -> bytes:
        """DER, as TLS wants it."""
        return self._key.sign(message, ALGORITHM)

    def secret(self) -> Secret:
        """The content of its PKCS#8, which is the form that the scheme declares: "own"."""
        der = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return pkcs8.secret_of(self.scheme, pkcs8.decode(der))


class Example:
    """To make one looks whether its library is here: `BackendUnavailable`, with the reason, if not."""

    name = "example"

    def versions(self) -> Mapping[str, str]:
        """They stand in every result."""
        return {"cryptography": cryptography.__version__}

    def reason_against(self, scheme: Scheme) -> str:
        """Empty for what it computes."""
        name = scheme.backends[self.name]
        return "" if name == "secp256k1" else f"the backend example knows no {name}"

    def generate(self, scheme: Scheme, *, seed: bytes | None = None) -> PrivateKey:
        """A new key pair."""
        if seed is not None:
            raise KeyFormatError(f"keys of {scheme.name} are not made from a seed")
        return Private(scheme, ec.generate_private_key(ec.SECP256K1()))

    def private_key(self, scheme: Scheme, secret: Secret) -> PrivateKey:
        """A private key, of which no message quotes a byte."""
        try:
            loaded = load_der_private_key(pkcs8.encode(scheme, secret), None)
        except ValueError:
            raise KeyFormatError(f"the private key cannot be read as one of {scheme.name}") from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey) or not isinstance(loaded.curve, ec.SECP256K1):
            raise KeyFormatError(f"a private key of {scheme.name} wanted, this is of another type or curve")
        key = Private(scheme, loaded)
        if secret.public not in (b"", key.public.raw):
            raise apart(scheme)
        return key

    def public_key(self, scheme: Scheme, raw: bytes) -> PublicKey:
        """A public key; its length is checked before the library sees it."""
        spki.check_length(scheme, raw)
        try:
            return Public(scheme, ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), raw))
        except ValueError as error:
            raise KeyFormatError(f"no public key of {scheme.name}: {error}") from None
