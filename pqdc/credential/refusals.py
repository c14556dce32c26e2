"""One refusal for each rule: its name in docs/rules.md, the section of the RFC, the TLS alert, what was wanted and got.

All are `pqdc.errors.Refusal`. The letters: M minting, V validating, C client, S server; the numbers are pqdc's own.
"""

from __future__ import annotations

from typing import ClassVar

from pqdc.errors import Refusal

__all__ = [
    "AlgorithmForbidden",
    "AlgorithmNotOffered",
    "AlgorithmNotUsed",
    "AlgorithmUnknown",
    "BeyondLeaf",
    "DelegationUsageCritical",
    "DelegationUsageMissing",
    "DelegationUsageNotNull",
    "DigitalSignatureMissing",
    "Expired",
    "ExtensionRepeated",
    "KeyMismatch",
    "KeyUsageMissing",
    "LeafAlgorithmMismatch",
    "LeafAlgorithmNotOffered",
    "LeafExpired",
    "LeafMalformed",
    "LeafNotYetValid",
    "LifetimeTooLong",
    "Malformed",
    "NotAskedFor",
    "NotInLeafEntry",
    "NotOffered",
    "NotPositive",
    "OfferEmpty",
    "RuleRefusal",
    "SignatureInvalid",
    "TooLarge",
    "VersionTooOld",
]


class RuleRefusal(Refusal):
    """The base of the refusals: a rule of the RFC, broken.

    Attributes:
        rule: pqdc's short name of the rule.
        section: where it stands.
        alert: the TLS alert that an endpoint sends for it; empty for rules that only minting has, internal_error where
            only the sender's own mistake can break it.
        remedy: what its owner can do about it, where something can be said.
        wanted: what the rule asks for.
        got: what there was.
    """

    rule: ClassVar[str]
    section: ClassVar[str]
    alert: ClassVar[str] = "illegal_parameter"
    remedy: ClassVar[str] = ""

    def __init__(self, wanted: str, got: str, *, hint: str = "") -> None:
        super().__init__(f"{wanted}; got {got}", hint=hint or self.remedy)
        self.wanted = wanted
        self.got = got

    def facts(self) -> dict[str, str]:
        """What `--json` says of it: refusal (the class), rule, section, alert, wanted, got, hint."""
        return {
            "refusal": type(self).__name__,
            "rule": self.rule,
            "section": self.section,
            "alert": self.alert,
            "wanted": self.wanted,
            "got": self.got,
            "hint": self.hint,
        }


class NotPositive(RuleRefusal):
    """A credential that ends before it begins."""

    rule, section, alert = "M1", "RFC 9345 section 3", ""


class LifetimeTooLong(RuleRefusal):
    """The credential ends more than the maximum, 7 days, from now."""

    rule, section = "V2", "RFC 9345 section 4.1.3"
    remedy = "mint one that ends sooner: pqdc mint --valid-for 24h; or raise the limit of a profile: --max-lifetime"


class BeyondLeaf(RuleRefusal):
    """The credential outlives its leaf."""

    rule, section = "M2", "RFC 9345 sections 3 and 4.1.3"
    remedy = "mint one that ends before its leaf, or renew the leaf; peers that do not ask: --allow-beyond-leaf"


class AlgorithmForbidden(RuleRefusal):
    """dc_cert_verify_algorithm or the SPKI is of a kind that no credential may have."""

    rule, section = "M3", "RFC 9345 sections 4 and 4.1.3"
    remedy = "mint with a scheme that `pqdc schemes` says to fit a credential"


class TooLarge(RuleRefusal):
    """A part is larger than its vector, or the whole than one TLS extension."""

    rule, section, alert = "M4", "RFC 9345 section 4; RFC 8446 section 4.2", "decode_error"
    remedy = "take a scheme with smaller keys: `pqdc schemes` says which fit"


class LeafAlgorithmMismatch(RuleRefusal):
    """`algorithm` is not one of the leaf's key."""

    rule, section = "M6", "RFC 9345 sections 4 and 4.1.3"
    remedy = "it may be of another leaf; else mint it anew, with the leaf's own key"


class DelegationUsageCritical(RuleRefusal):
    """DelegationUsage is marked critical."""

    rule, section = "M7", "RFC 9345 section 4.2"
    remedy = "`pqdc leaf` makes a leaf that may delegate"


class DelegationUsageNotNull(RuleRefusal):
    """DelegationUsage has another value than NULL."""

    rule, section = "M7", "RFC 9345 section 4.2"
    remedy = "`pqdc leaf` makes a leaf that may delegate"


class LeafMalformed(RuleRefusal):
    """The leaf is no certificate, or says something twice."""

    rule, section, alert = "V0", "RFC 5280 section 4", "bad_certificate"


class LeafNotYetValid(RuleRefusal):
    """The leaf's notBefore is to come."""

    rule, section, alert = "V0", "RFC 5280 section 4.1.2.5; RFC 8446 section 6.2", "certificate_expired"
    remedy = "check the clock, or judge at another time: --at"


class LeafExpired(RuleRefusal):
    """The leaf's notAfter is past."""

    rule, section, alert = "V0", "RFC 5280 section 4.1.2.5; RFC 8446 section 6.2", "certificate_expired"
    remedy = "renew the leaf, then mint under the new one; or judge at another time: --at"


class Expired(RuleRefusal):
    """The credential's end is past."""

    rule, section = "V1", "RFC 9345 section 4.1.3"
    remedy = "mint a new one: pqdc mint; or judge at another time: --at"


class DelegationUsageMissing(RuleRefusal):
    """The leaf may not delegate."""

    rule, section = "V4", "RFC 9345 sections 4.1.3 and 4.2"
    remedy = "`pqdc leaf` makes a leaf that may delegate"


class KeyUsageMissing(RuleRefusal):
    """The leaf has no KeyUsage, so digitalSignature is not set."""

    rule, section = "V4", "RFC 9345 sections 4.1.3 and 4.2"
    remedy = "`pqdc leaf` makes a leaf that may delegate"


class DigitalSignatureMissing(RuleRefusal):
    """The leaf's KeyUsage lacks digitalSignature."""

    rule, section = "V4", "RFC 9345 sections 4.1.3 and 4.2"
    remedy = "`pqdc leaf` makes a leaf that may delegate"


class SignatureInvalid(RuleRefusal):
    """The leaf's key did not make the signature."""

    rule, section = "V5", "RFC 9345 section 4.1.3"
    remedy = "it may be of another leaf (a renewed one counts as another), or for the other role: --role"


class KeyMismatch(RuleRefusal):
    """The SPKI is not a key of dc_cert_verify_algorithm."""

    rule, section = "V6", "RFC 9345 section 4"
    remedy = "mint it anew: the algorithm is that of the key"


class AlgorithmUnknown(RuleRefusal):
    """dc_cert_verify_algorithm is no code point that this verifier knows, so it never offered it."""

    rule, section = "V6", "RFC 9345 sections 4.1.1 and 4.1.2"
    remedy = "add the scheme by a file: --algorithms"


class AlgorithmNotUsed(RuleRefusal):
    """The CertificateVerify is by another scheme than dc_cert_verify_algorithm."""

    rule, section = "V3", "RFC 9345 section 4.1.3"


class Malformed(RuleRefusal):
    """The bytes are no DelegatedCredential: something is missing, empty or left over."""

    rule, section, alert = "V7", "RFC 9345 section 4; RFC 8446 section 6.2", "decode_error"
    remedy = "it was cut or changed on its way: compare it with what was minted"


class ExtensionRepeated(RuleRefusal):
    """A CertificateEntry has several credentials; the syntax allows it, RFC 8446 does not."""

    rule, section = "V7", "RFC 8446 section 4.2"


class OfferEmpty(RuleRefusal):
    """An extension 34 without a scheme in its list."""

    rule, section, alert = "C1", "RFC 9345 sections 4.1.1 and 4.1.2; RFC 8446 section 4.2.3", "decode_error"


class NotOffered(RuleRefusal):
    """A credential came, and nobody had asked for one."""

    rule, section, alert = "C2", "RFC 9345 sections 4.1.1 and 4.1.2", "unexpected_message"


class LeafAlgorithmNotOffered(RuleRefusal):
    """`algorithm` is not in signature_algorithms."""

    rule, section = "C4", "RFC 9345 sections 4.1.1 and 4.1.2"


class AlgorithmNotOffered(RuleRefusal):
    """dc_cert_verify_algorithm is not in the list of extension 34."""

    rule, section = "C4", "RFC 9345 sections 4.1.1 and 4.1.2"


class NotAskedFor(RuleRefusal):
    """One's own side would send a credential to a peer that sent no extension 34."""

    rule, section, alert = "S1", "RFC 9345 sections 4.1.1 and 4.1.2", "internal_error"


class VersionTooOld(RuleRefusal):
    """One's own side would send a credential below TLS 1.3, where extension 34 is ignored."""

    rule, section, alert = "S2", "RFC 9345 sections 4.1.1 and 4.1.2", "internal_error"


class NotInLeafEntry(RuleRefusal):
    """One's own side would send a credential with another certificate than the leaf."""

    rule, section, alert = "S3", "RFC 9345 sections 4.1.1 and 4.1.2", "internal_error"
