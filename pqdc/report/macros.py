r"""LaTeX macros: one for each figure, so that a text cites `\pqdcMintMLDSAfortyfour` and never a number of its own.

Names are letters only. Two figures never share one: where they would, both get a suffix made of what they are.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pqdc.errors import ResultError
from pqdc.report import figures
from pqdc.report.columns import Column
from pqdc.report.figures import BYTES, Unit
from pqdc.report.latex import escape
from pqdc.report.table import Entry, Table

__all__ = ["Macros", "spelled", "unique"]

ONES: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
TEENS: Final = ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS: Final = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SUFFIX_LETTERS: Final = 8


class Macros:
    """For the preamble; wants siunitx, version 3."""

    name = "macros"

    def render(self, table: Table) -> str:
        r"""A comment that tells the names, then `\newcommand` upon `\newcommand`."""
        found = list(_figures(table))
        names = unique([(figure.name, figure.identity) for figure in found])
        lines = [f"% {' '.join(line.split())}" for line in (table.title, *table.provenance, *HEAD)]
        for name, figure in zip(names, found, strict=True):
            lines.append(rf"\newcommand{{\{name}}}{{{figure.text}}} % {figure.identity}")
        return "\n".join(lines) + "\n"


HEAD: Final = (
    "Names: pqdc, what (Sign), scheme (MLDSAfortyfour: digits are spelled, signs are dropped); then, where there are",
    "several, By and the backend, On and the run. Without By and On: the first backend and run that have the figure.",
    "SpreadSign: with what stands after ± in tables. Times are medians.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """What a macro stands for."""

    name: str
    identity: str
    text: str


def spelled(text: str) -> str:
    """Letters only: numbers as people say them (44 is fortyfour, 512 is fivetwelve), all else dropped."""
    return "".join(_number(part) if part.isdigit() else part for part in re.findall(r"[A-Za-z]+|[0-9]+", text))


def unique(names: list[tuple[str, str]], joint: str = "X") -> list[str]:
    """A name for each (name, identity): the one given, or, where several identities want it, with a suffix of letters.

    Raises:
        ResultError: one identity is there twice.
    """
    if twice := [identity for identity, count in Counter(identity for _, identity in names).items() if count > 1]:
        raise ResultError(f"{twice[0]!r} is there twice")
    wanted = Counter(name for name, _ in names)
    found = [f"{name}{joint}{_letters(identity)}" if wanted[name] > 1 else name for name, identity in names]
    if len(set(found)) < len(found):
        raise ResultError("two things would have one name", hint="rename a scheme")
    return found


def _letters(identity: str) -> str:
    digest = hashlib.sha256(identity.encode()).digest()
    return "".join(chr(ord("a") + byte % 26) for byte in digest[:SUFFIX_LETTERS])


def _number(digits: str) -> str:
    """By pairs from the right: 1024 is tentwentyfour, 128 is onetwentyeight, 05 is zerofive."""
    head = len(digits) % 2
    pairs = ([digits[:head]] if head else []) + [digits[i : i + 2] for i in range(head, len(digits), 2)]
    return "".join(map(_pair, pairs))


def _pair(digits: str) -> str:
    value = int(digits)
    if len(digits) == 1:
        return ONES[value]
    if value < 10:
        return f"zero{ONES[value]}"
    if value <= 10:
        return ONES[value]
    if value < 20:
        return TEENS[value - 11]
    return TENS[value // 10] + (ONES[value % 10] if value % 10 else "")


def _figures(table: Table) -> Iterator[_Figure]:
    """Every figure of the table; the first of a scheme also under a name without backend and run."""
    runs = {row.run for row in table.rows}
    backends: dict[str, set[str]] = defaultdict(set)
    for row in table.rows:
        backends[row.facts["scheme"]].add(row.backend)
    seen: set[tuple[str, str]] = set()
    for row in table.rows:
        scheme = row.facts["scheme"]
        where = [("By", "by", row.backend)] if len(backends[scheme]) > 1 else []
        where += [("On", "on", row.run)] if len(runs) > 1 else []
        marks = "".join(mark + spelled(name) for mark, _, name in where)
        told = "".join(f" {word} {name}" for _, word, name in where)
        for column in table.columns:
            entry = row.entries[column.key]
            if entry.value is None or not column.numeric:
                continue
            what = "".join(part.capitalize() for part in column.key.split("_"))
            stem, identity = f"{spelled(what)}{spelled(scheme)}", f"{column.key} of {scheme}"
            places = [(stem + marks, identity + told)] if where else []
            if (scheme, column.key) not in seen:
                places.append((stem, identity))
                seen.add((scheme, column.key))
            for name, which in places:
                yield _Figure(name=f"pqdc{name}", identity=which, text=_text(entry, column))
                if entry.spread and entry.figure and entry.figure["n"] >= figures.FEWEST:
                    text = _text(entry, column, spread=True)
                    yield _Figure(name=f"pqdcSpread{name}", identity=f"spread of {which}", text=text)


def _text(entry: Entry, column: Column, *, spread: bool = False) -> str:
    value = entry.value or 0.0
    if column.kind == "ratio":
        return rf"\num{{{_digits(value, figures.places(value))}}}"
    if not column.measured or column.kind == "size":
        return rf"\qty{{{round(value)}}}{{\byte}}" if column.unit is BYTES else escape(str(round(value)))
    unit: Unit = figures.time_unit([value]) if column.kind == "time" else column.unit
    scaled = value / unit.size
    if not spread or entry.figure is None:
        return rf"\qty{{{_digits(scaled, figures.places(scaled))}}}{{{unit.siunitx}}}"
    mad = entry.figure["plus_minus"] / unit.size
    place = figures.places_with(scaled, mad)
    return rf"\qty[separate-uncertainty]{{{_digits(scaled, place)} +- {_digits(mad, place)}}}{{{unit.siunitx}}}"


def _digits(value: float, place: int) -> str:
    return figures.number(value, place).replace(",", "")
