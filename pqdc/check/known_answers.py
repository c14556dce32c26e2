"""Known answers in NIST's .rsp format, read and tried: signatures verify, and keys come again from their seeds.

    # comments
    count = 0
    seed = 48 bytes in hex, for the generator of `pqdc.scheme.drbg`
    mlen, msg, pk, sk, smlen, sm

Where the message stands in `sm` differs between schemes; all that is left of it is tried as the signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pqdc.check.evidence import Extent, verifies
from pqdc.check.findings import Finding
from pqdc.errors import DecodeError, FileError, KeyFormatError, PqdcError
from pqdc.files import read_file
from pqdc.scheme.drbg import CtrDrbg, Repeated
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import Backend
from pqdc.scheme.pkcs8 import SEED_BYTES

__all__ = ["KnownAnswer", "known_answers", "parse_answers", "read_answers"]

MOST_ANSWERS = 10_000
_LINE = re.compile(r"(\w+) = ?(\S*)")
_NUMBERS = frozenset({"count", "mlen", "smlen"})
_FIELDS = ("seed", "msg", "pk", "sk", "sm")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KnownAnswer:
    """One entry of a file."""

    count: int
    line: int
    seed: bytes
    msg: bytes
    pk: bytes
    sk: bytes
    sm: bytes


def read_answers(path: Path) -> list[KnownAnswer]:
    """All entries of an .rsp file.

    Raises:
        FileError: it is none, or too large; the message says in which line.
    """
    try:
        return parse_answers(read_file(path))
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None


def parse_answers(data: bytes) -> list[KnownAnswer]:
    """All entries of the content of an .rsp file.

    Raises:
        DecodeError: it is none; the message says in which line.
    """
    answers: list[KnownAnswer] = []
    for line, entry in _entries(data):
        if len(answers) == MOST_ANSWERS:
            raise DecodeError(f"line {line}: at most {MOST_ANSWERS:,} known answers are read")
        answers.append(_answer(line, entry))
    if not answers:
        raise DecodeError("known answers in NIST's .rsp format wanted, there is no `count = `")
    return answers


def _entries(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of each entry by name, and the number of its first."""
    entry: dict[str, str] = {}
    start = 0
    for number, raw in enumerate(data.decode("ascii", errors="replace").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(("#", "[")):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise DecodeError(f"line {number}: `name = value` wanted, got {line[:40]!r}")
        name, value = match[1].lower(), match[2]
        if name == "count":
            if entry:
                yield start, entry
            entry, start = {}, number
        elif not start:
            raise DecodeError(f"line {number}: an entry begins with `count = `, got {name!r}")
        if name in entry:
            raise DecodeError(f"line {number}: a second {name!r} in the entry of line {start}")
        entry[name] = value
    if entry:
        yield start, entry


def _answer(line: int, entry: dict[str, str]) -> KnownAnswer:
    values: dict[str, Any] = {}
    for name in (*sorted(_NUMBERS), *_FIELDS):
        if name not in entry:
            raise DecodeError(f"the entry of line {line} has no {name!r}")
        try:
            values[name] = int(entry[name]) if name in _NUMBERS else bytes.fromhex(entry[name])
        except ValueError:
            wanted = "a number" if name in _NUMBERS else "hex"
            raise DecodeError(f"the entry of line {line}: {wanted} wanted for {name!r}") from None
    for name, length in (("msg", values.pop("mlen")), ("sm", values.pop("smlen"))):
        if len(values[name]) != length:
            raise DecodeError(f"the entry of line {line}: {name!r} has {len(values[name])} bytes, not {length}")
    return KnownAnswer(line=line, **values)


def known_answers(scheme: Scheme, backend: Backend, path: Path, extent: Extent) -> list[Finding]:
    """Whether the file's signatures verify, and whether its keys come from its seeds where the backend takes one.

    Raises:
        FileError: it is no such file.
    """
    answers = read_answers(path)
    return [_verified(scheme, backend, answers, extent), _repeated(scheme, backend, answers, extent)]


def _verified(scheme: Scheme, backend: Backend, answers: list[KnownAnswer], extent: Extent) -> Finding:
    tried, wrong = 0, []
    for answer in extent.within(answers):
        tried += 1
        reason = _reason_against(scheme, backend, answer)
        if reason:
            wrong.append(f"count {answer.count}: {reason}")
    figures = {"entries": len(answers), "tried": tried, "failed": len(wrong), "reasons": wrong[:3]}
    seen = f"{tried - len(wrong)} of {tried} signatures verify" + _rest(tried, answers, wrong)
    return Finding(question="known answers", verdict="failed" if wrong else "passed", seen=seen, figures=figures)


def _reason_against(scheme: Scheme, backend: Backend, answer: KnownAnswer) -> str:
    """Why an answer is none of this scheme; empty if its signature verifies."""
    try:
        public = backend.public_key(scheme, answer.pk)
        signatures = list(_signatures(scheme, answer))
        if any(verifies(public, signature, answer.msg) for signature in signatures):
            return ""
    except PqdcError as error:
        return str(error)
    if not signatures:
        return f"in sm of {len(answer.sm):,} bytes, no message of {len(answer.msg):,} leaves a signature of its size"
    return "its signature does not verify"


def _signatures(scheme: Scheme, answer: KnownAnswer) -> Iterator[bytes]:
    """What may be the signature: sm without the message, wherever that stands in it."""
    size = len(answer.sm) - len(answer.msg)
    if scheme.makes_signature_of(len(answer.sm)):  # some write the signature alone
        yield answer.sm
    if size <= 0 or not scheme.makes_signature_of(size):
        return
    place = len(answer.sm)
    for _ in range(16):  # a message of few bytes may stand in it by chance
        place = answer.sm.rfind(answer.msg, 0, place + len(answer.msg) - 1) if place else -1
        if place < 0:
            return
        yield answer.sm[:place] + answer.sm[place + len(answer.msg) :]


def _repeated(scheme: Scheme, backend: Backend, answers: list[KnownAnswer], extent: Extent) -> Finding:
    tried, wrong = 0, []
    try:
        for answer in extent.within(answers):
            differing = _differing(scheme, backend, answer)
            tried += 1
            if differing:
                wrong.append(f"count {answer.count}: another {' and another '.join(differing)}")
    except _TakesNoSeedError as reason:
        return Finding(question="known seeds", verdict="skipped", seen=str(reason))
    except PqdcError as error:
        return Finding(question="known seeds", verdict="failed", seen=str(error))
    figures = {"entries": len(answers), "tried": tried, "failed": len(wrong), "reasons": wrong[:3]}
    what = "keys and signatures" if hasattr(backend, "repeat") else "public keys"
    seen = f"{tried - len(wrong)} of {tried} seeds give the same {what}" + _rest(tried, answers, wrong)
    return Finding(question="known seeds", verdict="failed" if wrong else "passed", seen=seen, figures=figures)


def _rest(tried: int, answers: list[KnownAnswer], wrong: list[str]) -> str:
    """What is wrong first, and how many there was no time for."""
    untried = f"; there was no time for {len(answers) - tried:,} more" if tried < len(answers) else ""
    return untried + (f"; {wrong[0]}" if wrong else "")


class _TakesNoSeedError(Exception):
    """There is nothing to repeat with."""


def _differing(scheme: Scheme, backend: Backend, answer: KnownAnswer) -> list[str]:
    """What the seed gives otherwise than the file has it.

    Raises:
        _TakesNoSeedError: the backend does not take one.
    """
    repeat: Callable[[Scheme, bytes, bytes], Repeated] | None = getattr(backend, "repeat", None)
    if repeat is None and scheme.private_key == "seed":
        seed = CtrDrbg(answer.seed).draw(SEED_BYTES)  # xi of FIPS 204, the only draw of its key generation
        return [] if backend.generate(scheme, seed=seed).public.raw == answer.pk else ["public key"]
    if repeat is None:
        raise _TakesNoSeedError(f"the backend {backend.name} takes no seed")
    try:
        made = repeat(scheme, answer.seed, answer.msg)
    except KeyFormatError as reason:
        raise _TakesNoSeedError(str(reason)) from None
    same = {
        "public key": made.public == answer.pk,
        "private key": made.secret == answer.sk,
        "signature": made.signature in list(_signatures(scheme, answer)),
    }
    return [name for name, equal in same.items() if not equal]
