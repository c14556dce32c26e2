"""What an inspection finds, as values: see `pqdc.credential.inspect.inspect`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pqdc.credential import refusals
from pqdc.credential.inspect.certificate import CertificateReport
from pqdc.credential.inspect.credential import CredentialReport
from pqdc.credential.inspect.private_key import PrivateKeyReport
from pqdc.credential.inspect.public_key import PublicKeyReport
from pqdc.credential.structures import Role
from pqdc.credential.verify import Verdict

__all__ = ["InspectedCertificate", "InspectedCredential", "InspectedKey", "InspectedPublicKey", "Inspection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedCredential:
    """A credential, and what the rules say of it.

    Attributes:
        format: of the file, where it is known.
        leaf_file, leaf_sha256: of the leaf it was judged under, empty if there was none.
        ends: Unix seconds; None without a leaf.
        verdicts: of each rule that needs no handshake.
        note: something that a verdict does not say, such as that it is for the other role.
        peers: of known peers, why they would not take its algorithms, or empty if they do.
    """

    file: str
    format: str
    role: Role
    report: CredentialReport
    leaf_file: str = ""
    leaf_sha256: str = ""
    ends: int | None = None
    verdicts: tuple[Verdict, ...] = ()
    note: str = ""
    peers: Mapping[str, str] = field(default_factory=dict)

    @property
    def refusals(self) -> tuple[refusals.RuleRefusal, ...]:
        """Of the rules that it breaks; the first is what `verify` says."""
        if self.report.broken:
            return (self.report.broken.refusal,)
        return tuple(verdict.refusal for verdict in self.verdicts if verdict.refusal)

    @property
    def verdict(self) -> Literal["accepted", "refused", "not judged"]:
        """Of all rules that need no handshake."""
        if self.refusals:
            return "refused"
        return "not judged" if any(verdict.outcome == "not checked" for verdict in self.verdicts) else "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedCertificate:
    """A certificate, and what the rules say of it as a leaf; nothing of a CA that stands behind its leaf."""

    file: str
    report: CertificateReport
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedKey:
    """A private key, and the credentials and certificates among the files that it belongs to."""

    file: str
    report: PrivateKeyReport
    belongs_to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedPublicKey:
    """A public key, and the credentials and certificates among the files that have it."""

    file: str
    report: PublicKeyReport
    belongs_to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """Everything that was found, and the moment at which it was judged, Unix seconds."""

    at: int
    credentials: tuple[InspectedCredential, ...]
    certificates: tuple[InspectedCertificate, ...]
    private_keys: tuple[InspectedKey, ...]
    public_keys: tuple[InspectedPublicKey, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everything could be decoded, whatever the rules say of it."""
        return not (
            any(found.report.broken for found in self.credentials)
            or any(found.report.error for found in self.certificates)
            or any(found.report.error for found in self.public_keys)
        )
