"""A user's own library: called as it wants to be, believed in nothing, and named for what it does wrong."""

from __future__ import annotations

import contextlib
import csv
import gc
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pqdc.cli import run
from pqdc.errors import BackendUnavailable, BadSignature, CatalogError, KeyFormatError, LibraryFault
from pqdc.scheme import backends
from pqdc.scheme.backends.nist_api import NistApi
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.nist import companion as companions
from pqdc.scheme.nist.header import read_sizes
from pqdc.scheme.pkcs8 import Secret
from tests.own import EXAMPLE, compile_library, declare, needs_compiler, scheme_of

MESSAGE = b"a message that is signed"
pytestmark = needs_compiler


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture
def nist_api():
    return NistApi()


def works(backend, scheme) -> bool:
    key = backend.generate(scheme)
    key.public.verify(key.sign(MESSAGE), MESSAGE)
    with pytest.raises(BadSignature):
        key.public.verify(key.sign(MESSAGE), MESSAGE + b"\0")
    return True


# --- Shapes: how libraries want to be called ----------------------------------------------------------------------

SHAPES = {
    "signature first": (),
    "message first": ("SHAPE_MESSAGE_FIRST",),
    "message in the middle": ("BEFORE=16",),
    "detached": ("SHAPE_DETACHED",),
    "crypto_sign_signature and crypto_sign_open": ("SHAPE_SIGNATURE_AND_OPEN",),
    "crypto_sign and crypto_sign_verify": ("SHAPE_SIGN_AND_VERIFY",),
    "a context string": ("SHAPE_CONTEXT",),
    "a context string, detached": ("SHAPE_DETACHED", "SHAPE_CONTEXT"),
    "a randombytes of its own": ("OWN_RANDOMBYTES=1",),
    "a library that prints": ("FAULT_PRINTS",),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_signs_and_verifies(folder, nist_api, shape):
    scheme = scheme_of(compile_library(folder, *shape))
    assert nist_api.reason_against(scheme) == ""
    assert works(nist_api, scheme)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("operation", ["keygen", "sign", "verify"])
def test_every_shape_is_timed_natively(folder, nist_api, shape, operation):
    scheme = scheme_of(compile_library(folder, *shape))
    times = nist_api.time_natively(operation, [os.urandom(130) for _ in range(20)], scheme=scheme, keys=3, samples=30)
    assert len(times) == 30
    assert min(times) > 0


def test_the_place_of_the_message_is_found(folder, nist_api):
    """In all four the signature is what stands around the message."""
    for shape in ((), ("SHAPE_MESSAGE_FIRST",), ("BEFORE=16",), ("SHAPE_DETACHED",)):
        key = nist_api.generate(scheme_of(compile_library(folder, *shape)))
        signature = key.sign(MESSAGE)
        assert len(signature) == 48
        assert MESSAGE not in signature


def test_a_prefix_is_put_before_every_name(folder, nist_api):
    library = compile_library(folder, "PREFIX=mine_")
    assert works(nist_api, scheme_of(library, prefix="mine_"))
    assert nist_api.reason_against(scheme_of(library)).endswith(
        "it exports no crypto_sign_keypair; library.prefix declares what stands before its names"
    )


def test_the_short_names_of_the_dilithium_authors_are_known(folder, nist_api):
    """`pqcrystals_dilithium2_ref_keypair`, `..._signature`, `..._verify`, which take a context string too."""
    library = compile_library(folder, "PREFIX=mine_ref_", "SHAPE_SHORT_NAMES", "SHAPE_DETACHED", "SHAPE_CONTEXT")
    scheme = scheme_of(library, prefix="mine_ref_")
    assert works(nist_api, scheme)
    assert "signs by mine_ref_signature, verifies by mine_ref_verify; with an empty c" in nist_api.describe(scheme)


def test_libraries_with_the_same_names_are_kept_apart(folder, nist_api):
    """Both export `crypto_sign_keypair` and `randombytes`; each draws what its own `randombytes` gives."""
    first, second = (
        nist_api.generate(scheme_of(compile_library(folder, f"OWN_RANDOMBYTES={start}"))).secret().expanded
        for start in (1, 101)
    )
    assert {first[1] - first[0], second[1] - second[0]} == {1}
    assert first[:32] != second[:32]


# --- Faults, each named for what it does --------------------------------------------------------------------------

FAULTS = {
    "FAULT_SEGFAULT_IN_KEYPAIR": r"crypto_sign_keypair crashes: its process died of SIGSEGV",
    "FAULT_CONSTRUCTOR": r"loading it crashes: its process died of SIGSEGV",
    "FAULT_SEGFAULT_IN_SIGN": r"crypto_sign crashes: its process died of SIGSEGV",
    "FAULT_SEGFAULT_IN_VERIFY": r"crypto_sign_open crashes: its process died of SIGSEGV",
    "FAULT_HANG_IN_SIGN": r"crypto_sign hangs: it does not return within 1 s",
    "FAULT_SLEEP_IN_SIGN": r"crypto_sign hangs: it does not return within 1 s",
    "FAULT_HANG_IN_VERIFY": r"crypto_sign_open hangs: it does not return within 1 s",
    "FAULT_EXITS": r"crypto_sign does not return: it ends its process, with status 3",
    "FAULT_HEAP": r"crypto_sign crashes: its process died of SIGABRT: free\(\): double free detected",
    "FAULT_KEYPAIR_FAILS": r"crypto_sign_keypair fails: it returned 7",
    "FAULT_SIGN_FAILS": r"crypto_sign fails: it returned -1",
    "FAULT_PUBLIC_KEY_TOO_LONG": (
        r"crypto_sign_keypair writes past its buffer: 9 bytes past the end of the public key, which has 32"
    ),
    "FAULT_BEFORE_THE_START": (
        r"crypto_sign_keypair writes past its buffer: 3 bytes before the start of the secret key, which has 64"
    ),
    "FAULT_SIGNATURE_TOO_LONG": r"crypto_sign writes past its buffer: 5 bytes past the end of the signed message",
    "FAULT_FAR_BEYOND": r"crypto_sign_keypair crashes: its process died of SIGSEGV",
    "FAULT_LENGTH_IS_A_LIE": r"crypto_sign makes a signature of 51 bytes, 48 are declared",
    "FAULT_LENGTH_IS_ENORMOUS": r"crypto_sign makes a signature of 18446744073709551\d+ bytes, 48 are declared",
    "FAULT_ACCEPTS_EVERYTHING": (
        r"crypto_sign_open accepts everything: a signature of another message, random bytes, zeros, a signature by "
    ),
    "FAULT_REJECTS_EVERYTHING": r"crypto_sign_open rejects a signature that crypto_sign has made",
    "FAULT_IGNORES_THE_KEY": r"crypto_sign_open rejects a signature that crypto_sign has made",
    "FAULT_WRITES_INTO_THE_KEY": r"crypto_sign writes into what it may only read: the secret key",
    "SHAPE_MESSAGE_RECOVERY": r"the message does not stand in what crypto_sign makes",
    "FAULT_UNRESOLVED": r"cannot be loaded: undefined symbol: keccak_of_somebody_else",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(folder, nist_api, fault):
    scheme = scheme_of(compile_library(folder, fault), seconds=1 if "HANG" in fault or "SLEEP" in fault else 20)
    assert re.search(FAULTS[fault], nist_api.reason_against(scheme)), nist_api.reason_against(scheme)
    with pytest.raises(LibraryFault, match=FAULTS[fault]):
        nist_api.generate(scheme)


LIES = {
    "a shorter public key": ({"public_key_bytes": 40}, "writes 32 bytes of public key, 40 are declared"),
    "a longer public key": ({"public_key_bytes": 24}, "8 bytes past the end of the public key, which has 24"),
    "a shorter secret key": ({"private_key_bytes": 80}, "writes 64 bytes of secret key, 80 are declared"),
    "a longer secret key": ({"private_key_bytes": 32}, "32 bytes past the end of the secret key, which has 32"),
    "a shorter signature": ({"signature_bytes": 64}, "makes a signature of 48 bytes, 64 are declared"),
    "a longer signature": ({"signature_bytes": 40}, "8 bytes past the end of the signed message"),
}


@pytest.mark.parametrize(("declared", "named"), LIES.values(), ids=LIES)
def test_a_lie_about_sizes_is_named(folder, nist_api, declared, named):
    assert named in nist_api.reason_against(scheme_of(compile_library(folder), **declared))


def test_a_fault_after_the_proof_is_an_error_and_the_next_call_has_a_new_process(folder, nist_api):
    scheme = scheme_of(compile_library(folder, "FAULT_SEGFAULT_AT_THE_SIGNATURE=10"))
    key = nist_api.generate(scheme)
    with pytest.raises(LibraryFault, match=r"^crypto_sign crashes: its process died of SIGSEGV$"):
        [key.sign(MESSAGE) for _ in range(10)]
    key.public.verify(key.sign(MESSAGE), MESSAGE)


def test_a_fault_in_the_native_loop_is_an_error(folder, nist_api):
    scheme = scheme_of(compile_library(folder, "FAULT_SEGFAULT_AT_THE_SIGNATURE=10"))
    with pytest.raises(LibraryFault, match=r"^the native loop crashes: its process died of SIGSEGV$"):
        nist_api.time_natively("sign", [MESSAGE] * 30, scheme=scheme)


def test_a_file_that_is_missing_or_no_library_is_a_reason(folder, nist_api):
    assert re.search("cannot be loaded: .*No such file", nist_api.reason_against(scheme_of(folder / "nowhere.so")))
    text = folder / "text.so"
    text.write_text("no library")
    assert re.search("text.so cannot be loaded: ", nist_api.reason_against(scheme_of(text)))


def test_without_a_compiler_a_library_with_its_own_randombytes_still_works(folder, monkeypatch, tmp_path):
    own = scheme_of(compile_library(folder, "OWN_RANDOMBYTES=1"))
    lacking = scheme_of(compile_library(folder, "SHAPE_DETACHED"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    backend = NistApi()
    assert works(backend, own)
    with pytest.raises(BackendUnavailable, match="no C compiler"):
        backend.time_natively("sign", [MESSAGE], scheme=own)
    reason = backend.reason_against(lacking)
    wanted = "cannot be loaded: it lacks randombytes, and there is no C compiler (no-such-compiler) to make"
    assert wanted in reason
    assert backend.versions()["companion of nist-api"].startswith("none: ")


def test_a_companion_that_does_not_compile_is_a_reason(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    with pytest.raises(BackendUnavailable, match=r"^false does not compile companion\.c: exit 1$"):
        companions.companion(os.environ)
    assert [path.name for path in tmp_path.glob("pqdc/*/*")] == []


# --- Keys ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def toy(folder):
    return scheme_of(compile_library(folder), name="Toy")


def test_a_private_key_is_made_again_from_its_bytes(nist_api, toy):
    key = nist_api.generate(toy)
    again = nist_api.private_key(toy, key.secret())
    key.public.verify(again.sign(MESSAGE), MESSAGE)


def test_a_private_key_that_is_none_is_refused(nist_api, toy):
    secret, other = nist_api.generate(toy).secret(), nist_api.generate(toy).secret()
    for broken, said in (
        (Secret(expanded=secret.expanded[:-1], public=secret.public), "has 64 bytes, this one has 63"),
        (Secret(expanded=secret.expanded), "needs its public key"),
        (Secret(expanded=secret.expanded, public=other.public), "do not belong together"),
        (Secret(seed=bytes(32)), "not made from a seed"),
    ):
        with pytest.raises(KeyFormatError, match=said):
            nist_api.private_key(toy, broken)
    with pytest.raises(KeyFormatError, match="not made from a seed"):
        nist_api.generate(toy, seed=bytes(32))
    with pytest.raises(KeyFormatError, match="has 32 bytes, this one has 31"):
        nist_api.public_key(toy, secret.public[:-1])


def test_a_wrong_length_never_reaches_the_library(nist_api, toy, monkeypatch):
    key = nist_api.generate(toy)
    monkeypatch.setattr(nist_api._engine(toy), "verify", lambda *_: pytest.fail("the library was asked"))
    with pytest.raises(BadSignature, match="has 48 bytes, this has 47"):
        key.public.verify(bytes(47), MESSAGE)


def test_a_message_that_no_pipe_takes_is_refused(nist_api, toy):
    with pytest.raises(LibraryFault, match="are more than a frame of"):
        nist_api.generate(toy).sign(bytes(2**26))
    assert works(nist_api, toy)


def test_versions_name_each_library_by_its_bytes(folder):
    library, backend = compile_library(folder), NistApi()
    assert set(backend.versions()) == {"companion of nist-api"}
    works(backend, scheme_of(library))
    digest = hashlib.sha256(library.read_bytes()).hexdigest()[:16]
    assert backend.versions()["libtoy.so"] == f"SHA-256 {digest}"


# --- Handshakes, benchmarks -----------------------------------------------------------------------------------------


FACTS = {"oid": '"2.999.1"', "code_point": 0xFE42}


@pytest.fixture
def cli(capsys, monkeypatch):
    monkeypatch.delenv("PQDC_ALGORITHMS", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("FAULT_SEGFAULT_AT_THE_SIGNATURE=6", "crypto_sign crashes: its process died of SIGSEGV"),
        ("FAULT_ACCEPTS_EVERYTHING", "crypto_sign_open accepts everything"),
    ],
)
def test_a_handshake_over_a_library_that_fails_ends_with_its_name(folder, cli, fault, said):
    library = compile_library(folder, fault)
    scheme_of(library, **FACTS)
    status, _, error = cli("handshake", "--scheme", "Mine", "--algorithms", library.with_suffix(".toml"))
    assert status == 1
    assert said in error
    assert len(error.splitlines()) == 1


def test_every_command_names_the_fault(folder, cli, tmp_path):
    """doctor, schemes, scheme check and the rows of a table; a library beside it that works is measured."""
    broken, works_too = compile_library(folder, "FAULT_PUBLIC_KEY_TOO_LONG"), compile_library(folder)
    overlay, said = tmp_path / "two.toml", "crypto_sign_keypair writes past its buffer: 9 bytes past the end of the pub"
    second = {"oid": '"2.999.2"', "code_point": 0xFE43}
    overlay.write_text(declare(broken, name="Broken", **FACTS) + declare(works_too, name="Works", **second))
    at = ("--algorithms", overlay)
    status, out, _ = cli("doctor", *at)
    assert (status, said in out) == (1, True)
    _, _, error = cli("schemes", "Broken", *at)
    assert said in error
    status, out, _ = cli("scheme", "check", "Broken", "--json", *at)
    assert (status, said in out) == (1, True)
    status, out, error = cli("bench", "--quick", "Broken", "Works", "--out", tmp_path / "results", *at)
    assert status == 0, error
    _, table, _ = cli("table", out.strip(), "--to", "csv")
    rows = {row["scheme"]: row for row in csv.DictReader(line for line in table.splitlines() if line[:1] != "#")}
    assert said in str(rows["Broken"])
    assert said not in str(rows["Works"])


# --- Processes ----------------------------------------------------------------------------------------------------


def children() -> set[int]:
    """The processes that have this one for a parent and run a worker."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(re.search(r"^PPid:\s*(\d+)", (folder / "status").read_text(), re.MULTILINE)[1])
            if parent == os.getpid() and b"nist.worker" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
        except (OSError, TypeError):
            continue
    return found


has_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc to see processes in")


@has_proc
def test_nothing_secret_is_in_arguments_or_environment(nist_api, toy):
    before = children()
    key = nist_api.generate(toy)
    (child,) = children() - before
    key.sign(MESSAGE)
    secret = key.secret().expanded
    for name in ("cmdline", "environ"):
        told = Path(f"/proc/{child}/{name}").read_bytes()
        assert told
        assert secret not in told
        assert secret.hex().encode() not in told


@has_proc
def test_a_process_ends_with_its_backend(folder):
    before = children()
    backend = NistApi()
    works(backend, scheme_of(compile_library(folder)))
    assert len(children() - before) == 1
    del backend
    gc.collect()
    assert children() - before == set()


@has_proc
def test_a_process_that_fails_its_proof_is_ended(folder, nist_api):
    before = children()
    nist_api.reason_against(scheme_of(compile_library(folder, "FAULT_HANG_IN_VERIFY"), seconds=0.5))
    assert children() - before == set()


@has_proc
def test_what_a_library_starts_ends_with_it(folder):
    before = children()
    backend = NistApi()
    works(backend, scheme_of(compile_library(folder, "FAULT_FORKS")))
    (worker,) = children() - before
    assert len(group_of(worker)) > 1
    del backend
    gc.collect()
    end = time.monotonic() + 20
    while group_of(worker):  # the kernel needs a moment to end them, and whoever adopts them to take them in
        assert time.monotonic() < end
        time.sleep(0.05)


def group_of(leader: int) -> list[int]:
    """The processes of a group that still run."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group = file.read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state != "Z":
                found.append(int(file.parent.name))
    return found


KILLED_WHILE_HANGING = """
import sys, threading
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.nist.process import LibraryProcess
from pqdc.scheme.nist.companion import companion
import os
scheme = load_catalog(sys.argv[1])["Mine"]
process = LibraryProcess(scheme.library, lambda: companion(os.environ))
process.start()
print(process._child.pid, flush=True)
process.call("crypto_sign", b"m", bytes(64), b"48")
"""


@has_proc
@pytest.mark.parametrize("fault", ["FAULT_HANG_IN_SIGN", "FAULT_SLEEP_IN_SIGN"])
def test_a_library_that_hangs_does_not_outlive_pqdc(folder, fault):
    library = compile_library(folder, fault)
    scheme_of(library, seconds=60)
    command = [sys.executable, "-c", KILLED_WHILE_HANGING, str(library.with_suffix(".toml"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    end = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < end, "the worker is still there"
        time.sleep(0.05)


class Interrupted(BaseException):
    """As KeyboardInterrupt, which pytest would take for the user's."""


def stop(process: int) -> None:
    """Stop it, and wait until it has been."""
    end = time.monotonic() + 20
    os.kill(process, signal.SIGSTOP)
    while Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < end, "it goes on"
        time.sleep(0.001)


@has_proc
def test_an_interrupt_leaves_no_answer_for_the_next_question(folder, nist_api):
    scheme = scheme_of(compile_library(folder))
    key = nist_api.generate(scheme)

    def interrupt(*_: object) -> None:
        raise Interrupted

    def sign_until_interrupted() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        key.sign(MESSAGE)

    before = signal.signal(signal.SIGALRM, interrupt)
    stop(nist_api._engine(scheme).process._child.pid)  # so that there is no answer before
    try:
        with pytest.raises(Interrupted):
            sign_until_interrupted()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    key.public.verify(key.sign(MESSAGE), MESSAGE)


def test_a_fork_has_a_process_of_its_own(nist_api, toy):
    key = nist_api.generate(toy)
    parent = nist_api._engine(toy).process._child.pid
    if (child := os.fork()) == 0:
        key.public.verify(key.sign(MESSAGE), MESSAGE)
        os._exit(0 if nist_api._engine(toy).process._child.pid != parent else 1)
    assert os.waitpid(child, 0)[1] == 0
    key.public.verify(key.sign(MESSAGE), MESSAGE)
    assert nist_api._engine(toy).process._child.pid == parent


def test_threads_take_turns(nist_api, toy):
    key, wrong = nist_api.generate(toy), []

    def use(number: int) -> None:
        for count in range(20):
            message = b"%d %d" % (number, count)
            try:
                key.public.verify(key.sign(message), message)
            except BadSignature as error:
                wrong.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- What is declared ---------------------------------------------------------------------------------------------

HEADERS = {
    "numbers": (
        "#define CRYPTO_BYTES 48\n#define CRYPTO_PUBLICKEYBYTES 0x20\n",
        {"signature_bytes": 48, "public_key_bytes": 32},
    ),
    "arithmetic": ("#define N 16\n# define CRYPTO_BYTES (N + 2*N) // three\n", {"signature_bytes": 48}),
    "a suffix": ("#define CRYPTO_SECRETKEYBYTES 64UL /* bytes */\n", {"private_key_bytes": 64}),
    "a prefix": ("#define PQCLEAN_MINE_CLEAN_CRYPTO_BYTES 48\n", {"signature_bytes": 48}),
    "through itself": ("#define A B\n#define B A\n#define CRYPTO_BYTES A\n", {}),
    "a function": ("#define CRYPTO_BYTES sizeof(struct signature)\n", {}),
    "by zero": ("#define CRYPTO_BYTES 1/0\n", {}),
    "beyond all bounds": ("#define A (9999*9999)\n#define B A*A*A*A*A\n#define CRYPTO_BYTES B\n", {}),
    "commented out": ("/* #define CRYPTO_BYTES 1 */\n// #define CRYPTO_BYTES 2\n", {}),
}


@pytest.mark.parametrize(("text", "sizes"), HEADERS.values(), ids=HEADERS)
def test_sizes_are_read_from_a_header(text, sizes):
    assert read_sizes(text) == sizes


def test_of_two_prefixes_the_declared_one_counts():
    text = "#define A_CRYPTO_BYTES 1\n#define B_CRYPTO_BYTES 2\n"
    assert read_sizes(text, "b_") == {"signature_bytes": 2}
    with pytest.raises(ValueError, match="1 and 2"):
        read_sizes(text)


def test_a_header_of_many_macros_is_read_in_no_time():
    chain = "".join(f"#define M{i} (M{i + 1}+M{i + 1}+M{i + 1})\n" for i in range(3000))
    start = time.process_time()
    read_sizes(chain + "#define M3000 1\n#define CRYPTO_BYTES M0\n")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('library = "libtoy.so"', "scheme.Mine.library: expected a table with a path"),
        ("library = { prefix = 'x' }", "scheme.Mine.library: expected a table with a path"),
        ("library = { path = 'x.so', name = 'y' }", "scheme.Mine.library.name: unknown key"),
        ("library = { path = 'x.so', prefix = 1 }", "scheme.Mine.library.prefix: expected text, got 1"),
        ("library = { path = 'x.so', seconds = 0 }", "scheme.Mine.library.seconds: expected seconds up to 3600, got 0"),
        ("library = { path = 'x.so', header = 'nowhere.h' }", "scheme.Mine.library.header: .*nowhere.h: no such file"),
        ("library = { path = 'x.so' }", "scheme.Mine.private_key_bytes: expected an integer, got nothing"),
        (
            "signature_bytes = 49\nlibrary = { path = 'x.so', header = 'api.h' }",
            "scheme.Mine.signature_bytes: expected 48 as CRYPTO_BYTES in api.h, got 49",
        ),
        ("library = { path = 'x.so', header = 'empty.h' }", "expected a number for CRYPTO_PUBLICKEYBYTES in empty.h"),
    ],
)
def test_a_table_that_is_wrong_is_told(tmp_path, table, said):
    (tmp_path / "api.h").write_bytes((EXAMPLE / "api.h").read_bytes())
    (tmp_path / "empty.h").write_text("#pragma once\n")
    overlay = tmp_path / "mine.toml"
    overlay.write_text(f'[scheme.Mine]\nkind = "pq"\nfamily = "Mine"\nsignature_length = "fixed"\n{table}\n')
    with pytest.raises(CatalogError, match=said):
        load_catalog(overlay)


def test_declared_sizes_and_those_of_a_header_give_the_same_scheme(folder, nist_api, tmp_path):
    library = compile_library(folder)
    (tmp_path / "api.h").write_bytes((EXAMPLE / "api.h").read_bytes())
    overlay = tmp_path / "mine.toml"
    overlay.write_text(
        '[scheme.Mine]\nkind = "pq"\nfamily = "Mine"\nsignature_length = "fixed"\n'
        f'library = {{ path = "{library}", header = "api.h" }}\n'
    )
    scheme, declared = load_catalog(overlay)["Mine"], scheme_of(library)
    for fact in ("public_key_bytes", "private_key_bytes", "signature_bytes", "private_key", "library"):
        assert getattr(scheme, fact) == getattr(declared, fact) or fact == "library"
    assert nist_api.reason_against(scheme) == ""
    assert backends.reason_against(scheme, "liboqs").startswith("the catalog lists no backend liboqs")
