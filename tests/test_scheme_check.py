"""`pqdc scheme check`: each question finds what it is for; known answers are read within bounds, and tried."""

from __future__ import annotations

import hashlib
import itertools
import json
import mmap
import os
import time
from dataclasses import replace

import pytest

from pqdc.check import Extent, examine
from pqdc.check.evidence import gather
from pqdc.check.known_answers import MOST_ANSWERS, known_answers, read_answers
from pqdc.cli import run
from pqdc.errors import BackendUnavailable, FileError, KeyFormatError
from pqdc.measure.account import of_scheme
from pqdc.scheme import backends
from pqdc.scheme.backends.nist_api import NistApi
from pqdc.scheme.drbg import CtrDrbg
from pqdc.scheme.footprint import footprint
from tests.conftest import CATALOG, NOW
from tests.own import EXAMPLE, compile_library, needs_compiler, scheme_of
from tests.own.answers import answers, toy_answers

PAGE = mmap.PAGESIZE
LITTLE = Extent(keys=4, signatures=25, seconds=5, clock=time.monotonic, randbytes=os.urandom)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("checked")


@pytest.fixture
def check(folder, monkeypatch):
    """The findings about a library of the user's, by question."""

    def ask(*defines: str, extent: Extent = LITTLE, **declared: object):
        scheme, backend = scheme_of(compile_library(folder, *defines), **declared), NistApi()
        monkeypatch.setattr(backends, "choose", lambda *_: backend)
        report = examine(scheme, None, extent, catalog=CATALOG, leaf_scheme=CATALOG["P-256"], now=NOW)
        return {finding.question: finding for finding in report.findings}, report

    return ask


@needs_compiler
def test_a_toy_without_fault_passes_every_question(check):
    findings, report = check()
    assert {finding.verdict for name, finding in findings.items() if name != "fits a credential"} == {"passed"}
    assert "no TLS code point" in findings["fits a credential"].seen  # nothing is declared that could go into it
    assert findings["library"].seen == (
        "libtoy.so: signs by crypto_sign, verifies by crypto_sign_open; the message stands after the signature; "
        "randombytes is supplied by pqdc"
    )
    assert findings["failure rate"].figures["signatures"] == 100
    assert findings["failure rate"].figures["below"] == pytest.approx(0.0295, abs=0.0001)
    assert not findings["determinism"].figures["deterministic"]
    assert report.verdict == "noted"


FAULTS = {
    "FAULT_SAME_KEY_EACH_TIME": ("keys", "failed", "3 of 4 keys had been made before: they are not drawn at random"),
    "FAULT_EVERY_FIFTH_KEY": ("keys", "failed", "1 of 4 keys are not made: crypto_sign_keypair fails: it returned -1"),
    "FAULT_EVERY_TWENTIETH": ("failure rate", "failed", " of 100 signatures by 4 keys failed: the Mine signature does"),
    "FAULT_EMPTY_MESSAGE": ("message lengths", "failed", "crypto_sign fails: it returned -1"),
    "FAULT_MALLEABLE": ("flipped bits", "noted", "malleable: 8 of 384 bits may be flipped, such as bit "),
    "FAULT_END_OF_MESSAGE": ("another message", "failed", "changed messages are accepted"),
    "FAULT_DETERMINISTIC": ("determinism", "passed", "the same signature each time"),
}


@needs_compiler
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_its_question(check, fault):
    findings, report = check(fault)
    question, verdict, said = FAULTS[fault]
    assert said in findings[question].seen
    assert findings[question].verdict == verdict
    others = {finding.question for finding in findings.values() if finding.verdict == "failed"} - {question}
    assert others == set()
    assert (report.verdict == "failed") is (verdict == "failed")


@needs_compiler
def test_without_a_key_there_is_nothing_more_to_ask(check):
    findings, report = check("FAULT_AFTER_TWO_KEYS")
    assert list(findings) == ["library", "keys"]
    assert findings["keys"].seen == "4 of 4 keys are not made: crypto_sign_keypair fails: it returned -1"
    assert report.verdict == "failed"


@needs_compiler
def test_malleability_is_seen_by_other_changes_too(check):
    findings, _ = check("FAULT_MALLEABLE")
    assert findings["other changes"].verdict == "noted"
    assert set(findings["other changes"].figures["accepted"]) <= {"last byte zero", "last byte 0xff"}


@needs_compiler
@pytest.mark.parametrize("stack", [50_000, 400_000])
def test_the_stack_is_measured_in_the_library_s_process(check, stack):
    findings, _ = check(f"FAULT_MUCH_STACK={stack}")
    memory = findings["memory"]
    if memory.verdict == "skipped":
        pytest.skip(memory.seen)
    assert abs(memory.figures["sign"]["stack_bytes"] - stack) < 4 * PAGE
    assert memory.figures["keygen"]["stack_bytes"] < 4 * PAGE
    assert memory.verdict == ("noted" if stack > 2**17 else "passed")


@needs_compiler
def test_a_library_that_fails_its_proof_is_a_report(folder, capsys):
    library = compile_library(folder, "FAULT_ACCEPTS_EVERYTHING")
    scheme_of(library)
    status = run(["scheme", "check", "Mine", "--json", "--algorithms", str(library.with_suffix(".toml"))])
    report = json.loads(capsys.readouterr().out)
    assert status == 1
    assert report["verdict"] == "failed"
    (finding,) = report["findings"]
    assert finding["question"] == "library"
    assert "accepts everything" in finding["seen"]


def test_a_scheme_that_nobody_computes_is_an_error(capsys):
    assert run(["scheme", "check", "ML-DSA-44", "--backend", "nist-api"]) == 1
    assert "the catalog lists no backend nist-api" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["scheme"], ["scheme", "chekc"], ["scheme", "check"], ["scheme", "check", "X", "--keys", "1"]]
)
def test_wrong_use_is_one_line(arguments, capsys):
    assert run(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_report_is_printed_and_given_as_json(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    arguments = ["scheme", "check", "Ed25519", "--keys", "3", "--signatures", "2", "--seconds", "1"]
    assert run(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Ed25519 by openssl\n")
    assert printed.endswith("\npassed: 15 passed\n")
    assert run([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["scheme"], report["backend"], report["verdict"]) == ("Ed25519", "openssl", "passed")
    assert {finding["question"] for finding in report["findings"]} >= {"memory", "first window", "signature size"}
    sizes = next(finding["figures"] for finding in report["findings"] if finding["question"] == "signature size")
    assert (sizes["counts"], sizes["signatures"]) == ({"64": 6}, 6)


def test_signatures_that_vary_are_told_by_length():
    scheme = CATALOG["ECDSA-P256"]
    extent = replace(LITTLE, keys=10, signatures=30)
    report = examine(scheme, "openssl", extent, catalog=CATALOG, leaf_scheme=scheme, now=NOW)
    sizes = next(finding for finding in report.findings if finding.question == "signature size")
    assert sizes.verdict == "passed"
    assert sum(sizes.figures["counts"].values()) == 300
    assert sizes.figures["min"] < sizes.figures["median"] <= sizes.figures["max"] <= 72


def test_a_scheme_too_large_for_a_credential_says_so(liboqs):
    extent = replace(LITTLE, keys=2, signatures=2, seconds=0)
    scheme = CATALOG["OV-Is"]
    report = examine(scheme, "liboqs", extent, catalog=CATALOG, leaf_scheme=CATALOG["P-256"], now=NOW)
    findings = {finding.question: finding for finding in report.findings}
    assert findings["fits a credential"].verdict == "noted"
    assert "an extension holds 65,531" in findings["fits a credential"].seen
    assert "first window" not in findings


def test_when_the_time_is_over_the_least_is_still_done():
    clock = itertools.count()
    extent = Extent(keys=100, signatures=100, seconds=5, clock=lambda: next(clock), randbytes=os.urandom)
    evidence = gather(CATALOG["Ed25519"], backends.load_backend("openssl"), extent)
    assert 2 <= evidence.keys < 100
    assert evidence.attempts >= evidence.keys


# --- Known answers ------------------------------------------------------------------------------------------------


def test_the_generator_gives_the_seeds_of_every_nist_file():
    """Of all submissions, count 0 and count 1 have these: `randombytes_init` with 0 to 47, then draws of 48 bytes.

    Between them stands the draw of the first message, of 33 bytes.
    """
    generator = CtrDrbg(bytes(range(48)))
    assert generator.draw(48).hex() == (
        "061550234d158c5ec95595fe04ef7a25767f2e24cc2bc479d09d86dc9abcfde7056a8c266f9ef97ed08541dbd2e1ffa1"
    )
    assert generator.draw(33).hex() == "d81c4d8d734fcbfbeade3d3f8a039faa2a2c9957e835ad55b22e75bf57bb556ac8"
    with pytest.raises(KeyFormatError, match="has 48 bytes, this has 32"):
        CtrDrbg(bytes(32))


@pytest.fixture(scope="session")
def official(liboqs_source) -> dict[str, dict[str, str]]:
    """SHA-256 of the official files, and of their first entries, by liboqs's names."""
    return json.loads((liboqs_source / "tests" / "KATs" / "sig" / "kats.json").read_bytes())


@pytest.mark.parametrize(
    "name",
    ["ML-DSA-44", "ML-DSA-87", "Dilithium3", "Falcon-padded-512", "MAYO-1", "MAYO-5", "SPHINCS+-SHA2-128f-simple"],
)
def test_official_known_answers_are_made_again_and_verify(liboqs, official, name, tmp_path):
    """The hash of what the seed gives is the official one, to the byte; then the file is read as a user's."""
    scheme = CATALOG[name]
    if not liboqs.library.version.startswith("0.13"):
        pytest.skip(f"the answers are of liboqs 0.13, this is {liboqs.library.version}")
    text = answers(name, lambda *of: liboqs.repeat(scheme, *of), count=1, head=False)
    assert hashlib.sha256(text.encode()).hexdigest() == official[scheme.backends["liboqs"]]["single"]
    file = tmp_path / "PQCsignKAT.rsp"
    file.write_text(f"# {name}\n\n{text}")
    verified, seeded = known_answers(scheme, liboqs, file, LITTLE)
    assert verified.seen == "1 of 1 signatures verify"
    assert seeded.seen == "1 of 1 seeds give the same keys and signatures"


@pytest.mark.parametrize("name", ["CROSS-RSDP-128-fast", "OV-Ip"])
def test_a_signature_that_comes_after_its_message_is_found(liboqs, official, name, tmp_path):
    scheme = CATALOG[name]
    seal = lambda signature, message: message + signature  # noqa: E731
    text = answers(name, lambda *of: liboqs.repeat(scheme, *of), count=1, seal=seal, head=False)
    if liboqs.library.version.startswith("0.13"):
        assert hashlib.sha256(text.encode()).hexdigest() == official[scheme.backends["liboqs"]]["single"]
    file = tmp_path / "after.rsp"
    file.write_text(text)
    assert [finding.verdict for finding in known_answers(scheme, liboqs, file, LITTLE)] == ["passed", "passed"]


def test_openssl_makes_the_keys_of_ml_dsa_from_the_same_seeds(liboqs, tmp_path):
    scheme, openssl = CATALOG["ML-DSA-65"], backends.load_backend("openssl")
    file = tmp_path / "mldsa.rsp"
    file.write_text(answers("ML-DSA-65", lambda *of: liboqs.repeat(scheme, *of), count=3))
    verified, seeded = known_answers(scheme, openssl, file, LITTLE)
    assert (verified.verdict, verified.seen) == ("passed", "3 of 3 signatures verify")
    assert (seeded.verdict, seeded.seen) == ("passed", "3 of 3 seeds give the same public keys")


@needs_compiler
def test_the_example_s_answers_are_what_its_library_gives(folder):
    assert toy_answers(folder) == (EXAMPLE / "toy.rsp").read_text("utf-8")


@needs_compiler
def test_a_library_with_randombytes_init_repeats_itself(folder, tmp_path):
    scheme, backend = scheme_of(compile_library(folder, "OWN_RANDOMBYTES_INIT")), NistApi()
    file = tmp_path / "own.rsp"
    file.write_text(answers("own", lambda *of: backend.repeat(scheme, *of), count=5))
    assert [finding.verdict for finding in known_answers(scheme, NistApi(), file, LITTLE)] == ["passed", "passed"]
    seeds = [backend.repeat(scheme, bytes([i]) * 48, b"m").public for i in (1, 2, 1)]
    assert seeds[0] == seeds[2] != seeds[1]
    fresh = {backend.generate(scheme).public.raw for _ in range(3)}
    assert len(fresh) == 3
    assert not fresh & set(seeds)


@needs_compiler
def test_a_library_with_its_own_randomness_takes_no_seed(folder, tmp_path):
    scheme = scheme_of(compile_library(folder, "OWN_RANDOMBYTES=1"))
    verified, seeded = known_answers(scheme, NistApi(), EXAMPLE / "toy.rsp", LITTLE)
    assert verified.verdict == "passed"
    assert seeded.verdict == "skipped"
    assert "it takes no seed" in seeded.seen


@needs_compiler
@pytest.mark.parametrize(
    ("field", "verified", "seeded"),
    [
        ("msg", "count 2: in sm of 147 bytes, no message of 99 leaves a signature", "count 2: another signature"),
        ("sm", "count 2: its signature does not verify", "count 2: another signature"),
        ("pk", "count 2: its signature does not verify", "count 2: another public key"),
        ("sk", "", "count 2: another private key"),
        ("seed", "", "count 2: another public key and another private key and another signature"),
    ],
)
def test_a_wrong_answer_is_told(folder, tmp_path, field, verified, seeded):
    lines = (EXAMPLE / "toy.rsp").read_text("utf-8").splitlines()
    place = [i for i, line in enumerate(lines) if line.startswith(f"{field} = ")][2]
    digit = lines[place][len(field) + 3]
    lines[place] = lines[place].replace(f"= {digit}", f"= {'0' if digit != '0' else '1'}", 1)
    file = tmp_path / "wrong.rsp"
    file.write_text("\n".join(lines) + "\n")
    scheme = scheme_of(compile_library(folder))
    first, second = known_answers(scheme, NistApi(), file, LITTLE)
    assert verified in first.seen
    assert first.verdict == ("failed" if verified else "passed")
    assert seeded in second.seen
    assert second.verdict == "failed"


GOOD = "count = 0\nseed = 00\nmlen = 1\nmsg = 41\npk = 00\nsk = 00\nsmlen = 2\nsm = 4142\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello\n", "line 1: `name = value` wanted, got 'hello'"),
        ("\n# only comments\n", "there is no `count = `"),
        ("mlen = 1\n", "line 1: an entry begins with `count = `, got 'mlen'"),
        (GOOD.replace("pk = 00\n", ""), "the entry of line 1 has no 'pk'"),
        (GOOD.replace("pk = 00", "pk = 0"), "the entry of line 1: hex wanted for 'pk'"),
        (GOOD.replace("mlen = 1", "mlen = one"), "the entry of line 1: a number wanted for 'mlen'"),
        (GOOD.replace("mlen = 1", "mlen = 2"), "the entry of line 1: 'msg' has 1 bytes, not 2"),
        (GOOD.replace("smlen = 2", "smlen = 3"), "the entry of line 1: 'sm' has 2 bytes, not 3"),
        (GOOD + "sk = 00\n", "line 9: a second 'sk' in the entry of line 1"),
        (GOOD * (MOST_ANSWERS + 1), "at most 10,000 known answers are read"),
    ],
)
def test_a_file_that_is_none_is_told_by_line(tmp_path, text, said):
    file = tmp_path / "answers.rsp"
    file.write_text(text)
    with pytest.raises(FileError) as caught:
        read_answers(file)
    assert said in str(caught.value)


def test_a_file_is_read_with_comments_sections_and_any_line_ends(tmp_path):
    file = tmp_path / "answers.rsp"
    file.write_bytes(b"# Mine\r\n\r\n[section]\r\n" + GOOD.replace("\n", "\r\n").encode() * 2)
    assert [(answer.line, answer.msg, answer.sm) for answer in read_answers(file)] == [
        (4, b"A", b"AB"),
        (12, b"A", b"AB"),
    ]


def test_a_backend_that_takes_no_seed_says_so(tmp_path):
    file = tmp_path / "answers.rsp"
    file.write_text(GOOD)
    verified, seeded = known_answers(CATALOG["Ed25519"], backends.load_backend("openssl"), file, LITTLE)
    assert verified.seen == ("0 of 1 signatures verify; count 0: a public key of Ed25519 has 32 bytes, this one has 1")
    assert (seeded.verdict, seeded.seen) == ("skipped", "the backend openssl takes no seed")


# --- Memory -------------------------------------------------------------------------------------------------------


def test_what_a_call_takes_of_memory_is_measured_here_too():
    taken = footprint(lambda: bytearray(50 * 2**20))
    if taken.growth_bytes is None:
        pytest.skip("this system does not tell")
    assert 40 * 2**20 < taken.growth_bytes < 70 * 2**20
    assert taken.stack_bytes < 2**16


@pytest.mark.parametrize("name", ["ML-DSA-44", "Falcon-512", "MAYO-5"])
def test_the_stack_is_what_painting_it_shows(liboqs, name):
    """A second opinion: native/account.c paints a stack and looks how far down the paint has gone."""
    if liboqs.library.account is None:
        pytest.skip("pqdc-account has not been made: run `make liboqs`")
    scheme = CATALOG[name]
    key, message = liboqs.generate(scheme), bytes(130)
    signature = key.sign(message)
    calls = {
        "keygen": lambda: liboqs.generate(scheme),
        "sign": lambda: key.sign(message),
        "verify": lambda: key.public.verify(signature, message),
    }
    painted = of_scheme(liboqs.library.account, scheme.backends["liboqs"], 1)
    for operation, call in calls.items():
        taken = footprint(call).stack_bytes
        if taken is None:
            pytest.skip("this system does not tell")
        assert abs(taken - painted[operation].stack_bytes) < 3 * PAGE, operation


def test_what_a_call_raises_is_raised():
    def fail() -> None:
        raise BackendUnavailable("not here")

    with pytest.raises(BackendUnavailable, match="not here"):
        footprint(fail)
