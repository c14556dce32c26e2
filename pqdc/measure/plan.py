"""What to run, as a value: it is written into the result, and can be run again from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from pqdc.errors import ResultError

__all__ = ["DEFAULT", "OPERATIONS", "PROCESSES", "QUICK", "THOROUGH", "VISIT", "VISITS", "Budget", "Plan"]

OPERATIONS: Final = (
    "keygen",
    "sign",
    "verify",
    "sign_cold",
    "verify_cold",
    "spki_decode",
    "pkcs8_encode",
    "pkcs8_decode",
    "mint",
    "dc_verify",
    "dc_encode",
    "dc_decode",
    "handshake_client",
    "handshake_server",
    "handshake_bytes",
    "counts",
    "account",
    "key_objects",
    "empty",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long one cell may take in one process, all visits together, and how many samples it gets within that.

    Attributes:
        milliseconds: to spend on the samples of a cell; preparation may take as long again, and SCATTERED_SHARES times
            as long is spent where times scatter by nature, as those of rejection sampling do.
        least: samples, however slow the operation is.
        most: samples, however fast it is.
        usual: samples of an operation that always takes the same time.
        precision: the standard error of the median, relative to it, for which others get more.
    """

    milliseconds: int
    least: int
    most: int
    usual: int = 50
    precision: float = 0.01

    def rounds(self, estimate_ns: float, *, share: float = 1.0, scatter: float | None = None) -> int:
        """How many samples of an operation that takes about `estimate_ns` to take, within a `share` of the budget.

        Args:
            estimate_ns: with all that a sample costs besides.
            share: of the milliseconds.
            scatter: the standard deviation of its times, relative to them; as many as there is time for if unknown.
        """
        shares = SCATTERED_SHARES if scatter is not None and scatter > SCATTERED else 1
        affordable = shares * self.milliseconds * 1e6 * share / max(estimate_ns, 1.0)
        wanted = self.most if scatter is None else max(self.usual, (MEDIAN_ERROR * scatter / self.precision) ** 2)
        return max(self.least, int(min(self.most, affordable, wanted)))


MEDIAN_ERROR: Final = 1.2533  # of a median, in standard deviations / sqrt(n): sqrt(pi / 2)
SCATTERED: Final = 0.1
SCATTERED_SHARES: Final = 4
QUICK: Final = Budget(milliseconds=8, least=1, most=100, usual=20, precision=0.05)
DEFAULT: Final = Budget(milliseconds=25, least=1, most=3000, usual=24, precision=0.02)
THOROUGH: Final = Budget(milliseconds=1000, least=5, most=5000, usual=200, precision=0.005)
PROCESSES: Final = 10
VISITS: Final = 3
VISIT: Final = "visit"  # of a task, its parameter's name with its number
ENDLESS: Final = 1e9  # turns: processes one after the other
SLOW: Final = 5
DEAR: Final = frozenset({"sign_cold"})  # operations that only a thorough run has unasked
BESIDES: Final = DEAR | {
    *("verify_cold", "spki_decode", "pkcs8_encode", "pkcs8_decode", "dc_encode", "dc_decode"),
    *("counts", "account", "key_objects"),
}  # those that a quick look leaves out


def _without(some: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in OPERATIONS if name not in some)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run.

    Attributes:
        schemes: canonical names.
        operations: of OPERATIONS.
        processes: fresh ones, each visiting every cell in an order of its own.
        visits: of a process to a cell whose times it samples, each at another moment, in one shuffled order: what comes
            and goes for longer than a cell takes, and shifts all of its samples alike, then meets few of them.
        budget: of a cell in a process.
        leaf_scheme: the canonical name of the leaf's scheme.
        seed: of the orders and the messages.
        pin: each process to one CPU, where the system lets it.
        slow_processes: how many measure a scheme whose key or signature takes longer than `slow_ns`: the first ones.
        patience: how much longer a process may take for the sake of quiet, as a share of its time.
        turn_seconds: that a process measures before the next one of those that take turns with it.
    """

    schemes: tuple[str, ...]
    operations: tuple[str, ...] = _without(DEAR)
    processes: int = PROCESSES
    visits: int = VISITS
    budget: Budget = DEFAULT
    leaf_scheme: str = "ECDSA-P256"
    seed: int = 0
    pin: bool = True
    slow_processes: int = 3
    patience: float = 2.0
    turn_seconds: float = 2.0

    @property
    def slow_ns(self) -> float:
        """What is slow: as long as SLOW cells of others may take."""
        return SLOW * self.budget.milliseconds * 1e6

    @classmethod
    def quick(cls, schemes: tuple[str, ...], **changes: Any) -> Self:
        """A look: one process, under a minute for all schemes."""
        usual: dict[str, Any] = {
            "processes": 1,
            "visits": 1,
            "budget": QUICK,
            "operations": _without(BESIDES),
            "patience": 0.1,
        }
        return cls(schemes=schemes, **usual | changes)

    @classmethod
    def thorough(cls, schemes: tuple[str, ...], **changes: Any) -> Self:
        """For a paper: hours, and every operation."""
        usual: dict[str, Any] = {"processes": 20, "budget": THOROUGH, "operations": OPERATIONS, "slow_processes": 20}
        return cls(schemes=schemes, **usual | changes)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Plan:
        """From JSON.

        Raises:
            ResultError: it is no plan.
        """
        try:
            values = {"visits": 1, "turn_seconds": ENDLESS, **table}  # plans of before there were others
            budget = Budget(**values.pop("budget"))
            plan = cls(
                schemes=tuple(values.pop("schemes")),
                operations=tuple(values.pop("operations")),
                budget=budget,
                **values,
            )
        except (TypeError, KeyError, ValueError) as error:
            raise ResultError(f"a plan wanted: {error}") from None
        if unknown := [name for name in plan.operations if name not in OPERATIONS]:
            raise ResultError(f"an operation of {', '.join(OPERATIONS)} wanted, got {unknown[0]!r}")
        return plan
