"""Which of several certificates a credential was made under; `verify` and `inspect` choose alike."""

from __future__ import annotations

from collections.abc import Sequence

from pqdc.credential import refusals
from pqdc.credential.certificate import Certificate
from pqdc.credential.delegation import check_leaf
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.errors import BackendUnavailable, BadSignature, DecodeError
from pqdc.scheme.catalog import Catalog

__all__ = ["is_signed_by", "leaf_for", "read_leaf", "read_leaf_for"]


def read_leaf(data: bytes, catalog: Catalog) -> Certificate:
    """A certificate to verify under.

    Raises:
        LeafMalformed: it cannot be read as one.
    """
    try:
        return Certificate.decode(data, catalog)
    except DecodeError as error:
        raise refusals.LeafMalformed("a leaf that follows RFC 5280", str(error)) from None


def read_leaf_for(dc: DelegatedCredential, certificates: Sequence[bytes], catalog: Catalog, role: Role) -> Certificate:
    """As `leaf_for`, of certificates in DER, at least one; those that cannot be read are passed over.

    Raises:
        LeafMalformed: none can be read.
    """
    readable: list[Certificate] = []
    unreadable: list[refusals.LeafMalformed] = []
    for data in certificates:
        try:
            readable.append(read_leaf(data, catalog))
        except refusals.LeafMalformed as refusal:
            unreadable.append(refusal)
    if not readable:
        raise unreadable[0]
    return leaf_for(dc, readable, role)


def leaf_for(dc: DelegatedCredential, candidates: Sequence[Certificate], role: Role) -> Certificate:
    """Of several, at least one, that whose key made the signature; else the first that may delegate; else the first."""
    if len(candidates) == 1:
        return candidates[0]
    signers = (candidate for candidate in candidates if is_signed_by(dc, candidate, role))
    delegating = (candidate for candidate in candidates if _may_delegate(candidate))
    return next(signers, None) or next(delegating, None) or candidates[0]


def is_signed_by(dc: DelegatedCredential, leaf: Certificate, role: Role) -> bool:
    """Whether the leaf's key made the credential's signature, for that role."""
    try:
        key = leaf.key_for(dc.algorithm)
        if key is None:
            return False
        key.verify(dc.signature, dc.signed_bytes(leaf.der, role))
    except (BadSignature, BackendUnavailable):
        return False
    return True


def _may_delegate(leaf: Certificate) -> bool:
    try:
        check_leaf(leaf)
    except refusals.RuleRefusal:
        return False
    return True
