"""Hybrids and composites: each half counts, and their bytes are what others make of the same keys.

The halves are recomputed here without pqdc's combiners: hashes by hashlib, classical signatures by `cryptography`,
ML-DSA with its context by `cryptography` too, whatever backend pqdc chose. BouncyCastle judges the composites.
"""

from __future__ import annotations

import hashlib
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.measure.facts import scheme_facts
from pqdc.scheme import backends, spki
from pqdc.scheme.backends import composite
from pqdc.scheme.catalog import Catalog, load_catalog
from pqdc.scheme.combiners import COMBINERS
from pqdc.scheme.keyfile import private_keys_of
from pqdc.scheme.keys import PrivateKey, PublicKey
from pqdc.scheme.pkcs8 import Secret
from tests.conftest import CATALOG

MESSAGE = b"a message that both halves sign"
COMBINED = [scheme for scheme in CATALOG.values() if scheme.components and backends.available(scheme)]
HYBRIDS = [scheme for scheme in COMBINED if scheme.kind == "hybrid"]
COMPOSITES = [scheme for scheme in COMBINED if scheme.kind == "composite"]
QUICK = [scheme for scheme in HYBRIDS if "SPHINCS+" not in scheme.family]  # the others: two of them, for their time
QUICK += [
    scheme
    for scheme in HYBRIDS
    if scheme.name in {"p256_SPHINCS+-SHA2-128f-simple", "rsa3072_SPHINCS+-SHAKE-128f-simple"}
]


def named(schemes):
    return pytest.mark.parametrize("scheme", schemes, ids=lambda scheme: scheme.name)


def halves(scheme, signature: bytes) -> tuple[bytes, bytes]:
    """The two signatures in one, each whole, told without the combiner."""
    if scheme.kind == "hybrid":
        end = 4 + int.from_bytes(signature[:4])
        return signature[4:end], signature[end:]
    end = {"ML-DSA-44": 2420, "ML-DSA-65": 3309, "ML-DSA-87": 4627}[scheme.components[0].name]
    return signature[:end], signature[end:]


def joined(scheme, first: bytes, second: bytes) -> bytes:
    return (len(first).to_bytes(4, "big") if scheme.kind == "hybrid" else b"") + first + second


def flipped(data: bytes, byte: int) -> bytes:
    changed = bytearray(data)
    changed[byte] ^= 1
    return bytes(changed)


def verifies(public: PublicKey, signature: bytes, message: bytes = MESSAGE) -> bool:
    try:
        public.verify(signature, message)
    except BadSignature:
        return False
    return True


def test_there_are_all_that_can_be_computed(liboqs):
    if not liboqs.library.version.startswith("0.13"):
        pytest.skip(f"this is liboqs {liboqs.library.version}, the count is that of 0.13")
    assert (len(HYBRIDS), len(COMPOSITES)) == (46, 18)


# --- Both halves must verify ----------------------------------------------------------------------------------------


@named(QUICK + COMPOSITES)
def test_each_broken_half_fails(scheme, keys):
    key = keys(scheme)
    first, second = halves(scheme, key.sign(MESSAGE))
    assert verifies(key.public, joined(scheme, first, second))
    for byte in (0, len(first) // 2, len(first) - 1):
        assert not verifies(key.public, joined(scheme, flipped(first, byte), second)), f"byte {byte} of the first"
    for byte in (0, len(second) // 2, len(second) - 1):
        assert not verifies(key.public, joined(scheme, first, flipped(second, byte))), f"byte {byte} of the second"


@named(QUICK + COMPOSITES)
def test_a_good_half_of_another_message_or_key_fails(scheme, keys):
    key = keys(scheme)
    first, second = halves(scheme, key.sign(MESSAGE))
    other_first, other_second = halves(scheme, key.sign(MESSAGE + b"!"))
    assert verifies(key.public, joined(scheme, other_first, other_second), MESSAGE + b"!")
    assert not verifies(key.public, joined(scheme, other_first, second))
    assert not verifies(key.public, joined(scheme, first, other_second))
    stranger = half_strange(scheme, key)
    for index, public in enumerate(stranger):
        assert not verifies(public, joined(scheme, first, second)), f"half {index} of the key is another's"


def half_strange(scheme, key: PrivateKey) -> list[PublicKey]:
    """Public keys that have one half of `key`'s, and one of a new key."""
    backend = backends.load_backend("composite")
    combiner = COMBINERS[scheme.combiner]
    mine = combiner.split_key(scheme, key.public.raw)
    fresh = [backends.choose(part).generate(part).public.raw for part in scheme.components]
    mixed = [(fresh[0], mine[1]), (mine[0], fresh[1])]
    return [backend.public_key(scheme, combiner.join(parts)) for parts in mixed]


@named(HYBRIDS)
def test_a_length_that_lies_fails(scheme, keys):
    key = keys(scheme)
    signature = key.sign(MESSAGE)
    size = int.from_bytes(signature[:4])
    for wrong in (0, size - 1, size + 1, len(signature) - 4, len(signature), 2**31, 2**32 - 1):
        assert not verifies(key.public, wrong.to_bytes(4, "big") + signature[4:]), f"{wrong} for {size}"


@named(HYBRIDS)
def test_a_public_key_whose_length_lies_is_refused(scheme, keys):
    raw = keys(scheme).public.raw
    size = int.from_bytes(raw[:4])
    for wrong in (0, size - 1, size + 1, 2**32 - 1):
        with pytest.raises(KeyFormatError):
            backends.load_backend("composite").public_key(scheme, wrong.to_bytes(4, "big") + raw[4:])


# --- Recomputed -----------------------------------------------------------------------------------------------------


def label(scheme) -> str:
    """The label of draft-ietf-lamps-pq-composite-sigs-19 section 6, which shortens the names of brainpool curves."""
    return re.sub(r"brainpoolP(\d+)r1", r"BP\1", scheme.name.replace("id-", "COMPSIG-"))


def prehash(scheme) -> bytes:
    if scheme.name.endswith("SHAKE256"):
        return hashlib.shake_256(MESSAGE).digest(64)
    return hashlib.new(scheme.name.rsplit("-", 1)[1], MESSAGE).digest()


def check_traditional(part, raw: bytes, signature: bytes, message: bytes, algorithm: hashes.HashAlgorithm) -> None:
    """By cryptography alone; raises InvalidSignature."""
    public = load_der_public_key(spki.encode(part, raw))
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, message, ec.ECDSA(algorithm))
    elif part.family == "RSA" and "PKCS1" not in part.name:
        pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)
        public.verify(signature, message, pss, algorithm)
    elif part.family == "RSA":
        public.verify(signature, message, padding.PKCS1v15(), algorithm)
    else:
        public.verify(signature, message)


# Of the traditional algorithm, which is not the PH in the name: sections 6 and 6.1.
TRADITIONAL_HASHES = {
    "RSA2048": hashes.SHA256(), "RSA3072": hashes.SHA256(), "RSA4096": hashes.SHA384(),
    "P256": hashes.SHA256(), "P384": hashes.SHA384(), "P521": hashes.SHA512(),
    "brainpoolP256r1": hashes.SHA256(), "brainpoolP384r1": hashes.SHA384(), "Ed25519": None, "Ed448": None,
}  # fmt: skip
MLDSA = {"44": mldsa.MLDSA44PublicKey, "65": mldsa.MLDSA65PublicKey, "87": mldsa.MLDSA87PublicKey}


@named(COMPOSITES)
def test_a_composite_signs_what_the_draft_says(scheme, keys):
    key = keys(scheme)
    first, second = halves(scheme, key.sign(MESSAGE))
    name = label(scheme).encode()
    representative = b"CompositeAlgorithmSignatures2025" + name + b"\0" + prehash(scheme)
    pq, traditional = scheme.components
    raw = key.public.raw
    MLDSA[pq.name[-2:]].from_public_bytes(raw[: pq.public_key_bytes]).verify(first, representative, name)
    (algorithm,) = [value for word, value in TRADITIONAL_HASHES.items() if word in scheme.name.split("-")]
    check_traditional(traditional, raw[pq.public_key_bytes :], second, representative, algorithm)


def test_the_representative_is_the_drafts_example():
    """Message 00 to 09, empty context, id-MLDSA65-ECDSA-P256-SHA512: its appendix on message representatives."""
    scheme = CATALOG["id-MLDSA65-ECDSA-P256-SHA512"]
    made = COMBINERS[scheme.combiner].representative(bytes(range(10)), scheme.backends["composite"])
    assert made.message.hex() == (
        "436f6d706f73697465416c676f726974686d5369676e61747572657332303235"
        "434f4d505349472d4d4c44534136352d45434453412d503235362d534841353132"
        "00"
        "0f89ee1fcb7b0a4f7809d1267a029719004c5a5e5ec323a7c3523a20974f9a3f"
        "202f56fadba4cd9e8d654ab9f2e96dc5c795ea176fa20ede8d854c342f903533"
    )


@named(QUICK)
def test_a_hybrid_signs_what_oqs_provider_says(scheme, keys, liboqs):
    """The PQ half signs the message; the classical one its hash, chosen by the level that liboqs claims."""
    key = keys(scheme)
    first, second = halves(scheme, key.sign(MESSAGE))
    end = 4 + int.from_bytes(key.public.raw[:4])
    classical, pq = scheme.components
    with liboqs._oqs.Signature(pq.backends["liboqs"]) as engine:
        assert engine.verify(MESSAGE, second, key.public.raw[end:])
        level = engine.details["claimed_nist_level"]
    algorithm = {1: hashes.SHA256(), 2: hashes.SHA384(), 3: hashes.SHA384(), 5: hashes.SHA512()}[level]
    check_traditional(classical, key.public.raw[4:end], first, MESSAGE, algorithm)


@named(HYBRIDS)
def test_a_hybrids_private_key_is_as_oqs_provider_writes_it(scheme, keys):
    """OCTET STRING of uint32 length, classical DER as OpenSSL's i2d_PrivateKey, PQ private key, PQ public key."""
    content = keys(scheme).secret().own
    pq = scheme.components[1]
    assert content[0] == 0x04
    length_bytes = content[1] & 0x7F if content[1] & 0x80 else 0
    blob = content[2 + length_bytes :]
    end = 4 + int.from_bytes(blob[:4])
    classical = load_der_private_key(blob[4:end], None).public_key()  # which has to tell its curve by itself
    raw = keys(scheme).public.raw
    public_end = 4 + int.from_bytes(raw[:4])
    assert classical == load_der_public_key(spki.encode(scheme.components[0], raw[4:public_end]))
    assert blob[end + pq.private_key_bytes :] == raw[public_end:]


# --- Private keys ---------------------------------------------------------------------------------------------------


@named([scheme for scheme in COMPOSITES if scheme.private_key_bytes])
def test_a_composites_private_key_has_the_drafts_size(scheme, keys):
    assert len(keys(scheme).secret().own) == scheme.private_key_bytes


@pytest.mark.parametrize("name", ["id-MLDSA65-ECDSA-P256-SHA512", "p256_ML-DSA-44"])
def test_an_ec_key_of_another_curve_is_refused(name, keys):
    scheme = CATALOG[name]
    own = keys(scheme).secret().own
    curve, other = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030101")
    assert curve in own
    with pytest.raises(KeyFormatError, match="of another curve"):
        backends.load_backend("composite").private_key(scheme, Secret(own=own.replace(curve, other)))


def test_a_hybrid_key_with_another_public_half_is_refused(keys):
    scheme = CATALOG["p256_ML-DSA-44"]
    own = keys(scheme).secret().own
    with pytest.raises(KeyFormatError, match="do not belong together"):
        backends.load_backend("composite").private_key(scheme, Secret(own=flipped(own, len(own) - 1)))


# --- What computes the parts ----------------------------------------------------------------------------------------


def test_a_part_that_nothing_computes_is_the_reason():
    reason = backends.reason_against(CATALOG["p256_SNOVA_24_5_4"], "composite")
    assert reason.startswith("SNOVA_24_5_4 cannot be computed here: ")


def test_a_table_tells_one_reason_for_all_that_lack_a_part(catalog):
    lacking = [scheme for scheme in catalog.values() if scheme.components and not backends.available(scheme)]
    reasons = {scheme_facts(scheme, catalog["P-256"])["backends"]["composite"] for scheme in lacking}
    assert len(reasons) <= 1 < len(lacking)


def overlaid(tmp_path, text: str) -> Catalog:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return load_catalog(path)


def test_composites_need_liboqs_for_none_of_their_parts(tmp_path):
    mine = overlaid(tmp_path, '[scheme.ML-DSA-44]\nbackends = { openssl = "ml-dsa-44" }\n')
    scheme = mine["id-MLDSA44-ECDSA-P256-SHA256"]
    assert backends.available(scheme) == ("composite",)
    key = backends.choose(scheme).generate(scheme)
    key.public.verify(key.sign(MESSAGE), MESSAGE)
    assert private_keys_of(key.pkcs8(), mine)[0].public.raw == key.public.raw


def test_a_hybrid_wants_expanded_keys_which_openssl_does_not_give(tmp_path):
    mine = overlaid(tmp_path, '[scheme.ML-DSA-44]\nbackends = { openssl = "ml-dsa-44" }\n')
    reason = backends.reason_against(mine["p256_ML-DSA-44"], "composite")
    assert "openssl gives no private keys of ML-DSA-44 in expanded form" in reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ('components = ["Ed25519", "ML-DSA-44"]\ncombiner = "xor"', "knows no combiner 'xor'"),
        ('components = ["ML-DSA-44"]\ncombiner = "oqs-provider"', "puts two parts together, Mine has 1"),
        ('components = ["ML-DSA-44", "Ed25519"]', "knows no combiner ''"),
    ],
)
def test_what_it_cannot_put_together_is_a_reason(tmp_path, facts, reason):
    head = 'kind = "hybrid"\nfamily = "Mine"\npublic_key_bytes = 9\nsignature_bytes = 9\nsignature_length = "max"\n'
    mine = overlaid(tmp_path, f'[scheme.Mine]\n{head}backends = {{ composite = "mine" }}\n{facts}\n')
    assert reason in backends.reason_against(mine["Mine"], "composite")


def test_a_library_that_takes_no_context_is_passed_over(monkeypatch):
    def takes_none(self, message, context):
        raise BackendUnavailable("takes no context")

    liboqs = backends.load_backend("liboqs")
    monkeypatch.setattr(type(liboqs.generate(CATALOG["ML-DSA-44"])), "sign_with_context", takes_none)
    composite._backend_for.cache_clear()
    scheme = CATALOG["id-MLDSA44-Ed25519-SHA512"]
    assert composite._backend_for(scheme, scheme.components[0]).name == "openssl"
    composite._backend_for.cache_clear()


# --- Contexts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", backends.available(CATALOG["ML-DSA-44"]))
def test_a_context_counts(backend, keys):
    key = keys(CATALOG["ML-DSA-44"], backend)
    signature = key.sign_with_context(MESSAGE, b"here")
    key.public.verify_with_context(signature, MESSAGE, b"here")
    for context in (b"there", b"her", b"here!"):
        with pytest.raises(BadSignature, match="does not verify with this context"):
            key.public.verify_with_context(signature, MESSAGE, context)
    for context in (b"", bytes(256)):
        with pytest.raises(BadSignature, match=f"a context has 1 to 255 bytes, this has {len(context)}"):
            key.public.verify_with_context(signature, MESSAGE, context)
        with pytest.raises(KeyFormatError, match=f"a context has 1 to 255 bytes, this has {len(context)}"):
            key.sign_with_context(MESSAGE, context)
    assert not verifies(key.public, signature)
    with pytest.raises(BadSignature, match="has 2420 bytes, this has 2419"):
        key.public.verify_with_context(signature[:-1], MESSAGE, b"here")


@pytest.mark.parametrize("name", ["Ed25519", "Falcon-512", "id-MLDSA44-Ed25519-SHA512"])
def test_a_scheme_without_contexts_says_so(name, keys):
    key = keys(CATALOG[name])
    with pytest.raises(BackendUnavailable, match=f"takes no context for {name}"):
        key.sign_with_context(MESSAGE, b"here")
    with pytest.raises(BackendUnavailable, match=f"takes no context for {name}"):
        key.public.verify_with_context(bytes(key.scheme.signature_bytes), MESSAGE, b"here")


# --- BouncyCastle ---------------------------------------------------------------------------------------------------


@named(COMPOSITES)
def test_bouncycastle_takes_our_keys_and_signatures(scheme, keys, bouncycastle):
    key = keys(scheme)
    signature = key.sign(MESSAGE)
    assert bouncycastle.verifies(key.public.spki, MESSAGE, signature)
    assert not bouncycastle.verifies(key.public.spki, MESSAGE + b"!", signature)
    key.public.verify(bouncycastle.sign(key.pkcs8(), MESSAGE), MESSAGE)


@named(COMPOSITES)
def test_we_take_bouncycastles_keys_and_signatures(scheme, bouncycastle):
    public, private = bouncycastle.generate(scheme.aliases[0])
    (key,) = private_keys_of(private, CATALOG)
    assert key.scheme is scheme
    assert key.public.raw == spki.raw_key(scheme, public)
    assert bouncycastle.verifies(public, MESSAGE, key.sign(MESSAGE))
    key.public.verify(bouncycastle.sign(private, MESSAGE), MESSAGE)
