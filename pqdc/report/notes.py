"""What is said around a table: its title, where each run is from, how figures came to be, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pandas import DataFrame

from pqdc.report import figures, provenance
from pqdc.report.columns import TIMES_AS_MUCH, Column
from pqdc.report.statistics import CONFIDENCE, FEWEST, LOST, NOISY, STABLE

__all__ = ["FLAGS", "MARKS", "not_shown", "of_runs", "on_figures", "title"]

MARKS: Final = {"noisy": "?", "unstable": "??"}
FLAGS: Final = {"warning": "†", "broken": "‡"}
FLAG_NOTES: Final = {
    "warning": "attacks have cut into the claimed security level",
    "broken": "the claimed security level is lost",
}


def title(frame: DataFrame) -> str:
    """What is compared, and under which leaf."""
    leaves = [leaf or "an unknown scheme" for leaf in dict.fromkeys(frame["leaf_scheme"])]
    return f"Delegated credentials under a leaf of {' or '.join(leaves)}"


def of_runs(frame: DataFrame, letters: Mapping[str, str]) -> Iterator[str]:
    """The provenance of each run; of several, with its letter."""
    machines = dict(zip(frame["run"], frame["machine"], strict=True))
    for run, machine in machines.items():
        for line in provenance.lines(frame.attrs["runs"][run], machine):
            yield f"{letters[run]}: {line}" if len(letters) > 1 else line
    if len(set(machines.values())) > 1:
        yield "The runs are of different machines: compare rows of one letter with each other, not across letters."


def on_figures(frame: DataFrame, level: str, base: tuple[str, str] | None, columns: Sequence[Column]) -> Iterator[str]:
    """How the figures came to be, and what the marks mean; lower is better for all of them."""
    yield from map("Lower is better. {}".format, _what_times_are(frame))
    looped = sorted(set(frame.loc[(frame["level"] == "native") & (frame["scheme"] != ""), "backend"]))
    if level == "native" and looped:
        yield (
            f"keygen, sign and verify by {' and '.join(looped)} are timed in a native loop; everything else through "
            "Python, as a user of pqdc pays for it. mint is a new key, its SPKI, and the leaf's signature."
        )
    else:
        yield "All times are through Python. mint is a new key, its SPKI, and the leaf's signature."
    if any(column.key.startswith("handshake") for column in columns):
        yield "A handshake is one in memory, with the leaf's chain checked: CPU time of each side, in one thread."
    yield from _overheads(frame)
    lengths = sorted(set(frame["message_bytes"].dropna().astype(int)))
    if lengths:
        yield f"The message signed is a CertificateVerify input of {' or '.join(map(str, lengths))} bytes."
    if any(column.kind == "size" for column in columns):
        yield (
            "Bytes (B) are counted in serialised handshakes, medians where signatures vary in length; added to flight: "
            "handshake messages without record headers, against the same leaf without a credential."
        )
    if base:
        scheme, backend = base
        yield f"Columns with {TIMES_AS_MUCH}: how many times the figure of {scheme} by {backend} in the same run."
    verdicts = set(frame["verdict"])
    if verdicts - {"", "one process"}:
        yield (
            f"Verdict: stable if the processes lie at most {STABLE * 100:.0f} % apart (standard deviation, beyond what "
            "their own scatter explains) and two standard errors of the median are no more; noisy (?) up to "
            f"{NOISY * 100:.0f} %, else unstable (??); lower where others took much of the time; of a row that of its "
            "worst time."
        )
    if slowed := int((frame["disturbed"] > 0).sum()):
        yield (
            f"Processes that others took more than {LOST[0] * 100:.0f} % of the time from do not count for {slowed:,} "
            f"of {len(frame):,} figures; enough others were left."
        )
    for flag, mark in FLAGS.items():
        if flag in set(frame["security_flag"]):
            yield f"{mark} {FLAG_NOTES[flag]}."


def _what_times_are(frame: DataFrame) -> Iterator[str]:
    processes = {facts["processes"] for facts in frame.attrs["runs"].values()}
    if max(processes) >= FEWEST:
        yield (
            "Times are the median of the processes' medians ± the larger half of its "
            f"{CONFIDENCE * 100:.0f} % interval (bootstrap of the processes)."
        )
    if min(processes) < FEWEST:
        few = f" of a run of fewer than {FEWEST} processes" if max(processes) >= FEWEST else ""
        yield f"Times{few} are median ± MAD (median absolute deviation of all samples)."


def not_shown(frame: DataFrame, columns: Sequence[Column]) -> Iterator[str]:
    """What was measured, and is in no column."""
    shown = {column.key for column in columns}
    measured = dict.fromkeys(frame.loc[(frame["scheme"] != "") & (frame["operation"] != ""), "operation"])
    if hidden := [operation for operation in measured if operation not in shown]:
        yield f"Measured and not shown: {', '.join(hidden)}."


def _overheads(frame: DataFrame) -> Iterator[str]:
    """What an empty operation costs on each path."""
    empty = frame[(frame["operation"] == "empty") & (frame["n"] > 0)]
    found: dict[str, list[Any]] = {}
    for level, median in zip(empty["level"], empty["median"], strict=True):
        found.setdefault("natively" if level == "native" else "through Python", []).append(median)
    told = [f"{' or '.join(dict.fromkeys(map(figures.duration, medians)))} {where}" for where, medians in found.items()]
    if told:
        yield f"An operation that does nothing takes {' and '.join(told)}; this is not subtracted."
