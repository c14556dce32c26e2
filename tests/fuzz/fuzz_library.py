"""What a user's own library brings: an api.h, known answers in .rsp format, and the answers of the process it ruins.

`library_targets` is for `targets`. The laws: only the named errors; a frame's fields pack to the same bytes; a size is
a number, and every value of an .rsp file stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pqdc.check.known_answers import parse_answers
from pqdc.errors import DecodeError
from pqdc.scheme.nist.frames import pack, unpack
from pqdc.scheme.nist.header import SIZES, read_sizes
from tests.own import EXAMPLE


def _frame(data: bytes) -> None:
    try:
        fields = unpack(data)
    except DecodeError:
        return
    assert pack(*fields)[4:] == data


def _header(data: bytes) -> None:
    try:
        sizes = read_sizes(data.decode(errors="replace"))
    except ValueError:  # two values for one size
        return
    assert set(sizes) <= set(SIZES.values())
    assert all(type(size) is int for size in sizes.values())


def _answers(data: bytes) -> None:
    try:
        answers = parse_answers(data)
    except DecodeError:
        return
    assert answers
    digits = data.decode("ascii", errors="replace").casefold()
    for answer in answers:
        assert all(part.hex() in digits for part in (answer.seed, answer.msg, answer.pk, answer.sk, answer.sm))


def _headers() -> Iterable[bytes]:
    yield (EXAMPLE / "api.h").read_bytes()
    yield b"#define N 16\n#define CRYPTO_BYTES (N*(N+2)/3) /* of N */\n#define CRYPTO_PUBLICKEYBYTES N\n"
    yield b"# define A_CRYPTO_BYTES 0x20UL // hex\n#define B_CRYPTO_BYTES 32\n"


def library_targets() -> dict[str, tuple[Callable[[bytes], None], Callable[[], Iterable[bytes]]]]:
    """The law of each, and its seeds."""
    return {
        "api-h": (_header, _headers),
        "rsp": (_answers, lambda: [(EXAMPLE / "toy.rsp").read_bytes()[:3000].rpartition(b"\n\n")[0]]),
        "frame": (_frame, lambda: [pack(b"done", b"0", bytes(40))[4:], pack(b"", b"", b"")[4:]]),
    }
