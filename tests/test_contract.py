"""One contract for every scheme and backend that computes here: what is declared is so, and keys do what keys must.

The list is made when tests are collected, from the catalog and what the libraries say; a new scheme is tested by being
listed in algorithms.toml.
"""

from __future__ import annotations

import base64
import csv
import ctypes
import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from pqdc.credential import fit
from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.scheme import backends, pkcs8, spki
from pqdc.scheme.backends import liboqs_library, openssl
from pqdc.scheme.backends.openssl import OpenSSL
from pqdc.scheme.backends.rust import Rust
from pqdc.scheme.catalog import Catalog, load_catalog
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keyfile import private_keys_of
from pqdc.scheme.keys import Backend, PrivateKey, PublicKey
from pqdc.scheme.pkcs8 import Secret
from tests.conftest import CATALOG

MESSAGE = b"a message that all schemes sign"
SEED = bytes(range(32))
NEEDED = 128  # schemes that the tables show: 8 classical ones, the 56 of liboqs 0.13.0, 46 hybrids, 18 composites
IN_RUST = 11  # and those that only the Rust crates compute: SLH-DSA but for three slow sets, and FN-DSA
COMPUTED = [(scheme.name, backend) for scheme in CATALOG.values() for backend in backends.available(scheme)]
SEEDED = [scheme for scheme in CATALOG.values() if scheme.private_key == "seed" and len(backends.available(scheme)) > 1]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A key, and a signature of MESSAGE by it."""

    scheme: Scheme
    backend: Backend
    key: PrivateKey
    signature: bytes

    @property
    def public(self) -> PublicKey:
        return self.key.public

    def verifies(self, signature: bytes, message: bytes = MESSAGE, public: PublicKey | None = None) -> bool:
        try:
            (public or self.public).verify(signature, message)
        except BadSignature:
            return False
        return True


@pytest.fixture(scope="session")
def pairs() -> dict[tuple[str, str], Pair]:
    return {}


# Of module scope, so that all tests of one pair run together: with two workers, few keys are made twice.
@pytest.fixture(scope="module", params=COMPUTED, ids="-".join)
def pair(request, keys, pairs) -> Pair:
    name, backend = request.param
    scheme = CATALOG[name]
    if request.param not in pairs:
        key = keys(scheme, backend)
        pairs[request.param] = Pair(
            scheme=scheme, backend=backends.load_backend(backend), key=key, signature=key.sign(MESSAGE)
        )
    return pairs[request.param]


@pytest.fixture
def library_calls(pair, monkeypatch) -> list[str]:
    """The names of what libraries are asked from here on: of liboqs in C, of cryptography where pqdc calls it."""
    calls: list[str] = []

    def spy(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def call(*args):
            calls.append(name)
            return real(*args)

        monkeypatch.setattr(owner, name, call)

    for scheme, backend in parts(pair):
        if isinstance(backend, OpenSSL):
            primitive = type(openssl.PRIMITIVES[scheme.backends["openssl"]])
            for name in ("public", "sign", "verify"):
                spy(primitive, name)
            spy(openssl, "load_der_private_key")
        elif isinstance(backend, Rust):
            for name in ("keypair", "seed_keypair", "signature_ctx", "verify_ctx"):
                spy(backend._native, f"{scheme.backends['rust']}_crypto_sign_{name}")
        else:
            native = backend._oqs.native()
            for name in ("OQS_SIG_keypair", "OQS_SIG_sign", "OQS_SIG_verify", *CONTEXT_CALLS):
                spy(native, name)
    return calls


CONTEXT_CALLS = ("OQS_SIG_sign_with_ctx_str", "OQS_SIG_verify_with_ctx_str")


def parts(pair) -> list[tuple[Scheme, Backend]]:
    """What the libraries compute: the scheme itself, or each of its components."""
    if not pair.scheme.components:
        return [(pair.scheme, pair.backend)]
    return list(zip(pair.scheme.components, pair.backend._backends(pair.scheme), strict=True))


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def bits_of(data: bytes, count: int = 12) -> list[int]:
    """Bits spread evenly over data, the first and the last among them."""
    last = 8 * len(data) - 1
    return sorted({round(last * step / (count - 1)) for step in range(count)})


# --- What is computed here ---------------------------------------------------------------------------------------


def test_all_that_the_tables_show_is_computed_here():
    shown = [scheme for scheme in CATALOG.values() if scheme.benchmark]
    missing = {
        scheme.name: [backends.reason_against(scheme, name) for name in scheme.backends]
        for scheme in shown
        if not backends.available(scheme)
    }
    needed = NEEDED
    try:
        backends.load_backend("liboqs")
    except BackendUnavailable as reason:
        pytest.skip(f"liboqs is not here: {reason}")
    try:
        backends.load_backend("rust")
        needed += IN_RUST
    except BackendUnavailable:
        assert shutil.which("cargo") is None, "there is cargo, so `make liboqs` should have built the Rust crates"
    assert len(shown) - len(missing) >= needed, f"not computed here: {missing}"


def test_all_that_liboqs_computes_is_in_the_catalog(liboqs):
    if not liboqs.library.version.startswith(liboqs_library.LIBOQS_VERSION):
        pytest.skip(f"this is liboqs {liboqs.library.version}; the catalog promises {liboqs_library.LIBOQS_VERSION}")
    known = {scheme.backends.get("liboqs") for scheme in CATALOG.values()}
    assert liboqs.schemes() <= known
    assert len(liboqs.schemes()) == 56


# --- Declared facts ----------------------------------------------------------------------------------------------


def test_sizes_are_as_declared(pair):
    assert len(pair.public.raw) == pair.scheme.public_key_bytes
    assert pair.scheme.makes_signature_of(len(pair.signature))
    if pair.scheme.signature_length == "fixed":
        assert len(pair.signature) == pair.scheme.signature_bytes


def test_the_library_says_the_same(pair):
    if pair.scheme.components:
        length = 4 if pair.scheme.kind == "hybrid" else 0  # oqs-provider says where its first part ends
        assert pair.scheme.public_key_bytes == length + sum(part.public_key_bytes for part in pair.scheme.components)
        most = length + sum(part.signature_bytes for part in pair.scheme.components)
        reserved = 2 if "141 bytes" in pair.scheme.note else 0  # for a signature of P-521, which has at most 139
        assert pair.scheme.signature_bytes == most + reserved
        return
    if isinstance(pair.backend, OpenSSL):
        key = load_der_public_key(pair.public.spki)
        if hasattr(key, "key_size"):  # a signature of ECDSA: two integers of the curve's size in a SEQUENCE
            size = (key.key_size + 7) // 8
            most = {32: 72, 48: 104, 66: 139}.get(size, size)
            assert pair.scheme.signature_bytes == most
        return
    if isinstance(pair.backend, Rust):  # which refuses a scheme of other lengths than its own
        wrong = replace(pair.scheme, public_key_bytes=pair.scheme.public_key_bytes + 1)
        assert pair.backend.reason_against(wrong).startswith("the Rust crates have other lengths for ")
        return
    details = pair.backend._oqs.Signature(pair.scheme.backends["liboqs"]).details
    assert details["length_public_key"] == pair.scheme.public_key_bytes
    assert details["length_secret_key"] == pair.scheme.private_key_bytes
    assert details["length_signature"] == pair.scheme.signature_bytes
    assert details["claimed_nist_level"] == pair.scheme.nist_level


def test_a_scheme_of_two_backends_has_one_answer_for_each():
    both = {name for name, _ in COMPUTED if sum(name == other for other, _ in COMPUTED) > 1}
    if "liboqs" not in {backend for _, backend in COMPUTED}:
        pytest.skip("liboqs is not here, so nothing is computed twice")
    assert both == {scheme.name for scheme in SEEDED}
    assert len(both) >= 3


@pytest.mark.parametrize("name", [name for name, backend in COMPUTED if CATALOG[name].signature_length == "max"])
def test_shorter_signatures_are_really_made(name, keys):
    key = keys(CATALOG[name])
    lengths: set[int] = set()
    for count in range(200):
        lengths.add(len(key.sign(b"%d" % count)))
        if len(lengths) > 1 and key.scheme.components:  # some components take a second for a signature
            break
    assert max(lengths) <= CATALOG[name].signature_bytes
    assert len(lengths) > 1


@pytest.fixture(scope="session")
def reference(shared) -> dict[str, dict[str, str]]:
    with (shared / "reference" / "schemes.csv").open(newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


REFERENCE_LEVELS = {"ML-DSA-44": 2}  # FIPS 204's category; oqs-provider says 1


@pytest.mark.parametrize("scheme", CATALOG.values(), ids=lambda scheme: scheme.name)
def test_facts_are_those_of_the_reference(scheme, reference):
    row = reference.get(scheme.name)
    if row is None:
        own = scheme.code_point_source.startswith("pqdc: ")
        assert own or not scheme.benchmark, "what the tables show has a row in the reference, or is pqdc's own venture"
        return
    point = "" if scheme.code_point is None else f"0x{scheme.code_point:04x}"
    level = REFERENCE_LEVELS.get(scheme.name) or int(row["nist_level"] or 0)
    assert (scheme.kind, scheme.nist_level or 0) == (row["kind"].split()[0], level)
    assert scheme.oid == row["oid"]
    assert scheme.tls_name == row["tls_signature_scheme"]
    if row["tls_code_point"] or scheme.code_point is None:
        assert point == row["tls_code_point"]
    else:  # none is allocated, so pqdc takes one that is for private use, and says so
        assert 0xFE00 <= scheme.code_point <= 0xFFFF
        assert scheme.code_point_source.startswith("pqdc: ")
    assert scheme.public_key_bytes == int(row["pk_bytes"])
    assert scheme.signature_bytes == int(row["sig_bytes"])
    assert scheme.signature_length == row["sig_length"].split()[0]
    if row["sk_bytes"] and not any(part.family == "RSA" for part in scheme.components):  # whose DER varies in length
        assert scheme.private_key_bytes == int(row["sk_bytes"])
    if scheme.oid:
        assert spki.encoded_bytes(scheme) == int(row["spki_der_bytes"])
        assert fit.dc_bytes(scheme) == int(row["dc_struct_bytes_max_p256_leaf"])
    fits = row["dc_key_size_ok"] == row["certverify_size_ok"] == "yes" and bool(scheme.code_point)
    assert (not fit.reason_against(scheme)) is fits


def test_every_row_of_the_reference_is_in_the_catalog(reference):
    assert len(reference) == 188
    assert set(reference) <= set(CATALOG)


# --- Signing and verifying ---------------------------------------------------------------------------------------


def test_a_signature_verifies(pair):
    pair.public.verify(pair.signature, MESSAGE)


@pytest.mark.parametrize("message", [b"", bytes(70_000)], ids=["empty", "70,000 bytes"])
def test_a_message_of_any_length_is_signed(pair, message):
    signature = pair.key.sign(message)
    assert pair.verifies(signature, message)
    assert not pair.verifies(signature, message + b"\0")


@pytest.mark.parametrize("message", [b"", MESSAGE[:-1], MESSAGE + b"\0", MESSAGE.upper()])
def test_another_message_fails(pair, message):
    assert not pair.verifies(pair.signature, message)


def test_a_flipped_bit_in_the_message_fails(pair):
    for bit in bits_of(MESSAGE):
        assert not pair.verifies(pair.signature, flipped(MESSAGE, bit)), f"bit {bit}"


def test_a_flipped_bit_in_the_signature_fails(pair):
    for bit in bits_of(pair.signature):
        assert not pair.verifies(flipped(pair.signature, bit)), f"bit {bit} of {8 * len(pair.signature)}"


def test_a_flipped_bit_in_the_public_key_fails(pair):
    """It is refused when loaded, or does not verify.

    A coefficient of a multivariate key counts only where the signature is not zero, which over 16 elements is no
    rarity: so such a key may let one signature pass, but not all of eight.
    """
    for bit in bits_of(pair.public.raw, count=8):
        try:
            public = pair.backend.public_key(pair.scheme, flipped(pair.public.raw, bit))
        except KeyFormatError:
            continue
        if pair.verifies(pair.signature, public=public):
            families = {part.family for part in (pair.scheme, *pair.scheme.components)}
            assert "UOV" in families, f"bit {bit} of {8 * len(pair.public.raw)}"
            others = [(message, pair.key.sign(message)) for message in (b"%d" % count for count in range(7))]
            assert not all(pair.verifies(signature, message, public) for message, signature in others)


def test_bytes_of_the_right_length_are_no_signature(pair):
    assert not pair.verifies(os.urandom(pair.scheme.signature_bytes))
    assert not pair.verifies(bytes(pair.scheme.signature_bytes))


# --- Lengths: refused before the library sees them ---------------------------------------------------------------


def wrong_lengths(data: bytes, most: int) -> Iterator[bytes]:
    longest = data + bytes(most - len(data))  # where signatures may be shorter, what counts is the maximum
    yield from (b"", longest + b"\0", b"\0" + longest, longest + longest)


def test_the_spy_sees_the_library(pair, library_calls):
    """Else the three tests below would prove nothing."""
    pair.public.verify(pair.signature, MESSAGE)
    assert len(library_calls) == len(parts(pair))


def test_a_signature_of_another_length_never_reaches_the_library(pair, library_calls):
    wrong = list(wrong_lengths(pair.signature, pair.scheme.signature_bytes))
    if pair.scheme.signature_length == "fixed":
        wrong += [pair.signature[:-1], pair.signature[1:]]
    for signature in wrong:
        with pytest.raises(BadSignature, match=f"^a signature of {pair.scheme.name.replace('+', '.')} has "):
            pair.public.verify(signature, MESSAGE)
    assert library_calls == []


def test_a_byte_less_in_a_signature_fails(pair):
    assert not pair.verifies(pair.signature[:-1])
    assert not pair.verifies(pair.signature[1:])


def test_a_public_key_of_another_length_never_reaches_the_library(pair, library_calls):
    raw = pair.public.raw
    for wrong in (*wrong_lengths(raw, len(raw)), raw[:-1], raw[1:]):
        with pytest.raises(KeyFormatError, match=f"has {len(raw)} bytes, this one has {len(wrong)}$"):
            pair.backend.public_key(pair.scheme, wrong)
    assert library_calls == []


def test_a_private_key_of_another_length_never_reaches_the_library(pair, library_calls):
    secret = pair.key.secret()
    if secret.expanded:
        for wrong in (secret.expanded[:-1], secret.expanded[1:], secret.expanded + b"\0", b"\0" + secret.expanded):
            with pytest.raises(KeyFormatError, match=f"this one has {len(wrong)}$"):
                pair.backend.private_key(pair.scheme, Secret(expanded=wrong, public=secret.public))
    if secret.seed:
        for wrong in (secret.seed[:-1], secret.seed + b"\0", b"\0"):
            with pytest.raises(KeyFormatError, match=f"has 32 bytes, this has {len(wrong)}$"):
                pair.backend.private_key(pair.scheme, Secret(seed=wrong))
            with pytest.raises(KeyFormatError, match=f"has 32 bytes, this has {len(wrong)}$"):
                pair.backend.generate(pair.scheme, seed=wrong)
    assert library_calls == []


def test_a_private_key_without_a_byte_or_with_one_more_is_refused(pair):
    """Where a private key is a DER structure, the length is the library's to check; it does."""
    own = pair.key.secret().own
    for wrong in (own[:-1], own + b"\0", b"\0" + own) if own else ():
        with pytest.raises(KeyFormatError):
            pair.backend.private_key(pair.scheme, Secret(own=wrong))


def test_a_private_key_of_nothing_is_refused(pair):
    with pytest.raises(KeyFormatError):
        pair.backend.private_key(pair.scheme, Secret())


def test_an_expanded_key_without_its_public_half_is_refused(pair):
    expanded = pair.key.secret().expanded
    if expanded:
        with pytest.raises(KeyFormatError, match="needs its public key beside it") as caught:
            pair.backend.private_key(pair.scheme, Secret(expanded=expanded))
        assert caught.value.hint


# --- Encodings ---------------------------------------------------------------------------------------------------


def test_a_public_key_survives_its_spki(pair):
    if not pair.scheme.spki_oid:
        with pytest.raises(KeyFormatError, match=r"has no OID"):
            _ = pair.public.spki
        return
    der = pair.public.spki
    assert len(der) == spki.encoded_bytes(pair.scheme)
    assert (pair.scheme in spki.schemes_of(CATALOG, der)) is bool(pair.scheme.oid)
    again = pair.backend.public_key(pair.scheme, spki.raw_key(pair.scheme, der))
    assert (again.raw, again.spki) == (pair.public.raw, der)
    assert pair.verifies(pair.signature, public=again)


def test_a_private_key_survives_its_pkcs8(pair):
    if not pair.scheme.spki_oid:
        with pytest.raises(KeyFormatError, match=r"has no OID"):
            pair.key.pkcs8()
        return
    der = pair.key.pkcs8()
    if not pair.scheme.oid:
        with pytest.raises(KeyFormatError, match="is of no scheme in the catalog"):
            private_keys_of(der, Catalog([pair.scheme]))
        return
    loaded = private_keys_of(der, Catalog([pair.scheme]))
    assert [key.public.raw for key in loaded] == [pair.public.raw]
    if loaded[0].backend != pair.backend.name:
        loaded.append(pair.backend.private_key(pair.scheme, pkcs8.secret_of(pair.scheme, pkcs8.decode(der))))
    for key in loaded:
        assert key.pkcs8() == der
        assert pair.verifies(key.sign(b"again"), b"again")


def test_an_rsa_key_is_read_once_for_each_hash(keys):
    loaded = private_keys_of(keys(CATALOG["RSA-PSS-2048"]).pkcs8(), CATALOG)
    assert [key.scheme.name for key in loaded] == ["RSA-PSS-2048", "RSA-PSS-2048-SHA384", "RSA-PSS-2048-SHA512"]


@pytest.mark.parametrize(
    ("name", "backend"), [entry for entry in COMPUTED if CATALOG[entry[0]].backends.get("openssl")]
)
def test_cryptography_reads_what_is_written_for_its_schemes(name, backend, keys):
    """A second reader of the same encodings, also for keys that liboqs made."""
    key = keys(CATALOG[name], backend)
    assert load_der_private_key(key.pkcs8(), None).public_key() == load_der_public_key(key.public.spki)


def test_halves_that_do_not_belong_together_are_refused(pair):
    secret = pair.key.secret()
    if isinstance(pair.backend, OpenSSL) or secret.seed:
        other = flipped(pair.public.raw, 100)
    else:
        other = pair.backend.generate(pair.scheme).public.raw
    mixed = Secret(own=secret.own, seed=secret.seed, expanded=secret.expanded, public=other)
    with pytest.raises(KeyFormatError, match="do not belong together"):
        pair.backend.private_key(pair.scheme, mixed)


# --- Secrets stay secret -----------------------------------------------------------------------------------------


def test_nothing_that_is_said_holds_a_byte_of_the_key(pair):
    secret = pair.key.secret()
    said = [repr(pair.key), str(pair.key), repr(pair.public), repr(secret), str(secret), f"{pair.key}"]
    if pair.scheme.spki_oid:
        said.append(repr(pkcs8.decode(pair.key.pkcs8())))
    expanded = secret.expanded
    for broken in (
        Secret(own=secret.own[:-1], seed=secret.seed[:-1], expanded=expanded[:-1], public=pair.public.raw),
        Secret(own=secret.own, seed=secret.seed, expanded=expanded, public=pair.public.raw[:-1]),
        Secret(expanded=expanded),
    ):
        with pytest.raises(KeyFormatError) as caught:
            pair.backend.private_key(pair.scheme, broken)
        said += [str(caught.value), caught.value.hint]
    with pytest.raises(KeyFormatError) as caught:
        pair.backend.public_key(pair.scheme, pair.public.raw + b"\0")
    said.append(str(caught.value))
    for text in said:
        assert len(text) < 400
        for data in filter(None, (secret.own, secret.seed, expanded)):
            for start in range(0, min(len(data), 256) - 6, 3):
                piece = data[start : start + 6]
                spellings = (piece.hex(), piece.hex().upper(), base64.b64encode(piece).decode(), repr(piece)[2:-1])
                assert not any(spelling in text for spelling in spellings)


# --- ML-DSA: three libraries, one key ----------------------------------------------------------------------------

needs_two = pytest.mark.skipif(not SEEDED, reason="no scheme with seeds is computed by two backends here")
seeded = pytest.mark.parametrize("scheme", SEEDED, ids=lambda scheme: scheme.name)
LIBRARIES = sorted({name for scheme in SEEDED for name in backends.available(scheme)})
EXPANDING = [name for name in LIBRARIES if name != "openssl"]  # which computes from the seed alone
directions = pytest.mark.parametrize(("here", "there"), list(itertools.permutations(LIBRARIES, 2)))


@needs_two
@seeded
@directions
def test_keys_and_signatures_cross(scheme, here, there, keys):
    key, other = keys(scheme, here), backends.load_backend(there)
    public = other.public_key(scheme, key.public.raw)
    public.verify(key.sign(MESSAGE), MESSAGE)
    moved = other.private_key(scheme, pkcs8.secret_of(scheme, pkcs8.decode(key.pkcs8())))
    assert moved.backend == there
    key.public.verify(moved.sign(MESSAGE), MESSAGE)
    assert moved.pkcs8() == key.pkcs8()
    with pytest.raises(BadSignature):
        public.verify(key.sign(MESSAGE), MESSAGE + b"\0")


@needs_two
@seeded
@pytest.mark.parametrize("seed", [bytes(32), SEED, b"\xff" * 32], ids=["zeros", "count", "ones"])
def test_the_same_seed_makes_the_same_key(scheme, seed):
    made = {name: backends.load_backend(name).generate(scheme, seed=seed) for name in LIBRARIES}
    assert len({key.public.raw for key in made.values()}) == 1
    assert len({key.pkcs8() for key in made.values()}) == 1
    assert {key.secret().seed for key in made.values()} == {seed}
    assert len({made[name].secret().expanded for name in EXPANDING}) == 1
    for key in made.values():
        another = backends.load_backend(key.backend).generate(scheme, seed=flipped(seed, 0))
        assert another.public.raw != key.public.raw


@needs_two
@seeded
@pytest.mark.parametrize("backend", EXPANDING)
def test_an_expanded_key_signs_in_all_but_openssl(scheme, backend, keys):
    secret = keys(scheme, "liboqs").secret()
    expanded = Secret(expanded=secret.expanded, public=secret.public)
    key = backends.load_backend(backend).private_key(scheme, expanded)
    keys(scheme, "liboqs").public.verify(key.sign(MESSAGE), MESSAGE)
    with pytest.raises(KeyFormatError, match="from the seed alone, this key is expanded") as caught:
        backends.load_backend("openssl").private_key(scheme, expanded)
    assert "liboqs" in caught.value.hint


@needs_two
@seeded
@directions
def test_contexts_cross(scheme, here, there, keys):
    key = keys(scheme, here)
    public = backends.load_backend(there).public_key(scheme, key.public.raw)
    signature = key.sign_with_context(MESSAGE, b"somewhere")
    public.verify_with_context(signature, MESSAGE, b"somewhere")
    with pytest.raises(BadSignature):
        public.verify_with_context(signature, MESSAGE, b"elsewhere")
    with pytest.raises(BadSignature):
        public.verify(signature, MESSAGE)


@needs_two
@seeded
@pytest.mark.parametrize("backend", LIBRARIES)
def test_seed_and_expanded_key_must_match(scheme, backend, keys):
    secret, other = keys(scheme, "liboqs").secret(), backends.load_backend("liboqs").generate(scheme).secret()
    load = backends.load_backend(backend).private_key
    assert load(scheme, Secret(seed=secret.seed, expanded=secret.expanded)).public.raw == secret.public
    with pytest.raises(
        KeyFormatError, match=r"seed and expanded form of this key of ML-DSA-\d\d do not belong together"
    ):
        load(scheme, Secret(seed=secret.seed, expanded=other.expanded))


@pytest.mark.parametrize("backend", ["openssl", "liboqs", "rust"])
def test_a_seed_for_a_scheme_that_takes_none_is_refused(backend, keys):
    try:
        computes = backends.load_backend(backend)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    scheme = CATALOG[{"openssl": "Ed25519", "liboqs": "Falcon-512", "rust": "FN-DSA-512"}[backend]]
    with pytest.raises(KeyFormatError, match="are not made from a seed"):
        computes.generate(scheme, seed=SEED)


@pytest.mark.parametrize("name", ["ECDSA-P384", "RSA-2048", "Ed448"])
def test_a_private_key_of_another_type_or_size_is_refused(name, keys):
    """The scheme decides the type: what parses as PKCS#8 under its OID may still be another size."""
    backend, wanted = backends.load_backend("openssl"), CATALOG["ECDSA-P256"]
    if name == "RSA-2048":
        wanted = CATALOG["RSA-3072"]
    with pytest.raises(KeyFormatError):
        backend.private_key(wanted, keys(CATALOG[name]).secret())


# --- liboqs's random generator -----------------------------------------------------------------------------------


def draws_come_from_the_hook(liboqs) -> bool:
    """Whether liboqs asks Python for random bytes: a hook that was left behind would show in the profile."""
    called: list[str] = []
    buffer = ctypes.create_string_buffer(32)
    sys.setprofile(lambda frame, event, _: called.append(frame.f_code.co_name) if event == "call" else None)
    try:
        liboqs._oqs.native().OQS_randombytes(buffer, ctypes.c_size_t(32))
    finally:
        sys.setprofile(None)
    return "draw" in called


@pytest.fixture(scope="module")
def mldsa() -> Scheme:
    return CATALOG["ML-DSA-44"]


def test_the_hook_is_seen_while_it_is_there(liboqs):
    """Else the tests below would prove nothing."""
    with liboqs._drawing(SEED):
        assert draws_come_from_the_hook(liboqs)
    assert not draws_come_from_the_hook(liboqs)


def test_the_generator_is_put_back_after_an_exception(liboqs, mldsa):
    with pytest.raises(ZeroDivisionError), liboqs._drawing(SEED):
        raise ZeroDivisionError
    assert not draws_come_from_the_hook(liboqs)
    assert liboqs.generate(mldsa).public.raw != liboqs.generate(mldsa).public.raw


@pytest.mark.parametrize("seed", [b"short", bytes(64)])
def test_a_library_that_draws_otherwise_is_found_out(liboqs, mldsa, seed):
    signer = liboqs._new(mldsa)
    with pytest.raises(KeyFormatError, match=f"other draws than one of {len(seed)} bytes"), liboqs._drawing(seed):
        signer.generate_keypair()
    assert not draws_come_from_the_hook(liboqs)


def test_two_draws_where_one_was_expected_are_found_out(liboqs, mldsa):
    signer = liboqs._new(mldsa)
    with pytest.raises(KeyFormatError, match="other draws"), liboqs._drawing(SEED):
        first, second = signer.generate_keypair(), signer.generate_keypair()
    assert first != second


def test_other_threads_draw_the_system_s_randomness_meanwhile(liboqs, mldsa):
    drawn: list[bytes] = []

    def draw() -> None:
        buffer = ctypes.create_string_buffer(32)
        liboqs._oqs.native().OQS_randombytes(buffer, ctypes.c_size_t(32))
        drawn.append(bytes(buffer))

    signer = liboqs._new(mldsa)
    with liboqs._drawing(SEED):
        for _ in range(2):
            thread = threading.Thread(target=draw)
            thread.start()
            thread.join()
        raw = signer.generate_keypair()
    assert raw == liboqs.generate(mldsa, seed=SEED).public.raw
    assert SEED not in drawn
    assert len(set(drawn)) == 2


def test_threads_that_make_seeded_keys_at_once_get_their_own(liboqs, mldsa):
    expected = {seed: liboqs.generate(mldsa, seed=bytes([seed]) * 32).public.raw for seed in range(8)}
    made: dict[int, bytes] = {}

    def make(seed: int) -> None:
        for _ in range(5):
            made[seed] = liboqs.generate(mldsa, seed=bytes([seed]) * 32).public.raw

    threads = [threading.Thread(target=make, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == expected


def run_python(program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environ}
    )


FORKS = """
import os
from pqdc.scheme import backends
from pqdc.scheme.catalog import load_catalog
scheme, liboqs = load_catalog()["{name}"], backends.load_backend("liboqs")
keys = [liboqs.generate(scheme).public.raw]
{before}
for child in range(2):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, liboqs.generate(scheme).public.raw[:64])
        os._exit(0)
    os.close(writer)
    keys.append(os.read(reader, 64))
    os.close(reader)
    assert os.wait()[1] == 0
keys[0] = keys[0][:64]
assert all(len(key) == 64 for key in keys) and len(set(keys)) == 3, keys
"""


@pytest.mark.parametrize("name", ["ML-DSA-44", "Falcon-512"])
@pytest.mark.parametrize("before", ["", "liboqs.generate(load_catalog()['ML-DSA-44'], seed=bytes(32))"])
def test_children_of_a_fork_draw_different_keys(liboqs, name, before):
    result = run_python(FORKS.format(name=name, before=before))
    assert (result.returncode, result.stderr) == (0, "")


FORK_WHILE_DRAWING = """
import os, signal, threading, time
from pqdc.scheme import backends
from pqdc.scheme.catalog import load_catalog
scheme, liboqs = load_catalog()["ML-DSA-44"], backends.load_backend("liboqs")
seed, drawing = bytes(32), threading.Event()
def draw():
    signer = liboqs._new(scheme)
    with liboqs._drawing(seed):
        drawing.set()
        time.sleep(0.3)
        signer.generate_keypair()
thread = threading.Thread(target=draw)
thread.start()
drawing.wait()
if (child := os.fork()) == 0:
    signal.alarm(10)  # ends the child if it waits for a lock that nobody holds any more
    fresh = liboqs.generate(scheme).public.raw
    os._exit(fresh == liboqs.generate(scheme, seed=seed).public.raw)
status = os.waitpid(child, 0)[1]
thread.join()
assert status == 0, status
"""


def test_a_fork_while_another_thread_draws_neither_hangs_nor_repeats(liboqs):
    result = run_python(FORK_WHILE_DRAWING)
    assert (result.returncode, result.stderr) == (0, "")


# --- The libraries are quiet, and known by version ---------------------------------------------------------------


def test_liboqs_python_prints_nothing(liboqs):
    result = run_python(
        "from pqdc.scheme import backends; from pqdc.scheme.catalog import load_catalog;"
        "s = load_catalog()['MAYO-1']; k = backends.load_backend('liboqs').generate(s);"
        "k.public.verify(k.sign(b'm'), b'm')"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_without_a_library_the_reason_comes_at_once_and_nothing_is_built(tmp_path):
    program = (
        "from pqdc.errors import BackendUnavailable\n"
        "from pqdc.scheme import backends\n"
        "try: backends.load_backend('liboqs')\n"
        "except BackendUnavailable as error: print(error, '|', error.hint)"
    )
    environ = {"OQS_INSTALL_PATH": str(tmp_path / "nowhere"), "XDG_CACHE_HOME": str(tmp_path)}
    result = run_python(program, **environ)
    assert (result.returncode, result.stderr) == (0, "")
    assert "does not exist | " in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_backends_are_one_object_a_process_and_tell_their_versions(pair):
    assert backends.load_backend(pair.backend.name) is pair.backend
    versions = pair.backend.versions()
    assert versions
    assert all(isinstance(version, str) and version for version in versions.values())
    assert pair.key.backend == pair.public.backend == pair.backend.name


def test_an_unknown_backend_is_told_with_those_there_are():
    with pytest.raises(BackendUnavailable, match=r"^no backend is called 'OpenSSL4'$") as caught:
        backends.load_backend("OpenSSL4")
    assert caught.value.hint == f"there are {', '.join(backends.backend_names())}"


def test_a_backend_that_cannot_be_imported_is_a_reason(monkeypatch):
    point = EntryPoint(name="quantum", group="pqdc.backends", value="no_such_module:Backend")
    monkeypatch.setattr(backends, "entry_points", lambda group: [point])
    for _ in range(2):
        with pytest.raises(BackendUnavailable, match=r"^the backend quantum cannot be loaded: No module named"):
            backends.load_backend("quantum")


def test_an_openssl_without_ml_dsa_is_a_reason(monkeypatch):
    monkeypatch.setattr(type(openssl._openssl), "mldsa_supported", lambda self: False)
    reason = backends.reason_against(CATALOG["ML-DSA-44"], "openssl")
    assert reason.endswith(" computes no ML-DSA")
    assert backends.reason_against(CATALOG["Ed25519"], "openssl") == ""


def test_an_rsa_key_of_the_right_length_and_another_size_is_refused():
    """2,047 bits and a public exponent of four bytes take as much DER as 2,048 bits and 65537."""
    raw = bytes.fromhex("3082010a 02820100 7f") + b"\xff" * 255 + bytes.fromhex("0204 01000001")
    assert len(raw) == CATALOG["RSA-2048"].public_key_bytes
    with pytest.raises(KeyFormatError, match="an RSAPublicKey of 2048 bits in DER is wanted"):
        backends.load_backend("openssl").public_key(CATALOG["RSA-2048"], raw)


def test_a_backend_that_a_scheme_does_not_list_is_never_used():
    with pytest.raises(BackendUnavailable, match="the catalog lists no backend liboqs for Ed25519"):
        backends.choose(CATALOG["Ed25519"], "liboqs")
    assert backends.choose(CATALOG["ML-DSA-44"], "openssl").name == "openssl"


def test_a_scheme_that_nothing_computes_is_refused_with_the_reason():
    scheme = Scheme(
        name="Dream",
        kind="pq",
        family="Dream",
        public_key_bytes=1,
        signature_bytes=1,
        signature_length="fixed",
    )
    with pytest.raises(BackendUnavailable, match=r"^Dream cannot be computed here: the catalog names no backend for"):
        backends.choose(scheme)
    assert backends.available(scheme) == ()


def test_names_that_the_libraries_do_not_know_are_a_reason(tmp_path, liboqs):
    overlay = tmp_path / "mine.toml"
    overlay.write_text(
        '[scheme.Ed25519]\nbackends = { openssl = "ed25518" }\n[scheme.Falcon-512]\nbackends = { liboqs = "Falcon" }\n'
    )
    mine: Catalog = load_catalog(overlay)
    assert backends.reason_against(mine["Ed25519"], "openssl").startswith("the backend openssl knows no 'ed25518'")
    assert backends.reason_against(mine["Falcon-512"], "liboqs").endswith("does not compute Falcon")
