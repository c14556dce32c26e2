"""algorithms.toml and overlays: every error begins with the path of the entry, and every name is found."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomli
from cryptography.x509 import ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st

from pqdc.errors import CatalogError, UnknownScheme
from pqdc.resources import resource
from pqdc.scheme import catalog as catalog_module
from pqdc.scheme.catalog import Catalog, load_catalog
from pqdc.scheme.facts import Scheme

NEW = """
[scheme.Mine]
kind = "pq"
family = "Mine"
public_key_bytes = 100
signature_bytes = 200
signature_length = "fixed"
"""
ROOT = Path(__file__).parents[1]


@pytest.fixture
def overlay(tmp_path):
    def write(text: str, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


# --- What is wrong is said, with its path --------------------------------------------------------------------------

MLDSA = "[scheme.ML-DSA-44]\n"
REFUSED = {
    # unknown keys
    "a key at the top": ("shchemes = 1", "shchemes: unknown key (in mine.toml)"),
    "a key of a scheme": (MLDSA + 'codepoint = "x"', "scheme.ML-DSA-44.codepoint: unknown key (in mine.toml)"),
    "a name inside": (MLDSA + 'name = "x"', "scheme.ML-DSA-44.name: unknown key"),
    # wrong types
    "format of later times": ("format = 2", "format: expected 1, got 2 (in mine.toml)"),
    "format as text": ('format = "1"', "format: expected 1, got '1'"),
    "format as bool": ("format = true", "format: expected 1, got True"),
    "format as float": ("format = 1.0", "format: expected 1, got 1.0"),
    "schemes as a list": ("scheme = []", "scheme: expected a table, got []"),
    "shared as text": ('shared = "x"', "shared: expected a table, got 'x'"),
    "a scheme as text": ('[scheme]\nX = "x"', "scheme.X: expected a table, got 'x'"),
    "a scheme as a list of tables": ('[[scheme.X]]\nkind = "pq"', "scheme.X: expected a table, got [{"),
    "text for an integer": (
        MLDSA + 'code_point = "0x0904"',
        "scheme.ML-DSA-44.code_point: expected an integer from 0 to 65535, got '0x0904' (in mine.toml)",
    ),
    "bool for an integer": (
        MLDSA + "code_point = true",
        "scheme.ML-DSA-44.code_point: expected an integer from 0 to 65535, got True",
    ),
    "bool for a size": (
        MLDSA + "public_key_bytes = true",
        "scheme.ML-DSA-44.public_key_bytes: expected an integer from 1 to 16777215, got True",
    ),
    "a float for a size": (
        MLDSA + "signature_bytes = 2420.0",
        "scheme.ML-DSA-44.signature_bytes: expected an integer from 1 to 16777215, got 2420.0",
    ),
    "an integer for bool": (MLDSA + "benchmark = 1", "scheme.ML-DSA-44.benchmark: expected true or false, got 1"),
    "an integer for text": (MLDSA + "note = 1", "scheme.ML-DSA-44.note: expected text, got 1"),
    "a list for text": (MLDSA + "family = []", "scheme.ML-DSA-44.family: expected text that is not empty, got []"),
    "empty text": (MLDSA + 'family = ""', "scheme.ML-DSA-44.family: expected text that is not empty, got ''"),
    "an empty TLS name": (MLDSA + 'tls_name = ""', "scheme.ML-DSA-44.tls_name: expected text that is not empty"),
    "text for a list": (MLDSA + 'aliases = "x"', "scheme.ML-DSA-44.aliases: expected a list of texts, got 'x'"),
    "integers in a list": (MLDSA + "aliases = [1]", "scheme.ML-DSA-44.aliases: expected a list of texts, got [1]"),
    "an empty alias": (MLDSA + 'aliases = [""]', "scheme.ML-DSA-44.aliases: expected a list of texts, got ['']"),
    "a list for a table": (
        MLDSA + "backends = []",
        "scheme.ML-DSA-44.backends: expected a table of backend to its name for the scheme, got []",
    ),
    "a backend's name as integer": (MLDSA + "backends = { liboqs = 1 }", "scheme.ML-DSA-44.backends: expected a table"),
    "a backend's name empty": (MLDSA + 'backends = { liboqs = "" }', "scheme.ML-DSA-44.backends: expected a table"),
    # values that are none
    "a kind": (
        MLDSA + 'kind = "quantum"',
        "scheme.ML-DSA-44.kind: expected 'classical' or 'pq' or 'hybrid' or 'composite', got 'quantum'",
    ),
    "a kind as a list": (MLDSA + "kind = []", "scheme.ML-DSA-44.kind: expected 'classical' or"),
    "a signature length": (
        MLDSA + 'signature_length = "any"',
        "scheme.ML-DSA-44.signature_length: expected 'fixed' or 'max', got 'any'",
    ),
    "a private key encoding": (
        MLDSA + 'private_key = "pem"',
        "scheme.ML-DSA-44.private_key: expected 'own' or 'seed' or 'raw' or 'concatenated', got 'pem'",
    ),
    "a security flag": (
        MLDSA + 'security_flag = "fine"',
        "scheme.ML-DSA-44.security_flag: expected 'warning', 'broken' or '', got 'fine'",
    ),
    "a security flag as a list": (
        MLDSA + "security_flag = []",
        "scheme.ML-DSA-44.security_flag: expected 'warning', 'broken' or '', got []",
    ),
    "no level": (MLDSA + "nist_level = 0", "scheme.ML-DSA-44.nist_level: expected an integer from 1 to 5, got 0"),
    "a level too high": (MLDSA + "nist_level = 6", "scheme.ML-DSA-44.nist_level: expected an integer from 1 to 5"),
    # impossible sizes
    "an empty key": (
        MLDSA + "public_key_bytes = 0",
        "scheme.ML-DSA-44.public_key_bytes: expected an integer from 1 to 16777215, got 0",
    ),
    "a negative size": (
        MLDSA + "signature_bytes = -1",
        "scheme.ML-DSA-44.signature_bytes: expected an integer from 1 to 16777215, got -1",
    ),
    "a key beyond its vector": (
        MLDSA + "public_key_bytes = 16777216",
        "scheme.ML-DSA-44.public_key_bytes: expected an integer from 1 to 16777215, got 16777216",
    ),
    "a private key of nothing": (
        MLDSA + "private_key_bytes = 0",
        "scheme.ML-DSA-44.private_key_bytes: expected an integer from 1 to 16777215, got 0",
    ),
    "a code point of three bytes": (
        MLDSA + "code_point = 0x10000",
        "scheme.ML-DSA-44.code_point: expected an integer from 0 to 65535, got 65536",
    ),
    "a negative code point": (MLDSA + "code_point = -1", "scheme.ML-DSA-44.code_point: expected an integer from 0"),
    # OIDs and hex
    **{
        f"OID {text!r}": (f"{MLDSA}oid = {text!r}", f"scheme.ML-DSA-44.oid: expected a dotted OID, got {text!r}")
        for text in ("", "1", "1.", ".1", "1..2", "1.2.x", "1.02", "3.1", "1.40", "0.40", "1.2 ", "1.-2", "1.²", "x")
    },
    "an OID as integer": (MLDSA + "oid = 1", "scheme.ML-DSA-44.oid: expected a dotted OID, got 1"),
    "an OID as float": (MLDSA + "oid = 1.2", "scheme.ML-DSA-44.oid: expected a dotted OID, got 1.2"),
    "an endless OID": (f'{MLDSA}oid = "1.2{".99999999" * 30}"', "scheme.ML-DSA-44.oid: expected a dotted OID, got"),
    "a huge arc": (f'{MLDSA}oid = "1.2.{"9" * 5000}"', "scheme.ML-DSA-44.oid: expected a dotted OID, got"),
    "a key's OID": (MLDSA + 'key_oid = "1"', "scheme.ML-DSA-44.key_oid: expected a dotted OID, got '1'"),
    "parameters": (
        MLDSA + 'key_parameters = "null"',
        "scheme.ML-DSA-44.key_parameters: expected an OID or 'NULL', got 'null'",
    ),
    "hex": (MLDSA + 'key_parameters_too = "0x30"', "scheme.ML-DSA-44.key_parameters_too: expected DER in hex"),
    "empty hex": (MLDSA + 'key_parameters_too = ""', "scheme.ML-DSA-44.key_parameters_too: expected DER in hex"),
    "hex as integer": (MLDSA + "key_parameters_too = 30", "scheme.ML-DSA-44.key_parameters_too: expected DER in hex"),
    # what every scheme must say
    **{
        f"no {key}": (
            "\n".join(line for line in NEW.splitlines() if not line.startswith(key)),
            f"scheme.Mine.{key}: expected ",
        )
        for key in ("kind", "family", "public_key_bytes", "signature_bytes", "signature_length")
    },
    "an overlay that misses the name's case": (
        "[scheme.ml-dsa-44]\nnist_level = 1",
        "scheme.ml-dsa-44.kind: expected ",
    ),
    "no name": (NEW.replace("Mine]", '""]'), "scheme.: expected a name of printable characters, got ''"),
    "a name with a line's end": (NEW.replace("Mine]", '"M\\nine"]'), "scheme.M\nine: expected a name of printable"),
    "a name with a space after it": (NEW.replace("Mine]", '"Mine "]'), "scheme.Mine : expected a name of printable"),
    # one thing, two schemes
    "a code point": (
        NEW + "code_point = 0x0904",
        "scheme.Mine.code_point: expected one of its own, got 0x0904, which is ML-DSA-44's",
    ),
    "a code point that RSA shares, with a TLS name of its own": (
        '[shared]\n"0x0904" = "mine"\n' + NEW + 'code_point = 0x0904\ntls_name = "MLDSA44"',
        "scheme.Mine.tls_name: expected a name of its own, got 'MLDSA44', which is ML-DSA-44's",
    ),
    "an OID": (
        NEW + 'oid = "2.16.840.1.101.3.4.3.17"',
        "scheme.Mine.oid: expected one of its own, got 2.16.840.1.101.3.4.3.17, which is ML-DSA-44's",
    ),
    "a key type": (
        NEW + 'oid = "1.2.3"\nkey_oid = "2.16.840.1.101.3.4.3.17"',
        "scheme.Mine.key_oid: expected one of its own, got 2.16.840.1.101.3.4.3.17, which is ML-DSA-44's",
    ),
    "a key type with parameters": (
        NEW + 'oid = "1.2.3"\nkey_oid = "1.2.840.10045.2.1"\nkey_parameters = "1.3.132.0.34"',
        "scheme.Mine.key_oid: expected one of its own, got 1.2.840.10045.2.1 1.3.132.0.34, which is ECDSA-P384's",
    ),
    "a TLS name": (
        NEW + 'tls_name = "mldsa44"',
        "scheme.Mine.tls_name: expected a name of its own, got 'mldsa44', which is ML-DSA-44's",
    ),
    "a TLS name in capitals": (NEW + 'tls_name = "MLDSA44"', "scheme.Mine.tls_name: expected a name of its own"),
    "an RSA TLS name": (NEW + 'tls_name = "rsa_pss_pss_sha256"', "scheme.Mine.tls_name: expected a name of its own"),
    "an alias": (
        NEW + 'aliases = ["p-256"]',
        "scheme.Mine.aliases: expected a name of its own, got 'p-256', which is ECDSA-P256's",
    ),
    "an alias that is a name": (
        NEW + 'aliases = ["ml-dsa-44"]',
        "scheme.Mine.aliases: expected a name of its own, got 'ml-dsa-44', which is ML-DSA-44's",
    ),
    "an alias that is a TLS name": (
        NEW + 'aliases = ["mldsa44"]',
        "scheme.ML-DSA-44.tls_name: expected a name of its own, got 'mldsa44', which is Mine's",
    ),
    "a name in another case": (
        NEW.replace("Mine]", "ed25519]"),
        "scheme.ed25519: expected a name of its own, got 'ed25519', which is Ed25519's",
    ),
    "a name that is an alias": (
        NEW.replace("Mine]", "P-256]"),
        "scheme.ECDSA-P256.aliases: expected a name of its own, got 'P-256', which is P-256's",
    ),
    # components
    "an unknown component": (
        NEW + 'components = ["Ed25519", "ML-DSA-45"]',
        "scheme.Mine.components: expected schemes that are listed before it, got 'ML-DSA-45'",
    ),
    "a component as text": (NEW + 'components = "Ed25519"', "scheme.Mine.components: expected a list of texts"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_with_its_path(text, message, overlay):
    with pytest.raises(CatalogError) as caught:
        load_catalog(overlay(text))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"scheme = {", "not TOML: "),
        (b"\xff\xfe", "not TOML: "),
        (b"[scheme.X]\nkind = 1\nkind = 2\n", "not TOML: "),
        (b"", "the file is empty"),
    ],
    ids=["syntax", "no UTF-8", "a key twice", "empty"],
)
def test_a_file_that_is_no_toml_is_named(tmp_path, data, reason):
    path = tmp_path / "broken.toml"
    path.write_bytes(data)
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    assert str(caught.value).startswith(f"{path}: {reason}")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, reason in ((tmp_path / "missing.toml", "no such file"), (tmp_path, "a file wanted"), (fifo, "a regular")):
        with pytest.raises(CatalogError) as caught:
            load_catalog(path)
        assert str(caught.value).startswith(f"{path}: {reason}")


@pytest.mark.parametrize(
    ("key", "hint"), [("codepoint", "did you mean code_point?"), ("aliasses", "did you mean aliases?"), ("zzz", "")]
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(key, hint, overlay):
    with pytest.raises(CatalogError) as caught:
        load_catalog(overlay(f"{MLDSA}{key} = 1"))
    assert caught.value.hint == hint


JUNK = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text("ab.1", max_size=4) | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(key=st.sampled_from(sorted(catalog_module.FIELDS)), value=JUNK)
@settings(max_examples=400)
def test_law_any_value_is_taken_or_refused_by_name(key, value):
    facts = {"kind": "pq", "family": "F", "public_key_bytes": 1, "signature_bytes": 1, "signature_length": "max"}
    message = ""
    try:
        catalog_module._scheme("Mine", facts | {key: value}, "mine.toml", {})
    except CatalogError as error:
        message = str(error)
    assert message.startswith(f"scheme.Mine.{key}: expected " if message else "")


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=12), st.integers(0, 2))
@settings(max_examples=200)
def test_law_what_is_taken_for_an_oid_is_one(rest, first):
    """The library that encodes them is the judge."""
    text = ".".join(map(str, (first, *rest)))
    try:
        ObjectIdentifier(text)
    except ValueError:
        assert not catalog_module._is_oid(text)
    else:
        assert catalog_module._is_oid(text)


# --- Overlays ------------------------------------------------------------------------------------------------------


def test_an_overlay_changes_single_facts(catalog, overlay):
    mine = load_catalog(overlay('[scheme.ML-DSA-44]\nsecurity_flag = "broken"\n'))
    assert list(mine) == list(catalog)
    changed = mine["ML-DSA-44"]
    for key in Scheme.__slots__:
        expected = "broken" if key == "security_flag" else getattr(catalog["ML-DSA-44"], key)
        assert getattr(changed, key) == expected


def test_an_overlay_adds_schemes_at_the_end(catalog, overlay):
    mine = load_catalog(overlay(NEW + 'code_point = 0xfe00\noid = "1.2.3"\naliases = ["M"]\ncomponents = ["P-256"]'))
    assert list(mine) == [*catalog, "Mine"]
    assert mine["m"] is mine["Mine"]
    assert mine.with_code_point(0xFE00) == mine.with_key_oid("1.2.3") == (mine["Mine"],)
    assert mine["Mine"].aliases == ("M",)


def test_later_overlays_win(overlay):
    first, second = overlay(NEW, "first.toml"), overlay("[scheme.Mine]\nsignature_bytes = 201\n", "second.toml")
    mine = load_catalog(first, str(second))
    assert (mine["Mine"].signature_bytes, mine["Mine"].public_key_bytes) == (201, 100)


def test_an_error_names_the_overlay_it_is_in(overlay):
    first, second = overlay(NEW, "first.toml"), overlay("[scheme.Mine]\nsignature_bytes = 0\n", "second.toml")
    with pytest.raises(CatalogError, match=r"\(in second.toml\)$"):
        load_catalog(first, second)


def test_an_overlay_may_share_what_it_says_is_shared(overlay):
    text = '[shared]\n"1.2.3" = "one OID for both"\n' + NEW + 'oid = "1.2.3"\n' + NEW.replace("Mine]", "Too]")
    mine = load_catalog(overlay(text + 'oid = "1.2.3"\n'))
    assert [scheme.name for scheme in mine.with_key_oid("1.2.3")] == ["Mine", "Too"]


def test_what_is_changed_can_be_taken_away_from_another(overlay):
    """A code point that moves: both sides of the move in one overlay."""
    mine = load_catalog(overlay(f"{MLDSA}code_point = 0xfe00\n" + NEW + "code_point = 0x0904\n"))
    assert mine.with_code_point(0x0904) == (mine["Mine"],)


def test_the_catalog_is_not_changed_by_an_overlay(catalog, overlay):
    load_catalog(overlay(f'{MLDSA}security_flag = "broken"\n'))
    assert load_catalog()["ML-DSA-44"].security_flag == catalog["ML-DSA-44"].security_flag == ""


def test_a_scheme_is_frozen(catalog):
    with pytest.raises(AttributeError):
        catalog["Ed25519"].oid = "1.2.3"
    with pytest.raises(TypeError):
        catalog["Ed25519"].backends["openssl"] = "x"
    assert repr(catalog["Ed25519"]) == "<Scheme Ed25519>"


# --- Looking up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["ECDSA-P256", "ecdsa-p256", "ecdsa_secp256r1_sha256", "ECDSA_SECP256R1_SHA256", "P-256", "p-256"]
)
def test_a_scheme_is_found_by_name_tls_name_or_alias_in_any_case(label, catalog):
    assert catalog[label].name == "ECDSA-P256"
    assert label in catalog
    assert catalog.get(label) is catalog["P-256"]


def test_every_label_finds_its_scheme(catalog):
    for scheme in catalog.values():
        shares = scheme.family == "RSA"
        for label in (scheme.name, *scheme.aliases, *([scheme.tls_name] if scheme.tls_name and not shares else [])):
            for spelling in (label, label.upper(), label.lower(), label.swapcase()):
                assert catalog[spelling] is scheme


@pytest.mark.parametrize("label", ["", " ", "ML-DSA-44 ", "2.16.840.1.101.3.4.3.17", "0x0904"])
def test_what_is_no_label_finds_nothing(label, catalog):
    assert label not in catalog
    with pytest.raises(UnknownScheme, match="no scheme is called"):
        catalog[label]


def test_only_text_is_a_label(catalog):
    assert 0x0904 not in catalog
    assert None not in catalog


@pytest.mark.parametrize(
    ("label", "close"),
    [("ML-DSA-4", "ML-DSA-44"), ("mldsa-65", "ML-DSA-65"), ("Falcom-512", "Falcon-512"), ("P256", "ECDSA-P256")],
)
def test_close_names_are_suggested(label, close, catalog):
    with pytest.raises(UnknownScheme, match=f"^no scheme is called '{label}'$") as caught:
        catalog[label]
    assert caught.value.hint.startswith("did you mean ")
    assert close in caught.value.hint


def test_where_nothing_is_close_the_list_is_pointed_to(catalog):
    with pytest.raises(UnknownScheme) as caught:
        catalog["xyzzy"]
    assert caught.value.hint == "`pqdc schemes` lists them all"


@pytest.mark.parametrize("point", range(0x0804, 0x080C))
def test_rsa_sizes_share_their_code_points(point, catalog):
    found = catalog.with_code_point(point)
    if point in {0x0807, 0x0808}:  # Ed25519 and Ed448 stand between them
        assert len(found) == 1
        return
    assert [scheme.signature_bytes for scheme in found] == [256, 384, 512]
    assert len({scheme.tls_name for scheme in found}) == 1
    assert catalog[found[0].tls_name] is found[0]


def test_no_other_code_points_are_shared(catalog):
    for scheme in catalog.values():
        if scheme.code_point is not None and scheme.family != "RSA":
            assert catalog.with_code_point(scheme.code_point) == (scheme,)
    assert catalog.with_code_point(0xFFFF) == ()
    assert catalog.with_key_oid("1.2.3") == ()


def test_a_catalog_is_a_mapping_in_the_order_of_the_file(catalog):
    with resource("algorithms.toml").open("rb") as file:
        written = list(tomli.load(file)["scheme"])
    assert list(catalog) == written
    assert len(catalog) == len(written) >= 100
    assert [scheme.name for scheme in catalog.values()] == written
    assert len(Catalog([])) == 0


# --- The wheel -----------------------------------------------------------------------------------------------------


def test_what_the_wheel_includes_exists():
    """Else building it would fail, or it would lack what the installed command needs."""
    document = tomli.loads((ROOT / "pyproject.toml").read_text())
    included = document["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"algorithms.toml": "pqdc/algorithms.toml", "bench": "pqdc/bench"}
    assert all((ROOT / name).exists() for name in included)


def test_the_wheel_carries_algorithms_and_bench(tmp_path):
    if not importlib.util.find_spec("hatchling"):
        pytest.skip("hatchling, which builds the wheel, is not installed here, and tests download nothing")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", tmp_path, ROOT], check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("pqdc-*.whl"))).namelist()
    assert "pqdc/algorithms.toml" in names
    assert any(name.startswith("pqdc/bench/bench_") for name in names)
    assert not [name for name in names if name.startswith(("tests", "bench", "native"))]
