"""Credentials good and broken before other people's clients: each is met as it is known, and ours follows the RFC."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pqdc import cli, pem
from pqdc.credential import refusals
from pqdc.errors import PeerUnavailable, PqdcError, ResultError
from pqdc.handshake import Alert
from pqdc.peers import verdicts
from pqdc.peers.cases import CASES, MOZILLA
from pqdc.peers.forging import Stage
from pqdc.peers.nss import FirefoxNss, Nss
from pqdc.peers.tlslite import Tlslite
from pqdc.report.verdicts import as_markdown, check_format
from tests.conftest import CATALOG

ROOT = Path(__file__).parents[1]
PQDC = Path(sys.executable).with_name("pqdc")


@pytest.fixture(scope="module")
def stage():
    return Stage(CATALOG, datetime.now(UTC))


def firefox():
    module = pytest.importorskip(
        "pqdc.peers.firefox", reason="marionette-driver is not installed: pip install pqdc[interop]"
    )
    return module.Firefox()


PEERS = {"nss": Nss, "nss-firefox": FirefoxNss, "firefox": firefox, "tlslite": Tlslite}


@pytest.fixture(params=PEERS)
def peer(request):
    try:
        made = PEERS[request.param]()
    except PeerUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")
    yield made
    made.close()


def test_each_case_is_met_as_it_is_known(peer, stage):
    """Issue by issue: the error by its name; and no case is left out."""
    results = verdicts.collect([peer], stage)
    assert verdicts.unexpected(results) == []
    assert len(results["cases"]) == len(CASES)
    for case in results["cases"]:
        assert peer.name in case["expected"]
        assert case["said"][peer.name]["verdict"] in {"delegated", "certificate", "refused"}
    believed = [case["name"] for case in results["cases"] if case["said"][peer.name]["verdict"] == "delegated"]
    assert {"P-256", "P-384", "P-521", "7 days"} <= set(believed)


def test_our_own_client_follows_the_rfc_in_every_case(stage):
    """Verdict, alert, and the rule by its name; no peer is needed for that."""
    results = verdicts.collect([], stage)
    assert verdicts.unexpected(results) == []
    for case in results["cases"]:
        said = case["said"]["pqdc"]
        assert said["verdict"] == case["verdict"], case["name"]
        if case["alert"]:
            assert said["alert"] == case["alert"], case["name"]
    assert "follows RFC 9345 in every row" in as_markdown(results)


FROM_FILES = ["expired", "another order", "no DelegationUsage", "handshake by another key"]


@pytest.mark.parametrize("name", FROM_FILES)
def test_serve_force_shows_the_same(stage, tmp_path, name):
    """The command, from files, before NSS's client: as the case says. Our own client agrees with it."""
    (case,) = (case for case in CASES if case.name == name)
    (identity,) = case.make(stage)
    for file, label, data in (
        ("ca.pem", "CERTIFICATE", stage.authority.der),
        ("leaf.pem", "CERTIFICATE", identity.leaf.der),
        ("dc.key", "PRIVATE KEY", identity.key.pkcs8()),
    ):
        (tmp_path / file).write_bytes(pem.armour(label, data))
    (tmp_path / "dc.bin").write_bytes(identity.dc.encode())
    command = [PQDC, "serve", "--force", "--port", "0", "--leaf", "leaf.pem", "--dc", "dc.bin", "--dc-key", "dc.key"]
    try:
        peer = Nss()
    except PeerUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            address = server.stdout.readline().strip().removeprefix("https://").rstrip("/")
            said = peer.connect(int(address.rpartition(":")[2]), ca=tmp_path / "ca.pem")
            ours = subprocess.run(
                [PQDC, "connect", address, "--ca", "ca.pem", "--name", "localhost"],
                cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        finally:
            server.terminate()
            peer.close()
    assert (said.error or "delegated") == case.expected["nss"]
    assert (ours.returncode == 0) == (case.verdict == "delegated"), ours.stderr
    assert case.alert in ours.stderr


def test_cases_name_rules_and_alerts_that_there_are():
    rules = {kind.rule for kind in vars(refusals).values() if isinstance(kind, type) and hasattr(kind, "rule")}
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    for case in CASES:
        assert not case.rule or case.rule.startswith("RFC ") or case.rule.partition(",")[0] in rules | {"C3", "M5"}
        assert not case.alert or case.alert.upper() in Alert.__members__
        assert set(MOZILLA) <= set(case.expected)


def test_what_is_not_known_is_told(stage):
    results = verdicts.collect([], stage, cases=CASES[:1])
    results["cases"][0]["said"]["nss"] = {
        "verdict": "refused",
        "error": "SSL_ERROR_NEW",
        "alert": "",
        "wanted": "delegated",
    }
    (sentence,) = verdicts.unexpected(results)
    assert "SSL_ERROR_NEW" in sentence
    assert "**SSL\\_ERROR\\_NEW**" in as_markdown({**results, "peers": {"nss": {"software": "NSS", "versions": {}}}})


def test_the_document_is_what_the_data_says():
    """docs/verdicts.md is printed from results/verdicts.json, in which every peer was met as it is known."""
    results = check_format(json.loads((ROOT / "results" / "verdicts.json").read_text()))
    assert as_markdown(results) == (ROOT / "docs" / "verdicts.md").read_text()
    assert verdicts.unexpected(results) == []
    assert [case["name"] for case in results["cases"]] == [case.name for case in CASES]
    assert set(PEERS) <= set(results["peers"])


def test_the_command_prints_what_a_file_says(capsys, tmp_path):
    file = ROOT / "results" / "verdicts.json"
    assert cli.run(["verdicts", "--from", str(file)]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "verdicts.md").read_text()
    assert cli.run(["verdicts", "--from", str(file), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    results["cases"][0]["said"]["nss"] |= {"verdict": "refused", "error": "SSL_ERROR_NEW"}
    (changed := tmp_path / "changed.json").write_text(json.dumps(results))
    assert cli.run(["verdicts", "--from", str(changed)]) == 1
    assert "nss was expected to say delegated, and says SSL_ERROR_NEW" in capsys.readouterr().err
    (broken := tmp_path / "broken.json").write_text("{")
    assert cli.run(["verdicts", "--from", str(broken)]) == 1
    assert cli.run(["verdicts", "nobody"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert "no JSON" in told[0]
    assert "nobody" in told[1]


@pytest.mark.parametrize("data", [[], {}, {"kind": "pqdc verdicts"}, {"kind": "pqdc verdicts", "format": 2}])
def test_other_data_is_refused(data):
    with pytest.raises(ResultError):
        check_format(data)
    assert issubclass(ResultError, PqdcError)
