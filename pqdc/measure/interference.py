"""What others took of a process's time: the run queue, the hypervisor, and how often it was made to wait.

Read before and after a cell. What the system does not tell counts as nothing, so a verdict is never lowered by guess.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Interference", "pin", "read"]

SCHEDSTAT = Path("/proc/self/schedstat")  # of the main thread: ns on a CPU, ns waiting for one, slices
STAT = Path("/proc/stat")
STEAL = 8  # "cpuN user nice system idle iowait irq softirq steal"
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference:
    """Totals since some start; two of them differ by what came between.

    Attributes:
        elapsed_ns: of the clock.
        waited_ns: ready to run, while another process did.
        stolen_ns: of this CPU, by the hypervisor; in ticks of 10 ms mostly.
        switches: involuntary ones.
    """

    elapsed_ns: int
    waited_ns: int
    stolen_ns: int
    switches: int

    def since(self, before: Interference) -> dict[str, int]:
        """What came between, for JSON."""
        earlier = asdict(before)
        return {name: max(0, value - earlier[name]) for name, value in asdict(self).items()}


def pin() -> int | None:
    """Stay on one CPU, the last of those allowed (the first serve most interrupts); None where that cannot be."""
    try:
        cpu = max(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cpu})
    except (AttributeError, OSError):
        return None
    return cpu


def read(cpu: int | None) -> Interference:
    """As of now; the hypervisor's share is that of `cpu`, or of all of them if it is None."""
    return Interference(
        elapsed_ns=time.monotonic_ns(),
        waited_ns=_waited_ns(),
        stolen_ns=_stolen_ns("cpu" if cpu is None else f"cpu{cpu}"),
        switches=resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw,
    )


def _waited_ns() -> int:
    try:
        return int(SCHEDSTAT.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _stolen_ns(name: str) -> int:
    try:
        lines = STAT.read_text(encoding="ascii").splitlines()
        fields = next(line.split() for line in lines if line.startswith(f"{name} "))
        return int(fields[STEAL]) * NANOSECONDS // os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return 0
