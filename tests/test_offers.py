"""The rules that only a handshake can judge: each broken once, by its name, in both roles; and docs/rules.md."""

import itertools
import re
from pathlib import Path

import pytest

from pqdc.credential import offers, refusals
from pqdc.credential.offers import HANDSHAKE_RULES, Offer
from pqdc.credential.rules import RULES
from pqdc.credential.structures import Credential, DelegatedCredential, Role

P256, P384, ED25519, MLDSA44 = 0x0403, 0x0503, 0x0807, 0x0904
GREASE = 0x1A1A
BOTH = pytest.mark.parametrize("role", Role)


def credential(own=MLDSA44, leaf=P256):
    cred = Credential(valid_time=1, dc_cert_verify_algorithm=own, spki=b"spki")
    return DelegatedCredential(cred=cred, algorithm=leaf, signature=b"signature")


DC = (34, credential().encode())
OTHER = (5, b"status_request")


# --- C1: the offer


def test_c1_the_list_is_what_was_given_without_repeats_and_what_no_credential_may_have():
    given = [MLDSA44, 0x0804, P256, GREASE, 0x0401, P256, ED25519]
    assert offers.schemes_to_offer(given) == (MLDSA44, P256, GREASE, ED25519)


@pytest.mark.parametrize("given", [[], [0x0804, 0x0805, 0x0806], [0x0201, 0x0203, 0x0401]])
def test_c1_an_empty_list_is_no_offer(given):
    with pytest.raises(refusals.OfferEmpty) as caught:
        offers.schemes_to_offer(given)
    assert caught.value.alert == "decode_error"


# --- C2: a credential although not asked for


@BOTH
def test_c2_a_credential_that_was_not_asked_for(role):
    with pytest.raises(refusals.NotOffered) as caught:
        offers.check_expected(Offer(signature_algorithms=[P256]), role)
    assert (caught.value.rule, caught.value.alert) == ("C2", "unexpected_message")
    assert {Role.SERVER: "ClientHello", Role.CLIENT: "CertificateRequest"}[role] in str(caught.value)


@BOTH
@pytest.mark.parametrize("version", [0x0301, 0x0303, 0xFEFD, 0xFEFF])
def test_c2_holds_below_tls_1_3_where_the_extension_is_ignored(version, role):
    with pytest.raises(refusals.NotOffered):
        offers.check_expected(Offer(signature_algorithms=[P256], delegated_credential=[MLDSA44], version=version), role)


@BOTH
@pytest.mark.parametrize("version", [0x0304, 0x0305, 0xFEFC])
def test_c2_a_credential_that_was_asked_for(version, role):
    offers.check_expected(Offer(signature_algorithms=[P256], delegated_credential=[MLDSA44], version=version), role)


# --- C3, V7: where it stands


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], None),
        ([[]], None),
        ([[OTHER]], None),
        ([[DC]], DC[1]),
        ([[OTHER, DC], [OTHER]], DC[1]),
        ([[], [DC]], None),
        ([[OTHER], [DC], [DC]], None),
        ([[DC], [(34, b"another")]], DC[1]),
    ],
)
def test_c3_only_the_leaf_s_entry_counts(entries, expected):
    assert offers.credential_in(entries) == expected


@pytest.mark.parametrize("entries", [[[DC, DC]], [[DC, OTHER, DC]], [[], [DC, DC]], [[DC], [OTHER], [DC, DC]]])
def test_v7_one_credential_in_an_entry(entries):
    for check in (offers.credential_in, offers.check_entries):
        with pytest.raises(refusals.ExtensionRepeated) as caught:
            check(entries)
        assert (caught.value.rule, caught.value.alert) == ("V7", "illegal_parameter")


def test_v7_a_credential_decodes_to_its_last_byte():
    data = credential().encode()
    assert offers.decode(data) == credential()
    for broken in (*(data[:size] for size in range(len(data))), data + b"\0"):
        with pytest.raises(refusals.Malformed) as caught:
            offers.decode(broken)
        assert (caught.value.rule, caught.value.alert) == ("V7", "decode_error")


# --- C4, V3: its algorithms


@BOTH
def test_c4_both_algorithms_offered(role):
    offers.check_offered(
        credential(), Offer(signature_algorithms=[P384, P256], delegated_credential=[P256, MLDSA44]), role
    )


@BOTH
@pytest.mark.parametrize(
    ("signature_algorithms", "delegated_credential", "refusal"),
    [
        ([P384], [MLDSA44], "LeafAlgorithmNotOffered"),
        ([], [MLDSA44], "LeafAlgorithmNotOffered"),
        ([P256, MLDSA44], [P256], "AlgorithmNotOffered"),
        ([P256], [], "AlgorithmNotOffered"),
        ([P256], [GREASE], "AlgorithmNotOffered"),
        ([P256], None, "NotOffered"),
    ],
)
def test_c4_an_algorithm_not_offered(signature_algorithms, delegated_credential, refusal, role):
    offer = Offer(signature_algorithms=signature_algorithms, delegated_credential=delegated_credential)
    with pytest.raises(getattr(refusals, refusal)) as caught:
        offers.check_offered(credential(), offer, role)
    if refusal != "NotOffered":
        assert (caught.value.rule, caught.value.alert) == ("C4", "illegal_parameter")
    assert offers.reason_against(credential(), offer, role)


def test_c4_the_lists_are_not_mixed_up():
    """What one list has does not count for the other."""
    offer = Offer(signature_algorithms=[MLDSA44], delegated_credential=[P256])
    assert not offers.sendable([credential()], offer)
    assert offers.sendable([credential(own=P256, leaf=MLDSA44)], offer)


@pytest.mark.parametrize("scheme", [P256, P384, GREASE, 0])
def test_v3_the_certificate_verify_is_by_the_credential_s_algorithm(scheme):
    offers.check_used(credential(), MLDSA44)
    with pytest.raises(refusals.AlgorithmNotUsed) as caught:
        offers.check_used(credential(), scheme)
    assert (caught.value.rule, caught.value.alert) == ("V3", "illegal_parameter")


# --- S1 to S3: the side that sends


@BOTH
def test_s1_nothing_is_sent_to_who_did_not_ask(role):
    with pytest.raises(refusals.NotAskedFor) as caught:
        offers.check_sending(Offer(signature_algorithms=[P256]), role)
    assert caught.value.rule == "S1"


@BOTH
@pytest.mark.parametrize("version", [0x0300, 0x0303, 0xFEFF, 0xFEFD])
def test_s2_nothing_is_sent_below_tls_1_3(version, role):
    offer = Offer(signature_algorithms=[P256], delegated_credential=[MLDSA44], version=version)
    assert offer.heard is None
    with pytest.raises(refusals.VersionTooOld) as caught:
        offers.check_sending(offer, role)
    assert caught.value.rule == "S2"
    assert offers.choose([credential()], offer, role) is None


@pytest.mark.parametrize("entries", [[[], [DC]], [[DC], [DC]], [[DC], [], [OTHER, DC]]])
def test_s3_a_credential_is_sent_in_the_leaf_s_entry(entries):
    with pytest.raises(refusals.NotInLeafEntry) as caught:
        offers.check_entries(entries)
    assert caught.value.rule == "S3"


@pytest.mark.parametrize("entries", [[], [[]], [[DC]], [[DC, OTHER], [OTHER]]])
def test_s3_what_may_be_sent(entries):
    offers.check_entries(entries)


# --- Which of several


def test_of_several_the_first_that_the_peer_takes_is_chosen():
    own = [credential(own, leaf) for own, leaf in itertools.product((MLDSA44, ED25519, P256), (P256, P384))]
    offer = Offer(signature_algorithms=[P384, P256], delegated_credential=[P256, ED25519])
    assert offers.sendable(own, offer) == tuple(own[2:])
    assert offers.choose(own, offer) == own[2]
    assert offers.choose(own[:2], offer) is None
    assert offers.choose([], offer) is None


@BOTH
def test_what_may_be_sent_is_what_the_other_side_accepts(role):
    """Over all offers of two schemes, and all credentials of them: the two sides agree."""
    lists = [[], [P256], [MLDSA44], [P256, MLDSA44]]
    for algorithms, delegated, version in itertools.product(lists, [None, *lists], (0x0303, 0x0304)):
        offer = Offer(signature_algorithms=algorithms, delegated_credential=delegated, version=version)
        for own, leaf in itertools.product((P256, MLDSA44), repeat=2):
            dc = credential(own, leaf)
            fine = version == 0x0304 and delegated is not None and own in delegated and leaf in algorithms
            assert offers.sendable([dc], offer, role) == ((dc,) if fine else ())
            if fine:
                offers.check_offered(dc, offer, role)
            else:
                with pytest.raises(refusals.RuleRefusal):
                    offers.check_offered(dc, offer, role)


# --- The list of rules, and its documentation


def rows():
    """The table of docs/rules.md: a tuple for each row."""
    text = Path(__file__).parents[1].joinpath("docs", "rules.md").read_text("utf-8")
    found = [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines() if line[:1] == "|"
    ]
    return found[2:]


def said(rule):
    return {
        (rule.name, rule.asks, refusal.section, f"`{refusal.__name__}`", refusal.alert) for refusal in rule.refusals
    }


def test_docs_tell_every_rule_as_the_code_does():
    told = {row[:5] for row in rows()}
    for rule in (*RULES, *HANDSHAKE_RULES):
        assert said(rule) <= told


def test_docs_tell_sections_and_alerts_as_the_refusals_do():
    for rule, _, section, refusal, alert, _ in rows():
        if refusal.startswith("none"):
            assert rule == "C3"
            continue
        kind = getattr(refusals, refusal.strip("`"))
        assert (section, alert) == (kind.section, kind.alert)
        assert kind.rule == rule or (rule, refusal) in {("M1", "`LifetimeTooLong`"), ("M5", "`SignatureInvalid`")}


def test_every_refusal_is_documented_and_belongs_to_a_rule_of_the_checklist():
    told = {row[3].strip("`") for row in rows()}
    assert told - {"none: it is ignored"} == set(refusals.__all__) - {"RuleRefusal"}
    checklist = [f"{letter}{n}" for letter, ns in (("M", 7), ("C", 4), ("S", 3)) for n in range(1, ns + 1)]
    assert {row[0] for row in rows()} == {*checklist, *(f"V{n}" for n in range(8))}


def test_who_checks_exists():
    for rule in HANDSHAKE_RULES:
        assert callable(getattr(offers, rule.checked_by))
        assert (rule.name, f"`offers.{rule.checked_by}`") in {(row[0], row[5]) for row in rows()}
    assert {row[5] for row in rows() if not row[5].startswith("`offers.")} <= {"`mint`", "`verify`", "`mint, verify`"}


@pytest.mark.parametrize("name", sorted(set(refusals.__all__) - {"RuleRefusal"}))
def test_a_refusal_says_its_facts(name):
    kind = getattr(refusals, name)
    facts = kind("this", "that").facts()
    assert facts == {
        "refusal": name,
        "rule": kind.rule,
        "section": kind.section,
        "alert": kind.alert,
        "wanted": "this",
        "got": "that",
        "hint": kind.remedy,
    }
    assert kind("this", "that", hint="do it").facts()["hint"] == "do it"
    assert re.fullmatch(r"[MVCS]\d", kind.rule)
    assert all(re.match(r"RFC \d+ (section|appendix)", part) for part in kind.section.split("; "))
