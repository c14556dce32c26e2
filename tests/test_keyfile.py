"""Private and public keys as people have them: every form is read, nothing is re-encoded, a mismatch is refused."""

from __future__ import annotations

import os
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from pqdc import pem
from pqdc.errors import BadSignature, DecodeError, FileError, KeyFormatError
from pqdc.scheme import backends, keyfile, pbes2, pkcs8, spki
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.pkcs8 import Secret
from tests.conftest import der, oid

CATALOG = load_catalog()
COMPUTED = [name for name, scheme in CATALOG.items() if scheme.oid and backends.available(scheme)]
ONE_OF_EACH_ENCODING = ["ECDSA-P384", "Ed25519", "RSA-PSS-2048", "ML-DSA-44", "Falcon-512", "MAYO-1"]
ML_DSA = [name for name in COMPUTED if CATALOG[name].private_key == "seed"]
FAST = partial(pbes2.encrypt, iterations=1000)


def write(folder: Path, data: bytes, name: str = "key.pem") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def load(path: Path, scheme: str, **more):
    return keyfile.load_private_key(path, CATALOG, CATALOG[scheme], **more)


def signs(private, public) -> bool:
    try:
        public.verify(private.sign(b"message"), b"message")
    except BadSignature:
        return False
    return True


def openssl(*arguments: object) -> bytes:
    return subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, check=True, stdin=subprocess.DEVNULL
    ).stdout


# --- Every scheme ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPUTED)
def test_a_key_survives_its_files(keys, tmp_path, name):
    """PEM, DER and encrypted, each by content; and what is read is written as the same bytes."""
    key = keys(CATALOG[name])
    written = key.pkcs8()
    locked = FAST(written, b"open sesame")
    forms = {
        "key.pem": pem.armour("PRIVATE KEY", written),
        "key.der": written,
        "label.pem": b"\xef\xbb\xbfsome text\r\n" + pem.armour("EC PRIVATE KEY", written).replace(b"\n", b"\r\n"),
        "locked.pem": pem.armour("ENCRYPTED PRIVATE KEY", locked),
        "locked.der": locked,
    }
    for file, data in forms.items():
        path = write(tmp_path, data, file)
        assert keyfile.is_encrypted(path) == ("locked" in file)
        assert keyfile._pkcs8_in(path, b"open sesame" if "locked" in file else None) == written
    again = load(path, name, password=b"open sesame")  # once: some sign for a second to be tried
    assert again.public.raw == key.public.raw
    assert again.pkcs8() == written


# --- Encrypted keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", ["-v2 aes-128-cbc", "-v2 aes-256-cbc -v2prf hmacWithSHA1", "-v2 des3", "-scrypt"])
def test_what_openssl_encrypts_is_opened(keys, tmp_path, options):
    key = keys(CATALOG["P-256"])
    plain = write(tmp_path, pem.armour("PRIVATE KEY", key.pkcs8()))
    locked = write(
        tmp_path, openssl("pkcs8", "-topk8", *options.split(), "-passout", "pass:abc", "-in", plain), "locked"
    )
    assert load(locked, "P-256", password=b"abc").public.raw == key.public.raw


def test_what_is_encrypted_here_openssl_and_cryptography_open(keys, tmp_path):
    key = keys(CATALOG["P-256"])
    locked = pbes2.encrypt(key.pkcs8(), b"abc")
    path = write(tmp_path, pem.armour("ENCRYPTED PRIVATE KEY", locked))
    assert pem.blocks(openssl("pkey", "-in", path, "-passin", "pass:abc"))[0].data
    assert load_der_private_key(locked, b"abc").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_what_cryptography_encrypts_is_opened(keys):
    key = load_der_private_key(keys(CATALOG["Ed25519"]).pkcs8(), None)
    locked = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"abc"))
    assert keyfile.to_pkcs8(locked, password=b"abc") == keys(CATALOG["Ed25519"]).pkcs8()


@pytest.mark.parametrize("name", ONE_OF_EACH_ENCODING)
def test_an_encrypted_key_wants_its_password(keys, tmp_path, name):
    path = write(tmp_path, pem.armour("ENCRYPTED PRIVATE KEY", FAST(keys(CATALOG[name]).pkcs8(), b"right")))
    with pytest.raises(KeyFormatError, match=r"key\.pem: the private key is encrypted") as caught:
        load(path, name)
    assert "--password-file" in caught.value.hint
    for wrong in (b"", b"wrong", b"right ", "rïght".encode()):
        with pytest.raises(KeyFormatError, match="the password does not open the private key"):
            load(path, name, password=wrong)


def test_noise_that_looks_padded_is_no_key():
    """Once in 256 times the padding of a wrong decryption is right."""
    with pytest.raises(KeyFormatError, match="the password does not open the private key"):
        keyfile.to_pkcs8(FAST(b"no PKCS#8 at all", b"abc"), password=b"abc")


def test_a_password_that_is_empty_encrypts_nothing():
    with pytest.raises(KeyFormatError, match="not empty"):
        pbes2.encrypt(b"x", b"")


def algorithm(dotted: str, *parameters: bytes) -> bytes:
    return der(0x30, oid(dotted), *parameters)


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


AES = algorithm("2.16.840.1.101.3.4.1.42", der(0x04, bytes(16)))
PBKDF2, SCRYPT = "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"


def encrypted(derivation: bytes, encryption: bytes = AES, *, data: bytes = bytes(32)) -> bytes:
    outer = algorithm("1.2.840.113549.1.5.13", der(0x30, derivation, encryption))
    return der(0x30, outer, der(0x04, data))


def pbkdf2(iterations: int, *more: bytes) -> bytes:
    return algorithm(PBKDF2, der(0x30, der(0x04, bytes(8)), integer(iterations), *more))


def scrypt(*numbers: int) -> bytes:
    return algorithm(SCRYPT, der(0x30, der(0x04, bytes(8)), *map(integer, numbers)))


UNREASONABLE = {
    "10^9 iterations": (encrypted(pbkdf2(10**9)), "iterations of PBKDF2 wanted, the private key asks for more"),
    "iterations of 20,000 digits": (encrypted(pbkdf2(10**20000)), "iterations of PBKDF2 wanted"),
    "no iterations": (encrypted(pbkdf2(0)), "malformed"),
    "a key of another length": (encrypted(pbkdf2(1000, integer(16))), "malformed"),
    "scrypt with 1 TiB": (encrypted(scrypt(2**30, 8, 1)), "more memory or work of scrypt"),
    "scrypt for hours": (encrypted(scrypt(2**14, 8, 2**20)), "more memory or work of scrypt"),
    "scrypt with no power of two": (encrypted(scrypt(1000, 8, 1)), "malformed"),
    "scrypt with N of 20,000 digits": (encrypted(scrypt(2**66000, 8, 1)), "more memory or work of scrypt"),
    "another derivation": (encrypted(algorithm("1.2.3")), "by way of 1.2.3; PBKDF2 or scrypt wanted"),
    "another cipher": (encrypted(pbkdf2(1000), algorithm("1.2.3")), "encrypted with 1.2.3; AES or 3DES in CBC wanted"),
    "another hash": (encrypted(pbkdf2(1000, algorithm("1.2.3"))), "by way of PBKDF2 with 1.2.3"),
    "another scheme": (der(0x30, algorithm("1.2.3"), der(0x04, b"x")), "1.2.3, which is not PBES2"),
    "a short vector": (encrypted(pbkdf2(1000), algorithm("2.16.840.1.101.3.4.1.42", der(0x04, b"x"))), "malformed"),
    "no vector": (encrypted(pbkdf2(1000), algorithm("2.16.840.1.101.3.4.1.42")), "malformed"),
    "no parameters": (der(0x30, algorithm("1.2.840.113549.1.5.13"), der(0x04, b"x")), "malformed"),
    "no algorithm": (der(0x30, der(0x30), der(0x04, b"x")), "malformed"),
    "half a block": (encrypted(pbkdf2(1000), data=bytes(17)), "does not open"),
    "nothing": (encrypted(pbkdf2(1000), data=b""), "does not open"),
}


@pytest.mark.parametrize("name", UNREASONABLE)
def test_an_unreasonable_encrypted_key_is_refused_at_once(tmp_path, name):
    data, message = UNREASONABLE[name]
    started = time.process_time()
    with pytest.raises(KeyFormatError, match=message):
        load(write(tmp_path, data), "P-256", password=b"abc")
    assert time.process_time() - started < 5


def test_every_cut_of_an_encrypted_key_is_a_named_error():
    whole = FAST(bytes(48), b"abc")
    for end in range(len(whole)):
        with pytest.raises((DecodeError, KeyFormatError)):
            keyfile.to_pkcs8(whole[:end], password=b"abc")


def test_the_old_encryption_of_pem_is_named(tmp_path):
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", tmp_path / "plain")
    locked = tmp_path / "locked"
    openssl("ec", "-in", tmp_path / "plain", "-aes128", "-passout", "pass:abc", "-out", locked)
    with pytest.raises(KeyFormatError, match="encrypted in the old PEM way") as caught:
        load(locked, "P-256", password=b"abc")
    assert "openssl pkcs8 -topk8" in caught.value.hint


# --- Classical keys ---------------------------------------------------------------------------------------------------


def test_sec1_after_ec_parameters(tmp_path):
    path = write(tmp_path, openssl("ecparam", "-genkey", "-name", "prime256v1"))
    assert [block.label for block in pem.blocks(path.read_bytes())] == ["EC PARAMETERS", "EC PRIVATE KEY"]
    key = load(path, "P-256")
    assert signs(key, key.public)


def test_pkcs1_is_an_rsa_key(keys, tmp_path):
    key = load_der_private_key(keys(CATALOG["RSA-2048"]).pkcs8(), None)
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert old.startswith(b"-----BEGIN RSA PRIVATE KEY")
    assert load(write(tmp_path, old), "RSA-2048").pkcs8() == keys(CATALOG["RSA-2048"]).pkcs8()


def test_a_key_in_a_file_with_certificates(keys, leaf, tmp_path):
    key = keys(CATALOG["P-256"])
    text = pem.armour("CERTIFICATE", leaf.certificate.der) + pem.armour("PRIVATE KEY", key.pkcs8())
    assert load(write(tmp_path, text), "P-256").public.raw == key.public.raw


RESTRICTED = (
    "-pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32"
)


@pytest.mark.parametrize("restriction", ["", RESTRICTED], ids=["free", "restricted"])
def test_rsa_pss_as_openssl_makes_it_keeps_its_parameters(tmp_path, restriction):
    path, public = tmp_path / "pss.pem", tmp_path / "public.pem"
    bits = "rsa_keygen_bits:2048"
    openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", bits, *restriction.split(), "-out", path)
    openssl("pkey", "-in", path, "-pubout", "-out", public)
    key = load(path, "RSA-PSS-2048")
    (wanted,) = (block.data for block in pem.blocks(public.read_bytes()))
    assert spki.decode(wanted).algorithm.oid == keyfile.RSASSA_PSS
    assert key.public.spki == keyfile.load_public_key(public, CATALOG["RSA-PSS-2048"]).spki == wanted
    assert key.pkcs8() == pem.blocks(path.read_bytes())[0].data
    assert signs(key, key.public)
    if restriction:
        with pytest.raises(KeyFormatError, match="a key of RSA-PSS-2048-SHA384 wanted"):
            load(path, "RSA-PSS-2048-SHA384")


def test_an_rsa_encryption_key_serves_as_rsa_pss_when_asked_to(keys, tmp_path):
    path = write(tmp_path, pem.armour("PRIVATE KEY", keys(CATALOG["RSA-2048"]).pkcs8()))
    key = load(path, "RSA-PSS-2048")
    assert spki.decode(key.public.spki).algorithm.oid == keyfile.RSASSA_PSS
    assert signs(key, key.public)
    assert {key.scheme.family for key in keyfile.load_private_keys(path, CATALOG)} == {"RSA"}
    with pytest.raises(KeyFormatError, match=r"key\.pem: .*RSA-PSS-3072"):
        load(path, "RSA-PSS-3072")


def test_an_rsa_encryption_public_key_is_none_of_rsa_pss(keys, tmp_path):
    path = write(tmp_path, pem.armour("PUBLIC KEY", keys(CATALOG["RSA-2048"]).public.spki))
    with pytest.raises(KeyFormatError, match=r"1\.2\.840\.113549\.1\.1\.10"):
        keyfile.load_public_key(path, CATALOG["RSA-PSS-2048"])


def test_a_kept_spki_must_be_the_key_s(keys):
    public = keys(CATALOG["P-384"]).public
    with pytest.raises(KeyFormatError):
        public.keep(keys(CATALOG["P-256"]).public.spki)
    other = backends.choose(CATALOG["P-384"]).generate(CATALOG["P-384"]).public
    with pytest.raises(KeyFormatError, match="another key"):
        public.keep(other.spki)


# --- RFC 9881 and oqs-provider ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ml_dsa(liboqs):
    """Seed, expanded form and public key of a fixed ML-DSA key, by the scheme's name."""

    def make(name: str, seed: bytes = bytes(32)) -> Secret:
        return liboqs.generate(CATALOG[name], seed=seed).secret()

    return make


def envelope(name: str, content: bytes, *, public: bytes = b"") -> bytes:
    rest = der(0x81, b"\0" + public) if public else b""
    return der(0x30, integer(1 if public else 0), algorithm(CATALOG[name].oid), der(0x04, content), rest)


def both(seed: bytes, expanded: bytes) -> bytes:
    return der(0x30, der(0x04, seed), der(0x04, expanded))


@pytest.mark.parametrize("name", ML_DSA)
def test_all_forms_of_rfc_9881_are_one_key(ml_dsa, tmp_path, name):
    secret = ml_dsa(name)
    forms = {
        "seed": envelope(name, der(0x80, secret.seed)),
        "both": envelope(name, both(secret.seed, secret.expanded)),
        "expanded, public key in the envelope": envelope(name, der(0x04, secret.expanded), public=secret.public),
        "as oqs-provider": envelope(name, der(0x04, secret.expanded + secret.public)),
    }
    for form, data in forms.items():
        key = load(write(tmp_path, pem.armour("PRIVATE KEY", data)), name)
        assert key.public.raw == secret.public
        assert signs(key, backends.load_backend("openssl").public_key(CATALOG[name], secret.public))
        again = pkcs8.secret_of(key.scheme, pkcs8.decode(key.pkcs8()))
        assert again == (
            Secret(seed=secret.seed)
            if form in {"seed", "both"}
            else Secret(expanded=secret.expanded, public=secret.public)
        )


@pytest.mark.parametrize("name", ML_DSA)
def test_an_expanded_key_wants_its_public_key_beside_it(ml_dsa, tmp_path, name):
    secret, other = ml_dsa(name), ml_dsa(name, bytes([1]) * 32)
    path = write(tmp_path, envelope(name, der(0x04, secret.expanded)))
    with pytest.raises(KeyFormatError, match="in expanded form does not tell its public key") as caught:
        load(path, name)
    assert "--dc-public" in caught.value.hint
    assert load(path, name, public=secret.public).pkcs8() == envelope(
        name, der(0x04, secret.expanded), public=secret.public
    )
    with pytest.raises(KeyFormatError, match="do not belong together"):
        load(path, name, public=other.public)


def test_pairs_that_do_not_match_are_refused(ml_dsa, tmp_path):
    name = "ML-DSA-44"
    one, other = ml_dsa(name), ml_dsa(name, bytes([1]) * 32)
    digest = hashes.Hash(hashes.SHAKE256(64))
    digest.update(one.public)
    assert one.expanded[64:128] == digest.finalize()  # tr of FIPS 204: a check of it alone would miss the next two
    vectors = bytearray(one.expanded)
    vectors[200] ^= 1
    key = bytearray(one.expanded)
    key[40] ^= 1
    pairs = {
        "another seed": envelope(name, both(other.seed, one.expanded)),
        "other secret vectors": envelope(name, both(one.seed, bytes(vectors))),
        "another K": envelope(name, both(one.seed, bytes(key))),
        "seed, another public key": envelope(name, der(0x80, one.seed), public=other.public),
        "expanded, another public key": envelope(name, der(0x04, one.expanded), public=other.public),
        "oqs-provider, another public key": envelope(name, der(0x04, one.expanded + other.public)),
        "oqs-provider, two public keys": envelope(name, der(0x04, one.expanded + one.public), public=other.public),
    }
    for what, data in pairs.items():
        with pytest.raises(KeyFormatError, match=r"belong together|public keys differ"):
            pytest.fail(f"{what}: {load(write(tmp_path, data), name)}")


def test_a_key_is_refused_beside_another_public_key(keys, tmp_path):
    for name in ONE_OF_EACH_ENCODING:
        scheme = CATALOG[name]
        path = write(tmp_path, keys(scheme).pkcs8())
        other = backends.choose(scheme).generate(scheme).public.raw
        with pytest.raises(KeyFormatError, match=r"another public key|belong together"):
            load(path, name, public=other)
        assert load(path, name, public=keys(scheme).public.raw).public.raw == keys(scheme).public.raw


# --- Files that hold something else -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "no private key, neither PEM nor DER"),
        (os.urandom(1000), "no private key, neither PEM nor DER"),
        (pem.armour("PRIVATE KEY", b"\x30\x00"), "no private key, neither PEM nor DER"),
        (pem.armour("DELEGATED CREDENTIAL", b"x"), "a private key wanted, it holds DELEGATED CREDENTIAL"),
        (pem.armour("PUBLIC KEY", b"x") + pem.armour("CERTIFICATE", b"x"), "it holds PUBLIC KEY, CERTIFICATE"),
        (pem.armour("PRIVATE KEY", b"x") * 2, "one private key wanted, it holds 2"),
        (b"-----BEGIN PRIVATE KEY-----\nAA==", "the block PRIVATE KEY does not end"),
    ],
)
def test_what_is_no_private_key_is_said(tmp_path, data, message):
    with pytest.raises(FileError, match=rf"key\.pem: .*{message}"):
        load(write(tmp_path, data), "P-256")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "no public key, neither PEM nor DER"),
        (pem.armour("PRIVATE KEY", b"x"), "a public key wanted, it holds PRIVATE KEY"),
        (pem.armour("PUBLIC KEY", b"x") * 2, "one public key wanted, it holds 2"),
        (pem.armour("RSA PUBLIC KEY", der(0x30, integer(1), integer(3))), "no public key, neither PEM nor DER"),
    ],
)
def test_what_is_no_public_key_is_said(tmp_path, data, message):
    with pytest.raises(FileError, match=rf"key\.pem: .*{message}"):
        keyfile.load_public_key(write(tmp_path, data), CATALOG["P-256"])


def test_no_message_quotes_a_key(keys, tmp_path):
    """Cut, flipped and swapped: whatever is said of a key, no four bytes of its private part are in it."""
    for name in ONE_OF_EACH_ENCODING:
        whole = keys(CATALOG[name]).pkcs8()
        secret = pkcs8.decode(whole).private_key
        pieces = {secret[at : at + 4].hex() for at in range(16, len(secret) - 4)}
        broken = [whole[:end] for end in range(0, len(whole), max(1, len(whole) // 40))] + [whole + b"\0", whole[::-1]]
        for data in broken:
            with pytest.raises((FileError, KeyFormatError)) as caught:
                load(write(tmp_path, data or b"\0"), "P-521")
            said = str(caught.value).replace(str(tmp_path), "").lower()
            assert len(said) < 250
            assert not any(piece in said for piece in pieces)
