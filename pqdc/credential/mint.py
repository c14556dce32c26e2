"""Minting: a delegated credential under a leaf, refused where the RFC forbids it (rules M1 to M7).

A `Minter` holds what does not change from one credential to the next; `mint` is its case of one. The clock is an
argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pqdc.credential import fit, refusals
from pqdc.credential.certificate import say_duration, say_time
from pqdc.credential.leaf import Leaf
from pqdc.credential.rules import WEEK
from pqdc.credential.structures import Credential, DelegatedCredential, Role, signed_prefix
from pqdc.errors import KeyFormatError, Refusal
from pqdc.scheme import backends
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import Backend, PrivateKey, PublicKey

__all__ = ["Minter", "mint"]

LONGEST_VALID_TIME = 2**32 - 1
_HINT = "`pqdc schemes` says which schemes fit a credential, and why others do not"


@dataclass(slots=True)
class Minter:
    """Mints any number of credentials under one leaf, for one role.

    Args:
        leaf: who signs.
        role: who will prove itself with the credentials.
        max_lifetime: of a credential, from minting; RFC 9345 section 4.1.3 says 7 days unless a profile says otherwise.
    """

    leaf: Leaf
    role: Role = Role.SERVER
    max_lifetime: timedelta = WEEK
    _prefix: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Build what all signatures begin with."""
        self._prefix = signed_prefix(self.leaf.certificate.der, self.role)

    def mint(
        self, scheme: Scheme, *, valid_for: timedelta, now: datetime, backend: Backend | None = None
    ) -> tuple[DelegatedCredential, PrivateKey]:
        """A credential with a new key of `scheme`, and the key.

        Args:
            scheme: of the credential's key.
            valid_for: from `now`; whole seconds count.
            now: with a time zone.
            backend: who makes the key; the scheme's first that is here, unless given.

        Raises:
            Refusal: a rule of minting would be broken; no key has been made then.
            BackendUnavailable: nothing here computes the scheme.
            KeyFormatError: the scheme cannot be carried by a credential.
        """
        valid_time = self._valid_time(valid_for, now)
        self._check_scheme(scheme)
        key = (backend or backends.choose(scheme)).generate(scheme)
        return self._sign(key.public, valid_time), key

    def mint_for(self, key: PublicKey, *, valid_for: timedelta, now: datetime) -> DelegatedCredential:
        """A credential for a key that exists, of which only the public half is needed.

        Raises:
            Refusal, KeyFormatError: as `mint`.
        """
        valid_time = self._valid_time(valid_for, now)
        self._check_scheme(key.scheme)
        return self._sign(key, valid_time)

    def _sign(self, key: PublicKey, valid_time: int) -> DelegatedCredential:
        algorithm = self.leaf.scheme.code_point or 0
        cred = Credential(valid_time=valid_time, dc_cert_verify_algorithm=key.scheme.code_point or 0, spki=key.spki)
        signature = self.leaf.signer(self._prefix + cred.encode() + algorithm.to_bytes(2, "big"))
        if not isinstance(signature, bytes):
            raise KeyFormatError(f"the leaf's signer gave no bytes, but {type(signature).__name__}")
        if not self.leaf.scheme.makes_signature_of(len(signature)):
            raise KeyFormatError(
                f"the leaf's signer gave {len(signature)} bytes, no signature of {self.leaf.scheme.name}"
            )
        return DelegatedCredential(cred=cred, algorithm=algorithm, signature=signature)

    def _valid_time(self, valid_for: timedelta, now: datetime) -> int:
        """Seconds from the leaf's notBefore to the credential's end: rules M1 and M2."""
        leaf = self.leaf.certificate
        seconds = int(valid_for.total_seconds())
        if seconds <= 0:
            raise refusals.NotPositive("a lifetime of at least a second", f"{seconds} s")
        if valid_for > self.max_lifetime:
            raise refusals.LifetimeTooLong(
                f"a lifetime of at most {say_duration(self.max_lifetime.total_seconds())}",
                say_duration(seconds),
                hint="ask for less with --valid-for",
            )
        start = int(now.timestamp())
        expiry = start + seconds
        if start < leaf.not_before:
            raise refusals.LeafNotYetValid(
                f"a leaf valid at {say_time(start)}", f"one from {say_time(leaf.not_before)}"
            )
        if start > leaf.not_after:
            raise refusals.LeafExpired(f"a leaf valid at {say_time(start)}", f"one until {say_time(leaf.not_after)}")
        if expiry > leaf.not_after:
            raise refusals.BeyondLeaf(f"an end by the leaf's, {say_time(leaf.not_after)}", say_time(expiry))
        if expiry - leaf.not_before > LONGEST_VALID_TIME:
            raise refusals.TooLarge(f"an end within {LONGEST_VALID_TIME} s from the leaf's notBefore", say_time(expiry))
        return expiry - leaf.not_before

    def _check_scheme(self, scheme: Scheme) -> None:
        """Rules M3 and M4."""
        try:
            fit.check(scheme, self.leaf.scheme.signature_bytes)
        except KeyFormatError as error:
            raise KeyFormatError(f"{scheme.name} cannot be carried by a credential: {error}", hint=_HINT) from None
        except Refusal as refusal:
            refusal.hint = _HINT
            raise


def mint(
    leaf: Leaf,
    scheme: Scheme,
    *,
    valid_for: timedelta,
    now: datetime,
    role: Role = Role.SERVER,
    backend: Backend | None = None,
) -> tuple[DelegatedCredential, PrivateKey]:
    """One credential with a new key: see `Minter.mint`."""
    return Minter(leaf, role).mint(scheme, valid_for=valid_for, now=now, backend=backend)
