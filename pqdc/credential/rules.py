"""The rules that a credential is verified by, each one check: `RULES` is their order, cheapest first.

A check raises its refusal, returns None when the rule holds, or returns the reason why it does not apply. Checks do not
build on each other: for a credential that breaks one rule, one rule is reported. Times are arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pqdc.credential import refusals
from pqdc.credential.certificate import Certificate, load_public_key, say_duration, say_time
from pqdc.credential.delegation import LEAF_CHECKS, LeafCheck
from pqdc.credential.fit import FORBIDDEN
from pqdc.credential.structures import LARGEST_DC, DelegatedCredential, Role
from pqdc.errors import BadSignature, DecodeError, KeyFormatError
from pqdc.scheme import spki
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme

__all__ = ["PLAIN_RULES", "RULES", "WEEK", "Case", "Policy", "Rule", "plainly_holds"]

_FIXED_BYTES = 13  # of a DelegatedCredential: fields and lengths
WEEK = timedelta(days=7)  # the default maximum lifetime: RFC 9345 section 4.1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a deployment may set; the defaults are the RFC's.

    Attributes:
        max_lifetime: how far ahead a credential may end.
        clock_skew: how wrong this clock may be, in the peer's favour.
        allow_beyond_leaf: accept a credential that outlives its leaf, as most implementations do.
    """

    max_lifetime: timedelta = WEEK
    clock_skew: timedelta = timedelta(0)
    allow_beyond_leaf: bool = False

    def __post_init__(self) -> None:
        """Refuse a skew that would be to the peer's disadvantage.

        Raises:
            ValueError: it is negative.
        """
        if self.clock_skew < timedelta(0):
            raise ValueError(f"a clock skew of 0 or more wanted, got {self.clock_skew}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A credential before its judge: `now` is Unix seconds."""

    dc: DelegatedCredential
    leaf: Certificate
    role: Role
    now: float
    policy: Policy

    @property
    def expiry(self) -> int:
        """When the credential ends, Unix seconds."""
        return self.leaf.not_before + self.dc.cred.valid_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: its short name, what it asks in one line, the refusals it may raise, and its check.

    `of_dc` and `of_leaf` are the same check where the credential or the leaf alone tells.
    """

    name: str
    asks: str
    refusals: tuple[type[refusals.RuleRefusal], ...]
    check: Callable[[Case], str | None]
    of_dc: Callable[[DelegatedCredential, Catalog], str | None] | None = None
    of_leaf: Callable[[Certificate, float, Policy], str | None] | None = None


def _leaf_current(leaf: Certificate, now: float, policy: Policy) -> str | None:
    skew = policy.clock_skew.total_seconds()
    if now + skew < leaf.not_before:
        raise refusals.LeafNotYetValid(f"a leaf valid at {say_time(int(now))}", f"one from {say_time(leaf.not_before)}")
    if now - skew > leaf.not_after:
        raise refusals.LeafExpired(f"a leaf valid at {say_time(int(now))}", f"one until {say_time(leaf.not_after)}")
    return None


def _not_expired(case: Case) -> str | None:
    if case.now - case.policy.clock_skew.total_seconds() > case.expiry:
        raise refusals.Expired(f"a credential valid at {say_time(int(case.now))}", f"one until {say_time(case.expiry)}")
    return None


def _short_lived(case: Case) -> str | None:
    latest = case.now + case.policy.max_lifetime.total_seconds() + case.policy.clock_skew.total_seconds()
    if case.expiry > latest:
        raise refusals.LifetimeTooLong(
            f"an end within {say_duration(latest - case.now)} from now, by {say_time(int(latest))}",
            say_time(case.expiry),
        )
    return None


def _within_leaf(case: Case) -> str | None:
    if case.policy.allow_beyond_leaf:
        return "the policy allows a credential to outlive its leaf"
    if case.expiry > case.leaf.not_after:
        raise refusals.BeyondLeaf(f"an end by the leaf's, {say_time(case.leaf.not_after)}", say_time(case.expiry))
    return None


def _algorithm_allowed(dc: DelegatedCredential, _catalog: Catalog) -> str | None:
    code_point = dc.cred.dc_cert_verify_algorithm
    if code_point in FORBIDDEN:
        raise refusals.AlgorithmForbidden(
            "a dc_cert_verify_algorithm for TLS 1.3 and RFC 9345", f"0x{code_point:04x} {FORBIDDEN[code_point]}"
        )
    return None


def _not_rsa_encryption(dc: DelegatedCredential, _catalog: Catalog) -> str | None:
    if spki.RSA_ENCRYPTION_DER in dc.cred.spki[:32]:  # a look at the start spares a parse
        try:
            oid = spki.decode(dc.cred.spki).algorithm.oid
        except DecodeError:
            return "the SPKI cannot be read"
        if oid == spki.RSA_ENCRYPTION:
            raise refusals.AlgorithmForbidden("an SPKI of another type than rsaEncryption", "rsaEncryption")
    return None


def _fits_extension(dc: DelegatedCredential, _catalog: Catalog) -> str | None:
    size = len(dc.cred.spki) + len(dc.signature) + _FIXED_BYTES
    if size > LARGEST_DC:
        raise refusals.TooLarge(f"at most {LARGEST_DC:,} bytes", f"{size:,}")
    return None


def key_fits(dc: DelegatedCredential, catalog: Catalog) -> str | None:
    """Rule V6."""
    code_point = dc.cred.dc_cert_verify_algorithm
    if code_point in FORBIDDEN:
        return "dc_cert_verify_algorithm is forbidden"
    candidates = catalog.with_code_point(code_point)
    if not candidates:
        raise refusals.AlgorithmUnknown("a dc_cert_verify_algorithm of the catalog", f"0x{code_point:04x}")
    try:
        load_public_key(candidates[0] if len(candidates) == 1 else _of_size(candidates, dc, catalog), dc.cred.spki)
    except KeyFormatError as error:
        if spki.decode(dc.cred.spki).algorithm.oid == spki.RSA_ENCRYPTION:
            return "its key is forbidden"
        raise refusals.KeyMismatch(f"an SPKI of {candidates[0].tls_name}", str(error)) from None
    except DecodeError as error:
        raise refusals.KeyMismatch(f"an SPKI of {candidates[0].tls_name}", str(error)) from None
    return None


def _of_size(candidates: tuple[Scheme, ...], dc: DelegatedCredential, catalog: Catalog) -> Scheme:
    """Of schemes that share a code point, as RSA key sizes do, the one that the key fits, or the first."""
    fitting = spki.schemes_of(catalog, dc.cred.spki)
    return next((scheme for scheme in candidates if scheme in fitting), candidates[0])


def plainly_holds(dc: DelegatedCredential, leaf: Certificate, now: float, policy: Policy) -> bool:
    """Whether `PLAIN_RULES` all hold, seen at one look and without any leeway.

    It spares a verifier most of what the rules cost. False says nothing: then they are asked, and name what is wrong.
    """
    cred = dc.cred
    expiry = leaf.not_before + cred.valid_time
    return (
        leaf.not_before <= now <= expiry <= leaf.not_after
        and expiry - now <= policy.max_lifetime.total_seconds()
        and cred.dc_cert_verify_algorithm not in FORBIDDEN
        and spki.RSA_ENCRYPTION_DER not in cred.spki[:32]
        and len(cred.spki) + len(dc.signature) < LARGEST_DC - _FIXED_BYTES
    )


def leaf_algorithm_fits(dc: DelegatedCredential, leaf: Certificate) -> str | None:
    """Rule M6."""
    if leaf.key_for(dc.algorithm) is None:
        own = [f"0x{scheme.code_point:04x}" for scheme in leaf.schemes if scheme.code_point is not None]
        got = f"0x{dc.algorithm:04x}"
        raise refusals.LeafAlgorithmMismatch(
            f"an algorithm of the leaf's key ({', '.join(own) or 'unknown'})",
            f"{got}, but the key cannot be used" if got in own else got,
        )
    return None


def signature_verifies(dc: DelegatedCredential, leaf: Certificate, role: Role) -> str | None:
    """Rule V5."""
    key = leaf.key_for(dc.algorithm)
    if key is None:
        return "the algorithm is not one of the leaf's key"
    try:
        key.verify(dc.signature, dc.signed_bytes(leaf.der, role))
    except BadSignature as error:
        raise refusals.SignatureInvalid(
            f"a signature by the leaf's key, as {role.name.lower()} credential", str(error)
        ) from None
    return None


def _of_dc(
    name: str,
    asks: str,
    may_raise: tuple[type[refusals.RuleRefusal], ...],
    check: Callable[[DelegatedCredential, Catalog], str | None],
) -> Rule:
    return Rule(
        name=name, asks=asks, refusals=may_raise, check=lambda case: check(case.dc, case.leaf.catalog), of_dc=check
    )


def _of_leaf(leaf_check: LeafCheck) -> Rule:
    return Rule(
        name=leaf_check.rule,
        asks=leaf_check.asks,
        refusals=leaf_check.refusals,
        check=lambda case: leaf_check.check(case.leaf),
        of_leaf=lambda leaf, _now, _policy: leaf_check.check(leaf),
    )


# What a comparison tells; `plainly_holds` makes them all at once.
PLAIN_RULES: tuple[Rule, ...] = (
    _of_dc("M4", "it fits one TLS extension", (refusals.TooLarge,), _fits_extension),
    Rule(
        name="V0",
        asks="the leaf is valid now",
        refusals=(refusals.LeafNotYetValid, refusals.LeafExpired),
        check=lambda case: _leaf_current(case.leaf, case.now, case.policy),
        of_leaf=_leaf_current,
    ),
    Rule(name="V1", asks="it has not expired", refusals=(refusals.Expired,), check=_not_expired),
    Rule(
        name="V2", asks="it ends within the maximum lifetime", refusals=(refusals.LifetimeTooLong,), check=_short_lived
    ),
    Rule(name="M2", asks="it does not outlive its leaf", refusals=(refusals.BeyondLeaf,), check=_within_leaf),
    _of_dc(
        "M3",
        "dc_cert_verify_algorithm is one for TLS 1.3 and RFC 9345",
        (refusals.AlgorithmForbidden,),
        _algorithm_allowed,
    ),
    _of_dc("M3", "its key is not rsaEncryption", (refusals.AlgorithmForbidden,), _not_rsa_encryption),
)

RULES: tuple[Rule, ...] = (
    *map(_of_leaf, LEAF_CHECKS),
    *PLAIN_RULES,
    _of_dc("V6", "its key fits dc_cert_verify_algorithm", (refusals.KeyMismatch, refusals.AlgorithmUnknown), key_fits),
    Rule(
        name="M6",
        asks="algorithm is one of the leaf's key",
        refusals=(refusals.LeafAlgorithmMismatch,),
        check=lambda case: leaf_algorithm_fits(case.dc, case.leaf),
    ),
    Rule(
        name="V5",
        asks="the leaf's key made the signature, for this role",
        refusals=(refusals.SignatureInvalid,),
        check=lambda case: signature_verifies(case.dc, case.leaf, case.role),
    ),
)
