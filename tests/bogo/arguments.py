"""What the runner asks of a shim, as a value: its command line, sorted by kind. Knows nothing of TLS.

A flag that the table lacks asks for something that pqdc lacks too, or is an affair of BoringSSL's API: `Unsupported`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Arguments", "CredentialFiles", "Unsupported", "parse"]


class Kind(Enum):
    """What a flag is followed by, and what it means."""

    NOTHING = "nothing: TLS 1.3 is so anyway, or it has no meaning where bytes come and events go"
    SWITCH = "nothing: it is there or not"
    NUMBERS = "a number; several times, it is a list"
    TEXTS = "a text, or base64"
    CREDENTIAL = "nothing: the flags of one more credential follow"


FLAGS: Mapping[str, Kind] = {  # those of -pqdc are ours: tests/bogo/overlay
    "-implicit-handshake": Kind.NOTHING,
    "-use-old-client-cert-callback": Kind.NOTHING,
    "-expect-verify-result": Kind.NOTHING,
    "-no-op-extra-handshake": Kind.NOTHING,
    "-no-tls1": Kind.NOTHING,
    "-no-tls11": Kind.NOTHING,
    "-no-tls12": Kind.NOTHING,
    "-no-ticket": Kind.NOTHING,
    "-must-match-issuer": Kind.NOTHING,
    "-expect-extended-master-secret": Kind.NOTHING,
    "-renegotiate-freely": Kind.NOTHING,
    "-ipv6": Kind.SWITCH,
    "-server": Kind.SWITCH,
    "-async": Kind.SWITCH,
    "-verify-peer": Kind.SWITCH,
    "-verify-fail": Kind.SWITCH,
    "-use-custom-verify-callback": Kind.SWITCH,
    "-require-any-client-certificate": Kind.SWITCH,
    "-shim-writes-first": Kind.SWITCH,
    "-read-with-unfinished-write": Kind.SWITCH,
    "-shim-shuts-down": Kind.SWITCH,
    "-check-close-notify": Kind.SWITCH,
    "-expect-no-peer-cert": Kind.SWITCH,
    "-expect-hrr": Kind.SWITCH,
    "-expect-no-hrr": Kind.SWITCH,
    "-no-key-shares": Kind.SWITCH,
    "-key-update": Kind.SWITCH,
    "-key-update-before-read": Kind.SWITCH,
    "-export-traffic-secrets": Kind.SWITCH,
    "-decline-alpn": Kind.SWITCH,
    "-reject-alpn": Kind.SWITCH,
    "-expect-no-server-name": Kind.SWITCH,
    "-pqdc-expect-dc": Kind.SWITCH,
    "-port": Kind.NUMBERS,
    "-shim-id": Kind.NUMBERS,
    "-curves": Kind.NUMBERS,
    "-key-shares": Kind.NUMBERS,
    "-tls13-ciphers": Kind.NUMBERS,
    "-verify-prefs": Kind.NUMBERS,
    "-signing-prefs": Kind.NUMBERS,
    "-min-version": Kind.NUMBERS,
    "-max-version": Kind.NUMBERS,
    "-expect-version": Kind.NUMBERS,
    "-expect-curve-id": Kind.NUMBERS,
    "-expect-peer-signature-algorithm": Kind.NUMBERS,
    "-expect-selected-credential": Kind.NUMBERS,
    "-expect-cipher": Kind.NUMBERS,
    "-max-cert-list": Kind.NUMBERS,
    "-pqdc-dc-schemes": Kind.NUMBERS,
    "-cert-file": Kind.TEXTS,
    "-key-file": Kind.TEXTS,
    "-trust-cert": Kind.TEXTS,
    "-delegated-credential": Kind.TEXTS,
    "-host-name": Kind.TEXTS,
    "-expect-server-name": Kind.TEXTS,
    "-advertise-alpn": Kind.TEXTS,
    "-select-alpn": Kind.TEXTS,
    "-expect-alpn": Kind.TEXTS,
    "-expect-peer-cert-file": Kind.TEXTS,
    "-shim-initial-write": Kind.TEXTS,
    "-new-x509-credential": Kind.CREDENTIAL,
    "-new-delegated-credential": Kind.CREDENTIAL,
}
OF_CREDENTIALS = {"-cert-file", "-key-file", "-signing-prefs", "-delegated-credential"}


class Unsupported(Exception):
    """The flag asks for something that is not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFiles:
    """A chain, its key or a credential's, that credential, and the schemes to sign by: all if empty."""

    certificates: str
    key: str
    delegated: bytes | None = None
    schemes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line.

    Attributes:
        switches: the flags without a value that were there.
        numbers, texts: the values of the other flags, in order.
        credentials: those to prove oneself with, the preferred first.
        has_default: whether the last of them is the one that the runner counts as -1.
    """

    switches: frozenset[str] = frozenset()
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    credentials: tuple[CredentialFiles, ...] = ()
    has_default: bool = False

    def number(self, flag: str) -> int | None:
        """The last value, None without any."""
        return self.numbers[flag][-1] if flag in self.numbers else None

    def text(self, flag: str) -> str | None:
        """The last value, None without any."""
        return self.texts[flag][-1] if flag in self.texts else None


def parse(words: Sequence[str]) -> Arguments:
    """Sort the words of a command line.

    Raises:
        Unsupported: the table does not have a flag.
    """
    switches: set[str] = set()
    values: dict[str, list[str]] = {}
    default: dict[str, list[str]] = {}
    listed: list[dict[str, list[str]]] = []
    remaining = iter(words)
    for word in remaining:
        flag = word.replace("-on-initial-", "-", 1)
        kind = FLAGS.get(flag)
        if kind is None:
            raise Unsupported(flag)
        if kind is Kind.SWITCH:
            switches.add(flag)
        elif kind is Kind.CREDENTIAL:
            listed.append({})
        elif kind is not Kind.NOTHING:
            target = values
            if flag in OF_CREDENTIALS:
                target = listed[-1] if listed else default
            target.setdefault(flag, []).append(next(remaining))
    return Arguments(
        switches=frozenset(switches),
        numbers={flag: tuple(map(int, given)) for flag, given in values.items() if FLAGS[flag] is Kind.NUMBERS},
        texts={flag: tuple(given) for flag, given in values.items() if FLAGS[flag] is Kind.TEXTS},
        credentials=tuple(_credential(given) for given in (*listed, default) if given),
        has_default=bool(default),
    )


def _credential(given: Mapping[str, Sequence[str]]) -> CredentialFiles:
    delegated = given.get("-delegated-credential")
    return CredentialFiles(
        certificates=given["-cert-file"][-1],
        key=given["-key-file"][-1],
        delegated=None if delegated is None else base64.b64decode(delegated[-1]),
        schemes=tuple(map(int, given.get("-signing-prefs", ()))),
    )
