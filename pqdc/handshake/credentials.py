"""What an endpoint can prove itself with, and what of it the peer takes (RFC 8446 section 4.4.2.2, RFC 9345 4.1).

An `Identity` is a chain and a key: the leaf's own, or that of a delegated credential. An endpoint has a list of
them, in order of preference; whether it falls back to the leaf's key is whether an identity with that key stands in
the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pqdc.credential import offers
from pqdc.credential.certificate import Certificate
from pqdc.credential.fit import forbidden
from pqdc.credential.offers import Offer
from pqdc.credential.structures import EXTENSION_TYPE, DelegatedCredential, Role
from pqdc.errors import KeyFormatError
from pqdc.handshake.events import Proof
from pqdc.handshake.messages import CertificateEntry, CertificateMessage
from pqdc.handshake.suitability import ChainFacts, Wishes
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.keys import PrivateKey

__all__ = ["Identity", "choose"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Identity:
    """A chain, and a key to sign CertificateVerify with.

    Attributes:
        leaf: the end-entity certificate.
        issuers: DER of the certificates above it that are sent too.
        key: the leaf's, or the credential's.
        dc: the credential, if `key` is its.
        unfit: whether the key may be another's, or of a forbidden kind, for experiments with what peers do then.

    Raises:
        KeyFormatError: the key belongs to neither, or has no TLS code point, or is one that no credential may be (M3).
    """

    leaf: Certificate
    key: PrivateKey
    issuers: tuple[bytes, ...] = ()
    dc: DelegatedCredential | None = None
    unfit: bool = False

    def __post_init__(self) -> None:
        """Check that the key is the one that will be looked for."""
        scheme = self.key.scheme
        if scheme.code_point is None:
            raise KeyFormatError(f"{scheme.name} has no TLS code point, so it signs no CertificateVerify")
        if self.unfit:
            return
        if self.dc is None:
            if scheme not in self.leaf.schemes or not self.leaf.is_of(self.key.public.raw):
                raise KeyFormatError("the private key does not belong to the leaf certificate")
            return
        if reason := forbidden(scheme.code_point):
            raise KeyFormatError(f"a delegated credential of {scheme.name}, which none may be: {reason}")
        if self.dc.cred.dc_cert_verify_algorithm != scheme.code_point or self.dc.cred.spki != self.key.public.spki:
            raise KeyFormatError("the private key does not belong to the delegated credential")

    @classmethod
    def of_certificate(cls, chain: Sequence[bytes], key: PrivateKey, catalog: Catalog) -> Identity:
        """The leaf's own key, with the leaf first in `chain` (DER)."""
        return cls(leaf=Certificate.decode(chain[0], catalog), issuers=tuple(chain[1:]), key=key)

    @classmethod
    def delegated(
        cls, dc: DelegatedCredential, key: PrivateKey, leaf: Certificate, issuers: Sequence[bytes] = ()
    ) -> Identity:
        """A credential under `leaf`, and its key."""
        return cls(leaf=leaf, issuers=tuple(issuers), key=key, dc=dc)

    @property
    def scheme(self) -> int:
        """The code point of its CertificateVerify."""
        return self.key.scheme.code_point or 0

    @property
    def expiry(self) -> int | None:
        """When its credential ends, Unix seconds."""
        return None if self.dc is None else self.leaf.not_before + self.dc.cred.valid_time

    @cached_property
    def message(self) -> CertificateMessage:
        """The Certificate message that shows it; the credential stands in the leaf's entry (rule S3)."""
        shown = () if self.dc is None else ((EXTENSION_TYPE, self.dc.encode()),)
        leaf = CertificateEntry(der=self.leaf.der, extensions=shown)
        return CertificateMessage(entries=(leaf, *(CertificateEntry(der=der) for der in self.issuers)))

    @cached_property
    def chain(self) -> ChainFacts:
        """What is asked of its chain when one is chosen."""
        return ChainFacts((self.leaf.der, *self.issuers), self.leaf.catalog)

    @cached_property
    def proof(self) -> Proof:
        """As it is told to callers."""
        return Proof(chain=(self.leaf.der, *self.issuers), scheme=self.scheme, dc=self.dc, dc_expiry=self.expiry)

    def reason_against(self, offer: Offer, role: Role, now: float) -> str:
        """Why it cannot be used now, towards someone who made this offer; empty if it can."""
        if self.dc is None:
            if self.scheme in offer.signature_algorithms:
                return ""
            return f"0x{self.scheme:04x}, the scheme of the leaf's key, is not in signature_algorithms"
        if now > (self.expiry or 0):
            return "the credential has expired"
        return offers.reason_against(self.dc, offer, role)


def choose(
    identities: Sequence[Identity], offer: Offer, role: Role, now: float, wishes: Wishes
) -> tuple[Identity | None, list[str]]:
    """The first that the peer takes, or None; and the reasons against those before it.

    They are asked in their own order, but those that suit the peer's wishes come before those that do not.
    """
    reasons: list[str] = []
    for identity in sorted(identities, key=lambda identity: identity.chain.shortcomings(wishes)):
        reason = identity.reason_against(offer, role, now)
        if not reason:
            return identity, reasons
        reasons.append(reason)
    return None, reasons
