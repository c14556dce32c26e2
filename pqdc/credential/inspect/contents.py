"""What a file holds, by its content: credentials in any format, broken ones too, certificates, keys."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pqdc import pem
from pqdc.credential.formats import format_names, load_format
from pqdc.credential.inspect import der
from pqdc.credential.structures import Role
from pqdc.errors import DecodeError, FileError
from pqdc.files import read_file

__all__ = ["Contents", "FoundCredential", "FoundKey", "Kind", "kind_of", "read_contents"]

Kind = Literal["certificate", "PKCS#8", "encrypted PKCS#8", "SEC 1", "PKCS #1", "public key", ""]
_SHAPES: dict[tuple[int, ...], Kind] = {  # the tags of the first elements
    (der.SEQUENCE, der.SEQUENCE, der.BIT_STRING): "certificate",
    (der.INTEGER, der.SEQUENCE, der.OCTET_STRING): "PKCS#8",
    (der.INTEGER, der.OCTET_STRING): "SEC 1",
    (der.INTEGER, der.INTEGER, der.INTEGER): "PKCS #1",
    (der.SEQUENCE, der.OCTET_STRING): "encrypted PKCS#8",
    (der.SEQUENCE, der.BIT_STRING): "public key",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FoundCredential:
    """The bytes of a credential, perhaps broken ones, and whose its format says that it is."""

    data: bytes
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FoundKey:
    """The DER of a private key; `encrypted` in the old way of PEM, where the DER is not readable either."""

    data: bytes
    label: str = ""
    encrypted: bool = False


@dataclass(slots=True, kw_only=True, repr=False)
class Contents:
    """What is in one file, in order, nothing twice. `format` is of its credentials, where one knows them."""

    name: str
    format: str = ""
    credentials: list[FoundCredential] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)
    private_keys: list[FoundKey] = field(default_factory=list)
    public_keys: list[bytes] = field(default_factory=list)

    def add(self, data: bytes, kind: Kind, block: pem.Block | None = None) -> None:
        """Put what was found where it belongs."""
        if kind == "certificate" and data not in self.certificates:
            self.certificates.append(data)
        elif kind == "public key" and data not in self.public_keys:
            self.public_keys.append(data)
        elif kind not in {"certificate", "public key", ""} and data not in [key.data for key in self.private_keys]:
            encrypted = bool(block and block.encrypted)
            self.private_keys.append(FoundKey(data=data, label=block.label if block else "", encrypted=encrypted))


def read_contents(path: Path) -> Contents:
    """What a file holds.

    Raises:
        FileError: it cannot be read, or holds nothing that is known here.
    """
    return contents_of(read_file(path), str(path))


def contents_of(data: bytes, name: str) -> Contents:
    """What these bytes hold; `name` is for messages.

    Raises:
        FileError: nothing that is known here.
    """
    found = Contents(name=name)
    reasons: list[str] = []
    _read_formats(data, found, reasons)
    try:
        blocks = pem.blocks(data)
    except DecodeError as error:
        blocks = []
        reasons.append(str(error))
    _read_blocks(blocks, found)
    if not blocks and not found.credentials and not reasons:
        _read_bytes(data, found)
    if not (found.credentials or found.certificates or found.private_keys or found.public_keys):
        reason = reasons[0] if reasons else "no delegated credential, certificate or key, in no known format"
        raise FileError(f"{name}: {reason}")
    return found


def kind_of(data: bytes) -> Kind:
    """What a structure in DER is, by the shape of its first elements; empty if none of these."""
    try:
        outer = der.parse(data, [], what="file")
    except DecodeError:
        return ""
    tags = tuple(child.tag for child in outer.children[:3]) if outer.tag == der.SEQUENCE else ()
    return next((kind for shape, kind in _SHAPES.items() if tags and tags[: len(shape)] == shape), "")


def _read_formats(data: bytes, found: Contents, reasons: list[str]) -> None:
    for name in format_names():
        try:
            bundles = load_format(name).read(data)
        except DecodeError as error:
            reasons.append(str(error))
            continue
        if any(bundle.dc for bundle in bundles):
            found.format = name
            for bundle in bundles:
                if bundle.dc:
                    found.credentials.append(FoundCredential(data=bundle.dc, role=bundle.role))
                for certificate in bundle.certificates:
                    found.add(certificate, "certificate")
                if bundle.private_key:
                    found.add(bundle.private_key, "PKCS#8")
            return


def _read_blocks(blocks: Iterable[pem.Block], found: Contents) -> None:
    """PEM blocks: what they are, their content says; the label only where it says nothing."""
    known = [credential.data for credential in found.credentials]
    for block in blocks:
        kind = kind_of(block.data)
        if kind:
            found.add(block.data, kind, block)
        elif block.label.endswith("PRIVATE KEY"):
            found.add(block.data, "PKCS#8", block)
        elif block.label.endswith("CERTIFICATE"):
            found.add(block.data, "certificate", block)
        elif block.label.endswith("DELEGATED CREDENTIAL") and block.data not in known:
            found.credentials.append(FoundCredential(data=block.data, role=_role_in(block.label)))


def _role_in(label: str) -> Role | None:
    return next((role for role in Role if label.startswith(role.name)), None)


def _read_bytes(data: bytes, found: Contents) -> None:
    """A file without PEM: DER, or a credential that no format could decode, as bytes, hex or base64."""
    if kind := kind_of(data):
        found.add(data, kind)
        return
    for candidate in _unarmoured(data):
        if candidate[9:10] == b"\x30":  # where the SPKI begins
            found.credentials.append(FoundCredential(data=candidate))
            return


def _unarmoured(data: bytes) -> Iterable[bytes]:
    yield data
    text = b"".join(data.split())
    if re.fullmatch(rb"[0-9a-fA-F]+", text) and len(text) % 2 == 0:
        yield binascii.unhexlify(text)
    elif re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", text) and len(text) % 4 == 0:
        yield binascii.a2b_base64(text)
