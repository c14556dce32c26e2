"""What a certificate must have to delegate: RFC 9345 section 4.2, asked before minting and when verifying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pqdc.credential import refusals
from pqdc.credential.certificate import DELEGATION_USAGE, Certificate

__all__ = ["DELEGATION_USAGE_VALUE", "LEAF_CHECKS", "LeafCheck", "check_leaf"]

DELEGATION_USAGE_VALUE = b"\x05\x00"  # ASN.1 NULL
_HINT = "`pqdc leaf` makes a leaf that may delegate"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafCheck:
    """A rule about the leaf alone; `check` raises one of `refusals`, or says why the rule does not apply."""

    rule: str
    asks: str
    refusals: tuple[type[refusals.RuleRefusal], ...]
    check: Callable[[Certificate], str | None]


@lru_cache(maxsize=256)  # a certificate does not change; refusals are not kept
def check_leaf(leaf: Certificate) -> None:
    """Return if `leaf` may delegate.

    Raises:
        Refusal: the first rule that it breaks.
    """
    for leaf_check in LEAF_CHECKS:
        leaf_check.check(leaf)


def _sound(leaf: Certificate) -> str | None:
    if leaf.oddities:
        raise refusals.LeafMalformed("a leaf that follows RFC 5280", "; ".join(leaf.oddities))
    return None


def _may_delegate(leaf: Certificate) -> str | None:
    if not leaf.all_of(DELEGATION_USAGE):
        raise refusals.DelegationUsageMissing(
            f"a leaf with DelegationUsage ({DELEGATION_USAGE})", "one without", hint=_HINT
        )
    return None


def _not_critical(leaf: Certificate) -> str | None:
    found = leaf.all_of(DELEGATION_USAGE)
    if any(extension.critical for extension in found):
        raise refusals.DelegationUsageCritical("a DelegationUsage that is not critical", "a critical one", hint=_HINT)
    return None if found else "the leaf has no DelegationUsage"


def _null(leaf: Certificate) -> str | None:
    found = leaf.all_of(DELEGATION_USAGE)
    for extension in found:
        if extension.value != DELEGATION_USAGE_VALUE:
            got = extension.value[:40].hex() or "nothing"
            raise refusals.DelegationUsageNotNull("a DelegationUsage of NULL (0500)", got, hint=_HINT)
    return None if found else "the leaf has no DelegationUsage"


def _may_sign(leaf: Certificate) -> str | None:
    wanted = "a leaf with KeyUsage digitalSignature"
    if leaf.digital_signature is None:
        raise refusals.KeyUsageMissing(wanted, "one without a readable KeyUsage", hint=_HINT)
    if not leaf.digital_signature:
        raise refusals.DigitalSignatureMissing(wanted, "a KeyUsage without it", hint=_HINT)
    return None


LEAF_CHECKS: tuple[LeafCheck, ...] = (
    LeafCheck(rule="V0", asks="the leaf follows RFC 5280", refusals=(refusals.LeafMalformed,), check=_sound),
    LeafCheck(
        rule="V4", asks="the leaf has DelegationUsage", refusals=(refusals.DelegationUsageMissing,), check=_may_delegate
    ),
    LeafCheck(
        rule="M7",
        asks="DelegationUsage is not critical",
        refusals=(refusals.DelegationUsageCritical,),
        check=_not_critical,
    ),
    LeafCheck(rule="M7", asks="DelegationUsage is NULL", refusals=(refusals.DelegationUsageNotNull,), check=_null),
    LeafCheck(
        rule="V4",
        asks="the leaf's KeyUsage has digitalSignature",
        refusals=(refusals.KeyUsageMissing, refusals.DigitalSignatureMissing),
        check=_may_sign,
    ),
)
