"""A private key, told without a byte of it: its scheme, how it is written, and whether it is encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pqdc.credential.inspect.contents import FoundKey, kind_of
from pqdc.errors import BackendUnavailable, DecodeError, KeyFormatError, PqdcError
from pqdc.scheme import keyfile, pkcs8, spki
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme

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


def report_private_key(
    found: FoundKey, catalog: Catalog, *, password: bytes | None = None, beside: Sequence[bytes] = ()
) -> PrivateKeyReport:
    """Read a private key; never raises for what it holds, and never quotes it.

    Args:
        found: its bytes.
        catalog: to name its scheme by.
        password: opens it, if it is encrypted.
        beside: raw public keys that it may belong to; an expanded ML-DSA key does not tell its own.
    """
    kind = kind_of(found.data)
    envelope = "encrypted in the old PEM way" if found.encrypted else kind or "unknown"
    encrypted = found.encrypted or kind == "encrypted PKCS#8"
    report = PrivateKeyReport(size=len(found.data), label=found.label, envelope=envelope, encrypted=encrypted)
    try:
        if found.encrypted:
            raise KeyFormatError("it cannot be opened here", hint="convert it: openssl pkcs8 -topk8")
        return _decoded(report, keyfile.to_pkcs8(found.data, password=password), catalog, beside)
    except (DecodeError, KeyFormatError) as error:
        return replace(report, error=_say(error))


def _decoded(report: PrivateKeyReport, der: bytes, catalog: Catalog, beside: Sequence[bytes]) -> PrivateKeyReport:
    key = pkcs8.decode(der)
    schemes = [one for one in catalog.with_key_oid(key.algorithm.oid) if spki.has_parameters(one, key.algorithm)]
    report = replace(report, oid=key.algorithm.oid, form=_form(schemes[0], key) if schemes else "")
    reasons: list[PqdcError] = []
    for public in (b"", *beside) if report.form == "expanded" else (b"",):
        try:
            loaded = keyfile.private_keys_of(der, catalog, public=public)
        except (KeyFormatError, BackendUnavailable) as error:
            reasons.append(error)
        else:
            names = tuple(private.scheme.name for private in loaded)
            return replace(report, schemes=names, public_key=loaded[0].public.raw)
    return replace(report, error=_say(reasons[0]))


def _form(scheme: Scheme, key: pkcs8.OneAsymmetricKey) -> Form:
    try:
        secret = pkcs8.secret_of(scheme, key)
    except KeyFormatError:
        return ""
    if secret.own:
        return "own"
    if secret.seed:
        return "both" if secret.expanded else "seed"
    return "concatenated" if scheme.private_key == "concatenated" else "expanded"


def _say(error: PqdcError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)
