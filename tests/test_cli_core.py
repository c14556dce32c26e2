"""`pqdc ca`, `leaf`, `mint`, `verify` and `schemes`: the way through, and bad input told in one line.

Bad input is exit 1 or 2, exactly one line on stderr, nothing on stdout, and no file that was not there before.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pqdc import __version__, pem
from pqdc.cli import run
from pqdc.credential import refusals
from pqdc.credential.leaf import read_certificates
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.credential.verify import verify
from pqdc.errors import BackendUnavailable
from pqdc.scheme import keyfile
from pqdc.scheme.backends.liboqs_library import find_library
from tests.conftest import LEAF_SCHEMES

CALL = "from pqdc.cli import main; main()"


@pytest.fixture
def cli(capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Run pqdc in this process: its exit status, stdout and stderr."""
    monkeypatch.delenv("PQDC_ALGORITHMS", raising=False)
    monkeypatch.setenv("COLUMNS", "160")  # so that no name is broken in two

    def call(*arguments: object) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def process(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run pqdc as people do, in a process of its own with no terminal and nothing to read."""
    return subprocess.run(
        [sys.executable, "-c", CALL, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={key: value for key, value in (os.environ | environ).items() if value is not None},
    )


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every file below, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A CA and leaves made by the commands themselves, and what people mistake for them."""
    folder = tmp_path_factory.mktemp("cli")

    def make(*arguments: object) -> None:
        assert run([str(argument) for argument in arguments]) == 0

    make("ca", "--out", folder / "ca")
    for name in LEAF_SCHEMES:
        make("leaf", "--ca", folder / "ca", "--scheme", name, "--out", folder / name)
    make("leaf", "--ca", folder / "ca", "--out", folder / "plain", "--no-delegation")
    make("leaf", "--ca", folder / "ca", "--out", folder / "short", "--days", 1)
    leaf, key = folder / "ECDSA-P256" / "leaf.pem", folder / "ECDSA-P256" / "leaf.key"
    make("mint", "--scheme", "ML-DSA-44", "--leaf", leaf, "--key", key, "--out", folder / "dc")
    make("mint", "--scheme", "P-384", "--leaf", leaf, "--key", key, "--out", folder / "old")
    (folder / "text.txt").write_text("no PEM\n")
    (folder / "empty").write_bytes(b"")
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")
    (folder / "broken.toml").write_text("[scheme.ML-DSA-44]\ncode_point = true\n")
    locked = load_pem_private_key(key.read_bytes(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
    )
    (folder / "locked.key").write_bytes(locked)
    (folder / "password").write_text("open sesame\n")
    (folder / "wrong").write_text("open barley\n")
    return folder


LEAF = ("--leaf", "{home}/ECDSA-P256/leaf.pem", "--key", "{home}/ECDSA-P256/leaf.key")


def filled(home: Path, out: Path, arguments: tuple[str, ...]) -> list[str]:
    return [argument.replace("{home}", str(home)).replace("{out}", str(out)) for argument in arguments]


# --- The way through -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way", [(under, role) for under in LEAF_SCHEMES for role in ("server", "client")], ids="-".join
)
def test_ca_leaf_mint_verify(cli, home, tmp_path, catalog, way):
    under, role = way
    leaf, key = home / under / "leaf.pem", home / under / "leaf.key"
    out = tmp_path / "out"
    mint = ("mint", "--scheme", "ml-dsa-65", "--leaf", leaf, "--key", key, "--role", role, "--out", out)
    status, said, told = cli(*mint)
    assert status == 0
    assert sorted(map(Path, said.split())) == sorted(out.iterdir())
    assert told.startswith("minted a credential of ")
    assert told.count("\n") == 1
    for name in ("dc.bin", "dc.pem"):
        status, said, told = cli("verify", "--leaf", leaf, "--role", role, out / name)
        assert (status, told) == (0, "")
        assert said.startswith(f"accepted: {role} credential for ML-DSA-65, valid until 20")
    dc = DelegatedCredential.decode((out / "dc.bin").read_bytes())
    (certificate,) = read_certificates(leaf, catalog)
    verify(dc, certificate, now=datetime.now(UTC), role=Role[role.upper()])
    private = keyfile.load_private_key(out / "dc.key", catalog, catalog["ML-DSA-65"])
    assert private.public.spki == dc.cred.spki
    other = {"server": "client", "client": "server"}[role]
    status, said, told = cli("verify", "--leaf", leaf, "--role", other, out / "dc.bin")
    assert (status, told) == (1, "")
    assert said.startswith(
        "refused: SignatureInvalid (V5, RFC 9345 section 4.1.3): wanted a signature by the leaf's key"
    )


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_keys_are_0600_and_certificates_as_the_umask_says(cli, home, tmp_path, umask):
    before = os.umask(umask)
    try:
        assert cli("ca", "--out", tmp_path / "ca")[0] == 0
        assert cli("leaf", "--ca", tmp_path / "ca", "--out", tmp_path / "leaf")[0] == 0
        mint = ("mint", "--scheme", "Ed25519", "--leaf", tmp_path / "leaf" / "leaf.pem")
        assert cli(*mint, "--key", tmp_path / "leaf" / "leaf.key", "--out", tmp_path / "dc")[0] == 0
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*.*")}
    assert {name for name in modes if name.endswith(".key")} == {"ca.key", "leaf.key", "dc.key"}
    for name, mode in modes.items():
        assert mode == (0o600 if name.endswith(".key") else 0o666 & ~umask), name


def test_a_credential_for_a_key_of_one_s_own(cli, home, tmp_path, catalog):
    own = home / "dc" / "dc.key"
    arguments = filled(home, tmp_path, ("mint", "--scheme", "ML-DSA-44", *LEAF))
    status, _, _ = cli(*arguments, "--dc-key", own, "--out", tmp_path / "key")
    assert status == 0
    private = keyfile.load_private_key(own, catalog, catalog["ML-DSA-44"])
    assert DelegatedCredential.decode((tmp_path / "key" / "dc.bin").read_bytes()).cred.spki == private.public.spki
    public = tmp_path / "public.pem"
    public.write_bytes(pem.armour("PUBLIC KEY", private.public.spki))
    status, _, told = cli(*arguments, "--dc-public", public, "--out", tmp_path / "public")
    assert status == 0
    assert "your public key" in told
    assert DelegatedCredential.decode((tmp_path / "public" / "dc.bin").read_bytes()).cred.spki == private.public.spki
    assert not list((tmp_path / "public").glob("*.key"))


@pytest.mark.parametrize("formats", [["raw"], ["pem"], ["raw,pem"], ["raw", "pem"]])
def test_the_formats_asked_for_are_written(cli, home, tmp_path, formats):
    asked = [argument for name in formats for argument in ("--format", name)]
    assert (
        cli(*filled(home, tmp_path, ("mint", "--scheme", "Ed25519", *LEAF)), *asked, "--out", tmp_path / "dc")[0] == 0
    )
    names = {path.name for path in (tmp_path / "dc").iterdir()}
    assert ("dc.bin" in names, "dc.pem" in names) == ("raw" in ",".join(formats), "pem" in ",".join(formats))


def test_lifetimes_are_as_asked(cli, home, tmp_path, catalog):
    (certificate,) = read_certificates(home / "ECDSA-P256" / "leaf.pem", catalog)
    for text, seconds in (("900s", 900), ("900", 900), ("90m", 5400), ("24h", 86400), ("7d", 604800), ("7D", 604800)):
        out = tmp_path / text.swapcase()
        arguments = filled(home, out, ("mint", "--scheme", "Ed25519", *LEAF, "--valid-for", text, "--out", "{out}"))
        before = datetime.now(UTC).timestamp()
        assert cli(*arguments, "--force")[0] == 0
        dc = DelegatedCredential.decode((out / "dc.bin").read_bytes())
        end = certificate.not_before + dc.cred.valid_time
        assert int(before) + seconds <= end <= datetime.now(UTC).timestamp() + seconds


def test_an_encrypted_key_opens_with_its_password_file(cli, home, tmp_path):
    arguments = ("mint", "--scheme", "Ed25519", "--leaf", "{home}/ECDSA-P256/leaf.pem", "--key", "{home}/locked.key")
    given = ("--password-file", "{home}/password", "--out", "{out}/dc")
    assert cli(*filled(home, tmp_path, (*arguments, *given)))[0] == 0


def test_the_backend_is_as_asked(cli, home, tmp_path, liboqs):
    for name in ("openssl", "liboqs"):
        arguments = ("mint", "--scheme", "ML-DSA-44", *LEAF, "--backend", name, "--out", "{out}/" + name)
        status, _, told = cli(*filled(home, tmp_path, arguments))
        assert status == 0
        assert f"key by {name}" in told


def test_an_overlay_is_used_from_option_and_environment(cli, home, tmp_path, monkeypatch):
    overlay = tmp_path / "mine.toml"
    overlay.write_text('[scheme.Ed25519]\naliases = ["my-scheme"]\n')
    arguments = filled(home, tmp_path, ("mint", "--scheme", "my-scheme", *LEAF))
    assert cli(*arguments, "--out", tmp_path / "none")[0] == 1
    assert cli(*arguments, "--algorithms", overlay, "--out", tmp_path / "option")[0] == 0
    monkeypatch.setenv("PQDC_ALGORITHMS", f"{os.pathsep}{overlay}")
    assert cli(*arguments, "--out", tmp_path / "environment")[0] == 0


def test_a_leaf_has_the_names_and_days_asked_for(cli, home, tmp_path, catalog):
    names = ("--name", "example.org", "--name", "2001:db8::1")
    assert cli("leaf", "--ca", home / "ca", *names, "--days", 3, "--out", tmp_path)[0] == 0
    (leaf,) = read_certificates(tmp_path / "leaf.pem", catalog)
    assert b"example.org" in leaf.der
    assert leaf.not_after - leaf.not_before == 3 * 86400 + 3600


@pytest.mark.parametrize("scheme", ["P-384", "Ed25519", "RSA-2048", "ML-DSA-44"])
def test_a_ca_of_another_scheme(cli, tmp_path, catalog, scheme):
    assert cli("ca", "--scheme", scheme, "--out", tmp_path)[0] == 0
    assert cli("leaf", "--ca", tmp_path, "--out", tmp_path)[0] == 0
    (ca,) = read_certificates(tmp_path / "ca.pem", catalog)
    assert catalog[scheme] in ca.schemes


# --- verify --------------------------------------------------------------------------------------------------------


def verify_at(home: Path, *more: str) -> list[str]:
    return filled(home, home, ("verify", "--leaf", "{home}/ECDSA-P256/leaf.pem", "{home}/dc/dc.bin", *more))


@pytest.mark.parametrize(
    ("moment", "refusal"), [("1970-01-01", "LeafNotYetValid"), ("0", "LeafNotYetValid"), ("4102444800", "LeafExpired")]
)
def test_a_refusal_has_its_name_its_rule_and_exit_1(cli, home, moment, refusal):
    status, said, told = cli(*verify_at(home, "--at", moment))
    assert (status, told, said.count("\n")) == (1, "", 1)
    kind = getattr(refusals, refusal)
    assert said.startswith(f"refused: {refusal} ({kind.rule}, {kind.section}): wanted ")


@pytest.mark.parametrize(
    "spelling",
    [
        lambda it: it.isoformat(),
        lambda it: f"{it:%Y-%m-%dT%H:%M:%SZ}",
        lambda it: str(int(it.timestamp())),
        lambda it: f"{it:%Y-%m-%d %H:%M}",
    ],
)
def test_times_are_read_in_each_spelling(cli, home, spelling):
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert cli(*verify_at(home, "--at", spelling(soon)))[0] == 0
    late = soon + timedelta(days=2)
    status, said, _ = cli(*verify_at(home, "--at", spelling(late)))
    assert status == 1
    assert said.startswith("refused: Expired (V1, ")


def test_verdicts_as_json(cli, home):
    status, said, told = cli(*verify_at(home, "--json"))
    assert (status, told) == (0, "")
    answer = json.loads(said)
    assert answer["verdict"] == "accepted"
    assert answer["scheme"] == "ML-DSA-44"
    status, said, told = cli(*verify_at(home, "--json", "--at", "2100-01-01"))
    assert (status, told) == (1, "")
    answer = json.loads(said)
    assert answer["verdict"] == "refused"
    assert (answer["refusal"], answer["rule"], answer["alert"]) == ("LeafExpired", "V0", "certificate_expired")
    assert answer["wanted"]
    assert answer["got"]


# --- schemes -------------------------------------------------------------------------------------------------------


def test_schemes_as_json(cli, catalog):
    status, said, told = cli("schemes", "--json")
    rows = json.loads(said)
    assert (status, told) == (0, "")
    assert [row["name"] for row in rows] == list(catalog)
    for row in rows:
        assert {"name", "family", "available", "fits", "reason"} <= set(row)
        assert isinstance(row["available"], list)
        assert row["fits"] is (not row["reason"])
    by_name = {row["name"]: row for row in rows}
    assert by_name["Ed25519"]["available"] == ["openssl"]
    assert by_name["OV-Is"]["fits"] is False
    assert "65,531" in by_name["OV-Is"]["reason"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("ml-dsa-4*", ["ML-DSA-44"]),
        ("P-256", ["ECDSA-P256"]),
        ("ed448", ["Ed448"]),
        ("mldsa65", ["ML-DSA-65"]),
        ("falcon", ["Falcon-512", "Falcon-1024", "Falcon-padded-512", "Falcon-padded-1024"]),
        ("MAYO-?", ["MAYO-1", "MAYO-2", "MAYO-3", "MAYO-5"]),
    ],
)
def test_schemes_are_chosen_by_pattern(cli, pattern, names):
    assert [row["name"] for row in json.loads(cli("schemes", "--json", pattern)[1])] == names
    status, said, _ = cli("schemes", pattern)
    assert status == 0
    assert all(name in said for name in names)


def test_the_version_is_said(cli):
    assert cli("--version") == (0, f"pqdc {__version__}\n", "")


# --- Bad input: one line, nothing written --------------------------------------------------------------------------

OUT = ("--out", "{out}/new")
MINT = ("mint", "--scheme", "ML-DSA-44")
CHECK = ("verify", "--leaf", "{home}/ECDSA-P256/leaf.pem")
BAD = {
    # files
    "a missing leaf": ((*MINT, "--leaf", "{home}/none.pem", *LEAF[2:], *OUT), 1, "none.pem: no such file"),
    "a missing key": ((*MINT, *LEAF[:3], "{home}/none.key", *OUT), 1, "none.key: no such file"),
    "a folder for a leaf": ((*MINT, "--leaf", "{home}", *LEAF[2:], *OUT), 1, "a file wanted, this is a folder"),
    "an empty leaf": ((*MINT, "--leaf", "{home}/empty", *LEAF[2:], *OUT), 1, "empty: the file is empty"),
    "a leaf that is no PEM": (
        (*MINT, "--leaf", "{home}/text.txt", *LEAF[2:], *OUT),
        1,
        "text.txt: no certificate, neither PEM nor DER",
    ),
    "a leaf that is broken PEM": (
        (*MINT, "--leaf", "{home}/broken.pem", *LEAF[2:], *OUT),
        1,
        "broken.pem: no certificate, neither PEM nor DER: PEM: the block CERTIFICATE is not base64",
    ),
    "a key that is no PEM": ((*MINT, *LEAF[:3], "{home}/text.txt", *OUT), 1, "text.txt: no private key"),
    "a certificate for a key": (
        (*MINT, *LEAF[:3], "{home}/ECDSA-P256/leaf.pem", *OUT),
        1,
        "leaf.pem: a private key wanted, it holds CERTIFICATE",
    ),
    "a key for a certificate": (
        (*MINT, "--leaf", "{home}/ECDSA-P256/leaf.key", *LEAF[2:], *OUT),
        1,
        "leaf.key: no certificate in it, but PRIVATE KEY",
    ),
    "a key that is encrypted": (
        (*MINT, *LEAF[:3], "{home}/locked.key", *OUT),
        1,
        "locked.key: the private key is encrypted (give the password in a file: --password-file)",
    ),
    "a wrong password": (
        (*MINT, *LEAF[:3], "{home}/locked.key", "--password-file", "{home}/wrong", *OUT),
        1,
        "locked.key: the password does not open the private key",
    ),
    "a missing password file": (
        (*MINT, *LEAF[:3], "{home}/locked.key", "--password-file", "{home}/none", *OUT),
        1,
        "none: no such file",
    ),
    # the leaf
    "a key that does not belong to the leaf": (
        (*MINT, *LEAF[:3], "{home}/Ed25519/leaf.key", *OUT),
        1,
        "leaf.key: this key does not belong to the certificate in ",
    ),
    "another key of the same kind": (
        (*MINT, *LEAF[:3], "{home}/ca/ca.key", *OUT),
        1,
        "ca.key: this key does not belong to the certificate in ",
    ),
    "a leaf that may not delegate": (
        (*MINT, "--leaf", "{home}/plain/leaf.pem", "--key", "{home}/plain/leaf.key", *OUT),
        1,
        "a leaf with DelegationUsage (1.3.6.1.4.1.44363.44); got one without (`pqdc leaf` makes a leaf that may ",
    ),
    "a CA for a leaf": (
        (*MINT, "--leaf", "{home}/ca/ca.pem", "--key", "{home}/ca/ca.key", *OUT),
        1,
        "a leaf with DelegationUsage",
    ),
    # the scheme
    "an unknown scheme": (
        ("mint", "--scheme", "ML-DSA-4", *LEAF, *OUT),
        1,
        "no scheme is called 'ML-DSA-4' (did you mean ML-DSA-44",
    ),
    "an empty scheme": (("mint", "--scheme", "", *LEAF, *OUT), 1, "no scheme is called ''"),
    "a scheme too large for a credential": (
        ("mint", "--scheme", "OV-Is", *LEAF, *OUT),
        1,
        "a DC of at most 65,531 bytes; got 412,266 bytes",
    ),
    "a scheme that the RFC forbids": (("mint", "--scheme", "RSA-2048", *LEAF, *OUT), 1, "rsa_pss_rsae_sha256"),
    "a scheme without a code point": (
        ("mint", "--scheme", "cross-rsdp-256-fast", *LEAF, *OUT),
        1,
        "cross-rsdp-256-fast cannot be carried by a credential: it has no TLS code point",
    ),
    "a scheme that nothing computes": (
        ("mint", "--scheme", "SNOVA_24_5_4", *LEAF, *OUT),
        1,
        "SNOVA_24_5_4 cannot be computed here: ",
    ),
    "a backend that does not compute it": (
        (*MINT[:2], "Ed25519", *LEAF, "--backend", "liboqs", *OUT),
        1,
        "the catalog lists no backend liboqs for Ed25519",
    ),
    "a backend that is none": ((*MINT, *LEAF, "--backend", "nss", *OUT), 1, "the catalog lists no backend nss"),
    "an overlay that is missing": (
        (*MINT, *LEAF, "--algorithms", "{home}/none.toml", *OUT),
        1,
        "none.toml: no such file",
    ),
    "an overlay that is wrong": (
        (*MINT, *LEAF, "--algorithms", "{home}/broken.toml", *OUT),
        1,
        "scheme.ML-DSA-44.code_point: expected an integer from 0 to 65535, got True (in broken.toml)",
    ),
    # the lifetime
    "longer than 7 days": (
        (*MINT, *LEAF, "--valid-for", "8d", *OUT),
        1,
        "a lifetime of at most 7 d; got 8 d",
    ),
    "a second longer": ((*MINT, *LEAF, "--valid-for", "604801s", *OUT), 1, "a lifetime of at most 7 d; got 7 d 1 s"),
    "no lifetime": ((*MINT, *LEAF, "--valid-for", "0", *OUT), 1, "a lifetime of at least a second; got 0 s"),
    "beyond the leaf": (
        (*MINT, "--leaf", "{home}/short/leaf.pem", "--key", "{home}/short/leaf.key", "--valid-for", "2d", *OUT),
        1,
        "an end by the leaf's, ",
    ),
    "a negative lifetime": ((*MINT, *LEAF, "--valid-for", "-1h", *OUT), 2, "a duration such as 24h"),
    "a lifetime in words": ((*MINT, *LEAF, "--valid-for", "a day", *OUT), 2, "a duration such as 24h"),
    "a lifetime without end": ((*MINT, *LEAF, "--valid-for", "999999999999d", *OUT), 2, "is longer than time"),
    # the output
    "an output that exists": ((*MINT, *LEAF, "--out", "{home}/old"), 1, "dc.bin exists already (choose another --out"),
    "a file for an output folder": ((*MINT, *LEAF, "--out", "{home}/text.txt"), 1, "text.txt"),
    "an output folder in a file": ((*MINT, *LEAF, "--out", "{home}/text.txt/new"), 1, "text.txt"),
    "a format that is none": (
        (*MINT, *LEAF, "--format", "pkcs12", *OUT),
        1,
        "no format is called 'pkcs12' (there are ",
    ),
    # the key of one's own
    "a key of another scheme": (
        (*MINT, *LEAF, "--dc-key", "{home}/old/dc.key", *OUT),
        1,
        "dc.key: a key of ML-DSA-44 wanted, this is one of ECDSA-P384",
    ),
    "a public key of another scheme": (
        (*MINT, *LEAF, "--dc-public", "{home}/text.txt", *OUT),
        1,
        "text.txt: ",
    ),
    "a private key where the public half is wanted": (
        (*MINT, *LEAF, "--dc-public", "{home}/dc/dc.key", *OUT),
        1,
        "dc.key: a public key wanted, it holds PRIVATE KEY",
    ),
    "both halves from one file": (
        (*MINT, *LEAF, "--dc-key", "{home}/dc/dc.key", "--dc-public", "{home}/dc/dc.key", *OUT),
        1,
        "dc.key: a public key wanted, it holds PRIVATE KEY",
    ),
    # options
    "a role that is none": ((*MINT, *LEAF, "--role", "proxy", *OUT), 2, "server or client wanted, got 'proxy'"),
    "an option that is none": ((*MINT, *LEAF, "--colour", *OUT), 2, "--colour"),
    "an option that is missing": ((*MINT, *OUT), 2, "--leaf"),
    "a command that is none": (("mnit",), 2, "mnit"),
    # ca and leaf
    "a CA of an unknown scheme": (("ca", "--scheme", "P-257", *OUT), 1, "no scheme is called 'P-257' (did you mean "),
    "a CA that no library writes": (
        ("ca", "--scheme", "Falcon-512", *OUT),
        1,
        "no library here writes certificates with Falcon-512 keys",
    ),
    "a CA without a name": (("ca", "--name", "", *OUT), 1, "a name for the CA wanted"),
    "a CA that exists": (("ca", "--out", "{home}/ca"), 1, "ca.pem exists already"),
    "a CA of no days": (("ca", "--days", "0", *OUT), 2, "--days"),
    "a leaf without a CA": (("leaf", "--ca", "{home}/none", *OUT), 1, "ca.pem: no such file"),
    "a leaf of a kind that no library writes": (
        ("leaf", "--ca", "{home}/ca", "--scheme", "Falcon-512", *OUT),
        1,
        "no library here writes certificates with Falcon-512 keys",
    ),
    "a leaf that would be another": (
        ("leaf", "--ca", "{home}/ca", "--scheme", "RSA-PSS-2048", *OUT),
        1,
        "another key type than RSA-PSS-2048",
    ),
    "a leaf for a name that is none": (("leaf", "--ca", "{home}/ca", "--name", "a b", *OUT), 1, "a host name or an IP"),
    "a leaf for an empty name": (("leaf", "--ca", "{home}/ca", "--name", "", *OUT), 1, "a host name or an IP"),
    # verify
    "a missing credential": ((*CHECK, "{home}/none.bin"), 1, "none.bin: no such file"),
    "a credential that is none": ((*CHECK, "{home}/text.txt"), 1, "text.txt: "),
    "an empty credential": ((*CHECK, "{home}/empty"), 1, "empty: the file is empty"),
    "a key for a credential": ((*CHECK, "{home}/dc/dc.key"), 1, "dc.key: "),
    "a leaf that is none": (("verify", "--leaf", "{home}/text.txt", "{home}/dc/dc.bin"), 1, "text.txt: "),
    "a leaf that is missing": (
        ("verify", "--leaf", "{home}/none.pem", "{home}/dc/dc.bin"),
        1,
        "none.pem: no such file",
    ),
    "a time that is none": ((*CHECK, "{home}/dc/dc.bin", "--at", "noon"), 2, "a time such as"),
    "a time beyond the calendar": ((*CHECK, "{home}/dc/dc.bin", "--at", "9" * 30), 2, "a time such as"),
    "verify in a role that is none": ((*CHECK, "{home}/dc/dc.bin", "--role", "both"), 2, "server or client wanted"),
    # schemes
    "a pattern that matches nothing": (("schemes", "ML-DSA-45"), 1, "no scheme matches 'ML-DSA-45'"),
}


# Where nothing computes the scheme, that is what is said first.
BY_LIBOQS = {"cross-rsdp-256-fast", "Falcon-512", "OV-Is"}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_leaves_nothing_behind(request, cli, home, tmp_path, name):
    arguments, expected, message = BAD[name]
    if BY_LIBOQS & set(arguments):
        request.getfixturevalue("liboqs")
    before = snapshot(home), snapshot(tmp_path)
    status, said, told = cli(*filled(home, tmp_path, arguments))
    assert (status, said) == (expected, "")
    assert told.startswith("pqdc: ")
    assert told.endswith("\n")
    assert told.count("\n") == 1
    assert message in told
    assert "Traceback" not in told
    assert (snapshot(home), snapshot(tmp_path)) == before


def test_no_secret_is_in_what_is_said(cli, home, tmp_path):
    """An error about a key quotes none of it, nor the password."""
    body = (home / "ECDSA-P256" / "leaf.key").read_text().splitlines()[1]
    half = tmp_path / "half.key"
    half.write_text("-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n")
    for key, more in ((half, ()), (home / "locked.key", ("--password-file", home / "wrong"))):
        status, _, told = cli(*MINT, *filled(home, tmp_path, LEAF[:3]), key, *more, "--out", tmp_path / "new")
        assert status == 1
        assert body[:16] not in told
        assert "barley" not in told


def test_of_several_outputs_one_that_exists_stops_all(cli, home, tmp_path):
    for name in ("dc.bin", "dc.pem", "dc.key"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text("mine")
        status, _, told = cli(*filled(home, folder, ("mint", "--scheme", "Ed25519", *LEAF, "--out", "{out}")))
        assert (status, told.count("\n")) == (1, 1)
        assert f"{name} exists already" in told
        assert snapshot(folder) == {name: b"mine"}


def test_a_link_that_leads_nowhere_is_an_output_that_exists(cli, home, tmp_path):
    (tmp_path / "dc.bin").symlink_to(tmp_path / "elsewhere")
    status, _, told = cli(*filled(home, tmp_path, ("mint", "--scheme", "Ed25519", *LEAF, "--out", "{out}")))
    assert status == 1
    assert "exists already" in told
    assert not (tmp_path / "elsewhere").exists()


def test_force_overwrites_and_keeps_keys_0600(cli, home, tmp_path):
    arguments = filled(home, tmp_path, ("mint", "--scheme", "Ed25519", *LEAF, "--out", "{out}"))
    assert cli(*arguments)[0] == 0
    before = snapshot(tmp_path)
    (tmp_path / "dc.key").chmod(0o644)
    assert cli(*arguments, "--force")[0] == 0
    after = snapshot(tmp_path)
    assert set(after) == set(before)
    assert all(after[name] != before[name] for name in ("dc.bin", "dc.key"))
    assert stat.S_IMODE((tmp_path / "dc.key").stat().st_mode) == 0o600


def test_an_unwritable_folder_is_one_line(cli, home, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    tmp_path.chmod(0o500)
    status, said, told = cli(*filled(home, tmp_path, (*MINT, *LEAF, *OUT)))
    tmp_path.chmod(0o700)
    assert (status, said, told.count("\n")) == (1, "", 1)
    assert "permission denied" in told


# --- In a process of its own ---------------------------------------------------------------------------------------


def test_an_error_in_a_process_is_one_line_and_no_traceback(home, tmp_path):
    result = process(*filled(home, tmp_path, (*MINT, *LEAF[:3], "{home}/locked.key", *OUT)))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_seen_enough_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-c", CALL, "schemes", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        child.stdout.read(1)
        child.stdout.close()
        assert child.stderr.read() == b""


@pytest.fixture
def no_liboqs(tmp_path, monkeypatch) -> dict[str, str]:
    """An environment in which there is no liboqs: an empty cache, no OQS_INSTALL_PATH, none of the system."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("OQS_INSTALL_PATH", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    try:
        library = find_library(os.environ)
    except BackendUnavailable:
        return {}
    pytest.skip(f"the system has a liboqs that cannot be hidden: {library.liboqs}")


def test_without_liboqs_a_scheme_of_its_is_one_line_with_what_to_do(no_liboqs, home, tmp_path):
    arguments = ("mint", "--scheme", "Falcon-512", *LEAF, *OUT)
    result = process(*filled(home, tmp_path, arguments))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("pqdc: Falcon-512 cannot be computed here: no liboqs: ")
    assert "pqdc doctor" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_with_a_wrong_install_path_the_reason_is_told(home, tmp_path):
    arguments = filled(home, tmp_path, ("mint", "--scheme", "Falcon-512", *LEAF, *OUT))
    for wrong, reason in (
        (str(tmp_path / "none"), "does not exist"),
        (str(home / "text.txt"), "is not a folder"),
        ("", "empty"),
    ):
        result = process(*arguments, OQS_INSTALL_PATH=wrong)
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert reason in result.stderr
        assert not (tmp_path / "new").exists()


def test_without_liboqs_the_rest_works(no_liboqs, home, tmp_path):
    result = process(*filled(home, tmp_path, (*MINT, *LEAF, *OUT)))
    assert result.returncode == 0
    assert "key by openssl" in result.stderr
    result = process("verify", "--leaf", home / "ECDSA-P256" / "leaf.pem", tmp_path / "new" / "dc.bin")
    assert (result.returncode, result.stderr) == (0, "")
    result = process("schemes", "--json", "Falcon-512")
    (row,) = json.loads(result.stdout)
    assert row["available"] == []
    assert row["unavailable"]["liboqs"].startswith("no liboqs: ")
    assert (row["fits"], row["reason"]) == (True, "")
    assert not (tmp_path / "cache").exists()


def test_without_liboqs_a_credential_that_needs_it_is_not_accepted(no_liboqs, home, tmp_path, cli):
    """Made where liboqs is, verified where it is not."""
    made = subprocess.run(
        [sys.executable, "-c", CALL, *filled(home, tmp_path, ("mint", "--scheme", "Falcon-512", *LEAF, *OUT))],
        capture_output=True,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "XDG_CACHE_HOME"},
    )
    if made.returncode:
        pytest.skip("there is no liboqs that could make one")
    result = process("verify", "--leaf", home / "ECDSA-P256" / "leaf.pem", tmp_path / "new" / "dc.bin")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("pqdc: Falcon-512 cannot be computed here: ")
