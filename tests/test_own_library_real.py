"""Libraries as their authors wrote them: ML-DSA's reference code and PQClean's Falcon, from the liboqs source.

They are compiled without randomness, as a submission is, and loaded as a user's. Official known answers come out of
them to the byte, and keys and signatures cross with the other backends.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from pqdc.errors import BadSignature
from pqdc.scheme import backends
from pqdc.scheme.backends.nist_api import NistApi
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.pkcs8 import Secret
from tests.conftest import CATALOG
from tests.own import COMPILER, needs_compiler
from tests.own.answers import answers

pytestmark = needs_compiler
MESSAGE = b"a message that both sign"
HEADERS = ("common.h", "rand/rand.h", "sha3/sha3.h", "sha3/sha3x4.h", "sha3/sha3_ops.h", "sha3/sha3x4_ops.h")
# The source's folder, and what it is compiled with.
SOURCES = {
    "ML-DSA-44": ("ml_dsa/pqcrystals-dilithium-standard_ml-dsa-44_ref", "-DDILITHIUM_MODE=2"),
    "Falcon-512": ("falcon/pqclean_falcon-512_clean", "-DPQCLEAN"),
}
TABLES = {
    "ML-DSA-44": """
        signature_length = "fixed"
        public_key_bytes = 1312
        private_key_bytes = 2560
        signature_bytes = 2420
        library = { path = "lib.so", prefix = "pqcrystals_ml_dsa_44_ref_" }
    """,
    "Falcon-512": """
        signature_length = "max"
        library = { path = "lib.so", prefix = "PQCLEAN_FALCON512_CLEAN_", header = "api.h" }
    """,
}


def compile_source(root: Path, folder: Path, name: str) -> Path:
    """lib.so of one implementation and the Keccak that it wants; its draws are left to `randombytes`."""
    place, define = SOURCES[name]
    code, common = root / "src" / "sig" / place, root / "src" / "common"
    (folder / "oqs").mkdir()
    (folder / "oqs" / "oqsconfig.h").write_text('#define OQS_VERSION_TEXT ""\n')  # plain C, nothing else
    (folder / "oqs" / "oqs.h").write_text("".join(f"#include <oqs/{Path(header).name}>\n" for header in HEADERS))
    for header in HEADERS:
        (folder / "oqs" / Path(header).name).write_bytes((common / header).read_bytes())
    keccak = [*common.glob("sha3/xkcp_low/*/plain-64bits/*.c"), *common.glob("sha3/xkcp_low/*/serial/*.c")]
    sha3 = [common / "sha3" / file for file in ("sha3.c", "sha3x4.c", "xkcp_sha3.c", "xkcp_sha3x4.c")]
    includes = [folder, code, common, common / "sha3", common / "pqclean_shims", *{file.parent for file in keccak}]
    command = [str(COMPILER), "-O2", "-w", "-shared", "-fPIC", define, "-DOQS_randombytes=randombytes"]
    command += [f"-I{include}" for include in includes]
    files = [*code.glob("*.c"), *sha3, *keccak, common / "common.c"]
    subprocess.run([*command, *map(str, files), "-o", str(folder / "lib.so")], check=True)
    if (code / "api.h").is_file():
        (folder / "api.h").write_bytes((code / "api.h").read_bytes())
    overlay = folder / "own.toml"
    overlay.write_text(f'[scheme.Own]\nkind = "pq"\nfamily = "Own"\n{TABLES[name]}')
    return overlay


@pytest.fixture(scope="session", params=SOURCES)
def real(request, liboqs_source, tmp_path_factory):
    overlay = compile_source(liboqs_source, tmp_path_factory.mktemp("real"), request.param)
    return CATALOG[request.param], load_catalog(overlay)["Own"], NistApi()


def test_it_is_found_out_how_it_wants_to_be_called(real):
    known, own, backend = real
    assert backend.reason_against(own) == ""
    told = backend.describe(own)
    assert "randombytes is supplied by pqdc" in told
    assert ("with an empty context string" in told) is (known.name == "ML-DSA-44")
    assert (own.public_key_bytes, own.signature_bytes) == (known.public_key_bytes, known.signature_bytes)


def test_keys_and_signatures_cross_with_the_other_backends(real):
    known, own, backend = real
    mine = backend.generate(own)
    for name in backends.available(known):
        other = backends.load_backend(name)
        other.public_key(known, mine.public.raw).verify(mine.sign(MESSAGE), MESSAGE)
        theirs = other.generate(known)
        public = backend.public_key(own, theirs.public.raw)
        public.verify(theirs.sign(MESSAGE), MESSAGE)
        with pytest.raises(BadSignature):
            public.verify(theirs.sign(MESSAGE), MESSAGE + b"\0")


def test_a_private_key_of_liboqs_signs_there(real, liboqs):
    known, own, backend = real
    key = liboqs.generate(known)
    moved = backend.private_key(own, Secret(expanded=key.secret().expanded, public=key.public.raw))
    key.public.verify(moved.sign(MESSAGE), MESSAGE)


def test_official_known_answers_come_out_of_it(real, liboqs_source):
    known, own, backend = real
    official = json.loads((liboqs_source / "tests" / "KATs" / "sig" / "kats.json").read_bytes())[
        known.backends["liboqs"]
    ]

    def falcon(signature: bytes, message: bytes) -> bytes:
        """Falcon's own envelope: the length without the nonce, the nonce, the message, and a header before the rest."""
        length = (len(signature) - 40).to_bytes(2, "big")
        return length + signature[1:41] + message + b"\x29" + signature[41:]

    seal = {"seal": falcon} if known.name == "Falcon-512" else {}
    text = answers(known.name, lambda *of: backend.repeat(own, *of), count=1, head=False, **seal)
    assert hashlib.sha256(text.encode()).hexdigest() == official["single"]


@pytest.mark.parametrize("operation", ["keygen", "sign", "verify"])
def test_it_is_timed_natively(real, operation):
    _, own, backend = real
    times = backend.time_natively(operation, [os.urandom(130) for _ in range(5)], scheme=own, keys=2, samples=6)
    assert len(times) == 6
    assert min(times) > 1000  # a microsecond, less than which no such scheme takes
