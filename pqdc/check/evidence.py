"""Keys and signatures of one scheme in one backend, as many as a budget allows; every signature is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pqdc.errors import BadSignature, PqdcError
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import Backend, PrivateKey, PublicKey

__all__ = ["Evidence", "Extent", "Signed", "gather", "verifies"]

KEPT = 8  # keys and signatures that are looked at closely
MOST_KEPT_BYTES = 2**24  # of their keys: some have megabytes
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much to try.

    Attributes:
        keys: at the most.
        signatures: of each key.
        seconds: that keys and signatures may take; then as much again for each question that tries changes.
        clock: seconds, from anywhere, as `time.monotonic` gives them.
        randbytes: draws messages and changes.
    """

    keys: int
    signatures: int
    seconds: float
    clock: Callable[[], float]
    randbytes: Callable[[int], bytes]

    def within(self, items: Iterable[_T], *, least: int = 8) -> Iterator[_T]:
        """The items, as many as there is time for, and `least` whatever it takes."""
        end = self.clock() + self.seconds
        for count, item in enumerate(items):
            if count >= least and self.clock() > end:
                return
            yield item


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Signed:
    """A signature that verifies, with what it is of and by."""

    key: PrivateKey
    message: bytes
    signature: bytes


@dataclass(slots=True, kw_only=True, repr=False)
class Evidence:
    """What was made.

    Attributes:
        keys: how many.
        key_failures: why keys were not made.
        public_bytes, private_bytes: the lengths of all keys, each once.
        same_keys: how many public keys had been made before.
        lengths: of all signatures.
        failures: why signatures were not made, or did not verify.
        kept: some, for a closer look.
    """

    scheme: Scheme
    backend: Backend
    keys: int = 0
    key_failures: list[str] = field(default_factory=list)
    public_bytes: set[int] = field(default_factory=set)
    private_bytes: set[int] = field(default_factory=set)
    same_keys: int = 0
    lengths: list[int] = field(default_factory=list)
    attempts: int = 0
    failures: list[str] = field(default_factory=list)
    kept: list[Signed] = field(default_factory=list)

    @property
    def most_kept(self) -> int:
        """How many of `kept` there may be."""
        size = self.scheme.public_key_bytes + (self.scheme.private_key_bytes or 0)
        return max(2, min(KEPT, MOST_KEPT_BYTES // size))


def gather(scheme: Scheme, backend: Backend, extent: Extent) -> Evidence:
    """Make keys, and sign with each; what fails is written down."""
    evidence = Evidence(scheme=scheme, backend=backend)
    seen: set[bytes] = set()
    for _ in extent.within(range(extent.keys), least=2):
        try:
            key = backend.generate(scheme)
        except PqdcError as error:
            evidence.key_failures.append(str(error))
            continue
        evidence.keys += 1
        evidence.public_bytes.add(len(key.public.raw))
        evidence.private_bytes.add(len(key.secret().expanded))
        digest = hashlib.sha256(key.public.raw).digest()
        evidence.same_keys += digest in seen
        seen.add(digest)
        for _ in extent.within(range(extent.signatures), least=1):
            _sign(evidence, key, extent.randbytes(64))
    return evidence


def _sign(evidence: Evidence, key: PrivateKey, message: bytes) -> None:
    evidence.attempts += 1
    try:
        signature = key.sign(message)
        evidence.lengths.append(len(signature))
        key.public.verify(signature, message)
    except PqdcError as error:
        evidence.failures.append(str(error))
        return
    newest = evidence.kept[-1].key if evidence.kept else None
    if key is not newest and len(evidence.kept) < evidence.most_kept:
        evidence.kept.append(Signed(key=key, message=message, signature=signature))


def verifies(public: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether it does; a library that fails otherwise is not caught here."""
    try:
        public.verify(signature, message)
    except BadSignature:
        return False
    return True
