"""The three nouns of a signature scheme: private key, public key, and the backend that makes them.

A key is an object that holds whatever its library wants kept, so that signing does not pay for parsing. Lengths are
checked here, before any library sees bytes: some accept a signature with bytes appended, or pad a short key with zeros.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.scheme import pkcs8, spki
from pqdc.scheme.facts import Scheme
from pqdc.scheme.pkcs8 import Secret

__all__ = ["Backend", "PrivateKey", "PublicKey"]

LONGEST_CONTEXT = 255  # bytes: FIPS 204 section 5.2, FIPS 205 section 10.2


class PublicKey(ABC):
    """A public key of one scheme in one backend.

    Attributes:
        raw: the key's bytes, as in the BIT STRING of its SPKI.
    """

    __slots__ = ("__weakref__", "_spki", "backend", "raw", "scheme")

    def __init__(self, scheme: Scheme, backend: str, raw: bytes) -> None:
        self.scheme = scheme
        self.backend = backend
        self.raw = raw
        self._spki = b""

    @property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo, DER: the one that it came as, if `keep` was told.

        Raises:
            KeyFormatError: the scheme has no OID.
        """
        return self._spki or spki.encode(self.scheme, self.raw)

    def keep(self, der: bytes) -> None:
        """Keep `der` as the SPKI: what came in is not re-encoded, since its parameters may be others than the scheme's.

        Raises:
            DecodeError, KeyFormatError: it is none of this key.
        """
        if spki.raw_key(self.scheme, der) != self.raw:
            raise KeyFormatError(f"this is the SubjectPublicKeyInfo of another key of {self.scheme.name}")
        self._spki = der

    @property
    def parameters(self) -> bytes | None:
        """DER of the parameters in the SPKI that was kept; None if none was."""
        return spki.decode(self._spki).algorithm.parameters if self._spki else None

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if `signature` is one of `message` by this key.

        Raises:
            BadSignature: it is not, or has a length that the scheme does not make.
        """
        self._check_length(signature)
        if not self._verifies(signature, message):
            raise BadSignature(f"the {self.scheme.name} signature does not verify")

    def verify_with_context(self, signature: bytes, message: bytes, context: bytes) -> None:
        """As `verify`, for a signature made with this context string of FIPS 204 or FIPS 205, 1 to 255 bytes.

        Raises:
            BadSignature: it is not, or has a length that the scheme does not make, or the context is no such string.
            BackendUnavailable: scheme or backend takes no context.
        """
        self._check_length(signature)
        if not 0 < len(context) <= LONGEST_CONTEXT:
            raise BadSignature(f"a context has 1 to {LONGEST_CONTEXT} bytes, this has {len(context)}")
        if not self._verifies_with_context(signature, message, context):
            raise BadSignature(f"the {self.scheme.name} signature does not verify with this context")

    def _check_length(self, signature: bytes) -> None:
        if not self.scheme.makes_signature_of(len(signature)):
            limit = "" if self.scheme.signature_length == "fixed" else "at most "
            raise BadSignature(
                f"a signature of {self.scheme.name} has {limit}{self.scheme.signature_bytes} bytes, "
                f"this has {len(signature)}"
            )

    @abstractmethod
    def _verifies(self, signature: bytes, message: bytes) -> bool:
        """Ask the library; the signature's length is possible."""

    def _verifies_with_context(self, signature: bytes, message: bytes, context: bytes) -> bool:  # noqa: ARG002
        """As `_verifies`; a backend that passes contexts on says how."""
        raise BackendUnavailable(f"{self.backend} takes no context for {self.scheme.name}")

    def __repr__(self) -> str:
        """Without the key."""
        return f"<PublicKey {self.scheme.name} by {self.backend}>"


class PrivateKey(ABC):
    """A private key of one scheme in one backend, with its public half."""

    __slots__ = ("__weakref__", "public")

    def __init__(self, public: PublicKey) -> None:
        self.public = public

    @property
    def scheme(self) -> Scheme:
        """The scheme it is a key of."""
        return self.public.scheme

    @property
    def backend(self) -> str:
        """The backend that computes it."""
        return self.public.backend

    @abstractmethod
    def sign(self, message: bytes) -> bytes:
        """A signature of `message`."""

    def sign_with_context(self, message: bytes, context: bytes) -> bytes:
        """A signature of `message` with a context string of FIPS 204 or FIPS 205, 1 to 255 bytes.

        Raises:
            KeyFormatError: the context is no such string.
            BackendUnavailable: scheme or backend takes no context.
        """
        if not 0 < len(context) <= LONGEST_CONTEXT:
            raise KeyFormatError(f"a context has 1 to {LONGEST_CONTEXT} bytes, this has {len(context)}")
        return self._sign_with_context(message, context)

    def _sign_with_context(self, message: bytes, context: bytes) -> bytes:  # noqa: ARG002
        """As `sign`; a backend that passes contexts on says how."""
        raise BackendUnavailable(f"{self.backend} takes no context for {self.scheme.name}")

    @abstractmethod
    def secret(self) -> Secret:
        """The private key's bytes, in every form that this backend can give."""

    def pkcs8(self) -> bytes:
        """The private key as PKCS#8 (RFC 5958), DER, unencrypted, in the encoding that the scheme declares.

        Parameters that the key came with are kept.

        Raises:
            KeyFormatError: the scheme has no OID.
        """
        return pkcs8.encode(self.scheme, self.secret(), parameters=self.public.parameters)

    def __repr__(self) -> str:
        """Without the key."""
        return f"<PrivateKey {self.scheme.name} by {self.backend}>"


class Backend(Protocol):
    """A library that computes schemes; one file each under `backends/`, or an entry point in `pqdc.backends`.

    Its constructor takes nothing and raises `BackendUnavailable`, with the reason, where the library is missing.
    """

    name: str

    def versions(self) -> Mapping[str, str]:
        """The versions of the library and what lies under it, by name."""

    def reason_against(self, scheme: Scheme) -> str:
        """Why it cannot compute `scheme` here; empty if it can."""

    def generate(self, scheme: Scheme, *, seed: bytes | None = None) -> PrivateKey:
        """A new key pair; from `seed` for schemes whose private keys travel as seeds.

        Raises:
            KeyFormatError: the scheme takes no seed, or one of another length.
        """

    def private_key(self, scheme: Scheme, secret: Secret) -> PrivateKey:
        """A private key from its bytes.

        Raises:
            KeyFormatError: they are none of this scheme, or private and public half do not belong together.
        """

    def public_key(self, scheme: Scheme, raw: bytes) -> PublicKey:
        """A public key from its raw bytes.

        Raises:
            KeyFormatError: they are none of this scheme.
        """
