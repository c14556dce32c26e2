"""Credentials as they should and should not be, to be shown to clients: what each breaks, and what RFC 9345 wants then.

A case is a value; `CASES` is all of them, in the order of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pqdc.credential.structures import EXTENSION_TYPE, DelegatedCredential, Role
from pqdc.handshake import Identity
from pqdc.handshake.messages import CertificateEntry, CertificateMessage
from pqdc.peers.forging import KEY_ENCIPHERMENT, Stage

__all__ = ["CASES", "MOZILLA", "Case", "Verdict"]

Verdict = Literal["delegated", "certificate", "refused"]

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60
_WEEK = 7 * _DAY
MOZILLA = ("nss", "nss-firefox", "firefox")
OFFERERS = ("tlslite",)  # these offer Ed25519 and ML-DSA in extension 34


@dataclass(frozen=True, kw_only=True, eq=False)
class _Odd(Identity):
    """An identity whose Certificate message is made by hand."""

    entries: tuple[CertificateEntry, ...]

    @cached_property
    def message(self) -> CertificateMessage:
        """These entries, whatever they hold."""
        return CertificateMessage(entries=self.entries)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is shown to a client, and what ought to come of it.

    Attributes:
        name: short.
        served: for people.
        make: what the server has; the first is shown, whatever the client offers, if `force`.
        verdict: what RFC 9345 wants: the credential believed, the leaf's own key instead, or an alert.
        rule: that is broken, by its name in docs/rules.md if it has one, and where it stands; empty if none is.
        alert: that the RFC wants for it; empty where it leaves the choice.
        ask: whether the client asks for credentials.
        force: whether the server is an experimenter's.
        offerers: peers that offer the credential's scheme, unlike the others: they are to believe it.
        expected: peer to what it is known to say: the name of its error, or a verdict.
    """

    name: str
    served: str
    make: Callable[[Stage], tuple[Identity, ...]]
    verdict: Verdict
    rule: str = ""
    alert: str = ""
    ask: bool = True
    force: bool = True
    offerers: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)

    def verdict_of(self, peer: str) -> Verdict:
        """What the RFC wants of this peer."""
        return "delegated" if peer in self.offerers else self.verdict


# What tlslite-ng says where it does not believe the credential.
_TLSLITE = {
    "not asked for": "TLSLocalAlert unexpected_message",
    "bad signature": "TLSDecryptionFailed",
    "another leaf's": "TLSDecryptionFailed",
    "another order": "TLSDecryptionFailed",
    "a client's": "TLSDecryptionFailed",
    "key of another type": "TLSIllegalParameterException",
    "handshake by another key": "TLSDecryptionFailed",
    "cut off": "TLSLocalAlert decode_error",
    "no signature": "TLSDecryptionFailed",
    "twice": "TLSLocalAlert illegal_parameter",
    "beside the CA": "certificate",
}
# NSS sets no error at all there, and Firefox makes one of that.
_FIREFOX = {"a byte after it": "SEC_ERROR_LIBRARY_FAILURE"}


def _known(name: str, mozilla: str) -> dict[str, str]:
    """What Mozilla's clients and tlslite-ng are known to say in the case of that name."""
    others = {"firefox": _FIREFOX.get(name, mozilla), "tlslite": _TLSLITE.get(name, "delegated")}
    return dict.fromkeys(MOZILLA, mozilla) | others


def _good(name: str, served: str, make: Callable[[Stage], DelegatedCredential]) -> Case:
    return Case(
        name=name,
        served=served,
        make=lambda stage: (stage.show(make(stage)),),
        verdict="delegated",
        expected=_known(name, "delegated"),
    )


def _broken(
    name: str, served: str, rule: str, error: str, make: Callable[[Stage], DelegatedCredential], **facts: Any
) -> Case:
    """A credential under the plain leaf that must be refused."""
    return _refused(name, served, rule, error, lambda stage: (stage.show(make(stage)),), **facts)


def _refused(
    name: str,
    served: str,
    rule: str,
    error: str,
    make: Callable[[Stage], tuple[Identity, ...]],
    *,
    alert: str = "illegal_parameter",
    **facts: Any,
) -> Case:
    return Case(
        name=name,
        served=served,
        make=make,
        verdict="refused",
        rule=rule,
        alert=alert,
        expected=_known(name, error),
        **facts,
    )


def _forged(**options: Any) -> Callable[[Stage], DelegatedCredential]:
    return lambda stage: stage.forge(**options)


def _served(scheme: str, *, fallback: bool = False) -> Callable[[Stage], tuple[Identity, ...]]:
    """A faultless credential for that scheme, and the leaf's own key if told so."""
    return lambda stage: (stage.show(stage.forge(scheme=scheme)), *([stage.plain()] if fallback else []))


def _in_entry(encode: Callable[[DelegatedCredential], tuple[bytes, ...]]) -> Callable[[Stage], tuple[Identity, ...]]:
    """A faultless credential, of which these extensions are made, in the leaf's entry."""

    def make(stage: Stage) -> tuple[Identity, ...]:
        dc, leaf = stage.forge(), stage.leaf.certificate
        extensions = tuple((EXTENSION_TYPE, data) for data in encode(dc))
        entry = CertificateEntry(der=leaf.der, extensions=extensions)
        return (_Odd(leaf=leaf, key=stage.key("ECDSA-P256", "dc"), dc=dc, unfit=True, entries=(entry,)),)

    return make


def _in_issuers_entry(stage: Stage) -> tuple[Identity, ...]:
    """A faultless credential beside the CA's certificate; the handshake is proved by the leaf's own key."""
    leaf = stage.leaf
    shown = ((EXTENSION_TYPE, stage.forge().encode()),)
    entries = (
        CertificateEntry(der=leaf.certificate.der),
        CertificateEntry(der=stage.authority.der, extensions=shown),
    )
    return (_Odd(leaf=leaf.certificate, key=leaf.key, entries=entries),)


def _under(stage: Stage, **leaf: Any) -> tuple[Identity, ...]:
    """A faultless credential under a leaf of that kind."""
    made = stage.leaf_with(name=str(leaf), **leaf)
    return (stage.show(stage.forge(made), made),)


def _of_another_leaf(stage: Stage) -> tuple[Identity, ...]:
    other = stage.leaf_with(name="another")
    return (stage.show(stage.forge(other), stage.leaf),)


UNSUPPORTED, BAD_SIGNATURE = "SSL_ERROR_UNSUPPORTED_SIGNATURE_ALGORITHM", "SSL_ERROR_DC_BAD_SIGNATURE"
TOO_LONG, USAGE = "SSL_ERROR_DC_INAPPROPRIATE_VALIDITY_PERIOD", "SSL_ERROR_DC_INVALID_KEY_USAGE"
NOTHING_IN_COMMON = "SSL_ERROR_NO_CYPHER_OVERLAP"

CASES: tuple[Case, ...] = (
    _good("P-256", "a credential for ECDSA-P256", _forged()),
    _good("P-384", "a credential for ECDSA-P384", _forged(scheme="ECDSA-P384")),
    _good("P-521", "a credential for ECDSA-P521", _forged(scheme="ECDSA-P521")),
    _good("7 days", "one that lasts a minute less than 7 days", _forged(lasts=_WEEK - _MINUTE)),
    *(
        Case(
            name=f"{scheme} not asked for",
            served=f"a server with a credential for {scheme}, and the leaf's key",
            make=_served(scheme, fallback=True),
            verdict="certificate",
            rule="S1, RFC 9345 section 4.1.1",
            force=False,
            expected=_known(scheme, "certificate"),
            offerers=OFFERERS,
        )
        for scheme in ("Ed25519", "ML-DSA-44")
    ),
    *(
        _refused(
            f"{scheme} alone",
            f"a server with a credential for {scheme}, and no other key",
            "S1, RFC 9345 section 4.1.1",
            NOTHING_IN_COMMON,
            _served(scheme),
            alert="handshake_failure",
            force=False,
            offerers=OFFERERS,
        )
        for scheme in ("Ed25519", "ML-DSA-44")
    ),
    *(
        _broken(
            f"{scheme} forced",
            f"a credential for {scheme}, which the client does not offer",
            "C4, RFC 9345 section 4.1.1",
            UNSUPPORTED,
            _forged(scheme=scheme),
            offerers=OFFERERS,
        )
        for scheme in ("Ed25519", "ML-DSA-44")
    ),
    _broken(
        "not asked for",
        "a credential for ECDSA-P256 to a client that asks for none",
        "C2, RFC 9345 section 4.1.1",
        "SSL_ERROR_RX_UNEXPECTED_EXTENSION",
        _forged(),
        alert="unexpected_message",
        ask=False,
    ),
    _broken(
        "expired",
        "one that ended a minute ago",
        "V1, RFC 9345 section 4.1.3",
        "SSL_ERROR_DC_EXPIRED",
        _forged(lasts=-_MINUTE),
    ),
    *(
        _broken(
            name,
            f"one that lasts {name}",
            "V2, RFC 9345 section 4.1.3",
            TOO_LONG,
            _forged(lasts=lasts),
        )
        for name, lasts in (("7 days and an hour", _WEEK + _HOUR), ("8 days", 8 * _DAY))
    ),
    _broken(
        "absolute time",
        "one whose valid_time is the Unix time of its end, tomorrow",
        "V2, RFC 9345 section 4.1.3",
        TOO_LONG,
        lambda stage: stage.forge(valid_time=int(stage.now.timestamp()) + _DAY),
    ),
    _broken(
        "bad signature",
        "one with the last bit of its signature changed",
        "V5, RFC 9345 section 4.1.3",
        BAD_SIGNATURE,
        _forged(spoil=lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])),
    ),
    _refused(
        "another leaf's",
        "one signed by another leaf of the same CA",
        "V5, RFC 9345 section 4.1.3",
        BAD_SIGNATURE,
        _of_another_leaf,
    ),
    _broken(
        "another order",
        "one signed over leaf, algorithm, cred, as BoringSSL's test runner does",
        "M5, RFC 9345 section 4.1.3",
        BAD_SIGNATURE,
        _forged(order=lambda prefix, cred, algorithm: prefix + algorithm + cred),
    ),
    _broken(
        "a client's",
        "one signed for the other role",
        "V5, RFC 9345 section 4.1.3",
        BAD_SIGNATURE,
        _forged(role=Role.CLIENT),
    ),
    _refused(
        "no DelegationUsage",
        "one under a leaf without DelegationUsage",
        "V4, RFC 9345 sections 4.1.3 and 4.2",
        USAGE,
        lambda stage: _under(stage, delegation=None),
    ),
    _refused(
        "no digitalSignature",
        "one under a leaf with a KeyUsage without digitalSignature",
        "V4, RFC 9345 sections 4.1.3 and 4.2",
        USAGE,
        lambda stage: _under(stage, key_usage=KEY_ENCIPHERMENT),
    ),
    _refused(
        "no KeyUsage",
        "one under a leaf without KeyUsage",
        "V4, RFC 9345 sections 4.1.3 and 4.2",
        USAGE,
        lambda stage: _under(stage, key_usage=None),
    ),
    _refused(
        "critical DelegationUsage",
        "one under a leaf whose DelegationUsage is critical",
        "M7, RFC 9345 section 4.2",
        "SEC_ERROR_UNKNOWN_CRITICAL_EXTENSION",
        lambda stage: _under(stage, critical=True),
        alert="",  # whether it is the chain that is refused or the credential is for the client to say
    ),
    _refused(
        "DelegationUsage not NULL",
        "one under a leaf whose DelegationUsage is an empty SEQUENCE",
        "M7, RFC 9345 section 4.2",
        "delegated",
        lambda stage: _under(stage, delegation=b"\x30\x00"),
    ),
    _refused(
        "outlives its leaf",
        "one that lasts 3 days under a leaf of 2",
        "M2, RFC 9345 sections 3 and 4.1.3",
        "delegated",
        lambda stage: (stage.show(stage.forge(made := stage.leaf_with(days=2), lasts=3 * _DAY), made),),
    ),
    _broken(
        "key of another type",
        "one for ECDSA-P256 with a P-384 key",
        "V6, RFC 9345 section 4",
        "SSL_ERROR_INCORRECT_SIGNATURE_ALGORITHM",
        lambda stage: stage.forge(spki=stage.key("ECDSA-P384", "dc").public.spki),
    ),
    _refused(
        "handshake by another key",
        "a faultless one, and a CertificateVerify by another key",
        "RFC 8446 section 4.4.3",
        "SEC_ERROR_BAD_SIGNATURE",
        lambda stage: (stage.show(stage.forge(), key=stage.key("ECDSA-P256", "stranger")),),
        alert="decrypt_error",
    ),
    _refused(
        "a byte after it",
        "a faultless one, and a byte after it in the extension",
        "V7, RFC 9345 section 4; RFC 8446 section 6.2",
        "error 0",
        _in_entry(lambda dc: (dc.encode() + b"\0",)),
        alert="decode_error",
    ),
    _refused(
        "cut off",
        "one without its last byte",
        "V7, RFC 9345 section 4; RFC 8446 section 6.2",
        "SEC_ERROR_BAD_DATA",
        _in_entry(lambda dc: (dc.encode()[:-1],)),
        alert="decode_error",
    ),
    _broken(
        "no signature",
        "one with a signature of no bytes",
        "V7, RFC 9345 section 4",
        BAD_SIGNATURE,
        _forged(spoil=lambda _: b""),
        alert="decode_error",
    ),
    _refused(
        "twice",
        "a faultless one, twice in the leaf's entry",
        "V7, RFC 8446 section 4.2",
        "SSL_ERROR_RX_UNEXPECTED_EXTENSION",
        _in_entry(lambda dc: (dc.encode(), dc.encode())),
        alert="",
    ),
    Case(
        name="beside the CA",
        served="a faultless one in the entry of the CA's certificate, and the leaf's key",
        make=_in_issuers_entry,
        verdict="certificate",
        rule="C3, RFC 9345 section 4.1.1",
        expected=_known("beside the CA", "certificate"),
    ),
    Case(
        name="RSA leaf",
        served="a faultless one under a leaf with an RSA key",
        make=lambda stage: _under(stage, scheme="RSA-2048"),
        verdict="delegated",
        expected=_known("RSA leaf", UNSUPPORTED),
    ),
)
