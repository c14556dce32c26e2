"""What is known of a signature scheme: facts, frozen. Computing it is the business of a backend.

A scheme without an OID or a TLS code point is still a scheme; it only cannot travel in a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

__all__ = ["Kind", "Library", "PrivateKeyEncoding", "Scheme", "SignatureLength"]

Kind = Literal["classical", "pq", "hybrid", "composite"]
SignatureLength = Literal["fixed", "max"]
PrivateKeyEncoding = Literal["own", "seed", "raw", "concatenated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A shared object with NIST's call interface, which computes one scheme: docs/own-scheme.md.

    Attributes:
        path: of the file, absolute.
        prefix: of its symbols: what stands before `crypto_sign_keypair`.
        seconds: that one call may take.
    """

    path: Path
    prefix: str = ""
    seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scheme:
    """One entry of algorithms.toml; docs/schemes.md tells each field. Sizes are bytes, OIDs are dotted.

    Attributes:
        public_key_bytes: of the raw key, the content of the SPKI's BIT STRING.
        signature_bytes: exactly, or at most where `signature_length` is "max".
        private_key_bytes: of the library's own private key; None where it has no fixed size.
        private_key: what PKCS#8 carries: "own" (the standard of the key type), "seed" (RFC 9881),
            "raw" (RFC 9909: the private key alone, which ends with the public one), or "concatenated" (oqs-provider:
            an OCTET STRING of private key, then public key).
        oid: of the signature algorithm, and of the key unless `key_oid` says otherwise. A scheme without one has no
            keys of its own: with a `key_oid` alone, it can be a component of others.
        key_parameters: of the SPKI's AlgorithmIdentifier: an OID, "NULL", or empty for none.
        key_parameters_too: DER, in hex, of other parameters that mean the same.
        backends: library to its own name for the scheme, in order of preference.
        benchmark: False for a scheme that is known, but left out of tables and benchmarks unless named.
        components: the schemes that a hybrid or composite is made of, in the order in which their bytes stand.
        combiner: how they are put together (`pqdc.scheme.combiners`); empty for a scheme that is one.
        library: the user's own, which the backend nist-api loads; None for all others.
    """

    name: str
    kind: Kind
    family: str
    public_key_bytes: int
    signature_bytes: int
    signature_length: SignatureLength
    aliases: tuple[str, ...] = ()
    nist_level: int | None = None
    standard: str = ""
    private_key_bytes: int | None = None
    private_key: PrivateKeyEncoding = "own"
    oid: str = ""
    key_oid: str = ""
    key_parameters: str = ""
    key_parameters_too: str = ""
    tls_name: str = ""
    code_point: int | None = None
    code_point_source: str = ""
    code_point_status: str = ""
    code_point_conflict: str = ""
    security_flag: str = ""
    backends: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    benchmark: bool = True
    components: tuple[Scheme, ...] = ()
    combiner: str = ""
    library: Library | None = None
    note: str = ""

    @property
    def spki_oid(self) -> str:
        """The OID that a key of this scheme carries, or empty."""
        return self.key_oid or self.oid

    def makes_signature_of(self, length: int) -> bool:
        """Whether a signature of `length` bytes is possible."""
        if self.signature_length == "fixed":
            return length == self.signature_bytes
        return 0 < length <= self.signature_bytes

    def __repr__(self) -> str:
        """Short: a scheme is known by its name."""
        return f"<Scheme {self.name}>"
