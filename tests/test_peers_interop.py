"""The matrix with whatever peers are here; what BoringSSL is not configured with; and what was recorded of both."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pqdc import cli
from pqdc.credential.formats import format_names
from pqdc.errors import PeerUnavailable
from pqdc.peers import (
    RefusedFiles,
    ServerFiles,
    boringssl_build,
    configuration,
    deviations,
    load_peer,
    matrix,
    peer_names,
)
from pqdc.peers.deviations import CERTIFICATE, DELEGATED, DEVIATIONS, UNTRIED, Deviation, expectation
from pqdc.peers.forging import Stage
from pqdc.peers.laboratory import Laboratory
from pqdc.peers.matrix import as_dict, run
from pqdc.peers.meeting import ask_peer, serve_peer
from pqdc.peers.pairing import OURSELVES, Pairing, pairings
from pqdc.report.interop import as_markdown
from tests.conftest import CATALOG

ROOT = Path(__file__).parents[1]
PEERS = ("boringssl", "curl", "firefox", "nss", "nss-firefox", "nss-server", "openssl", "tlslite")
ML_DSA = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
SCHEMES = ("ECDSA-P384", "Ed25519", "ML-DSA-44", "Falcon-512")  # of each sort one; all of them are in `pqdc interop`


def clock():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    return Laboratory(tmp_path_factory.mktemp("laboratory"), CATALOG, clock)


@pytest.fixture(scope="module")
def have():
    """A peer by name, or a skip with its reason; they end with the module."""
    made = {}

    def peer(name):
        if name not in made:
            try:
                made[name] = load_peer(name)
            except PeerUnavailable as error:
                pytest.skip(f"{error}; {error.hint}")
        return made[name]

    yield peer
    for found in made.values():
        found.close()


def test_these_are_the_peers():
    assert set(PEERS) == set(peer_names())


def told(cells):
    return [(cell.pairing, cell.outcome, cell.detail) for cell in cells if not cell.explained]


@pytest.mark.parametrize("leaf", ["ECDSA-P256", "RSA-2048", "ML-DSA-65"])
@pytest.mark.parametrize("name", PEERS)
def test_every_cell_is_explained(have, laboratory, name, leaf):
    peer = have(name)
    cells = run(pairings([peer], [leaf], SCHEMES), [peer], laboratory)
    assert len(cells) >= (1 if name == "openssl" else len(SCHEMES))
    assert not told(cells)


@pytest.mark.parametrize("scheme", ML_DSA)
@pytest.mark.parametrize("client", [OURSELVES, "tlslite"])
def test_stock_boringssl_serves_our_ml_dsa_credentials(have, laboratory, client, scheme):
    """The demonstration: minted by pqdc, served by BoringSSL, believed by two clients that share no code."""
    peers = [have("boringssl"), *([have(client)] if client != OURSELVES else [])]
    pairing = Pairing(server="boringssl", client=client, format="boringssl", leaf="ECDSA-P256", scheme=scheme)
    (cell,) = run([pairing], peers, laboratory)
    assert cell.outcome == DELEGATED, cell
    assert cell.said == scheme.lower().replace("-", "")


@pytest.mark.parametrize("form", ["boringssl", "bssl-shim", "raw", "pem"])
def test_boringssl_loads_what_each_format_writes(have, laboratory, form):
    peer = have("boringssl")
    pairing = Pairing(server="boringssl", client=OURSELVES, format=form, leaf="ECDSA-P384", scheme="ML-DSA-65")
    (cell,) = run([pairing], [peer], laboratory)
    assert cell.outcome == DELEGATED, cell


def test_a_client_that_asks_for_nothing_gets_the_leaf(have, laboratory):
    peer = have("boringssl")
    with peer.serve(laboratory.files("ECDSA-P256", "ML-DSA-44", "boringssl")) as serving:
        met = ask_peer(laboratory.client(), serving)
        assert (met.session.peer.dc, met.peer.delegated, met.peer.accepted) == (None, False, True)
        again = ask_peer(laboratory.client("ML-DSA-44"), serving)  # one server, another client
    assert again.peer.delegated


def test_boringssl_without_the_leaf_s_key_has_nothing_else_to_show(have, laboratory):
    peer = have("boringssl")
    files = laboratory.files("ECDSA-P256", "ML-DSA-44", "boringssl")
    with peer.serve(ServerFiles(leaf=files.leaf, credential=files.credential)) as serving:
        met = ask_peer(laboratory.client("Ed25519"), serving)
    assert met.failure.alert == 40
    assert met.peer.error == "NO_COMMON_SIGNATURE_ALGORITHMS"


@pytest.mark.parametrize("name", ["nss-server", "openssl", "tlslite"])
def test_these_servers_need_the_leaf_s_key(have, laboratory, name):
    peer = have(name)
    files = ServerFiles(leaf=laboratory.files("ECDSA-P256", "", peer.format).leaf)
    with pytest.raises(RefusedFiles, match="private key"), peer.serve(files):
        pytest.fail("it serves")


def test_curl_gets_what_it_asks_for(have, laboratory):
    peer, server = have("curl"), laboratory.server("ECDSA-P256", "ECDSA-P256")
    asked = serve_peer(server, lambda port: peer.connect(port, ca=laboratory.ca))
    assert (asked.peer.error, asked.failure.alert) == ("UNEXPECTED_EXTENSION", 110)
    plain = serve_peer(server, lambda port: peer.connect(port, ca=laboratory.ca, ask=False))
    assert plain.peer.accepted
    assert plain.session.own.dc is None
    elsewhere = serve_peer(server, lambda port: peer.connect(port, ca=laboratory.ca, name="example.org", ask=False))
    assert not elsewhere.peer.accepted


def test_boringssl_s_clients_have_no_driver(have, laboratory):
    with pytest.raises(PeerUnavailable, match="clients know no delegated credentials"):
        have("boringssl").connect(1, ca=laboratory.ca)


@pytest.fixture(scope="module")
def configured(have):
    return {row["given"]: row for row in configuration.collect(have("boringssl"), Stage(CATALOG, clock()))}


@pytest.mark.parametrize("case", configuration.CASES, ids=lambda case: case.given)
def test_what_boringssl_is_not_configured_with(configured, case):
    row = configured[case.given]
    assert (row["server"], row["handshake"], row["ours"]) == (case.server, case.handshake, case.ours)
    assert row["explained"], row


STRICT = ("-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x")


def test_our_server_of_boringssl_compiles_without_a_warning(have):
    have("boringssl")
    include = boringssl_build.build_folder() / "include"
    run_compiler("c++", "c++", "-std=c++17", "-I", include, ROOT / "native" / "boringssl" / "server.cc")


def test_our_server_of_nss_compiles_without_a_warning(have):
    have("nss-server")
    if shutil.which("pkg-config") is None:
        pytest.skip("no pkg-config, which knows where NSS's headers are")
    flags = subprocess.run(["pkg-config", "--cflags", "nss"], capture_output=True, text=True, check=True).stdout
    run_compiler("cc", "c", "-std=c11", *flags.split(), ROOT / "native" / "nss" / "server.c")


def run_compiler(name, language, *arguments):
    if shutil.which(name) is None:
        pytest.skip(f"no {name}")
    compiled = subprocess.run([name, *STRICT, language, *arguments], capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stderr


# --- What is expected ---------------------------------------------------------------------------------------------


def pairing(**facts):
    return Pairing(**{"server": "pqdc", "client": "x", "format": "", "leaf": "ECDSA-P256", "scheme": "Ed25519"} | facts)


def test_patterns():
    one = Deviation(outcome="a|b*", reason="", server="pqdc", client="x|y", but="Ed25519|RSA-*")
    assert one.fits(pairing(scheme="ML-DSA-44"))
    assert one.fits(pairing(scheme="ML-DSA-44", client="y", leaf="Ed25519"))
    for other in ({}, {"scheme": "RSA-2048"}, {"scheme": ""}, {"scheme": "Ed448", "client": "xy"}, {"server": "x"}):
        assert not one.fits(pairing(**other)), other
    assert [one.explains(outcome) for outcome in ("a", "bc", "c")] == [True, True, False]


def test_without_a_deviation_what_is_served_is_taken():
    assert expectation(pairing()).outcome == DELEGATED
    assert expectation(pairing(scheme="")).outcome == CERTIFICATE
    assert not expectation(pairing()).reason


@pytest.fixture(scope="module")
def recorded():
    return json.loads((ROOT / "results" / "interop.json").read_bytes())


def test_nothing_recorded_is_unexplained(recorded):
    assert recorded["cells"]
    assert all(row["explained"] for row in (*recorded["cells"], *recorded["configuration"]))
    assert not recorded["missing"]
    assert set(recorded["peers"]) == set(PEERS)


def test_the_record_is_what_is_expected_today(recorded):
    for cell in recorded["cells"]:
        facts = {key: cell[key] for key in ("server", "client", "format", "leaf", "scheme")}
        expected = expectation(Pairing(**facts))
        assert expected.explains(cell["outcome"]), cell
        assert cell["reason"] == expected.reason


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation.reason)
def test_every_deviation_is_of_use(recorded, deviation):
    facts = ("server", "client", "format", "leaf", "scheme")
    assert any(expectation(Pairing(**{key: cell[key] for key in facts})) is deviation for cell in recorded["cells"])


def test_every_format_was_tried_or_has_a_reason(recorded):
    tried = {cell["format"] for cell in recorded["cells"]} - {""}
    assert tried | set(UNTRIED) == set(format_names())
    assert not tried & set(UNTRIED)


def test_the_documentation_is_what_the_record_prints(recorded):
    assert (ROOT / "docs" / "interop.md").read_text() == as_markdown(recorded)


# --- The command --------------------------------------------------------------------------------------------------


def test_the_command(have, capsys, tmp_path):
    have("openssl")
    file = tmp_path / "interop.json"
    arguments = ["interop", "openssl", "--leaves", "P-256", "--schemes", "P-384"]
    assert cli.run([*arguments, "--json", "--out", str(file)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(file.read_bytes())
    assert [(cell["server"], cell["scheme"], cell["outcome"]) for cell in printed["cells"]] == [
        ("pqdc", "", CERTIFICATE),
        ("openssl", "", CERTIFICATE),
        ("pqdc", "ECDSA-P384", CERTIFICATE),
    ]
    assert cli.run(["interop", "--from", str(file)]) == 0
    assert "| pqdc → openssl | leaf | leaf[^1] |" in capsys.readouterr().out
    assert str(tmp_path.parent) not in file.read_text()


def test_a_surprise_is_bold_and_a_failure(have, capsys, monkeypatch):
    have("openssl")
    monkeypatch.setattr(deviations, "DEVIATIONS", ())
    assert cli.run(["interop", "openssl", "--leaves", "P-256", "--schemes", "P-384"]) == 1
    printed = capsys.readouterr()
    assert "| pqdc → openssl | leaf | **leaf** |" in printed.out
    assert "1 unexplained" in printed.out
    assert "not expected: pqdc serves openssl: ECDSA-P384 under ECDSA-P256: certificate instead" in printed.err


def test_a_peer_that_is_none(capsys):
    assert cli.run(["interop", "opensll"]) == 1
    assert "no peer is called 'opensll'" in capsys.readouterr().err
    assert cli.run(["interop", "--prepare", "opensll"]) == 1


def test_a_file_that_is_none(capsys, tmp_path):
    (tmp_path / "x").write_text('{"kind": "something else"}')
    assert cli.run(["interop", "--from", str(tmp_path / "x")]) == 1
    assert "something else" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["boringssl", "curl", "nss-server", "tlslite"])
def test_what_has_not_been_made_is_a_reason(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(PeerUnavailable, match=r"has not been (built|installed): .* is missing") as caught:
        load_peer(name)
    assert "make peers" in caught.value.hint
    assert cli.run(["interop", name]) == 1
    assert cli.run(["doctor"]) in {0, 1}
    assert f"missing  peer {name}: " in capsys.readouterr().out


def test_a_record_carries_nothing_of_the_machine(recorded):
    cell = as_dict(
        matrix.Cell(pairing=pairing(), outcome="x", expected=Deviation(outcome="y", reason=""), detail="/here")
    )
    assert "/here" not in json.dumps(cell)
    assert "/" not in "".join(str(value) for cell in recorded["cells"] for value in cell.values())
