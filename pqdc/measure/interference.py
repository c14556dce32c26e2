"""What others took of a process's time: the run queue, the hypervisor, and how often it was made to wait.

Read before and after a cell. What the system does not tell counts as nothing, so a verdict is never lowered by guess.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["MOST_CPUS", "Interference", "cores", "pin", "read"]

MOST_CPUS = 4
SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
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
        stolen_ns: of these CPUs, by the hypervisor; in ticks of 10 ms mostly.
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


def cores() -> list[int]:
    """CPUs to be pinned to, each of another core: the last of those allowed (the first serve most interrupts).

    At most MOST_CPUS; none where the system pins no process.
    """
    try:
        allowed = sorted(os.sched_getaffinity(0), reverse=True)
        pin(allowed[0])
        os.sched_setaffinity(0, allowed)
    except (AttributeError, OSError):
        return []
    by_core = {_siblings(cpu): cpu for cpu in reversed(allowed)}  # the last of each
    return sorted(by_core.values(), reverse=True)[:MOST_CPUS]


def _siblings(cpu: int) -> str:
    """The CPUs that are threads of the same core; itself alone where the system does not tell."""
    try:
        return Path(SIBLINGS.format(cpu)).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return str(cpu)


def pin(cpu: int) -> None:
    """Stay there.

    Raises:
        OSError: it is not allowed.
    """
    os.sched_setaffinity(0, {cpu})


def read(cpus: Sequence[int]) -> Interference:
    """As of now; the hypervisor's share is that of `cpus`, or of all there are if it names none."""
    return Interference(
        elapsed_ns=time.monotonic_ns(),
        waited_ns=_waited_ns(),
        stolen_ns=_stolen_ns({f"cpu{cpu}" for cpu in cpus} or {"cpu"}),
        switches=resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw,
    )


def _waited_ns() -> int:
    try:
        return int(SCHEDSTAT.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _stolen_ns(names: set[str]) -> int:
    try:
        lines = map(str.split, STAT.read_text(encoding="ascii").splitlines())
        ticks = sum(int(fields[STEAL]) for fields in lines if fields and fields[0] in names)
        return ticks * NANOSECONDS // os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0
