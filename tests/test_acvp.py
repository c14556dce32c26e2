"""NIST's ACVP answers for ML-DSA (FIPS 204), read from the liboqs source that the crate brings; nothing is copied here.

What is asked of the backends: keyGen (seed to public and private key), sigVer and the signatures of sigGen with the
external interface and pure messages, in all libraries; sigGen itself, which needs the randomness set, in liboqs.

Left out, as no library has an interface for it: HashML-DSA (preHash) and the internal interface on messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.scheme import backends
from pqdc.scheme.keys import PublicKey
from pqdc.scheme.pkcs8 import Secret

SETS = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
Cases = Callable[..., list[dict[str, Any]]]
by_set = pytest.mark.parametrize("name", SETS)
by_backend = pytest.mark.parametrize("backend", ["openssl", "liboqs", "rust"])


@pytest.fixture(scope="session")
def vectors(liboqs_source) -> Path:
    folder = liboqs_source / "tests" / "ACVP_Vectors"
    if not folder.is_dir():
        pytest.skip("this liboqs source has no ACVP answers")
    return folder


@pytest.fixture(scope="session")
def cases(vectors) -> Cases:
    """The cases of one file that are of one parameter set and have the attributes asked for."""
    files: dict[str, Any] = {}

    def of(file: str, name: str, **wanted: Any) -> list[dict[str, Any]]:
        if file not in files:
            files[file] = json.loads((vectors / f"ML-DSA-{file}-FIPS204" / "internalProjection.json").read_bytes())
        groups = [
            group
            for group in files[file]["testGroups"]
            if group["parameterSet"] == name and all(group[key] == value for key, value in wanted.items())
        ]
        found = [case | {"deterministic": group.get("deterministic")} for group in groups for case in group["tests"]]
        assert len(found) >= 15, f"{file} {name}: too few answers for a test"
        return found

    return of


def load(backend: str) -> Any:
    try:
        return backends.load_backend(backend)
    except BackendUnavailable as error:
        pytest.skip(str(error))


def pure(cases: Cases, file: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for case in cases(file, name, signatureInterface="external", preHash="pure"):
        keys = ("pk", "sk", "message", "context", "signature", "rnd")
        yield case["tcId"], case | {key: bytes.fromhex(case[key]) for key in keys if key in case}


def verifies(public: PublicKey, case: dict[str, Any]) -> bool:
    try:
        if case["context"]:
            public.verify_with_context(case["signature"], case["message"], case["context"])
        else:
            public.verify(case["signature"], case["message"])
    except BadSignature:
        return False
    return True


@by_set
@by_backend
def test_keygen(name, backend, catalog, cases):
    scheme, library = catalog[name], load(backend)
    for case in cases("keyGen", name):
        seed, public, expanded = (bytes.fromhex(case[key]) for key in ("seed", "pk", "sk"))
        key = library.generate(scheme, seed=seed)
        assert key.public.raw == public, case["tcId"]
        assert key.secret().seed == seed
        if backend != "openssl":
            assert key.secret().expanded == expanded, case["tcId"]
        assert library.private_key(scheme, Secret(seed=seed, expanded=expanded, public=public)).public.raw == public
        wrong = expanded[:70] + bytes([expanded[70] ^ 1]) + expanded[71:]  # in tr, the public key's hash
        with pytest.raises(KeyFormatError, match="do not belong together"):
            library.private_key(scheme, Secret(seed=seed, expanded=wrong))


@by_set
@by_backend
def test_sigver(name, backend, catalog, cases):
    library, outcomes = load(backend), []
    for number, case in pure(cases, "sigVer", name):
        public = library.public_key(catalog[name], case["pk"])
        assert verifies(public, case) is case["testPassed"], f"{number}: {case['reason']}"
        outcomes.append(case["testPassed"])
    assert set(outcomes) == {True, False}


@by_set
@by_backend
def test_the_signatures_of_siggen_verify(name, backend, catalog, cases):
    library = load(backend)
    for number, case in pure(cases, "sigGen", name):
        public = library.public_key(catalog[name], case["pk"])
        assert verifies(public, case), number
        assert not verifies(public, case | {"message": case["message"] + b"\0"}), number


@by_set
def test_siggen(name, catalog, cases, liboqs):
    """Deterministic signing is hedged signing with 32 zeros for randomness: FIPS 204 section 3.4."""
    bare = 0
    for number, case in pure(cases, "sigGen", name):
        key = liboqs.private_key(catalog[name], Secret(expanded=case["sk"], public=case["pk"]))
        with liboqs._drawing(bytes(32) if case["deterministic"] else case["rnd"]):
            if case["context"]:
                signature = key.sign_with_context(case["message"], case["context"])
            else:
                signature = key.sign(case["message"])
                bare += 1
        assert signature == case["signature"], number
    assert bare >= 2, "one deterministic and one hedged answer without a context string"
