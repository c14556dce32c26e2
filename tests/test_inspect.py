"""`pqdc inspect` and `pqdc verify`: what they show, what they name as odd, and that they judge alike."""

import json
import os
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as library

from pqdc import pem
from pqdc.cli import run
from pqdc.credential import refusals
from pqdc.credential.certificate import say_duration
from pqdc.credential.formats import Bundle, format_names, load_format
from pqdc.credential.inspect import inspect
from pqdc.credential.inspect.code_points import code_point
from pqdc.credential.inspect.contents import contents_of, kind_of
from pqdc.credential.inspect.credential import report_credential
from pqdc.credential.inspect.facts import facts_of
from pqdc.credential.inspect.pairing import leaf_for, read_leaf_for
from pqdc.credential.inspect.text import lines_of, say_moment
from pqdc.credential.mint import mint
from pqdc.credential.rules import Policy
from pqdc.credential.structures import Credential, DelegatedCredential, Role
from pqdc.credential.verify import judge
from pqdc.errors import BackendUnavailable, FileError
from pqdc.scheme import pbes2
from tests.conftest import DELEGATION_USAGE, DIGITAL_SIGNATURE, NOW, certificate_der, der, extension, oid

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def minted(leaf, catalog):
    """A credential for ML-DSA-44 under the P-256 leaf, and its key."""
    return mint(leaf, catalog["ML-DSA-44"], valid_for=DAY, now=NOW)


@pytest.fixture
def folder(ask, leaf, keys, catalog, minted):
    """leaf.pem, leaf.key, dc.bin and dc.key, in the folder where the test stands."""
    dc, key = minted
    Path("leaf.pem").write_bytes(pem.armour("CERTIFICATE", leaf.certificate.der))
    Path("leaf.key").write_bytes(pem.armour("PRIVATE KEY", keys(catalog["ECDSA-P256"]).pkcs8()))
    Path("dc.bin").write_bytes(dc.encode())
    Path("dc.key").write_bytes(pem.armour("PRIVATE KEY", key.pkcs8()))


@pytest.fixture
def ask(capsys, monkeypatch, tmp_path):
    """Run a command in a folder of its own, as of NOW; the exit status, and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pqdc.cli.COMMANDS", ("verify", "inspect"))  # the others cost time

    def run_it(*arguments, at=NOW):
        status = run([*map(str, arguments), "--at", str(int(at.timestamp()))])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_it


def said(report_or_findings):
    return [f"{finding.where}: {finding.what}" for finding in report_or_findings]


def text_of(inspection):
    return "\n".join(line.text for line in lines_of(inspection, UTC))


# --- What is shown, as text and as JSON


def test_a_credential_with_its_leaf_as_text(folder, ask):
    status, out, err = ask("inspect", "dc.bin", "--leaf", "leaf.pem")
    assert (status, err) == (0, "")
    for part in (
        "dc.bin: delegated credential (raw), ",
        "90,000 s (1 d 1 h) from the leaf's notBefore",
        "2026-11-26 12:00:00 UTC",
        "in 1 d\n",
        "0x0904 mldsa44 (ML-DSA-44)",
        "ML-DSA-44, SPKI of 1,334 bytes",
        "2.16.840.1.101.3.4.3.17, parameters absent",
        "0x0403 ecdsa_secp256r1_sha256 (ECDSA-P256)",
        "4 valid_time + 2 dc_cert_verify_algorithm + 1,337 ASN1_subjectPublicKeyInfo + 2 algorithm + ",
        "leaf.pem: certificate, ",
        "CN=test CA",
        "DNS:localhost",
        "KeyUsage                  digitalSignature",
        "DelegationUsage           present",
        "Firefox (NSS) would not take it",
        "not checked, as only a handshake tells: C1 C2 C3 C4 S1 S2 S3 V3",
    ):
        assert part in out
    assert out.splitlines()[-1].startswith("ACCEPTED as server credential under leaf.pem, at 2026-11-25 12:00:00 UTC")
    assert "FAIL" not in out
    assert "ODD" not in out


def test_a_credential_with_its_leaf_as_json(folder, ask, minted):
    status, out, _ = ask("inspect", "dc.bin", "leaf.pem", "--json")
    found = json.loads(out)
    assert status == 0
    (dc,) = found["credentials"]
    assert dc["verdict"] == "accepted"
    assert dc["bytes"] == len(minted[0].encode()) == sum(part["bytes"] for part in dc["parts"])
    assert [part["start"] for part in dc["parts"]] == [0, 4, 6, 1343, 1345]
    assert dc["dc_cert_verify_algorithm"] == {
        "value": 0x0904,
        "hex": "0x0904",
        "kind": "known",
        "name": "mldsa44",
        "schemes": ["ML-DSA-44"],
    }
    assert dc["valid_until"] == {"unix": int((NOW + DAY).timestamp()), "utc": "2026-11-26T12:00:00Z"}
    assert dc["remaining_seconds"] == 86400
    assert dc["leaf"]["file"] == "leaf.pem"
    assert dc["findings"] == []
    outcomes = {rule["outcome"] for rule in dc["rules"]}
    assert outcomes == {"pass", "not checked"}
    assert {rule["rule"] for rule in dc["rules"] if rule["outcome"] == "not checked"} == {
        *("C1", "C2", "C3", "C4", "S1", "S2", "S3", "V3", "V7")
    }
    (leaf,) = found["certificates"]
    assert leaf["findings"] == []
    assert leaf["key_usage"] == ["digitalSignature"]
    assert leaf["names"] == ["DNS:localhost"]
    assert leaf["public_key"]["schemes"] == ["ECDSA-P256"]


def test_a_credential_alone_is_judged_as_far_as_it_goes(folder, ask):
    status, out, _ = ask("inspect", "dc.bin")
    assert status == 0
    assert out.splitlines()[-2].startswith("NOT JUDGED as server credential")
    assert "--leaf leaf.pem" in out.splitlines()[-1]
    assert "not checked, as no leaf is given: V0 V4 M7 V1 V2 M2 M6 V5" in out.replace("V4 M7 V0", "V0 V4 M7")
    dc = json.loads(ask("inspect", "dc.bin", "--json")[1])["credentials"][0]
    assert dc["verdict"] == "not judged"
    assert dc["valid_until"] is None
    assert {rule["rule"] for rule in dc["rules"] if rule["outcome"] == "pass"} == {"V7", "M4", "M3", "V6"}


def test_a_credential_alone_that_no_leaf_can_save_is_refused(keys, catalog):
    dc = DelegatedCredential(
        cred=Credential(valid_time=1, dc_cert_verify_algorithm=0x0804, spki=keys(catalog["RSA-2048"]).public.spki),
        algorithm=0x0403,
        signature=b"none",
    )
    found = inspect([contents_of(dc.encode(), "dc")], catalog=catalog, now=NOW).credentials[0]
    assert found.verdict == "refused"
    assert {type(refusal).__name__ for refusal in found.refusals} == {"AlgorithmForbidden"}


def test_a_leaf_alone(folder, ask):
    status, out, _ = ask("inspect", "leaf.pem")
    assert status == 0
    assert out.splitlines()[-1].startswith("MAY DELEGATE, at 2026-11-25 12:00:00 UTC")
    status, out, _ = ask("inspect", "leaf.pem", at=NOW + 91 * DAY)
    assert status == 0
    assert "MAY NOT DELEGATE" in out.splitlines()[-1]
    assert out.splitlines()[-1].endswith("LeafExpired (V0)")


def test_a_refused_credential_shows_all_rules_and_what_to_do(folder, ask):
    status, out, _ = ask("inspect", "dc.bin", "--leaf", "leaf.pem", at=NOW + 91 * DAY)
    assert status == 0
    lines = out.splitlines()
    assert "LeafExpired (V0), Expired (V1)" in next(line for line in lines if line.startswith("REFUSED"))
    assert [line for line in lines if "FAIL" in line] == [
        "  FAIL  V0  the leaf is valid now",
        "  FAIL  V1  it has not expired",
    ]
    assert "            Expired, RFC 9345 section 4.1.3, alert illegal_parameter" in lines
    assert "90 d ago" in out
    assert lines[-1].startswith("  next: ")


def test_a_private_key_is_told_without_a_byte_of_it(folder, ask, minted):
    seed = minted[1].secret().seed
    for arguments in (("dc.bin", "dc.key", "leaf.key", "leaf.pem"), ("dc.key",)):
        for out in (ask("inspect", *arguments)[1], ask("inspect", *arguments, "--json")[1]):
            assert seed[:4].hex() not in out
            assert "ML-DSA-44" in out
    out = ask("inspect", "dc.bin", "dc.key", "leaf.key", "leaf.pem")[1]
    assert "form                      seed (RFC 9881, the seed alone)" in out
    assert "belongs to                the credential in dc.bin" in out
    assert "form                      own" in out
    assert "belongs to                the certificate in leaf.pem" in out
    assert "belongs to                nothing among these files" in ask("inspect", "leaf.key", "dc.bin")[1]


def private_key(scheme, content):
    """PKCS#8 with that content."""
    return der(0x30, der(0x02, b"\0"), der(0x30, oid(scheme.spki_oid)), der(0x04, content))


def look_at_key(catalog, data, *others, **options):
    files = [contents_of(one, f"file {position}") for position, one in enumerate((data, *others))]
    return inspect(files, catalog=catalog, now=NOW, **options).private_keys[0]


def test_the_forms_of_private_keys(catalog, leaf, liboqs):
    """RFC 9881's three; the expanded one tells its public key only beside it."""
    scheme = catalog["ML-DSA-44"]
    dc, key = mint(leaf, scheme, valid_for=DAY, now=NOW, backend=liboqs)
    secret = key.secret()
    forms = {
        "seed": der(0x80, secret.seed),
        "expanded": der(0x04, secret.expanded),
        "both": der(0x30, der(0x04, secret.seed), der(0x04, secret.expanded)),
    }
    for form, content in forms.items():
        found = look_at_key(catalog, private_key(scheme, content), dc.encode())
        assert (found.report.envelope, found.report.form, found.report.encrypted) == ("PKCS#8", form, False)
        assert (found.report.schemes, found.report.error) == (("ML-DSA-44",), "")
        assert found.belongs_to == ("the credential in file 1",)
    alone = look_at_key(catalog, private_key(scheme, forms["expanded"])).report
    assert (alone.form, alone.schemes) == ("expanded", ())
    assert alone.error
    broken = look_at_key(catalog, private_key(scheme, b"no key")).report
    assert (broken.form, broken.oid) == ("", scheme.spki_oid)
    assert broken.error


def test_the_key_of_oqs_provider_s_layout(catalog, keys, liboqs):
    falcon = keys(catalog["Falcon-512"]).pkcs8()
    report = look_at_key(catalog, falcon).report
    assert (report.form, report.schemes) == ("concatenated", ("Falcon-512",))


def test_older_and_encrypted_keys(catalog, keys):
    key = library.load_der_private_key(keys(catalog["ECDSA-P256"]).pkcs8(), None)
    rsa = library.load_der_private_key(keys(catalog["RSA-2048"]).pkcs8(), None)
    traditional = library.PrivateFormat.TraditionalOpenSSL

    def written(key, form, secret=None, encoding=library.Encoding.PEM):
        how = library.BestAvailableEncryption(secret) if secret else library.NoEncryption()
        return key.private_bytes(encoding, form, how)

    def look(data, password=None):
        found = inspect([contents_of(data, "k")], catalog=catalog, now=NOW, password=password).private_keys[0].report
        return found.envelope, found.encrypted, bool(found.schemes), found.error

    assert look(written(key, traditional)) == ("SEC 1", False, True, "")
    assert look(written(key, traditional, encoding=library.Encoding.DER)) == ("SEC 1", False, True, "")
    assert look(written(rsa, traditional)) == ("PKCS #1", False, True, "")
    locked = written(key, library.PrivateFormat.PKCS8, b"secret")
    assert look(locked)[:3] == ("encrypted PKCS#8", True, False)
    assert "--password-file" in look(locked)[3]
    assert look(locked, b"secret") == ("encrypted PKCS#8", True, True, "")
    assert "does not open" in look(locked, b"wrong")[3]
    assert look(pbes2.encrypt(keys(catalog["ML-DSA-44"]).pkcs8(), b"secret", iterations=1), b"secret")[2]
    assert look(written(key, traditional, b"secret"))[:3] == ("encrypted in the old PEM way", True, False)
    unknown = der(0x30, der(0x02, b"\0"), der(0x30, oid("1.2.3.4")), der(0x04, b"what"))
    assert "1.2.3.4" in look(unknown)[3]


def test_a_public_key_file(catalog, leaf, keys, minted):
    files = [contents_of(minted[0].encode(), "dc"), contents_of(minted[1].public.spki, "pub")]
    found = inspect(files, catalog=catalog, now=NOW)
    assert found.public_keys[0].belongs_to == ("the credential in dc",)
    assert "pub: public key, 1,334 bytes" in text_of(found)
    assert facts_of(found)["public_keys"][0]["schemes"] == ["ML-DSA-44"]


@pytest.mark.parametrize("name", format_names())
def test_every_format_is_recognised(name, leaf, keys, catalog):
    dc, key = mint(leaf, catalog["ECDSA-P256"], valid_for=DAY, now=NOW)
    bundle = Bundle(dc=dc.encode(), private_key=key.pkcs8(), certificates=(leaf.certificate.der,), role=Role.SERVER)
    files = load_format(name).write(bundle)
    found = inspect(
        [contents_of(file.data, file.name) for file in files],
        leaf=contents_of(leaf.certificate.der, "leaf.pem"),
        catalog=catalog,
        now=NOW,
    )
    assert found.credentials
    assert all(one.report.dc == dc and one.verdict == "accepted" for one in found.credentials)
    for one in found.private_keys:
        assert one.report.error == ""


def test_the_leaf_is_found_in_a_bundle_of_any_order(leaves, leaf, authority, catalog, minted):
    chain = [authority.der, leaves["Ed25519"].certificate.der, leaf.certificate.der]
    bundle = contents_of(b"".join(pem.armour("CERTIFICATE", one) for one in chain), "bundle.pem")
    found = inspect([contents_of(minted[0].encode(), "dc"), bundle], catalog=catalog, now=NOW)
    assert found.credentials[0].verdict == "accepted"
    assert [bool(one.verdicts) for one in found.certificates] == [True, True, True]
    behind = contents_of(b"".join(pem.armour("CERTIFICATE", one) for one in reversed(chain)), "bundle.pem")
    found = inspect([contents_of(minted[0].encode(), "dc"), behind], catalog=catalog, now=NOW)
    assert [bool(one.verdicts) for one in found.certificates] == [True, True, False]


# --- Roles


def test_a_credential_of_the_other_role_is_told(leaf, catalog, folder, ask):
    dc, _ = mint(leaf, catalog["Ed25519"], valid_for=DAY, now=NOW, role=Role.CLIENT)
    Path("client.bin").write_bytes(dc.encode())
    out = ask("inspect", "client.bin", "--leaf", "leaf.pem")[1]
    assert "REFUSED as server credential" in out
    assert "next: this leaf signed it as a client credential: --role client" in out
    out = ask("inspect", "client.bin", "--leaf", "leaf.pem", "--role", "client")[1]
    assert "ACCEPTED as client credential" in out
    assert "Firefox" not in out  # it judges servers


def test_the_label_tells_the_role(leaf, catalog, folder, ask):
    dc, _ = mint(leaf, catalog["Ed25519"], valid_for=DAY, now=NOW, role=Role.CLIENT)
    Path("client.pem").write_bytes(pem.armour("CLIENT DELEGATED CREDENTIAL", dc.encode()))
    assert "ACCEPTED as client credential" in ask("inspect", "client.pem", "--leaf", "leaf.pem")[1]
    assert ask("verify", "client.pem", "--leaf", "leaf.pem")[0] == 0
    assert ask("verify", "client.pem", "--leaf", "leaf.pem", "--role", "server")[0] == 1


# --- Code points


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (0x0403, "known", "ecdsa_secp256r1_sha256"),
        (0x0904, "known", "ML-DSA-44"),
        (0x0804, "forbidden", "not allowed in a credential"),
        (0x0401, "forbidden", "rsa_pkcs1_sha256"),
        (0x0A0A, "GREASE", "GREASE range"),
        (0xFAFA, "GREASE", "GREASE range"),
        (0xFE00, "private use", "private use range"),
        (0xFFFF, "private use", "private use range"),
        (0x0000, "reserved", "reserved range"),
        (0x0402, "reserved", "reserved range"),
        (0x06FF, "reserved", "reserved range"),
        (0x0700, "unknown", "no scheme of the catalog"),
        (0x0A1A, "unknown", "no scheme of the catalog"),
        (0x5555, "unknown", "no scheme of the catalog"),
    ],
)
def test_a_code_point_has_a_name_or_a_range(value, kind, words, catalog):
    point = code_point(value, catalog, of_credential=True)
    assert (point.value, point.kind) == (value, kind)
    assert str(point).startswith(f"0x{value:04x} ")
    assert words in str(point)


def test_the_leaf_s_own_scheme_is_not_forbidden_to_it(catalog):
    assert code_point(0x0804, catalog, of_credential=False).kind == "known"


def test_an_unknown_code_point_survives(leaf, forge, catalog):
    dc = forge(leaf.certificate, code_point=0x1A1A)
    found = inspect(
        [contents_of(dc.encode(), "dc")], leaf=contents_of(leaf.certificate.der, "leaf"), catalog=catalog, now=NOW
    )
    one = facts_of(found)["credentials"][0]
    assert one["dc_cert_verify_algorithm"]["kind"] == "GREASE"
    assert (one["verdict"], one["refusal"], one["rule"]) == ("refused", "AlgorithmUnknown", "V6")


# --- Broken credentials


def test_a_credential_cut_at_any_byte_says_where_and_what_stands_before(minted, catalog):
    data = minted[0].encode()
    whole = report_credential(data, catalog)
    assert whole.broken is None
    ends = {part.start + part.size: part.name for part in whole.parts}
    for size in range(0, len(data), 7):
        report = report_credential(data[:size], catalog)
        assert report.broken
        assert report.dc is None
        assert report.parts == whole.parts[: len(report.parts)]
        assert report.broken.byte <= size
        assert sum(part.size for part in report.parts) <= size
        assert report.broken.refusal.rule == "V7"
        following = [part.name for part in whole.parts][len(report.parts) :]
        assert report.broken.field == following[0]
    report = report_credential(data + b"\0\0", catalog)
    assert (report.broken.field, report.broken.byte) == ("end", len(data))
    assert report.signature == minted[0].signature
    assert len(ends) == 5


@pytest.mark.parametrize("cut", [30, 700, 1340, 1344, 1400])
def test_a_broken_credential_is_shown_as_far_as_it_goes(cut, folder, ask, minted):
    Path("cut.bin").write_bytes(minted[0].encode()[:cut])
    status, out, err = ask("inspect", "cut.bin", "--leaf", "leaf.pem")
    assert (status, err) == (1, "")
    assert "BROKEN                    at byte " in out
    assert "0x0904 mldsa44" in out
    assert "REFUSED" in out
    assert "Malformed (V7)" in out
    dc = json.loads(ask("inspect", "cut.bin", "--json")[1])["credentials"][0]
    assert (dc["verdict"], dc["refusal"], dc["rule"], dc["alert"]) == ("refused", "Malformed", "V7", "decode_error")
    status, out, err = ask("verify", "cut.bin", "--leaf", "leaf.pem", "--json")
    assert status == 1
    assert {key: json.loads(out)[key] for key in ("verdict", "refusal", "rule", "got")} == {
        key: dc[key] for key in ("verdict", "refusal", "rule", "got")
    }


@pytest.mark.parametrize("armour", ["pem", "hex", "base64"])
def test_a_broken_credential_is_known_in_other_clothes(armour, minted, catalog):
    broken = minted[0].encode()[:-1]
    text = pem.armour("DELEGATED CREDENTIAL", broken)
    data = {"pem": text, "hex": broken.hex().encode(), "base64": b"".join(text.splitlines()[1:-1])}[armour]
    found = inspect([contents_of(data, "dc")], catalog=catalog, now=NOW)
    assert found.credentials[0].report.broken.field == "signature"
    assert not found.is_whole


@pytest.mark.parametrize(
    "data", [b"hello", b"\0", b"\xff" * 100, b"-----BEGIN X-----\nAAAA\n-----END X-----\n", b"30", b"\x30\x00", b"AAAA"]
)
def test_what_is_nothing_of_all_that_is_one_line(data, folder, ask):
    Path("what").write_bytes(data)
    for command in (("inspect", "what"), ("verify", "what", "--leaf", "leaf.pem")):
        status, out, err = ask(*command)
        assert (status, out) == (1, "")
        assert err.startswith("pqdc: what: ")
        assert err.count("\n") == 1


# --- inspect and verify judge alike


ODD_CASES = {
    "accepted": ({}, {}),
    "expired": ({"lasts": -timedelta(seconds=1)}, {}),
    "too long": ({"lasts": timedelta(days=8)}, {}),
    "beyond the leaf": ({"lasts": timedelta(days=6)}, {"not_after": NOW + timedelta(days=5)}),
    "forbidden": ({"code_point": 0x0401}, {}),
    "unknown": ({"code_point": 0xFE77}, {}),
    "mismatch": ({"code_point": 0x0503}, {}),
    "leaf algorithm": ({"algorithm": 0x0807}, {}),
    "signed otherwise": ({"signed": lambda prefix, cred, algorithm: prefix + algorithm + cred}, {}),
    "client": ({"role": Role.CLIENT}, {}),
    "no DelegationUsage": ({}, {"extensions": [DIGITAL_SIGNATURE]}),
    "critical": (
        {},
        {"extensions": [DIGITAL_SIGNATURE, extension("1.3.6.1.4.1.44363.44", b"\x05\0", critical=True)]},
    ),
    "not NULL": ({}, {"extensions": [DIGITAL_SIGNATURE, extension("1.3.6.1.4.1.44363.44", b"\x30\0")]}),
    "no KeyUsage": ({}, {"extensions": [DELEGATION_USAGE]}),
    "twice": ({}, {"extensions": [DIGITAL_SIGNATURE, DELEGATION_USAGE, DELEGATION_USAGE]}),
    "leaf to come": ({"lasts": timedelta(hours=5)}, {"not_before": NOW + timedelta(hours=1)}),
}


@pytest.mark.parametrize("name", ODD_CASES)
def test_inspect_says_what_verify_says(name, make_certificate, forge, catalog, ask):
    odd_dc, odd_leaf = ODD_CASES[name]
    leaf = make_certificate(**odd_leaf)
    dc = forge(leaf, **odd_dc)
    Path("dc").write_bytes(dc.encode())
    Path("leaf").write_bytes(leaf.der)
    found = inspect([contents_of(dc.encode(), "dc"), contents_of(leaf.der, "leaf")], catalog=catalog, now=NOW)
    one = found.credentials[0]
    assert [(verdict.rule, verdict.outcome, verdict.reason) for verdict in one.verdicts] == [
        (verdict.rule, verdict.outcome, verdict.reason) for verdict in judge(dc, leaf, now=NOW)
    ]
    status, out, _ = ask("verify", "dc", "--leaf", "leaf", "--json")
    verified = json.loads(out)
    inspected = json.loads(ask("inspect", "dc", "leaf", "--json")[1])["credentials"][0]
    assert verified["verdict"] == inspected["verdict"] == ("accepted" if status == 0 else "refused")
    for fact in ("refusal", "rule", "section", "alert", "wanted", "got", "hint"):
        assert verified.get(fact) == inspected.get(fact)
    failed = [rule for rule in inspected["rules"] if rule["outcome"] == "fail"]
    assert len(failed) == (0 if name == "accepted" else 1)
    for rule in failed:
        assert {fact: rule[fact] for fact in ("refusal", "alert", "wanted", "got")} == {
            fact: verified[fact] for fact in ("refusal", "alert", "wanted", "got")
        }


def test_a_leaf_that_cannot_be_read_refuses_in_both(keys, catalog, ask, minted):
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki, not_before=der(0x17, b"2611251100Z"))
    Path("leaf").write_bytes(data)
    Path("dc").write_bytes(minted[0].encode())
    status, out, _ = ask("verify", "dc", "--leaf", "leaf", "--json")
    verified = json.loads(out)
    inspected = json.loads(ask("inspect", "dc", "--leaf", "leaf", "--json")[1])["credentials"][0]
    assert status == 1
    for one in (verified, inspected):
        assert (one["refusal"], one["rule"], one["alert"]) == ("LeafMalformed", "V0", "bad_certificate")
    assert "notBefore" in verified["got"]
    assert verified["got"] == inspected["got"]
    out = ask("inspect", "leaf")[1]
    assert "MAY NOT DELEGATE" in out
    assert "not checked, as the leaf cannot be read" in out


def test_policies_are_options_of_both(make_certificate, forge, ask):
    leaf = make_certificate(not_after=NOW + timedelta(days=5))
    Path("leaf").write_bytes(leaf.der)
    cases = [
        (timedelta(days=6), ["--allow-beyond-leaf"]),
        (-timedelta(seconds=30), ["--clock-skew", "30s"]),
        (timedelta(days=9), ["--max-lifetime", "9d", "--allow-beyond-leaf"]),
    ]
    for lasts, arguments in cases:
        Path("dc").write_bytes(forge(leaf, lasts=lasts).encode())
        for command in ("verify", "inspect"):
            given = [command, "dc", "--leaf", "leaf", "--json"]

            def verdict(out):
                found = json.loads(out)
                return found["verdict"] if "verdict" in found else found["credentials"][0]["verdict"]

            assert verdict(ask(*given)[1]) == "refused"
            assert verdict(ask(*given, *arguments)[1]) == "accepted"


def test_a_policy_s_exception_is_not_applicable(make_certificate, forge, catalog):
    leaf = make_certificate()
    found = inspect(
        [contents_of(forge(leaf).encode(), "dc"), contents_of(leaf.der, "leaf")],
        catalog=catalog,
        now=NOW,
        policy=Policy(allow_beyond_leaf=True),
    )
    assert "  n/a   M2  it does not outlive its leaf: the policy allows" in text_of(found)


def test_exit_codes_of_verify(folder, ask):
    assert ask("verify", "dc.bin", "--leaf", "leaf.pem")[0] == 0
    status, out, _ = ask("verify", "dc.bin", "--leaf", "leaf.pem", at=NOW + 2 * DAY)
    assert status == 1
    assert out.startswith("refused: Expired (V1, RFC 9345 section 4.1.3): wanted ")
    assert ask("verify", "dc.bin")[0] == 2
    assert ask("verify", "dc.bin", "--leaf", "leaf.pem", "--max-lifetime", "week")[0] == 2
    assert ask("verify", "missing", "--leaf", "leaf.pem")[0] == 1
    assert ask("verify", "dc.bin", "--leaf", "dc.key")[0] == 1
    assert ask("inspect")[0] == 2
    assert ask("inspect", "missing")[0] == 1


def test_two_credentials_in_a_file(folder, ask, leaf, catalog):
    server, _ = mint(leaf, catalog["Ed25519"], valid_for=DAY, now=NOW)
    client, _ = mint(leaf, catalog["Ed25519"], valid_for=DAY, now=NOW, role=Role.CLIENT)
    text = pem.armour("SERVER DELEGATED CREDENTIAL", server.encode())
    text += pem.armour("CLIENT DELEGATED CREDENTIAL", client.encode())
    Path("two.pem").write_bytes(text)
    status, _, err = ask("verify", "two.pem", "--leaf", "leaf.pem")
    assert status == 1
    assert "one credential wanted, it holds 2 (--role chooses)" in err
    assert ask("verify", "two.pem", "--leaf", "leaf.pem", "--role", "client")[0] == 0
    out = ask("inspect", "two.pem", "--leaf", "leaf.pem")[1]
    assert "ACCEPTED as server credential" in out
    assert "ACCEPTED as client credential" in out


def test_a_file_that_holds_everything(leaf, catalog, minted):
    """A format may hold credential, key and certificates in one file; PEM beside them counts once."""
    dc, key = minted
    text = pem.armour("DELEGATED CREDENTIAL", dc.encode()) + pem.armour("PRIVATE KEY", key.pkcs8())
    text += pem.armour("CERTIFICATE", leaf.certificate.der) * 2 + pem.armour("PUBLIC KEY", key.public.spki) * 2
    found = inspect([contents_of(text, "all.pem")], catalog=catalog, now=NOW)
    assert found.credentials[0].verdict == "accepted"
    assert [len(part) for part in (found.credentials, found.certificates, found.private_keys, found.public_keys)] == [
        *(1, 1, 1, 1)
    ]
    assert set(found.private_keys[0].belongs_to) == {"the credential in all.pem"}


def test_a_format_may_hold_leaf_and_key_too(leaf, catalog, minted, monkeypatch):
    dc, key = minted

    class Everything:
        def read(self, data):
            return (
                Bundle(dc=dc.encode(), private_key=key.pkcs8(), certificates=(leaf.certificate.der,), role=Role.SERVER),
                Bundle(certificates=(leaf.certificate.der,)),
            )

    monkeypatch.setattr("pqdc.credential.inspect.contents.format_names", lambda: ("everything",))
    monkeypatch.setattr("pqdc.credential.inspect.contents.load_format", lambda name: Everything())
    found = inspect([contents_of(b"any", "file")], catalog=catalog, now=NOW)
    assert [one.verdict for one in found.credentials] == ["accepted"]
    assert [one.belongs_to for one in found.private_keys] == [("the credential in file",)]
    assert len(found.certificates) == 1


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8])
def test_a_label_makes_a_credential_of_a_few_bytes(size, minted, catalog):
    text = pem.armour("DELEGATED CREDENTIAL", minted[0].encode()[:size])
    found = inspect([contents_of(text, "dc")], catalog=catalog, now=NOW)
    assert "BROKEN" in text_of(found)
    assert found.credentials[0].report.size == size


def test_broken_pem_is_named():
    text = pem.armour("DELEGATED CREDENTIAL", b"x" * 99)
    with pytest.raises(FileError, match=r"all\.pem: PEM: "):
        contents_of(text.replace(b"END DELEGATED", b"END OTHER"), "all.pem")


def test_labels_of_blocks_that_say_nothing_by_themselves(catalog):
    text = pem.armour("PRIVATE KEY", b"no key") + pem.armour("CERTIFICATE", b"no certificate")
    found = inspect([contents_of(text, "what")], catalog=catalog, now=NOW)
    assert found.private_keys[0].report.envelope == "unknown"
    assert found.private_keys[0].report.error
    assert found.certificates[0].report.error
    assert not found.is_whole
    assert "BROKEN" in text_of(found)


def test_what_nothing_here_computes_is_not_judged_but_never_accepted(leaf, forge, catalog, monkeypatch):
    dc = forge(leaf.certificate, scheme="Ed25519")

    def nothing(*_):
        raise BackendUnavailable("no library", hint="install one")

    monkeypatch.setattr("pqdc.credential.inspect.pairing.leaf_for", lambda dc, found, role: found[0])
    fresh = leaf.certificate.der
    monkeypatch.setattr("pqdc.scheme.backends.choose", nothing)
    found = inspect([contents_of(dc.encode(), "dc"), contents_of(fresh, "leaf")], catalog=catalog, now=NOW)
    assert found.credentials[0].verdict == "not judged"
    assert "NOT JUDGED as server credential under leaf" in text_of(found)
    assert "not checked, as no library" in text_of(found)
    assert "--leaf" not in text_of(found)


def test_of_leaves_that_did_not_sign_the_first_that_may_delegate_is_taken(leaf, make_certificate, forge):
    dc = forge(leaf.certificate)
    others = [make_certificate(extensions=[]), make_certificate(), make_certificate(serial=b"\x02")]
    assert leaf_for(dc, others, Role.SERVER) is others[1]
    assert leaf_for(dc, others[:1] * 2, Role.SERVER) is others[0]
    assert leaf_for(dc, [*others, leaf.certificate], Role.SERVER) is leaf.certificate


def test_certificates_that_cannot_be_read_are_passed_over(leaf, catalog, minted):
    assert read_leaf_for(minted[0], [b"none", leaf.certificate.der], catalog, Role.SERVER).der == leaf.certificate.der
    with pytest.raises(refusals.LeafMalformed):
        read_leaf_for(minted[0], [b"none", b"neither"], catalog, Role.SERVER)


# --- Small things


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3601, "1 h"),
        (86399, "23 h 59 min"),
        (-90061, "1 d 1 h"),
        (600, "10 min"),
    ],
)
def test_durations(seconds, expected):
    assert say_duration(seconds, units=2) == expected


def test_moments_in_utc_and_here():
    assert say_moment(0, UTC) == "1970-01-01 00:00:00 UTC"
    assert say_moment(0, timezone(timedelta(hours=5, minutes=30), "IST")) == (
        "1970-01-01 00:00:00 UTC = 1970-01-01 05:30:00 IST"
    )
    assert say_moment(10**15, UTC) == "1,000,000,000,000,000 s after 1970"
    assert say_moment(-(10**15), None).endswith("after 1970")


def test_lines_are_never_broken(folder, ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    out = ask("inspect", "dc.bin", "--leaf", "leaf.pem")[1]
    assert max(map(len, out.splitlines())) > 80


def test_kinds_by_shape(catalog, keys, leaf):
    assert kind_of(leaf.certificate.der) == "certificate"
    assert kind_of(keys(catalog["Ed25519"]).pkcs8()) == "PKCS#8"
    assert kind_of(keys(catalog["Ed25519"]).public.spki) == "public key"
    assert kind_of(b"") == kind_of(b"\x04\0") == kind_of(b"\x30\0") == ""


def test_contents_need_something():
    with pytest.raises(FileError, match="nothing: no delegated credential"):
        contents_of(b"nothing to see", "nothing")


def test_third_party_credentials(shared, catalog):
    """Fizz's, by what its README says of them: a CA as a leaf, judged at its time and today."""
    folder = shared / "vectors" / "fizz"
    files = [
        contents_of(folder.joinpath(name).read_bytes(), name)
        for name in ("TestData.kDelegatedCred.bin", "TestData.kDelegationUsageCert.pem")
    ]
    found = inspect(files, catalog=catalog, now=NOW.replace(year=2019, month=6, day=10))
    assert found.credentials[0].verdict == "accepted"
    assert {type(one).__name__ for one in inspect(files, catalog=catalog, now=NOW).credentials[0].refusals} == {
        "LeafExpired",
        "Expired",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(folder, ask):
    Path("dc.bin").chmod(0)
    status, _, err = ask("inspect", "dc.bin")
    assert (status, err) == (1, "pqdc: dc.bin: permission denied\n")
