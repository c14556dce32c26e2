"""Where figures come from: the machine, the versions, the commit and the file, as lines that every output carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pandas import DataFrame

from pqdc.report.result import Result

__all__ = ["Runs", "facts_of", "letters", "lines", "machine_of", "run_name"]


class Runs(dict[str, dict[str, Any]]):
    """What is known of each run besides its rows. Nobody changes it, so frames made from each other share it."""

    def __deepcopy__(self, _: object) -> Runs:
        return self


def run_name(result: Result) -> str:
    """The file's name without its suffix: when the run began, and the commit."""
    return result.name.removesuffix(".gz").removesuffix(".json")


def letters(frame: DataFrame) -> dict[str, str]:
    """The letter by which an output calls each run, in the order given."""
    return {run: f"{chr(ord('A') + i % 26)}{i // 26 or ''}" for i, run in enumerate(frame.attrs["runs"])}


def facts_of(result: Result) -> dict[str, Any]:
    """What the rows of a run do not say of it."""
    loads = [load for process in result.processes for load in (*process.load_before[:1], *process.load_after[:1])]
    return {
        "file": result.name,
        "sha256": result.sha256,
        "started": result.started,
        "command": result.command,
        "complete": result.complete,
        "processes": len(result.processes),
        "failed_processes": [process.reason for process in result.processes if process.reason],
        "seconds": sum(process.seconds for process in result.processes),
        "load": (min(loads), max(loads)) if loads else None,
        "cpus": sorted({cpu for process in result.processes for cpu in process.cpus}),
        "disturbed": sum(process.alone is False for process in result.processes),
        "stolen": max((process.stolen for process in result.processes), default=0.0),
        "slowed": max((process.slowed for process in result.processes), default=0.0),
        "aside": max((process.aside for process in result.processes), default=0.0),
        "plan": dict(result.plan),
        "environment": dict(result.environment),
        "backends": sorted({cell.backend for cell in result.cells.values() if cell.scheme}),
    }


def machine_of(result: Result) -> str:
    """The machine in a line."""
    machine = _table(result.environment, "machine")
    model = machine.get("cpu_family_model_stepping")
    flags = machine.get("flags") or ()
    return ", ".join(
        (
            f"{machine.get('cpu') or 'unknown CPU'}{f' ({model})' if model else ''}",
            f"{machine.get('cpus', '?')} CPUs{', virtual' if 'hypervisor' in flags else ''}",
            str(machine.get("kernel") or "unknown kernel"),
        )
    )


def lines(facts: Mapping[str, Any], machine: str) -> Iterator[str]:
    """A run's provenance: machine, software, file; and what is missing of it."""
    conditions = [
        f"{name} {value}"
        for name in ("governor", "turbo", "smt")
        if (value := _table(facts["environment"], "machine").get(name))
    ]
    if facts["load"]:
        conditions.append("load {:.1f} to {:.1f}".format(*facts["load"]))
    if facts["cpus"]:
        conditions.append(f"pinned to CPU {' or '.join(map(str, facts['cpus']))}")
    if facts["stolen"]:
        conditions.append(f"up to {facts['stolen'] * 100:.1f} % of the time stolen by the hypervisor")
    if facts["aside"] or facts["slowed"]:
        conditions.append(
            f"neighbours on the core made processes wait up to {facts['aside'] * 100:.0f} % of their time, "
            f"and took up to {facts['slowed'] * 100:.0f} % of what counts"
        )
    yield ", ".join((machine, *conditions))
    yield ", ".join(software(facts))
    count = facts["processes"]
    yield (
        f"{facts['file']} (SHA-256 {facts['sha256'][:16]}), {facts['started']}: "
        f"{count} {'process' if count == 1 else 'processes'}, seed {facts['plan'].get('seed', 'unknown')}."
        + (" One process: nothing can be said of how stable its times are." if count == 1 else "")
    )
    if facts["disturbed"]:
        yield f"Another run measured on the machine at the same time, beside {facts['disturbed']} of the processes."
    if absent := {name: reason for name, reason in _table(facts["environment"], "counters").items() if reason}:
        yield f"{' and '.join(absent).capitalize()} are absent: {'; '.join(dict.fromkeys(absent.values()))}."
    if not facts["complete"]:
        reasons = "; ".join(dict.fromkeys(facts["failed_processes"]))
        yield f"The run is not complete: it was stopped, or a process failed{f' ({reasons})' if reasons else ''}."
    if unknown := [name for name in facts["backends"] if not _versions(facts, name)]:
        yield f"The file does not say which version of {' and '.join(unknown)} computed."


def software(facts: Mapping[str, Any]) -> Iterator[str]:
    """Its versions: pqdc with its commit, Python, every library with its compiler."""
    environment = facts["environment"]
    pqdc = _table(environment, "pqdc")
    commit = str(pqdc.get("commit") or "")[:7]
    dirty = " with changes" if pqdc.get("dirty") else ""
    yield f"pqdc {pqdc.get('version', '?')}{f' at {commit}{dirty}' if commit else ''}"
    yield f"Python {_table(environment, 'python').get('version', '?')}"
    for name in _table(environment, "backends"):
        for library, version in _versions(facts, name).items():
            yield str(version) if str(version).startswith(library) else f"{library} {version}"
        if compiler := _table(_table(_table(environment, "backends"), name), "build").get("compiler"):
            yield f"built by {compiler}"


def _versions(facts: Mapping[str, Any], backend: str) -> Mapping[str, Any]:
    return _table(_table(_table(facts["environment"], "backends"), backend), "versions")


def _table(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table within a table; an empty one where there is none: environments of older files say less."""
    found = parent.get(name)
    return found if isinstance(found, dict) else {}
