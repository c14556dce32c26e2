"""The backend `liboqs`: whatever the liboqs found here computes, through liboqs-python.

liboqs-python clones and compiles at import when it finds no library, and prints; so the library is found first
(`liboqs_library`), and then imported silently with exactly that file. It pads short keys with zeros and passes lengths
that liboqs does not check; every length is checked before it is called.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.scheme.backends.liboqs_library import Library, find_library
from pqdc.scheme.drbg import CtrDrbg, Repeated
from pqdc.scheme.facts import Scheme
from pqdc.scheme.halves import apart, check_expanded, check_pair
from pqdc.scheme.keys import PrivateKey, PublicKey
from pqdc.scheme.pkcs8 import SEED_BYTES, Secret

__all__ = ["Liboqs"]

# liboqs has one random generator a process. A fork waits for whoever holds it: the child would else inherit a lock that
# nobody gives back, and a generator that is not the system's.
_SEEDING = threading.RLock()
os.register_at_fork(before=_SEEDING.acquire, after_in_parent=_SEEDING.release, after_in_child=_SEEDING.release)
NativeOperation = Literal["empty", "keygen", "sign", "verify"]
_NATIVE_OPERATIONS = {"empty": 0, "keygen": 1, "sign": 2, "verify": 3}  # native/adapter.c
_BAD_SIGNATURE = -4
_RANDOM_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)


def _import_oqs(library: Library) -> Any:
    """Import liboqs-python with `library`, and nothing else: without a word, a search or a build."""
    logging.getLogger("oqs.oqs").disabled = True
    search = ctypes.util.find_library
    ctypes.util.find_library = {"oqs": str(library.path)}.get  # type: ignore[assignment]  # only called with a name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wrapper and library may differ in version: both are recorded instead
            import oqs  # noqa: PLC0415 - its import has effects, so it happens here
    finally:
        ctypes.util.find_library = search
    return oqs


class _Public(PublicKey):
    __slots__ = ("_engine",)

    def __init__(self, scheme: Scheme, engine: Any, raw: bytes) -> None:
        super().__init__(scheme, Liboqs.name, raw)
        self._engine = engine

    def _verifies(self, signature: bytes, message: bytes) -> bool:
        return bool(self._engine.verify(message, signature, self.raw))

    def _verifies_with_context(self, signature: bytes, message: bytes, context: bytes) -> bool:
        _check_context(self.scheme, self._engine)
        return bool(self._engine.verify_with_ctx_str(message, signature, context, self.raw))


class _Private(PrivateKey):
    __slots__ = ("_seed", "_signer")

    def __init__(self, public: _Public, signer: Any, seed: bytes = b"") -> None:
        super().__init__(public)
        self._signer = signer
        self._seed = seed
        weakref.finalize(self, signer.free)

    def sign(self, message: bytes) -> bytes:
        signature: bytes = self._signer.sign(message)
        return signature

    def _sign_with_context(self, message: bytes, context: bytes) -> bytes:
        _check_context(self.scheme, self._signer)
        signature: bytes = self._signer.sign_with_ctx_str(message, context)
        return signature

    def secret(self) -> Secret:
        return Secret(seed=self._seed, expanded=self._signer.export_secret_key(), public=self.public.raw)


def _check_context(scheme: Scheme, engine: Any) -> None:
    if not engine.details["sig_with_ctx_support"]:
        raise BackendUnavailable(f"this liboqs takes no context for {scheme.name}")


class Liboqs:
    """The liboqs that `find_library` finds in this process's environment.

    Attributes:
        library: which one that is.
        counts: its native loop takes perf events too.

    Raises:
        BackendUnavailable: there is none, with the reason.
    """

    name = "liboqs"
    counts = True

    def __init__(self) -> None:
        self.library = find_library(os.environ)
        self._oqs = _import_oqs(self.library)
        self._enabled = frozenset(self._oqs.get_enabled_sig_mechanisms())
        self._engines: dict[str, Any] = {}

    def versions(self) -> Mapping[str, str]:
        """Of liboqs and of its wrapper."""
        return {"liboqs": self.library.version, "liboqs-python": str(self._oqs.oqs_python_version())}

    @property
    def native_loop(self) -> bool:
        """Whether it times natively."""
        return self.library.native_loop

    def schemes(self) -> frozenset[str]:
        """The names of all that this liboqs computes."""
        return self._enabled

    def reason_against(self, scheme: Scheme) -> str:
        """Empty for what this liboqs has enabled."""
        name = scheme.backends.get(self.name, "")
        return "" if name in self._enabled else f"liboqs {self.library.version} does not compute {name}"

    def time_natively(
        self,
        operation: NativeOperation,
        messages: Sequence[bytes],
        *,
        scheme: Scheme | None = None,
        keys: int = 1,
        samples: int | None = None,
        counter: int = -1,
    ) -> list[int]:
        """Nanoseconds of one operation, timed by the adapter with no Python in between.

        Of a perf event instead, if `counter` is its file descriptor: what that counts.

        Every signature is verified. Messages have one length and are taken in turn, as are the keys; verifying takes
        one signature of each message. There are as many samples as messages, unless given. Keygen looks at no message,
        and "empty", the operation that does nothing, at no scheme either.

        Raises:
            BackendUnavailable: the library has no adapter.
            BadSignature: a signature did not verify.
            KeyFormatError: liboqs reported a failure.
        """
        if not self.library.native_loop:
            raise BackendUnavailable(
                f"liboqs {self.library.version} has no native timing loop", hint="run `make liboqs`"
            )
        count = len(messages) if samples is None else samples
        name = scheme.backends[self.name].encode() if scheme else b""
        nanoseconds = (ctypes.c_uint64 * count)()
        sizes = map(ctypes.c_size_t, (len(messages[0]), len(messages), count, keys))
        outcome = self._oqs.native().pqdc_time(
            name, _NATIVE_OPERATIONS[operation], b"".join(messages), *sizes, counter, nanoseconds
        )
        if outcome == _BAD_SIGNATURE:
            raise BadSignature("a signature made in the native loop does not verify")
        if outcome:
            raise KeyFormatError(f"the native loop gave up on {operation}: outcome {outcome}")
        return list(nanoseconds)

    def generate(self, scheme: Scheme, *, seed: bytes | None = None) -> PrivateKey:
        """A new key pair. Where private keys travel as seeds, the seed is drawn here and kept."""
        if scheme.private_key != "seed":
            if seed is not None:
                raise KeyFormatError(f"keys of {scheme.name} are not made from a seed")
            signer = self._new(scheme)
            return _Private(self._public(scheme, signer.generate_keypair()), signer)
        seed = os.urandom(SEED_BYTES) if seed is None else seed
        if len(seed) != SEED_BYTES:
            raise KeyFormatError(f"a seed of {scheme.name} has {SEED_BYTES} bytes, this has {len(seed)}")
        signer = self._new(scheme)
        with self._drawing(seed):
            raw = signer.generate_keypair()
        return _Private(self._public(scheme, raw), signer, seed)

    def repeat(self, scheme: Scheme, seed: bytes, message: bytes) -> Repeated:
        """What NIST's known answers have, made again from their seed of 48 bytes."""
        signer = self._new(scheme)
        with self._drawing_from(CtrDrbg(seed).draw):
            raw = signer.generate_keypair()
            signature: bytes = signer.sign(message)
        return Repeated(public=raw, secret=signer.export_secret_key(), signature=signature)

    def private_key(self, scheme: Scheme, secret: Secret) -> PrivateKey:
        """A private key from its seed, or from expanded and public key; the pair is tried before it is believed."""
        if secret.seed:
            key = self.generate(scheme, seed=secret.seed)
            if secret.public and secret.public != key.public.raw:
                raise apart(scheme)
            if secret.expanded and secret.expanded != key.secret().expanded:
                raise apart(scheme, "seed and expanded form")
            return key
        signer = self._new(scheme)
        wanted = signer.length_secret_key
        check_expanded(scheme, secret, wanted)
        signer.secret_key = ctypes.create_string_buffer(secret.expanded, wanted)
        key = _Private(self._public(scheme, secret.public), signer)
        check_pair(key, RuntimeError)
        return key

    def public_key(self, scheme: Scheme, raw: bytes) -> PublicKey:
        """A public key from its raw bytes."""
        return self._public(scheme, raw)

    def _public(self, scheme: Scheme, raw: bytes) -> _Public:
        name = scheme.backends[self.name]
        engine = self._engines.get(name)
        if engine is None:
            engine = self._engines[name] = self._new(scheme)
        if len(raw) != engine.length_public_key or len(raw) != scheme.public_key_bytes:
            raise KeyFormatError(
                f"a public key of {scheme.name} has {scheme.public_key_bytes} bytes, this one has {len(raw)}"
            )
        return _Public(scheme, engine, raw)

    def _new(self, scheme: Scheme) -> Any:
        return self._oqs.Signature(scheme.backends[self.name])

    @contextmanager
    def _drawing(self, seed: bytes) -> Iterator[None]:
        """Let this thread's next draw be `seed`, and its only one.

        Raises:
            KeyFormatError: it was not drawn, or there were other draws.
        """
        draws = [seed]
        wrong: list[int] = []

        def give(size: int) -> bytes:
            if draws and size == len(draws[0]):
                return draws.pop()
            wrong.append(size)
            return os.urandom(size)

        with self._drawing_from(give):
            yield
        if draws or wrong:
            raise KeyFormatError(f"this liboqs makes keys from other draws than one of {len(seed)} bytes: {wrong}")

    @contextmanager
    def _drawing_from(self, give: Callable[[int], bytes]) -> Iterator[None]:
        """Let this thread draw what `give` gives, and put the system's generator back whatever happens.

        Other threads that draw meanwhile get the system's randomness.
        """
        owner = threading.get_ident()

        def draw(buffer: int, size: int) -> None:
            mine = threading.get_ident() == owner
            ctypes.memmove(buffer, give(size) if mine else os.urandom(size), size)

        callback = _RANDOM_CALLBACK(draw)
        with _SEEDING:
            self._oqs.native().OQS_randombytes_custom_algorithm(callback)
            try:
                yield
            finally:
                self._oqs.native().OQS_randombytes_switch_algorithm(b"system")
