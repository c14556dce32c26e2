"""Key exchanges: X25519, P-256, P-384, P-521 (RFC 8446 section 4.2.8.2), X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem).

Private keys are made from the caller's entropy; the randomness of an ML-KEM encapsulation is drawn by the library,
which takes none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.codepoints import Group

__all__ = ["EXCHANGES", "Entropy", "Ephemeral", "Exchange"]

Entropy = Callable[[int], bytes]
_UNCOMPRESSED = 4  # the first byte of such a point, and RFC 8446 knows no other
_ENCAPSULATION_KEY = 1184
_CIPHERTEXT = 1088


class Ephemeral(Protocol):
    """A client's side of one exchange: its share, and the secret that the server's share makes of it."""

    share: bytes

    def finish(self, share: bytes) -> bytes:
        """The shared secret; ValueError if the share is none."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A named group: a client begins, a server responds with its share and the secret."""

    begin: Callable[[Entropy], Ephemeral]
    respond: Callable[[bytes, Entropy], tuple[bytes, bytes]]


class _X25519:
    def __init__(self, entropy: Entropy) -> None:
        self._key = X25519PrivateKey.from_private_bytes(entropy(32))
        self.share = self._key.public_key().public_bytes_raw()

    def finish(self, share: bytes) -> bytes:
        return self._key.exchange(X25519PublicKey.from_public_bytes(share))


class _Curve:
    """A curve of NIST's; shares are uncompressed points."""

    curve: ClassVar[ec.EllipticCurve]

    def __init__(self, entropy: Entropy) -> None:
        order = self.curve.group_order
        spare = 128  # bits more than it has; FIPS 186-5 section A.2.1 wants 64
        secret = int.from_bytes(entropy((order.bit_length() + spare + 7) // 8), "big")
        self._key = ec.derive_private_key(secret % (order - 1) + 1, self.curve)
        self.share = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def finish(self, share: bytes) -> bytes:
        if len(share) != len(self.share) or share[0] != _UNCOMPRESSED:
            raise ValueError("an uncompressed point is wanted")
        return self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(self.curve, share))


class _P256(_Curve):
    curve = ec.SECP256R1()


class _P384(_Curve):
    curve = ec.SECP384R1()


class _P521(_Curve):
    curve = ec.SECP521R1()


class _X25519MlKem768:
    """Share: encapsulation key (server: ciphertext), then the X25519 share; secret: ML-KEM's, then X25519's."""

    def __init__(self, entropy: Entropy) -> None:
        self._classical = _X25519(entropy)
        self._key = MLKEM768PrivateKey.from_seed_bytes(entropy(64))
        self.share = self._key.public_key().public_bytes_raw() + self._classical.share

    def finish(self, share: bytes) -> bytes:
        ciphertext, classical = _split(share, _CIPHERTEXT)
        return self._key.decapsulate(ciphertext) + self._classical.finish(classical)

    @staticmethod
    def respond(share: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        key, classical = _split(share, _ENCAPSULATION_KEY)
        secret, ciphertext = MLKEM768PublicKey.from_public_bytes(key).encapsulate()
        own = _X25519(entropy)
        return ciphertext + own.share, secret + own.finish(classical)


def _split(share: bytes, first: int) -> tuple[bytes, bytes]:
    if len(share) != first + 32:
        raise ValueError(f"a share of {first + 32} bytes is wanted")
    return share[:first], share[first:]


def _both_alike(kind: Callable[[Entropy], Ephemeral]) -> Callable[[bytes, Entropy], tuple[bytes, bytes]]:
    def respond(share: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        own = kind(entropy)
        return own.share, own.finish(share)

    return respond


EXCHANGES: Mapping[int, Exchange] = {
    Group.X25519: Exchange(_X25519, _both_alike(_X25519)),
    Group.SECP256R1: Exchange(_P256, _both_alike(_P256)),
    Group.SECP384R1: Exchange(_P384, _both_alike(_P384)),
    Group.SECP521R1: Exchange(_P521, _both_alike(_P521)),
    Group.X25519MLKEM768: Exchange(_X25519MlKem768, _X25519MlKem768.respond),
}


def finish(ephemeral: Ephemeral, share: bytes) -> bytes:
    """The client's secret.

    Raises:
        ProtocolViolation: illegal_parameter, if the server's share is none of the group.
    """
    try:
        return ephemeral.finish(share)
    except ValueError:
        raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, "the server's key share is none of its group") from None


def respond(group: int, share: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
    """The server's share and secret.

    Raises:
        ProtocolViolation: illegal_parameter, if the client's share is none of the group.
    """
    try:
        return EXCHANGES[group].respond(share, entropy)
    except ValueError:
        raise ProtocolViolation(Alert.ILLEGAL_PARAMETER, "the client's key share is none of its group") from None
