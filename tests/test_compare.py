"""`pqdc compare`: a planted slowdown is found, a run against itself is not flagged, and what cannot be told is said."""

from __future__ import annotations

import gzip
import json
import random
import statistics
from pathlib import Path

import pytest

from pqdc.cli import run
from pqdc.errors import ResultError
from pqdc.report.comparison import ALPHA, compare, holm
from pqdc.report.result import read

MACHINE = {"cpu": "A CPU", "cpus": 2, "architecture": "x86_64", "id": "a"}
ROWS = 60
OPERATIONS = ("keygen", "sign", "verify", "mint")


def facts(name: str) -> dict:
    texts = ("kind", "tls_name", "signature_length", "security_flag", "reason_against_dc")
    return dict.fromkeys(texts, "") | {
        "name": name,
        "family": "Even" if int(name[1:]) % 2 == 0 else "Odd",
        "aliases": [],
        "public_key_bytes": 1,
        "signature_bytes": 1,
        "backends": {"fast": ""},
    }


def cells(generator: random.Random, processes: int, slower: dict[tuple[str, str], float]) -> list[dict]:
    """Medians of processes differ by 1 % (one standard deviation), samples of a process by 5 %."""
    made = []
    for i in range(ROWS):
        scheme, operation = f"S{i // len(OPERATIONS)}", OPERATIONS[i % len(OPERATIONS)]
        level = 10_000 * (1 + i) * slower.get((scheme, operation), 1.0)
        own = [level * generator.gauss(1, 0.01) for _ in range(processes)]
        samples = [[round(middle * generator.gauss(1, 0.05)) for _ in range(50)] for middle in own]
        identity = {"scheme": scheme, "backend": "fast", "level": "python", "operation": operation, "unit": "ns"}
        made.append(identity | {"samples": samples})
    return made


@pytest.fixture
def make(tmp_path: Path):
    """A result with 60 rows, written to a file."""

    def write(
        name: str, seed: int, *, processes: int = 10, slower=None, disturbed: int = 0, pace=None, **changes
    ) -> Path:
        each = {"ended": "complete", "reason": "", "seconds": 1, "load_before": [0.1], "load_after": [0.1]}
        each |= {"usual_pace_ns": pace}
        table = {
            "format": "pqdc-result",
            "version": 2,
            "complete": True,
            "command": "pqdc bench",
            "started": "2026-11-25T03:12:00+00:00",
            "plan": {},
            "environment": {"machine": MACHINE},
            "schemes": [facts(f"S{i}") for i in range(ROWS // len(OPERATIONS))],
            "processes": [each] * processes,
            "cells": cells(random.Random(seed), processes, slower or {}),  # noqa: S311
        }
        for cell in table["cells"] if disturbed else ():
            cell |= {"elapsed_ns": [1000] * processes, "lost_ns": [200] * disturbed + [0] * (processes - disturbed)}
        path = tmp_path / f"{name}.json.gz"
        path.write_bytes(gzip.compress(json.dumps(table | changes).encode()))
        return path

    return write


PLANTED = {("S3", "sign"): 1.10}


def test_a_planted_tenth_is_found_and_nothing_else(make):
    comparison = compare(read(make("a", 1)), read(make("b", 2, slower=PLANTED)))
    (found,) = comparison.of("slower", "faster")
    assert (found.scheme, found.operation, found.verdict) == ("S3", "sign", "slower")
    assert found.interval.low < found.ratio < found.interval.high
    assert found.ratio == pytest.approx(1.10, abs=0.02)
    assert found.p < found.p_holm <= ALPHA
    assert found.effect == 1
    assert comparison.decides


def test_processes_that_were_disturbed_are_tested_too(make):
    """Six that are left of ten could show nothing of sixty rows; the ratio is that of the tables' figures."""
    first, second = read(make("a", 1, disturbed=4)), read(make("b", 2, slower=PLANTED, disturbed=4))
    comparison = compare(first, second)
    assert comparison.processes == (10, 10)
    (found,) = comparison.of("slower", "faster")
    assert (found.scheme, found.operation) == ("S3", "sign")
    figures = [result.cell("S3", "fast", "python", "sign").summary() for result in (first, second)]
    assert [figure.processes for figure in figures] == [6, 6]
    assert (found.first, found.second) == tuple(figure.median for figure in figures)


@pytest.mark.parametrize("seed", range(10, 14))
def test_a_run_against_one_like_it_is_not_flagged(make, seed):
    comparison = compare(read(make("a", seed)), read(make("b", seed + 100)))
    assert comparison.of("slower", "faster") == []
    assert len(comparison.of("same")) >= 0.9 * ROWS


def test_pooled_samples_would_see_what_is_not_there(make):
    """Why the process is the unit: the same two runs, with samples as if they were independent."""
    from scipy.stats import mannwhitneyu  # noqa: PLC0415

    first, second = read(make("a", 1)), read(make("b", 2))
    pooled = [
        mannwhitneyu(sum(cell.samples, ()), sum(second.cells[key].samples, ())).pvalue * ROWS
        for key, cell in first.cells.items()
    ]
    assert sum(p < ALPHA for p in pooled) > 0
    assert compare(first, second).of("slower", "faster") == []


def test_a_speedup_is_told_as_one(make):
    (found,) = compare(read(make("a", 1, slower=PLANTED)), read(make("b", 2))).of("slower", "faster")
    assert found.verdict == "faster"
    assert found.effect == -1


def test_few_processes_are_told_what_they_cannot_show(make, capsys):
    first, second = make("a", 1, processes=5), make("b", 2, processes=5, slower=PLANTED)
    comparison = compare(read(first), read(second))
    assert not comparison.decides
    assert comparison.of("slower") == []
    assert [row.scheme for row in comparison.suspects] == ["S3"]
    assert comparison.needed == 7
    assert run(["compare", str(first), str(second), "--fail-over", "5%"]) == 1
    answer = capsys.readouterr()
    assert "5 processes against 5 can show no difference among 60 rows" in answer.out
    assert "sign of S3" in answer.out
    assert "cannot tell" in answer.err
    assert compare(read(first), read(second), schemes=["s3"]).of("slower")[0].operation == "sign"


def test_nothing_is_claimed_of_a_single_process(make, capsys):
    first, second = make("a", 1, processes=1), make("b", 2, processes=9, slower=PLANTED)
    comparison = compare(read(first), read(second))
    assert {row.verdict for row in comparison.differences} == {"one process"}
    assert all(row.p is None and row.effect is None for row in comparison.differences)
    assert run(["compare", str(first), str(second), "--fail-over", "5%"]) == 1
    assert "Nothing is claimed from a single process" in capsys.readouterr().out


@pytest.mark.parametrize(("share", "status"), [("5%", 1), ("0.05", 1), ("15%", 0)])
def test_the_exit_status_is_for_ci(make, share, status):
    assert run(["compare", str(make("a", 1)), str(make("b", 2, slower=PLANTED)), "--fail-over", share]) == status


def test_a_faster_run_does_not_fail(make):
    assert run(["compare", str(make("a", 1, slower=PLANTED)), str(make("b", 2)), "--fail-over", "5%"]) == 0


def test_runs_of_different_machines_are_compared_only_when_asked(make, capsys):
    first, second = make("a", 1), make("b", 2, environment={"machine": MACHINE | {"id": "b"}})
    with pytest.raises(ResultError, match="different machines"):
        compare(read(first), read(second))
    assert run(["compare", str(first), str(second), "--across-machines"]) == 0
    assert "different machines" in capsys.readouterr().out


def test_what_else_differs_is_said(make, capsys):
    other = {"machine": MACHINE, "backends": {"fast": {"versions": {"libfast": "2.0"}}}}
    assert run(["compare", str(make("a", 1)), str(make("b", 2, environment=other))]) == 0
    assert "libfast none and 2.0" in capsys.readouterr().out


def test_a_processor_whose_clock_has_moved_is_told_of(make, capsys):
    assert run(["compare", str(make("a", 1, pace=25_000)), str(make("b", 2, pace=26_000))]) == 0
    assert "took 1.040 times as long in the second run" in capsys.readouterr().out
    assert run(["compare", str(make("a", 1)), str(make("b", 2, pace=26_000)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pace"] is None


def test_what_the_clock_explains_is_not_claimed(make):
    """All rows take 8 % longer, and so does the fixed work; one takes a quarter longer, one as long as before."""
    every = {(f"S{i}", operation): 1.08 for i in range(ROWS) for operation in OPERATIONS}
    slower = every | {("S3", "sign"): 1.25, ("S4", "sign"): 1.0}
    first, second = read(make("a", 1, pace=25_000)), read(make("b", 2, pace=27_000, slower=slower))
    assert [(row.scheme, row.operation) for row in compare(first, second).of("slower", "faster")] == [("S3", "sign")]
    assert [row.verdict for row in compare(second, first).of("slower", "faster")] == ["faster"]
    assert compare(first, second).suspects == compare(second, first).suspects == []
    unknown = read(make("c", 2, slower=slower))
    assert len(compare(first, unknown).of("slower")) > 0.9 * ROWS


def test_the_json_has_every_row(make, capsys):
    assert run(["compare", str(make("a", 1)), str(make("b", 2, slower=PLANTED)), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert len(table["rows"]) == ROWS
    assert table["counts"]["slower"] == 1
    assert table["processes"] == [10, 10]


@pytest.mark.parametrize("text", ["", "5 percent", "-1%", "nan", "1000%"])
def test_what_is_no_share_is_refused(make, text, capsys):
    assert run(["compare", str(make("a", 1)), str(make("b", 2)), "--margin", text or "%"]) == 2
    assert "a share such as 5% wanted" in " ".join(capsys.readouterr().err.split())


def test_runs_without_a_row_in_common_are_refused(make):
    with pytest.raises(ResultError, match="no row in common"):
        compare(read(make("a", 1)), read(make("b", 2)), schemes=["nobody"])


def test_families_and_operations_choose_rows(make):
    comparison = compare(read(make("a", 1)), read(make("b", 2)), schemes=["even"], operations=["sign", "mint"])
    assert {(row.scheme, row.operation) for row in comparison.differences} == {
        (f"S{i}", operation) for i in range(0, 15, 2) for operation in ("sign", "mint")
    }


def test_holm_is_that_of_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_interval_covers_what_it_should():
    """Of 200 draws of ten processes, the 95 % interval holds the true median nearly that often."""
    from pqdc.report.statistics import summarise  # noqa: PLC0415

    generator = random.Random(7)  # noqa: S311
    held = []
    for _ in range(200):
        summary = summarise([[round(generator.gauss(10_000, 200))] for _ in range(10)])
        held.append(summary.interval.low <= 10_000 <= summary.interval.high)
    assert 0.85 <= statistics.fmean(held) <= 1
