"""A strict, small path check (RFC 5280 section 6, RFC 9525), for key types that the library's verifier does not take.

Asked: signatures, issuer names, validity, basicConstraints, path length, keyUsage, extendedKeyUsage, names, no unknown
critical extension. Not asked: policies, name constraints (refused, as they are critical), revocation.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from pqdc.credential.structures import Role
from pqdc.handshake.alerts import Alert, ProtocolViolation

__all__ = ["check_path", "names_cover"]

T = TypeVar("T", bound=x509.ExtensionType)
_UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
_PURPOSE = {Role.SERVER: ExtendedKeyUsageOID.SERVER_AUTH, Role.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH}


def check_path(
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    *,
    now: datetime,
    role: Role,
    name: str | None,
) -> None:
    """Return if the chain, in the order sent, leads from its first certificate to a root.

    Raises:
        ProtocolViolation: with the alert of RFC 8446 section 6.2.
    """
    leaf = chain[0]
    _check_current(leaf, now)
    _check_critical(leaf)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if purposes is not None and _PURPOSE[role] not in purposes:
        raise _bad(Alert.UNSUPPORTED_CERTIFICATE, f"the leaf is not for authenticating a {role.name.lower()}")
    if name is not None and role is Role.SERVER:
        _check_name(leaf, name)
    subject = leaf
    for below, issuer in enumerate(chain[1:]):
        if any(_issued(root, subject) for root in roots):
            break
        _check_issuer(issuer, subject, below, now)
        subject = issuer
    for root in roots:
        if _issued(root, subject):
            _check_issuer(root, subject, chain.index(subject), now)
            return
    raise _bad(Alert.UNKNOWN_CA, f"no trusted CA is called {subject.issuer.rfc4514_string()!r}")


def names_cover(leaf: x509.Certificate, name: str) -> bool:
    """Whether the leaf is for this host name or IP address, by its subjectAltName: RFC 9525 section 6.

    Raises:
        ProtocolViolation: its extensions cannot be read.
    """
    names = _extension(leaf, x509.SubjectAlternativeName)
    if names is None:
        return False
    try:
        return ipaddress.ip_address(name) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        return any(_matches(pattern, name) for pattern in names.get_values_for_type(x509.DNSName))


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    return issuer.subject == subject.issuer


def _check_issuer(issuer: x509.Certificate, subject: x509.Certificate, below: int, now: datetime) -> None:
    """`below`: how many CAs stand between the issuer and the leaf."""
    _check_current(issuer, now)
    _check_critical(issuer)
    constraints = _extension(issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise _bad(Alert.BAD_CERTIFICATE, "an issuer that is no CA")
    if constraints.path_length is not None and constraints.path_length < below:
        raise _bad(Alert.BAD_CERTIFICATE, f"a CA with a path of at most {constraints.path_length} CAs has {below}")
    usage = _extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise _bad(Alert.BAD_CERTIFICATE, "an issuer whose key may not sign certificates")
    try:
        subject.verify_directly_issued_by(issuer)
    except InvalidSignature:
        raise _bad(Alert.BAD_CERTIFICATE, "a certificate's signature does not verify") from None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad(Alert.BAD_CERTIFICATE, f"a certificate's signature cannot be verified: {error}") from None


def _check_current(certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise _bad(Alert.CERTIFICATE_EXPIRED, f"a certificate until {certificate.not_valid_after_utc:%Y-%m-%dT%H:%MZ}")
    if now < certificate.not_valid_before_utc:
        raise _bad(Alert.BAD_CERTIFICATE, f"a certificate from {certificate.not_valid_before_utc:%Y-%m-%dT%H:%MZ} on")


def _check_critical(certificate: x509.Certificate) -> None:
    for extension in _extensions(certificate):
        if extension.critical and not isinstance(extension.value, _UNDERSTOOD):
            raise _bad(Alert.UNSUPPORTED_CERTIFICATE, f"an unknown critical extension, {extension.oid.dotted_string}")


def _check_name(leaf: x509.Certificate, name: str) -> None:
    if _extension(leaf, x509.SubjectAlternativeName) is None:
        raise _bad(Alert.BAD_CERTIFICATE, "a certificate without subjectAltName")
    if not names_cover(leaf, name):
        raise _bad(Alert.BAD_CERTIFICATE, f"the certificate is not for {name!r}")


def _matches(pattern: str, name: str) -> bool:
    """A wildcard stands for the whole of the first label, and for no other: RFC 9525 section 6.3."""
    wanted, given = pattern.lower(), name.lower().rstrip(".")
    if wanted.startswith("*."):
        first, _, rest = given.partition(".")
        return bool(first) and rest == wanted[2:] and "." in rest
    return wanted == given


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    return next((item.value for item in _extensions(certificate) if isinstance(item.value, kind)), None)


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except ValueError as error:
        raise _bad(Alert.BAD_CERTIFICATE, f"a certificate's extensions: {error}") from None


def _bad(alert: Alert, message: str) -> ProtocolViolation:
    return ProtocolViolation(alert, message)
