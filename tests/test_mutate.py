"""The mutation campaign in small, and its own promises: nothing lost, nothing counted twice, whatever dies."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from pqdc.credential import delegation, refusals
from pqdc.credential import verify as verifier
from pqdc.credential.certificate import Certificate
from pqdc.credential.structures import DelegatedCredential
from pqdc.credential.verify import judge, verify
from pqdc.errors import BackendUnavailable, KeyFormatError
from pqdc.scheme import keyfile
from pqdc.scheme.backends import liboqs, load_backend, openssl
from pqdc.scheme.facts import Scheme
from tests.mutate import campaign, corpus, mutations, oracle
from tests.mutate.__main__ import main
from tests.mutate.judge import AT, is_bad
from tests.vectors import der, seeded

try:
    load_backend("liboqs")
except BackendUnavailable as reason:
    pytest.skip(f"the campaign covers liboqs: {reason}", allow_module_level=True)


def test_no_mutation_is_accepted_that_should_not_be(tmp_path, monkeypatch, capsys):
    """10^5 of them, with another seed than the long campaign's, by the command itself."""
    out = tmp_path / "summary.json"
    arguments = ["--count=100000", "--jobs=2", "--seed=100", f"--state={tmp_path / 'state'}", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", ["tests.mutate", *arguments])
    assert main() == 0, capsys.readouterr().out
    assert "100,000  mutations, 0 that must not be" in capsys.readouterr().out
    summary = json.loads(out.read_text())
    assert summary["mutations"] == sum(summary["verdicts"].values()) == 100_000
    assert summary["false_accepts"] == summary["false_refusals"] == summary["unnamed_exceptions"] == 0
    assert summary["crashes_and_hangs"] == 0
    refused = {name for name in refusals.__all__ if name in summary["verdicts"]}
    assert refused >= {
        "AlgorithmForbidden", "AlgorithmUnknown", "DelegationUsageMissing", "DelegationUsageNotNull", "Expired",
        "KeyMismatch", "KeyUsageMissing", "LeafAlgorithmMismatch", "LeafExpired", "LeafNotYetValid",
        "LifetimeTooLong", "SignatureInvalid",
    }  # fmt: skip
    assert any("(r, n - s)" in verdict for verdict in summary["verdicts"])


def test_a_campaign_that_is_killed_goes_on_without_losing_or_repeating(tmp_path):
    """Two kills, at moments of their own; the end is that of a campaign that nobody killed."""
    items = corpus.build()
    state, count = tmp_path / "state", 30_000
    plan = campaign.Plan(seed=7, count=count, corpus=items.digest())

    def run():
        return campaign.run(plan, jobs=1, path=state, progress=campaign.Progress(count))

    for batches in (1, 3):
        process = multiprocessing.get_context("fork").Process(target=run)
        process.start()
        deadline = time.monotonic() + 60
        while len(lines(state)) < 1 + batches and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.join()
    assert 4 <= len(lines(state)) < 1 + count // campaign.BATCH
    state.write_bytes(state.read_bytes() + b'{"batch": 7, "cou')  # a line that was under way
    tally = run()
    records = [json.loads(line) for line in lines(state)[1:]]
    assert sorted(record["batch"] for record in records) == list(range(count // campaign.BATCH))
    assert tally.count == sum(tally.totals().values()) == count
    assert tally.bad() == 0
    again = campaign.run_batch(items, seed=7, batch=3, size=campaign.BATCH)
    assert tamed(again) == tamed(next(record for record in records if record["batch"] == 3))


def tamed(record: dict) -> dict:
    """A record without what may differ from run to run: time, and keys whose damage shows in some signatures only."""
    verdicts: dict[tuple[str, str], int] = {}
    for kind, found in record["verdicts"].items():
        for verdict, number in found.items():
            loose = verdict == "KeyFormatError" or verdict.startswith(("loaded", "BadSignature"))
            where = (kind, "a key" if loose else verdict)
            verdicts[where] = verdicts.get(where, 0) + number
    return {"batch": record["batch"], "count": record["count"], "verdicts": verdicts}


def lines(path: Path) -> list[bytes]:
    return (
        [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")] if path.exists() else []
    )


def test_a_state_file_is_of_one_campaign(tmp_path):
    state = tmp_path / "state"
    plan = campaign.Plan(seed=1, count=10, corpus="a")
    with campaign.state_file(state, plan):
        pass
    with (
        pytest.raises(SystemExit, match="another campaign"),
        campaign.state_file(state, campaign.Plan(seed=2, count=10, corpus="a")),
    ):
        pass
    with (
        campaign.state_file(state, plan),
        pytest.raises(SystemExit, match="is running"),
        campaign.state_file(state, plan),
    ):
        pass


@pytest.mark.parametrize("fate", ["CRASH SIGKILL", "HANG"])
def test_a_mutation_that_kills_or_hangs_a_worker_is_counted_and_passed_over(tmp_path, monkeypatch, fate):
    """Its batch is run again without it: each other mutation is counted once."""
    victim = 3
    monkeypatch.setattr(campaign, "BATCH", 10)
    monkeypatch.setattr(campaign, "STALLED_AFTER", 1)
    monkeypatch.setattr(campaign, "SHARES", (1, 1))
    asked = campaign.judge.judge_credential
    tried = []

    def ask(trial, items):
        tried.append(1)
        if len(tried) == victim:
            if fate == "HANG":
                time.sleep(60)
            os.kill(os.getpid(), signal.SIGKILL)
        return asked(trial, items)

    monkeypatch.setattr(campaign.judge, "judge_credential", ask)
    plan = campaign.Plan(seed=3, count=2 * victim - 1, corpus=corpus.build().digest())
    tally = campaign.run(plan, jobs=1, path=tmp_path / "state", progress=campaign.Progress(plan.count))
    assert tally.count == sum(tally.totals().values()) == plan.count
    assert tally.totals()[fate] >= 1
    assert tally.bad() == tally.totals()[fate]


def test_the_oracle_takes_the_corpus_as_it_is_and_pqdc_agrees():
    """Every credential is valid, at its time, for its role, and for no other."""
    for minted in corpus.build().minted:
        dc = DelegatedCredential.decode(minted.dc)
        verify(dc, minted.leaf.certificate, now=AT, role=minted.role)
        assert oracle.key_is_of(minted.dcva, minted.spki) in {oracle.YES, oracle.EITHER}
        with pytest.raises(refusals.SignatureInvalid):
            verify(dc, minted.leaf.certificate, now=AT, role=minted.role.other)


def test_bad_verdicts_are_those_that_must_not_be():
    assert is_bad("FALSE ACCEPT: x")
    assert not is_bad("SignatureInvalid")


# ---- faults planted, which the campaign must find


def verdicts(trials: int, make, ask):
    """Of the first so many mutations, one by one."""
    items, rng = corpus.build(), random.Random("planted")  # noqa: S311 - it must repeat
    return (ask(make(rng, items), items) for _ in range(trials))


# M3 on rsaEncryption is left out: V6 refuses such a key as well, by another name.
RULES = [rule for rule in verifier.PLAIN_RULES if "rsaEncryption" not in rule.asks]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name} {rule.asks}")
def test_a_verifier_without_a_rule_is_found_out(monkeypatch, rule):
    monkeypatch.setattr(verifier, "plainly_holds", lambda *_: False)
    monkeypatch.setattr(verifier, "PLAIN_RULES", tuple(kept for kept in verifier.PLAIN_RULES if kept is not rule))
    assert "FALSE ACCEPT" in verdicts(20_000, mutations.credential_trial, campaign.judge.judge_credential)


@pytest.mark.parametrize("check", ["key_fits", "leaf_algorithm_fits", "signature_verifies", "plainly_holds"])
def test_a_verifier_with_a_check_that_always_passes_is_found_out(monkeypatch, check):
    monkeypatch.setattr(verifier, check, lambda *_: True if check == "plainly_holds" else None)
    assert "FALSE ACCEPT" in verdicts(20_000, mutations.credential_trial, campaign.judge.judge_credential)


@pytest.mark.parametrize("leaf_check", delegation.LEAF_CHECKS, ids=lambda check: f"{check.rule} {check.asks}")
def test_a_verifier_without_a_rule_for_leaves_is_found_out(monkeypatch, leaf_check):
    kept = tuple(check for check in delegation.LEAF_CHECKS if check is not leaf_check)
    monkeypatch.setattr(delegation, "LEAF_CHECKS", kept)
    found = verdicts(20_000, mutations.credential_trial, campaign.judge.judge_credential)
    assert any(verdict.startswith("FALSE ACCEPT: a leaf") for verdict in found)


def test_a_verifier_that_shows_libraries_any_length_is_found_out(monkeypatch):
    monkeypatch.setattr(campaign.judge, "_ASKED", 0)
    for module in (liboqs, openssl):
        monkeypatch.setattr(module._Public, "_verifies", module._Public._verifies)  # put back what is watched
    campaign.judge.watch_backends()
    monkeypatch.setattr(Scheme, "makes_signature_of", lambda scheme, length: True)
    found = set(verdicts(2_000, mutations.signature_trial, campaign.judge.judge_signature))
    assert "FALSE ACCEPT: the library was shown a length that the scheme does not make" in found
    assert any("cross" in verdict for verdict in found), "liboqs 0.13.0 accepts CROSS signatures with bytes appended"


def test_an_exception_without_a_name_is_found_out(monkeypatch):
    monkeypatch.setattr(DelegatedCredential, "decode", classmethod(lambda cls, data: data[1_000_000]))
    found = set(verdicts(50, mutations.credential_trial, campaign.judge.judge_credential))
    assert "UNNAMED IndexError: index out of range" in found


# ---- found by the campaign


def test_a_leaf_key_that_is_no_key_is_refused_by_a_rule():
    """A point that is not on its curve ended in KeyFormatError, which `verify` does not promise."""
    minted = corpus.build().minted[0]
    raw = minted.leaf.key.raw
    broken = minted.leaf.der.replace(raw, raw[:-1] + bytes([raw[-1] ^ 1]))
    leaf = Certificate.decode(broken, seeded.catalog())
    message = corpus.to_be_signed(
        broken, minted.role, minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm
    )
    signature = minted.leaf.key.sign(message)
    dc = DelegatedCredential.decode(
        corpus.pack(minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm, signature)
    )
    with pytest.raises(refusals.LeafAlgorithmMismatch, match="cannot be used"):
        verify(dc, leaf, now=AT, role=minted.role)
    assert [
        verdict.rule.name for verdict in judge(dc, leaf, now=AT, role=minted.role) if verdict.outcome == "fail"
    ] == ["M6"]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"\x02\x06\x70", b"\x82\x06\x70"),  # the serial number under another tag
        (b"\x02\x06\x70", b"\x02\x06\x00"),  # and with a zero too many
        (b"\x30\x0a\x06\x08", b"\x31\x0a\x06\x08"),  # a signature algorithm that is a SET
        (b"\x30\x1a\x31\x18", b"\xb0\x1a\x31\x18"),  # an issuer under another tag
        (b"\x30\x15\x31\x13", b"\x04\x15\x31\x13"),  # a subject that is an OCTET STRING
    ],
)
def test_a_leaf_whose_fields_are_of_other_types_is_refused(was, becomes):
    """The parts that delegation does not need were read under any tag."""
    minted = corpus.build().minted[0]
    assert was in minted.leaf.der
    leaf = Certificate.decode(minted.leaf.der.replace(was, becomes, 1), seeded.catalog())
    message = corpus.to_be_signed(
        leaf.der, minted.role, minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm
    )
    dc = DelegatedCredential.decode(
        corpus.pack(minted.valid_time, minted.dcva, minted.spki, minted.leaf.algorithm, minted.leaf.key.sign(message))
    )
    with pytest.raises(refusals.LeafMalformed):
        verify(dc, leaf, now=AT, role=minted.role)


def test_a_key_of_another_type_is_refused_even_where_nothing_computes_the_code_point():
    """It ended in BackendUnavailable, before anybody had looked at the key."""
    minted = corpus.build().minted[0]
    code_point = next(
        (scheme.code_point for scheme in seeded.catalog().values() if oracle.uncomputable(scheme.code_point or 0)), None
    )
    if code_point is None:
        pytest.skip("every scheme with a code point can be computed here")
    message = corpus.to_be_signed(
        minted.leaf.der, minted.role, minted.valid_time, code_point, minted.spki, minted.leaf.algorithm
    )
    signature = minted.leaf.key.sign(message)
    dc = DelegatedCredential.decode(
        corpus.pack(minted.valid_time, code_point, minted.spki, minted.leaf.algorithm, signature)
    )
    with pytest.raises(refusals.KeyMismatch):
        verify(dc, minted.leaf.certificate, now=AT, role=minted.role)


@pytest.mark.parametrize("size", [31, 33, 57])
def test_an_ed25519_key_of_another_length_is_refused_by_name(size):
    """The library answers with its InternalError."""
    algorithm = der.sequence(der.oid("1.3.101.112"))
    key = der.sequence(der.integer(0), algorithm, der.octets(der.octets(bytes(size))))
    with pytest.raises(KeyFormatError):
        keyfile.private_keys_of(key, seeded.catalog())
