"""Leaf certificates: odd ones are read and named, whatever a library would say; and the ones that pqdc makes."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pqdc import pem
from pqdc.credential import refusals
from pqdc.credential.authority import make_authority
from pqdc.credential.certificate import Certificate, say_time
from pqdc.credential.delegation import LEAF_CHECKS, check_leaf
from pqdc.credential.leaf import Leaf, read_certificates
from pqdc.errors import BackendUnavailable, DecodeError, FileError, KeyFormatError, Refusal
from pqdc.scheme import backends, spki
from pqdc.scheme.backends import load_backend
from pqdc.scheme.catalog import load_catalog
from tests.conftest import (
    DELEGATION_USAGE,
    DIGITAL_SIGNATURE,
    LEAF_SCHEMES,
    NOW,
    certificate_der,
    der,
    extension,
    oid,
)

USAGE = "1.3.6.1.4.1.44363.44"


# --- Reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEAF_SCHEMES)
def test_a_leaf_is_read_as_cryptography_reads_it(name, leaves):
    """Two readers, one certificate."""
    leaf = leaves[name].certificate
    other = x509.load_der_x509_certificate(leaf.der)
    assert leaf.not_before == other.not_valid_before_utc.timestamp()
    assert leaf.not_after == other.not_valid_after_utc.timestamp()
    assert leaf.serial_number == other.serial_number
    assert [(it.oid, it.critical) for it in leaf.extensions] == [
        (it.oid.dotted_string, it.critical) for it in other.extensions
    ]
    assert leaf.spki == other.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert leaf.oddities == ()
    assert leaf.digital_signature is True
    assert leaf.schemes[0].name == name
    check_leaf(leaf)


def test_a_certificate_cut_at_each_byte_or_extended_is_refused(leaf, catalog):
    whole = leaf.certificate.der
    for wrong in (*(whole[:end] for end in range(len(whole))), whole + b"\0"):
        with pytest.raises(DecodeError, match=r"^certificate: "):
            Certificate.decode(wrong, catalog)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"serial": b"\0"}, ("the serial number is not positive",)),
        ({"serial": b"\xff\x01"}, ("the serial number is not positive",)),
        ({"serial": b"\0\1"}, ("the serial number is no INTEGER in DER",)),
        ({"version": b""}, ("version 1, but certificates with extensions are version 3",)),
        ({"version": b"\xa0\3\2\1\1"}, ("version 2, but certificates with extensions are version 3",)),
        (
            {"extensions": [extension("1.2.3", b"\5\0")] * 3},
            ("the extension 1.2.3 stands in it 3 times",),
        ),
        (
            {"extensions": [DELEGATION_USAGE, DIGITAL_SIGNATURE] * 2},
            (f"the extension {USAGE} stands in it 2 times", "the extension 2.5.29.15 stands in it 2 times"),
        ),
        (
            {"not_before": der(0x18, b"20260101000000Z"), "not_after": der(0x18, b"20490101000000Z")},
            (
                "notBefore is a GeneralizedTime for a year that UTCTime has",
                "notAfter is a GeneralizedTime for a year that UTCTime has",
            ),
        ),
    ],
)
def test_what_rfc_5280_forbids_is_a_finding_and_no_exception(odd, said, make_certificate):
    leaf = make_certificate(**odd)
    assert leaf.oddities == said
    with pytest.raises(refusals.LeafMalformed) as caught:
        check_leaf(leaf)
    assert caught.value.got == "; ".join(said)


def test_a_negative_serial_number_keeps_its_sign(make_certificate):
    assert make_certificate(serial=b"\xff\x01").serial_number == -255
    assert make_certificate(serial=b"\0\x80").serial_number == 128


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (der(0x17, b"500101000000Z"), datetime(1950, 1, 1, tzinfo=UTC)),
        (der(0x17, b"491231235959Z"), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (der(0x17, b"700101000000Z"), datetime(1970, 1, 1, tzinfo=UTC)),
        (der(0x17, b"240229120000Z"), datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (der(0x18, b"20500101000000Z"), datetime(2050, 1, 1, tzinfo=UTC)),
        (der(0x18, b"18500101000000Z"), datetime(1850, 1, 1, tzinfo=UTC)),
        (der(0x18, b"00010101000000Z"), datetime(1, 1, 1, tzinfo=UTC)),
        (der(0x18, b"99991231235959Z"), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_of_any_year_are_seconds(written, expected, make_certificate):
    leaf = make_certificate(not_before=written, not_after=written)
    assert leaf.not_before == leaf.not_after == int((expected - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    assert leaf.oddities == ()


@pytest.mark.parametrize(
    "written",
    [
        der(0x17, b""),
        der(0x17, b"2601010000Z"),
        der(0x17, b"260101000000"),
        der(0x17, b"260101000000+0100"),
        der(0x17, b"261301000000Z"),
        der(0x17, b"260230000000Z"),
        der(0x17, b"260101240000Z"),
        der(0x17, b"260101000060Z"),
        der(0x17, b"20260101000000Z"),
        der(0x18, b"20500101000000.5Z"),
        der(0x18, b"00000101000000Z"),
        der(0x18, b"260101000000Z"),
        der(0x17, "26010100000٣Z".encode()),
        der(0x0C, b"260101000000Z"),
        b"\5\0",
    ],
    ids=lambda written: repr(written[2:]),
)
@pytest.mark.parametrize("which", ["not_before", "not_after"])
def test_what_is_no_time_is_refused_by_name(written, which, make_certificate):
    name = {"not_before": "notBefore", "not_after": "notAfter"}[which]
    with pytest.raises(DecodeError, match=rf"^certificate: {name} is no time"):
        make_certificate(**{which: written})


def test_unique_ids_are_passed_over(make_certificate):
    assert make_certificate(after_key=der(0x81, b"\0\1") + der(0x82, b"\0\2")).oddities == ()


def test_a_certificate_without_extensions_may_not_delegate(make_certificate):
    leaf = make_certificate(extensions=())
    assert leaf.extensions == ()
    assert leaf.digital_signature is None
    with pytest.raises(refusals.DelegationUsageMissing) as caught:
        check_leaf(leaf)
    assert "pqdc leaf" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x03\x02\x07\x80", True),
        (b"\x03\x02\x05\xa0", True),
        (b"\x03\x03\x07\x80\x80", True),
        (b"\x03\x02\x03\x08", False),
        (b"\x03\x01\x00", False),
        (b"\x03\x02\x07\x80\x00", None),
        (b"\x04\x01\x80", None),
        (b"", None),
    ],
)
def test_digital_signature_is_the_first_bit_of_key_usage(value, expected, make_certificate):
    usage = extension("2.5.29.15", value, critical=True)
    assert make_certificate(extensions=(usage, DELEGATION_USAGE)).digital_signature is expected


def test_leaf_checks_are_those_that_minting_makes(make_certificate):
    leaf = make_certificate(extensions=())
    for check in LEAF_CHECKS:
        try:
            reason = check.check(leaf)
        except Refusal as refusal:
            reason = type(refusal).__name__ if isinstance(refusal, check.refusals) else "undeclared"
        assert reason in {None, "DelegationUsageMissing", "KeyUsageMissing", "the leaf has no DelegationUsage"}


# --- Its key --------------------------------------------------------------------------------------------------------


def test_a_key_is_loaded_once_for_each_code_point(leaves, catalog):
    rsa = leaves["RSA-2048"].certificate
    assert {scheme.name for scheme in rsa.schemes} == {"RSA-2048", "RSA-2048-SHA384", "RSA-2048-SHA512"}
    found = [rsa.key_for(point) for point in (0x0804, 0x0805, 0x0806)]
    assert [key.scheme.code_point for key in found] == [0x0804, 0x0805, 0x0806]
    assert rsa.key_for(0x0804) is found[0]
    assert rsa.key_for(0x0403) is None
    assert rsa.is_of(found[0].raw)
    assert not rsa.is_of(found[0].raw[:-1])


def test_a_key_of_no_scheme_is_none(catalog):
    other = ec.generate_private_key(ec.SECP256K1()).public_key()
    written = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = Certificate.decode(certificate_der(written), catalog)
    assert leaf.schemes == ()
    assert leaf.key_for(0x0403) is None
    assert not leaf.is_of(other.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    with pytest.raises(KeyFormatError, match="the leaf's key is of no scheme in the catalog"):
        Leaf(leaf, bytes)


def test_a_key_that_is_no_spki_is_none(catalog):
    leaf = Certificate.decode(certificate_der(b"\x30\0"), catalog)
    assert leaf.schemes == ()
    assert not leaf.is_of(b"")


def test_a_leaf_with_a_point_that_is_not_on_its_curve_signs_nothing(catalog, forge, leaf):
    spki_der = der(0x30, der(0x30, oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), der(0x03, b"\0\4", bytes(64)))
    odd = Certificate.decode(certificate_der(spki_der), catalog)
    assert [scheme.name for scheme in odd.schemes] == ["ECDSA-P256"]
    assert odd.key_for(0x0403) is None


def test_a_key_that_nothing_computes_is_told(catalog):
    scheme = next(scheme for scheme in catalog.values() if scheme.oid and not backends.available(scheme))
    leaf = Certificate.decode(certificate_der(spki.encode(scheme, bytes(scheme.public_key_bytes))), catalog)
    with pytest.raises(BackendUnavailable):
        leaf.key_for(scheme.code_point)


def test_the_catalog_that_a_certificate_was_read_by_knows_its_key(tmp_path, keys, catalog):
    """An overlay that moves a code point moves it for the leaf's key too."""
    overlay = tmp_path / "mine.toml"
    overlay.write_text("[scheme.ECDSA-P256]\ncode_point = 0xfe00\n")
    written = certificate_der(keys(catalog["P-256"]).public.spki)
    assert Certificate.decode(written, load_catalog(overlay)).key_for(0xFE00) is not None
    assert Certificate.decode(written, catalog).key_for(0xFE00) is None


# --- Making them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*LEAF_SCHEMES, "ML-DSA-65"])
def test_a_ca_of_each_kind_issues_a_leaf(name, catalog, keys, now):
    authority = make_authority(keys(catalog[name]), name="a CA", days=10, now=now)
    leaf = authority.issue(keys(catalog["P-384"]), hosts=["example.org"], days=3, now=now, catalog=catalog)
    ca, certificate = (x509.load_der_x509_certificate(data) for data in (authority.der, leaf.der))
    ca.verify_directly_issued_by(ca)
    certificate.verify_directly_issued_by(ca)
    assert ca.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value.ca
    assert ca.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).value.key_cert_sign
    identifier = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value
    own = ca.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
    assert identifier.key_identifier == own.digest


def test_a_leaf_has_what_a_tls_peer_asks_for(authority, catalog, keys, now):
    hosts = ["example.org", "*.example.org", "192.0.2.1", "2001:db8::1", "localhost", "_under.score"]
    leaf = authority.issue(keys(catalog["P-256"]), hosts=hosts, days=90, now=now, catalog=catalog)
    found = x509.load_der_x509_certificate(leaf.der)
    names = found.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert names.get_values_for_type(x509.DNSName) == ["example.org", "*.example.org", "localhost", "_under.score"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(host) for host in hosts[2:4]]
    uses = found.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    assert set(uses) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not found.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value.ca
    usage = [it for it in leaf.extensions if it.oid == USAGE]
    assert [(it.critical, it.value) for it in usage] == [(False, b"\5\0")]
    assert found.not_valid_before_utc == now - timedelta(hours=1)
    assert found.not_valid_after_utc == now + timedelta(days=90)


def test_a_leaf_does_not_outlive_its_ca(catalog, keys, now):
    authority = make_authority(keys(catalog["P-256"]), name="a CA", days=2, now=now)
    leaf = authority.issue(keys(catalog["P-256"]), hosts=["localhost"], days=90, now=now, catalog=catalog)
    assert leaf.not_after == (now + timedelta(days=2)).timestamp()


def test_a_leaf_may_be_made_that_does_not_delegate(authority, catalog, keys, now):
    key = keys(catalog["P-256"])
    leaf = authority.issue(key, hosts=["localhost"], days=1, now=now, catalog=catalog, delegation=False)
    with pytest.raises(refusals.DelegationUsageMissing):
        Leaf(leaf, key.sign)


@pytest.mark.parametrize("host", ["", "a b", "-a", "a-", "a..b", "https://a", "a/b", "ä.de", "*", "*.*.a", "a" * 64])
def test_what_is_no_host_is_refused(host, authority, catalog, keys, now):
    with pytest.raises(KeyFormatError, match="a host name or an IP address wanted"):
        authority.issue(keys(catalog["P-256"]), hosts=[host], days=1, now=now, catalog=catalog)


def test_a_long_name_is_cut_in_the_subject_and_whole_in_the_names(authority, catalog, keys, now):
    host = ".".join(["a" * 50] * 4)
    leaf = authority.issue(keys(catalog["P-256"]), hosts=[host], days=1, now=now, catalog=catalog)
    found = x509.load_der_x509_certificate(leaf.der)
    names = found.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert names.get_values_for_type(x509.DNSName) == [host]
    assert len(found.subject.rfc4514_string()) <= len("CN=") + 64


def test_an_rsassa_pss_key_is_not_silently_made_another(authority, catalog, keys, now):
    """cryptography writes rsaEncryption for it; such a leaf would not be the one that was asked for."""
    with pytest.raises(KeyFormatError, match="another key type than RSA-PSS-2048 into the certificate") as caught:
        authority.issue(keys(catalog["RSA-PSS-2048"]), hosts=["a"], days=1, now=now, catalog=catalog)
    assert "RSA-2048" in caught.value.hint


def test_a_key_that_no_library_signs_certificates_with_makes_no_ca(catalog, liboqs, now):
    key = liboqs.generate(catalog["Falcon-512"])
    with pytest.raises(KeyFormatError, match="no library here writes certificates with Falcon-512 keys"):
        make_authority(key, name="a CA", days=1, now=now)


def test_a_key_that_no_library_writes_into_certificates_makes_no_leaf(authority, catalog, liboqs, now):
    key = liboqs.generate(catalog["Falcon-512"])
    with pytest.raises(KeyFormatError):
        authority.issue(key, hosts=["a"], days=1, now=now, catalog=catalog)


# --- Files ----------------------------------------------------------------------------------------------------------


def test_a_leaf_is_loaded_from_pem_or_der(tmp_path, leaves, keys, catalog):
    for name, leaf in leaves.items():
        key = keys(catalog[name])
        for certificate, private in (
            (pem.armour("CERTIFICATE", leaf.certificate.der), pem.armour("PRIVATE KEY", key.pkcs8())),
            (leaf.certificate.der, key.pkcs8()),
        ):
            (tmp_path / "leaf").write_bytes(certificate)
            (tmp_path / "key").write_bytes(private)
            loaded = Leaf.load(tmp_path / "leaf", str(tmp_path / "key"))
            assert loaded.certificate.der == leaf.certificate.der
            assert loaded.scheme.name == name
            loaded.certificate.key_for(loaded.scheme.code_point).verify(loaded.signer(b"m"), b"m")


def test_of_a_bundle_in_any_order_the_leaf_is_the_one_that_fits_the_key(tmp_path, leaves, authority, keys, catalog):
    chain = [leaves[name].certificate.der for name in ("Ed25519", "ECDSA-P384")]
    for order in (chain, chain[::-1]):
        (tmp_path / "chain.pem").write_bytes(b"".join(pem.armour("CERTIFICATE", data) for data in order))
        (tmp_path / "key.pem").write_bytes(pem.armour("PRIVATE KEY", keys(catalog["P-384"]).pkcs8()))
        loaded = Leaf.load(tmp_path / "chain.pem", tmp_path / "key.pem", catalog=catalog)
        assert loaded.scheme.name == "ECDSA-P384"
        assert [it.der for it in read_certificates(tmp_path / "chain.pem", catalog)] == order


def test_a_key_that_does_not_belong_to_the_leaf_is_refused(tmp_path, leaf, catalog):
    (tmp_path / "leaf.pem").write_bytes(pem.armour("CERTIFICATE", leaf.certificate.der))
    other = load_backend("openssl").generate(catalog["P-256"])
    (tmp_path / "other.key").write_bytes(pem.armour("PRIVATE KEY", other.pkcs8()))
    with pytest.raises(KeyFormatError, match=r"other.key: this key does not belong to the certificate in .*leaf.pem$"):
        Leaf.load(tmp_path / "leaf.pem", tmp_path / "other.key", catalog=catalog)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not PEM", "no certificate, neither PEM nor DER"),
        (pem.armour("PRIVATE KEY", b"\5\0"), "no certificate in it, but PRIVATE KEY"),
        (pem.armour("CERTIFICATE", b"\5\0"), "no certificate, neither PEM nor DER"),
        (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "the block CERTIFICATE is not base64"),
    ],
)
def test_a_file_without_a_certificate_is_named(tmp_path, catalog, data, message):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(FileError, match=message) as caught:
        read_certificates(tmp_path / "file", catalog)
    assert str(caught.value).startswith(str(tmp_path / "file"))


def test_a_signer_of_another_scheme_than_the_leaf_s_key_is_refused(leaf, catalog):
    with pytest.raises(KeyFormatError, match="the leaf's key is not one of Ed25519"):
        Leaf(leaf.certificate, leaf.signer, scheme=catalog["Ed25519"])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (int(NOW.timestamp()), "2026-11-25T12:00:00Z"),
        (-3786825600, "1850-01-01T00:00:00Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
        (253402300800, "253402300800 s after 1970"),
        (2**62, "4611686018427387904 s after 1970"),
    ],
)
def test_times_are_said_in_utc_or_as_a_number(seconds, said):
    assert say_time(seconds) == said


def test_a_ca_has_a_name(catalog, keys, now):
    with pytest.raises(KeyFormatError, match="a name for the CA wanted, got an empty one"):
        make_authority(keys(catalog["P-256"]), name="", days=1, now=now)
