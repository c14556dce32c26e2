"""A private key, told without a byte of it: its scheme, how it is written, and whether it is encrypted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from pqdc.credential.inspect.contents import FoundKey, kind_of
from pqdc.errors import BackendUnavailable, DecodeError, KeyFormatError
from pqdc.scheme import keyfile, pkcs8, spki
from pqdc.scheme.catalog import Catalog

__all__ = ["Form", "PrivateKeyReport", "report_private_key"]

Form = Literal["seed", "expanded", "both", "own", "concatenated", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKeyReport:
    """What may be said of a private key.

    Attributes:
        size: of the structure, bytes.
        envelope: "PKCS#8", "encrypted PKCS#8", "SEC 1", "PKCS #1", or "encrypted in the old PEM way".
        encrypted: whether it came so; if the password did not open it, no more is known.
        oid: of its algorithm.
        schemes: of the catalog, that it is a key for.
        form: how PKCS#8 carries it: as `pqdc.scheme.pkcs8` says.
        public_key: the raw one that belongs to it; empty if unknown.
        error: why no more could be said, or empty.
    """

    size: int
    label: str
    envelope: str
    encrypted: bool
    oid: str = ""
    schemes: tuple[str, ...] = ()
    form: Form = ""
    public_key: bytes = b""
    error: str = ""


def report_private_key(found: FoundKey, catalog: Catalog, *, password: bytes | None = None) -> PrivateKeyReport:
    """Read a private key; never raises for what it holds, and never quotes it."""
    kind = kind_of(found.data)
    envelope = "encrypted in the old PEM way" if found.encrypted else kind or "unknown"
    encrypted = found.encrypted or kind == "encrypted PKCS#8"
    report = PrivateKeyReport(size=len(found.data), label=found.label, envelope=envelope, encrypted=encrypted)
    try:
        return _decoded(report, _opened(found, kind, password), catalog)
    except (DecodeError, KeyFormatError, BackendUnavailable) as error:
        return replace(report, error=str(error))


def _opened(found: FoundKey, kind: str, password: bytes | None) -> bytes:
    """The key as plain PKCS#8."""
    if kind == "PKCS#8":
        return found.data
    if found.encrypted:
        raise KeyFormatError("it cannot be opened here; convert it: openssl pkcs8 -topk8")
    try:
        key = load_der_private_key(found.data, password if kind == "encrypted PKCS#8" else None)
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    except TypeError:
        raise KeyFormatError("it is encrypted, and there is no password: --password-file opens it") from None
    except (ValueError, UnsupportedAlgorithm):
        reason = "the password does not open it" if kind == "encrypted PKCS#8" else "it cannot be read"
        raise KeyFormatError(reason) from None


def _decoded(report: PrivateKeyReport, der: bytes, catalog: Catalog) -> PrivateKeyReport:
    key = pkcs8.decode(der)
    report = replace(report, oid=key.algorithm.oid)
    for scheme in catalog.with_key_oid(key.algorithm.oid):
        if spki.has_parameters(scheme, key.algorithm):
            try:
                report = replace(report, form=_form(pkcs8.secret_of(scheme, key), scheme.private_key))
                break
            except KeyFormatError:
                continue
    try:
        loaded = keyfile.private_keys_of(der, catalog)
    except (KeyFormatError, BackendUnavailable) as error:
        return replace(report, error=str(error))
    names = tuple(private.scheme.name for private in loaded)
    return replace(report, schemes=names, public_key=loaded[0].public.raw)


def _form(secret: pkcs8.Secret, declared: str) -> Form:
    if secret.own:
        return "own"
    if secret.seed:
        return "both" if secret.expanded else "seed"
    return "concatenated" if declared == "concatenated" else "expanded"
