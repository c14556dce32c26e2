"""What every backend asks of a private key that came as bytes: that it is whole, and that its halves belong together.

Libraries look at none of it: some pad a short key with zeros, and sign with a secret that is another key's.
"""

from __future__ import annotations

from pqdc.errors import BadSignature, KeyFormatError
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import PrivateKey
from pqdc.scheme.pkcs8 import Secret

__all__ = ["apart", "check_expanded", "check_pair"]

_TRIAL = b"do these belong together?"


def check_expanded(
    scheme: Scheme, secret: Secret, wanted: int | None, *, hint: str = "use a file that holds the seed or both halves"
) -> None:
    """Return if there is an expanded key of `wanted` bytes, with its public key beside it.

    Raises:
        KeyFormatError: it has another length, or is alone.
    """
    if len(secret.expanded) != wanted:
        raise KeyFormatError(f"a private key of {scheme.name} has {wanted} bytes, this one has {len(secret.expanded)}")
    if not secret.public:
        raise KeyFormatError(
            f"a private key of {scheme.name} in expanded form needs its public key beside it", hint=hint
        )


def check_pair(key: PrivateKey, *failures: type[Exception]) -> None:
    """Return if a signature by `key` verifies by its public half.

    Args:
        key: as its halves came.
        failures: what the library may raise over a private key that is none.

    Raises:
        KeyFormatError: it does not.
    """
    refusals: tuple[type[Exception], ...] = (BadSignature, *failures)
    try:
        key.public.verify(key.sign(_TRIAL), _TRIAL)
    except refusals:
        raise apart(key.scheme) from None


def apart(scheme: Scheme, halves: str = "private and public half") -> KeyFormatError:
    """The error that two parts of one private key are of different keys."""
    return KeyFormatError(f"{halves} of this key of {scheme.name} do not belong together")
