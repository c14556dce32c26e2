"""Chain and name checks of a peer's certificates (rule V0): the ordinary ones, which know nothing of credentials.

`cryptography`'s verifier judges, by the rules of the Web PKI; it reads ML-DSA certificates and lets DelegationUsage
pass, since that is not critical. It forbids some key types (Ed25519, Ed448, and all that have no certificates yet):
for these, and to say by name what is wrong where it refuses, the path is checked by `path`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.x509 import verification

from pqdc.credential.structures import Role
from pqdc.errors import DecodeError
from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.path import check_path

__all__ = ["Trust"]

_FORBIDDEN_TYPE = (
    "Forbidden public key algorithm",
    "Forbidden signature algorithm",
)  # by policy, not by a failed check


class Trust:
    """The CAs that someone trusts.

    Args:
        roots: DER.

    Raises:
        DecodeError: one is no certificate.
    """

    def __init__(self, roots: Iterable[bytes]) -> None:
        try:
            self._roots = [x509.load_der_x509_certificate(root) for root in roots]
        except ValueError as error:
            raise DecodeError(f"no CA certificate: {error}") from None
        self._store = verification.Store(self._roots) if self._roots else None

    def check(self, chain: Sequence[bytes], *, now: datetime, role: Role, name: str | None) -> None:
        """Return if the chain leads to a root, is valid now, and is for `name`.

        Args:
            chain: DER, the leaf first.
            now: with a time zone.
            role: whose chain it is; names are asked of servers.
            name: the host name or IP address that a server must be; None skips the question.

        Raises:
            ProtocolViolation: it does not; with the alert of RFC 8446 section 6.2.
        """
        try:
            certificates = [x509.load_der_x509_certificate(der) for der in chain]
            self._judge(certificates, now, role, name)
        except ProtocolViolation:
            raise
        except Exception as error:  # noqa: BLE001 - the library has a dozen types for what is wrong with a certificate
            raise ProtocolViolation(Alert.BAD_CERTIFICATE, f"the certificate chain: {error}") from None

    def _judge(self, certificates: list[x509.Certificate], now: datetime, role: Role, name: str | None) -> None:
        try:
            if not self._store or (role is Role.SERVER and name is None):
                check_path(certificates, self._roots, now=now, role=role, name=name)
                return
            self._ask_library(certificates, now, role, name)
        except verification.VerificationError as error:
            check_path(certificates, self._roots, now=now, role=role, name=name)  # raises what is wrong, by name
            if not any(reason in str(error) for reason in _FORBIDDEN_TYPE):
                raise

    def _ask_library(self, certificates: list[x509.Certificate], now: datetime, role: Role, name: str | None) -> None:
        builder = verification.PolicyBuilder().time(now)
        if self._store:
            builder = builder.store(self._store)
        leaf, intermediates = certificates[0], certificates[1:]
        if role is Role.CLIENT:
            builder.build_client_verifier().verify(leaf, intermediates)
        elif name is not None:
            builder.build_server_verifier(_subject(name)).verify(leaf, intermediates)


@lru_cache(maxsize=64)
def _subject(name: str) -> verification.Subject:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
