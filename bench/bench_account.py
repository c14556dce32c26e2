"""What an operation takes besides time: stack, heap and randomness of liboqs, and how large key objects are.

Little of it varies from process to process, so the first ones measure for all. Each cell runs in a process of its own,
as what it counts is a process's.
"""

from __future__ import annotations

from functools import cache

import pytest

from pqdc.measure import account
from pqdc.measure.journal import Recorder
from pqdc.measure.workbench import Stock, Workbench

SHARE = 0.2  # of a cell's budget, for each operation
PROCESSES = 3  # that measure: as few as have an interval


@pytest.mark.cell(operation="account", level="native", processes=PROCESSES, accounts=True)
def test_account(stock: Stock, record: Recorder) -> None:
    """The peaks of stack and heap, the bytes drawn, and the time that drawing them takes."""
    library = stock.backend.library  # type: ignore[attr-defined]
    milliseconds = max(1, int(SHARE * stock.bench.budget.milliseconds))
    name = stock.scheme.backends[stock.backend_name]

    def ask(count: int) -> list[dict[str, account.Account]]:
        return [account.of_scheme(library.account, name, milliseconds) for _ in range(count)]

    taken = stock.bench.pace.quietly(ask, 1, piece=1)
    record.slowed = taken.slowed
    for operation, of in taken.samples[-1].items():
        record.sizes(f"{operation}_stack", [of.stack_bytes], method=account.STACK_METHOD)
        record.sizes(f"{operation}_heap", [of.heap_bytes], method=account.HEAP_METHOD)
        record.sizes(f"{operation}_random_bytes", of.random_bytes)
        record.counts(f"{operation}_random", of.random_ns, unit="ns")


@pytest.mark.cell(operation="key_objects", level="python", processes=PROCESSES)
def test_key_objects(workbench: Workbench, stock: Stock, record: Recorder) -> None:
    """The memory that a key object takes, all that its library keeps for it included."""
    stock.check()
    public, private = _key_objects(workbench)[stock.scheme.name, stock.backend_name]
    record.sizes("public_key_object", [public], method=account.OBJECT_METHOD)
    record.sizes("private_key_object", [private], method=account.OBJECT_METHOD)


@cache
def _key_objects(workbench: Workbench) -> dict[tuple[str, str], tuple[int, int]]:
    """Of all schemes of the plan, by one process."""
    return account.of_key_objects(workbench.plan.schemes)
