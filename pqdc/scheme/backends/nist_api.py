"""The backend `nist-api`: a user's own shared object with NIST's call interface, named in a scheme's table.

Each library runs in a process of its own (`pqdc.scheme.nist`) and has to prove itself before it is used. What it does
wrong, then or later, is a LibraryFault or the reason why the scheme is not computed here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pqdc.errors import BackendUnavailable, KeyFormatError, LibraryFault
from pqdc.scheme import spki
from pqdc.scheme.drbg import Repeated
from pqdc.scheme.facts import Library, Scheme
from pqdc.scheme.footprint import Footprint
from pqdc.scheme.halves import check_expanded, check_pair
from pqdc.scheme.keys import PrivateKey, PublicKey
from pqdc.scheme.nist.companion import companion
from pqdc.scheme.nist.engine import Engine, Operation
from pqdc.scheme.nist.process import LibraryProcess
from pqdc.scheme.nist.proof import prove
from pqdc.scheme.pkcs8 import Secret

__all__ = ["NistApi"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A library, and what is declared of the scheme that it computes: what has been proved, is proved of these."""

    library: Library
    public_key_bytes: int
    private_key_bytes: int | None
    signature_bytes: int
    signature_length: str


class _Public(PublicKey):
    __slots__ = ("_engine",)

    def __init__(self, scheme: Scheme, engine: Engine, raw: bytes) -> None:
        super().__init__(scheme, NistApi.name, raw)
        self._engine = engine

    def _verifies(self, signature: bytes, message: bytes) -> bool:
        return self._engine.verify(self.raw, signature, message)


class _Private(PrivateKey):
    __slots__ = ("_engine", "_secret")

    def __init__(self, public: _Public, engine: Engine, secret: bytes) -> None:
        super().__init__(public)
        self._engine = engine
        self._secret = secret

    def sign(self, message: bytes) -> bytes:
        return self._engine.sign(self._secret, message)

    def secret(self) -> Secret:
        return Secret(expanded=self._secret, public=self.public.raw)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:  # it has gone since
        return "unknown"


class NistApi:
    """Whatever library a scheme names; there is nothing to be here but a system that can run one."""

    name = "nist-api"
    native_loop = True

    def __init__(self) -> None:
        self._engines: dict[_Claim, Engine | str] = {}

    def versions(self) -> Mapping[str, str]:
        """Of the companion, and of each library that has been proved: it has no version but its bytes."""
        try:
            told = {"companion of nist-api": companion(os.environ).parent.name.partition("-")[2]}
        except BackendUnavailable as reason:
            told = {"companion of nist-api": f"none: {reason}"}
        for path in sorted(
            {claim.library.path for claim, engine in self._engines.items() if isinstance(engine, Engine)}
        ):
            told[path.name] = " and ".join(filter(None, (told.get(path.name), f"SHA-256 {_digest(path)}")))
        return told

    def reason_against(self, scheme: Scheme) -> str:
        """Empty for what has proved itself, once in this process; else what it does, or why it cannot be loaded."""
        if scheme.library is None:
            return f"no library is named for {scheme.name}"
        proved = self._proved(scheme)
        return proved if isinstance(proved, str) else ""

    def generate(self, scheme: Scheme, *, seed: bytes | None = None) -> PrivateKey:
        """A new key pair."""
        if seed is not None:
            raise KeyFormatError(f"keys of {scheme.name} are not made from a seed")
        engine = self._engine(scheme)
        raw, secret = engine.keypair()
        return _Private(_Public(scheme, engine, raw), engine, secret)

    def private_key(self, scheme: Scheme, secret: Secret) -> PrivateKey:
        """A private key from its expanded form and the public key; the pair is tried before it is believed.

        Raises:
            LibraryFault: the library fails on it, as it may on a key that is none.
        """
        engine = self._engine(scheme)
        if secret.seed:
            raise KeyFormatError(f"keys of {scheme.name} are not made from a seed")
        check_expanded(scheme, secret, scheme.private_key_bytes, hint="use a file that holds both halves")
        key = _Private(self.public_key(scheme, secret.public), engine, secret.expanded)
        check_pair(key)
        return key

    def public_key(self, scheme: Scheme, raw: bytes) -> _Public:
        """A public key from its raw bytes."""
        spki.check_length(scheme, raw)
        return _Public(scheme, self._engine(scheme), raw)

    def time_natively(
        self,
        operation: Operation,
        messages: Sequence[bytes],
        *,
        scheme: Scheme,
        keys: int = 1,
        samples: int | None = None,
    ) -> list[int]:
        """Nanoseconds of one operation, as `Liboqs.time_natively` gives them, by the companion's loop.

        Raises:
            BackendUnavailable: there is no C compiler to make the companion with.
            BadSignature: a signature did not verify.
            LibraryFault: the library failed.
        """
        count = len(messages) if samples is None else samples
        return self._engine(scheme).time(operation, messages, keys=keys, samples=count)

    def footprints(self, scheme: Scheme, message: bytes) -> Mapping[str, Footprint]:
        """What its library takes of memory to make a key, to sign and to verify."""
        return self._engine(scheme).footprints(message)

    def repeat(self, scheme: Scheme, seed: bytes, message: bytes) -> Repeated:
        """What NIST's known answers have, made again from their seed of 48 bytes.

        Raises:
            KeyFormatError: the library takes no seed.
        """
        return self._engine(scheme).repeat(seed, message)

    def describe(self, scheme: Scheme) -> str:
        """How the library is called, as its proof has found out."""
        engine = self._engine(scheme)
        convention, symbols = engine.convention, engine.process.symbols
        used = [symbols[name] for name in (convention.signs, convention.verifies)]
        parts = [f"{engine.process.name}: signs by {used[0]}, verifies by {used[1]}"]
        if engine.process.context:
            parts.append("with an empty context string")
        if envelope := convention.envelope:
            place = f"{envelope.offset} bytes into the signature" if envelope.offset else "before the signature"
            parts.append(f"the message stands {'after the signature' if envelope.from_end else place}")
        parts.append(f"randombytes is {'supplied by pqdc' if engine.process.supplied else 'its own'}")
        unused = [name for name in symbols.values() if name not in {symbols["crypto_sign_keypair"], *used}]
        if unused:
            parts.append(f"not used: {', '.join(unused)}")
        return "; ".join(parts)

    def _engine(self, scheme: Scheme) -> Engine:
        if scheme.library is None:
            raise BackendUnavailable(f"no library is named for {scheme.name}")
        proved = self._proved(scheme)
        if isinstance(proved, str):
            raise LibraryFault(proved)
        return proved

    def _proved(self, scheme: Scheme) -> Engine | str:
        """The engine, or the reason why there is none."""
        assert scheme.library is not None  # noqa: S101 - for mypy; callers have looked
        claim = _Claim(
            library=scheme.library,
            public_key_bytes=scheme.public_key_bytes,
            private_key_bytes=scheme.private_key_bytes,
            signature_bytes=scheme.signature_bytes,
            signature_length=scheme.signature_length,
        )
        if claim not in self._engines:
            process = LibraryProcess(scheme.library, lambda: companion(os.environ))
            try:
                self._engines[claim] = prove(process, scheme)
            except LibraryFault as fault:
                process.stop()
                self._engines[claim] = f"{process.name}: {fault}"
            except BackendUnavailable as reason:
                process.stop()
                self._engines[claim] = str(reason)
        return self._engines[claim]
