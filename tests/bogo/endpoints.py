"""pqdc's client or server as the runner's arguments want it: settings, trust, and the credentials to prove it with.

Keys and chains are loaded once: processes that are forked from this one find them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509

from pqdc.credential.certificate import Certificate
from pqdc.credential.leaf import read_certificates
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.handshake import (
    Alert,
    CipherSuite,
    Client,
    ClientAuth,
    Group,
    Identity,
    Limits,
    ProtocolViolation,
    Server,
    Trust,
)
from pqdc.handshake.path import check_path
from pqdc.handshake.settings import DEFAULT_GROUPS, schemes_to_verify
from pqdc.scheme import keyfile
from pqdc.scheme.catalog import load_catalog
from pqdc.scheme.keys import PrivateKey
from tests.bogo.arguments import Arguments, CredentialFiles, Unsupported

__all__ = ["chain_of", "identities_of", "prepare", "settings_of"]

TLS13 = 0x0304
GROUPS = (*DEFAULT_GROUPS, Group.SECP384R1)  # unless told otherwise; with the last the runner makes us ask again
LONGEST_CHAIN = 100  # the runner makes large messages of long chains
CATALOG = load_catalog()


def prepare(arguments: Arguments) -> None:
    """Load what such a test needs.

    Raises:
        PqdcError: a file cannot be used.
    """
    known_schemes()
    for files in arguments.credentials:
        identities_of(files)


def settings_of(arguments: Arguments, identities: tuple[Identity, ...], secrets: dict[str, bytes]) -> Client | Server:
    """The endpoint, which puts its traffic secrets into `secrets` by their labels.

    Raises:
        Unsupported: pqdc has no such thing.
    """
    switches, numbers = arguments.switches, arguments.numbers
    _check_version(arguments)
    common: dict[str, Any] = {
        "catalog": CATALOG,
        "clock": _now,
        "identities": identities,
        "trust": _trust(arguments),
        "signature_algorithms": numbers.get("-verify-prefs") or known_schemes(),
        "dc_schemes": numbers.get("-pqdc-dc-schemes", ()),
        "groups": _known(Group, numbers.get("-curves", GROUPS)),
        "limits": Limits(
            chain_length=LONGEST_CHAIN, message_bytes=arguments.number("-max-cert-list") or Limits().message_bytes
        ),
        "keylog": lambda line: secrets.update({line.split()[0]: bytes.fromhex(line.split()[2])}),
    }
    if "-tls13-ciphers" in numbers:
        common["suites"] = _known(CipherSuite, numbers["-tls13-ciphers"])
    if "-server" in switches:
        return Server(client_auth=_client_auth(switches), alpn=_alpn_of_server(arguments), **common)
    shares = _known(Group, numbers["-key-shares"]) if "-key-shares" in numbers else None
    return Client(
        server_name=arguments.text("-host-name"),
        key_shares=() if "-no-key-shares" in switches else shares,
        alpn=_protocols(arguments.text("-advertise-alpn") or ""),
        **common,
    )


def _check_version(arguments: Arguments) -> None:
    lowest, highest = arguments.number("-min-version") or 0, arguments.number("-max-version") or TLS13
    if not lowest <= TLS13 <= highest:
        raise Unsupported("a version other than TLS 1.3")
    if arguments.number("-expect-version") not in {None, TLS13}:
        raise Unsupported("a version other than TLS 1.3")


def _known(enumeration: type[Group | CipherSuite], numbers: Iterable[int]) -> tuple[int, ...]:
    numbers = tuple(numbers)
    if not set(numbers) <= set(enumeration):
        raise Unsupported(f"{enumeration.__name__} {numbers}")
    return numbers


def _client_auth(switches: frozenset[str]) -> ClientAuth:
    if "-require-any-client-certificate" in switches:
        return ClientAuth.REQUIRED
    return ClientAuth.OPTIONAL if "-verify-peer" in switches else ClientAuth.NO


def _protocols(packed: str) -> tuple[bytes, ...]:
    data, found = packed.encode("latin-1"), []
    while data:
        found.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return tuple(found)


def _alpn_of_server(arguments: Arguments) -> tuple[bytes, ...]:
    if "-reject-alpn" in arguments.switches:
        return (b"a protocol that nobody offers",)
    selected = None if "-decline-alpn" in arguments.switches else arguments.text("-select-alpn")
    return () if selected is None else (selected.encode("latin-1"),)


class _Path(Trust):
    """The path to a root, whatever the server is called: the runner's leaves have no subject, and no name is wanted."""

    def check(self, chain: Sequence[bytes], *, now: datetime, role: Role, name: str | None) -> None:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        check_path(certificates, self._roots, now=now, role=role, name=None)


class _Nobody(Trust):
    """What an application believes that distrusts everyone; BoringSSL's callbacks have these two alerts for it."""

    def __init__(self, alert: Alert) -> None:
        super().__init__(())
        self._alert = alert

    def check(self, chain: Sequence[bytes], *, now: datetime, role: Role, name: str | None) -> None:
        raise ProtocolViolation(self._alert, "the application distrusts the chain")


def _trust(arguments: Arguments) -> Trust | None:
    if "-verify-fail" in arguments.switches:
        is_custom = "-use-custom-verify-callback" in arguments.switches
        return _Nobody(Alert.CERTIFICATE_UNKNOWN if is_custom else Alert.HANDSHAKE_FAILURE)
    root = arguments.text("-trust-cert")
    return _Path(certificate.der for certificate in chain_of(root)) if root else None


@lru_cache(maxsize=1)
def known_schemes() -> tuple[int, ...]:
    return schemes_to_verify(CATALOG)


@lru_cache(maxsize=1024)
def identities_of(files: CredentialFiles) -> tuple[Identity, ...]:
    """The ways to use a credential: an RSA key signs by several schemes."""
    leaf, *issuers = chain_of(files.certificates)
    below = tuple(issuer.der for issuer in issuers)
    keys = _keys(Path(files.key).read_bytes(), Path(files.key))
    if files.delegated is not None:
        dc = DelegatedCredential.decode(files.delegated)
        fitting = [key for key in keys if key.scheme.code_point == dc.cred.dc_cert_verify_algorithm]
        return (Identity.delegated(dc, (fitting or keys)[0], leaf, below),)
    found = [
        Identity(leaf=leaf, issuers=below, key=key)
        for key in keys
        if key.scheme.code_point in files.schemes or not files.schemes
    ]
    return tuple(sorted(found, key=lambda own: files.schemes.index(own.scheme) if files.schemes else 0))


_LOADED: dict[bytes, list[PrivateKey]] = {}


def _keys(content: bytes, path: Path) -> list[PrivateKey]:
    """The keys of a file; the runner has many copies of few, and RSA keys are checked when they are loaded."""
    if content not in _LOADED:
        _LOADED[content] = keyfile.load_private_keys(path, CATALOG)
    return _LOADED[content]


def chain_of(path: str) -> list[Certificate]:
    """The certificates of a file."""
    return read_certificates(Path(path), CATALOG)


def _now() -> datetime:
    return datetime.now(UTC)
