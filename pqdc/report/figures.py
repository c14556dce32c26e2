"""Numbers as people read them: a median with its spread, in the unit that suits it, to three digits."""

from __future__ import annotations

__all__ = ["duration", "ratio", "with_spread"]

UNITS = (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000), ("ns", 1))


FEWEST = 3  # samples that have a spread


def with_spread(median_ns: float, spread_ns: float, count: int) -> str:
    """`26.1 ± 0.4 µs`: three digits of the median, and the spread to the same place; `1.23 s (n = 1)` if so few."""
    if count < FEWEST:
        return f"{duration(median_ns)} (n = {count})"
    name, size = _unit(median_ns)
    places = _places(median_ns / size)
    return f"{median_ns / size:,.{places}f} ± {spread_ns / size:,.{places}f} {name}"


def duration(nanoseconds: float) -> str:
    """`26.1 µs`."""
    name, size = _unit(nanoseconds)
    return f"{nanoseconds / size:,.{_places(nanoseconds / size)}f} {name}"


def ratio(value: float) -> str:
    """`1.35`: three digits."""
    return f"{value:,.{_places(value)}f}"


def _unit(nanoseconds: float) -> tuple[str, int]:
    """The largest in which the value, rounded to three digits, is at least one."""
    return next(((name, size) for name, size in UNITS if nanoseconds >= 0.9995 * size), UNITS[-1])


def _places(value: float) -> int:
    """Decimal places that make three digits."""
    return 2 if value < 9.995 else 1 if value < 99.95 else 0
