"""What is expected of a cell of the matrix where it is not a delegated credential: pattern to outcome, with the reason.

The first deviation that fits counts, and it must come so: a peer that learns better is noticed too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pqdc.peers.pairing import Pairing

__all__ = ["CERTIFICATE", "DELEGATED", "DEVIATIONS", "UNLOADABLE", "UNTRIED", "Deviation", "expectation"]

DELEGATED, CERTIFICATE, UNLOADABLE = "delegated", "certificate", "not loadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A pattern, and what comes of cells that fit it. Each part is a shell pattern, or several with | between.

    Attributes:
        server, client, format, leaf, scheme: as in `Pairing`; a credential is served, unless `scheme` says otherwise.
        but: schemes that it is not about.
        outcome: as in `Cell`; several where it depends on the peer's version.
        reason: why.
    """

    outcome: str
    reason: str
    server: str = "*"
    client: str = "*"
    format: str = "*"
    leaf: str = "*"
    scheme: str = "?*"
    but: str = ""

    def fits(self, pairing: Pairing) -> bool:
        """Whether it is about this pairing."""
        return not (self.but and _matches(pairing.scheme, self.but)) and all(
            _matches(value, pattern)
            for value, pattern in (
                (pairing.server, self.server),
                (pairing.client, self.client),
                (pairing.format, self.format),
                (pairing.leaf, self.leaf),
                (pairing.scheme, self.scheme),
            )
        )

    def explains(self, outcome: str) -> bool:
        """Whether it came as this says."""
        return _matches(outcome, self.outcome)


def _matches(value: str, patterns: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns.split("|"))


_ECDSA = "ECDSA-P256|ECDSA-P384|ECDSA-P521"
_ML_DSA = "ML-DSA-44|ML-DSA-65|ML-DSA-87"
_NSS = "nss|nss-firefox|firefox"

DEVIATIONS: tuple[Deviation, ...] = (
    # What a server does not load.
    Deviation(
        server="boringssl",
        format="boringssl|bssl-shim",
        but=f"{_ECDSA}|Ed25519|{_ML_DSA}",
        outcome=UNLOADABLE,
        reason="BoringSSL has no such keys; the format refuses before it would",
    ),
    Deviation(
        server="boringssl",
        but=f"{_ECDSA}|Ed25519|{_ML_DSA}",
        outcome="UNSUPPORTED_ALGORITHM",
        reason="BoringSSL has no such keys",
    ),
    Deviation(
        server="tlslite",
        format="tlslite",
        but=f"{_ECDSA}|Ed25519|Ed448|RSA-PSS-*",
        outcome=UNLOADABLE,
        reason="tlslite-ng as it is takes no such keys in credentials; the format refuses before it would",
    ),
    Deviation(
        server="tlslite",
        but=f"{_ECDSA}|Ed25519|Ed448|RSA-PSS-*|{_ML_DSA}",
        outcome="SyntaxError*",
        reason="tlslite-ng has no such keys",
    ),
    Deviation(
        server="nss-server",
        but=_ECDSA,
        outcome=UNLOADABLE,
        reason="NSS has ECDSA alone in credentials; the format refuses before it would",
    ),
    Deviation(
        server="nss-server",
        leaf="Ed25519",
        scheme="*",
        outcome="SEC_ERROR_PKCS12_UNABLE_TO_IMPORT_KEY",
        reason="NSS has no such keys",
    ),
    Deviation(
        server="nss-server",
        leaf=_ML_DSA,
        scheme="*",
        outcome="openssl does not take the leaf's key|SEC_ERROR_*",
        reason="OpenSSL, which packs the leaf's key for NSS, has ML-DSA from 3.5 on; NSS has not",
    ),
    Deviation(
        server="openssl",
        leaf=_ML_DSA,
        scheme="",
        outcome=f"unsupported|{CERTIFICATE}",
        reason="OpenSSL has ML-DSA from 3.5 on",
    ),
    # What a client does not take, whoever serves it.
    Deviation(
        client="openssl",
        leaf=_ML_DSA,
        scheme="*",
        outcome=f"*alert handshake failure|{CERTIFICATE}",
        reason="OpenSSL has ML-DSA from 3.5 on, and asks for no credential",
    ),
    Deviation(
        client="openssl",
        outcome=CERTIFICATE,
        reason="OpenSSL asks for no credential, so the leaf's own key serves it",
    ),
    Deviation(
        client="curl",
        leaf="Ed25519|ML-DSA-*",
        scheme="*",
        outcome="SSLV3_ALERT_HANDSHAKE_FAILURE",
        reason="curl offers what Firefox offers, which knows no such leaves",
    ),
    Deviation(
        client="curl",
        scheme=_ECDSA,
        outcome="UNEXPECTED_EXTENSION",
        reason="curl asks for credentials to look like Firefox; its BoringSSL knows none, and gets one",
    ),
    Deviation(
        client="curl",
        outcome=CERTIFICATE,
        reason="curl asks for ECDSA in credentials alone, as Firefox does, so the leaf's own key serves it",
    ),
    Deviation(
        client=_NSS,
        leaf="Ed25519|ML-DSA-*",
        scheme="*",
        outcome="SSL_ERROR_NO_CYPHER_OVERLAP",
        reason="NSS verifies no signatures of such a leaf, neither in a handshake nor in a credential",
    ),
    Deviation(
        client=_NSS,
        leaf="RSA-*",
        scheme=_ECDSA,
        outcome="SSL_ERROR_UNSUPPORTED_SIGNATURE_ALGORITHM",
        reason="NSS takes no credential that an RSA key has signed, though RFC 9345 allows it",
    ),
    Deviation(
        client="nss|nss-firefox",
        leaf="RSA-*",
        scheme="*",
        outcome="SEC_ERROR_INADEQUATE_KEY_USAGE",
        reason="tstclnt wants keyEncipherment of a server's RSA key; Firefox, on the same NSS, does not",
    ),
    Deviation(
        client=_NSS,
        but=_ECDSA,
        outcome=CERTIFICATE,
        reason="NSS asks for ECDSA in credentials alone, so the leaf's own key serves it",
    ),
    Deviation(
        client="tlslite",
        but=f"{_ECDSA}|Ed25519|Ed448|RSA-PSS-*|{_ML_DSA}",
        outcome=CERTIFICATE,
        reason="tlslite-ng does not know the scheme, so the leaf's own key serves it",
    ),
    Deviation(
        client="tlslite",
        leaf=_ML_DSA,
        outcome="AssertionError",
        reason="tlslite-ng checks a credential that an ML-DSA leaf has signed as if it were signed by RSA",
    ),
)

# Formats whose software nothing here runs; what is not in a package registry cannot be had by `make interop`.
UNTRIED: Mapping[str, str] = {
    "cfgo": "cloudflare/go is a fork of the Go toolchain; Go's module proxy does not serve it",
    "fizz": "Fizz is a C++ library that Debian does not have",
    "fizz-server": "as Fizz",
    "interop-runner": "it drives containers of the implementations named here",
    "tongsuo": "Tongsuo is a fork of OpenSSL that Debian does not have",
}


def expectation(pairing: Pairing) -> Deviation:
    """What is expected; without a reason where it is simply that what is served is taken."""
    for deviation in DEVIATIONS:
        if deviation.fits(pairing):
            return deviation
    return Deviation(outcome=DELEGATED if pairing.scheme else CERTIFICATE, reason="")
