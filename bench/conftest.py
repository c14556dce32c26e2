"""The cells: every benchmark for every scheme and each backend that computes it here.

`pqdc bench` hands in a plan and reads, line by line, what each cell gave; `pytest bench -k Falcon` does without.
Parameters are names only, as pytest-benchmark writes them into its JSON.
"""

from __future__ import annotations

import gc
import json
import os
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import malloc
import pytest

from pqdc.credential import fit
from pqdc.errors import BackendUnavailable, PqdcError
from pqdc.measure import counters, interference
from pqdc.measure.journal import Journal, Recorder
from pqdc.measure.pace import Pace
from pqdc.measure.plan import QUICK, VISIT, Plan
from pqdc.measure.turns import Turns
from pqdc.measure.workbench import Stock, Workbench
from pqdc.scheme import backends
from pqdc.scheme.catalog import load_catalog


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `pqdc bench` hands in."""
    group = parser.getgroup("pqdc")
    group.addoption("--pqdc-plan", type=Path, metavar="FILE", help="a plan, JSON; every scheme in a quick look if none")
    group.addoption("--pqdc-process", type=int, default=0, metavar="N", help="the number of this process in the plan")
    group.addoption("--pqdc-pace", type=json.loads, default={}, metavar="NS", help="the best of each CPU so far, JSON")
    group.addoption("--pqdc-done", type=Path, metavar="FILE", help="tests that need not run again, JSON")
    group.addoption("--pqdc-journal", type=int, metavar="FD", help="where to write what each cell gives")
    group.addoption("--pqdc-turns", type=int, metavar="FD", help="where to read that it is this process's turn again")


def pytest_configure(config: pytest.Config) -> None:
    """Read the plan before anything is collected."""
    malloc.settle()
    config.addinivalue_line("markers", "cell(operation, level): what a benchmark measures, natively or through Python")
    named = [Path(name) for name in os.environ.get("PQDC_ALGORITHMS", "").split(os.pathsep) if name]
    catalog = load_catalog(*named)
    if path := config.getoption("--pqdc-plan"):
        plan = Plan.from_dict(json.loads(path.read_bytes()))
    else:
        every = tuple(scheme.name for scheme in catalog.values() if scheme.benchmark)
        plan = Plan(schemes=every, budget=QUICK, visits=1)
    process = config.getoption("--pqdc-process")
    journal = config.stash[JOURNAL] = Journal(config.getoption("--pqdc-journal"))
    config.stash[TURNS] = Turns(config.getoption("--pqdc-turns"), plan.turn_seconds, journal)
    cpus = interference.cores() if path and plan.pin else []
    pace = Pace(patience=plan.patience, best_ns=config.getoption("--pqdc-pace"), cpus=cpus)
    config.stash[WORKBENCH] = Workbench(catalog, plan, process=process, now=datetime.now(UTC), pace=pace)


WORKBENCH = pytest.StashKey[Workbench]()
JOURNAL = pytest.StashKey[Journal]()
TURNS = pytest.StashKey[Turns]()


def pytest_benchmark_generate_machine_info() -> dict[str, Any]:
    """No host name; `pqdc bench` writes the environment down itself."""
    return {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each scheme and backend, where times are sampled for each visit; credentials only where they fit."""
    marker = metafunc.definition.get_closest_marker("cell")
    bench = metafunc.config.stash[WORKBENCH]
    if marker is None:
        return
    if "scheme" in metafunc.fixturenames:
        _with_schemes(metafunc, marker, bench)
    if "benchmark" in metafunc.fixturenames and bench.plan.visits > 1:
        visits = range(bench.plan.visits)
        metafunc.parametrize("visit", visits, ids=[f"{VISIT}{number + 1}" for number in visits])


def _with_schemes(metafunc: pytest.Metafunc, marker: pytest.Mark, bench: Workbench) -> None:
    pairs = []
    wanted = metafunc.config.getoption("--pqdc-process") < marker.kwargs.get("processes", bench.plan.processes)
    if wanted and marker.kwargs["operation"] in bench.plan.operations:
        for scheme in map(bench.catalog.__getitem__, bench.plan.schemes):
            if marker.kwargs.get("needs_fit") and fit.reason_against(scheme, _leaf_signature_bytes(bench)):
                continue
            if marker.kwargs.get("needs_spki") and not scheme.spki_oid:
                continue
            pairs += [(scheme.name, name) for name in backends.available(scheme) if _can(name, marker.kwargs)]
    metafunc.parametrize(("scheme", "backend"), pairs, ids=["-".join(pair) for pair in pairs])


def _leaf_signature_bytes(bench: Workbench) -> int:
    return bench.catalog[bench.plan.leaf_scheme].signature_bytes


def _can(name: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a backend does what a cell wants: time itself, count events, give an account of itself."""
    if wanted["level"] != "native":
        return True
    try:
        backend: Any = backends.load_backend(name)
    except BackendUnavailable:
        return False
    if wanted.get("accounts"):
        return getattr(getattr(backend, "library", None), "account", None) is not None
    if wanted.get("counts"):
        return getattr(backend, "counts", False) and not any(counters.reasons_against().values())
    return bool(getattr(backend, "native_loop", False))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under a plan: shuffle, by its seed and the number of the process; and tell the journal the order."""
    bench = config.stash[WORKBENCH]
    items[:] = [item for item in items if _operation(item) in bench.plan.operations and not _empty_set(item)]
    if config.getoption("--pqdc-plan"):
        random.Random(f"{bench.plan.seed}/{config.getoption('--pqdc-process')}/order").shuffle(items)  # noqa: S311
    config.stash[JOURNAL].write(tasks=[item.nodeid for item in items], cpus=bench.pace.cpus)
    if path := config.getoption("--pqdc-done"):
        done = set(json.loads(path.read_bytes()))
        items[:] = [item for item in items if item.nodeid not in done]


def _operation(item: pytest.Item) -> str:
    marker = item.get_closest_marker("cell")
    return str(marker.kwargs["operation"]) if marker else ""


def _empty_set(item: pytest.Item) -> bool:
    """Whether pytest put this here because there was nothing to put."""
    return "NOTSET" in item.nodeid


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The journal's last lines: the processor's pace, and that there is no more to come."""
    pace = session.config.stash[WORKBENCH].pace
    session.config.stash[JOURNAL].write(pace_ns=pace.best_ns, usual_pace_ns=pace.usual_ns)
    session.config.stash[JOURNAL].write(end=int(exitstatus))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """In turn; the journal knows what is running, and what has run, however it ended."""
    journal, bench = item.config.stash[JOURNAL], item.config.stash[WORKBENCH]
    bench.pace.pause(item.config.stash[TURNS].wait())
    journal.write(begin=item.nodeid, **_cell(item))
    result = yield
    journal.write(done=item.nodeid)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A cell that fails tells why."""
    report = yield
    if call.excinfo is not None and not report.skipped:  # type: ignore[attr-defined]
        error = call.excinfo.value
        reason = str(error) if isinstance(error, PqdcError) else f"{type(error).__name__}: {error}"
        item.config.stash[JOURNAL].write(failed=reason, **_cell(item))
    return report


def _cell(item: pytest.Item) -> dict[str, str]:
    marker = item.get_closest_marker("cell")
    parameters: dict[str, str] = getattr(getattr(item, "callspec", None), "params", {})
    return {
        "scheme": parameters.get("scheme", ""),
        "backend": parameters.get("backend", marker.kwargs.get("backend", "") if marker else ""),
        "operation": _operation(item),
        "level": marker.kwargs["level"] if marker else "",
    }


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """Garbage is collected between cells, never in one; what is none then stays, and need not be looked at again."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def visit() -> int:
    """The only one, where a cell has no more."""
    return 0


@pytest.fixture(autouse=True)
def at_the_cell(request: pytest.FixtureRequest, workbench: Workbench, visit: int) -> None:
    """The workbench knows where it stands."""
    workbench.cell, workbench.visit = tuple(_cell(request.node).values()), visit


@pytest.fixture
def workbench(request: pytest.FixtureRequest) -> Workbench:
    """This process's."""
    return request.config.stash[WORKBENCH]


@pytest.fixture
def stock(workbench: Workbench, scheme: str, backend: str) -> Stock:
    """Keys and the like of the cell's scheme; a scheme whose check fails is not timed."""
    return workbench.stock(scheme, backend)


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """Takes what the cell gives, and tells the journal, with what others took of its time."""
    recorder = Recorder(_cell(request.node))
    pace = request.config.stash[WORKBENCH].pace
    before, waited_ns = interference.read(pace.cpus), pace.waited_ns
    yield recorder
    took = interference.read(pace.cpus).since(before)
    took |= {"slowed_ns": round(recorder.slowed * took["elapsed_ns"]), "aside_ns": pace.waited_ns - waited_ns}
    request.config.stash[JOURNAL].write(rows=recorder.rows, interference=took)
