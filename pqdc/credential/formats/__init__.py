"""The formats that servers load: one file each, found by name among the entry points of `pqdc.formats`.

A format writes a `Bundle` as files, says how they are loaded, and recognises its own kind by content. Reading tries
them all: what a file is, nobody has to say. docs/formats.md shows each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.errors import DecodeError, FileError
from pqdc.files import OutputFile, merge_files, read_file
from pqdc.pem import blocks  # not the module: the format of that name is an attribute here once it is loaded

__all__ = [
    "Bundle",
    "Format",
    "choose_bundle",
    "format_names",
    "load_format",
    "read_bundles",
    "read_credential",
    "say_usage",
    "write_bundle",
]

# Several targets load the same bytes; the first of these that knows a file gives its name.
_FIRST = ("raw", "pem", "fizz", "tongsuo", "bssl-shim", "interop-runner")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bundle:
    """A credential and what belongs to it; what is not known is empty.

    Attributes:
        dc: the DelegatedCredential's bytes.
        private_key: PKCS#8, DER, unencrypted.
        encrypted_key: EncryptedPrivateKeyInfo, DER, of the same key: if it is there, files hold it instead.
        certificates: DER, the leaf first, then those that lead to its CA.
        role: whose credential it is; None where the format does not say.
        scheme: the name of its key's scheme, for messages.
        format: the name of the format that it was read from.
    """

    dc: bytes = b""
    private_key: bytes = b""
    encrypted_key: bytes = b""
    certificates: tuple[bytes, ...] = ()
    role: Role | None = None
    scheme: str = ""
    format: str = ""


class Format(Protocol):
    """One target's way of writing a credential and its key.

    Attributes:
        name: as in `--format`.
        target: the software that loads it.
        loads: what it can load, in a few words.
        usage: how it loads the files: command lines, or calls of its API. {folder} stands for where they are,
            {leaf_key} for the leaf's private key, which is its owner's and in none of them.
    """

    name: str
    target: str
    loads: str
    usage: str

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """The files that the target loads; without a key or a leaf in the bundle, those that do not need it.

        Files of one name are the same in all formats.

        Raises:
            FileError: the target cannot load such a credential, or needs in one file what the bundle lacks.
        """

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """What a file of this format holds, in order; nothing if it is of another format.

        Raises:
            DecodeError: it is of this format, but broken. The message quotes nothing of it.
        """


@lru_cache(maxsize=1)
def format_names() -> tuple[str, ...]:
    """The names of all formats, in the order in which they are tried on a file."""
    names = {point.name for point in entry_points(group="pqdc.formats")}
    return tuple(name for name in _FIRST if name in names) + tuple(sorted(names.difference(_FIRST)))


def load_format(name: str) -> Format:
    """The format of that name.

    Raises:
        FileError: there is none.
    """
    wanted = name.strip().lower()
    if wanted not in format_names():
        raise FileError(f"no format is called {name!r}", hint=f"there are {', '.join(format_names())}")
    return _load(wanted)


@lru_cache(maxsize=64)  # to look through the entry points takes milliseconds
def _load(name: str) -> Format:
    (point, *_) = entry_points(group="pqdc.formats", name=name)
    found: Format = point.load()()
    return found


def say_usage(target: Format, *, folder: str, leaf_key: str) -> str:
    """How the target loads the files in `folder`, for a leaf's private key in `leaf_key`."""
    return target.usage.replace("{folder}", folder).replace("{leaf_key}", leaf_key)


def write_bundle(bundle: Bundle, formats: Iterable[Format]) -> list[OutputFile]:
    """The files of several formats together, each name once.

    Raises:
        FileError: a target cannot load such a credential, or needs what the bundle lacks.
    """
    return merge_files(file for writer in formats for file in writer.write(bundle))


def read_bundles(path: Path) -> tuple[Bundle, ...]:
    """What a file holds, whatever its format.

    Raises:
        FileError: it cannot be read, or no format knows it.
    """
    return bundles_of(read_file(path), str(path))


def bundles_of(data: bytes, name: str) -> tuple[Bundle, ...]:
    """What these bytes hold, whatever their format; `name` is for messages.

    Raises:
        FileError: no format knows them.
    """
    broken = ""
    for candidate in format_names():
        try:
            if found := load_format(candidate).read(data):
                return tuple(replace(bundle, format=candidate) for bundle in found)
        except DecodeError as error:
            broken = broken or str(error)
    raise FileError(f"{name}: {broken or f'a delegated credential wanted, {_what(data)}'}")


def choose_bundle(found: Iterable[Bundle], role: Role | None, name: str) -> Bundle:
    """The one credential for `role`; where there is only one, it is that, whatever its label says.

    Raises:
        FileError: there is none, or several.
    """
    all_of_them = [bundle for bundle in found if bundle.dc]
    fitting = [bundle for bundle in all_of_them if bundle.role in {None, role}] if role else all_of_them
    if len(all_of_them) == 1:
        return all_of_them[0]
    if len(fitting) != 1:
        wanted = f"{role.name.lower()} credential" if role else "credential"
        hint = "" if role else "say which with --role"
        raise FileError(f"{name}: one {wanted} wanted, it holds {len(fitting)}", hint=hint)
    return fitting[0]


def read_credential(path: Path, role: Role) -> DelegatedCredential:
    """The one credential of a file for that role, whatever its format.

    Raises:
        FileError: the file cannot be read, or holds none, or several.
    """
    return DelegatedCredential.decode(choose_bundle(read_bundles(path), role, str(path)).dc)


def _what(data: bytes) -> str:
    """What a file is instead, by its labels, or by how decoding it ends; never by its bytes."""
    labels = list(dict.fromkeys(block.label for block in blocks(data)))  # a broken block is told before
    if labels:
        return f"it holds {', '.join(labels[:5])}"
    try:
        DelegatedCredential.decode(data)
    except DecodeError as error:
        end = "has bytes left over after its end" if "left over" in str(error) else "is cut short, or is none"
    return f"in PEM, hex, base64 or raw bytes; read as raw bytes, this {end}"
