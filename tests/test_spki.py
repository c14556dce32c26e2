"""SubjectPublicKeyInfo and PKCS#8: bytes as they must be, and what is refused although a library might take it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pqdc.errors import DecodeError, KeyFormatError
from pqdc.scheme import pkcs8, spki
from pqdc.scheme.keyfile import private_keys_of
from pqdc.scheme.pkcs8 import Secret
from tests.conftest import CATALOG, der, oid

POINT = b"\x04" + bytes(range(64))
P256 = "3059301306072a8648ce3d020106082a8648ce3d030107034200" + POINT.hex()

# (scheme, raw key, SPKI): the form of each kind of AlgorithmIdentifier
WRITTEN = [
    ("ECDSA-P256", POINT, P256),
    ("Ed25519", bytes(32), "302a300506032b6570032100" + 32 * "00"),
    ("RSA-PSS-2048", bytes(270), "30820120300b06092a864886f70d01010a0382010f00" + 270 * "00"),
    ("RSA-2048", bytes(270), "30820122300d06092a864886f70d01010105000382010f00" + 270 * "00"),
    ("ML-DSA-44", bytes(1312), "30820532300b0609608648016503040311038205 2100" + 1312 * "00"),
    ("Falcon-512", bytes(897), "3082038f300706052bce0f030b0382038200" + 897 * "00"),
]
WRITTEN = [pytest.param(CATALOG[name], raw, bytes.fromhex(text), id=name) for name, raw, text in WRITTEN]


@pytest.mark.parametrize(("scheme", "raw", "written"), WRITTEN)
def test_key_to_spki_and_back(scheme, raw, written):
    assert spki.encode(scheme, raw) == written
    assert spki.raw_key(scheme, written) == raw
    assert spki.encoded_bytes(scheme) == len(written)
    assert scheme in spki.schemes_of(CATALOG, written)
    decoded = spki.decode(written)
    assert (decoded.algorithm.oid, decoded.key) == (scheme.spki_oid, raw)


@pytest.mark.parametrize(("scheme", "raw", "written"), WRITTEN[:3])
def test_an_spki_cut_or_extended_at_each_byte_is_refused(scheme, raw, written):
    for end in range(len(written)):
        with pytest.raises(DecodeError):
            spki.raw_key(scheme, written[:end])
    for place in range(len(written) + 1):
        with pytest.raises((DecodeError, KeyFormatError)):
            spki.raw_key(scheme, written[:place] + b"\0" + written[place:])


@pytest.mark.parametrize("length", [0, 64, 66])
def test_a_key_of_another_length_is_not_encoded(length):
    with pytest.raises(KeyFormatError, match=rf"^a public key of ECDSA-P256 has 65 bytes, this one has {length}$"):
        spki.encode(CATALOG["P-256"], bytes(length))


def test_a_key_of_another_length_is_not_read():
    short = der(0x30, bytes.fromhex(P256)[2:23], der(0x03, b"\0", POINT[:-1]))
    with pytest.raises(KeyFormatError, match="65 bytes, this one has 64"):
        spki.raw_key(CATALOG["P-256"], short)
    assert spki.schemes_of(CATALOG, short) == ()


NO_DER = {
    "nothing": b"",
    "no sequence": b"\x05\x00",
    "a length in more bytes than needed": bytes.fromhex("308159") + bytes.fromhex(P256)[2:],
    "an indefinite length": bytes.fromhex("3080") + bytes.fromhex(P256)[2:] + b"\0\0",
    "a third part": der(0x30, bytes.fromhex(P256)[2:], b"\x05\x00"),
    "three parts in the AlgorithmIdentifier": der(0x30, der(0x30, oid("1.2.3"), b"\x05\0\x05\0"), der(0x03, b"\0\1")),
    "no part in the AlgorithmIdentifier": der(0x30, b"\x30\x00", der(0x03, b"\0\1")),
    "no OID in the AlgorithmIdentifier": der(0x30, der(0x30, b"\x05\x00"), der(0x03, b"\0\1")),
    "an OCTET STRING for the key": der(0x30, der(0x30, oid("1.3.101.112")), der(0x04, bytes(32))),
    "bits that are unused": der(0x30, der(0x30, oid("1.3.101.112")), der(0x03, b"\4", bytes(31), b"\xf0")),
}


@pytest.mark.parametrize("data", NO_DER.values(), ids=NO_DER)
def test_no_spki_in_der(data):
    for read in (spki.decode, lambda data: spki.schemes_of(CATALOG, data)):
        with pytest.raises(DecodeError, match=r"^SubjectPublicKeyInfo: "):
            read(data)


def test_parameters_are_part_of_the_key_type():
    """The curve tells P-256 from P-384; NULL tells rsaEncryption from id-RSASSA-PSS as little as the OID does."""
    with pytest.raises(KeyFormatError, match=r"^a key of ECDSA-P384 \(1.2.840.10045.2.1 with 1.3.132.0.34\) wanted"):
        spki.raw_key(CATALOG["P-384"], bytes.fromhex(P256))
    ed25519_with_null = der(0x30, der(0x30, oid("1.3.101.112"), b"\x05\0"), der(0x03, b"\0", bytes(32)))
    with pytest.raises(KeyFormatError, match=r"this one is 1.3.101.112 with parameters 0500$"):
        spki.raw_key(CATALOG["Ed25519"], ed25519_with_null)
    rsa_without_null = der(0x30, der(0x30, oid(spki.RSA_ENCRYPTION)), der(0x03, b"\0", bytes(270)))
    with pytest.raises(KeyFormatError, match=r"this one is 1.2.840.113549.1.1.1$"):
        spki.raw_key(CATALOG["RSA-2048"], rsa_without_null)


def test_rsa_encryption_and_rsassa_pss_are_told_apart():
    plain, pss = (spki.encode(CATALOG[name], bytes(270)) for name in ("RSA-2048", "RSA-PSS-2048"))
    assert {scheme.name for scheme in spki.schemes_of(CATALOG, pss)} == {
        "RSA-PSS-2048",
        "RSA-PSS-2048-SHA384",
        "RSA-PSS-2048-SHA512",
    }
    assert {scheme.name for scheme in spki.schemes_of(CATALOG, plain)} == {
        "RSA-2048",
        "RSA-2048-SHA384",
        "RSA-2048-SHA512",
    }
    with pytest.raises(KeyFormatError):
        spki.raw_key(CATALOG["RSA-PSS-2048"], plain)


@pytest.mark.parametrize(("name", "others"), [("", ("-SHA384", "-SHA512")), ("-SHA384", ("", "-SHA512"))])
def test_rsassa_pss_parameters_bind_the_key_to_a_hash(name, others):
    scheme = CATALOG[f"RSA-PSS-2048{name}"]
    algorithm = der(0x30, oid(scheme.oid), bytes.fromhex(scheme.key_parameters_too))
    bound = der(0x30, algorithm, der(0x03, b"\0", bytes(270)))
    assert spki.raw_key(scheme, bound) == bytes(270)
    assert spki.schemes_of(CATALOG, bound) == (scheme,)
    for other in others:
        with pytest.raises(KeyFormatError, match="with parameters 3034"):
            spki.raw_key(CATALOG[f"RSA-PSS-2048{other}"], bound)


@pytest.mark.parametrize("name", [scheme.name for scheme in CATALOG.values() if scheme.key_parameters_too])
def test_the_declared_pss_parameters_are_what_the_hash_wants(name, keys):
    """OpenSSL is the second reader: a key with these parameters loads, and says its own hash."""
    scheme = CATALOG[name]
    digest = {
        "sha256": "2.16.840.1.101.3.4.2.1",
        "sha384": "2.16.840.1.101.3.4.2.2",
        "sha512": "2.16.840.1.101.3.4.2.3",
    }
    sha = scheme.tls_name.rpartition("_")[2]
    algorithm = der(0x30, oid(digest[sha]), b"\x05\x00")
    salt = int(sha.removeprefix("sha")) // 8
    expected = der(
        0x30,
        der(0xA0, algorithm),
        der(0xA1, der(0x30, oid("1.2.840.113549.1.1.8"), algorithm)),
        der(0xA2, bytes((2, 1, salt))),
    )
    assert bytes.fromhex(scheme.key_parameters_too) == expected


@given(data=st.binary(max_size=80) | st.builds(lambda cut: bytes.fromhex(P256)[:cut], st.integers(0, 91)))
@settings(max_examples=200)
def test_law_any_bytes_are_read_or_refused_by_name(data):
    try:
        decoded = spki.decode(data)
    except DecodeError:
        return
    assert decoded.key in data


# --- tlv_bytes gives back the DER that was read --------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_a_tlv_is_written_as_it_was_read(size):
    from cryptography.hazmat import asn1  # noqa: PLC0415 - beside its one use

    written = der(0x04, bytes(size))
    assert spki.tlv_bytes(asn1.decode_der(asn1.TLV, written)) == written


# --- PKCS#8 --------------------------------------------------------------------------------------------------------


def envelope(algorithm: bytes, content: bytes, *, version: bytes = b"\x02\x01\x00", rest: bytes = b"") -> bytes:
    return der(0x30, version, algorithm, der(0x04, content), rest)


ML_DSA = der(0x30, oid("2.16.840.1.101.3.4.3.17"))
FALCON = der(0x30, oid("1.3.9999.3.11"))
SEED = bytes(range(32))


def test_an_ml_dsa_key_is_written_as_its_seed():
    scheme = CATALOG["ML-DSA-44"]
    written = pkcs8.encode(scheme, Secret(seed=SEED, expanded=bytes(2560)))
    assert written.hex() == "3034020100300b0609608648016503040311042280 20".replace(" ", "") + SEED.hex()
    assert pkcs8.secret_of(scheme, pkcs8.decode(written)).seed == SEED


def test_the_three_forms_of_rfc_9881_are_read():
    scheme, expanded = CATALOG["ML-DSA-44"], bytes(2560)
    forms = {
        der(0x80, SEED): Secret(seed=SEED),
        der(0x04, expanded): Secret(expanded=expanded),
        der(0x30, der(0x04, SEED), der(0x04, expanded)): Secret(seed=SEED, expanded=expanded),
    }
    for content, secret in forms.items():
        assert pkcs8.secret_of(scheme, pkcs8.decode(envelope(ML_DSA, content))) == secret
    assert pkcs8.encode(scheme, Secret(expanded=expanded)) == envelope(ML_DSA, der(0x04, expanded))


BROKEN_CONTENTS = {
    "nothing": (b"", "seed, expanded key or both wanted"),
    "another tag": (der(0x02, b"\1"), "seed, expanded key or both wanted"),
    "bytes after it": (der(0x80, SEED) + b"\0", "seed, expanded key or both wanted"),
    "a short seed": (der(0x80, SEED[:-1]), "a seed of 32 bytes wanted, this has 31"),
    "a long seed": (der(0x80, SEED + b"\0"), "a seed of 32 bytes wanted, this has 33"),
    "a short expanded key": (der(0x04, bytes(2559)), "2560 bytes wanted, this has 2559"),
    "a seed of both that is short": (
        der(0x30, der(0x04, b"\1"), der(0x04, bytes(2560))),
        "a seed of 32 bytes wanted, this has 1",
    ),
    "half of both": (der(0x30, der(0x04, SEED)), "seed, expanded key or both wanted"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN_CONTENTS.values(), ids=BROKEN_CONTENTS)
def test_broken_ml_dsa_contents_are_refused(content, message):
    with pytest.raises(KeyFormatError, match=f"^a private key of ML-DSA-44: {message}"):
        pkcs8.secret_of(CATALOG["ML-DSA-44"], pkcs8.decode(envelope(ML_DSA, content)))


def test_private_and_public_key_stand_together_as_oqs_provider_writes_them():
    scheme = CATALOG["Falcon-512"]
    secret = Secret(expanded=b"\1" * 1281, public=b"\2" * 897)
    written = pkcs8.encode(scheme, secret)
    assert written == envelope(FALCON, der(0x04, secret.expanded + secret.public))
    assert pkcs8.secret_of(scheme, pkcs8.decode(written)) == secret


def test_a_public_key_beside_must_be_the_same():
    scheme, both = CATALOG["Falcon-512"], der(0x04, b"\1" * 1281 + b"\2" * 897)
    same, other = (der(0x81, b"\0", bytes([byte]) * 897) for byte in (2, 3))
    version = b"\x02\x01\x01"
    assert pkcs8.secret_of(scheme, pkcs8.decode(envelope(FALCON, both, version=version, rest=same)))
    with pytest.raises(KeyFormatError, match="its two public keys differ"):
        pkcs8.secret_of(scheme, pkcs8.decode(envelope(FALCON, both, version=version, rest=other)))


@pytest.mark.parametrize("content", [b"", bytes(2178), der(0x04, bytes(2177)), der(0x04, bytes(2178)) + b"\0"])
def test_broken_concatenations_are_refused(content):
    with pytest.raises(KeyFormatError, match=r"^a private key of Falcon-512: "):
        pkcs8.secret_of(CATALOG["Falcon-512"], pkcs8.decode(envelope(FALCON, content)))


@pytest.mark.parametrize("name", ["ML-DSA-44", "Falcon-512", "Ed25519"])
def test_a_secret_that_lacks_the_form_is_not_written(name):
    with pytest.raises(
        KeyFormatError, match=f"^this key of {name} cannot be written as PKCS#8: its .* form is unknown"
    ):
        pkcs8.encode(CATALOG[name], Secret(public=b"\1"))


def test_a_private_key_cut_or_extended_at_each_byte_is_refused(keys):
    written = keys(CATALOG["P-256"]).pkcs8()
    for wrong in (*(written[:end] for end in range(len(written))), written + b"\0"):
        with pytest.raises(DecodeError, match=r"^private key: no PKCS#8 in DER$"):
            private_keys_of(wrong, CATALOG)


def test_a_private_key_of_a_later_version_is_refused():
    with pytest.raises(DecodeError, match="PKCS#8 version 0 or 1 wanted, got 2"):
        pkcs8.decode(envelope(ML_DSA, der(0x80, SEED), version=b"\x02\x01\x02"))


def test_attributes_are_passed_over():
    attributes = der(0xA0, der(0x30, oid("1.2.3"), der(0x31, b"\x05\0")))
    assert pkcs8.decode(envelope(ML_DSA, der(0x80, SEED), rest=attributes)).private_key == der(0x80, SEED)


def test_a_private_key_of_no_scheme_is_refused_with_its_oid():
    other = ec.generate_private_key(ec.SECP256K1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyFormatError, match=r"of no scheme in the catalog: its OID is 1.2.840.10045.2.1"):
        private_keys_of(other, CATALOG)


def test_an_rsa_key_of_a_size_that_no_scheme_has_is_refused():
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
    other = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyFormatError, match="another type or size"):
        private_keys_of(other, CATALOG)


def test_an_encrypted_key_is_no_plain_one():
    secret = ec.generate_private_key(ec.SECP256R1())
    locked = secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(DecodeError):
        private_keys_of(locked, CATALOG)


def test_compressed_points_are_refused():
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    compressed = point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    written = der(0x30, bytes.fromhex(P256)[2:23], der(0x03, b"\0", compressed))
    with pytest.raises(KeyFormatError, match="65 bytes, this one has 33"):
        spki.raw_key(CATALOG["P-256"], written)
