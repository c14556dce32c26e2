"""Believing the peer: chain, credential, CertificateVerify. The same for both roles (RFC 9345 section 4.1.2).

The rules of a credential are those of `pqdc.credential`; chain and name are `chain`'s. Neither depends on the other.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from pqdc.credential import offers
from pqdc.credential.certificate import Certificate, load_public_key
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.credential.verify import verify
from pqdc.errors import DecodeError
from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.events import Proof
from pqdc.handshake.messages import CertificateMessage, CertificateVerify
from pqdc.handshake.settings import Settings
from pqdc.scheme import spki
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.keys import PublicKey

__all__ = ["PeerCredentials", "signed_content"]

_CONTEXT = {Role.SERVER: b"TLS 1.3, server CertificateVerify", Role.CLIENT: b"TLS 1.3, client CertificateVerify"}


def signed_content(role: Role, transcript: bytes) -> bytes:
    """What CertificateVerify signs: RFC 8446 section 4.4.3."""
    return b" " * 64 + _CONTEXT[role] + b"\0" + transcript


class PeerCredentials:
    """What the peer has shown in its Certificate message, found good; then `check_signature` believes it.

    Args:
        message: not empty.
        role: the peer's.
        settings: ours.
        name: the host name or address it must be, for a server.

    Raises:
        RuleRefusal: a rule of RFC 9345 is broken.
        ProtocolViolation: chain or name are not good, or the message is not.
    """

    def __init__(self, message: CertificateMessage, role: Role, settings: Settings, name: str | None) -> None:
        self._role = role
        offer = self._offer = settings.offer
        self._catalog = settings.catalog
        chain = tuple(entry.der for entry in message.entries)
        if len(chain) > settings.limits.chain_length:
            raise ProtocolViolation(Alert.BAD_CERTIFICATE, f"a chain of {len(chain)} certificates")
        encoded = offers.credential_in([entry.extensions for entry in message.entries])
        if encoded is not None:
            offers.check_expected(offer, role)
        self.dc = None if encoded is None else offers.decode(encoded)
        if self.dc is not None:
            offers.check_offered(self.dc, offer, role)
        certificates = [read_certificate(der, settings.catalog) for der in chain]
        self.leaf = certificates[0]
        self._check(chain, settings, settings.clock(), name)
        self._chain = chain

    def _check(self, chain: tuple[bytes, ...], settings: Settings, now: datetime, name: str | None) -> None:
        if settings.trust is not None:
            settings.trust.check(chain, now=now, role=self._role, name=name)
        if self.dc is not None:
            verify(self.dc, self.leaf, now=now, role=self._role, policy=settings.policy)
        elif self.leaf.digital_signature is False:
            raise ProtocolViolation(Alert.UNSUPPORTED_CERTIFICATE, "the leaf's KeyUsage lacks digitalSignature")

    def check_signature(self, message: CertificateVerify, transcript: bytes) -> Proof:
        """The proof, if this CertificateVerify is good.

        Raises:
            AlgorithmNotUsed: it is not by dc_cert_verify_algorithm (rule V3).
            ProtocolViolation: its scheme was not offered, or is not one of the leaf's key.
            BadSignature: it does not verify.
        """
        self._key(message.algorithm).verify(message.signature, signed_content(self._role, transcript))
        expiry = None if self.dc is None else self.leaf.not_before + self.dc.cred.valid_time
        return Proof(chain=self._chain, scheme=message.algorithm, dc=self.dc, dc_expiry=expiry)

    def _key(self, algorithm: int) -> PublicKey:
        if self.dc is not None:
            offers.check_used(self.dc, algorithm)
            return _credential_key(self.dc, self._catalog)
        if algorithm not in self._offer.signature_algorithms:
            raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, f"CertificateVerify by 0x{algorithm:04x}, not offered")
        key = self.leaf.key_for(algorithm)
        if key is None:
            raise ProtocolViolation(
                Alert.ILLEGAL_PARAMETER, f"CertificateVerify by 0x{algorithm:04x}, which the leaf's key does not make"
            )
        return key


@lru_cache(maxsize=64)  # who is met again is not read again; signatures are checked each time
def read_certificate(der: bytes, catalog: Catalog) -> Certificate:
    """A certificate that follows RFC 5280 as far as can be seen at a glance; libraries only warn of it."""
    try:
        certificate = Certificate.decode(der, catalog)
    except DecodeError as error:
        raise ProtocolViolation(Alert.BAD_CERTIFICATE, str(error)) from None
    if certificate.oddities:
        raise ProtocolViolation(Alert.BAD_CERTIFICATE, f"a certificate in which {'; '.join(certificate.oddities)}")
    return certificate


def _credential_key(dc: DelegatedCredential, catalog: Catalog) -> PublicKey:
    """Of a credential that `verify` has found good: so one scheme fits, even where RSA's share a code point."""
    candidates = catalog.with_code_point(dc.cred.dc_cert_verify_algorithm)
    if len(candidates) > 1:
        fitting = spki.schemes_of(catalog, dc.cred.spki)
        candidates = tuple(scheme for scheme in candidates if scheme in fitting)
    return load_public_key(candidates[0], dc.cred.spki)
