"""A plan is a value; processes are merged; what cannot be a time is none; what fails its check is not timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from pqdc.errors import FileError, ResultError, UnknownScheme
from pqdc.measure import outcome as outcomes
from pqdc.measure import seal
from pqdc.measure.clock import NativeClock
from pqdc.measure.diary import Diary
from pqdc.measure.environment import scrub
from pqdc.measure.facts import scheme_facts, select
from pqdc.measure.journal import Journal, Recorder, nanoseconds
from pqdc.measure.outcome import Outcome, Process
from pqdc.measure.pace import Pace, Taken
from pqdc.measure.plan import DEFAULT, ENDLESS, QUICK, Budget, Plan
from pqdc.measure.run import run
from pqdc.measure.workbench import MESSAGE_BYTES, CheckFailed, Workbench
from pqdc.resources import resource
from pqdc.scheme import backends
from pqdc.scheme.catalog import load_catalog

NOW = datetime(2026, 11, 25, 3, 12, 30, tzinfo=UTC)
CATALOG = load_catalog()
PLAN = Plan(schemes=("Ed25519",), operations=("sign", "empty"), processes=2, budget=QUICK, seed=7, turn_seconds=ENDLESS)


def new_outcome(plan: Plan = PLAN) -> Outcome:
    facts = [scheme_facts(CATALOG[name], CATALOG["P-256"]) for name in plan.schemes]
    return Outcome(plan=plan, command="pqdc bench", started=NOW, environment={}, schemes=facts)


def row(**changes: object) -> dict[str, object]:
    same = {"scheme": "Ed25519", "backend": "openssl", "level": "python", "operation": "sign", "unit": "ns"}
    return same | {"samples": [1, 2]} | changes


@pytest.mark.parametrize("budget", [QUICK, DEFAULT])
def test_a_plan_survives_json(budget: Budget):
    plan = Plan(schemes=("A", "B"), operations=("mint",), processes=3, budget=budget, leaf_scheme="Ed25519", seed=9)
    assert Plan.from_dict(json.loads(json.dumps(plan.as_dict()))) == plan


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"schemes": ["A"], "operations": ["sign"]},
        PLAN.as_dict() | {"operations": ["fly"]},
        PLAN.as_dict() | {"speed": 1},
        PLAN.as_dict() | {"budget": {"milliseconds": 1}},
    ],
)
def test_what_is_no_plan_is_refused(table: dict[str, object]):
    with pytest.raises(ResultError):
        Plan.from_dict(table)


@pytest.mark.parametrize(("estimate", "rounds"), [(1, 50), (1e6, 10), (4e6, 2), (1e9, 2), (0, 50)])
def test_slow_operations_get_few_samples_but_never_none(estimate: float, rounds: int):
    assert Budget(milliseconds=10, least=2, most=50).rounds(estimate) == rounds


def test_a_quick_operation_is_measured_in_several_pieces_each_warmed_up(monkeypatch):
    monkeypatch.syspath_prepend(resource("bench"))
    from sampling import PIECE_NS, PIECES, Course, course_after  # noqa: PLC0415 - where bench/ is on the path

    bench = SimpleNamespace(budget=Budget(milliseconds=20, least=1, most=5000, usual=40))
    quick = course_after(lambda count: [5000] * count, bench, estimate_ns=5000)
    assert quick == Course(rounds=40, piece=5, warm=PIECE_NS // 5000 - 5, settling=2)
    slow = course_after(lambda count: [10**6] * count, bench, estimate_ns=10**6)
    assert slow == Course(rounds=20, piece=1, warm=0, settling=2)
    assert course_after(lambda count: [10**6] * count, bench, estimate_ns=10**6, pieces=4).pieces == 4
    short = course_after(lambda count: [5000] * count, bench, estimate_ns=5000, share=0.1)
    assert short.rounds / short.piece == 0.1 * 20e6 / PIECE_NS < PIECES
    course = Course(rounds=6, piece=3, warm=2, settling=0)
    monkeypatch.setattr("pqdc.measure.pace._work_ns", lambda: 1000)  # nobody disturbs
    counted = course.run(lambda count: [*range(count)], Pace(patience=0))
    assert counted.samples == [2, 3, 4, 2, 3, 4]


@pytest.mark.parametrize(
    ("rounds", "piece", "parts"),
    [(40, 2, [14, 13, 13]), (3, 1, [1, 1, 1]), (2, 1, [1, 1, 0]), (3, 2, [2, 1, 0]), (20, 20, [20, 0, 0])],
)
def test_visits_share_the_samples_of_a_cell(monkeypatch, rounds: int, piece: int, parts: list[int]):
    monkeypatch.syspath_prepend(resource("bench"))
    from sampling import Course  # noqa: PLC0415 - as above

    course = Course(rounds=rounds, piece=piece, warm=0, settling=2)
    visits = [course.part(visit, 3) for visit in range(3)]
    assert [part.rounds for part in visits] == parts
    upcoming = iter(range(100))
    monkeypatch.setattr("pqdc.measure.pace._work_ns", lambda: 1000)  # nobody disturbs
    counted = visits[1].run(lambda count: [next(upcoming) for _ in range(count)], Pace(patience=0))
    assert counted.samples == [*range(2, 2 + parts[1])]


def test_a_visit_settles_unless_the_course_was_found_there(monkeypatch):
    monkeypatch.syspath_prepend(resource("bench"))
    from sampling import Course, course_of  # noqa: PLC0415 - as above

    cell, course = ("of this test",), Course(rounds=2, piece=1, warm=0, settling=2)
    for visit, settling in ((1, 0), (0, 2)):  # in whatever order they come
        bench = SimpleNamespace(visit=visit, plan=SimpleNamespace(visits=3))
        assert course_of(cell, bench, lambda: course)[1].settling == settling
    with pytest.raises(pytest.skip.Exception):
        course_of(cell, SimpleNamespace(visit=2, plan=SimpleNamespace(visits=3)), lambda: course)


def test_a_plan_of_before_there_were_visits_and_turns_is_measured_as_it_was():
    old = Plan(schemes=("Ed25519",)).as_dict()
    assert Plan.from_dict(old).visits > 1
    assert Plan.from_dict(old).turn_seconds < ENDLESS
    del old["visits"], old["turn_seconds"]
    assert Plan.from_dict(old).visits == 1
    assert Plan.from_dict(old).turn_seconds == ENDLESS


def test_times_that_scatter_get_more_samples_and_steady_ones_the_usual_number():
    budget = Budget(milliseconds=10, least=2, most=5000, usual=20, precision=0.01)
    assert budget.rounds(1e4, scatter=0.001) == 20
    assert budget.rounds(1e4, scatter=0.09) == 127
    assert budget.rounds(1e4, scatter=0.5) == 3926
    assert budget.rounds(1e5, scatter=0.5) == 400  # four times the budget


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1e-9, 1), (1.5, 1_500_000_000), (0.0, 0), (-1e-9, None), (float("nan"), None), (float("inf"), None)],
)
def test_what_is_no_time_is_none(seconds: float, expected: int | None):
    assert nanoseconds(seconds) == expected


def test_the_native_clock_gives_back_every_nanosecond():
    clock = NativeClock()
    for sample in (1, 23, 22_600, 1_234_567_891):
        before = clock()
        clock.advance(sample)
        assert nanoseconds(clock() - before) == sample
    clock.restart()
    assert clock() == 0


def test_the_journal_is_strict_json_a_line_each():
    reading, writing = os.pipe()
    Journal(writing).write(rows=[{"samples": [1, None]}])
    Journal(None).write(rows=[])
    os.close(writing)
    with os.fdopen(reading) as journal:
        assert [json.loads(line) for line in journal] == [{"rows": [{"samples": [1, None]}]}]
    with pytest.raises(ValueError, match="JSON compliant"):
        Journal(1).write(rows=[float("nan")])


def test_a_recorder_leaves_out_what_was_not_timed():
    recorder = Recorder({"operation": "sign", "level": "python", "backend": "b", "scheme": "s"})
    recorder.times(SimpleNamespace(stats=None, extra_info={}), Taken())  # --benchmark-disable
    assert recorder.rows == []
    recorder.sizes("dc", [5, 6])
    assert recorder.rows[0] | {"operation": "dc", "level": "bytes", "samples": [5, 6]} == recorder.rows[0]


def test_processes_are_merged_and_stay_apart():
    outcome = new_outcome()
    first = Process(started=NOW, load_before=[1.0], tasks=["b", "a"], rows=[row()], ended="complete")
    second = Process(started=NOW, load_before=[1.0], tasks=["a", "b"], ended="complete")
    second.rows = [row(samples=[3]), row(operation="empty", scheme="", samples=[4])]
    second.failures = [row(operation="verify", failed="its own signature does not verify") | {"samples": []}]
    outcome.processes = [first, second]
    table = outcome.as_dict()
    assert outcome.complete
    assert [table["tasks"][i] for i in table["processes"][0]["order"]] == ["b", "a"]
    cells = {cell["operation"]: cell for cell in table["cells"]}
    assert cells["sign"]["samples"] == [[1, 2], [3]]
    assert cells["empty"]["samples"] == [[], [4]]
    assert cells["verify"]["samples"] == [[], []]
    assert cells["verify"]["failed"] == "its own signature does not verify"
    assert outcome.measured == 2


def test_what_the_hypervisor_stole_is_shared_by_all_cells_and_what_others_took_is_each_ones_own():
    outcome = new_outcome(replace(PLAN, processes=1))
    process = Process(started=NOW, load_before=[], ended="complete")
    took = {"elapsed_ns": 1000, "waited_ns": 0, "stolen_ns": 0, "slowed_ns": 0}
    process.take({"rows": [row(operation="keygen")], "interference": took | {"stolen_ns": 200}})  # one tick, here
    process.take({"rows": [row(operation="sign")], "interference": took | {"slowed_ns": 100, "waited_ns": 50}})
    process.take({"rows": [row(operation="verify")], "interference": took | {"slowed_ns": 990}})
    process.take({"rows": [row(operation="mint")], "interference": took})
    outcome.processes = [process]
    cells = {cell["operation"]: cell for cell in outcome.as_dict()["cells"]}
    lost = {operation: cell["lost_ns"] for operation, cell in cells.items()}
    assert lost == {"keygen": [50], "sign": [200], "verify": [1000], "mint": [50]}


def test_a_run_is_complete_only_when_all_its_processes_are():
    outcome = new_outcome()
    outcome.processes = [Process(started=NOW, load_before=[], ended="complete")]
    assert not outcome.complete


def test_slow_schemes_are_measured_by_the_first_processes_only():
    outcome = new_outcome(replace(PLAN, processes=4, slow_processes=2))
    slow_ones = ["b.py::test_sign[Ed25519-openssl-visit1]", "b.py::test_mint[Ed25519-openssl]"]
    tasks = [*slow_ones, "b.py::test_sign[P-256-openssl-visit2]"]
    slow = row(samples=[round(outcome.plan.slow_ns) + 1])
    outcome.processes = [
        Process(started=NOW, load_before=[], tasks=tasks, rows=[slow, row(scheme="P-256")], ended="complete")
        for _ in range(4)
    ]
    assert outcome.left_out(1) == []
    assert outcome.left_out(2) == slow_ones * 2
    assert [len(process["order"]) for process in outcome.as_dict()["processes"]] == [3, 3, 1, 1]


def test_results_of_one_minute_do_not_overwrite_each_other(tmp_path: Path):
    names = []
    for _ in range(3):
        diary = Diary.begin(new_outcome(), tmp_path)
        names.append(diary.result.name)
        outcomes.write(new_outcome(), diary.result)
        diary.close(remove=True)
    assert len(set(names)) == 3
    assert all(name.startswith("2026-11-25T0312Z-") for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_a_folder_that_cannot_be_written_is_told_before_the_run(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="file"):
        outcomes.check_folder(tmp_path / "file" / "results")


def test_the_environment_is_sealed():
    hostile = {
        "PYTEST_ADDOPTS": "--collect-only",
        "PYTEST_PLUGINS": "evil",
        "PYTHONWARNINGS": "error",
        "COVERAGE_PROCESS_START": "x",
        "OQS_INSTALL_PATH": "here",
        "HOME": "/h",
    }
    sealed = seal.environment(hostile, [Path("mine.toml")])
    assert sealed == {
        "HOME": "/h",
        "OQS_INSTALL_PATH": str(Path("here").absolute()),
        "PQDC_ALGORITHMS": str(Path("mine.toml").absolute()),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("no file /home/me/secret/liboqs.so here", "no file liboqs.so here"),
        ("(/usr/lib/x.so: broken)", "(x.so: broken)"),
        ("1/2 of a/b, 3 and/or 4\nlines", "1/2 of a/b, 3 and/or 4 lines"),
        ("in ~/tests/x", "in x"),
    ],
)
def test_paths_are_scrubbed(text: str, clean: str):
    assert scrub(text) == clean


def test_schemes_left_out_of_tables_are_measured_when_named():
    hidden = next(scheme for scheme in CATALOG.values() if not scheme.benchmark)
    assert hidden not in select(CATALOG, ())
    assert select(CATALOG, [hidden.name, hidden.name]) == [hidden]
    assert {scheme.family for scheme in select(CATALOG, ["falcon"])} == {"Falcon"}
    assert [scheme.name for scheme in select(CATALOG, ["P-256", "ml-dsa-4*"])] == ["ECDSA-P256", "ML-DSA-44"]
    with pytest.raises(UnknownScheme) as caught:
        select(CATALOG, ["Falcn-512"])
    assert "Falcon-512" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["Ed25519", "ECDSA-P256", "ML-DSA-44", "Falcon-padded-512", "SPHINCS+-SHA2-128f-simple"]
)
def test_the_ledger_of_a_handshake_obeys_the_formula(name: str, monkeypatch):
    """Under a leaf whose signatures all have one length, to the byte."""
    monkeypatch.syspath_prepend(resource("bench"))
    from handshakes import pair_without_credential, pairs, shake_hands  # noqa: PLC0415 - where bench/ is on the path

    backend = next(iter(backends.available(CATALOG[name])), None)
    if backend is None:
        pytest.skip(f"nothing here computes {name}")
    plan = replace(PLAN, leaf_scheme="Ed25519")
    stock = Workbench(CATALOG, plan, process=0, now=datetime.now(UTC), pace=Pace(patience=0)).stock(name, backend)
    made, plain = shake_hands(*pairs(stock, 1)[0]), shake_hands(*pair_without_credential(stock.bench))
    server = made.ledger.server
    spki, leaf_signature = len(stock.keys()[0].public.spki), 64
    signature = server.bytes_of("CertificateVerify", "signature")
    dc = 4 + 2 + (3 + spki) + 2 + (2 + leaf_signature)
    assert server.bytes_of("Certificate", "delegated_credential", "spki") == spki
    assert server.bytes_of("Certificate", "delegated_credential") == 2 + 2 + dc
    assert server.bytes_of("CertificateVerify") == 4 + 2 + 2 + signature
    assert server.handshake_bytes - plain.ledger.server.handshake_bytes == 4 + dc + signature - leaf_signature
    assert made.client_ns > 0 < made.server_ns


def test_the_message_that_is_signed_is_as_long_as_a_real_one():
    assert len(Workbench(CATALOG, PLAN, process=0, now=NOW, pace=Pace(patience=0)).message()) == MESSAGE_BYTES == 130


def test_each_process_has_messages_of_its_own_and_one_has_them_again():
    messages = [Workbench(CATALOG, PLAN, process=i, now=NOW, pace=Pace(patience=0)).message() for i in (0, 1, 0)]
    assert messages[0] == messages[2] != messages[1]


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [(lambda *_: False, "its own signature does not verify"), (lambda *_: True, "of another message verifies")],
)
def test_a_backend_that_fails_its_check_is_not_timed(monkeypatch, verdict, reason):
    bench = Workbench(CATALOG, PLAN, process=0, now=datetime.now(UTC), pace=Pace(patience=0))
    key = backends.load_backend("openssl").generate(CATALOG["Ed25519"])
    monkeypatch.setattr(type(key.public), "_verifies", verdict)
    for _ in range(2):
        with pytest.raises(CheckFailed, match=reason):
            bench.stock("Ed25519", "openssl")


def quietly(outcome: Outcome, progress=lambda _: None) -> list[int]:
    """Run it; how many processes were whole each time something was to be kept."""
    kept: list[int] = []
    run(
        outcome,
        clock=lambda: NOW,
        progress=progress,
        keep=lambda state: kept.append(sum(process.ended == "complete" for process in state.processes)),
    )
    return kept


def test_a_process_that_dies_leaves_what_others_measured(monkeypatch):
    commands = seal.command

    def second_dies(folder, *, process, **others):
        if process == 1:
            return [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"]
        return commands(folder, process=process, **others)

    monkeypatch.setattr(seal, "command", second_dies)
    outcome = new_outcome()
    assert quietly(outcome) == [1, 1]
    assert [process.ended for process in outcome.processes] == ["complete", "failed"]
    assert outcome.processes[1].reason == "died of SIGSEGV in its start"
    assert outcome.measured == 3
    assert not outcome.complete


@pytest.mark.parametrize(
    ("processes", "slow_processes", "order"),
    [(3, 3, [0, 1, 2] * 6), (4, 1, [0] * 6 + [1, 2, 3] * 6), (2, 3, [0, 1] * 6)],
)
def test_processes_take_turns_those_for_slow_schemes_first(processes: int, slow_processes: int, order: list[int]):
    plan = replace(PLAN, processes=processes, slow_processes=slow_processes, visits=2, turn_seconds=0)
    outcome, seen = new_outcome(plan), []
    quietly(outcome, seen.append)
    assert outcome.complete
    assert [progress.process - 1 for progress in seen] == order
    assert [progress.done for progress in seen] == [*range(len(order))]
    assert {progress.total for progress in seen} == {len(order)}


def test_a_process_that_dies_while_it_waits_is_told_and_the_others_go_on(monkeypatch):
    children, start = [], subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *args, **others: children.append(start(*args, **others)) or children[-1]
    )

    def kill_the_first(progress):
        if progress.process == 2 and progress.done == 1:
            children[0].kill()

    outcome = new_outcome(replace(PLAN, turn_seconds=0))
    assert quietly(outcome, kill_the_first) == [0, 1]
    assert [(process.ended, process.reason) for process in outcome.processes] == [
        ("failed", "died of SIGKILL between two cells"),
        ("complete", ""),
    ]


def test_an_interrupted_run_keeps_what_it_has():
    def interrupt(progress):
        if progress.process == 2:
            raise KeyboardInterrupt

    outcome = new_outcome()
    assert quietly(outcome, interrupt) == [1, 1]
    assert [process.ended for process in outcome.processes] == ["complete", "stopped"]
    assert outcome.measured == 3


def test_a_run_that_measures_nothing_is_a_failure(monkeypatch):
    nobody = next(scheme for scheme in CATALOG.values() if not backends.available(scheme))
    with pytest.raises(ResultError, match=f"nothing was measured: {nobody.name}: "):
        quietly(new_outcome(Plan(schemes=(nobody.name,), operations=("sign",), processes=1, budget=QUICK)))
    failing = [sys.executable, "-c", "import sys; sys.exit('cannot open /home/me/x')"]
    monkeypatch.setattr(seal, "command", lambda *_, **__: failing)
    with pytest.raises(ResultError, match="nothing was measured: pytest ended with 1: cannot open x"):
        quietly(new_outcome())
