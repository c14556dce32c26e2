"""The two structures of RFC 9345 section 4, and what their signature covers. Knows no rule and no key.

Whatever decodes encodes to the same bytes. Code points are plain integers: unknown ones survive.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from pqdc.wire import Reader, vector

__all__ = [
    "EXTENSION_TYPE",
    "LARGEST_DC",
    "LARGEST_SIGNATURE",
    "LARGEST_SPKI",
    "Credential",
    "DelegatedCredential",
    "Role",
]

EXTENSION_TYPE = 34  # delegated_credential, RFC 9345 section 4
LARGEST_SPKI = 2**24 - 1
LARGEST_SIGNATURE = 2**16 - 1
# An extension's data takes at most 65,535 bytes, and so does the list of a CertificateEntry's extensions, in which each
# has 4 bytes of header: RFC 8446 sections 4.2 and 4.4.2.
LARGEST_DC = 2**16 - 1 - 4


class Role(Enum):
    """Who proves itself with the credential; the value is the context string of its signature."""

    SERVER = b"TLS, server delegated credentials"
    CLIENT = b"TLS, client delegated credentials"

    __hash__ = object.__hash__  # members are single; Enum would hash the name anew, in Python, for each signature

    @property
    def other(self) -> Role:
        """The opposite one."""
        return Role.CLIENT if self is Role.SERVER else Role.SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What is signed about the key.

    ::

        struct {
            uint32 valid_time;
            SignatureScheme dc_cert_verify_algorithm;
            opaque ASN1_subjectPublicKeyInfo<1..2^24-1>;
        } Credential;

    Attributes:
        valid_time: seconds from the leaf's notBefore to the credential's end.
        dc_cert_verify_algorithm: the TLS SignatureScheme of the CertificateVerify made with this key.
        spki: the DER of the public key, as it came.
    """

    valid_time: int
    dc_cert_verify_algorithm: int
    spki: bytes

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return b"".join(
            (
                self.valid_time.to_bytes(4, "big"),
                self.dc_cert_verify_algorithm.to_bytes(2, "big"),
                len(self.spki).to_bytes(3, "big"),
                self.spki,
            )
        )

    @classmethod
    def read(cls, reader: Reader) -> Credential:
        """Read one; what follows stays in the reader."""
        return cls(
            valid_time=reader.uint(4, "valid_time"),
            dc_cert_verify_algorithm=reader.uint(2, "dc_cert_verify_algorithm"),
            spki=reader.vector(3, "ASN1_subjectPublicKeyInfo", at_least=1),
        )

    @classmethod
    def decode(cls, data: bytes) -> Credential:
        """The structure in exactly these bytes.

        Raises:
            DecodeError: they are none.
        """
        with Reader(data, "Credential") as reader:
            return cls.read(reader)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatedCredential:
    """A credential and the leaf's signature: the content of the extension.

    ::

        struct {
            Credential cred;
            SignatureScheme algorithm;
            opaque signature<1..2^16-1>;
        } DelegatedCredential;

    Attributes:
        algorithm: the TLS SignatureScheme of `signature`, which the leaf's key makes.
    """

    cred: Credential
    algorithm: int
    signature: bytes

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return b"".join((self.cred.encode(), self.algorithm.to_bytes(2, "big"), vector(2, self.signature)))

    @classmethod
    def decode(cls, data: bytes) -> DelegatedCredential:
        """The structure in exactly these bytes (rule V7).

        Raises:
            DecodeError: they are none; RFC 8446 section 6.2 wants the alert decode_error.
        """
        with Reader(data, "DelegatedCredential") as reader:
            return cls(
                cred=Credential.read(reader),
                algorithm=reader.uint(2, "algorithm"),
                signature=reader.vector(2, "signature", at_least=1),
            )

    def signed_bytes(self, leaf: bytes, role: Role) -> bytes:
        """What `signature` covers, for the DER of the leaf: see `signed_prefix`."""
        return signed_prefix(leaf, role) + self.cred.encode() + self.algorithm.to_bytes(2, "big")


@lru_cache(maxsize=256)
def signed_prefix(leaf: bytes, role: Role) -> bytes:
    """The part of what is signed that does not depend on the credential (RFC 9345 section 4).

    64 bytes of 0x20, the context string, a zero byte, the DER of the leaf; then follow `cred` and `algorithm`.
    """
    return b" " * 64 + role.value + b"\0" + leaf
