"""The key schedule of TLS 1.3 (RFC 8446 section 7), for handshakes without PSK. Knows no message and no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import constant_time, hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from pqdc.handshake.codepoints import CipherSuite
from pqdc.wire import vector

__all__ = ["SUITES", "KeySchedule", "Suite", "TrafficKeys", "expand_label", "next_secret", "traffic_keys"]

IV_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What a cipher suite means; `hash_bytes` is the length of its hash, and of every secret."""

    code_point: CipherSuite
    hash: hashes.HashAlgorithm
    key_bytes: int
    aead: Any
    hash_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        """Fill in what follows."""
        object.__setattr__(self, "hash_bytes", self.hash.digest_size)


SUITES: Mapping[int, Suite] = {
    suite.code_point: suite
    for suite in (
        Suite(code_point=CipherSuite.AES_128_GCM_SHA256, hash=hashes.SHA256(), key_bytes=16, aead=AESGCM),
        Suite(code_point=CipherSuite.AES_256_GCM_SHA384, hash=hashes.SHA384(), key_bytes=32, aead=AESGCM),
        Suite(
            code_point=CipherSuite.CHACHA20_POLY1305_SHA256, hash=hashes.SHA256(), key_bytes=32, aead=ChaCha20Poly1305
        ),
    )
}


class TrafficKeys(NamedTuple):
    """The AEAD under its key, and the initialisation vector as an integer."""

    aead: Any
    iv: int


def expand_label(suite: Suite, secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label.

    ::

        struct { uint16 length = Length; opaque label<7..255> = "tls13 " + Label; opaque context<0..255>; } HkdfLabel;
    """
    return HKDFExpand(suite.hash, length, _label(label, length, len(context)) + context).derive(secret)


@lru_cache(maxsize=64)
def _label(label: str, length: int, context: int) -> bytes:
    """All of it but the context."""
    return length.to_bytes(2, "big") + vector(1, b"tls13 " + label.encode("ascii")) + bytes([context])


def traffic_keys(suite: Suite, secret: bytes) -> TrafficKeys:
    """Key and IV of a traffic secret: RFC 8446 section 7.3."""
    key = expand_label(suite, secret, "key", b"", suite.key_bytes)
    iv = expand_label(suite, secret, "iv", b"", IV_BYTES)
    return TrafficKeys(aead=suite.aead(key), iv=int.from_bytes(iv, "big"))


def next_secret(suite: Suite, secret: bytes) -> bytes:
    """The traffic secret after a KeyUpdate: RFC 8446 section 7.2."""
    return expand_label(suite, secret, "traffic upd", b"", suite.hash_bytes)


@lru_cache(maxsize=8)
def _early(suite: CipherSuite) -> bytes:
    """The "derived" secret of a handshake without PSK, which is a constant."""
    used = SUITES[suite]
    empty = hashes.Hash(used.hash).finalize()
    early = HKDF.extract(used.hash, bytes(used.hash_bytes), bytes(used.hash_bytes))
    return expand_label(used, early, "derived", empty, used.hash_bytes)


@lru_cache(maxsize=8)
def _empty_hash(suite: CipherSuite) -> bytes:
    return hashes.Hash(SUITES[suite].hash).finalize()


class KeySchedule:
    """The secrets of one connection, from the shared secret on."""

    __slots__ = ("_handshake", "suite")

    def __init__(self, suite: Suite, shared: bytes) -> None:
        self.suite = suite
        self._handshake = HKDF.extract(suite.hash, _early(suite.code_point), shared)

    def handshake_secrets(self, transcript: bytes) -> tuple[bytes, bytes]:
        """The client's and the server's handshake traffic secrets; the hash is up to ServerHello."""
        return self._pair(self._handshake, "hs", transcript)

    def application_secrets(self, transcript: bytes) -> tuple[bytes, bytes]:
        """The client's and the server's first application traffic secrets; the hash is up to the server's Finished."""
        suite = self.suite
        derived = expand_label(suite, self._handshake, "derived", _empty_hash(suite.code_point), suite.hash_bytes)
        return self._pair(HKDF.extract(suite.hash, derived, bytes(suite.hash_bytes)), "ap", transcript)

    def _pair(self, secret: bytes, kind: str, transcript: bytes) -> tuple[bytes, bytes]:
        size = self.suite.hash_bytes
        client = expand_label(self.suite, secret, f"c {kind} traffic", transcript, size)
        return client, expand_label(self.suite, secret, f"s {kind} traffic", transcript, size)

    def finished(self, base: bytes, transcript: bytes) -> bytes:
        """The verify_data of a Finished, whose sender has the handshake traffic secret `base`: section 4.4.4."""
        key = expand_label(self.suite, base, "finished", b"", self.suite.hash_bytes)
        mac = hmac.HMAC(key, self.suite.hash)
        mac.update(transcript)
        return mac.finalize()

    def is_finished(self, base: bytes, transcript: bytes, verify_data: bytes) -> bool:
        """Whether this verify_data is the right one, compared in constant time."""
        return constant_time.bytes_eq(self.finished(base, transcript), verify_data)
