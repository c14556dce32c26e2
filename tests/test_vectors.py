"""pqdc's own vectors: the same each time, of the shape they promise, judged alike by pqdc and a second verifier."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from pqdc.credential.certificate import Certificate
from pqdc.credential.refusals import RuleRefusal
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.credential.verify import judge, verify
from pqdc.errors import BackendUnavailable, DecodeError, Refusal
from pqdc.scheme.backends import load_backend
from tests.vectors import check, make, seeded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DOCUMENTS = {name: json.loads((make.FOLDER / f"{name}.json").read_text(encoding="ascii")) for name in make.FILES}
PERMITTED = 1_500_000  # bytes of all of them, as they lie in the repository


def liboqs_version() -> str:
    try:
        return load_backend("liboqs").versions()["liboqs"]
    except BackendUnavailable as reason:
        return f"none: {reason}"


@pytest.mark.parametrize("name", make.FILES)
def test_the_script_makes_these_bytes(name):
    if liboqs_version() != "0.13.0":
        pytest.skip(f"the post-quantum keys were made by liboqs 0.13.0, here is {liboqs_version()}")
    assert make.text(name) == (make.FOLDER / f"{name}.json").read_text(encoding="ascii")


@pytest.mark.parametrize("name", make.FILES)
def test_they_have_the_shape_that_their_schema_says(name):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: pip install pqdc[dev]")
    schema = json.loads((make.FOLDER / "dc_verify_schema.json").read_text(encoding="ascii"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(DOCUMENTS[name])


@pytest.mark.parametrize("name", make.FILES)
def test_what_they_say_of_themselves(name):
    """Counts, numbers and flags: what a schema cannot see."""
    document = DOCUMENTS[name]
    tests = [test for group in document["testGroups"] for test in group["tests"]]
    assert [test["tcId"] for test in tests] == list(range(1, document["numberOfTests"] + 1))
    assert {flag for test in tests for flag in test["flags"]} == set(document["notes"])
    assert len({(group["leaf"], test["dc"], test["now"], test["role"]) for group in document["testGroups"]
                for test in group["tests"]}) == len(tests)  # fmt: skip


@pytest.mark.parametrize("name", make.FILES)
def test_pqdc_says_what_they_want(name):
    """By `verify` the named refusal; by `judge` that rule and no other."""
    for group in DOCUMENTS[name]["testGroups"]:
        for test in group["tests"]:
            where = f"{name} {test['tcId']} {test['comment']}"
            try:
                leaf = Certificate.decode(bytes.fromhex(group["leaf"]), seeded.catalog())
                dc = DelegatedCredential.decode(bytes.fromhex(test["dc"]))
            except DecodeError:
                assert test["refusal"] == "DecodeError", where
                continue
            now, role = EPOCH + timedelta(seconds=test["now"]), Role[test["role"].upper()]
            try:
                broken = {verdict.rule.name for verdict in judge(dc, leaf, now=now, role=role) if verdict.refusal}
                verify(dc, leaf, now=now, role=role)
            except BackendUnavailable as reason:
                pytest.skip(f"{where}: {reason}")
            except RuleRefusal as refusal:
                said = {"refusal": type(refusal).__name__, "rule": refusal.rule, "alert": refusal.alert}
                assert said == {key: test.get(key) for key in said}, where
                assert broken == {test["rule"], *test.get("alsoBroken", ())}, where
            except Refusal as refusal:
                pytest.fail(f"{where}: {refusal!r}")
            else:
                assert "refusal" not in test, where
                assert not broken, where


def test_a_second_verifier_agrees():
    """It shares no code with pqdc, and names the same rule for each vector."""
    assert list(check.disagreements()) == []


def test_every_rule_that_bytes_can_break_is_broken_and_kept():
    """Positive and negative, classical and post-quantum, both roles."""
    broken: Counter[str] = Counter()
    kept: Counter[tuple[str, bool]] = Counter()
    for document in DOCUMENTS.values():
        for group in document["testGroups"]:
            for test in group["tests"]:
                if test["result"] == "valid":
                    kept[test["role"], "PostQuantum" in test["flags"]] += 1
                broken[test.get("rule", "")] += 1
    assert set(broken) - {""} == {"M2", "M3", "M4", "M6", "M7", "V0", "V1", "V2", "V4", "V5", "V6", "V7"}
    assert min(kept.values()) >= 20
    assert len(kept) == 4


def test_they_stay_small():
    assert sum(path.stat().st_size for path in make.FOLDER.rglob("*.*") if path.suffix in {".json", ".py"}) < PERMITTED
