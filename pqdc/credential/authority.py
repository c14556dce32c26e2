"""Certificates for experiments: a CA of one's own, and leaves that may delegate under it (RFC 9345 section 4.2).

Written by `cryptography`; what it wrote is read back, since it re-encodes some keys. The clock is an argument.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pqdc.credential.certificate import DELEGATION_USAGE, Certificate
from pqdc.credential.delegation import DELEGATION_USAGE_VALUE
from pqdc.errors import KeyFormatError
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.keys import PrivateKey

__all__ = ["Authority", "make_authority"]

_BACKDATED = timedelta(hours=1)  # peers with a slow clock should accept it at once
_HOST = re.compile(
    r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA: its certificate, DER, and its key."""

    der: bytes
    key: PrivateKey

    def issue(
        self,
        key: PrivateKey,
        *,
        hosts: Sequence[str],
        days: int,
        now: datetime,
        catalog: Catalog,
        delegation: bool = True,
    ) -> Certificate:
        """A leaf for `key`, valid from an hour before `now` for `days` days, or as long as the CA.

        Args:
            key: the leaf's.
            hosts: DNS names and IP addresses, at least one.
            days: of validity.
            now: with a time zone.
            catalog: to read the new certificate by.
            delegation: whether it may delegate.

        Raises:
            KeyFormatError: a host is neither a name nor an address, or the key cannot stand in a certificate.
        """
        names = [_host(host) for host in hosts]
        issuer = x509.load_der_x509_certificate(self.der)
        end = min(now + timedelta(days=days), issuer.not_valid_after_utc)
        public = _library_public(key)
        builder = (
            _builder(public, hosts[0], issuer.subject, now, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(_library_key(self.key).public_key()),
                critical=False,
            )
        )
        if delegation:
            oid = x509.ObjectIdentifier(DELEGATION_USAGE)
            usage = x509.UnrecognizedExtension(oid, DELEGATION_USAGE_VALUE)
            builder = builder.add_extension(usage, critical=False)
        return _checked(self.sign(builder), key, catalog)

    def sign(self, builder: x509.CertificateBuilder) -> bytes:
        """The DER of whatever certificate that is; for tests and experiments with odd ones."""
        return _sign(builder, self.key)


def make_authority(key: PrivateKey, *, name: str, days: int, now: datetime) -> Authority:
    """A new CA with a self-signed certificate, valid from an hour before `now`.

    Raises:
        KeyFormatError: the name is empty, or the key cannot stand in, or sign, a certificate here.
    """
    if not name:
        raise KeyFormatError("a name for the CA wanted, got an empty one")
    public = _library_key(key).public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(public, name, subject, now, now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(digital_signature=False), critical=True)
    )
    return Authority(der=_sign(builder, key), key=key)


def _builder(public: Any, name: str, issuer: x509.Name, now: datetime, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _key_usage(*, digital_signature: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=not digital_signature,
        crl_sign=not digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _HOST.fullmatch(host):
            raise KeyFormatError(f"a host name or an IP address wanted, got {host!r}") from None
        return x509.DNSName(host)


def _library_key(key: PrivateKey) -> Any:
    """The key as an object of `cryptography`, which signs certificates."""
    try:
        return load_der_private_key(key.pkcs8(), password=None)
    except (ValueError, UnsupportedAlgorithm):
        raise _unwritable(key) from None


def _library_public(key: PrivateKey) -> Any:
    """The public half as an object of `cryptography`, which writes certificates."""
    try:
        return load_der_public_key(key.public.spki)
    except (ValueError, UnsupportedAlgorithm):
        raise _unwritable(key) from None


def _unwritable(key: PrivateKey) -> KeyFormatError:
    return KeyFormatError(f"no library here writes certificates with {key.scheme.name} keys")


def _sign(builder: x509.CertificateBuilder, key: PrivateKey) -> bytes:
    library_key = _library_key(key)
    digest: Any = None
    if isinstance(library_key, ec.EllipticCurvePrivateKey):
        digest = {384: hashes.SHA384(), 521: hashes.SHA512()}.get(library_key.key_size, hashes.SHA256())
    elif isinstance(library_key, rsa.RSAPrivateKey):
        digest = hashes.SHA256()
    return builder.sign(library_key, digest).public_bytes(Encoding.DER)


def _checked(der: bytes, key: PrivateKey, catalog: Catalog) -> Certificate:
    certificate = Certificate.decode(der, catalog)
    if certificate.spki != key.public.spki:
        raise KeyFormatError(
            f"the library wrote another key type than {key.scheme.name} into the certificate",
            hint="leaf keys of RSA are those of the schemes RSA-2048, RSA-3072 and RSA-4096",
        )
    return certificate
