"""The backend `rust`: FN-DSA, SLH-DSA and ML-DSA of the crates fn-dsa, slh-dsa and ml-dsa, by NIST's call interface.

The library is pqdc's own build (`rust_library`), so it is called in this process; a user's library, which nobody has
looked into, is the backend nist-api's. A scheme's name here is the prefix of its functions. Every length is checked
before they are called: they are given addresses alone.
"""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.scheme import spki
from pqdc.scheme.backends.rust_library import find_library
from pqdc.scheme.facts import Scheme
from pqdc.scheme.halves import apart, check_expanded, check_pair
from pqdc.scheme.keys import PrivateKey, PublicKey
from pqdc.scheme.nist.companion import companion
from pqdc.scheme.nist.engine import Operation
from pqdc.scheme.nist.loop import BAD_SIGNATURE, TimedLibrary, time_natively
from pqdc.scheme.pkcs8 import Secret

__all__ = ["Rust"]

_N = ctypes.c_size_t


@dataclass(frozen=True, slots=True, kw_only=True)
class _Functions:
    """The functions of one scheme, and its lengths as the library tells them."""

    name: str
    library: Any
    public_key_bytes: int
    secret_key_bytes: int
    signature_bytes: int
    seed_bytes: int

    def function(self, name: str) -> Any:
        return getattr(self.library, f"{self.name}_crypto_sign_{name}")

    def call(self, name: str, *arguments: Any) -> bool:
        """Whether it did what it is for."""
        return bool(self.function(name)(*arguments) == 0)

    def timed(self) -> TimedLibrary:
        """As the timing loop wants it."""
        keypair, sign, verify = (
            ctypes.cast(self.function(name), ctypes.c_void_p).value for name in ("keypair", "signature", "verify")
        )
        return TimedLibrary(
            keypair=keypair,
            sign=sign,
            verify=verify,
            sign_detached=1,
            public_key_bytes=self.public_key_bytes,
            secret_key_bytes=self.secret_key_bytes,
            signature_bytes=self.signature_bytes,
        )

    def keypair(self, seed: bytes | None) -> tuple[bytes, bytes]:
        public, secret = ctypes.create_string_buffer(self.public_key_bytes), _Room(self.secret_key_bytes)
        with secret:
            done = (
                self.call("keypair", public, secret.buffer)
                if seed is None
                else self.call("seed_keypair", public, secret.buffer, seed)
            )
            if not done:
                raise KeyFormatError(f"{self.name} makes no key of this seed")
            return public.raw, secret.buffer.raw

    def sign(self, message: bytes, context: bytes, secret: bytes) -> bytes:
        signature, length = ctypes.create_string_buffer(self.signature_bytes), _N()
        arguments = (message, _N(len(message)), context, _N(len(context)), secret)
        if not self.call("signature_ctx", signature, ctypes.byref(length), *arguments):
            raise KeyFormatError(f"{self.name} does not sign with this key")
        return signature.raw[: length.value]

    def verifies(self, signature: bytes, message: bytes, context: bytes, public: bytes) -> bool:
        arguments = (message, _N(len(message)), context, _N(len(context)), public)
        return self.call("verify_ctx", signature, _N(len(signature)), *arguments)


class _Room:
    """A buffer for a secret, cleared when it has been read."""

    def __init__(self, size: int) -> None:
        self.buffer = ctypes.create_string_buffer(size)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        ctypes.memset(self.buffer, 0, len(self.buffer))


class _Public(PublicKey):
    __slots__ = ("_functions",)

    def __init__(self, scheme: Scheme, functions: _Functions, raw: bytes) -> None:
        super().__init__(scheme, Rust.name, raw)
        self._functions = functions

    def _verifies(self, signature: bytes, message: bytes) -> bool:
        return self._functions.verifies(signature, message, b"", self.raw)

    def _verifies_with_context(self, signature: bytes, message: bytes, context: bytes) -> bool:
        return self._functions.verifies(signature, message, context, self.raw)


class _Private(PrivateKey):
    __slots__ = ("_functions", "_secret", "_seed")

    def __init__(self, public: _Public, functions: _Functions, secret: bytes, seed: bytes = b"") -> None:
        super().__init__(public)
        self._functions = functions
        self._secret = secret
        self._seed = seed

    def sign(self, message: bytes) -> bytes:
        return self._functions.sign(message, b"", self._secret)

    def _sign_with_context(self, message: bytes, context: bytes) -> bytes:
        return self._functions.sign(message, context, self._secret)

    def secret(self) -> Secret:
        return Secret(seed=self._seed, expanded=self._secret, public=self.public.raw)


class Rust:
    """pqdc's build of the crates.

    Attributes:
        library: where it is and what it was built of.

    Raises:
        BackendUnavailable: it has not been built, or cannot be loaded.
    """

    name = "rust"

    def __init__(self) -> None:
        self.library = find_library()
        try:
            self._native = ctypes.CDLL(str(self.library.path))
        except OSError as error:
            raise BackendUnavailable(f"the build of the Rust crates cannot be loaded: {error}") from None
        self._functions = lru_cache(maxsize=64)(self._look_up)

    def versions(self) -> Mapping[str, str]:
        """Of the crates."""
        return self.library.versions

    def reason_against(self, scheme: Scheme) -> str:
        """Empty for what the library exports, with the lengths that are declared."""
        name = scheme.backends.get(self.name, "")
        functions = self._functions(name)
        if functions is None:
            return f"the Rust crates do not compute {name}"
        declared = (scheme.public_key_bytes, scheme.private_key_bytes, scheme.signature_bytes)
        own = (functions.public_key_bytes, functions.secret_key_bytes, functions.signature_bytes)
        if declared != own:
            return f"the Rust crates have other lengths for {name}: {own}, where {declared} are declared"
        return ""

    @property
    def native_loop(self) -> bool:
        """Whether operations can be timed with nothing in between: that takes a C compiler, once."""
        try:
            companion(os.environ)
        except BackendUnavailable:
            return False
        return True

    def time_natively(
        self,
        operation: Operation,
        messages: Sequence[bytes],
        *,
        scheme: Scheme,
        keys: int = 1,
        samples: int | None = None,
    ) -> list[int]:
        """Nanoseconds of one operation, as `Liboqs.time_natively` gives them, by the companion of nist-api.

        Raises:
            BackendUnavailable: there is no C compiler to make the companion with.
            BadSignature: a signature did not verify.
            KeyFormatError: the library reported a failure.
        """
        functions, count = self._of(scheme), len(messages) if samples is None else samples
        counts = (len(messages[0]), len(messages), count, keys)
        loop = ctypes.CDLL(str(companion(os.environ)))
        outcome, nanoseconds = time_natively(loop, functions.timed(), operation, b"".join(messages), counts)
        if outcome == BAD_SIGNATURE:
            raise BadSignature("a signature made in the native loop does not verify")
        if outcome:
            raise KeyFormatError(f"the native loop gave up on {operation}: outcome {outcome}")
        return list(nanoseconds)

    def generate(self, scheme: Scheme, *, seed: bytes | None = None) -> PrivateKey:
        """A new key pair. Where private keys travel as seeds, the seed is drawn here and kept."""
        functions = self._of(scheme)
        if scheme.private_key != "seed":
            if seed is not None:
                raise KeyFormatError(f"keys of {scheme.name} are not made from a seed")
            raw, secret = functions.keypair(None)
            return _Private(_Public(scheme, functions, raw), functions, secret)
        seed = secrets.token_bytes(functions.seed_bytes) if seed is None else seed
        if len(seed) != functions.seed_bytes:
            raise KeyFormatError(f"a seed of {scheme.name} has {functions.seed_bytes} bytes, this has {len(seed)}")
        raw, secret = functions.keypair(seed)
        return _Private(_Public(scheme, functions, raw), functions, secret, seed)

    def private_key(self, scheme: Scheme, secret: Secret) -> PrivateKey:
        """A private key from its seed, or from expanded and public key; the pair is tried before it is believed."""
        functions = self._of(scheme)
        if secret.seed:
            key = self.generate(scheme, seed=secret.seed)
            if secret.public and secret.public != key.public.raw:
                raise apart(scheme)
            if secret.expanded and secret.expanded != key.secret().expanded:
                raise apart(scheme, "seed and expanded form")
            return key
        check_expanded(scheme, secret, functions.secret_key_bytes)
        key = _Private(self.public_key(scheme, secret.public), functions, secret.expanded)
        check_pair(key, KeyFormatError)
        return key

    def public_key(self, scheme: Scheme, raw: bytes) -> _Public:
        """A public key from its raw bytes."""
        spki.check_length(scheme, raw)
        return _Public(scheme, self._of(scheme), raw)

    def _of(self, scheme: Scheme) -> _Functions:
        functions = self._functions(scheme.backends[self.name])
        if functions is None:
            raise BackendUnavailable(self.reason_against(scheme))
        return functions

    def _look_up(self, name: str) -> _Functions | None:
        sizes = []
        for length in ("publickeybytes", "secretkeybytes", "bytes", "seedbytes"):
            function = getattr(self._native, f"{name}_crypto_sign_{length}", None)
            if function is None:
                return None
            function.restype = _N
            sizes.append(function())
        public_key, secret_key, signature, seed = sizes
        return _Functions(
            name=name,
            library=self._native,
            public_key_bytes=public_key,
            secret_key_bytes=secret_key,
            signature_bytes=signature,
            seed_bytes=seed,
        )
