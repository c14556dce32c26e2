"""What to run, as a value: it is written into the result, and can be run again from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pqdc.errors import ResultError

__all__ = ["DEFAULT", "OPERATIONS", "QUICK", "Budget", "Plan"]

OPERATIONS: Final = (
    "keygen",
    "sign",
    "verify",
    "mint",
    "dc_verify",
    "dc_encode",
    "dc_decode",
    "handshake_client",
    "handshake_server",
    "handshake_bytes",
    "empty",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long one cell may take in one process, and how many samples it gets whatever that takes.

    Attributes:
        milliseconds: to spend on the samples of a cell; preparation may take as long again.
        least: samples, however slow the operation is.
        most: samples, however fast it is.
    """

    milliseconds: int
    least: int
    most: int

    def rounds(self, estimate_ns: float, *, share: float = 1.0) -> int:
        """How many samples of an operation that takes about `estimate_ns` fit into a `share` of the budget."""
        affordable = int(self.milliseconds * 1e6 * share / max(estimate_ns, 1.0))
        return max(self.least, min(self.most, affordable))


QUICK: Final = Budget(milliseconds=20, least=1, most=100)
DEFAULT: Final = Budget(milliseconds=150, least=3, most=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run.

    Attributes:
        schemes: canonical names.
        operations: of OPERATIONS.
        processes: fresh ones, each visiting every cell in an order of its own.
        budget: of a cell in a process.
        leaf_scheme: the canonical name of the leaf's scheme.
        seed: of the orders and the messages.
    """

    schemes: tuple[str, ...]
    operations: tuple[str, ...] = OPERATIONS
    processes: int = 5
    budget: Budget = DEFAULT
    leaf_scheme: str = "ECDSA-P256"
    seed: int = 0

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
            values = dict(table)
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
