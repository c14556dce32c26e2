"""Other people's credentials, leaves and keys: each gives what the README beside them says, by name.

They are read from ../shared/vectors, which is not part of a clone: fizz (the only signed credentials of another
implementation that there are), cloudflare/go, and appendix B of RFC 9345.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pqdc import pem
from pqdc.credential import refusals
from pqdc.credential.certificate import Certificate, say_time
from pqdc.credential.delegation import check_leaf
from pqdc.credential.leaf import Leaf, read_certificates
from pqdc.credential.mint import mint
from pqdc.credential.structures import Credential, DelegatedCredential, Role
from pqdc.credential.verify import judge, verify
from pqdc.errors import DecodeError, KeyFormatError, Refusal
from pqdc.scheme import keyfile, spki

WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)
SERVER, CLIENT = Role.SERVER, Role.CLIENT


@pytest.fixture(scope="session")
def vectors(shared) -> Path:
    folder = shared / "vectors"
    if not folder.is_dir():
        pytest.skip("other people's vectors are not here: no folder ../shared/vectors beside the clone")
    return folder


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def credential_in(path: Path) -> bytes:
    data = path.read_bytes()
    match path.suffix:
        case ".bin":
            return data
        case ".b64":
            return base64.b64decode(data)
    (block,) = pem.blocks(data)
    return block.data


def leaf_in(path: Path, catalog) -> Certificate:
    (leaf,) = read_certificates(path, catalog)
    return leaf


# --- Signed credentials ---------------------------------------------------------------------------------------------

OLD, NEW = "TestData.kDelegationUsageCert.pem", "TestData.kP256CredCert.pem"
BAD = "PeerDelegatedCredentialTest.kBadP256DelegatedCred.bin"
PEER = "PeerDelegatedCredentialTest.kP256DelegatedCred.bin"
FIRST = "TestData.kDelegatedCred.bin"
P256S = "SerializationTest.kP256ServerDelegatedCred.pem"
P256C = "SerializationTest.kP256ClientDelegatedCred.pem"
P384S = "SerializationTest.kP384ServerDelegatedCred.pem"

# (credential, its leaf, judged as, at, which rules it breaks then)
VERDICTS = [
    (FIRST, OLD, SERVER, "2019-06-10", ()),
    (FIRST, OLD, SERVER, "2019-06-15T17:35:00", ()),
    (FIRST, OLD, SERVER, "2019-06-16", ("Expired",)),
    (FIRST, OLD, SERVER, "2026-11-25", ("LeafExpired", "Expired")),
    (FIRST, OLD, SERVER, "2019-06-01", ("LifetimeTooLong",)),
    (FIRST, OLD, CLIENT, "2019-06-10", ("SignatureInvalid",)),
    (FIRST, NEW, SERVER, "2024-04-08", ("LifetimeTooLong", "SignatureInvalid")),
    (PEER, NEW, SERVER, "2024-04-08", ()),
    (PEER, NEW, SERVER, "2024-04-03T18:30:00", ("LifetimeTooLong",)),
    (PEER, NEW, SERVER, "2024-04-03T18:45:00", ()),
    (PEER, NEW, SERVER, "2024-04-10T18:38:00", ()),
    (PEER, NEW, SERVER, "2024-04-10T18:45:00", ("Expired",)),
    (PEER, NEW, SERVER, "2026-11-25", ("Expired",)),
    (PEER, NEW, CLIENT, "2024-04-08", ("SignatureInvalid",)),
    (BAD, NEW, SERVER, "2019-10-05", ("SignatureInvalid",)),
    (BAD, NEW, CLIENT, "2019-10-05", ("SignatureInvalid",)),
    (P256S, NEW, SERVER, "2024-07-20", ()),
    (P256S, NEW, CLIENT, "2024-07-20", ("SignatureInvalid",)),
    (P256S, NEW, SERVER, "2024-07-24T21:12:00", ("Expired",)),
    (P256C, NEW, CLIENT, "2024-07-20", ()),
    (P256C, NEW, SERVER, "2024-07-20", ("SignatureInvalid",)),
    (P384S, NEW, SERVER, "2024-07-20", ()),
    (P384S, NEW, CLIENT, "2024-07-20", ("SignatureInvalid",)),
    (P384S, NEW, SERVER, "2024-07-24T21:28:00", ("Expired",)),
    ("SerializationTest.kP256ServerDelegatedCredNoLabel.b64", NEW, SERVER, "2024-07-20", ()),
    ("SerializationTest.kP256ClientDelegatedCredNoLabel.b64", NEW, CLIENT, "2024-07-20", ()),
    ("SerializationTest.kP256ServerDelegatedCredBadLabel.pem", NEW, SERVER, "2024-07-20", ()),  # the label alone is bad
]


@pytest.mark.parametrize("row", VERDICTS, ids=lambda row: f"{row[0]} {row[2].name.lower()} {row[3]}")
def test_fizz_s_credentials_give_what_the_readme_says(row, vectors, catalog):
    name, leaf_name, role, moment, broken = row
    dc = DelegatedCredential.decode(credential_in(vectors / "fizz" / name))
    leaf = leaf_in(vectors / "fizz" / leaf_name, catalog)
    verdicts = judge(dc, leaf, now=at(moment), role=role)
    failed = [type(verdict.refusal).__name__ for verdict in verdicts if verdict.refusal]
    if name == FIRST and leaf_name == NEW:  # under another's leaf its time means nothing
        assert "SignatureInvalid" in failed
        return
    assert failed == list(broken)
    if not broken:
        assert verify(dc, leaf, now=at(moment), role=role) is None
    else:
        with pytest.raises(getattr(refusals, broken[0])):
            verify(dc, leaf, now=at(moment), role=role)


CONTENTS = {
    FIRST: (OLD, 176, "2019-06-15T17:35", "ECDSA-P256"),
    PEER: (NEW, 175, "2024-04-10T18:39", "ECDSA-P256"),
    BAD: (NEW, 174, "2019-10-07T12:34", "ECDSA-P256"),
    P256S: (NEW, 174, "2024-07-24T21:11", "ECDSA-P256"),
    P256C: (NEW, 174, "2024-07-24T21:", "ECDSA-P256"),
    P384S: (NEW, 205, "2024-07-24T21:27", "ECDSA-P384"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_fizz_s_credentials_decode_to_what_the_readme_says(name, vectors, catalog):
    leaf_name, size, expiry, scheme = CONTENTS[name]
    data = credential_in(vectors / "fizz" / name)
    dc = DelegatedCredential.decode(data)
    leaf = leaf_in(vectors / "fizz" / leaf_name, catalog)
    assert dc.encode() == data
    assert len(data) == size
    assert say_time(leaf.not_before + dc.cred.valid_time).startswith(expiry)
    assert catalog.with_code_point(dc.cred.dc_cert_verify_algorithm) == (catalog[scheme],)
    assert spki.schemes_of(catalog, dc.cred.spki) == (catalog[scheme],)
    assert dc.algorithm == 0x0403


def test_its_last_second_and_its_first(vectors, catalog):
    dc = DelegatedCredential.decode(credential_in(vectors / "fizz" / PEER))
    leaf = leaf_in(vectors / "fizz" / NEW, catalog)
    end = datetime.fromtimestamp(leaf.not_before + dc.cred.valid_time, UTC)
    for moment in (end - WEEK, end):
        verify(dc, leaf, now=moment)
    with pytest.raises(refusals.LifetimeTooLong):
        verify(dc, leaf, now=end - WEEK - SECOND)
    with pytest.raises(refusals.Expired):
        verify(dc, leaf, now=end + SECOND)


@pytest.mark.parametrize("name", [FIRST, PEER, P256S, P256C, P384S])
def test_a_flipped_bit_anywhere_in_them_is_refused(name, vectors, catalog):
    data = credential_in(vectors / "fizz" / name)
    leaf = leaf_in(vectors / "fizz" / (OLD if name == FIRST else NEW), catalog)
    role = CLIENT if name == P256C else SERVER
    end = leaf.not_before + DelegatedCredential.decode(data).cred.valid_time
    moment = datetime.fromtimestamp(end - 3600, UTC)
    verify(DelegatedCredential.decode(data), leaf, now=moment, role=role)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        with pytest.raises((DecodeError, Refusal)):
            verify(DelegatedCredential.decode(bytes(changed)), leaf, now=moment, role=role)


# --- What else fizz has ---------------------------------------------------------------------------------------------


def test_fizz_s_credential_for_an_rsa_encryption_key_parses_and_is_never_acceptable(request):
    """It is a whole DelegatedCredential: 303 bytes of Credential, then an RSA signature."""
    vectors, catalog, leaf, keys = map(request.getfixturevalue, ("vectors", "catalog", "leaf", "keys"))
    data = (vectors / "fizz" / "DelegatedCredTypesTest.kCredential.bin").read_bytes()
    with pytest.raises(DecodeError, match=r"^Credential: 260 bytes left over after the end$"):
        Credential.decode(data)
    cred = Credential.decode(data[:303])
    dc = DelegatedCredential.decode(data)
    assert (dc.cred, dc.algorithm, len(dc.signature)) == (cred, 0x0804, 256)
    assert dc.encode() == data
    assert cred.dc_cert_verify_algorithm == 0x0804
    assert spki.decode(cred.spki).algorithm.oid == spki.RSA_ENCRYPTION
    resigned = replace(dc, algorithm=0x0403)
    signed = resigned.signed_bytes(leaf.certificate.der, SERVER)
    resigned = replace(resigned, signature=keys(catalog["P-256"]).sign(signed))
    then = datetime.fromtimestamp(leaf.certificate.not_before + cred.valid_time, UTC) - SECOND
    failed = [type(it.refusal).__name__ for it in judge(resigned, leaf.certificate, now=then) if it.refusal]
    assert failed == ["AlgorithmForbidden", "AlgorithmForbidden"]


KEYS = [
    ("SerializationTest.kP256DelegatedCredKey.pem", P256S),
    ("SerializationTest.kP256DelegatedCredKeyWServerLabel.pem", P256S),
    ("SerializationTest.kP256DelegatedCredKeyWClientLabel.pem", P256C),
    ("SerializationTest.kP384ServerDelegatedKey.pem", P384S),
    ("PeerDelegatedCredentialTest.kP256DelegatedCredKey.pem", PEER),  # PKCS#8 behind EC PARAMETERS, under an EC label
]


@pytest.mark.parametrize(("key_name", "name"), KEYS)
def test_fizz_s_keys_belong_to_their_credentials(key_name, name, vectors, catalog):
    dc = DelegatedCredential.decode(credential_in(vectors / "fizz" / name))
    (key,) = keyfile.load_private_keys(vectors / "fizz" / key_name, catalog)
    assert key.public.spki == dc.cred.spki
    assert key.scheme.code_point == dc.cred.dc_cert_verify_algorithm


# --- Leaves ---------------------------------------------------------------------------------------------------------

LEAVES = {
    "cloudflare-go/delegatorCertPEMEd25519.pem": ("Ed25519", None),
    "cloudflare-go/delegatorCertPEMP256.pem": ("ECDSA-P256", None),
    "cloudflare-go/delegatorCertPEMP384.pem": ("ECDSA-P384", None),
    "cloudflare-go/delegatorCertPEMP521.pem": ("ECDSA-P521", None),
    "cloudflare-go/nonDelegatorCertPEM.pem": ("ECDSA-P256", "DelegationUsageMissing"),
    "fizz/TestData.kDelegationUsageCert.pem": ("ECDSA-P256", None),
    "fizz/TestData.kP256CredCert.pem": ("ECDSA-P256", None),
    "fizz/DelegatedCredentialUtilsTest.kCertNoDelegatedExtension.pem": ("ECDSA-P256", "DelegationUsageMissing"),
    "fizz/DelegatedCredentialUtilsTest.kCertNoKeyUsage.pem": ("ECDSA-P256", "KeyUsageMissing"),
    "fizz/DelegatedCredentialUtilsTest.kCertWrongKeyUsage.pem": ("ECDSA-P256", "DigitalSignatureMissing"),
    "rfc9345/appendix-b-example-cert.pem": ("ECDSA-P256", None),
}


@pytest.mark.parametrize("path", LEAVES)
def test_each_leaf_may_delegate_or_is_refused_by_its_own_name(path, vectors, catalog):
    scheme, refusal = LEAVES[path]
    leaf = leaf_in(vectors / path, catalog)
    assert leaf.schemes == (catalog[scheme],)
    assert leaf.oddities == ()
    if refusal is None:
        assert check_leaf(leaf) is None
    else:
        with pytest.raises(getattr(refusals, refusal)):
            check_leaf(leaf)


@pytest.mark.parametrize("kind", ["Ed25519", "P256", "P384", "P521"])
def test_cloudflare_go_s_leaves_mint_in_their_time(kind, vectors, catalog):
    folder = vectors / "cloudflare-go"
    leaf = Leaf.load(folder / f"delegatorCertPEM{kind}.pem", folder / f"delegatorKeyPEM{kind}.pem", catalog=catalog)
    then = at("2021-06-01")
    for role in Role:
        dc, _ = mint(leaf, catalog["ML-DSA-44"], valid_for=WEEK, now=then, role=role)
        verify(dc, leaf.certificate, now=then, role=role)
    with pytest.raises(refusals.LeafExpired):
        mint(leaf, catalog["ML-DSA-44"], valid_for=WEEK, now=at("2026-11-25"))


def test_cloudflare_go_s_other_leaf_mints_nothing(vectors, catalog):
    folder = vectors / "cloudflare-go"
    with pytest.raises(refusals.DelegationUsageMissing):
        Leaf.load(folder / "nonDelegatorCertPEM.pem", folder / "nonDelegatorKeyPEM.pem", catalog=catalog)
    with pytest.raises(KeyFormatError, match="this key does not belong to the certificate"):
        Leaf.load(folder / "delegatorCertPEMP256.pem", folder / "nonDelegatorKeyPEM.pem", catalog=catalog)


def test_fizz_s_leaf_mints_with_its_own_key(vectors, catalog):
    folder = vectors / "fizz"
    leaf = Leaf.load(folder / NEW, folder / "TestData.kP256CredCertKey.pem", catalog=catalog)
    dc, _ = mint(leaf, catalog["Ed25519"], valid_for=WEEK, now=at("2026-11-25"))
    verify(dc, leaf.certificate, now=at("2026-11-25"))


def test_every_file_is_used_here_or_said_why_not(vectors):
    """So that a vector that is added is not forgotten."""
    text = Path(__file__).read_text()
    elsewhere = {
        "DelegatedCredTypesTest.kCredSupport.bin",  # the list of extension 34, a matter of the handshake
        "PeerDelegatedCredentialTest.kP256Signature.bin",  # a CertificateVerify of a handshake that is not here
        "PeerDelegatedCredentialTest.kVerifyBuffer.bin",
    }
    for path in vectors.rglob("*.*"):
        parts = path.relative_to(vectors).parts
        if len(parts) < 2 or path.suffix == ".hex" or path.name in elsewhere:  # hex: the same as .bin beside it
            continue
        stem = path.stem.removeprefix("PeerDelegatedCredentialTest.").removesuffix("P256").removesuffix("Ed25519")
        stem = stem.removesuffix("P384").removesuffix("P521")
        assert stem in text, path.name
