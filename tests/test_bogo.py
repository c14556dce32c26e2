"""BoringSSL's test suite against pqdc's endpoints: nothing fails, and the page and the table tell the truth of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from pqdc.errors import PeerUnavailable
from pqdc.peers import boringssl_build
from tests.bogo import campaign, minted
from tests.bogo.arguments import CredentialFiles, Unsupported, parse

ROOT = Path(__file__).parents[1]
MINTED = len(minted.SCHEMES) * len(minted.LEAVES) + 4
SIGNED = 2 * (len(minted.SCHEMES) * (len(minted.LEAVES) + 1) + 11 * len(minted.LEAVES))


@pytest.fixture(scope="module")
def folder():
    missing = [tool for tool in ("go", "cargo", "cc") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"BoGo's runner is built with {' and '.join(missing)}, which is not here")
    try:
        return campaign.build()
    except campaign.RunnerUnavailable as error:
        pytest.skip(str(error))


def test_nothing_fails_and_the_page_tells_what_is_not_run(folder, tmp_path):
    """A full run, once; in a process of its own, which forks for each test."""
    command = [sys.executable, "-m", "tests.bogo", "--json", tmp_path / "outcome.json", "--write", tmp_path / "page.md"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    passed, disabled = outcome["passed"], outcome["disabled"]
    assert outcome["failed"] == {}
    assert len(passed) > 610
    assert len(passed) + len(disabled) == len(json.loads((folder / "names.json").read_text()))

    # Credentials: all that is about TLS 1.3 and known extensions.
    assert sum(name.startswith("DelegatedCredentials-") for name in passed) == 9
    others = {name for name in disabled if name.startswith("DelegatedCredentials-")}
    assert others == {
        f"DelegatedCredentials-{name}" for name in ("TLS11-Forbidden", "TLS12-Forbidden", "TrustAnchorIDs")
    }
    assert len(outcome["judged"]) == MINTED + SIGNED
    assert set(outcome["first"]) == {name for name, reason in disabled.items() if reason == campaign.GOES_ON}

    page = (ROOT / "docs" / "bogo.md").read_text()
    assert page == (tmp_path / "page.md").read_text(), 'write it again: make bogo BOGO_ARGS="--write docs/bogo.md"'


def test_credentials_of_ours_are_judged_by_go_when_boringssl_shows_them(folder):
    """What the stock server does not verify, the client does."""
    try:
        shim = boringssl_build.shim()
    except PeerUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")
    program = "import sys; from pathlib import Path; from tests.bogo import campaign; "
    program += "judged = campaign.run_credentials(*map(Path, sys.argv[1:]), 'PQDC-Minted-*'); "
    program += "print(len(judged), [name for name, result in judged.items() if result['actual'] != 'PASS'])"
    command = [sys.executable, "-c", program, folder, shim]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout.split() == [str(MINTED), "[]"]


def test_planted_faults_are_found(folder):
    done = subprocess.run(
        [sys.executable, "-m", "tests.bogo.faults", folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) > 5
    assert [line for line in lines if not line.endswith(" found")] == []


def test_every_pattern_has_a_test_and_a_reason(folder):
    names = json.loads((folder / "names.json").read_text())
    table = json.loads(campaign.CONFIG.read_text())["DisabledTests"]
    assert [pattern for pattern in table if not any(fnmatchcase(name, pattern) for name in names)] == []
    assert all(reason.strip() for reason in table.values())


def test_arguments_are_sorted_by_kind():
    words = "-port 1 -shim-id 2 -server -curves 29 -curves 23 -new-delegated-credential -cert-file a -key-file b "
    words += "-delegated-credential AAE= -cert-file c -new-x509-credential -cert-file d -key-file e -signing-prefs 7"
    arguments = parse(words.split())
    assert arguments.switches == {"-server"}
    assert arguments.numbers["-curves"] == (29, 23)
    assert arguments.number("-port") == 1
    assert arguments.number("-expect-cipher") is None
    assert arguments.credentials == (
        CredentialFiles(certificates="c", key="b", delegated=b"\0\1"),
        CredentialFiles(certificates="d", key="e", schemes=(7,)),
    )
    assert not arguments.has_default
    assert parse(["-cert-file", "a", "-key-file", "b"]).has_default


def test_a_flag_that_nobody_knows_is_not_passed_over():
    with pytest.raises(Unsupported, match="-ech-config-list"):
        parse(["-port", "1", "-ech-config-list", "AAAA"])
