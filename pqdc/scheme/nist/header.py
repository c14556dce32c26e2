"""The sizes in an api.h of NIST's call interface: `#define CRYPTO_BYTES 2420`. No C compiler is asked.

A value may be a sum or a product of numbers and of names that the same file defines; a prefix before the name, as in
`PQCLEAN_MLDSA44_CLEAN_CRYPTO_BYTES`, is passed over.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

__all__ = ["SIZES", "read_sizes"]

# The name in the header, and the fact about a scheme that it is.
SIZES: Mapping[str, str] = {
    "CRYPTO_PUBLICKEYBYTES": "public_key_bytes",
    "CRYPTO_SECRETKEYBYTES": "private_key_bytes",
    "CRYPTO_BYTES": "signature_bytes",
}
LONGEST_VALUE = 200  # characters of a macro
LARGEST = 2**32
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(.*?)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_SUFFIX = re.compile(r"(?<=[0-9a-fA-F])[uUlL]+\b")
_OPERATORS: Mapping[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,  # of C, for what is not negative
}


def read_sizes(text: str, prefix: str = "") -> dict[str, int]:
    """The sizes that an api.h defines as numbers, by the names of the facts.

    Args:
        text: the header.
        prefix: the one to choose where several schemes are in one header, in any case.

    Raises:
        ValueError: two prefixes define a size differently.
    """
    numbers = _Numbers(dict(_DEFINE.findall(_COMMENT.sub(" ", text))))
    sizes: dict[str, int] = {}
    for name, fact in SIZES.items():
        candidates = [key for key in numbers.texts if key.endswith(name)]
        own = [key for key in candidates if prefix and key.casefold() == prefix.casefold() + name.casefold()]
        values = sorted({value for key in own or candidates if (value := numbers.value(key)) is not None})
        if len(values) > 1:
            raise ValueError(f"{name} is {' and '.join(map(str, values))}")
        if values:
            sizes[fact] = values[0]
    return sizes


class _Numbers:
    """The macros of a header, as far as they are numbers; each is computed once, and none through itself."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self._known: dict[str, int | None] = {}

    def value(self, name: str) -> int | None:
        """The number that a macro stands for; None if that takes more than the file and a little arithmetic."""
        if name not in self._known:
            self._known[name] = None
            try:
                tree = ast.parse(_SUFFIX.sub("", self.texts.get(name, "").strip())[:LONGEST_VALUE], mode="eval")
                self._known[name] = self._compute(tree.body)
            except (SyntaxError, ValueError, TypeError, ZeroDivisionError, RecursionError, MemoryError):
                pass
        return self._known[name]

    def _compute(self, node: ast.expr) -> int | None:
        match node:
            case ast.Constant(value=int(number)) if number < LARGEST:
                return number
            case ast.Name(id=name):
                return self.value(name)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
                first, second = self._compute(left), self._compute(right)
                if first is None or second is None or max(first, second) >= LARGEST:
                    return None
                return _OPERATORS[type(sign)](first, second)
        return None
