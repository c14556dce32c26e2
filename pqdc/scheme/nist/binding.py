"""A shared object with NIST's call interface, called by ctypes: what its functions are, and what they give.

    int crypto_sign_keypair(uint8_t *pk, uint8_t *sk);
    int crypto_sign(uint8_t *sm, ull *smlen, const uint8_t *m, ull mlen, const uint8_t *sk);
    int crypto_sign_open(uint8_t *m, ull *mlen, const uint8_t *sm, ull smlen, const uint8_t *pk);
    int crypto_sign_signature(uint8_t *sig, size_t *siglen, const uint8_t *m, size_t mlen, const uint8_t *sk);
    int crypto_sign_verify(const uint8_t *sig, size_t siglen, const uint8_t *m, size_t mlen, const uint8_t *pk);

The first three are of NIST's call for proposals, the others of PQClean. Knows nothing of schemes: sizes are arguments,
and nothing that a library says is believed. Buffers with secrets are cleared after each call.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pqdc.scheme.nist.buffers import GuardedBuffer, Trespass

__all__ = ["FUNCTIONS", "Answer", "Binding"]

_P, _N = ctypes.c_void_p, ctypes.c_ulonglong  # size_t is as wide wherever pqdc runs
_LENGTH, _CONTEXT = ctypes.POINTER(_N), (_P, _N)
# The types before the context, if there is one, and behind it; and a library's short name, where it has a prefix.
FUNCTIONS: Mapping[str, tuple[tuple[Any, ...], tuple[Any, ...], str]] = {
    "crypto_sign_keypair": ((_P, _P), (), "keypair"),
    "crypto_sign": ((_P, _LENGTH, _P, _N), (_P,), ""),
    "crypto_sign_open": ((_P, _LENGTH, _P, _N), (_P,), "open"),
    "crypto_sign_signature": ((_P, _LENGTH, _P, _N), (_P,), "signature"),
    "crypto_sign_verify": ((_P, _N, _P, _N), (_P,), "verify"),
}
_KEYPAIR, _SIGN, _OPEN, _SIGNATURE, _VERIFY = FUNCTIONS
_KEPT = 32  # buffers, by what they are for and how large


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """What a function gave.

    Attributes:
        status: what it returned; 0 says that all is well.
        length: what it says is the length of its output.
        outputs: its buffers, as far as that length allows and they go.
    """

    status: int
    length: int = 0
    outputs: tuple[bytes, ...] = ()


class Binding:
    """A library that is loaded, with its own names kept to itself.

    Attributes:
        supplied: whether it lacked `randombytes`, and has it from the companion.
        symbols: its own names of what it has of FUNCTIONS.

    Args:
        path: of the shared object.
        prefix: of its symbols.
        context: whether its functions take a context string behind the message; it is empty then.
        supply: makes `randombytes` known to all that is loaded later; called only if the library lacks it.

    Raises:
        OSError: it cannot be loaded; the loader's own words say why.
    """

    def __init__(self, path: str, prefix: str, supply: Callable[[], None], *, context: bool = False) -> None:
        self.supplied = False
        try:
            self._library = _load(path)
        except OSError as error:
            if "randombytes" not in str(error):  # loaders differ in their words
                raise
            supply()
            self.supplied = True
            self._library = _load(path)
        self.symbols: dict[str, str] = {}
        self._functions: dict[str, Any] = {}
        self._context = (None, 0) if context else ()
        for name, (before, behind, short) in FUNCTIONS.items():
            between = _CONTEXT if context and behind else ()
            for symbol in (prefix + name, (prefix + short).rstrip("_")) if prefix else (name,):
                function = getattr(self._library, symbol, None)
                if function is not None:
                    function.argtypes, function.restype = (*before, *between, *behind), ctypes.c_int
                    self._functions[name], self.symbols[name] = function, symbol
                    break
        self._buffer = lru_cache(maxsize=_KEPT)(lambda _, size: GuardedBuffer(size))

    def address(self, name: str) -> int:
        """Of a function; 0 if the library has none such."""
        return ctypes.cast(self._functions[name], _P).value or 0 if name in self._functions else 0

    def symbol(self, name: str) -> Any:
        """Any other function of the library, without the prefix; None if it has none such."""
        return getattr(self._library, name, None)

    def keypair(self, public_bytes: int, secret_bytes: int, fill: int) -> Answer:
        """A public and a secret key; bytes that the library does not write are `fill`."""
        public, secret = self._room("public key", public_bytes, fill), self._room("secret key", secret_bytes, fill)
        try:
            status = self._functions[_KEYPAIR](public.address, secret.address)
            _check({"the public key": public, "the secret key": secret})
            return Answer(status=status, outputs=(public.read(public_bytes), secret.read(secret_bytes)))
        finally:
            secret.fill(0)

    def sign(self, message: bytes, secret: bytes, signature_bytes: int, *, detached: bool) -> Answer:
        """A signature, by `crypto_sign_signature`; or the signed message of `crypto_sign`."""
        name, room = (_SIGNATURE, signature_bytes) if detached else (_SIGN, signature_bytes + len(message))
        output, text, key = self._room(name, room), self._given("message", message), self._given("secret key", secret)
        length = _N(room)
        try:
            status = self._functions[name](
                output.address, ctypes.byref(length), text.address, len(message), *self._context, key.address
            )
            _check({"the signature" if detached else "the signed message": output, "the message": text, "the key": key})
            _check_unchanged({"the message": (text, message), "the secret key": (key, secret)})
        finally:
            key.fill(0)
        return Answer(status=status, length=length.value, outputs=(output.read(length.value),))

    def verify(self, signature: bytes, message: bytes, public: bytes) -> Answer:
        """What `crypto_sign_verify` says."""
        given, text = self._given("signature", signature), self._given("message", message)
        key = self._given("public key", public)
        status = self._functions[_VERIFY](
            given.address, len(signature), text.address, len(message), *self._context, key.address
        )
        _check({"the signature": given, "the message": text, "the key": key})
        _check_unchanged(
            {"the signature": (given, signature), "the message": (text, message), "the key": (key, public)}
        )
        return Answer(status=status)

    def open(self, signed: bytes, public: bytes) -> Answer:
        """What `crypto_sign_open` says, and the message that it gives."""
        output, given = self._room("opened", len(signed)), self._given("signed message", signed)
        key = self._given("public key", public)
        length = _N(len(signed))
        status = self._functions[_OPEN](
            output.address, ctypes.byref(length), given.address, len(signed), *self._context, key.address
        )
        _check({"the message": output, "the signed message": given, "the key": key})
        _check_unchanged({"the signed message": (given, signed), "the key": (key, public)})
        return Answer(status=status, length=length.value, outputs=(output.read(length.value),))

    def _room(self, use: str, size: int, fill: int = 0) -> GuardedBuffer:
        buffer: GuardedBuffer = self._buffer(use, size)
        buffer.fill(fill)
        return buffer

    def _given(self, use: str, data: bytes) -> GuardedBuffer:
        buffer: GuardedBuffer = self._buffer(use, len(data))
        buffer.write(data)
        return buffer


def _load(path: str) -> ctypes.CDLL:
    """With all its symbols resolved now, and its own preferred to those of this process."""
    return ctypes.CDLL(path, mode=getattr(os, "RTLD_DEEPBIND", 0))


def _check(buffers: Mapping[str, GuardedBuffer]) -> None:
    for name, buffer in buffers.items():
        try:
            buffer.check()
        except Trespass as trespass:
            raise Trespass(f"writes past its buffer: {trespass} {name}, which has {buffer.size}") from None


def _check_unchanged(inputs: Mapping[str, tuple[GuardedBuffer, bytes]]) -> None:
    """What is const stays so; a scheme that keeps state in its secret key is found here."""
    for name, (buffer, data) in inputs.items():
        if buffer.read(len(data)) != data:
            raise Trespass(f"writes into what it may only read: {name}")
