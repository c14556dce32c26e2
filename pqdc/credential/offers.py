"""The rules of RFC 9345 that only a handshake can judge: who offered what, and what came (sections 4.1.1 to 4.1.3).

Pure functions over offered lists; both roles alike, since section 4.1.2 mirrors 4.1.1: the one who authenticates sends
the credential, the other has made the `Offer`. Knows code points, and nothing of messages, keys or clocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pqdc.credential import refusals
from pqdc.credential.fit import forbidden
from pqdc.credential.structures import EXTENSION_TYPE, DelegatedCredential, Role
from pqdc.errors import DecodeError

__all__ = [
    "HANDSHAKE_RULES",
    "TLS13",
    "HandshakeRule",
    "Offer",
    "check_entries",
    "check_expected",
    "check_offered",
    "check_sending",
    "check_used",
    "choose",
    "credential_in",
    "decode",
    "reason_against",
    "schemes_to_offer",
    "sendable",
]

TLS13 = 0x0304
_DTLS13 = 0xFEFC  # DTLS counts downwards
_NAMES = {Role.SERVER: ("server", "ClientHello"), Role.CLIENT: ("client", "CertificateRequest")}

Extensions = Sequence[tuple[int, bytes]]  # of one CertificateEntry: type and data, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one side said it takes: a client in its ClientHello, a server in its CertificateRequest.

    Attributes:
        signature_algorithms: the code points of that extension.
        delegated_credential: the SignatureSchemeList of extension 34; None if the extension was not there.
        version: the negotiated one.
    """

    signature_algorithms: Sequence[int]
    delegated_credential: Sequence[int] | None = None
    version: int = TLS13

    @property
    def heard(self) -> Sequence[int] | None:
        """The list of extension 34 as far as it counts: below TLS 1.3 it is ignored (rule S2)."""
        return None if _is_old(self.version) else self.delegated_credential


# ---- the side that asks


def schemes_to_offer(code_points: Iterable[int]) -> tuple[int, ...]:
    """What to put into extension 34 by someone who verifies these schemes, in that order (rule C1).

    Schemes that no credential may have are left out, repeated ones too.

    Raises:
        OfferEmpty: none is left, and the list takes at least one.
    """
    given = tuple(dict.fromkeys(code_points))
    chosen = tuple(point for point in given if not forbidden(point))
    if not chosen:
        raise refusals.OfferEmpty("a list of at least one scheme that a credential may have", _say(given))
    return chosen


def credential_in(entries: Sequence[Extensions]) -> bytes | None:
    """The credential of a Certificate message, undecoded: that of the leaf's entry; those of others are ignored (C3).

    Args:
        entries: the extensions of each CertificateEntry, the leaf's first.

    Raises:
        ExtensionRepeated: an entry has several (rule V7).
    """
    found = [_of(extensions) for extensions in entries]
    for position, credentials in enumerate(found):
        if len(credentials) > 1:
            raise refusals.ExtensionRepeated(
                "one delegated_credential in a CertificateEntry", f"{len(credentials)} in entry {position}"
            )
    return found[0][0] if found and found[0] else None


def decode(data: bytes) -> DelegatedCredential:
    """The credential in exactly these bytes, as `DelegatedCredential.decode`, but refused by rule.

    Raises:
        Malformed: they are none (rule V7).
    """
    try:
        return DelegatedCredential.decode(data)
    except DecodeError as error:
        raise refusals.Malformed("a DelegatedCredential, to the last byte", str(error)) from None


def check_expected(offer: Offer, role: Role = Role.SERVER) -> None:
    """Return if a credential may come at all (rule C2): call it when one came.

    Raises:
        NotOffered: it was not asked for.
    """
    if offer.heard is None:
        who, message = _NAMES[role]
        raise refusals.NotOffered(
            f"no credential of the {who} without delegated_credential in the {message}", "a credential"
        )


def check_offered(dc: DelegatedCredential, offer: Offer, role: Role = Role.SERVER) -> None:
    """Return if the credential's two algorithms are among those offered (rule C4).

    Raises:
        NotOffered: no credential was asked for.
        LeafAlgorithmNotOffered: `algorithm` is not in signature_algorithms.
        AlgorithmNotOffered: dc_cert_verify_algorithm is not in the list of extension 34.
    """
    check_expected(offer, role)
    if dc.algorithm not in offer.signature_algorithms:
        raise refusals.LeafAlgorithmNotOffered(
            f"an algorithm offered in signature_algorithms ({_say(offer.signature_algorithms)})", _say([dc.algorithm])
        )
    point, heard = dc.cred.dc_cert_verify_algorithm, offer.heard or ()
    if point not in heard:
        raise refusals.AlgorithmNotOffered(
            f"a dc_cert_verify_algorithm offered in delegated_credential ({_say(heard)})", _say([point])
        )


def check_used(dc: DelegatedCredential, scheme: int) -> None:
    """Return if a CertificateVerify that says `scheme` is made with the credential (rule V3).

    Raises:
        AlgorithmNotUsed: its scheme is not dc_cert_verify_algorithm.
    """
    point = dc.cred.dc_cert_verify_algorithm
    if scheme != point:
        raise refusals.AlgorithmNotUsed(
            f"a CertificateVerify by dc_cert_verify_algorithm, {_say([point])}", _say([scheme])
        )


# ---- the side that sends


def check_sending(offer: Offer, role: Role = Role.SERVER) -> None:
    """Return if a credential may be sent to someone who made this offer.

    Raises:
        VersionTooOld: TLS 1.3 was not negotiated, so extension 34 is to be ignored (rule S2).
        NotAskedFor: there was no extension 34 (rule S1).
    """
    who, message = _NAMES[role]
    if _is_old(offer.version):
        raise refusals.VersionTooOld("TLS 1.3 for a credential to be sent", f"version 0x{offer.version:04x}")
    if offer.delegated_credential is None:
        raise refusals.NotAskedFor(
            f"delegated_credential in the {message} before a {who} sends one", f"{message} without"
        )


def check_entries(entries: Sequence[Extensions]) -> None:
    """Return if a Certificate message to be sent has credentials in the leaf's entry only (rule S3).

    Raises:
        NotInLeafEntry: another has one.
        ExtensionRepeated: an entry has several.
    """
    credential_in(entries)
    others = [position for position, extensions in enumerate(entries) if position and _of(extensions)]
    if others:
        raise refusals.NotInLeafEntry("delegated_credential in entry 0, the leaf's", f"one in entry {others[0]}")


def reason_against(dc: DelegatedCredential, offer: Offer, role: Role = Role.SERVER) -> str:
    """Why this credential may not be sent to someone who made this offer; empty if it may."""
    try:
        check_sending(offer, role)
        check_offered(dc, offer, role)
    except refusals.RuleRefusal as refusal:
        return str(refusal)
    return ""


def sendable(
    credentials: Iterable[DelegatedCredential], offer: Offer, role: Role = Role.SERVER
) -> tuple[DelegatedCredential, ...]:
    """Those that may be sent to someone who made this offer, in the order given; whether they expired is not asked."""
    return tuple(dc for dc in credentials if not reason_against(dc, offer, role))


def choose(
    credentials: Iterable[DelegatedCredential], offer: Offer, role: Role = Role.SERVER
) -> DelegatedCredential | None:
    """The first that may be sent, which is the sender's preference; None: use the certificate's own key."""
    return next(iter(sendable(credentials, offer, role)), None)


# ---- the rules, to be listed


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeRule:
    """A rule that needs a handshake: its short name, what it asks in one line, the refusals, and who checks it."""

    name: str
    asks: str
    refusals: tuple[type[refusals.RuleRefusal], ...]
    checked_by: str


HANDSHAKE_RULES: tuple[HandshakeRule, ...] = (
    HandshakeRule(
        name="C1",
        asks="who takes credentials offers a list of schemes in extension 34",
        refusals=(refusals.OfferEmpty,),
        checked_by="schemes_to_offer",
    ),
    HandshakeRule(
        name="C2",
        asks="no credential comes unless asked for",
        refusals=(refusals.NotOffered,),
        checked_by="check_expected",
    ),
    HandshakeRule(
        name="C3",
        asks="credentials in other entries than the leaf's are ignored",
        refusals=(),
        checked_by="credential_in",
    ),
    HandshakeRule(
        name="C4",
        asks="both its algorithms were offered",
        refusals=(refusals.LeafAlgorithmNotOffered, refusals.AlgorithmNotOffered),
        checked_by="check_offered",
    ),
    HandshakeRule(
        name="S1",
        asks="no credential is sent unless asked for",
        refusals=(refusals.NotAskedFor,),
        checked_by="check_sending",
    ),
    HandshakeRule(
        name="S2",
        asks="extension 34 is ignored below TLS 1.3",
        refusals=(refusals.VersionTooOld,),
        checked_by="check_sending",
    ),
    HandshakeRule(
        name="S3",
        asks="the credential is sent in the leaf's entry",
        refusals=(refusals.NotInLeafEntry,),
        checked_by="check_entries",
    ),
    HandshakeRule(
        name="V3",
        asks="the CertificateVerify is by dc_cert_verify_algorithm",
        refusals=(refusals.AlgorithmNotUsed,),
        checked_by="check_used",
    ),
    HandshakeRule(
        name="V7",
        asks="one delegated_credential in an entry",
        refusals=(refusals.ExtensionRepeated,),
        checked_by="credential_in",
    ),
)


def _of(extensions: Extensions) -> list[bytes]:
    return [data for kind, data in extensions if kind == EXTENSION_TYPE]


def _is_old(version: int) -> bool:
    return not TLS13 <= version <= _DTLS13


def _say(code_points: Iterable[int]) -> str:
    return " ".join(f"0x{point:04x}" for point in code_points) or "none"
