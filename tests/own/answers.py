"""Known answers in NIST's .rsp format, as its PQCgenKAT_sign makes them, with the generator of `pqdc.scheme.drbg`.

python -m tests.own.answers > examples/own-scheme/toy.rsp
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pqdc.scheme.backends.nist_api import NistApi
from pqdc.scheme.drbg import CtrDrbg, Repeated
from tests.own import compile_library, scheme_of

Seal = Callable[[bytes, bytes], bytes]


def signature_first(signature: bytes, message: bytes) -> bytes:
    return signature + message


def answers(
    name: str,
    repeat: Callable[[bytes, bytes], Repeated],
    *,
    count: int,
    seal: Seal = signature_first,
    head: bool = True,
) -> str:
    """The file: `count` entries with messages of 33 bytes, 66 and so on."""
    outer = CtrDrbg(bytes(range(48)))
    entries = []
    for number in range(count):
        seed, message = outer.draw(48), outer.draw(33 * (number + 1))
        made = repeat(seed, message)
        signed = seal(made.signature, message)
        fields: dict[str, bytes | int] = {
            "count": number,
            "seed": seed,
            "mlen": len(message),
            "msg": message,
            "pk": made.public,
            "sk": made.secret,
            "smlen": len(signed),
            "sm": signed,
        }
        lines = (
            f"{key} = {value.hex().upper() if isinstance(value, bytes) else value}" for key, value in fields.items()
        )
        entries.append("\n".join(lines) + "\n")
    return (f"# {name}\n\n" if head else "") + "\n".join(entries)


def toy_answers(folder: Path) -> str:
    """Of the toy."""
    scheme, backend = scheme_of(compile_library(folder), name="Toy"), NistApi()
    return answers("Toy", lambda seed, message: backend.repeat(scheme, seed, message), count=10)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        sys.stdout.write(toy_answers(Path(temporary)))
