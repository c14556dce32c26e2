"""The Rust crates beside other implementations: SLH-DSA beside BouncyCastle's, FN-DSA beside liboqs's Falcon.

ML-DSA's agreement is in test_contract.py (keys of one seed, signatures across), test_acvp.py and test_wycheproof.py.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.scheme import backends, spki
from pqdc.scheme.backends import rust_library
from pqdc.scheme.backends.rust import Rust
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.keyfile import private_keys_of
from pqdc.scheme.keys import PrivateKey
from pqdc.scheme.pkcs8 import Secret
from tests import falcon
from tests.conftest import CATALOG

MESSAGE = b"a message for two implementations"
SLH_DSA = [name for name, scheme in CATALOG.items() if scheme.family == "SLH-DSA"]


@pytest.fixture(scope="session")
def rust() -> Rust:
    try:
        return backends.load_backend("rust")
    except BackendUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")


def test_it_computes_what_the_catalog_gives_it(rust):
    computed = [scheme for scheme in CATALOG.values() if "rust" in scheme.backends]
    assert len(computed) == 17
    assert [rust.reason_against(scheme) for scheme in computed] == [""] * 17


# --- SLH-DSA --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SLH_DSA)
def test_bouncycastle_takes_our_slh_dsa(name, rust, keys, bouncycastle):
    key = keys(CATALOG[name], "rust")
    signature = key.sign(MESSAGE)
    assert bouncycastle.verifies(key.public.spki, MESSAGE, signature)
    assert not bouncycastle.verifies(key.public.spki, MESSAGE + b"!", signature)


@pytest.mark.parametrize("name", SLH_DSA)
def test_we_take_bouncycastles_slh_dsa(name, rust, bouncycastle):
    """Its key as RFC 9909 writes it, and its signature."""
    public, private = bouncycastle.generate(name)
    (key,) = private_keys_of(private, CATALOG)
    assert (key.scheme.name, key.public.raw) == (name, spki.raw_key(CATALOG[name], public))
    assert key.pkcs8() == private
    signature = bouncycastle.sign(private, MESSAGE)
    key.public.verify(signature, MESSAGE)
    with pytest.raises(BadSignature):
        key.public.verify(signature, MESSAGE + b"!")


def test_a_slh_dsa_key_as_oqs_provider_writes_it_is_read(rust, keys):
    scheme = CATALOG["SLH-DSA-SHA2-128f"]
    key = keys(scheme, "rust")
    secret = key.secret()
    raw = key.pkcs8()
    assert raw.endswith(b"\x04\x40" + secret.expanded)
    wrapped = secret.expanded + secret.public
    inner = b"\x04\x60" + wrapped
    header = raw[2 : -len(secret.expanded) - 2]
    old = bytes([0x30, len(header) + 2 + len(inner)]) + header + bytes([0x04, len(inner)]) + inner
    assert [one.public.raw for one in private_keys_of(old, CATALOG)] == [key.public.raw]


@pytest.mark.parametrize("name", ["SLH-DSA-SHA2-128f", "FN-DSA-512", "ML-DSA-44"])
def test_a_context_counts(name, rust, keys):
    key = keys(CATALOG[name], "rust")
    signature = key.sign_with_context(MESSAGE, b"here")
    key.public.verify_with_context(signature, MESSAGE, b"here")
    with pytest.raises(BadSignature):
        key.public.verify_with_context(signature, MESSAGE, b"there")
    with pytest.raises(BadSignature):
        key.public.verify(signature, MESSAGE)


# --- FN-DSA: Falcon, but for how keys and signatures are written (`tests.falcon`), and for what is hashed -------------


@pytest.fixture(scope="session", params=[512, 1024])
def fn_dsa(request, rust, keys) -> tuple[PrivateKey, bytes, list[int]]:
    """A key of FN-DSA, its public half as one of Falcon, and the values of that."""
    key = keys(CATALOG[f"FN-DSA-{request.param}"], "rust")
    return key, *falcon.public_key(key.secret().expanded)


def test_an_fn_dsa_key_is_one_of_falcon(fn_dsa, liboqs):
    key, public, values = fn_dsa
    secret = key.secret()
    scheme = CATALOG[key.scheme.name.replace("FN-DSA", "Falcon")]
    assert secret.expanded[scheme.private_key_bytes :] == hashlib.shake_256(secret.public).digest(64)
    assert sorted(falcon.public_values(secret.public)) == sorted(values)
    old = Secret(expanded=falcon.secret_key(secret.expanded[: scheme.private_key_bytes]), public=public)
    moved = liboqs.private_key(scheme, old)  # which signs and verifies before it believes them
    moved.public.verify(moved.sign(MESSAGE), MESSAGE)


@pytest.mark.parametrize("context", [b"", b"here"])
def test_an_fn_dsa_signature_is_one_of_mu(fn_dsa, context):
    key, public, _ = fn_dsa
    signature = key.sign_with_context(MESSAGE, context) if context else key.sign(MESSAGE)
    hashed = hashlib.shake_256(key.public.raw).digest(64)
    mu = hashlib.shake_256(hashed + b"\0" + bytes([len(context)]) + context + MESSAGE).digest(64)
    assert falcon.verifies(signature, mu, public)
    assert not falcon.verifies(signature, mu[::-1], public)
    assert not falcon.verifies(signature[:1] + mu[:40] + signature[41:], mu, public)  # another nonce


# --- Its interface is NIST's: it would do as a user's own library ---------------------------------------------------


@pytest.mark.parametrize(("name", "prefix"), [("FN-DSA-512", "fndsa512_"), ("SLH-DSA-SHA2-128f", "slhdsa_sha2_128f_")])
def test_nist_api_computes_the_same_with_it(name, prefix, rust, keys, tmp_path):
    scheme = CATALOG[name]
    path = tmp_path / "mine.toml"
    path.write_text(f"""
[scheme.Mine]
kind = "pq"
family = "Mine"
public_key_bytes = {scheme.public_key_bytes}
private_key_bytes = {scheme.private_key_bytes}
signature_bytes = {scheme.signature_bytes}
signature_length = "fixed"
library = {{ path = "{rust.library.path}", prefix = "{prefix}" }}
""")
    mine = load_catalog(path)["Mine"]
    assert backends.reason_against(mine, "nist-api") == ""
    other, key = backends.load_backend("nist-api"), keys(scheme, "rust")
    other.public_key(mine, key.public.raw).verify(key.sign(MESSAGE), MESSAGE)
    made = other.generate(mine)
    rust.public_key(scheme, made.public.raw).verify(made.sign(MESSAGE), MESSAGE)


# --- Its native loop ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["keygen", "sign", "verify"])
def test_operations_are_timed_natively(operation, rust):
    if not rust.native_loop:
        pytest.skip("no C compiler here, to make the timing loop with")
    messages = [b"message %d" % count for count in range(5)]
    for name in ("ML-DSA-44", "FN-DSA-512", "SLH-DSA-SHA2-128f"):
        times = rust.time_natively(operation, messages, scheme=CATALOG[name], keys=2)
        assert len(times) == 5
        assert min(times) > 1000


# --- What it does with broken things --------------------------------------------------------------------------------

BROKEN = """
from pqdc.errors import KeyFormatError
from pqdc.scheme import backends
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.pkcs8 import Secret
catalog, rust = load_catalog(), backends.load_backend("rust")
for name in ("ML-DSA-44", "FN-DSA-512", "SLH-DSA-SHA2-128f"):
    scheme = catalog[name]
    for byte in (0x00, 0xff, 0xa5):
        secret = Secret(expanded=bytes([byte]) * scheme.private_key_bytes, public=bytes(scheme.public_key_bytes))
        try:
            rust.private_key(scheme, secret)
        except KeyFormatError as error:
            print(error)
"""


def test_broken_keys_are_refused_and_nothing_is_printed(rust):
    """A panic in the crates is caught before it leaves the library, and says nothing."""
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 9
    assert all(line.startswith("private and public half of this key of ") for line in done.stdout.splitlines())


def test_noise_is_no_signature_and_no_key_breaks_it(rust):
    for name in ("ML-DSA-65", "FN-DSA-1024", "SLH-DSA-SHAKE-128f"):
        scheme = CATALOG[name]
        for _ in range(5):
            public = rust.public_key(scheme, os.urandom(scheme.public_key_bytes))
            with pytest.raises(BadSignature):
                public.verify(os.urandom(scheme.signature_bytes), MESSAGE)


def test_a_name_that_it_does_not_know_is_a_reason(rust, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[scheme.FN-DSA-512]\nbackends = { rust = "fndsa511" }\n')
    scheme = load_catalog(path)["FN-DSA-512"]
    assert backends.reason_against(scheme, "rust") == "the Rust crates do not compute fndsa511"
    with pytest.raises(BackendUnavailable, match="do not compute fndsa511"):
        rust.generate(scheme)


def test_without_a_build_the_reason_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setattr(rust_library, "build_folder", lambda: tmp_path / "nowhere")
    with pytest.raises(BackendUnavailable, match=r"has not been made$") as caught:
        Rust()
    assert caught.value.hint == "run `make liboqs`"
    (tmp_path / "nowhere").mkdir()
    with pytest.raises(BackendUnavailable, match=r"is damaged$"):
        Rust()


def test_without_cargo_the_build_says_so_and_is_content(tmp_path):
    builder = Path(__file__).parents[1] / "native" / "build_rust.py"
    environ = os.environ | {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, builder], capture_output=True, text=True, check=False, env=environ, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "note: without FN-DSA and SLH-DSA, and a third ML-DSA: no cargo, which builds them\n"
    assert [path.name for path in (tmp_path / "cache" / "pqdc").iterdir()] == ["lock"]


def test_a_build_that_is_there_is_left_alone(rust):
    builder = Path(__file__).parents[1] / "native" / "build_rust.py"
    before = rust.library.path.stat()
    done = subprocess.run([sys.executable, builder], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert done.stderr.endswith(f"{rust.library.path}\n")
    assert rust.library.path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_seed_of_another_length_is_refused(rust):
    for size in (0, 31, 33):
        with pytest.raises(KeyFormatError, match=f"a seed of ML-DSA-44 has 32 bytes, this has {size}"):
            rust.generate(CATALOG["ML-DSA-44"], seed=bytes(size))
