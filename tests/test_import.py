"""`import pqdc` costs nothing: each of its names is loaded when it is first asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pqdc

HEAVY = ("cryptography", "oqs", "tomli", "typer", "click", "rich", "platformdirs", "pytest", "numpy", "pandas")


def modules_after(program: str) -> set[str]:
    """What a fresh process has loaded; nothing was printed but that."""
    command = [sys.executable, "-I", "-c", f"{program}\nimport sys\nprint('\\n'.join(sys.modules))"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


@pytest.fixture(scope="module")
def bare() -> set[str]:
    return modules_after("pass")


def test_importing_pqdc_loads_nothing_else(bare):
    loaded = modules_after("import pqdc") - bare
    assert {name for name in loaded if name.partition(".")[0] == "pqdc"} == {"pqdc"}
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}
    assert loaded <= {"pqdc", "__future__", "importlib", "importlib._bootstrap", "typing", *standard_library()}


def standard_library() -> set[str]:
    """What `importlib` and `typing` need themselves."""
    return {
        name
        for name in modules_after("import importlib, typing, warnings")
        if name.partition(".")[0] in sys.stdlib_module_names
    }


@pytest.mark.parametrize(
    ("program", "allowed"),
    [
        ("import pqdc; pqdc.PqdcError", set()),
        ("import pqdc; pqdc.Role", set()),
        ("import pqdc; pqdc.load_catalog()", {"tomli"}),
        ("import pqdc; dir(pqdc)", set()),
    ],
)
def test_a_name_loads_what_it_needs_and_no_more(program, allowed, bare):
    loaded = {name.partition(".")[0] for name in modules_after(program) - bare}
    assert loaded & set(HEAVY) == allowed


def test_a_classical_scheme_needs_no_liboqs():
    program = "import pqdc; pqdc.choose(pqdc.load_catalog()['Ed25519']).generate(pqdc.load_catalog()['Ed25519'])"
    assert "oqs" not in modules_after(program)


@pytest.mark.parametrize("name", pqdc.__all__)
def test_every_public_name_is_there(name):
    assert getattr(pqdc, name).__name__ == name
    assert name in dir(pqdc)


def test_a_name_that_is_none_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'pqdc' has no attribute 'mnit'$"):
        _ = pqdc.mnit


def test_names_are_found_without_the_type_checker_s_list():
    assert set(pqdc._HOMES) == set(pqdc.__all__)
    assert list(pqdc.__all__) == sorted(pqdc.__all__)
