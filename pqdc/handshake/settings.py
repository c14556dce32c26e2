"""What an endpoint is: frozen settings of a client and of a server, from which connections are made.

The clock is an argument; entropy, unless given, is the system's.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from pqdc.credential.offers import Offer, schemes_to_offer
from pqdc.credential.rules import Policy
from pqdc.handshake.chain import Trust
from pqdc.handshake.codepoints import TLS13, CipherSuite, ExtensionType, Group
from pqdc.handshake.credentials import Identity
from pqdc.handshake.exchange import Entropy
from pqdc.handshake.extensions import Place, write
from pqdc.handshake.limits import Limits
from pqdc.handshake.messages import Extensions
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog

__all__ = ["Client", "ClientAuth", "Server", "Settings", "schemes_to_verify"]

DEFAULT_GROUPS: tuple[int, ...] = (Group.X25519, Group.SECP256R1, Group.X25519MLKEM768)
PRIVATE_USE = 0xFE00  # SignatureSchemes from here on: RFC 8446 section 11


class ClientAuth(Enum):
    """What a server wants of its clients. DELEGATED: a credential, and nothing else."""

    NO = "no"
    OPTIONAL = "optional"
    REQUIRED = "required"
    DELEGATED = "delegated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What clients and servers have in common.

    Attributes:
        catalog: the schemes among which keys are looked up.
        clock: gives the time, with a time zone.
        entropy: gives that many random bytes.
        identities: to prove itself with, the preferred first.
        trust: the CAs to check the peer's chain by; None leaves chain and name unchecked, and all else checked.
        signature_algorithms: code points taken in CertificateVerify by a leaf's key, and in credentials; unless
            given, all outside private use that something here computes.
        signature_algorithms_cert: those taken in certificates, if another list.
        dc_schemes: code points taken as dc_cert_verify_algorithm, in extension 34; empty: no credential is asked for.
        policy: of verifying credentials.
        groups, suites: code points, the preferred first.
        alpn: protocols, the preferred first.
        limits: on what the peer may cost.
        keylog: takes lines in the format of SSLKEYLOGFILE.
        offer: what it says it takes of its peer: signature_algorithms and dc_schemes.

    Raises:
        OfferEmpty: `dc_schemes` has only such as no credential may have.
    """

    catalog: Catalog
    clock: Callable[[], datetime]
    entropy: Entropy = os.urandom
    identities: tuple[Identity, ...] = ()
    trust: Trust | None = None
    signature_algorithms: tuple[int, ...] = ()
    signature_algorithms_cert: tuple[int, ...] | None = None
    dc_schemes: tuple[int, ...] = ()
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    groups: tuple[int, ...] = DEFAULT_GROUPS
    suites: tuple[int, ...] = (
        CipherSuite.AES_128_GCM_SHA256,
        CipherSuite.AES_256_GCM_SHA384,
        CipherSuite.CHACHA20_POLY1305_SHA256,
    )
    alpn: tuple[bytes, ...] = ()
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    keylog: Callable[[str], None] | None = None
    offer: Offer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fill in what depends on what is computed here, and what follows from the rest."""
        if not self.signature_algorithms:
            object.__setattr__(self, "signature_algorithms", schemes_to_verify(self.catalog))
        heard = schemes_to_offer(self.dc_schemes) if self.dc_schemes else None
        offer = Offer(signature_algorithms=self.signature_algorithms, delegated_credential=heard)
        object.__setattr__(self, "offer", offer)

    def asks(self) -> dict[int, Any]:
        """The extensions that say what it takes of its peer, in a ClientHello or CertificateRequest."""
        values: dict[int, Any] = {ExtensionType.SIGNATURE_ALGORITHMS: self.signature_algorithms}
        if self.signature_algorithms_cert:
            values[ExtensionType.SIGNATURE_ALGORITHMS_CERT] = self.signature_algorithms_cert
        if self.offer.delegated_credential is not None:
            values[ExtensionType.DELEGATED_CREDENTIAL] = self.offer.delegated_credential
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Settings):
    """A client.

    Attributes:
        server_name: the host name or address that the server must be; a name is also sent in server_name.
        key_shares: the groups to send shares of; the first of `groups` unless given.
        compatibility: send a session id and change_cipher_spec, for middleboxes: RFC 8446 appendix D.4.
        hello: the extensions that all its ClientHellos have in common.
    """

    server_name: str | None = None
    key_shares: tuple[int, ...] | None = None
    compatibility: bool = True
    hello: Extensions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fill in what follows from the rest."""
        Settings.__post_init__(self)
        values: dict[int, Any] = {ExtensionType.SUPPORTED_VERSIONS: (TLS13,)}
        if self.server_name is not None and not _is_address(self.server_name):
            values[ExtensionType.SERVER_NAME] = self.server_name
        values |= {ExtensionType.SUPPORTED_GROUPS: self.groups, **self.asks()}
        if self.alpn:
            values[ExtensionType.ALPN] = self.alpn
        object.__setattr__(self, "hello", write(Place.CLIENT_HELLO, values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Settings):
    """A server.

    Attributes:
        client_auth: whether clients prove themselves.
        cookie: whether a HelloRetryRequest carries a cookie.
        force: the first identity is shown, although the client does not take it, or it has expired: for experiments
            with what clients do then, and against rules S1 and V1.
    """

    client_auth: ClientAuth = ClientAuth.NO
    cookie: bool = False
    force: bool = False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def schemes_to_verify(catalog: Catalog) -> tuple[int, ...]:
    """The code points outside private use that something here computes, classical ones first."""
    schemes = sorted(catalog.values(), key=lambda scheme: scheme.kind != "classical")
    found = (
        scheme.code_point
        for scheme in schemes
        if scheme.code_point is not None and scheme.code_point < PRIVATE_USE and backends.available(scheme)
    )
    return tuple(dict.fromkeys(found))
