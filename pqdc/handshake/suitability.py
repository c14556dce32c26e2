"""Which of an endpoint's chains suits a peer best: by name, by its CAs, and by the signatures on its certificates.

RFC 8446 section 4.4.2.2: server_name and certificate_authorities (section 4.2.4) guide the choice; certificates are to
be signed by algorithms that the peer has named in signature_algorithms_cert, or else in signature_algorithms (section
4.2.3), if there is such a chain. If there is none, another is sent all the same: so these are wishes, and nothing is
refused for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography import x509

from pqdc.handshake.alerts import ProtocolViolation
from pqdc.handshake.codepoints import ExtensionType
from pqdc.handshake.path import names_cover
from pqdc.scheme.catalog import Catalog

__all__ = ["ChainFacts", "Wishes"]

# Only ever on certificates, so no scheme of ours: RFC 8446 section 4.2.3, by the OIDs of RFC 8017.
_PKCS1 = {
    "1.2.840.113549.1.1.5": 0x0201,
    "1.2.840.113549.1.1.11": 0x0401,
    "1.2.840.113549.1.1.12": 0x0501,
    "1.2.840.113549.1.1.13": 0x0601,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a peer hopes for.

    Attributes:
        server_name: of the server; None if it has not said.
        certificate_algorithms: SignatureSchemes on certificates.
        authorities: distinguished names of CAs, DER; none if all will do.
    """

    server_name: str | None = None
    certificate_algorithms: tuple[int, ...] = ()
    authorities: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, extensions: dict[int, Any]) -> Wishes:
        """As the extensions of a ClientHello or a CertificateRequest say; signature_algorithms is among them."""
        algorithms = extensions.get(ExtensionType.SIGNATURE_ALGORITHMS_CERT)
        return cls(
            server_name=extensions.get(ExtensionType.SERVER_NAME),
            certificate_algorithms=algorithms or extensions[ExtensionType.SIGNATURE_ALGORITHMS],
            authorities=frozenset(extensions.get(ExtensionType.CERTIFICATE_AUTHORITIES, ())),
        )


class ChainFacts:
    """What is asked of a chain when one is chosen; a certificate that the library cannot read has no name.

    Args:
        chain: DER, the leaf first.
        catalog: where signature algorithms are looked up.
    """

    def __init__(self, chain: Sequence[bytes], catalog: Catalog) -> None:
        try:
            certificates = [x509.load_der_x509_certificate(der) for der in chain]
        except ValueError:
            certificates = []
        self._leaf = certificates[0] if certificates else None
        # One that signs itself is not validated as a part of the chain: section 4.4.2.2.
        self._issuers = {item.issuer.public_bytes() for item in certificates}
        self._signatures = [_points(item, catalog) for item in certificates if item.issuer != item.subject]

    @lru_cache(maxsize=128)  # noqa: B019 - a chain lives as long as its endpoint, and the same peers come again
    def shortcomings(self, wishes: Wishes) -> tuple[bool, bool, bool]:
        """Whether it lacks the name, has none of the CAs, is signed by something unasked; the lesser suits better."""
        name, taken = wishes.server_name, wishes.certificate_algorithms
        return (
            name is not None and not self._covers(name),
            bool(wishes.authorities) and self._issuers.isdisjoint(wishes.authorities),
            not all(any(point in taken for point in points) for points in self._signatures),
        )

    def _covers(self, name: str) -> bool:
        try:
            return self._leaf is not None and names_cover(self._leaf, name)
        except ProtocolViolation:  # its extensions cannot be read
            return False


def _points(certificate: x509.Certificate, catalog: Catalog) -> tuple[int, ...]:
    """The SignatureSchemes that the signature on it may be called; RSASSA-PSS has several for one OID."""
    oid = certificate.signature_algorithm_oid.dotted_string
    if oid in _PKCS1:
        return (_PKCS1[oid],)
    return tuple({scheme.code_point for scheme in catalog.values() if scheme.oid == oid and scheme.code_point})
