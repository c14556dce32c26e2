"""Identities and trust from files, whatever their format: what `serve` and `connect` are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pqdc.credential.certificate import Certificate
from pqdc.credential.formats import read_credential
from pqdc.credential.leaf import read_certificates
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.errors import KeyFormatError
from pqdc.handshake.chain import Trust
from pqdc.handshake.credentials import Identity
from pqdc.scheme import keyfile
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.keys import PrivateKey

__all__ = ["load_identities", "load_trust"]


def load_identities(
    leaf: Path,
    key: Path | None,
    credentials: Sequence[tuple[Path, Path]],
    *,
    role: Role,
    catalog: Catalog,
    fallback: bool = True,
    force: bool = False,
    password: bytes | None = None,
) -> tuple[Identity, ...]:
    """The credentials under a leaf, in the order given, and last, to fall back to, the leaf's own key.

    Args:
        leaf: its chain, the leaf first; or a bundle in which the leaf is the one that fits the key.
        key: the leaf's, or None if it is not here.
        credentials: pairs of a DC's file and its key's.
        role: whose credentials they are.
        catalog: the schemes known.
        fallback: whether the leaf's own key may prove the endpoint.
        force: whether a credential may be of a forbidden kind, or come with a key that is not its own.
        password: opens encrypted keys.

    Raises:
        FileError, KeyFormatError, BackendUnavailable: a file cannot be used, or keys and credentials do not fit.
    """
    chain = read_certificates(leaf, catalog)
    own = keyfile.load_private_keys(key, catalog, password=password) if key else []
    first, fitting = _leaf_of(chain, own, key)
    issuers = tuple(item.der for item in chain if item is not first)
    found = []
    for file, key_file in credentials:
        dc = read_credential(file, role)
        keys = keyfile.load_private_keys(key_file, catalog, password=password)
        private = next((key for key in keys if _is_key_of(key, dc)), None)
        if private is None and not force:
            raise KeyFormatError(f"{key_file}: this key does not belong to the credential in {file}")
        found.append(Identity(leaf=first, issuers=issuers, key=private or keys[0], dc=dc, unfit=force))
    if fallback:
        found += [Identity(leaf=first, issuers=issuers, key=private) for private in fitting]
    return tuple(found)


def load_trust(path: Path, catalog: Catalog) -> Trust:
    """The CAs of a file."""
    return Trust(certificate.der for certificate in read_certificates(path, catalog))


def _is_key_of(key: PrivateKey, dc: DelegatedCredential) -> bool:
    """Scheme and key: RSA's keys are of several schemes."""
    return key.scheme.code_point == dc.cred.dc_cert_verify_algorithm and key.public.spki == dc.cred.spki


def _leaf_of(chain: list[Certificate], own: list[PrivateKey], key: Path | None) -> tuple[Certificate, list[PrivateKey]]:
    """The certificate that the keys belong to, and those of the keys whose scheme has a code point."""
    if not own:
        return chain[0], []
    for candidate in chain:
        if fitting := [k for k in own if k.scheme in candidate.schemes and candidate.is_of(k.public.raw)]:
            return candidate, [k for k in fitting if k.scheme.code_point is not None]
    raise KeyFormatError(f"{key}: this key belongs to none of the certificates beside it")
