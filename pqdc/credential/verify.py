"""Verifying a delegated credential: every rule of RFC 9345 that can be judged without a handshake.

`verify` stops at the first refusal, `judge` gives the verdict of each rule. Both say the same of the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from pqdc.credential.certificate import Certificate
from pqdc.credential.delegation import check_leaf
from pqdc.credential.refusals import RuleRefusal
from pqdc.credential.rules import (
    PLAIN_RULES,
    RULES,
    Case,
    Policy,
    Rule,
    key_fits,
    leaf_algorithm_fits,
    plainly_holds,
    signature_verifies,
)
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.errors import BackendUnavailable
from pqdc.scheme.catalog import Catalog

__all__ = ["Outcome", "Verdict", "judge", "judge_credential", "judge_leaf", "verify"]

Outcome = Literal["pass", "fail", "not applicable", "not checked"]

_DEFAULT = Policy()


def verify(
    dc: DelegatedCredential, leaf: Certificate, *, now: datetime, role: Role = Role.SERVER, policy: Policy = _DEFAULT
) -> None:
    """Return if `dc` is valid under `leaf`; raise the first rule that it breaks.

    Rules M2 to M7 and V0 to V7 of docs/rules.md. Not made here: chain and name checks of the leaf, and what only a
    handshake knows (what was offered, and that the CertificateVerify uses dc_cert_verify_algorithm).

    Args:
        dc: decoded; decoding refuses malformed ones.
        leaf: the certificate it came with.
        now: with a time zone.
        role: whose credential it should be.
        policy: maximum lifetime and clock skew.

    Raises:
        Refusal: one of `pqdc.credential.refusals`.
        BackendUnavailable: nothing here computes the scheme of the DC's or the leaf's key.
    """
    check_leaf(leaf)
    if not plainly_holds(dc, leaf, now.timestamp(), policy):
        case = Case(dc=dc, leaf=leaf, role=role, now=now.timestamp(), policy=policy)
        for rule in PLAIN_RULES:
            rule.check(case)
    key_fits(dc, leaf.catalog)
    if signature_verifies(dc, leaf, role):  # it does not apply, for want of such a key
        leaf_algorithm_fits(dc, leaf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule says: `reason` is of a failure, or why the rule does not apply or could not be checked."""

    rule: Rule
    outcome: Outcome
    reason: str = ""
    refusal: RuleRefusal | None = None


def judge(
    dc: DelegatedCredential, leaf: Certificate, *, now: datetime, role: Role = Role.SERVER, policy: Policy = _DEFAULT
) -> list[Verdict]:
    """The verdict of every rule, in the order in which `verify` asks them."""
    case = Case(dc=dc, leaf=leaf, role=role, now=now.timestamp(), policy=policy)
    return [_judge(rule, partial(rule.check, case)) for rule in RULES]


def judge_credential(dc: DelegatedCredential, catalog: Catalog, *, reason: str) -> list[Verdict]:
    """The verdict of every rule on a credential without a leaf; what needs the leaf is not checked, for that reason."""
    return [
        _judge(rule, partial(rule.of_dc, dc, catalog))
        if rule.of_dc
        else Verdict(rule=rule, outcome="not checked", reason=reason)
        for rule in RULES
    ]


def judge_leaf(leaf: Certificate, *, now: datetime, policy: Policy = _DEFAULT) -> list[Verdict]:
    """The verdict of every rule on a leaf alone."""
    return [_judge(rule, partial(rule.of_leaf, leaf, now.timestamp(), policy)) for rule in RULES if rule.of_leaf]


def _judge(rule: Rule, check: Callable[[], str | None]) -> Verdict:
    try:
        reason = check()
    except RuleRefusal as refusal:
        return Verdict(rule=rule, outcome="fail", reason=str(refusal), refusal=refusal)
    except BackendUnavailable as error:
        return Verdict(rule=rule, outcome="not checked", reason=str(error))
    return Verdict(rule=rule, outcome="not applicable" if reason else "pass", reason=reason or "")
