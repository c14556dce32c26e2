"""The table `library` of a scheme in algorithms.toml, read: which file, and the sizes that its api.h gives.

    library = { path = "libmine.so", prefix = "mine_", header = "api.h", seconds = 10 }

Paths are relative to the TOML file. Says nothing of whether the library is there: that is for the backend to find out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pqdc.errors import CatalogError, FileError
from pqdc.files import read_file
from pqdc.scheme.facts import Library
from pqdc.scheme.nist.header import SIZES, read_sizes

__all__ = ["with_library"]

LARGEST_HEADER = 2**18
DEFAULT_SECONDS = 10
MOST_SECONDS = 3600
_KEYS = ("path", "prefix", "header", "seconds")
_BACKEND = "nist-api"


def with_library(name: str, facts: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The facts of the scheme `name` in `file`; those that its library gives are added.

    Raises:
        CatalogError: the table is none of a library, or header and facts differ.
    """
    where = f"scheme.{name}.library"
    table = facts["library"]
    if not isinstance(table, dict) or not isinstance(table.get("path"), str) or not table["path"]:
        raise CatalogError(f"{where}: expected a table with a path, got {table!r} (in {file.name})")
    if unknown := sorted(set(table) - set(_KEYS)):
        raise CatalogError(f"{where}.{unknown[0]}: unknown key (in {file.name})", hint=f"known are {', '.join(_KEYS)}")
    for key in ("prefix", "header"):
        if not isinstance(table.get(key, ""), str):
            raise CatalogError(f"{where}.{key}: expected text, got {table[key]!r} (in {file.name})")
    seconds = table.get("seconds", DEFAULT_SECONDS)
    if type(seconds) not in {int, float} or not 0 < seconds <= MOST_SECONDS:
        raise CatalogError(f"{where}.seconds: expected seconds up to {MOST_SECONDS}, got {seconds!r} (in {file.name})")
    folder = file.absolute().parent
    library = Library(path=folder / table["path"], prefix=table.get("prefix", ""), seconds=float(seconds))
    given = dict(facts) | {"library": library}
    if table.get("header"):
        given = _with_sizes(name, given, folder / table["header"], library.prefix)
    if "private_key_bytes" not in given:
        raise CatalogError(
            f"scheme.{name}.private_key_bytes: expected an integer, got nothing (in {file.name})",
            hint="a library needs it declared, or an api.h as library.header",
        )
    return {"private_key": "concatenated", "backends": {_BACKEND: library.path.name}} | given


def _with_sizes(name: str, facts: dict[str, Any], header: Path, prefix: str) -> dict[str, Any]:
    where = f"scheme.{name}.library.header"
    try:
        sizes = read_sizes(read_file(header, at_most=LARGEST_HEADER).decode(errors="replace"), prefix)
    except FileError as error:
        raise CatalogError(f"{where}: {error}") from None
    except ValueError as error:
        raise CatalogError(f"{where}: expected one value in {header.name}, got several: {error}") from None
    for macro, fact in SIZES.items():
        if fact not in sizes and fact not in facts:
            raise CatalogError(
                f"{where}: expected a number for {macro} in {header.name}, got none", hint=f"declare {fact} instead"
            )
        if fact in sizes and facts.get(fact, sizes[fact]) != sizes[fact]:
            raise CatalogError(
                f"scheme.{name}.{fact}: expected {sizes[fact]} as {macro} in {header.name}, got {facts[fact]!r}"
            )
    return sizes | facts
