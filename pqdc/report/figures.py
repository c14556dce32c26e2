"""Numbers as people read them: three digits, the spread to the same place, one unit for a whole column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, isfinite, log10
from statistics import median
from typing import Final

__all__ = ["BYTES", "ONE", "Unit", "duration", "number", "places", "places_with", "ratio", "time_unit", "with_spread"]

DIGITS: Final = 3
FEWEST: Final = 3  # samples that have a spread
PLUS_MINUS: Final = "±"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What a column counts in.

    Attributes:
        name: as it is printed; empty for plain numbers.
        size: how many nanoseconds, or bytes, make one.
        siunitx: the same for LaTeX.
    """

    name: str
    size: int = 1
    siunitx: str = ""


ONE: Final = Unit(name="")
BYTES: Final = Unit(name="B", siunitx=r"\byte")
TIMES: Final = (
    Unit(name="s", size=1_000_000_000, siunitx=r"\second"),
    Unit(name="ms", size=1_000_000, siunitx=r"\milli\second"),
    Unit(name="µs", size=1_000, siunitx=r"\micro\second"),
    Unit(name="ns", size=1, siunitx=r"\nano\second"),
)


def time_unit(nanoseconds: Iterable[float]) -> Unit:
    """The unit that suits the middle one of these times: the largest in which it is at least one."""
    found = [value for value in nanoseconds if value > 0 and isfinite(value)]
    middle = median(found) if found else 1
    return next((unit for unit in TIMES if middle >= unit.size), TIMES[-1])


def places(value: float) -> int:
    """Decimal places that make three digits; negative where digits before the point are rounded."""
    if not value or not isfinite(value):
        return DIGITS - 1
    place = DIGITS - 1 - floor(log10(abs(value)))
    return place if abs(round(value, place)) < 10 ** (DIGITS - place) else place - 1


def places_with(value: float, spread: float) -> int:
    """The same, or up to two more where less would round a spread to nothing."""
    place = places(value)
    if spread > 0 and not round(spread, place):
        return min(place + 2, -floor(log10(spread)))
    return place


def number(value: float, place: int) -> str:
    """`1,230`: rounded to that place, with commas."""
    return f"{round(value, place):,.{max(place, 0)}f}"


def with_spread(value: float, spread: float, count: int, unit: Unit) -> tuple[str, str]:
    """`26.1` and `± 0.4`, in that unit; `1.23` and `(n = 1)` of so few samples that there is no spread."""
    scaled = value / unit.size
    if count < FEWEST:
        return number(scaled, places(scaled)), f"(n = {count})"
    place = places_with(scaled, spread / unit.size)
    return number(scaled, place), f"{PLUS_MINUS} {number(spread / unit.size, place)}"


def duration(nanoseconds: float) -> str:
    """`26.1 µs`: a time by itself."""
    unit = time_unit([nanoseconds * 1.0005])  # 999.9 ns is 1.00 µs to three digits
    scaled = nanoseconds / unit.size
    return f"{number(scaled, places(scaled))} {unit.name}"


def ratio(value: float) -> str:
    """`1.35`: three digits."""
    return number(value, places(value))
