"""Behaviour: what is accepted and what is not, when the message, the key or the signature is another.

A signature that has been changed and still verifies breaks no promise of most schemes (existential unforgeability is of
new messages), and yet everybody should know: it is noted. A message or a key that has been changed must not pass.
"""

from __future__ import annotations

from collections.abc import Iterator

from pqdc.check.evidence import Evidence, Extent, Signed, verifies
from pqdc.check.findings import Finding
from pqdc.errors import KeyFormatError

__all__ = [
    "another_key",
    "another_message",
    "changed_keys",
    "changed_signatures",
    "determinism",
    "failure_rate",
    "flipped_bits",
    "message_lengths",
]

LENGTHS = (0, 1, 130, 65_537)  # bytes; 130 is a CertificateVerify input with SHA-256
MOST_FLIPS = 512


def failure_rate(evidence: Evidence, _extent: Extent) -> Finding:
    """Every signature is made, and verifies."""
    count, failed = evidence.attempts, len(evidence.failures)
    figures = {"keys": evidence.keys, "signatures": count, "failed": failed, "reasons": evidence.failures[:3]}
    told = f"{failed} of {count:,} signatures by {evidence.keys} keys failed"
    if failed:
        return Finding(
            question="failure rate", verdict="failed", seen=f"{told}: {evidence.failures[0]}", figures=figures
        )
    bound = 1 - 0.05 ** (1 / count)  # of what would show with 95 % in so many
    figures["below"] = bound
    seen = f"{told}; with 95 % confidence, fewer than {100 * bound:.2g} % do"
    return Finding(question="failure rate", verdict="passed", seen=seen, figures=figures)


def message_lengths(evidence: Evidence, extent: Extent) -> Finding:
    """Messages of any length are signed, the empty one too."""
    key, wrong = evidence.kept[0].key, []
    for length in LENGTHS:
        message = extent.randbytes(length)
        if not verifies(key.public, key.sign(message), message):
            wrong.append(length)
    figures = {"lengths": list(LENGTHS), "wrong": wrong}
    if wrong:
        seen = f"a message of {wrong[0]:,} bytes is signed, and the signature does not verify"
        return Finding(question="message lengths", verdict="failed", seen=seen, figures=figures)
    seen = f"messages of {', '.join(f'{length:,}' for length in LENGTHS)} bytes are signed"
    return Finding(question="message lengths", verdict="passed", seen=seen, figures=figures)


def determinism(evidence: Evidence, _extent: Extent) -> Finding:
    """Whether a message has one signature by a key, or a new one each time. Both are right."""
    one = evidence.kept[0]
    same = one.key.sign(one.message) == one.signature
    seen = "the same signature each time" if same else "another signature each time"
    return Finding(question="determinism", verdict="passed", seen=seen, figures={"deterministic": same})


def another_message(evidence: Evidence, extent: Extent) -> Finding:
    """A signature is of its message and no other: bits flipped, bytes cut off and added."""

    def attempts() -> Iterator[tuple[Signed, bytes]]:
        for one in evidence.kept:
            yield from ((one, message) for message in (b"", one.message[:-1], one.message + b"\0"))
            yield from ((one, _flip(one.message, bit)) for bit in _bits(one.message, 64))

    tried = accepted = 0
    for one, message in extent.within(attempts()):
        tried += 1
        accepted += verifies(one.key.public, one.signature, message)
    return _must_not("another message", tried, accepted, "changed messages")


def another_key(evidence: Evidence, extent: Extent) -> Finding:
    """A signature is by its key and no other."""
    kept = evidence.kept
    pairs = [(one, other) for one in kept for other in kept if one.key.public.raw != other.key.public.raw]
    if not pairs:
        return Finding(question="another key", verdict="skipped", seen="there is one key only")
    tried = accepted = 0
    for one, other in extent.within(pairs):
        tried += 1
        accepted += verifies(other.key.public, one.signature, one.message)
    return _must_not("another key", tried, accepted, "signatures under another key")


def flipped_bits(evidence: Evidence, extent: Extent) -> Finding:
    """Whether a signature with one bit flipped still verifies."""
    one, accepted, tried = evidence.kept[0], [], 0
    for bit in extent.within(_bits(one.signature, MOST_FLIPS)):
        tried += 1
        if verifies(one.key.public, _flip(one.signature, bit), one.message):
            accepted.append(bit)
    figures = {"tried": tried, "bits": 8 * len(one.signature), "accepted": accepted}
    if accepted:
        seen = f"malleable: {len(accepted)} of {tried} bits may be flipped, such as bit {accepted[0]}"
        return Finding(question="flipped bits", verdict="noted", seen=seen, figures=figures)
    seen = f"none of {tried} flips is accepted, of {8 * len(one.signature):,} bits"
    return Finding(question="flipped bits", verdict="passed", seen=seen, figures=figures)


def changed_signatures(evidence: Evidence, extent: Extent) -> Finding:
    """Whether other cheap changes of a signature go through: of its length where that may vary, and of whole parts."""
    accepted: dict[str, int] = {}
    tried = 0
    for what, one, signature in extent.within(_changes(evidence, extent)):
        tried += 1
        if verifies(one.key.public, signature, one.message):
            accepted[what] = accepted.get(what, 0) + 1
    figures = {"tried": tried, "accepted": accepted}
    if accepted:
        seen = f"malleable: of {tried} changes, {sum(accepted.values())} go through: {', '.join(accepted)}"
        return Finding(question="other changes", verdict="noted", seen=seen, figures=figures)
    seen = f"none of {tried} changes of a signature is accepted"
    return Finding(question="other changes", verdict="passed", seen=seen, figures=figures)


def _changes(evidence: Evidence, extent: Extent) -> Iterator[tuple[str, Signed, bytes]]:
    """Changes whose length the scheme makes; others, pqdc refuses before the library sees them."""
    scheme = evidence.scheme
    for one in evidence.kept:
        signature = one.signature
        half, room = len(signature) // 2, scheme.signature_bytes - len(signature)
        changes = {
            "a byte cut off": signature[:-1],
            "a zero added": signature + b"\0",
            "a random byte added": signature + extent.randbytes(1),
            "filled up with zeros": signature + bytes(room),
            "zeros at the end dropped": signature.rstrip(b"\0"),
            "last byte zero": signature[:-1] + b"\0",
            "last byte 0xff": signature[:-1] + b"\xff",
            "first byte zero": b"\0" + signature[1:],
            "halves exchanged": signature[half:] + signature[:half],
            "backwards": signature[::-1],
            "inverted": bytes(255 - byte for byte in signature),
            "all zero": bytes(len(signature)),
            "random": extent.randbytes(len(signature)),
        }
        for what, changed in changes.items():
            if changed != signature and scheme.makes_signature_of(len(changed)):
                yield what, one, changed


def changed_keys(evidence: Evidence, extent: Extent) -> Finding:
    """Whether a public key with one bit flipped still verifies a signature that was made before."""
    one, tried, refused, accepted = evidence.kept[0], 0, 0, 0
    for bit in extent.within(_bits(one.key.public.raw, MOST_FLIPS)):
        tried += 1
        try:
            public = evidence.backend.public_key(evidence.scheme, _flip(one.key.public.raw, bit))
        except KeyFormatError:
            refused += 1
            continue
        accepted += verifies(public, one.signature, one.message)
    figures = {"tried": tried, "refused": refused, "accepted": accepted}
    if accepted:
        seen = f"{accepted} of {tried} keys with a flipped bit verify the same signature"
        return Finding(question="changed public key", verdict="noted", seen=seen, figures=figures)
    seen = f"none of {tried} keys with a flipped bit verifies, {refused} are refused at once"
    return Finding(question="changed public key", verdict="passed", seen=seen, figures=figures)


def _must_not(question: str, tried: int, accepted: int, what: str) -> Finding:
    seen = f"{accepted or 'none'} of {tried} {what} {'are' if accepted else 'is'} accepted"
    figures = {"tried": tried, "accepted": accepted}
    return Finding(question=question, verdict="failed" if accepted else "passed", seen=seen, figures=figures)


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _bits(data: bytes, most: int) -> list[int]:
    """Bits spread evenly over data, the first and the last among them; in an order that is spread as well."""
    count = min(most, 8 * len(data))
    last = 8 * len(data) - 1
    bits = sorted({round(last * step / max(1, count - 1)) for step in range(count)})
    return [bits[i] for stride in range(8) for i in range(stride, len(bits), 8)]
