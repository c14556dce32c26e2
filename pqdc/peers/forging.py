"""Leaves and credentials as nobody should make them, with real signatures over whatever they say.

`pqdc mint` and `pqdc leaf` make none of these: they are for asking what peers do when they are shown one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pqdc.credential.authority import Authority, make_authority
from pqdc.credential.certificate import DELEGATION_USAGE, KEY_USAGE, Certificate
from pqdc.credential.delegation import DELEGATION_USAGE_VALUE
from pqdc.credential.structures import Credential, DelegatedCredential, Role, signed_prefix
from pqdc.handshake import Identity
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.keys import PrivateKey

__all__ = ["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT", "Leaf", "Stage"]

DIGITAL_SIGNATURE, KEY_ENCIPHERMENT = b"\x03\x02\x07\x80", b"\x03\x02\x05\x20"  # BIT STRINGs of KeyUsage
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A leaf and its key."""

    certificate: Certificate
    key: PrivateKey


class Stage:
    """A CA, and what is made under it when it is first asked for.

    Args:
        catalog: the schemes.
        now: with a time zone.
    """

    def __init__(self, catalog: Catalog, now: datetime) -> None:
        self.catalog = catalog
        self.now = now
        self._keys: dict[tuple[str, str], PrivateKey] = {}

    @cached_property
    def authority(self) -> Authority:
        """Of P-256."""
        return make_authority(self.key("ECDSA-P256", "ca"), name="pqdc verdicts CA", days=90, now=self.now)

    def key(self, scheme: str, name: str = "") -> PrivateKey:
        """A key; the same for the same name."""
        if (scheme, name) not in self._keys:
            found = self.catalog[scheme]
            self._keys[scheme, name] = backends.choose(found).generate(found)
        return self._keys[scheme, name]

    @cached_property
    def leaf(self) -> Leaf:
        """P-256, for localhost, and it may delegate."""
        return self.leaf_with()

    def leaf_with(
        self,
        scheme: str = "ECDSA-P256",
        *,
        delegation: bytes | None = DELEGATION_USAGE_VALUE,
        critical: bool = False,
        key_usage: bytes | None = DIGITAL_SIGNATURE,
        days: int = 60,
        name: str = "leaf",
    ) -> Leaf:
        """A leaf with these extensions, or without; valid from an hour ago."""
        key = self.key(scheme, name)
        certificate = self.authority.issue(key, hosts=["localhost"], days=days, now=self.now, catalog=self.catalog)
        public: Any = load_der_public_key(key.public.spki)
        parsed = x509.load_der_x509_certificate(certificate.der)
        builder = x509.CertificateBuilder(
            issuer_name=parsed.issuer,
            subject_name=parsed.subject,
            public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=parsed.not_valid_before_utc,
            not_valid_after=parsed.not_valid_after_utc,
        )
        for extension in parsed.extensions:
            if extension.oid.dotted_string not in {DELEGATION_USAGE, KEY_USAGE}:
                builder = builder.add_extension(extension.value, extension.critical)
        for oid, value, is_critical in ((KEY_USAGE, key_usage, True), (DELEGATION_USAGE, delegation, critical)):
            if value is not None:
                unread = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
                builder = builder.add_extension(unread, is_critical)
        return Leaf(certificate=Certificate.decode(self.authority.sign(builder), self.catalog), key=key)

    def forge(
        self,
        leaf: Leaf | None = None,
        *,
        lasts: int = _DAY,
        valid_time: int | None = None,
        scheme: str = "ECDSA-P256",
        spki: bytes | None = None,
        role: Role = Role.SERVER,
        order: Callable[[bytes, bytes, bytes], bytes] = lambda prefix, cred, algorithm: prefix + cred + algorithm,
        spoil: Callable[[bytes], bytes] = lambda signature: signature,
    ) -> DelegatedCredential:
        """A credential signed by the leaf's key, whatever it says; without fault unless told.

        Args:
            leaf: the plain one unless given.
            lasts: seconds from now.
            valid_time: instead of what `lasts` makes of it.
            scheme: of its key, and so its dc_cert_verify_algorithm.
            spki: another key than that.
            role: in the signature's context.
            order: of the parts that are signed.
            spoil: what is done to the signature.
        """
        leaf = leaf or self.leaf
        key = self.key(scheme, "dc")
        cred = Credential(
            valid_time=int(self.now.timestamp()) + lasts - leaf.certificate.not_before
            if valid_time is None
            else valid_time,
            dc_cert_verify_algorithm=key.scheme.code_point or 0,
            spki=key.public.spki if spki is None else spki,
        )
        algorithm = leaf.key.scheme.code_point or 0
        covered = order(signed_prefix(leaf.certificate.der, role), cred.encode(), algorithm.to_bytes(2, "big"))
        return DelegatedCredential(cred=cred, algorithm=algorithm, signature=spoil(leaf.key.sign(covered)))

    def show(self, dc: DelegatedCredential, leaf: Leaf | None = None, key: PrivateKey | None = None) -> Identity:
        """The credential with its leaf, and with the key that signs the handshake: its own unless given."""
        leaf = leaf or self.leaf
        own = self.catalog.with_code_point(dc.cred.dc_cert_verify_algorithm)[0].name
        return Identity(leaf=leaf.certificate, key=key or self.key(own, "dc"), dc=dc, unfit=True)

    def plain(self, leaf: Leaf | None = None) -> Identity:
        """The leaf's own key."""
        leaf = leaf or self.leaf
        return Identity(leaf=leaf.certificate, key=leaf.key)
