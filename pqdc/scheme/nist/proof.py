"""What a library must show before it is used: how it wants to be called, and that its sizes and verdicts are true.

Nothing that it returns is taken as true. What fails is a LibraryFault that names what the library did: its verify
accepts everything, its key is shorter than declared. What is merely odd (malleable signatures, keys that repeat) is the
business of `pqdc scheme check`.
"""

from __future__ import annotations

import os

from pqdc.errors import LibraryFault
from pqdc.scheme.facts import Scheme
from pqdc.scheme.nist.engine import Convention, Engine, Envelope
from pqdc.scheme.nist.process import LibraryProcess

__all__ = ["prove"]

MESSAGE_BYTES = 59
_FILLS = 0x5A, 0xA5  # what a key's buffer holds before it is written


def prove(process: LibraryProcess, scheme: Scheme) -> Engine:
    """The library, ready for use.

    A signature of its own that it rejects, or a crash over one, may come from a context string that its functions want
    behind the message: this is tried before the library is given up.

    Raises:
        LibraryFault: it does not do what it must; the message says what it does.
        BackendUnavailable: it cannot be loaded.
    """
    process.start()
    engine = Engine(process, scheme, _convention(process))
    keys = _keys(engine)
    message = os.urandom(MESSAGE_BYTES)
    try:
        engine = _signing(engine, *keys[0], message)
    except LibraryFault as fault:
        try:
            engine = _with_context(engine, *keys[0], message)
        except LibraryFault:
            raise fault from None
    (public, secret), (other, _) = keys
    _unmask(engine, public, other, engine.sign(secret, message), message)
    return engine


def _signing(engine: Engine, public: bytes, secret: bytes, message: bytes) -> Engine:
    """An engine that signs and verifies, with the envelope that its functions want."""
    if engine.convention.signs == "crypto_sign":
        engine = _with_envelope(engine, public, secret, message)
    elif engine.convention.verifies == "crypto_sign_open":
        engine = _opening(engine, public, secret, message)
    if not engine.verify(public, engine.sign(secret, message), message):
        raise LibraryFault(
            f"{engine.symbol(engine.convention.verifies)} rejects a signature that "
            f"{engine.symbol(engine.convention.signs)} has made"
        )
    return engine


def _with_context(engine: Engine, public: bytes, secret: bytes, message: bytes) -> Engine:
    """As `_signing`, by functions that take an empty context string."""
    process = engine.process
    process.stop()
    process.context = True
    try:
        return _signing(Engine(process, engine.scheme, engine.convention), public, secret, message)
    except LibraryFault:
        process.stop()
        process.context = False
        raise


def _convention(process: LibraryProcess) -> Convention:
    """The detached functions where there are some; crypto_sign and crypto_sign_open else."""
    has = process.symbols
    if "crypto_sign_keypair" not in has:
        name = f"{process.library.prefix}crypto_sign_keypair"
        raise LibraryFault(f"it exports no {name}; library.prefix declares what stands before its names")
    chosen = []
    for detached, enveloped in (("crypto_sign_signature", "crypto_sign"), ("crypto_sign_verify", "crypto_sign_open")):
        if detached not in has and enveloped not in has:
            raise LibraryFault(f"it exports neither {detached} nor {enveloped}")
        chosen.append(detached if detached in has else enveloped)
    return Convention(signs=chosen[0], verifies=chosen[1])


def _keys(engine: Engine) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Two pairs of keys, of which the library has written every byte.

    The buffers held one byte all over before, each pair's another: what ends in it was not written, unless by chance,
    which does not strike three times.
    """
    pairs = engine.keypair(_FILLS[0]), engine.keypair(_FILLS[1])
    for half, what, declared in (
        (0, "public key", engine.scheme.public_key_bytes),
        (1, "secret key", engine.scheme.private_key_bytes or 0),
    ):
        tries = [pairs]
        while (unwritten := min(_unwritten(keys, half) for keys in tries)) and len(tries) < 3:
            tries.append((engine.keypair(_FILLS[0]), engine.keypair(_FILLS[1])))
        if unwritten:
            raise LibraryFault(
                f"{engine.symbol('crypto_sign_keypair')} writes {declared - unwritten} bytes of {what}, "
                f"{declared} are declared"
            )
    return pairs


def _unwritten(pairs: tuple[tuple[bytes, bytes], tuple[bytes, bytes]], half: int) -> int:
    """How many bytes at the end of both keys are what their buffers were filled with."""
    return min(
        len(pair[half]) - len(pair[half].rstrip(bytes([fill]))) for pair, fill in zip(pairs, _FILLS, strict=True)
    )


def _with_envelope(engine: Engine, public: bytes, secret: bytes, message: bytes) -> Engine:
    """With the place of the message in what `crypto_sign` makes, which must hold for messages of other lengths too.

    Where it stands as far from the start as from the end, either may be meant: both are tried.
    """
    name, convention = engine.symbol("crypto_sign"), engine.convention
    signed = engine.signed(secret, message)
    place = signed.find(message)
    if place < 0:
        raise LibraryFault(f"the message does not stand in what {name} makes, so there is no signature apart from it")
    after = len(signed) - place - len(message)
    longer = message * 2
    envelopes = [Envelope(offset=place), Envelope(offset=after, from_end=True)]
    if not after:  # a signature that comes first may well have one length three times
        envelopes.reverse()
    for envelope in envelopes:
        found = Convention(signs=convention.signs, verifies=convention.verifies, envelope=envelope)
        candidate = Engine(engine.process, engine.scheme, found)
        if all(
            envelope.signature_of(engine.signed(secret, text), text) is not None
            and candidate.verify(public, candidate.sign(secret, text), text)
            for text in (message, longer, message[:1])
        ):
            return candidate
    return candidate


def _opening(engine: Engine, public: bytes, secret: bytes, message: bytes) -> Engine:
    """With the envelope in which `crypto_sign_open` takes a signature that was made detached: first, or last."""
    signature = engine.sign(secret, message)
    for envelope in (Envelope(from_end=True), Envelope()):
        found = Convention(signs=engine.convention.signs, verifies=engine.convention.verifies, envelope=envelope)
        candidate = Engine(engine.process, engine.scheme, found)
        if candidate.verify(public, signature, message):
            return candidate
    return engine


def _unmask(engine: Engine, public: bytes, other: bytes, signature: bytes, message: bytes) -> None:
    """Return if nothing is accepted that is no signature."""
    name = engine.symbol(engine.convention.verifies)
    flipped = bytes([message[0] ^ 1]) + message[1:]
    forgeries = {
        "a signature of another message": (public, signature, flipped),
        "random bytes": (public, os.urandom(len(signature)), message),
        "zeros": (public, bytes(len(signature)), message),
    }
    if other != public:
        forgeries["a signature by another key"] = (other, signature, message)
    accepted = [what for what, forgery in forgeries.items() if engine.verify(*forgery)]
    if len(accepted) == len(forgeries):
        raise LibraryFault(f"{name} accepts everything: {', '.join(accepted)}")
    if accepted:
        raise LibraryFault(f"{name} accepts {' and '.join(accepted)}")
