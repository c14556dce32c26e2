"""A report from a result alone: read strictly, summed up plainly, and written so that no name breaks a format."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import random
import re
import statistics
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqdc.errors import ResultError, UnknownScheme
from pqdc.measure import outcome
from pqdc.report import Renderer, load_renderer, renderer_names
from pqdc.report import result as results
from pqdc.report.figures import TIMES, Unit, duration, ratio, time_unit, with_spread
from pqdc.report.frame import frame_of
from pqdc.report.result import newest, read
from pqdc.report.selection import Selection
from pqdc.report.statistics import counting, summarise
from pqdc.report.table import Table, make_table
from pqdc.report.terminal import Terminal

HOSTILE = "A|B_c*<d>`e`[f]\\"
REASON = "70,000 bytes of DC | an extension_holds 65,531"


def scheme(name: str, **changes: object) -> dict:
    facts = {
        "name": name,
        "kind": "pq",
        "family": "New",
        "aliases": [],
        "tls_name": name.lower(),
        "nist_level": 1,
        "public_key_bytes": 1312,
        "signature_bytes": 2420,
        "signature_length": "fixed",
        "security_flag": "",
        "reason_against_dc": "",
        "backends": {"fast": ""},
    }
    return facts | changes


def cell(name: str, operation: str, samples: list, **changes: object) -> dict:
    facts = {"scheme": name, "backend": "fast", "level": "python", "operation": operation, "unit": "ns"}
    return facts | {"samples": samples} | changes


RESULT = {
    "format": "pqdc-result",
    "version": 1,
    "complete": True,
    "command": "pqdc bench",
    "started": "2026-11-25T03:12:00+00:00",
    "plan": {"leaf_scheme": "ECDSA-P256", "seed": 7},
    "environment": {
        "machine": {"cpu": "A CPU", "cpus": 2, "kernel": "Linux 6", "flags": ["hypervisor"]},
        "pqdc": {"version": "0.1.0", "commit": "b5038c9" + "0" * 33, "dirty": False},
        "backends": {"fast": {"versions": {"libfast": "1.0"}}, "away": {"unavailable": "no libaway"}},
    },
    "schemes": [
        scheme(HOSTILE, security_flag="broken"),
        scheme("Big", reason_against_dc=REASON, nist_level=5),
        scheme("Gone", family="Lost", backends={"away": "no libaway"}),
        scheme("Old", kind="classical", family="Classic", aliases=["P-0"], nist_level=None, signature_length="max"),
    ],
    "processes": [
        {"ended": "complete", "reason": "", "seconds": 1.5, "load_before": [0.1], "load_after": [0.3]},
        {"ended": "complete", "reason": "", "seconds": 1, "load_before": [0.1], "load_after": [0.2]},
    ],
    "cells": [
        cell(HOSTILE, "sign", [[26_100, 26_500, 25_700], [26_100, 26_500, 25_700]], level="native"),
        cell(HOSTILE, "sign", [[40_000], [40_000]]),
        cell(HOSTILE, "mint", [[100_000], [200_000]]),
        cell(HOSTILE, "dc", [[1400], [1402]], level="bytes", unit="bytes"),
        cell("Big", "sign", [[None, 10_000], [-5, 10_000]]),
        cell("Big", "verify", [[], []], failed="its own signature does not verify"),
        cell("Old", "sign", [[10_000, 10_000], [10_000, 10_000]]),
        cell("Old", "dc", [[175], [175]], level="bytes", unit="bytes"),
        cell("", "empty", [[24], [24]], level="native"),
    ],
}


@pytest.fixture
def made(tmp_path: Path):
    """Write a result, changed, and read it."""

    def make(change=lambda _: None, *, pack: bool = True):
        table = copy.deepcopy(RESULT)
        change(table)
        path = tmp_path / ("run.json.gz" if pack else "run.json")
        data = json.dumps(table).encode()
        path.write_bytes(gzip.compress(data) if pack else data)
        return read(path)

    return make


def table_of(*results, **options) -> Table:
    return make_table(frame_of(results), **options)


def rows(table) -> dict:
    return {row.facts["scheme"]: row for row in table.rows}


def test_writer_and_reader_speak_of_the_same_format():
    assert (results.FORMAT, results.VERSION) == (outcome.FORMAT, outcome.VERSION)


@pytest.mark.parametrize("pack", [True, False])
def test_a_result_is_read_packed_or_not(made, pack):
    assert made(pack=pack).cell("Old", "fast", "python", "sign").samples == ((10_000, 10_000), (10_000, 10_000))


def test_results_that_older_versions_wrote_still_make_a_table():
    kept = sorted((Path(__file__).parents[1] / "results").glob("*T*.json.gz"))
    for path in kept:
        assert table_of(read(path)).groups, path


def without(key: str):
    return lambda table: table.pop(key)


def setting(*path, value):
    def change(table):
        for key in path[:-1]:
            table = table[key]
        table[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("cells"), "cells is missing"),
        (without("format"), "no result of pqdc"),
        (setting("version", value=3), "version 1 or 2 wanted, this is 3"),
        (setting("version", value="1"), "version: int wanted"),
        (setting("complete", value=1), "complete: bool wanted"),
        (setting("cells", 0, "samples", value=[[1]]), r"cells\[0\].samples: a list for each of 2 processes"),
        (setting("cells", 0, "samples", value=[[1.5], []]), r"cells\[0\].samples: lists of integers"),
        (setting("cells", 0, "samples", value=[[True], []]), r"cells\[0\].samples: lists of integers"),
        (setting("cells", 0, "scheme", value="Unheard"), "'Unheard' is not among its schemes"),
        (setting("cells", 0, "scheme", value=5), r"cells\[0\].scheme: str wanted, got 5"),
        (setting("cells", 1, "level", value="native"), "there twice"),
        (setting("schemes", 0, value="text"), r"schemes\[0\]: a table wanted"),
        (setting("schemes", 1, "public_key_bytes", value=True), r"schemes\[1\].public_key_bytes: int wanted"),
        (setting("schemes", 1, "backends", value={"fast": None}), "backends: reasons wanted"),
    ],
)
def test_a_result_is_read_strictly(made, change, said):
    with pytest.raises(ResultError, match=said) as caught:
        made(change)
    assert "run.json.gz" in str(caught.value)


PACKED = gzip.compress(json.dumps(RESULT).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not JSON",
        b'{"format": "pqdc-result", "cells": [NaN]}',
        b"[" * 100_000,
        b"null",
        json.dumps(RESULT).encode()[:-10],
        PACKED[:-9],
        PACKED[:20] + b"\0" * 20 + PACKED[40:],
        PACKED + b"more",
        b"\xff\xfe",
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, data: bytes):
    path = tmp_path / "bad.json.gz"
    path.write_bytes(data)
    with pytest.raises(ResultError, match=r"bad\.json\.gz"):
        read(path)


def test_the_newest_is_the_last_by_name(tmp_path: Path):
    with pytest.raises(ResultError, match="no results"):
        newest(tmp_path)
    (tmp_path / "mutation-campaign.json").touch()
    with pytest.raises(ResultError, match="no results"):
        newest(tmp_path)
    for name in ("2026-11-25T0312Z-b5038c9.json.gz", "2026-11-25T0312Z-b5038c9-2.json.gz", "2026-01-01T0000Z-f.json"):
        (tmp_path / name).touch()
    assert newest(tmp_path).name == "2026-11-25T0312Z-b5038c9-2.json.gz"


def test_summaries_are_those_of_the_textbook():
    summary = summarise([[1, 2, 3, 4, 100], []])
    assert (summary.median, summary.mad, summary.least, summary.count, summary.processes) == (3, 1, 1, 5, 1)
    assert (summary.p5, summary.mean) == (pytest.approx(1.2), 22)
    assert summary.p95 == pytest.approx(80.8)
    assert summarise([[None, -1], []]) is None
    assert summarise([[None, 5], [-3]]).invalid == 2
    assert summarise([]) is None


@given(st.lists(st.lists(st.none() | st.integers(-3, 10**12), max_size=9), max_size=5))
def test_summaries_of_any_samples_are_those_of_numpy(samples):
    valid = [times for process in samples if (times := [time for time in process if time is not None and time >= 0])]
    pooled = [time for times in valid for time in times]
    summary = summarise(samples)
    if not pooled:
        assert summary is None
        return
    medians = [statistics.median(times) for times in valid]
    assert (summary.medians, summary.median) == (tuple(medians), statistics.median(medians))
    assert (summary.count, summary.invalid) == (len(pooled), sum(map(len, samples)) - len(pooled))
    assert summary.mad == statistics.median(abs(time - summary.median) for time in pooled)
    assert [summary.p5, summary.p95, summary.p99] == pytest.approx(np.percentile(pooled, [5, 95, 99]))
    assert (summary.least, summary.mean) == (min(pooled), pytest.approx(sum(pooled) / len(pooled)))


@pytest.mark.parametrize(
    ("samples", "agreement"),
    [
        ([[100] * 9], "one process"),
        ([[100], []], "one process"),
        ([[100], [102]], "stable"),
        ([[100], [104]], "noisy"),
        ([[100], [120]], "unstable"),
        ([[100]] * 9 + [[120]], "noisy"),
        ([[100, 50, 200] * 99] * 5, "stable"),
        ([[0], [0]], "stable"),
    ],
)
def test_the_verdict_is_on_the_medians_of_processes(samples, agreement):
    assert summarise(samples).agreement == agreement


def test_processes_that_differ_as_their_samples_do_agree_but_are_not_sure():
    """Of an operation that rejects: few samples make a median unsure, and many sure; the processes never disagree."""
    generator = random.Random(3)  # noqa: S311

    def processes(samples: int) -> list[list[int]]:
        return [[round(generator.expovariate(1e-5)) for _ in range(samples)] for _ in range(10)]

    few, many = summarise(processes(30)), summarise(processes(3000))
    assert few.spread < statistics.stdev(few.medians) / few.median
    assert few.agreement != "stable"
    assert many.agreement == "stable"
    apart = summarise([[value * (1 + i / 10) for value in process] for i, process in enumerate(processes(3000))])
    assert apart.agreement == "unstable"


@pytest.mark.parametrize(
    ("losses", "counted"),
    [
        ((0.0, 0.0, 0.4, 0.0), [0, 1, 3]),  # and 4 gave no samples
        ((0.0, 0.4, 0.4, 0.0), [0, 1, 2, 3]),  # too few would be left
        ((0.0, 0.03, 0.031, 0.0), [0, 1, 3]),
        ((0.4, 0.4, 0.4, 0.4), [0, 1, 2, 3]),
    ],
)
def test_processes_that_others_disturbed_do_not_count_where_enough_are_left(losses, counted):
    assert counting([[100], [101], [170], [99], []], (*losses, 0.0)) == counted


def test_of_many_processes_half_are_enough():
    samples = [[100]] * 10
    assert counting(samples, [0.0] * 5 + [0.5] * 5) == [0, 1, 2, 3, 4]
    assert len(counting(samples, [0.0] * 4 + [0.5] * 6)) == 10


@pytest.mark.parametrize(("lost", "agreement"), [(0.0, "stable"), (0.05, "noisy"), (0.5, "unstable")])
def test_time_that_others_took_lowers_the_verdict(lost, agreement):
    assert summarise([[100], [100], [100]], lost=lost).agreement == agreement


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0.00 ns"),
        (24, "24.0 ns"),
        (999.4, "999 ns"),
        (999.9, "1.00 µs"),
        (26_100, "26.1 µs"),
        (1_234_567, "1.23 ms"),
        (99_960_000, "100 ms"),
        (2_345_678_901, "2.35 s"),
        (5_000_000_000_000, "5,000 s"),
    ],
)
def test_times_have_three_digits_and_a_sensible_unit(nanoseconds, text):
    assert duration(nanoseconds) == text


def test_a_spread_goes_with_the_median_and_needs_samples():
    micro, second = Unit(name="µs", size=1000), Unit(name="s", size=10**9)
    assert with_spread(26_100, 400, 9, micro) == ("26.1", "± 0.4")
    assert with_spread(1.2e9, 2e6, 9, second) == ("1.200", "± 0.002")
    assert with_spread(62_612_000, 10_432_000, 9, micro) == ("62,600", "± 10,400")
    assert with_spread(22_345_000, 12_000, 9, micro) == ("22,340", "± 10")
    assert with_spread(22_345_000, 0, 9, micro) == ("22,300", "± 0")
    assert with_spread(1.2e9, 0, 1, second) == ("1.20", "(n = 1)")
    assert ratio(1.353) == "1.35"


def test_a_column_is_in_the_unit_of_its_middle_value():
    assert time_unit([20, 30_000, 10**9]) == next(unit for unit in TIMES if unit.name == "µs")
    assert time_unit([]).name == "ns"
    assert time_unit([float("nan"), 2e9]).name == "s"


def test_the_table_says_what_was_measured(made):
    table = table_of(made())
    assert [group.family for group in table.groups] == ["Classic", "New", "Lost"]
    found = rows(table)
    hostile = found[HOSTILE].entries
    assert {column.key: column.heading for column in table.columns}["sign"] == "sign (µs)"
    assert hostile["sign"].text == "26.1 ± 0.4"
    assert hostile["mint"].text == "150 (n = 2) ??"
    assert hostile["dc"].text == "1,401"
    assert hostile["scheme"].text.endswith("‡")
    assert hostile["verdict"].text == "unstable"
    assert found["Old"].entries["signature_bytes"].text == "≤ 2,420"
    assert found["Old"].entries["verdict"].text == "stable"
    assert found["Old"].entries["nist_level"].text == "–"  # noqa: RUF001
    assert rows(table_of(made(), level="python"))[HOSTILE].entries["sign"].text == "40.0 (n = 2)"


def test_what_does_not_fit_or_was_not_computed_stays_with_its_reason(made):
    table = table_of(made())
    found = rows(table)

    def notes(name: str, column: str) -> list[str]:
        return [table.footnotes[number - 1] for number in found[name].entries[column].notes]

    assert notes("Big", "fits") == [REASON]
    assert notes("Gone", "backend") == ["not computed: no libaway"]
    assert notes("Big", "verify") == ["not measured: its own signature does not verify"]
    assert notes("Big", "sign") == ["some samples were no times, and are left out"]
    assert found["Big"].entries["sign"].value == 10_000


def test_schemes_that_nothing_computed_may_be_left_out_and_are_counted(made):
    whole, short = table_of(made()), table_of(made(), selection=Selection(computed=True))
    gone = [name for name, row in rows(whole).items() if not row.backend]
    assert gone
    assert set(rows(whole)) - set(rows(short)) == set(gone)
    assert any(note.startswith(f"Left out: {len(gone)} scheme") for note in short.notes)


def test_one_sample_changes_the_table(made):
    before = load_renderer("csv").render(table_of(made()))
    after = load_renderer("csv").render(table_of(made(setting("cells", 0, "samples", 0, 0, value=26_200))))
    assert before != after


@pytest.mark.parametrize("label", ["Old", "p-0", "OLD"])
def test_relative_columns_find_names_and_aliases(made, label):
    table = table_of(made(), relative_to=label)
    entries = rows(table)[HOSTILE].entries
    assert entries["sign_ratio"].value == pytest.approx(2.61)
    assert entries["dc_ratio"].text == "8.01"
    assert entries["mint_ratio"].value is None
    assert [column.title for column in table.columns][5:7] == ["sign", "sign ×"]  # noqa: RUF001
    assert any("Old" in note for note in table.notes)


def test_an_unknown_base_is_refused_with_close_names(made):
    with pytest.raises(UnknownScheme) as caught:
        table_of(made(), relative_to="Bog")
    assert "Big" in caught.value.hint


def test_an_unfinished_run_says_so(made):
    table = table_of(made(setting("complete", value=False)))
    assert any("not complete" in note for note in table.provenance)


def test_where_a_run_was_pinned_and_what_neighbours_took_is_told(made):
    def changed(table: dict) -> None:
        table["processes"][0] |= {"cpus": [3, 2], "aside": 0.254, "slowed": 0.011}
        table["processes"][1] |= {"cpu": 1}  # as older files have it

    (line,) = (note for note in table_of(made(changed)).provenance if "neighbours" in note)
    assert "pinned to CPU 1 or 2 or 3" in line
    assert "wait up to 25 % of their time, and took up to 1 % of what counts" in line
    assert not any("neighbours" in note for note in table_of(made()).provenance)


@pytest.mark.parametrize("name", renderer_names())
@pytest.mark.parametrize("relative_to", ["", "Old"])
def test_every_renderer_shows_every_scheme(made, name, relative_to):
    renderer: Renderer = load_renderer(name)
    assert renderer.name == name
    text = renderer.render(table_of(made(), relative_to=relative_to))
    assert text.endswith("\n")
    for scheme_name in ("Old", "Big", "Gone"):
        assert scheme_name in text


def test_an_unknown_renderer_is_refused():
    with pytest.raises(ResultError, match="no renderer is called 'pdf'"):
        load_renderer("pdf")


def test_markdown_survives_every_name(made):
    lines = load_renderer("md").render(table_of(made())).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert any(r"A\|B\_c\*\<d\>\`e\`\[f\]\\‡" in line for line in table)
    assert any(line.endswith(r"]: 70,000 bytes of DC \| an extension\_holds 65,531") for line in lines)
    for number in re.findall(r"\[\^(\d+)\](?!:)", "\n".join(table)):
        assert any(line.startswith(f"[^{number}]: ") for line in lines)


def test_csv_is_read_back_as_it_was(made):
    def formula(table):
        table["schemes"][1]["name"] = "=1+1"
        for row in table["cells"]:
            row["scheme"] = row["scheme"].replace("Big", "=1+1")

    text = load_renderer("csv").render(table_of(made(formula)))
    lines = {line["scheme"]: line for line in csv.DictReader(io.StringIO(text))}
    assert set(lines) == {HOSTILE, "'=1+1", "Gone", "Old"}
    assert lines[HOSTILE]["sign_median_ns"] == "26100"
    assert lines[HOSTILE]["sign_samples"] == "6"
    assert lines["'=1+1"]["reason"] == REASON
    assert lines["Gone"]["sign_median_ns"] == ""
    assert lines[HOSTILE]["dc_bytes"] == "1401"


@pytest.mark.parametrize("width", [60, 80, 100, 130, 200])
def test_a_terminal_is_never_wider_than_it_is(made, width):
    text = Terminal(width).render(table_of(made()))
    assert max(map(len, text.splitlines())) <= width
    assert HOSTILE in text
    assert ("Left out" in text) == (width < 200)
