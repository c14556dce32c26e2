"""The generator that NIST's known answers are made with: CTR_DRBG of SP 800-90A, AES-256, no derivation function.

It repeats what a `seed` of an .rsp file has given, and is used for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from pqdc.errors import KeyFormatError

__all__ = ["SEED_BYTES", "CtrDrbg", "Repeated"]

SEED_BYTES = 48
_BLOCK = 16


class CtrDrbg:
    """As `randombytes_init(seed, NULL, 256)` leaves it.

    Raises:
        KeyFormatError: the seed has not 48 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise KeyFormatError(f"a seed of NIST's known answers has {SEED_BYTES} bytes, this has {len(seed)}")
        self._key, self._counter = bytes(32), 0
        self._update(seed)

    def draw(self, count: int) -> bytes:
        """What `randombytes` gives; each call advances the generator."""
        data = self._blocks(-(-count // _BLOCK))[:count]
        self._update(bytes(SEED_BYTES))
        return data

    def _blocks(self, count: int) -> bytes:
        first = self._counter + 1
        self._counter = (self._counter + count) % 2**128
        counters = b"".join(((first + i) % 2**128).to_bytes(_BLOCK, "big") for i in range(count))
        encryptor = Cipher(AES(self._key), ECB()).encryptor()  # noqa: S305 - of counters, as the standard says
        return encryptor.update(counters)

    def _update(self, provided: bytes) -> None:
        mixed = int.from_bytes(self._blocks(3), "big") ^ int.from_bytes(provided, "big")
        state = mixed.to_bytes(SEED_BYTES, "big")
        self._key, self._counter = state[:32], int.from_bytes(state[32:], "big")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Repeated:
    """Keys and a signature that were made with the draws of a seed."""

    public: bytes
    secret: bytes
    signature: bytes
