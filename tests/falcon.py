"""FN-DSA in plain Python, as far as tests need it: its keys as those of Falcon, and its signatures verified.

FN-DSA, as the crate fn-dsa has it, packs bits and bytes from the lowest on, gives the public key h by its values at
the roots of X^n + 1, and appends H(pk) to the secret key; Falcon packs from the highest on, and gives h by its
coefficients.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

Q = 12289  # the modulus; 11 generates its multiplicative group
WIDTHS = {512: 6, 1024: 5}  # bits of a coefficient of f and g; those of F have 8
BOUNDS = {512: 34034726, 1024: 70265242}  # of the squared norm of a signature: Falcon's specification, table 3.3


def degree_of(header: int) -> int:
    return 1 << (header & 0x0F)


def secret_key(own: bytes) -> bytes:
    """Falcon's header, f, g and F."""
    degree = degree_of(own[0])
    size = degree * WIDTHS[degree] // 8
    parts = (
        _pack(_unpack(own[1 + start : 1 + start + length], width), width)
        for start, length, width in ((0, size, WIDTHS[degree]), (size, size, WIDTHS[degree]), (2 * size, degree, 8))
    )
    return own[:1] + b"".join(parts)


def public_values(own: bytes) -> list[int]:
    """What is in a public key of FN-DSA."""
    return _unpack(own[1:], 14)


def public_key(own_secret: bytes) -> tuple[bytes, list[int]]:
    """Falcon's public key h = g / f, and its values at the roots of X^n + 1."""
    degree = degree_of(own_secret[0])
    width = WIDTHS[degree]
    size = degree * width // 8
    root = pow(11, (Q - 1) // (2 * degree), Q)
    f = _values(_signed(_unpack(own_secret[1 : 1 + size], width), width), root)
    g = _values(_signed(_unpack(own_secret[1 + size : 1 + 2 * size], width), width), root)
    h = [top * pow(bottom, -1, Q) % Q for top, bottom in zip(g, f, strict=True)]
    inverse, coefficients = pow(root, -1, Q), []
    for i in range(degree):
        step, factor, total = pow(inverse, 2 * i, Q), pow(inverse, i, Q), 0
        for value in h:
            total, factor = total + value * factor, factor * step % Q
        coefficients.append(total * pow(degree, -1, Q) % Q)
    return bytes([own_secret[0] & 0x0F]) + _pack(coefficients, 14), h


def verifies(own: bytes, mu: bytes, h: bytes) -> bool:
    """Whether a signature of FN-DSA is one of `mu` by Falcon's public key `h`: s1 = c - s2 h and s2 are short."""
    degree = degree_of(own[0])
    s2 = _uncompress(own[41:], degree)
    packed = int.from_bytes(h[1:])
    coefficients = [packed >> 14 * (degree - 1 - i) & 0x3FFF for i in range(degree)]
    product = [0] * (2 * degree)
    for i, left in enumerate(s2):
        for j, right in enumerate(coefficients):
            product[i + j] += left * right
    c = _hash_to_point(own[1:41] + mu, degree)
    s1 = [(c[i] - product[i] + product[i + degree]) % Q for i in range(degree)]
    norm = sum(min(value, Q - value) ** 2 for value in s1) + sum(value**2 for value in s2)
    return norm <= BOUNDS[degree]


def _uncompress(body: bytes, degree: int) -> list[int]:
    """Each coefficient: its sign, seven low bits, the rest in unary; then zeros."""
    bits = [byte >> i & 1 for byte in body for i in range(8)]
    found, place = [], 0
    for _ in range(degree):
        end = bits.index(1, place + 8)
        low = sum(bit << i for i, bit in enumerate(bits[place + 1 : place + 8]))
        magnitude = (end - place - 8) << 7 | low
        found.append(-magnitude if bits[place] else magnitude)
        place = end + 1
    assert not any(bits[place:])
    return found


def _hash_to_point(data: bytes, degree: int) -> list[int]:
    stream = hashlib.shake_256(data).digest(4 * degree)  # half of it would nearly do
    words = [int.from_bytes(stream[i : i + 2], "little") for i in range(0, len(stream), 2)]
    return [word % Q for word in words if word < 5 * Q][:degree]


def _unpack(data: bytes, width: int) -> list[int]:
    bits = int.from_bytes(data, "little")
    return [bits >> width * i & (1 << width) - 1 for i in range(8 * len(data) // width)]


def _pack(values: Sequence[int], width: int) -> bytes:
    return _bytes(value >> i & 1 for value in values for i in reversed(range(width)))


def _bytes(bits: Iterable[int]) -> bytes:
    text = "".join(map(str, bits))
    return int(text, 2).to_bytes(len(text) // 8, "big")


def _signed(values: Sequence[int], width: int) -> list[int]:
    return [value - (1 << width) if value >> (width - 1) else value for value in values]


def _values(polynomial: Sequence[int], root: int) -> list[int]:
    found = []
    for i in range(len(polynomial)):
        x, value = pow(root, 2 * i + 1, Q), 0
        for coefficient in reversed(polynomial):
            value = (value * x + coefficient) % Q
        found.append(value)
    return found
