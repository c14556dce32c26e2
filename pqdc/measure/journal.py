"""What a measuring process tells the one that started it, a line of JSON at a time, so that nothing measured is lost.

Times are integers, in nanoseconds; what is no time at all (not finite, negative) becomes null.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

from pqdc.measure.pace import Taken

__all__ = ["Journal", "Recorder", "nanoseconds"]


class Journal:
    """Lines to a file descriptor; to nowhere if there is none."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def write(self, **entry: Any) -> None:
        """Write a line, whole. A reader that has gone ends this process: nobody wants what it would measure."""
        if self._descriptor is None:
            return
        data = memoryview(json.dumps(entry, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except BrokenPipeError:
            os._exit(1)


class Recorder:
    """Takes the samples of one cell."""

    def __init__(self, cell: Mapping[str, str]) -> None:
        self._cell = dict(cell)
        self.rows: list[dict[str, Any]] = []
        self.slowed = 0.0

    def times(
        self, benchmark: Any, taken: Taken[int], *, message_bytes: int | None = None, keys: int | None = None
    ) -> None:
        """The samples that pytest-benchmark's fixture holds, none if benchmarks are disabled; how they were taken."""
        benchmark.extra_info.update(level=self._cell["level"], backend=self._cell["backend"])
        if message_bytes is not None:
            benchmark.extra_info["message_bytes"] = message_bytes
        if keys is not None:
            benchmark.extra_info["keys"] = keys
        if benchmark.stats is not None:
            samples = [nanoseconds(seconds) for seconds in benchmark.stats.stats.data]
            self.slowed = taken.slowed
            aside = [*taken.aside] or None
            self._add(unit="ns", samples=samples, aside=aside, message_bytes=message_bytes, keys=keys)

    def sizes(self, operation: str, samples: Iterable[int], *, method: str | None = None) -> None:
        """Lengths in bytes, under a name of their own."""
        self._add(unit="bytes", samples=list(samples), operation=operation, level="bytes", method=method)

    def counts(self, operation: str, samples: Iterable[int], *, unit: str) -> None:
        """What pytest-benchmark has no part in, under a name of its own."""
        self._add(unit=unit, samples=list(samples), operation=operation)

    def _add(self, **facts: Any) -> None:
        self.rows.append(self._cell | {key: value for key, value in facts.items() if value is not None})


def nanoseconds(seconds: float) -> int | None:
    """Whole nanoseconds, or None for what cannot be a time."""
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return round(seconds * 1e9)
