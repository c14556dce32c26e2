"""One refusal for each rule: its name in docs/rules.md, the section of the RFC, the TLS alert, what was wanted and got.

All are `pqdc.errors.Refusal`. The letters: M minting, V validating, C client, S server; the numbers are pqdc's own.
"""

from __future__ import annotations

from typing import ClassVar

from pqdc.errors import Refusal

__all__ = [
    "AlgorithmForbidden",
    "AlgorithmUnknown",
    "BeyondLeaf",
    "DelegationUsageCritical",
    "DelegationUsageMissing",
    "DelegationUsageNotNull",
    "DigitalSignatureMissing",
    "Expired",
    "KeyMismatch",
    "KeyUsageMissing",
    "LeafAlgorithmMismatch",
    "LeafExpired",
    "LeafMalformed",
    "LeafNotYetValid",
    "LifetimeTooLong",
    "NotPositive",
    "RuleRefusal",
    "SignatureInvalid",
    "TooLarge",
]


class RuleRefusal(Refusal):
    """The base of the refusals: a rule of the RFC, broken.

    Attributes:
        rule: pqdc's short name of the rule.
        section: where it stands.
        alert: the TLS alert that an endpoint sends for it; empty for rules that only minting has.
        wanted: what the rule asks for.
        got: what there was.
    """

    rule: ClassVar[str]
    section: ClassVar[str]
    alert: ClassVar[str] = "illegal_parameter"

    def __init__(self, wanted: str, got: str, *, hint: str = "") -> None:
        super().__init__(f"{wanted}; got {got}", hint=hint)
        self.wanted = wanted
        self.got = got


class NotPositive(RuleRefusal):
    """A credential that ends before it begins."""

    rule, section, alert = "M1", "RFC 9345 section 4", ""


class LifetimeTooLong(RuleRefusal):
    """The credential ends more than the maximum, 7 days, from now."""

    rule, section = "V2", "RFC 9345 section 4.1.3"


class BeyondLeaf(RuleRefusal):
    """The credential outlives its leaf."""

    rule, section = "M2", "RFC 9345 section 4"


class AlgorithmForbidden(RuleRefusal):
    """dc_cert_verify_algorithm or the SPKI is of a kind that no credential may have."""

    rule, section = "M3", "RFC 9345 section 4"


class TooLarge(RuleRefusal):
    """A part is larger than its vector, or the whole than one TLS extension."""

    rule, section, alert = "M4", "RFC 9345 section 4; RFC 8446 section 4.2", "decode_error"


class LeafAlgorithmMismatch(RuleRefusal):
    """`algorithm` is not one of the leaf's key."""

    rule, section = "M6", "RFC 9345 section 4"


class DelegationUsageCritical(RuleRefusal):
    """DelegationUsage is marked critical."""

    rule, section = "M7", "RFC 9345 section 4.2"


class DelegationUsageNotNull(RuleRefusal):
    """DelegationUsage has another value than NULL."""

    rule, section = "M7", "RFC 9345 section 4.2"


class LeafMalformed(RuleRefusal):
    """The leaf is no certificate, or says something twice."""

    rule, section, alert = "V0", "RFC 5280 section 4", "bad_certificate"


class LeafNotYetValid(RuleRefusal):
    """The leaf's notBefore is to come."""

    rule, section, alert = "V0", "RFC 5280 section 4.1.2.5", "bad_certificate"


class LeafExpired(RuleRefusal):
    """The leaf's notAfter is past."""

    rule, section, alert = "V0", "RFC 5280 section 4.1.2.5", "certificate_expired"


class Expired(RuleRefusal):
    """The credential's end is past."""

    rule, section = "V1", "RFC 9345 section 4.1.3"


class DelegationUsageMissing(RuleRefusal):
    """The leaf may not delegate."""

    rule, section = "V4", "RFC 9345 sections 4.1.3 and 4.2"


class KeyUsageMissing(RuleRefusal):
    """The leaf has no KeyUsage, so digitalSignature is not set."""

    rule, section = "V4", "RFC 9345 sections 4.1.3 and 4.2"


class DigitalSignatureMissing(RuleRefusal):
    """The leaf's KeyUsage lacks digitalSignature."""

    rule, section = "V4", "RFC 9345 sections 4.1.3 and 4.2"


class SignatureInvalid(RuleRefusal):
    """The leaf's key did not make the signature."""

    rule, section = "V5", "RFC 9345 section 4.1.3"


class KeyMismatch(RuleRefusal):
    """The SPKI is not a key of dc_cert_verify_algorithm."""

    rule, section = "V6", "RFC 9345 section 4.1.3"


class AlgorithmUnknown(RuleRefusal):
    """dc_cert_verify_algorithm is no code point that this verifier knows, so it never offered it."""

    rule, section = "V6", "RFC 9345 section 4.1.3"
