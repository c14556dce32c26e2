"""What the linter of `pqdc inspect` names in leaves and public keys, and that it leaves alone what is fine."""

import json

import pytest

from pqdc import pem
from pqdc.credential.inspect import inspect
from pqdc.credential.inspect.certificate import report_certificate
from pqdc.credential.inspect.contents import contents_of
from pqdc.credential.inspect.der import BrokenDer, parse
from pqdc.credential.inspect.facts import facts_of
from pqdc.credential.inspect.names import say_name
from pqdc.credential.inspect.public_key import report_public_key
from pqdc.credential.inspect.text import lines_of
from tests.conftest import DELEGATION_USAGE, DIGITAL_SIGNATURE, NOW, certificate_der, der, extension, oid


def said(findings):
    return [f"{finding.where}: {finding.what}" for finding in findings]


def text_of(inspection):
    return "\n".join(line.text for line in lines_of(inspection))


# --- Oddities of leaves: each is named, and a leaf without fault has none


def time(tag, text):
    return der(tag, text.encode())


ODD_LEAVES = {
    "no seconds": ({"not_before": time(0x17, "2611251100Z")}, "notBefore: no seconds"),
    "an offset": ({"not_before": time(0x17, "261125110000+0100")}, "notBefore: an offset where Z should be"),
    "no time zone": ({"not_after": time(0x17, "271125110000")}, "notAfter: no time zone where Z should be"),
    "fractions": ({"not_after": time(0x18, "20501125110000.5Z")}, "notAfter: fractions of a second"),
    "no minutes": ({"not_after": time(0x18, "2050112511Z")}, "notAfter: no minutes"),
    "a GeneralizedTime too early": (
        {"not_before": time(0x18, "20261125110000Z")},
        "notBefore: a GeneralizedTime for a year that UTCTime has",
    ),
    "a 13th month": ({"not_before": time(0x17, "261325110000Z")}, "notBefore: no time of the calendar: month must"),
    "no time": ({"not_before": der(0x04, b"now")}, "notBefore: neither UTCTime nor GeneralizedTime"),
    "nonsense": ({"not_before": time(0x17, "yesterday")}, "notBefore: no time: 'yesterday'"),
    "an end before the beginning": ({"not_after": time(0x17, "200101000000Z")}, "validity: it ends before it begins"),
    "a negative serial": ({"serial": b"\xff"}, "serialNumber: negative"),
    "a serial of zero": ({"serial": b"\0"}, "serialNumber: zero"),
    "a long serial": ({"serial": b"\x01" + bytes(20)}, "serialNumber: 21 bytes, where 20 are the most"),
    "a padded serial": ({"serial": b"\0\x01"}, "byte 11: an INTEGER with more leading bytes than it needs"),
    "no serial": ({"serial": b""}, "byte 11: an INTEGER without content"),
    "version 1": ({"version": b""}, "version: 1, but certificates with extensions are version 3"),
    "an extension twice": (
        {"extensions": [DIGITAL_SIGNATURE, DELEGATION_USAGE, DELEGATION_USAGE]},
        "extensions: delegationUsage stands there 2 times",
    ),
    "FALSE written out": (
        {
            "extensions": [
                DIGITAL_SIGNATURE,
                der(0x30, oid("1.3.6.1.4.1.44363.44"), der(0x01, b"\0"), der(0x04, b"\x05\0")),
            ]
        },
        "delegationUsage: critical FALSE is written out",
    ),
    "another TRUE": (
        {"extensions": [der(0x30, oid("2.5.29.15"), der(0x01, b"\x01"), der(0x04, b"\x03\x02\x07\x80"))]},
        ": TRUE written as 01, not ff",
    ),
    "KeyUsage with zeros": (
        {"extensions": [extension("2.5.29.15", b"\x03\x02\x00\x80"), DELEGATION_USAGE]},
        "keyUsage: trailing zero bits that belong cut off",
    ),
    "KeyUsage without bits": (
        {"extensions": [extension("2.5.29.15", b"\x03\x02\x07\x00"), DELEGATION_USAGE]},
        "keyUsage: no bit is set",
    ),
    "a value that is no DER": (
        {"extensions": [DIGITAL_SIGNATURE, extension("1.3.6.1.4.1.44363.44", b"")]},
        "delegationUsage: its value is no DER",
    ),
    "bytes after a value": (
        {"extensions": [DIGITAL_SIGNATURE, extension("1.3.6.1.4.1.44363.44", b"\x05\0\0")]},
        "1 byte left over after the end of the value of delegationUsage",
    ),
    "a unique identifier": ({"after_key": der(0x81, b"\0\x01")}, "tbsCertificate: a unique identifier"),
    "a field that is none": ({"after_key": der(0x85, b"\0\x01")}, "tbsCertificate: a field of tag 0x85"),
    "something that is no extension": ({"extensions": [der(0x30)]}, "no extension: an OID"),
}


@pytest.mark.parametrize("name", ODD_LEAVES)
def test_an_odd_leaf_is_named_and_shown(name, catalog, keys):
    odd, expected = ODD_LEAVES[name]
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki, **odd)
    report = report_certificate(data, catalog)
    assert any(expected in finding for finding in said(report.findings)), said(report.findings)
    assert report.error == ""
    assert report.subject == "CN=test"
    assert report.public_key.schemes == ("ECDSA-P256",)
    assert all(finding.section for finding in report.findings)
    found = inspect([contents_of(pem.armour("CERTIFICATE", data), "odd.pem")], catalog=catalog, now=NOW)
    assert any(line.text.startswith("  ODD ") and expected in line.text for line in lines_of(found))
    listed = facts_of(found)["certificates"][0]["findings"]
    assert any(expected in f"{finding['where']}: {finding['what']}" for finding in listed)
    assert found.is_whole


def with_header(data, header):
    """A certificate of 128 to 255 bytes behind another header than `30 81 NN`."""
    assert data[:2] == b"\x30\x81"
    return header + data[3:]


def test_lengths_that_are_no_der(catalog, keys):
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki)
    size = len(data) - 3
    cases = {
        b"\x30\x82\0" + bytes([size]): (b"", "byte 1: a length in more bytes than it needs"),
        b"\x30\x80": (b"\0\0", "byte 0: an indefinite length"),
        b"\x30\x81" + bytes([size]): (b"xy", f"byte {len(data)}: 2 bytes left over after the end of the certificate"),
    }
    for header, (after, expected) in cases.items():
        report = report_certificate(with_header(data, header) + after, catalog)
        assert said(report.findings) == [expected]
        assert report.subject == "CN=test"


def test_leaves_that_are_fine_have_no_findings(leaves, authority, catalog, keys, now):
    fine = [leaf.certificate.der for leaf in leaves.values()]
    fine += [authority.der, certificate_der(keys(catalog["ML-DSA-44"]).public.spki)]
    fine.append(authority.issue(keys(catalog["Ed448"]), hosts=["a.b", "::1"], days=1, now=now, catalog=catalog).der)
    for data in fine:
        report = report_certificate(data, catalog)
        assert (report.findings, report.error) == ((), "")


@pytest.mark.parametrize("step", [1, 0x80])
def test_no_certificate_is_too_broken_to_look_at(step, leaf, catalog):
    """Cut, or with a byte changed: a report, never an exception."""
    data = leaf.certificate.der
    for position in range(0, len(data), 4):
        changed = bytearray(data)
        changed[position] = (changed[position] + step) % 256
        found = inspect(
            [contents_of(pem.armour("CERTIFICATE", bytes(one)), "leaf") for one in (changed, data[:position])],
            catalog=catalog,
            now=NOW,
        )
        assert text_of(found)
        json.dumps(facts_of(found))


def test_depth_and_number_of_elements_are_bounded(catalog):
    deep = b""
    for _ in range(200):
        deep = der(0x30, deep)
    many = der(0x30, der(0x05) * 30_000)
    for data in (deep, many, b"\x30\x80" * 5000):
        assert report_certificate(data, catalog).error


def test_names_of_every_kind(catalog, keys):
    names = [
        der(0x81, b"a@example.org"),
        der(0x82, b"example.org"),
        der(0x86, b"https://example.org/"),
        der(0x87, bytes([192, 0, 2, 1])),
        der(0x87, bytes(15) + b"\x01"),
        der(0x87, b"\x01"),
        der(0xA4, der(0x30, der(0x31, der(0x30, oid("2.5.4.6"), der(0x13, b"SE"))))),
        der(0xA4),
        der(0x88, b"\x2a\x03"),
    ]
    extensions = [DIGITAL_SIGNATURE, DELEGATION_USAGE, extension("2.5.29.17", der(0x30, *names))]
    extensions += [extension("2.5.29.37", der(0x30, oid("1.3.6.1.5.5.7.3.1"), oid("1.2.3.4")))]
    extensions += [extension("1.2.3.4.5", der(0x04, bytes(40)))]
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki, extensions=extensions)
    report = report_certificate(data, catalog)
    assert report.findings == ()
    assert report.names == (
        "email:a@example.org",
        "DNS:example.org",
        "URI:https://example.org/",
        "IP:192.0.2.1",
        "IP:::1",
        "tag 0x87:01",
        "name:C=SE",
        "tag 0xa4:",
        "tag 0x88:2a03",
    )
    values = {extension.name: extension.value for extension in report.extensions}
    assert values["extendedKeyUsage"] == "serverAuth, 1.2.3.4"
    assert values["1.2.3.4.5"] == "0428" + bytes(18).hex() + "..."


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        (der(0x30, oid("2.5.4.3"), der(0x1E, "Å".encode("utf-16-be"))), "CN=Å"),
        (der(0x30, oid("2.5.4.3"), der(0x14, b"\xe5")), "CN=å"),
        (der(0x30, oid("2.5.4.3"), der(0x0C, b"\xff")), "CN=\\xff"),
        (der(0x30, oid("2.5.4.3"), der(0x02, b"\x05")), "CN=05"),
        (der(0x30, oid("2.5.4.3")), "CN=?"),
        (der(0x30), "?=?"),
        (der(0x30, oid("1.2.3.4"), der(0x0C, b"x")), "1.2.3.4=x"),
        (der(0x30, der(0x06, b"\x7f"), der(0x0C, b"x")), "2.47=x"),
        (der(0x30, der(0x06, b""), der(0x0C, b"x")), "(empty)=x"),
    ],
)
def test_distinguished_names_of_every_kind(attribute, expected):
    name = der(0x30, der(0x31, attribute))
    assert say_name(parse(name, [], what="name")) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (der(0x01, b""), "byte 0: a BOOLEAN of 0 bytes"),
        (der(0x05, b"\0"), "byte 0: a NULL with content"),
        (der(0x06, b"\x2a\x80"), "byte 0: an OBJECT IDENTIFIER that ends within an arc"),
        (der(0x06, b"\x2a\x80\x01"), "byte 0: an arc of an OBJECT IDENTIFIER with leading zeros"),
        (der(0x24, der(0x04, b"a")), "byte 0: a string in pieces (constructed)"),
        (der(0x03, b""), "byte 0: a BIT STRING without a possible count of unused bits"),
        (der(0x03, b"\x08\0"), "byte 0: a BIT STRING without a possible count of unused bits"),
        (der(0x03, b"\x01"), "byte 0: a BIT STRING without a possible count of unused bits"),
        (der(0x03, b"\x01\x01"), "byte 0: a BIT STRING whose unused bits are not zero"),
        (der(0x30, b"\x04\x05a"), "byte 2: an element of 5 bytes wanted by its length, 1 byte are left"),
        (der(0x30, b"\x04"), "byte 3: a length wanted, nothing is left"),
    ],
)
def test_what_ber_allows_and_der_does_not(data, expected):
    findings = []
    parse(data, findings, what="thing")
    assert said(findings) == [expected]


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x82\x01", b"\x1f\x80", b"\x1f", b"\x30\x80\x05\0", b"\x30\xff"])
def test_what_is_not_even_ber(data):
    with pytest.raises(BrokenDer) as caught:
        parse(data, [], what="thing", base=100)
    assert caught.value.byte >= 100


def test_tags_of_several_bytes_are_passed_over():
    findings = []
    element = parse(b"\xbf\x81\x01\x03\x02\x01\x05", findings, what="thing")
    assert (element.children[0].integer(), element.header, findings) == (5, 4, [])


@pytest.mark.parametrize(
    "data",
    [
        der(0x30, der(0x30), der(0x30), der(0x03, b"\0")),
        der(0x30, der(0x30, *[der(0x02, b"\x01")] * 3, der(0x30), *[der(0x30)] * 3), der(0x30), der(0x03, b"\0")),
        der(0x31, der(0x30), der(0x30), der(0x03, b"\0")),
    ],
)
def test_what_is_no_certificate_is_told(data, catalog):
    assert report_certificate(data, catalog).error


def test_a_signature_with_unused_bits_and_another_algorithm(catalog, keys):
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki)
    algorithm = der(0x30, oid("1.2.840.10045.4.3.2"))
    cut = len(data) - len(algorithm) - 6
    changed = data[:cut] + algorithm.replace(b"\x03\x02", b"\x03\x03") + b"\x03\x04\x01\x01\x02\x02"
    assert set(said(report_certificate(changed, catalog).findings)) == {
        "signatureValue: unused bits in the signature",
        "signature: not the same as signatureAlgorithm",
    }


def test_an_empty_subject_wants_a_critical_alternative_name(catalog, keys):
    name = der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(0x0C, b"test"))))
    for critical in (True, False):
        extensions = [DIGITAL_SIGNATURE, extension("2.5.29.17", der(0x30, der(0x82, b"a")), critical=critical)]
        data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki, extensions=extensions)
        outer = parse(data, [], what="certificate")
        fields = [child.whole for child in outer.children[0].children]
        fields[5] = der(0x30)
        changed = der(0x30, der(0x30, *fields), *(child.whole for child in outer.children[1:]))
        assert fields[3] == name
        report = report_certificate(changed, catalog)
        assert report.subject == "(empty)"
        assert said(report.findings) == (
            [] if critical else ["subject: empty, without a critical subject alternative name"]
        )


def test_an_empty_list_of_extensions(catalog, keys):
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki, extensions=[], after_key=der(0xA3, der(0x30)))
    assert "extensions: an empty list" in said(report_certificate(data, catalog).findings)
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki, extensions=[], after_key=der(0xA3))
    assert "extensions: an empty list" in said(report_certificate(data, catalog).findings)


def test_text_from_a_certificate_moves_no_cursor(catalog, keys):
    data = certificate_der(keys(catalog["ECDSA-P256"]).public.spki).replace(b"test", b"\x1b[2J")
    found = inspect([contents_of(data, "leaf")], catalog=catalog, now=NOW)
    assert "\x1b" not in text_of(found)
    assert "CN=\\x1b[2J" in text_of(found)


# --- Oddities of public keys


EC, P256, RSA = oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"), oid("1.2.840.113549.1.1.1")
NULL, POINT = der(0x05), b"\x04" + bytes(64)
MODULUS = b"\xab" * 256


def spki_of(algorithm, key, unused=0):
    return der(0x30, der(0x30, *algorithm), der(0x03, bytes([unused]), key))


def rsa_key(modulus, exponent=b"\x01\0\x01"):
    return der(0x30, der(0x02, modulus), der(0x02, exponent))


ODD_KEYS = {
    "a compressed point": (spki_of([EC, P256], b"\x02" + bytes(32)), "subjectPublicKey: a compressed point"),
    "a hybrid point": (spki_of([EC, P256], b"\x06" + bytes(64)), "subjectPublicKey: a hybrid point"),
    "the point at infinity": (spki_of([EC, P256], b"\0"), "subjectPublicKey: an infinite point"),
    "no point": (spki_of([EC, P256], b""), "subjectPublicKey: an empty point"),
    "a short point": (spki_of([EC, P256], POINT[:-1]), "a key of 64 bytes; ECDSA-P256 has 65"),
    "explicit parameters": (
        spki_of([EC, der(0x30, der(0x02, b"\x01"))], POINT),
        "algorithm: explicit curve parameters",
    ),
    "no curve": (spki_of([EC], POINT), "algorithm: no parameters, so no curve is named"),
    "NULL for a curve": (spki_of([EC, NULL], POINT), "algorithm: parameters that are no OID"),
    "unused bits": (spki_of([EC, P256], POINT, 1), "subjectPublicKey: a key whose last 1 bits are unused"),
    "bytes after it": (
        spki_of([EC, P256], POINT) + b"\0",
        "1 byte left over after the end of the SubjectPublicKeyInfo",
    ),
    "too many parts": (spki_of([EC, P256, P256], POINT), "more elements than there should be"),
    "RSA without NULL": (spki_of([RSA], rsa_key(b"\0" + MODULUS)), "parameters of rsaEncryption that are not NULL"),
    "an RSA modulus with zeros": (
        spki_of([RSA, NULL], rsa_key(b"\0\0" + MODULUS)),
        "an INTEGER with more leading bytes than it needs",
    ),
    "a negative RSA modulus": (spki_of([RSA, NULL], rsa_key(MODULUS)), "a modulus or exponent that is not positive"),
    "an even RSA modulus": (spki_of([RSA, NULL], rsa_key(b"\0" + b"\xaa" * 256)), "that is even"),
    "no RSA key": (spki_of([RSA, NULL], b"junk"), "subjectPublicKey: no RSAPublicKey"),
    "half an RSA key": (spki_of([RSA, NULL], der(0x30, der(0x02, b"\x03"))), "no RSAPublicKey of modulus and exponent"),
    "Ed25519 with NULL": (spki_of([oid("1.3.101.112"), NULL], bytes(32)), "parameters NULL, where none should be"),
    "a short Ed25519 key": (spki_of([oid("1.3.101.112")], bytes(31)), "a key of 31 bytes; Ed25519 has 32"),
    "ML-DSA with NULL": (
        spki_of([oid("2.16.840.1.101.3.4.3.17"), NULL], bytes(1312)),
        "parameters NULL, where none should be",
    ),
    "a long ML-DSA key": (
        spki_of([oid("2.16.840.1.101.3.4.3.17")], bytes(1313)),
        "a key of 1,313 bytes; ML-DSA-44 has 1,312",
    ),
}


@pytest.mark.parametrize("name", ODD_KEYS)
def test_an_odd_key_is_named_in_a_credential_and_in_a_leaf(name, catalog, leaf, forge):
    data, expected = ODD_KEYS[name]
    assert any(expected in finding for finding in said(report_public_key(data, catalog).findings))
    dc = forge(leaf.certificate, spki=data)
    found = inspect(
        [contents_of(dc.encode(), "dc")], leaf=contents_of(leaf.certificate.der, "leaf"), catalog=catalog, now=NOW
    )
    assert any(expected in finding for finding in said(found.credentials[0].report.public_key.findings))
    assert found.credentials[0].verdict == "refused"
    if not name.startswith(("bytes after", "too many")):
        report = report_certificate(certificate_der(data), catalog)
        assert any(expected in finding for finding in said(report.findings))
        assert len(said(report.findings)) == len(set(said(report.findings)))


def test_every_scheme_s_own_key_has_no_findings(catalog, keys):
    for scheme in catalog.values():
        if scheme.family in {"ECDSA", "EdDSA", "RSA", "ML-DSA"} and scheme.public_key_bytes < 2000:
            if (scheme.family == "RSA" and scheme.public_key_bytes > 300) or not scheme.oid:
                continue  # primes that take seconds; keys that stand in others alone
            report = report_public_key(keys(scheme).public.spki, catalog)
            assert report.findings == ()
            assert scheme.name in report.schemes


def test_a_key_of_no_scheme_is_shown(catalog):
    report = report_public_key(spki_of([oid("1.2.3.4")], b"key"), catalog)
    assert (report.oid, report.schemes, report.key, report.findings) == ("1.2.3.4", (), b"key", ())
    assert report_public_key(b"\x30\x03abc", catalog).error
    assert report_public_key(b"", catalog).error
