"""Every rule of RFC 9345 that needs no handshake: what it accepts, what it refuses, and that it alone speaks.

BROKEN is the table of the MUSTs, each by its name in docs/rules.md: the credential breaks one rule, and `judge` gives
that refusal and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pqdc.credential import refusals
from pqdc.credential.certificate import Certificate
from pqdc.credential.fit import forbidden
from pqdc.credential.leaf import Leaf
from pqdc.credential.rules import PLAIN_RULES, RULES, Policy, plainly_holds
from pqdc.credential.structures import LARGEST_DC, DelegatedCredential, Role
from pqdc.credential.verify import judge, judge_credential, judge_leaf, verify
from pqdc.errors import BackendUnavailable, Refusal
from pqdc.scheme import backends, spki
from pqdc.scheme.catalog import Catalog
from tests.conftest import DELEGATION_USAGE, DIGITAL_SIGNATURE, LEAF_SCHEMES, NOW, der, extension, oid

SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)
USAGE = "1.3.6.1.4.1.44363.44"
KEY_USAGE = "2.5.29.15"


@dataclass(frozen=True, kw_only=True)
class Lab:
    """What the table below builds its cases from."""

    catalog: Catalog
    keys: Callable[..., Any]
    make_certificate: Callable[..., Certificate]
    forge: Callable[..., DelegatedCredential]
    leaf: Leaf

    def case(
        self, *, leaf: Certificate | None = None, now: datetime = NOW, judged_as=Role.SERVER, policy=None, **facts
    ):
        """A credential of these facts, before a judge who has this leaf and this clock."""
        leaf = leaf or self.leaf.certificate
        asked = {"now": now, "role": judged_as} | ({"policy": policy} if policy else {})
        return self.forge(leaf, **facts), leaf, asked

    def under(self, *extensions: bytes, **odd):
        """A credential without fault under a leaf with a fault."""
        return self.case(leaf=self.make_certificate(**({"extensions": extensions} if extensions else {}), **odd))


@pytest.fixture(scope="session")
def lab(catalog, keys, make_certificate, forge, leaf) -> Lab:
    return Lab(catalog=catalog, keys=keys, make_certificate=make_certificate, forge=forge, leaf=leaf)


def outcomes(dc, leaf, asked) -> dict[str, list[str]]:
    """What each rule says, by outcome; failures by the refusal's name."""
    said: dict[str, list[str]] = {"pass": [], "fail": [], "not applicable": [], "not checked": []}
    for verdict in judge(dc, leaf, **asked):
        said[verdict.outcome].append(type(verdict.refusal).__name__ if verdict.refusal else verdict.rule.name)
    return said


def accepted(dc, leaf, asked) -> bool:
    """By both: `verify` and `judge` say the same of the same bytes."""
    said = outcomes(dc, leaf, asked)
    refused = []
    try:
        verify(dc, leaf, **asked)
    except Refusal as refusal:
        refused.append(type(refusal).__name__)
    assert refused == said["fail"][:1]
    assert not said["not checked"]
    return not refused


# --- Accepted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name.lower())
@pytest.mark.parametrize("scheme", ["ECDSA-P256", "ECDSA-P384", "ECDSA-P521", "Ed25519", "Ed448", "ML-DSA-44"])
@pytest.mark.parametrize("under", LEAF_SCHEMES)
def test_a_credential_without_fault_is_accepted(lab, leaves, under, scheme, role):
    dc, certificate, asked = lab.case(leaf=leaves[under].certificate, scheme=scheme, role=role, judged_as=role)
    assert accepted(dc, certificate, asked)
    assert outcomes(dc, certificate, asked) == {
        "pass": [rule.name for rule in RULES],
        "fail": [],
        "not applicable": [],
        "not checked": [],
    }


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
@pytest.mark.parametrize("sha", ["", "-SHA384", "-SHA512"])
def test_rsassa_pss_keys_of_every_size_and_hash_are_accepted(lab, bits, sha):
    assert accepted(*lab.case(scheme=f"RSA-PSS-{bits}{sha}"))


@pytest.mark.parametrize("sha", ["-SHA384", "-SHA512"])
def test_an_rsa_leaf_signs_under_each_of_its_algorithms(lab, leaves, sha):
    scheme = lab.catalog[f"RSA-2048{sha}"]
    leaf = leaves["RSA-2048"].certificate
    dc = lab.forge(leaf, algorithm=scheme.code_point)
    signed = dc.signed_bytes(leaf.der, Role.SERVER)
    key = backends.choose(scheme).private_key(scheme, lab.keys(lab.catalog["RSA-2048"]).secret())
    assert accepted(replace(dc, signature=key.sign(signed)), leaf, {"now": NOW})


# --- Refused: one rule, one refusal ---------------------------------------------------------------------------------


def rsa_encryption(lab: Lab) -> bytes:
    return lab.keys(lab.catalog["RSA-2048"]).public.spki


def ec_spki(curve: bytes, point: bytes) -> bytes:
    return der(0x30, der(0x30, oid("1.2.840.10045.2.1"), curve), der(0x03, b"\0", point))


def p256_point(lab: Lab) -> bytes:
    return lab.keys(lab.catalog["P-256"]).public.raw


def compressed(lab: Lab) -> bytes:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256_point(lab))
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def explicit_p256() -> bytes:
    """The curve P-256 spelled out (SEC 1 section C.2), which RFC 5480 section 2.1.1 forbids."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"
    g = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"  # noqa: E501
    n = "00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
    p = der(0x02, b"\0" + prime.to_bytes(32, "big"))
    a = der(0x04, (prime - 3).to_bytes(32, "big"))
    field = der(0x30, oid("1.2.840.10045.1.1"), p)
    curve = der(0x30, a, der(0x04, bytes.fromhex(b)))
    order, cofactor = der(0x02, bytes.fromhex(n)), der(0x02, b"\1")
    return der(0x30, der(0x02, b"\1"), field, curve, der(0x04, bytes.fromhex(g)), order, cofactor)


def pss_spki(lab: Lab, parameters: str | bytes, bytes_of_key: int | None = None) -> bytes:
    """An id-RSASSA-PSS SPKI of 2048 bits with the parameters of a scheme, or any; or with less key."""
    own = bytes.fromhex(lab.catalog[parameters].key_parameters_too) if isinstance(parameters, str) else parameters
    key = lab.keys(lab.catalog["RSA-PSS-2048"]).public.raw[:bytes_of_key]
    return der(0x30, der(0x30, oid("1.2.840.113549.1.1.10"), own), der(0x03, b"\0", key))


def broken_signature(lab: Lab, how: Callable[[bytes], bytes]):
    dc, leaf, asked = lab.case()
    return replace(dc, signature=how(dc.signature)), leaf, asked


def changed(lab: Lab, **facts: Any):
    dc, leaf, asked = lab.case()
    return replace(dc, cred=replace(dc.cred, **facts)), leaf, asked


def signed_by_another(lab: Lab):
    dc, leaf, asked = lab.case()
    another = backends.load_backend("openssl").generate(lab.catalog["P-256"])
    return replace(dc, signature=another.sign(dc.signed_bytes(leaf.der, Role.SERVER))), leaf, asked


def under_another_leaf(lab: Lab):
    """A renewed leaf has the same key, but other bytes."""
    dc, _, asked = lab.case(leaf=lab.make_certificate(serial=b"\1"))
    return dc, lab.make_certificate(serial=b"\2"), asked


P256 = oid("1.2.840.10045.3.1.7")
OUTSIDE = 0x1234  # a code point of nobody

BROKEN: dict[str, tuple[str, Callable[[Lab], Any]]] = {
    # M2: not after the leaf's notAfter
    "M2 beyond the leaf": (
        "BeyondLeaf",
        lambda lab: lab.case(leaf=lab.make_certificate(not_after=NOW + timedelta(hours=1))),
    ),
    # M3: what may stand in dc_cert_verify_algorithm
    **{
        f"M3 0x{point:04x}": ("AlgorithmForbidden", lambda lab, point=point: lab.case(code_point=point))
        for point in (0x0201, 0x0203, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806)
    },
    "M3 an rsaEncryption key for RSASSA-PSS": (
        "AlgorithmForbidden",
        lambda lab: lab.case(scheme="RSA-PSS-2048", spki=rsa_encryption(lab)),
    ),
    "M3 an rsaEncryption key for Ed25519": (
        "AlgorithmForbidden",
        lambda lab: lab.case(scheme="Ed25519", spki=rsa_encryption(lab)),
    ),
    # M4: it must fit one extension
    "M4 larger than an extension": ("TooLarge", lambda lab: lab.case(scheme="OV-Is-pkc")),
    # M6: algorithm is one of the leaf's key
    **{
        f"M6 {name} under P-256": (
            "LeafAlgorithmMismatch",
            lambda lab, name=name: lab.case(algorithm=lab.catalog[name].code_point),
        )
        for name in ("P-384", "Ed25519", "RSA-2048", "RSA-PSS-2048", "ML-DSA-44")
    },
    "M6 an algorithm of nobody": ("LeafAlgorithmMismatch", lambda lab: lab.case(algorithm=OUTSIDE)),
    "M6 an rsaEncryption leaf as RSASSA-PSS": (
        "LeafAlgorithmMismatch",
        lambda lab: lab.case(leaf=lab.make_certificate("RSA-2048"), algorithm=0x0809),
    ),
    "M6 ECDSA with SHA-1": ("LeafAlgorithmMismatch", lambda lab: lab.case(algorithm=0x0203)),
    "M6 PKCS #1 v1.5": (
        "LeafAlgorithmMismatch",
        lambda lab: lab.case(leaf=lab.make_certificate("RSA-2048"), algorithm=0x0401),
    ),
    # M7: the value of DelegationUsage, which is not critical
    "M7 critical": (
        "DelegationUsageCritical",
        lambda lab: lab.under(DIGITAL_SIGNATURE, extension(USAGE, b"\5\0", critical=True)),
    ),
    **{
        f"M7 {name}": (
            "DelegationUsageNotNull",
            lambda lab, value=value: lab.under(DIGITAL_SIGNATURE, extension(USAGE, value)),
        )
        for name, value in {
            "nothing": b"",
            "NULL with content": b"\5\1\0",
            "NULL and more": b"\5\0\0",
            "a sequence": b"\x30\0",
            "half a NULL": b"\5",
            "NULL with a long length": b"\5\x81\0",
        }.items()
    },
    # V0: the leaf itself
    "V0 a leaf to come": ("LeafNotYetValid", lambda lab: lab.under(not_before=NOW + timedelta(hours=1))),
    "V0 a leaf that is past": (
        "LeafExpired",
        lambda lab: lab.case(
            leaf=lab.make_certificate(not_after=NOW - timedelta(hours=1)), policy=Policy(allow_beyond_leaf=True)
        ),
    ),
    "V0 DelegationUsage twice": (
        "LeafMalformed",
        lambda lab: lab.under(DIGITAL_SIGNATURE, DELEGATION_USAGE, DELEGATION_USAGE),
    ),
    "V0 KeyUsage twice": (
        "LeafMalformed",
        lambda lab: lab.under(DIGITAL_SIGNATURE, DIGITAL_SIGNATURE, DELEGATION_USAGE),
    ),
    "V0 an unknown extension twice": (
        "LeafMalformed",
        lambda lab: lab.under(DIGITAL_SIGNATURE, DELEGATION_USAGE, *2 * [extension("1.2.3", b"\5\0")]),
    ),
    "V0 a negative serial number": ("LeafMalformed", lambda lab: lab.under(serial=b"\x80")),
    "V0 the serial number zero": ("LeafMalformed", lambda lab: lab.under(serial=b"\0")),
    "V0 version 1": ("LeafMalformed", lambda lab: lab.under(version=b"")),
    "V0 a GeneralizedTime where UTCTime must be": (
        "LeafMalformed",
        lambda lab: lab.under(not_before=der(0x18, b"20261125100000Z")),
    ),
    # V1 and V2: the time
    "V1 expired": ("Expired", lambda lab: lab.case(lasts=-SECOND)),
    "V1 expired long ago": (
        "Expired",
        lambda lab: lab.case(leaf=lab.make_certificate(not_before=NOW - timedelta(days=365)), lasts=0),
    ),
    "V2 longer than 7 days": ("LifetimeTooLong", lambda lab: lab.case(lasts=WEEK + SECOND)),
    "V2 as long as the leaf": ("LifetimeTooLong", lambda lab: lab.case(lasts=timedelta(days=90))),
    # V4: the leaf may delegate
    "V4 no DelegationUsage": ("DelegationUsageMissing", lambda lab: lab.under(DIGITAL_SIGNATURE)),
    "V4 no KeyUsage": ("KeyUsageMissing", lambda lab: lab.under(DELEGATION_USAGE)),
    "V4 a KeyUsage that is none": (
        "KeyUsageMissing",
        lambda lab: lab.under(DELEGATION_USAGE, extension(KEY_USAGE, b"\5\0", critical=True)),
    ),
    "V4 a KeyUsage of other bits": (
        "DigitalSignatureMissing",
        lambda lab: lab.under(DELEGATION_USAGE, extension(KEY_USAGE, b"\x03\x02\x03\x08", critical=True)),
    ),
    "V4 a KeyUsage without bits": (
        "DigitalSignatureMissing",
        lambda lab: lab.under(DELEGATION_USAGE, extension(KEY_USAGE, b"\x03\x01\x00", critical=True)),
    ),
    # V5 and M5: the signature, its order and its role
    "V5 a flipped bit": (
        "SignatureInvalid",
        lambda lab: broken_signature(lab, lambda it: it[:-1] + bytes((it[-1] ^ 1,))),
    ),
    "V5 a byte more": ("SignatureInvalid", lambda lab: broken_signature(lab, lambda it: it + b"\0")),
    "V5 a byte less": ("SignatureInvalid", lambda lab: broken_signature(lab, lambda it: it[:-1])),
    "V5 longer than any of this scheme": ("SignatureInvalid", lambda lab: broken_signature(lab, lambda it: it * 9)),
    "V5 signed by another key": ("SignatureInvalid", signed_by_another),
    "V5 another leaf with the same key": ("SignatureInvalid", under_another_leaf),
    "V5 valid_time changed": ("SignatureInvalid", lambda lab: changed(lab, valid_time=3700)),
    "V5 another key put in": (
        "SignatureInvalid",
        lambda lab: changed(lab, dc_cert_verify_algorithm=0x0807, spki=lab.keys(lab.catalog["Ed25519"]).public.spki),
    ),
    "V5 algorithm changed after signing": (
        "SignatureInvalid",
        lambda lab: lab.case(signed=lambda prefix, cred, algorithm: prefix + cred + b"\x05\x03"),
    ),
    "M5 a client's as a server's": ("SignatureInvalid", lambda lab: lab.case(role=Role.CLIENT)),
    "M5 a server's as a client's": ("SignatureInvalid", lambda lab: lab.case(judged_as=Role.CLIENT)),
    "M5 the order of BoringSSL's test runner": (
        "SignatureInvalid",
        lambda lab: lab.case(signed=lambda prefix, cred, algorithm: prefix + algorithm + cred),
    ),
    "M5 without the 64 spaces": (
        "SignatureInvalid",
        lambda lab: lab.case(signed=lambda prefix, cred, algorithm: prefix[64:] + cred + algorithm),
    ),
    "M5 without the zero byte": (
        "SignatureInvalid",
        lambda lab: lab.case(
            signed=lambda prefix, cred, algorithm: prefix.replace(b"credentials\0", b"credentials") + cred
        ),
    ),
    # V6: the SPKI fits dc_cert_verify_algorithm, in type and curve
    "V6 P-384 as P-256": ("KeyMismatch", lambda lab: lab.case(scheme="P-384", code_point=0x0403)),
    "V6 P-256 as P-384": ("KeyMismatch", lambda lab: lab.case(scheme="P-256", code_point=0x0503)),
    "V6 Ed25519 as Ed448": ("KeyMismatch", lambda lab: lab.case(scheme="Ed25519", code_point=0x0808)),
    "V6 ML-DSA-44 as ML-DSA-65": ("KeyMismatch", lambda lab: lab.case(scheme="ML-DSA-44", code_point=0x0905)),
    "V6 P-256 as RSASSA-PSS": ("KeyMismatch", lambda lab: lab.case(scheme="P-256", code_point=0x0809)),
    "V6 RSASSA-PSS with the parameters of another hash": (
        "KeyMismatch",
        lambda lab: lab.case(scheme="RSA-PSS-2048", spki=pss_spki(lab, "RSA-PSS-2048-SHA384")),
    ),
    "V6 RSASSA-PSS with NULL for parameters": (
        "KeyMismatch",
        lambda lab: lab.case(scheme="RSA-PSS-2048", spki=pss_spki(lab, b"\5\0")),
    ),
    "V6 RSASSA-PSS of 1024 bits": (
        "KeyMismatch",
        lambda lab: lab.case(scheme="RSA-PSS-2048", spki=pss_spki(lab, b"", 140)),
    ),
    "V6 a compressed point": ("KeyMismatch", lambda lab: lab.case(spki=ec_spki(P256, compressed(lab)))),
    "V6 a hybrid point": ("KeyMismatch", lambda lab: lab.case(spki=ec_spki(P256, b"\6" + p256_point(lab)[1:]))),
    "V6 explicit curve parameters": (
        "KeyMismatch",
        lambda lab: lab.case(spki=ec_spki(explicit_p256(), p256_point(lab))),
    ),
    "V6 no curve": ("KeyMismatch", lambda lab: lab.case(spki=ec_spki(b"", p256_point(lab)))),
    "V6 a point that is not on the curve": (
        "KeyMismatch",
        lambda lab: lab.case(spki=ec_spki(P256, b"\4" + bytes(63) + b"\1")),
    ),
    "V6 the point at infinity": ("KeyMismatch", lambda lab: lab.case(spki=ec_spki(P256, b"\0"))),
    "V6 no SPKI": ("KeyMismatch", lambda lab: lab.case(spki=b"\5\0")),
    "V6 bytes after the SPKI": (
        "KeyMismatch",
        lambda lab: lab.case(spki=lab.keys(lab.catalog["P-256"]).public.spki + b"\0"),
    ),
    "V6 an rsaEncryption OID in what is no SPKI": (
        "KeyMismatch",
        lambda lab: lab.case(spki=spki.RSA_ENCRYPTION_DER),
    ),
    "V6 a code point of nobody": ("AlgorithmUnknown", lambda lab: lab.case(code_point=OUTSIDE)),
    "V6 GREASE": ("AlgorithmUnknown", lambda lab: lab.case(code_point=0x0A0A)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_rule_broken_gives_that_refusal_and_no_other(name, lab):
    refusal, build = BROKEN[name]
    try:
        dc, leaf, asked = build(lab)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    assert outcomes(dc, leaf, asked)["fail"] == [refusal]
    with pytest.raises(getattr(refusals, refusal)) as caught:
        verify(dc, leaf, **asked)
    # Each refusal says what was wanted and what came, where that stands, and which alert it calls for. M5 is kept or
    # broken with V5: what is signed is only known by its signature.
    assert caught.value.wanted
    assert caught.value.got
    assert str(caught.value) == f"{caught.value.wanted}; got {caught.value.got}"
    assert caught.value.section.startswith("RFC ")
    assert caught.value.rule == name.split()[0].replace("M5", "V5")


def test_the_table_has_every_refusal_that_a_rule_may_raise():
    declared = {refusal.__name__ for rule in RULES for refusal in rule.refusals}
    assert declared == {refusal for refusal, _ in BROKEN.values()}


def test_alerts_are_those_of_the_rfc():
    """Section 4.1.3: illegal_parameter for what is wrong with the credential; the leaf's faults have their own."""
    own = {
        "LeafMalformed": "bad_certificate",
        "LeafNotYetValid": "certificate_expired",
        "LeafExpired": "certificate_expired",
        "TooLarge": "decode_error",
    }
    for rule in RULES:
        for refusal in rule.refusals:
            assert refusal.alert == own.get(refusal.__name__, "illegal_parameter")


def test_several_broken_rules_are_all_reported_and_verify_stops_at_the_first(lab):
    leaf = lab.make_certificate(extensions=(extension(USAGE, b"\x30\0", critical=True),), serial=b"\0")
    dc = lab.forge(leaf, lasts=-SECOND, code_point=OUTSIDE, role=Role.CLIENT)
    failed = outcomes(dc, leaf, {"now": NOW})["fail"]
    assert failed == [
        "LeafMalformed",
        "DelegationUsageCritical",
        "DelegationUsageNotNull",
        "KeyUsageMissing",
        "Expired",
        "AlgorithmUnknown",
        "SignatureInvalid",
    ]
    with pytest.raises(refusals.LeafMalformed):
        verify(dc, leaf, now=NOW)


def test_rules_that_do_not_apply_say_why(lab):
    leaf = lab.make_certificate(extensions=(DIGITAL_SIGNATURE,))
    dc = lab.forge(leaf, code_point=0x0804, algorithm=OUTSIDE, spki=b"\x30\x10" + spki.RSA_ENCRYPTION_DER)
    policy = Policy(allow_beyond_leaf=True)
    reasons = {
        (verdict.rule.name, verdict.reason)
        for verdict in judge(dc, leaf, now=NOW, policy=policy)
        if verdict.outcome == "not applicable"
    }
    assert reasons == {
        ("M7", "the leaf has no DelegationUsage"),
        ("M2", "the policy allows a credential to outlive its leaf"),
        ("M3", "the SPKI cannot be read"),
        ("V6", "dc_cert_verify_algorithm is forbidden"),
        ("V5", "the algorithm is not one of the leaf's key"),
    }


def test_what_no_library_computes_is_not_checked_but_never_accepted(lab, leaf):
    """A scheme of the catalog that nothing here computes: `judge` says so, `verify` raises."""
    scheme = next(scheme for scheme in lab.catalog.values() if scheme.oid and not backends.available(scheme))
    written = spki.encode(scheme, bytes(scheme.public_key_bytes))
    dc = lab.forge(leaf.certificate, code_point=scheme.code_point, spki=written)
    said = outcomes(dc, leaf.certificate, {"now": NOW})
    assert (said["fail"], said["not checked"]) == ([], ["V6"])
    with pytest.raises(BackendUnavailable, match=f"^{scheme.name} cannot be computed here: "):
        verify(dc, leaf.certificate, now=NOW)


def test_a_key_that_only_looks_like_rsa_encryption_is_not_taken_for_it(lab):
    """The OID's bytes stand in an Ed25519 key, which may be any 32 bytes."""
    key = spki.RSA_ENCRYPTION_DER + bytes(32 - len(spki.RSA_ENCRYPTION_DER))
    assert accepted(*lab.case(scheme="Ed25519", spki=spki.encode(lab.catalog["Ed25519"], key)))


def test_a_leaf_alone_and_a_credential_alone_are_judged_by_the_same_rules(lab):
    leaf = lab.make_certificate(extensions=(DIGITAL_SIGNATURE,), not_after=NOW - SECOND)
    dc = lab.forge(leaf, code_point=0x0804)
    together = {(it.rule.asks, type(it.refusal)) for it in judge(dc, leaf, now=NOW) if it.refusal}
    of_leaf = {(it.rule.asks, type(it.refusal)) for it in judge_leaf(leaf, now=NOW) if it.refusal}
    alone = judge_credential(dc, lab.catalog, reason="there is no leaf")
    of_dc = {(it.rule.asks, type(it.refusal)) for it in alone if it.refusal}
    assert {kind.__name__ for _, kind in of_leaf} == {"DelegationUsageMissing", "LeafExpired"}
    assert {kind.__name__ for _, kind in of_dc} == {"AlgorithmForbidden"}
    assert together == of_leaf | of_dc | {("it does not outlive its leaf", refusals.BeyondLeaf)}
    assert [it.rule for it in alone] == list(RULES)
    assert {it.reason for it in alone if it.outcome == "not checked"} == {"there is no leaf"}


def test_a_forbidden_code_point_has_its_reason():
    assert forbidden(0x0804).startswith("rsa_pss_rsae_sha256: ")
    assert forbidden(0x0403) == ""


# --- RSASSA-PSS parameters: nothing is lost on the way --------------------------------------------------------------


@pytest.mark.parametrize("name", ["RSA-PSS-2048", "RSA-PSS-2048-SHA384", "RSA-PSS-2048-SHA512"])
def test_rsassa_pss_with_the_parameters_of_its_own_hash_is_accepted(lab, name):
    assert accepted(*lab.case(scheme=name, spki=pss_spki(lab, name)))


# --- The clock, to the second ---------------------------------------------------------------------------------------

FAR = {"not_before": NOW - timedelta(days=30), "not_after": NOW + timedelta(days=30)}


@pytest.mark.parametrize(
    ("lasts", "expected"),
    [
        (timedelta(0), True),
        (-SECOND, False),
        (SECOND, True),
        (WEEK, True),
        (WEEK + SECOND, False),
        (WEEK - SECOND, True),
    ],
)
def test_v1_and_v2_to_the_second(lab, lasts, expected):
    assert accepted(*lab.case(leaf=lab.make_certificate(**FAR), lasts=lasts)) is expected


@pytest.mark.parametrize(("late", "expected"), [(timedelta(0), True), (timedelta(microseconds=1), False)])
def test_v1_between_two_seconds(lab, late, expected):
    """A credential ends at a whole second; the clock does not stand still between two."""
    assert accepted(*lab.case(lasts=timedelta(0), now=NOW + late)) is expected


@pytest.mark.parametrize(("early", "expected"), [(timedelta(0), True), (timedelta(microseconds=1), False)])
def test_v2_between_two_seconds(lab, early, expected):
    assert accepted(*lab.case(lasts=WEEK, now=NOW - early)) is expected


@pytest.mark.parametrize(
    ("moved", "expected"), [(timedelta(0), True), (SECOND, False), (-SECOND, True)], ids=["now", "to come", "past"]
)
def test_v0_not_before_to_the_second(lab, moved, expected):
    assert accepted(*lab.case(leaf=lab.make_certificate(not_before=NOW + moved))) is expected


@pytest.mark.parametrize(("moved", "expected"), [(timedelta(0), True), (-SECOND, False), (SECOND, True)])
def test_v0_not_after_to_the_second(lab, moved, expected):
    leaf = lab.make_certificate(not_after=NOW + moved)
    assert accepted(*lab.case(leaf=leaf, lasts=timedelta(0), policy=Policy(allow_beyond_leaf=True))) is expected


@pytest.mark.parametrize(("moved", "expected"), [(timedelta(0), True), (-SECOND, False), (SECOND, True)])
def test_m2_to_the_second(lab, moved, expected):
    leaf = lab.make_certificate(not_after=NOW + timedelta(days=1) + moved)
    assert accepted(*lab.case(leaf=leaf, lasts=timedelta(days=1))) is expected


def test_a_clock_with_another_time_zone_is_the_same_clock(lab):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert accepted(*lab.case(lasts=timedelta(0), now=elsewhere))


# --- Policy ---------------------------------------------------------------------------------------------------------

SKEW = Policy(clock_skew=timedelta(minutes=1))
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("lasts", "expected"),
    [(-MINUTE, True), (-MINUTE - SECOND, False), (WEEK + MINUTE, True), (WEEK + MINUTE + SECOND, False)],
)
def test_a_clock_may_be_wrong_by_the_skew_and_no_more(lab, lasts, expected):
    assert accepted(*lab.case(leaf=lab.make_certificate(**FAR), lasts=lasts, policy=SKEW)) is expected


@pytest.mark.parametrize(("moved", "expected"), [(MINUTE, True), (MINUTE + SECOND, False)])
def test_the_skew_holds_for_the_leaf_too(lab, moved, expected):
    to_come = lab.make_certificate(not_before=NOW + moved)
    assert accepted(*lab.case(leaf=to_come, policy=SKEW)) is expected
    past = lab.make_certificate(not_after=NOW - moved)
    policy = replace(SKEW, allow_beyond_leaf=True)
    assert accepted(*lab.case(leaf=past, lasts=timedelta(0), policy=policy)) is expected


@pytest.mark.parametrize(("lasts", "expected"), [(timedelta(hours=1), True), (timedelta(hours=1) + SECOND, False)])
def test_a_profile_may_ask_for_shorter_lives(lab, lasts, expected):
    assert accepted(*lab.case(lasts=lasts, policy=Policy(max_lifetime=timedelta(hours=1)))) is expected


@pytest.mark.parametrize(("lasts", "expected"), [(timedelta(days=20), True), (timedelta(days=20, seconds=1), False)])
def test_a_profile_may_ask_for_longer_lives(lab, lasts, expected):
    policy = Policy(max_lifetime=timedelta(days=20))
    assert accepted(*lab.case(leaf=lab.make_certificate(**FAR), lasts=lasts, policy=policy)) is expected


@pytest.mark.parametrize(("allowed", "expected"), [(False, False), (True, True)])
def test_a_policy_may_let_a_credential_outlive_its_leaf(lab, allowed, expected):
    leaf = lab.make_certificate(not_after=NOW + timedelta(hours=1))
    assert accepted(*lab.case(leaf=leaf, policy=Policy(allow_beyond_leaf=allowed))) is expected


def test_the_default_policy_is_the_rfc_s(lab):
    assert Policy() == Policy(max_lifetime=WEEK, clock_skew=timedelta(0), allow_beyond_leaf=False)


# --- Odd times: nothing overflows -----------------------------------------------------------------------------------

ANCIENT, LAST = datetime(1850, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("validity", "at", "lasts", "failed"),
    [
        ((ANCIENT, LAST), ANCIENT, 0, []),
        ((ANCIENT, LAST), ANCIENT, 7 * 86400, []),
        ((ANCIENT, LAST), ANCIENT, 7 * 86400 + 1, ["LifetimeTooLong"]),
        ((ANCIENT, LAST), ANCIENT - SECOND, 1, ["LeafNotYetValid"]),
        ((ANCIENT, LAST), ANCIENT, 2**32 - 1, ["LifetimeTooLong"]),
        ((ANCIENT, LAST), NOW, 2**32 - 1, ["Expired"]),  # the end of uint32 seconds after 1850 is in 1986
        ((LAST, LAST), LAST, 0, []),
        ((LAST, LAST), LAST, 1, ["BeyondLeaf"]),
        ((LAST, LAST), LAST, 2**32 - 1, ["LifetimeTooLong", "BeyondLeaf"]),  # an end that no calendar has
        ((LAST - WEEK, LAST), LAST - WEEK, 7 * 86400, []),
        ((NOW, LAST), LAST, 0, ["Expired"]),
        ((NOW, LAST), NOW, 0, []),
        ((NOW, LAST), NOW, 2**32 - 1, ["LifetimeTooLong"]),
        ((ANCIENT, ANCIENT), ANCIENT, 0, []),
        ((datetime(1949, 12, 31, 23, 59, 59, tzinfo=UTC), LAST), datetime(1950, 1, 1, tzinfo=UTC), 1, []),
        ((datetime(1950, 1, 1, tzinfo=UTC), LAST), datetime(1950, 1, 1, tzinfo=UTC), 0, []),
        ((datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), LAST), datetime(1970, 1, 1, tzinfo=UTC), 1, []),
        ((datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), LAST), datetime(2050, 1, 1, tzinfo=UTC), 1, []),
        ((datetime(2050, 1, 1, tzinfo=UTC), LAST), datetime(2050, 1, 1, tzinfo=UTC), 0, []),
    ],
)
def test_leaves_from_1850_and_9999(lab, validity, at, lasts, failed):
    leaf = lab.make_certificate(not_before=validity[0], not_after=validity[1])
    dc = lab.forge(leaf, lasts=lasts)
    assert outcomes(dc, leaf, {"now": at})["fail"] == failed
    assert accepted(dc, leaf, {"now": at}) is (not failed)


@pytest.mark.parametrize("valid_time", [0, 1, 3600, 2**31 - 1, 2**31, 2**32 - 1])
def test_any_valid_time_is_judged(lab, valid_time):
    """The leaf began an hour ago: only an end between now and in 7 days is accepted."""
    dc, leaf, asked = lab.case(lasts=valid_time)
    failed = outcomes(dc, leaf, asked)["fail"]
    assert failed == {0: ["Expired"], 1: ["Expired"], 3600: []}.get(valid_time, ["LifetimeTooLong", "BeyondLeaf"])


def test_m4_counts_the_whole_credential(lab, leaf):
    """To the byte: what fits is judged by its other faults alone."""
    dc = lab.forge(leaf.certificate)
    room = LARGEST_DC - len(dc.encode()) + len(dc.signature)
    fits, too_long = (replace(dc, signature=bytes(room + more)) for more in (0, 1))
    assert (len(fits.encode()), len(too_long.encode())) == (LARGEST_DC, LARGEST_DC + 1)
    assert outcomes(fits, leaf.certificate, {"now": NOW})["fail"] == ["SignatureInvalid"]
    assert outcomes(too_long, leaf.certificate, {"now": NOW})["fail"] == ["TooLarge", "SignatureInvalid"]


@pytest.mark.parametrize("skew", [SECOND * 0, SECOND, WEEK])
@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize("lifetime", [SECOND * 0, SECOND, WEEK])
def test_what_plainly_holds_breaks_no_rule(lab, lifetime, beyond, skew):
    """The look that spares a verifier the rules never sees more than they do, at any edge of time."""
    policy = Policy(max_lifetime=lifetime, clock_skew=skew, allow_beyond_leaf=beyond)
    leaf = lab.leaf.certificate
    seen = set()
    for lasts in (-SECOND, SECOND * 0, SECOND, WEEK, WEEK + SECOND, timedelta(days=400)):
        dc = lab.forge(leaf, lasts=lasts)
        for off in (timedelta(days=-400), -WEEK, -SECOND, SECOND * 0, SECOND, WEEK, timedelta(days=400)):
            now = NOW + off
            plain = plainly_holds(dc, leaf, now.timestamp(), policy)
            asked = [verdict for verdict in judge(dc, leaf, now=now, policy=policy) if verdict.rule in PLAIN_RULES]
            assert not (plain and any(verdict.outcome == "fail" for verdict in asked))
            seen.add(plain)
    assert seen == {True, False}


def test_a_skew_against_the_peer_is_refused():
    with pytest.raises(ValueError, match="clock skew of 0 or more"):
        Policy(clock_skew=-SECOND)
