"""A library that has been proved (`proof`), as signature schemes are used: keys, signatures, verdicts, and times.

Everything that it gives is held against the sizes that it is declared with; what does not fit is a LibraryFault, which
names the function.
"""

from __future__ import annotations

import array
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pqdc.errors import BadSignature, KeyFormatError, LibraryFault
from pqdc.scheme.drbg import Repeated
from pqdc.scheme.facts import Scheme
from pqdc.scheme.footprint import Footprint
from pqdc.scheme.nist.process import LibraryProcess

__all__ = ["Convention", "Engine", "Envelope", "Operation"]

Operation = Literal["keygen", "sign", "verify"]
LONGEST_NUMBER = 20  # digits, of 64 bits
PATIENCE = 20  # how much longer than it should, the native loop may take before it hangs
_BAD_SIGNATURE = -4  # companion.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Where the message stands in a signed message.

    Attributes:
        offset: how many bytes of the signature stand before it; after it, if `from_end`.
    """

    offset: int = 0
    from_end: bool = False

    def seal(self, signature: bytes, message: bytes) -> bytes:
        """The signed message."""
        place = len(signature) - self.offset if self.from_end else self.offset
        return signature[:place] + message + signature[place:]

    def signature_of(self, signed: bytes, message: bytes) -> bytes | None:
        """The signature in a signed message; None if the message is not in its place."""
        own = len(signed) - len(message)
        place = own - self.offset if self.from_end else self.offset
        if not 0 <= place <= own or signed[place : place + len(message)] != message:
            return None
        return signed[:place] + signed[place + len(message) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How a library is called.

    Attributes:
        signs: `crypto_sign_signature` or `crypto_sign`.
        verifies: `crypto_sign_verify` or `crypto_sign_open`.
        envelope: of the signed messages that `crypto_sign` makes and `crypto_sign_open` takes.
    """

    signs: str
    verifies: str
    envelope: Envelope | None = None


class Engine:
    """One library as it computes one scheme."""

    def __init__(self, process: LibraryProcess, scheme: Scheme, convention: Convention) -> None:
        self.process = process
        self.scheme = scheme
        self.convention = convention
        self._repeating: Engine | None = None
        self._sizes = (scheme.public_key_bytes, scheme.private_key_bytes or 0, scheme.signature_bytes)

    def symbol(self, function: str) -> str:
        """A function as the library calls it."""
        return self.process.symbol(function)

    def keypair(self, fill: int = 0) -> tuple[bytes, bytes]:
        """A public and a secret key; bytes that are not written are `fill`."""
        public_bytes, secret_bytes, _ = self._sizes
        name = "crypto_sign_keypair"
        status, halves = self.process.call(name, b"%d" % public_bytes, b"%d" % secret_bytes, b"%d" % fill)
        self._require_success(name, status)
        public, secret = self._fields(name, halves, 2)
        return public, secret

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """A signature, detached from its message."""
        name = self.convention.signs
        made = self.signed(secret, message)
        if name == "crypto_sign_signature":
            return made
        envelope = self.convention.envelope or Envelope()
        signature = envelope.signature_of(made, message)
        if signature is None:
            raise LibraryFault(f"{self.symbol(name)} puts the message now here, now there")
        return signature

    def signed(self, secret: bytes, message: bytes) -> bytes:
        """What the signing function gives, of a length that it may have."""
        name, room = self.convention.signs, self._sizes[2]
        status, answer = self.process.call(name, message, secret, b"%d" % room)
        self._require_success(name, status)
        length, made = self._fields(name, answer, 2)
        size = self._number(name, length) - (0 if name == "crypto_sign_signature" else len(message))
        if not self.scheme.makes_signature_of(size):
            most = "" if self.scheme.signature_length == "fixed" else "at most "
            raise LibraryFault(f"{self.symbol(name)} makes a signature of {size} bytes, {most}{room} are declared")
        return made

    def verify(self, public: bytes, signature: bytes, message: bytes) -> bool:
        """Whether the library takes it for a signature of `message`."""
        if self.convention.verifies == "crypto_sign_verify":
            status, _ = self.process.call("crypto_sign_verify", signature, message, public)
            return status == 0
        name, envelope = "crypto_sign_open", self.convention.envelope or Envelope()
        status, answer = self.process.call(name, envelope.seal(signature, message), public)
        length, opened = self._fields(name, answer, 2)
        return status == 0 and self._number(name, length) == len(message) and opened == message

    def time(self, operation: Operation, messages: Sequence[bytes], *, keys: int, samples: int) -> list[int]:
        """Nanoseconds of an operation, `samples` times, as `Liboqs.time_natively` takes them.

        Raises:
            BackendUnavailable: there is no C compiler to make the loop with.
            LibraryFault, BadSignature: the library fails in it.
        """
        convention, envelope = self.convention, self.convention.envelope or Envelope()
        plan = {
            "operation": operation,
            "signs": convention.signs,
            "verifies": convention.verifies,
            "envelope": (envelope.offset, int(envelope.from_end)),
            "sizes": self._sizes,
            "counts": (len(messages[0]), len(messages), samples, keys),
        }
        expected = 2 * (samples + keys) * self.process.slowest
        outcome, answer = self.process.call(
            "time",
            os.fsencode(self.process.companion()),
            json.dumps(plan).encode(),
            b"".join(messages),
            calls=2 + PATIENCE * expected / self.process.library.seconds,
        )
        if outcome == _BAD_SIGNATURE:
            raise BadSignature("a signature made in the native loop does not verify")
        if outcome:
            raise LibraryFault(f"the native loop gave up on {operation}: outcome {outcome}")
        (data,) = self._fields("time", answer, 1)
        if len(data) != 8 * samples:
            raise LibraryFault(f"the native loop gave {len(data)} bytes of times for {samples}")
        return list(array.array("Q", data))

    def footprint(self, function: str, *fields: bytes) -> Footprint:
        """What a call of the library takes of memory; `fields` are as the worker has them."""
        _, answer = self.process.call("footprint", function.encode(), *fields, calls=3)
        stack, growth = (self._number(function, size) if size else None for size in self._fields(function, answer, 2))
        return Footprint(stack_bytes=stack, growth_bytes=growth)

    def footprints(self, message: bytes) -> dict[str, Footprint]:
        """Of making a key, signing and verifying."""
        convention, sizes = self.convention, [b"%d" % size for size in self._sizes]
        public, secret = self.keypair()
        signature = self.sign(secret, message)
        if convention.verifies == "crypto_sign_open":
            fields = [(convention.envelope or Envelope()).seal(signature, message), public]
        else:
            fields = [signature, message, public]
        return {
            "keygen": self.footprint("crypto_sign_keypair", sizes[0], sizes[1], b"0"),
            "sign": self.footprint(convention.signs, message, secret, sizes[2]),
            "verify": self.footprint(convention.verifies, *fields),
        }

    def repeat(self, seed: bytes, message: bytes) -> Repeated:
        """What NIST's known answers have, made with the draws that their seed gives, in a process for that alone.

        Raises:
            KeyFormatError: the library draws from where no seed reaches.
        """
        if self._repeating is None:
            process = LibraryProcess(self.process.library, self.process.companion)
            process.context = self.process.context
            self._repeating = Engine(process, self.scheme, self.convention)
        again = self._repeating
        status, _ = again.process.call("randombytes_init", seed)
        if status:
            raise KeyFormatError("its randombytes is its own, and it has no randombytes_init: it takes no seed")
        public, secret = again.keypair()
        return Repeated(public=public, secret=secret, signature=again.sign(secret, message))

    def _fields(self, name: str, answer: list[bytes], count: int) -> list[bytes]:
        if len(answer) != count:
            raise LibraryFault(f"{self.symbol(name)} has ruined the memory of its process: its answer is none")
        return answer

    def _number(self, name: str, text: bytes) -> int:
        if len(text) > LONGEST_NUMBER or not text.isdigit():
            raise LibraryFault(f"{self.symbol(name)} has ruined the memory of its process: a length is none")
        return int(text)

    def _require_success(self, name: str, status: int) -> None:
        if status:
            raise LibraryFault(f"{self.symbol(name)} fails: it returned {status}")
