"""`pqdc mint` and `pqdc convert` as people type them: formats, own keys, passwords, and bad files in one line."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pqdc import pem
from pqdc.cli import passwords, run
from pqdc.credential.formats import format_names, load_format, read_bundles
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.scheme import keyfile, pkcs8, spki
from pqdc.scheme.catalog import load_catalog
from tests.conftest import der, oid

CATALOG = load_catalog()
ALL = ",".join(format_names())


@pytest.fixture
def cli(capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Run pqdc in this process, with no terminal: its exit status, stdout and stderr."""
    monkeypatch.delenv("PQDC_ALGORITHMS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A CA, a leaf, and its P-256 credential in every format."""
    folder = tmp_path_factory.mktemp("formats")
    leaf = ("--leaf", folder / "leaf.pem", "--key", folder / "leaf.key")
    for arguments in (
        ("ca", "--out", folder),
        ("leaf", "--ca", folder, "--out", folder),
        ("mint", "--scheme", "P-256", *leaf, "--format", ALL, "--out", folder / "all"),
        ("mint", "--scheme", "P-256", *leaf, "--format", "fizz", "--role", "client", "--out", folder / "client"),
        ("mint", "--scheme", "ML-DSA-44", *leaf, "--out", folder / "ml-dsa"),
    ):
        assert run([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture
def mint(cli, home):
    """Mint under that leaf."""
    return lambda *more: cli("mint", "--leaf", home / "leaf.pem", "--key", home / "leaf.key", *more)


def one_line(told: str) -> bool:
    return told.startswith("pqdc: ") and told.count("\n") == 1 and "Traceback" not in told


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


# --- Formats ----------------------------------------------------------------------------------------------------------


def test_every_format_at_once_says_how_each_is_loaded(mint, tmp_path, home):
    status, said, told = mint("--scheme", "P-256", "--format", ALL, "--out", tmp_path / "out")
    assert status == 0
    assert sorted(map(Path, said.split())) == sorted((tmp_path / "out").iterdir())
    for name in format_names():
        form = load_format(name)
        assert f"\n{name}, for {form.target}:\n" in told
        for line in form.usage.splitlines():
            assert (
                f"  {line}".replace("{folder}", str(tmp_path / "out")).replace("{leaf_key}", str(home / "leaf.key"))
                in told
            )
    for path in (tmp_path / "out").iterdir():
        secret = path.name in {"dc.key", "dc.key.der", "dckey.pem", "dc.fizz.pem", "dc.txt"}
        assert (stat.S_IMODE(path.stat().st_mode) == 0o600) == secret


def test_formats_are_separated_by_commas_or_given_again(mint, tmp_path):
    assert mint("--scheme", "P-256", "--format", "Tongsuo, cfgo", "--format", "cfgo", "--out", tmp_path / "out")[0] == 0
    assert set(contents(tmp_path / "out")) == {"dc.hex", "dc.key", "dc.cred", "dckey.pem", "leaf.pem"}


def test_without_a_format_little_is_said(mint, tmp_path):
    status, said, told = mint("--scheme", "P-256", "--out", tmp_path / "out")
    assert (status, len(said.splitlines()), told.count("\n")) == (0, 4, 1)


def test_a_leaf_that_is_there_already_stays(mint, home, tmp_path):
    (tmp_path / "leaf.pem").write_bytes((home / "leaf.pem").read_bytes())
    assert mint("--scheme", "P-256", "--out", tmp_path)[0] == 0
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "leaf.pem").write_bytes(b"another\n" + (home / "leaf.pem").read_bytes())
    status, _, told = mint("--scheme", "P-256", "--out", tmp_path / "again")
    assert (status, one_line(told)) == (1, True)
    assert set(contents(tmp_path / "again")) == {"leaf.pem"}


def test_the_user_s_own_leaf_is_not_overwritten_by_force(cli, home, tmp_path):
    text = b"my leaf\n" + (home / "leaf.pem").read_bytes()
    (tmp_path / "leaf.pem").write_bytes(text)
    status, _, told = cli(
        *("mint", "--scheme", "P-256", "--leaf", tmp_path / "leaf.pem", "--key", home / "leaf.key"),
        *("--out", tmp_path, "--force"),
    )
    assert (status, one_line(told)) == (1, True)
    assert "was given as input" in told
    assert contents(tmp_path) == {"leaf.pem": text}


def test_a_bundle_in_the_wrong_order_gives_a_leaf_first(cli, home, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes((home / "ca.pem").read_bytes() + (home / "leaf.pem").read_bytes())
    options = ("--leaf", bundle, "--key", home / "leaf.key", "--format", "boringssl,raw", "--out", tmp_path / "out")
    assert cli("mint", "--scheme", "P-256", *options)[0] == 0
    files = contents(tmp_path / "out")
    assert files["leaf.pem"] == (home / "leaf.pem").read_bytes() + (home / "ca.pem").read_bytes()
    assert pem.armour("CERTIFICATE", files["leaf.der"]) == (home / "leaf.pem").read_bytes()
    assert pem.armour("CERTIFICATE", files["chain1.der"]) == (home / "ca.pem").read_bytes()


@pytest.mark.parametrize("form", ["fizz", "nss", "cfgo", "tongsuo", "tlslite", "fizz-server", "interop-runner"])
def test_what_a_target_cannot_load_is_refused_before_anything_is_written(mint, tmp_path, form):
    status, said, told = mint("--scheme", "ML-DSA-44", "--format", f"raw,{form}", "--out", tmp_path / "out")
    assert (status, said, one_line(told)) == (1, "", True)
    assert f"{load_format(form).target} loads no credential for ML-DSA-44 (0x0904), but for ecdsa_secp256r1" in told
    assert contents(tmp_path / "out") == {}


# --- Keys of one's own ------------------------------------------------------------------------------------------------


def dc_of(folder: Path) -> DelegatedCredential:
    return DelegatedCredential.decode((folder / "dc.bin").read_bytes())


def test_the_public_half_goes_in_byte_for_byte(mint, tmp_path):
    """RSASSA-PSS with parameters, as OpenSSL writes it: to re-encode it would drop them."""
    private, public = tmp_path / "pss.pem", tmp_path / "public.pem"
    restricted = (
        "rsa_keygen_bits:2048",
        "rsa_pss_keygen_md:sha256",
        "rsa_pss_keygen_mgf1_md:sha256",
        "rsa_pss_keygen_saltlen:32",
    )
    options = [word for option in restricted for word in ("-pkeyopt", option)]
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA-PSS", *options, "-out", private], check=True, capture_output=True
    )
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    wanted = pem.blocks(public.read_bytes())[0].data
    assert spki.decode(wanted).algorithm.parameters
    for name, options in {"public": ["--dc-public", public], "private": ["--dc-key", private]}.items():
        assert mint("--scheme", "RSA-PSS-2048", *options, "--out", tmp_path / name)[0] == 0
        assert dc_of(tmp_path / name).cred.spki == wanted
    assert "dc.key" not in contents(tmp_path / "public")
    assert pem.blocks(contents(tmp_path / "private")["dc.key"])[0].data == pem.blocks(private.read_bytes())[0].data


def test_an_expanded_key_with_its_public_half(mint, cli, liboqs, tmp_path):
    scheme = CATALOG["ML-DSA-65"]
    secret = liboqs.generate(scheme, seed=bytes(32)).secret()
    key, public, other = (tmp_path / name for name in ("expanded.pem", "public.pem", "other.pem"))
    key.write_bytes(pem.armour("PRIVATE KEY", pkcs8.encode(scheme, pkcs8.Secret(expanded=secret.expanded))))
    public.write_bytes(pem.armour("PUBLIC KEY", spki.encode(scheme, secret.public)))
    other.write_bytes(pem.armour("PUBLIC KEY", liboqs.generate(scheme, seed=bytes([1]) * 32).public.spki))
    status, _, told = mint("--scheme", "ML-DSA-65", "--dc-key", key, "--out", tmp_path / "out")
    assert (status, one_line(told), "--dc-public" in told) == (1, True, True)
    status, _, told = mint("--scheme", "ML-DSA-65", "--dc-key", key, "--dc-public", other, "--out", tmp_path / "out")
    assert (status, one_line(told), "do not belong together" in told) == (1, True, True)
    assert mint("--scheme", "ML-DSA-65", "--dc-key", key, "--dc-public", public, "--out", tmp_path / "out")[0] == 0
    assert dc_of(tmp_path / "out").cred.spki == spki.encode(scheme, secret.public)
    again = keyfile.load_private_key(tmp_path / "out" / "dc.key", CATALOG, scheme)
    assert again.secret().expanded == secret.expanded
    status, _, _ = cli(
        "convert", tmp_path / "out" / "dc.bin", "--dc-key", key, "--to", "raw", "--out", tmp_path / "converted"
    )
    assert status == 0
    assert contents(tmp_path / "converted")["dc.key"] == contents(tmp_path / "out")["dc.key"]
    status, _, told = mint(
        *("--scheme", "ML-DSA-65", "--dc-key", key, "--dc-public", public, "--format", "boringssl"),
        *("--out", tmp_path / "boringssl"),
    )
    assert (status, one_line(told), "from their seed alone" in told) == (1, True, True)


def test_a_private_key_beside_another_public_key(mint, home, keys, tmp_path):
    (tmp_path / "public.pem").write_bytes(pem.armour("PUBLIC KEY", keys(CATALOG["P-256"]).public.spki))
    status, _, told = mint(
        *("--scheme", "P-256", "--dc-key", home / "all" / "dc.key", "--dc-public", tmp_path / "public.pem"),
        *("--out", tmp_path / "out"),
    )
    assert (status, one_line(told), "another public key" in told) == (1, True, True)


# --- Passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["P-256", "ML-DSA-44", "Falcon-512"])
def test_an_encrypted_key_goes_out_and_comes_in(mint, cli, tmp_path, scheme):
    word = tmp_path / "word"
    word.write_bytes(b"open sesame\r\nsecond line\n")
    status, _, _ = mint("--scheme", scheme, "--encrypt-key", "--password-file", word, "--out", tmp_path / "one")
    assert status == 0
    key = tmp_path / "one" / "dc.key"
    assert pem.blocks(key.read_bytes())[0].label == "ENCRYPTED PRIVATE KEY"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert mint("--scheme", scheme, "--dc-key", key, "--password-file", word, "--out", tmp_path / "two")[0] == 0
    assert dc_of(tmp_path / "two").cred.spki == dc_of(tmp_path / "one").cred.spki
    convert = ("convert", tmp_path / "one" / "dc.bin", "--dc-key", key, "--to", "pem", "--out")
    assert cli(*convert, tmp_path / "plain", "--password-file", word)[0] == 0
    assert contents(tmp_path / "plain")["dc.key"] == contents(tmp_path / "two")["dc.key"]
    status, _, told = cli(*convert, tmp_path / "none")
    assert (status, one_line(told)) == (1, True)
    assert "the private key is encrypted (give the password in a file: --password-file)" in told
    word.write_bytes(b"wrong\n")
    status, _, told = cli(*convert, tmp_path / "none", "--password-file", word)
    assert (status, one_line(told), "does not open the private key" in told) == (1, True, True)


def test_a_password_is_asked_for_only_at_a_terminal(mint, cli, tmp_path, monkeypatch):
    asked = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "sésame"

    monkeypatch.setattr(passwords.getpass, "getpass", ask)
    status, _, told = mint("--scheme", "P-256", "--encrypt-key", "--out", tmp_path / "out")
    assert (status, one_line(told), "--password-file" in told, asked) == (1, True, True, [])
    monkeypatch.setattr(passwords.sys.stdin, "isatty", lambda: True, raising=False)
    assert mint("--scheme", "P-256", "--encrypt-key", "--out", tmp_path / "out")[0] == 0
    assert len(asked) == 2
    key = tmp_path / "out" / "dc.key"
    assert keyfile.load_private_key(key, CATALOG, CATALOG["P-256"], password="sésame".encode())
    assert (
        cli("convert", tmp_path / "out" / "dc.bin", "--dc-key", key, "--to", "raw", "--out", tmp_path / "plain")[0] == 0
    )
    assert asked[2:] == [f"password of {key}: "]


def test_two_passwords_that_differ(mint, tmp_path, monkeypatch):
    answers = iter(["one", "two"])
    monkeypatch.setattr(passwords.getpass, "getpass", lambda _: next(answers))
    monkeypatch.setattr(passwords.sys.stdin, "isatty", lambda: True, raising=False)
    status, _, told = mint("--scheme", "P-256", "--encrypt-key", "--out", tmp_path / "out")
    assert (status, one_line(told), "the two passwords differ" in told) == (1, True, True)


def test_nothing_waits_for_a_password_without_a_terminal(home, tmp_path):
    """In a process of its own, whose stdin stays open and says nothing."""
    word = tmp_path / "word"
    word.write_bytes(b"abc\n")
    leaf = ["--leaf", str(home / "leaf.pem"), "--key", str(home / "leaf.key")]
    assert (
        run(["mint", "--scheme", "P-256", *leaf, "--encrypt-key", "--password-file", str(word), "--out", str(tmp_path)])
        == 0
    )
    arguments = [
        "convert",
        tmp_path / "dc.bin",
        "--dc-key",
        tmp_path / "dc.key",
        "--to",
        "raw",
        "--out",
        tmp_path / "x",
    ]
    call = [sys.executable, "-c", "from pqdc.cli import main; main()", *map(str, arguments)]
    with subprocess.Popen(
        call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.wait(timeout=60) == 1
        assert one_line(process.stderr.read())


# --- Convert ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["dc.bin", "dc.pem", "dc.hex", "dc.b64", "dc.cred", "dc.txt", "dc.fizz.pem"])
def test_from_every_format_to_every_format(cli, home, tmp_path, source):
    """What the source lacks is given; then it makes no difference what the source was, nor that it was converted."""
    given = ("--leaf", home / "leaf.pem", "--dc-key", home / "all" / "dc.key")
    status, said, told = cli("convert", home / "all" / source, *given, "--to", ALL, "--out", tmp_path)
    assert status == 0
    assert contents(tmp_path) == contents(home / "all")
    assert sorted(map(Path, said.split())) == sorted(tmp_path.iterdir())
    assert "tls.py server" in told


def test_a_source_that_holds_everything_needs_nothing(cli, home, tmp_path):
    assert cli("convert", home / "all" / "dc.fizz.pem", "--to", ALL, "--out", tmp_path)[0] == 0
    assert contents(tmp_path) == contents(home / "all")


def test_converting_into_the_same_folder(cli, mint, home, tmp_path):
    assert mint("--scheme", "P-256", "--out", tmp_path)[0] == 0
    given = ("--leaf", tmp_path / "leaf.pem", "--dc-key", tmp_path / "dc.key")
    before = contents(tmp_path)
    assert cli("convert", tmp_path / "dc.bin", *given, "--to", "fizz-server,tongsuo", "--out", tmp_path)[0] == 0
    assert contents(tmp_path) == before | {"dc.hex": before["dc.bin"].hex().encode()}


def test_the_leaf_tells_the_role_and_which_certificate_it_is(cli, home, tmp_path):
    (client,) = read_bundles(home / "client" / "dc.fizz.pem")
    (tmp_path / "dc.bin").write_bytes(client.dc)
    (tmp_path / "key").write_bytes(pem.armour("PRIVATE KEY", client.private_key))
    (tmp_path / "bundle").write_bytes((home / "ca.pem").read_bytes() + (home / "leaf.pem").read_bytes())
    given = ("--leaf", tmp_path / "bundle", "--dc-key", tmp_path / "key")
    assert cli("convert", tmp_path / "dc.bin", *given, "--to", "fizz", "--out", tmp_path / "out")[0] == 0
    (found,) = read_bundles(tmp_path / "out" / "dc.fizz.pem")
    assert found.role is Role.CLIENT
    assert found.certificates[0] == client.certificates[0]
    assert len(found.certificates) == 2


def test_of_several_credentials_the_role_chooses(cli, home, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes((home / "all" / "dc.fizz.pem").read_bytes() + (home / "client" / "dc.fizz.pem").read_bytes())
    status, _, told = cli("convert", both, "--to", "raw", "--out", tmp_path / "out")
    assert (status, one_line(told), "it holds 2 (say which with --role)" in told) == (1, True, True)
    assert cli("convert", both, "--role", "client", "--to", "raw", "--out", tmp_path / "out")[0] == 0
    assert contents(tmp_path / "out")["dc.bin"] == read_bundles(home / "client" / "dc.fizz.pem")[0].dc


def test_a_leaf_that_did_not_sign_it_is_mentioned_or_of_several_refused(cli, home, tmp_path):
    command = ("convert", home / "all" / "dc.bin", "--to", "raw", "--out")
    status, _, told = cli(*command, tmp_path / "one", "--leaf", home / "ca.pem")
    assert (status, "signature is not by this leaf" in told) == (0, True)
    (tmp_path / "two.pem").write_bytes((home / "ca.pem").read_bytes() * 2)
    status, _, told = cli(*command, tmp_path / "two", "--leaf", tmp_path / "two.pem")
    assert (status, one_line(told), "none of its 2 certificates signed" in told) == (1, True, True)


def test_a_key_that_is_not_the_credential_s(cli, home, keys, tmp_path):
    wrong = {
        "another of its scheme": pem.armour("PRIVATE KEY", keys(CATALOG["P-256"]).pkcs8()),
        "one of another scheme": (home / "ml-dsa" / "dc.key").read_bytes(),
        "none": (home / "all" / "dc.pem").read_bytes(),
    }
    for what, data in wrong.items():
        (tmp_path / "key").write_bytes(data)
        status, said, told = cli(
            *(
                "convert",
                home / "all" / "dc.bin",
                "--dc-key",
                tmp_path / "key",
                "--to",
                "raw",
                "--out",
                tmp_path / "out",
            )
        )
        assert (what, status, said, one_line(told)) == (what, 1, "", True)
        assert contents(tmp_path / "out") == {}


def test_a_source_whose_own_key_is_not_the_credential_s(cli, home, keys, tmp_path):
    credential, _, rest = (home / "all" / "dc.txt").read_bytes().partition(b",")
    assert rest
    (tmp_path / "dc.txt").write_bytes(credential + b"," + keys(CATALOG["P-256"]).pkcs8().hex().encode())
    status, _, told = cli("convert", tmp_path / "dc.txt", "--to", "raw", "--out", tmp_path / "out")
    assert (status, one_line(told), "another public key" in told) == (1, True, True)


def test_a_credential_of_an_unknown_scheme_is_converted_without_a_key(cli, home, tmp_path):
    key = der(0x30, der(0x30, oid("1.2.3")), der(0x03, b"\0key"))
    known = DelegatedCredential.decode((home / "all" / "dc.bin").read_bytes())
    cred = type(known.cred)(valid_time=1, dc_cert_verify_algorithm=0xFE00, spki=key)
    (tmp_path / "dc").write_bytes(DelegatedCredential(cred=cred, algorithm=0x0403, signature=b"x").encode())
    assert cli("convert", tmp_path / "dc", "--to", "pem", "--out", tmp_path / "out")[0] == 0
    given = ("--dc-key", home / "all" / "dc.key")
    status, _, told = cli("convert", tmp_path / "dc", *given, "--to", "pem", "--out", tmp_path / "other")
    assert (status, one_line(told), "no scheme in the catalog has 0xfe00" in told) == (1, True, True)
    status, _, told = cli("convert", tmp_path / "dc", "--to", "nss", "--out", tmp_path / "other")
    assert (status, one_line(told), "NSS loads no credential for 0xfe00" in told) == (1, True, True)


def test_an_encrypted_key_wants_a_key(cli, mint, home, keys, tmp_path):
    status, _, told = cli("convert", home / "all" / "dc.bin", "--to", "raw", "--encrypt-key", "--out", tmp_path / "out")
    assert (status, one_line(told), "there is no private key to encrypt" in told) == (1, True, True)
    (tmp_path / "public").write_bytes(keys(CATALOG["P-256"]).public.spki)
    status, _, told = mint(
        "--scheme", "P-256", "--dc-public", tmp_path / "public", "--encrypt-key", "--out", tmp_path / "out"
    )
    assert (status, "--encrypt-key wants a private key" in told) == (2, True)


# --- Bad files --------------------------------------------------------------------------------------------------------


def bad_files(folder: Path, home: Path) -> dict[str, Path | str]:
    """Files of every kind that hold no credential, no certificate and no private key."""
    made = {
        name: folder / name.replace(" ", "-")
        for name in ("empty", "huge", "binary", "text", "DER", "wrong label", "pipe")
    }
    made["empty"].touch()
    with made["huge"].open("wb") as file:
        file.truncate(2**30)
    made["binary"].write_bytes(os.urandom(5000))
    made["text"].write_text("hello, world\n")
    made["DER"].write_bytes(der(0x30, oid("1.2.3")))
    made["wrong label"].write_bytes(pem.armour("SERVERS DELEGATED CREDENTIAL", (home / "all" / "dc.bin").read_bytes()))
    os.mkfifo(made["pipe"])
    return {
        **made,
        "a folder": folder,
        "nothing": folder / "none",
        "zeros": Path("/dev/zero"),
        "NUL in the name": "a\0b",
        "a file as a folder": made["text"] / "file",
        "a name of 5,000 characters": "x" * 5000,
    }


BAD = sorted(
    [
        *(
            "empty",
            "huge",
            "binary",
            "text",
            "DER",
            "wrong label",
            "pipe",
            "a folder",
            "nothing",
            "zeros",
            "NUL in the name",
        ),
        *("a file as a folder", "a name of 5,000 characters"),
    ]
)


@pytest.mark.parametrize("bad", BAD)
def test_bad_files_are_one_line_and_exit_1(cli, home, tmp_path, bad):
    folder = tmp_path / "bad"
    folder.mkdir()
    file, out = bad_files(folder, home)[bad], tmp_path / "out"
    mint = ("mint", "--scheme", "P-256", "--out", out)
    convert = ("convert", home / "all" / "dc.bin", "--to", "raw", "--out", out)
    for arguments in (
        ("convert", file, "--to", "raw", "--out", out),
        (*convert, "--dc-key", file),
        (*convert, "--leaf", file),
        (*mint, "--leaf", file, "--key", home / "leaf.key"),
        (*mint, "--leaf", home / "leaf.pem", "--key", file),
        (*mint, "--leaf", home / "leaf.pem", "--key", home / "leaf.key", "--dc-key", file),
        (*mint, "--leaf", home / "leaf.pem", "--key", home / "leaf.key", "--dc-public", file),
    ):
        status, said, told = cli(*arguments)
        wanted = 2 if "NUL" in bad else 1  # no operating system hands one over: the command line itself refuses it
        assert (status, said, one_line(told)) == (wanted, "", True), told
        assert len(told) < 6000
        assert not out.exists()


def test_one_thing_where_another_belongs(cli, home, tmp_path):
    things = {"credential": home / "all" / "dc.pem", "key": home / "all" / "dc.key", "leaf": home / "leaf.pem"}
    out = ("--to", "raw", "--out", tmp_path / "out")
    for wrong in ("key", "leaf"):
        status, _, told = cli("convert", things[wrong], *out)
        assert (status, one_line(told), "a delegated credential wanted, it holds" in told) == (1, True, True)
    for wrong in ("credential", "leaf"):
        status, _, told = cli("convert", things["credential"], "--dc-key", things[wrong], *out)
        assert (status, one_line(told), "a private key wanted, it holds" in told) == (1, True, True)
    for wrong in ("credential", "key"):
        status, _, told = cli("convert", things["credential"], "--leaf", things[wrong], *out)
        assert (status, one_line(told), "no certificate in it, but" in told) == (1, True, True)


def test_wrong_use(cli, mint, home, tmp_path):
    out = ("--out", tmp_path / "out")
    status, _, told = mint("--scheme", "P-256", "--format", "gif", *out)
    assert (status, one_line(told), "there are raw, pem" in told) == (1, True, True)
    assert mint("--scheme", "P-256", "--format", ",", *out)[0] == 2
    assert cli("convert", home / "all" / "dc.bin", *out)[0] == 2
    assert cli("convert", home / "all" / "dc.bin", "--to", "raw", "--role", "both", *out)[0] == 2
