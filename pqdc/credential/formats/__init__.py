"""The formats that servers load: one file each, found by name among the entry points of `pqdc.formats`.

A format writes a `Bundle` as files, says how they are loaded, and recognises its own kind by content. Reading tries them
all: what a file is, nobody has to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.errors import DecodeError, FileError
from pqdc.files import OutputFile, read_file

__all__ = ["Bundle", "Format", "format_names", "load_format", "read_bundles", "read_credential"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bundle:
    """A credential and what belongs to it; what a file does not hold is empty.

    Attributes:
        dc: the DelegatedCredential's bytes.
        private_key: PKCS#8, DER, unencrypted.
        certificates: DER, the leaf first.
        role: whose credential it is; None where the format does not say.
    """

    dc: bytes = b""
    private_key: bytes = b""
    certificates: tuple[bytes, ...] = ()
    role: Role | None = None


class Format(Protocol):
    """One target's way of writing a credential and its key.

    Attributes:
        name: as in `--format`.
        target: the software that loads it.
    """

    name: str
    target: str

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """The files that the target loads; without a private key in the bundle, only what does not need it.

        Raises:
            FileError: the target cannot load such a key.
        """

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """What a file of this format holds, in order; nothing if it is of another format.

        Raises:
            DecodeError: it is of this format, but broken.
        """

    def usage(self, files: tuple[str, ...]) -> str:
        """The command line or API call that loads files of these names."""


@lru_cache(maxsize=1)
def format_names() -> tuple[str, ...]:
    """The names of all formats."""
    return tuple(sorted(point.name for point in entry_points(group="pqdc.formats")))


def load_format(name: str) -> Format:
    """The format of that name.

    Raises:
        FileError: there is none.
    """
    for point in entry_points(group="pqdc.formats"):
        if point.name == name.strip().lower():
            found: Format = point.load()()
            return found
    raise FileError(f"no format is called {name!r}", hint=f"there are {', '.join(format_names())}")


def read_bundles(path: Path) -> tuple[Bundle, ...]:
    """What a file holds, whatever its format.

    Raises:
        FileError: it cannot be read, or no format knows it.
    """
    data = read_file(path)
    broken = []
    for name in format_names():
        try:
            if found := load_format(name).read(data):
                return found
        except DecodeError as error:
            broken.append(str(error))
    raise FileError(f"{path}: {broken[0] if broken else 'no delegated credential, in no known format'}")


def read_credential(path: Path, role: Role) -> DelegatedCredential:
    """The one credential of a file for that role, whatever its format.

    Raises:
        FileError: the file cannot be read, or holds none, or several.
    """
    found = [bundle for bundle in read_bundles(path) if bundle.dc]
    fitting = [bundle for bundle in found if bundle.role in {None, role}] if len(found) > 1 else found
    if len(fitting) != 1:
        raise FileError(f"{path}: one {role.name.lower()} credential wanted, it holds {len(fitting)}")
    try:
        return DelegatedCredential.decode(fitting[0].dc)
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None
