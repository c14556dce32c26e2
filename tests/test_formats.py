"""Every format with every scheme that it loads: written, recognised, read back; others' files; broken files."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqdc import pem
from pqdc.credential import fit
from pqdc.credential.formats import (
    Bundle,
    bundles_of,
    choose_bundle,
    format_names,
    load_format,
    read_bundles,
    read_credential,
    say_usage,
    write_bundle,
)
from pqdc.credential.formats.parts import CodePoint, from_base64, from_hex
from pqdc.credential.mint import Minter
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.errors import DecodeError, FileError
from pqdc.files import LARGEST_INPUT
from pqdc.scheme import backends, keyfile, pbes2, pkcs8
from pqdc.scheme.catalog import load_catalog

CATALOG = load_catalog()
FORMATS = {name: load_format(name) for name in format_names()}
FITTING = [name for name, scheme in CATALOG.items() if not fit.reason_against(scheme) and backends.available(scheme)]
LOADABLE = {name: set(form.loads.split(", ")) for name, form in FORMATS.items()}
WITH_THEIR_KEY = {"fizz", "interop-runner"}
RAW = {"boringssl", "cfgo", "fizz-server", "nss", "raw"}
DOCS = Path(__file__).parents[1] / "docs" / "formats.md"


def loads(form: str, scheme: str) -> bool:
    return LOADABLE[form] == {"any"} or CATALOG[scheme].tls_name in LOADABLE[form]


@pytest.fixture(scope="session")
def bundle_for(leaf, keys, now):
    """A credential for a scheme, with its key and leaf."""
    made: dict[tuple[str, Role], Bundle] = {}

    def make(name: str, role: Role = Role.SERVER) -> Bundle:
        if (name, role) not in made:
            key = keys(CATALOG[name])
            dc = Minter(leaf, role).mint_for(key.public, valid_for=timedelta(hours=1), now=now)
            made[name, role] = Bundle(
                dc=dc.encode(),
                private_key=key.pkcs8(),
                certificates=(leaf.certificate.der,),
                role=role,
                scheme=name,
            )
        return made[name, role]

    return make


def private_key_in(data: bytes) -> bytes:
    """The PKCS#8 of a file that holds one, in whatever way."""
    blocks = [block.data for block in pem.blocks(data) if block.label.endswith("PRIVATE KEY")]
    return blocks[0] if blocks else data


# --- Written and read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FITTING)
def test_round_trip_of_every_format(bundle_for, name):
    """What the target loads comes back as the same bytes; what it does not load is refused by its name."""
    bundle = bundle_for(name)
    for form, writer in FORMATS.items():
        if not loads(form, name):
            with pytest.raises(
                FileError, match=rf"{re.escape(writer.target)} loads no credential for {re.escape(name)}"
            ):
                writer.write(bundle)
            continue
        files = {file.name: file for file in writer.write(bundle)}
        assert all(file.secret == (bundle.private_key in read_secrets(file.data)) for file in files.values())
        found = [(file, one) for file in files.values() for one in try_reading(file.data)]
        ((file, read),) = [(file, one) for file, one in found if one.dc]
        assert read.dc == bundle.dc
        assert read.format == ("raw" if form in RAW else "pem" if form == "tlslite" else form)
        assert replace(writer.read(file.data)[0], format=read.format) == read
        if form in WITH_THEIR_KEY:
            assert read.private_key == bundle.private_key
        else:
            (key,) = (file for file in files.values() if file.secret)
            assert private_key_in(key.data) == bundle.private_key
        if form == "fizz":
            assert (read.role, read.certificates) == (bundle.role, bundle.certificates)


def try_reading(data: bytes) -> tuple[Bundle, ...]:
    try:
        return bundles_of(data, "file")
    except FileError:
        return ()


def read_secrets(data: bytes) -> list[bytes]:
    """Everything in a file that might be a private key."""
    if data.startswith(b"-----"):
        return [block.data for block in pem.blocks(data)]
    return [data, *map(from_hex, data.split(b","))]


def test_every_format_loads_something_and_knows_its_schemes():
    known = {point.name: point.value for point in CodePoint}
    for form in FORMATS.values():
        for name in LOADABLE[form.name] - {"any"}:
            assert CATALOG[name].code_point == known[name]
        assert any(loads(form.name, name) for name in FITTING)


@pytest.mark.parametrize("role", Role)
def test_all_formats_together_share_their_files(bundle_for, role):
    bundle = bundle_for("ECDSA-P256", role)
    together = {file.name: file.data for file in write_bundle(bundle, FORMATS.values())}
    for form in FORMATS.values():
        for file in form.write(bundle):
            assert together[file.name] == file.data
    assert set(together) == {
        *("dc.bin", "dc.pem", "dc.cred", "dc.b64", "dc.hex", "dc.txt", "dc.fizz.pem"),
        *("dc.key", "dc.key.der", "dckey.pem", "leaf.pem", "leaf.der"),
    }


def test_a_chain_goes_along(bundle_for, authority):
    bundle = bundle_for("ECDSA-P256")
    bundle = replace(bundle, certificates=(*bundle.certificates, authority.der))
    files = {file.name: file.data for file in write_bundle(bundle, FORMATS.values())}
    assert [block.data for block in pem.blocks(files["leaf.pem"])] == list(bundle.certificates)
    assert (files["leaf.der"], files["chain1.der"]) == bundle.certificates
    (read,) = bundles_of(files["dc.fizz.pem"], "file")
    assert read.certificates == bundle.certificates


def test_what_is_not_known_is_left_out_or_asked_for(bundle_for):
    whole = bundle_for("ECDSA-P256")
    bare = Bundle(dc=whole.dc)
    for name, form in FORMATS.items():
        if name == "fizz":
            for lacking, asks in (("private_key", "private key"), ("certificates", "leaf"), ("role", "whose")):
                with pytest.raises(FileError, match=asks):
                    form.write(replace(whole, **{lacking: getattr(Bundle(), lacking)}))
        elif name == "interop-runner":
            with pytest.raises(FileError, match="wants the private key in the same file"):
                form.write(bare)
        else:
            assert len(form.write(bare)) == 1


def test_encrypted_keys_go_where_people_read_them(bundle_for):
    bundle = bundle_for("ECDSA-P256")
    locked = replace(bundle, encrypted_key=pbes2.encrypt(bundle.private_key, b"abc", iterations=1000))
    for name, form in FORMATS.items():
        if name not in {"raw", "pem"}:
            with pytest.raises(FileError, match="loads no encrypted private key"):
                form.write(locked)
            continue
        (key,) = (file for file in form.write(locked) if file.secret)
        (block,) = pem.blocks(key.data)
        assert (key.name, block.label) == ("dc.key", "ENCRYPTED PRIVATE KEY")
        assert keyfile.to_pkcs8(block.data, password=b"abc") == bundle.private_key


def test_boringssl_loads_ml_dsa_keys_from_seeds_alone(bundle_for, liboqs):
    bundle = bundle_for("ML-DSA-44")
    seed = pkcs8.secret_of(CATALOG["ML-DSA-44"], pkcs8.decode(bundle.private_key)).seed
    secret = replace(liboqs.generate(CATALOG["ML-DSA-44"], seed=seed).secret(), seed=b"")
    expanded = replace(bundle, private_key=pkcs8.encode(CATALOG["ML-DSA-44"], secret))
    for name in ("boringssl", "bssl-shim"):
        assert FORMATS[name].write(bundle)
        with pytest.raises(FileError, match="from their seed alone, and this one is expanded"):
            FORMATS[name].write(expanded)
    assert FORMATS["raw"].write(expanded)


def test_the_bytes_that_targets_compare(bundle_for):
    """Fizz compares labels and lines byte by byte; Tongsuo, bssl_shim and tls-interop-runner take no stray newline."""
    bundle = bundle_for("ECDSA-P256", Role.CLIENT)
    files = {file.name: file.data for file in write_bundle(bundle, FORMATS.values())}
    credential, key = base64.b64encode(bundle.dc).decode(), base64.b64encode(bundle.private_key).decode()
    assert (
        files["dc.fizz.pem"]
        .decode()
        .startswith(
            f"-----BEGIN CLIENT DELEGATED CREDENTIAL-----\n{credential}\n-----END CLIENT DELEGATED CREDENTIAL-----\n"
            f"-----BEGIN CLIENT DC PRIVATE KEY-----\n{key}\n-----END CLIENT DC PRIVATE KEY-----\n"
            "-----BEGIN CERTIFICATE-----\n"
        )
    )
    assert files["dc.hex"] == bundle.dc.hex().encode()
    assert files["dc.b64"] == base64.b64encode(bundle.dc)
    assert files["dc.txt"] == f"{bundle.dc.hex()},{bundle.private_key.hex()}".encode()
    assert files["dc.bin"] == files["dc.cred"] == bundle.dc
    assert files["dc.key.der"] == bundle.private_key
    assert files["dc.key"] == files["dckey.pem"] == pem.armour("PRIVATE KEY", bundle.private_key)


# --- Recognised by content --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dress",
    [
        lambda dc: dc,
        lambda dc: dc.hex().encode(),
        lambda dc: dc.hex().upper().encode() + b"\r\n",
        lambda dc: re.sub(rb"(.{64})", rb"\1\n", dc.hex().encode()),
        lambda dc: b"\xef\xbb\xbf" + dc.hex().encode(),
        lambda dc: dc.hex().encode("utf-16"),
        base64.b64encode,
        base64.encodebytes,
        lambda dc: base64.b64encode(dc) + b"\r\n",
        lambda dc: pem.armour("DELEGATED CREDENTIAL", dc),
        lambda dc: b"text\n" + pem.armour("DELEGATED CREDENTIAL", dc).replace(b"\n", b"\r\n") + b"text",
        lambda dc: pem.armour("SERVER DELEGATED CREDENTIAL", dc),
        lambda dc: pem.armour("CLIENT DELEGATED CREDENTIAL", dc, line=0),
    ],
)
def test_dresses_of_a_credential(bundle_for, tmp_path, dress):
    dc = bundle_for("Ed25519").dc
    path = tmp_path / "dc"
    path.write_bytes(dress(dc))
    (found,) = read_bundles(path)
    assert found.dc == dc
    assert read_credential(path, Role.SERVER).encode() == dc


def test_a_pem_file_with_everything(bundle_for):
    bundle = bundle_for("ECDSA-P256")
    text = pem.armour("CERTIFICATE", bundle.certificates[0]) + pem.armour("PRIVATE KEY", bundle.private_key)
    (found,) = bundles_of(text + pem.armour("DELEGATED CREDENTIAL", bundle.dc), "file")
    assert (found.dc, found.private_key, found.certificates) == (bundle.dc, bundle.private_key, bundle.certificates)


def test_of_several_credentials_the_role_chooses(bundle_for, tmp_path):
    server, client = bundle_for("ECDSA-P256", Role.SERVER), bundle_for("ECDSA-P256", Role.CLIENT)
    path = tmp_path / "both.pem"
    path.write_bytes(b"".join(FORMATS["fizz"].write(bundle)[0].data for bundle in (server, client)))
    found = read_bundles(path)
    assert [(bundle.role, bundle.dc, bundle.private_key) for bundle in found] == [
        (bundle.role, bundle.dc, bundle.private_key) for bundle in (server, client)
    ]
    assert read_credential(path, Role.CLIENT).encode() == client.dc
    with pytest.raises(FileError, match="one credential wanted, it holds 2") as caught:
        choose_bundle(found, None, "both.pem")
    assert "--role" in caught.value.hint


def test_two_credentials_of_one_role_are_not_chosen_from(bundle_for, tmp_path):
    for label in ("DELEGATED CREDENTIAL", "SERVER DELEGATED CREDENTIAL"):
        path = tmp_path / "two.pem"
        path.write_bytes(pem.armour(label, bundle_for("ECDSA-P256").dc) + pem.armour(label, bundle_for("Ed25519").dc))
        assert len(read_bundles(path)) == 2
        with pytest.raises(FileError, match="one server credential wanted, it holds 2"):
            read_credential(path, Role.SERVER)


def test_labels_with_and_without_a_role_in_one_file(bundle_for):
    one, two = bundle_for("ECDSA-P256").dc, bundle_for("Ed25519").dc
    text = pem.armour("DELEGATED CREDENTIAL", one) + pem.armour("SERVER DELEGATED CREDENTIAL", two)
    assert [(bundle.dc, bundle.role) for bundle in bundles_of(text, "file")] == [(one, None), (two, Role.SERVER)]


# --- What is none -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "a delegated credential wanted, in PEM, hex, base64 or raw bytes"),
        (b"\0" * 1000, "read as raw bytes, this is cut short, or is none"),
        (b"00" * 100, "a delegated credential wanted"),
        (pem.armour("PRIVATE KEY", b"x"), "a delegated credential wanted, it holds PRIVATE KEY"),
        (pem.armour("A", b"x") + pem.armour("B", b"x"), "it holds A, B"),
        (pem.armour("DELEGATED CREDENTIAL", b"x"), "DelegatedCredential: valid_time wants 4 bytes"),
        (pem.armour("SERVERS DELEGATED CREDENTIAL", b"x"), "got SERVERS DELEGATED CREDENTIAL"),
        (b"-----BEGIN DELEGATED CREDENTIAL-----\nAA==\n", "the block DELEGATED CREDENTIAL does not end"),
    ],
)
def test_what_is_no_credential_is_said(tmp_path, data, message):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(FileError, match=message):
        read_credential(path, Role.SERVER)


def test_a_cut_or_longer_credential_is_none_in_any_dress(bundle_for):
    dc = bundle_for("Ed25519").dc
    for data in (*(dc[:end] for end in range(len(dc))), dc + b"\0", dc + dc):
        for dressed in (data or b"\n", data.hex().encode() or b"\n", base64.b64encode(data) or b"\n"):
            with pytest.raises(FileError, match="a delegated credential wanted"):
                bundles_of(dressed, "file")
        with pytest.raises(FileError, match="DelegatedCredential"):
            bundles_of(pem.armour("DELEGATED CREDENTIAL", data), "file")
    with pytest.raises(FileError, match="this has bytes left over after its end"):
        bundles_of(dc + b"\0", "file")


def test_a_private_key_is_not_quoted_where_a_credential_belongs(keys):
    for name in ("ECDSA-P256", "Ed25519", "ML-DSA-44", "RSA-PSS-2048"):
        secret = pkcs8.decode(keys(CATALOG[name]).pkcs8()).private_key
        for data in (
            secret,
            secret[2:],
            secret.hex().encode(),
            base64.b64encode(secret),
            pem.armour("PRIVATE KEY", secret),
        ):
            with pytest.raises(FileError) as caught:
                bundles_of(data, "file")
            assert not re.search(r"\d", str(caught.value).replace("base64", ""))


def test_a_file_of_tls_interop_runner_without_a_key(bundle_for):
    dc = bundle_for("ECDSA-P256").dc.hex().encode()
    with pytest.raises(FileError, match="no PKCS#8 is after the comma"):
        bundles_of(dc + b",00", "file")
    for data in (dc + b",", b"," + dc, dc + b",xy", dc + b"," + dc + b"," + dc):
        with pytest.raises(FileError, match=r"a delegated credential wanted|no PKCS#8"):
            bundles_of(data, "file")


def test_a_pem_file_that_is_broken_is_told_as_that(tmp_path):
    file = tmp_path / "broken.pem"
    file.write_bytes(b"-----BEGIN NOTE-----\n!!!!\n-----END NOTE-----\n")
    with pytest.raises(FileError, match="PEM: the block NOTE is not base64"):
        read_bundles(file)


def test_a_format_that_is_none():
    with pytest.raises(FileError, match="no format is called 'gif'") as caught:
        load_format("gif")
    assert all(name in caught.value.hint for name in FORMATS)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(noise):
    for data in (
        noise,
        noise.hex().encode(),
        base64.b64encode(noise),
        pem.armour("SERVER DELEGATED CREDENTIAL", noise),
    ):
        for form in FORMATS.values():
            try:
                found = form.read(data)
            except DecodeError:
                continue
            for bundle in found:
                assert DelegatedCredential.decode(bundle.dc).encode() == bundle.dc


def test_the_largest_file_of_text_is_seen_through_quickly():
    for unit in (b"0", b"A", b"0 ", b",", b"\n"):
        data = unit * (LARGEST_INPUT // 8 // len(unit))
        assert not any(form.read(data) for form in FORMATS.values())
    assert from_hex(b"") == from_base64(b"") == b""


# --- Others' files ----------------------------------------------------------------------------------------------------

FIZZ = {
    "SerializationTest.kP256ServerDelegatedCred.pem": Role.SERVER,
    "SerializationTest.kP256ClientDelegatedCred.pem": Role.CLIENT,
    "SerializationTest.kP384ServerDelegatedCred.pem": Role.SERVER,
    "SerializationTest.kP256ServerDelegatedCredNoLabel.b64": None,
    "SerializationTest.kP256ClientDelegatedCredNoLabel.b64": None,
    "TestData.kDelegatedCred.bin": None,
    "TestData.kDelegatedCred.hex": None,
    "PeerDelegatedCredentialTest.kP256DelegatedCred.bin": None,
    "PeerDelegatedCredentialTest.kP256DelegatedCred.hex": None,
}


@pytest.mark.parametrize("name", FIZZ)
def test_fizz_s_own_files_are_read(shared, name):
    (found,) = read_bundles(shared / "vectors" / "fizz" / name)
    assert found.role is FIZZ[name]
    assert DelegatedCredential.decode(found.dc).encode() == found.dc


def test_fizz_s_files_without_a_label_hold_the_same(shared):
    folder = shared / "vectors" / "fizz"
    for role in ("Server", "Client"):
        stem = f"SerializationTest.kP256{role}DelegatedCred"
        assert read_bundles(folder / f"{stem}NoLabel.b64")[0].dc == read_bundles(folder / f"{stem}.pem")[0].dc


def test_fizz_s_wrong_label_is_refused_by_name(shared):
    with pytest.raises(FileError, match="got SERVERS DELEGATED CREDENTIAL"):
        read_bundles(shared / "vectors" / "fizz" / "SerializationTest.kP256ServerDelegatedCredBadLabel.pem")


def test_fizz_s_combined_file_is_read_and_written_again(shared, leaf):
    """Credential and key of one role in one file, as loadDCFromPEM wants them: what is written has the same bodies."""
    folder = shared / "vectors" / "fizz"
    text = (folder / "SerializationTest.kP256ServerDelegatedCred.pem").read_bytes()
    text += (folder / "SerializationTest.kP256DelegatedCredKeyWServerLabel.pem").read_bytes()
    text += (folder / "TestData.kP256CredCert.pem").read_bytes()
    (found,) = bundles_of(text, "file")
    (key,) = keyfile.private_keys_of(found.private_key, CATALOG)
    assert key.public.spki == DelegatedCredential.decode(found.dc).cred.spki
    (written,) = FORMATS["fizz"].write(found)
    assert bundles_of(written.data, "file") == (found,)
    assert text.startswith(written.data[: written.data.index(b"\n-----END SERVER DELEGATED")])


def test_fizz_s_key_of_the_other_role_is_not_taken(shared):
    folder = shared / "vectors" / "fizz"
    text = (folder / "SerializationTest.kP256ServerDelegatedCred.pem").read_bytes()
    text += (folder / "SerializationTest.kP256DelegatedCredKeyWClientLabel.pem").read_bytes()
    (found,) = bundles_of(text, "file")
    assert found.private_key == b""


def test_fizz_does_not_load_its_own_p384(shared):
    folder = shared / "vectors" / "fizz"
    (found,) = read_bundles(folder / "SerializationTest.kP384ServerDelegatedCred.pem")
    with pytest.raises(FileError, match=r"loads no credential for 0x0503, but for ecdsa_secp256r1_sha256"):
        FORMATS["fizz"].write(found)


# --- Documentation ----------------------------------------------------------------------------------------------------


def section(name: str, bundle: Bundle) -> str:
    """What docs/formats.md says of a format: a test holds it to the code, so change both together."""
    form = FORMATS[name]
    files = ", ".join(f"`{file.name}`{' (secret)' if file.secret else ''}" for file in form.write(bundle))
    usage = say_usage(form, folder="OUT", leaf_key="leaf.key")
    return f"### `{name}`: {form.target}\n\nFiles: {files}. Loads: {form.loads}.\n\n```\n{usage}\n```\n"


@pytest.mark.parametrize("name", FORMATS)
def test_the_documentation_says_what_the_code_does(bundle_for, name):
    assert section(name, bundle_for("ECDSA-P256")) in DOCS.read_text()


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "raw"])
def test_usage_names_the_files_that_are_written(bundle_for, name):
    usage = say_usage(FORMATS[name], folder="OUT", leaf_key="leaf.key")
    named = set(re.findall(r"OUT/([\w.]+\w)", usage))
    assert named == {file.name for file in FORMATS[name].write(bundle_for("ECDSA-P256"))}
    assert "{folder}" not in usage
    assert "{leaf_key}" not in usage
