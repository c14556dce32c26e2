"""Odd results: each gets a clear line, the rest is used, and what is left out is listed with its reason."""

from __future__ import annotations

import copy
import gc
import gzip
import json
import random
import re
import sys
from pathlib import Path

import pytest

from pqdc.cli import run as pqdc
from pqdc.errors import ResultError, UnknownScheme
from pqdc.report import load_renderer, series
from pqdc.report.charts import charts, vega
from pqdc.report.frame import frame_of, load_results
from pqdc.report.macros import spelled, unique
from pqdc.report.plots import draw
from pqdc.report.result import read
from pqdc.report.selection import Selection
from pqdc.report.site import site
from pqdc.report.statistics import bootstrap_interval, median_intervals, median_of
from pqdc.report.table import make_table
from pqdc.scheme.catalog import load_catalog
from tests.results import MACHINES, SCHEMES, many_schemes, result, scheme, write_result


@pytest.fixture
def good(tmp_path) -> Path:
    return write_result(tmp_path / "good.json")


def spoilt(path: Path, change) -> Path:
    """A result file, changed."""
    table = result()
    data = change(table)
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(table if data is None else data).encode())
    return path


SPOILT = {
    "older": (lambda table: table | {"version": 0}, "version 1 or 2 wanted, this is 0"),
    "newer": (lambda table: table | {"version": 99}, "this is 99"),
    "truncated": (lambda table: gzip.compress(json.dumps(table).encode())[:-200], "damaged or cut off"),
    "empty": (lambda _: b"", "the file is empty"),
    "no JSON": (lambda _: b"pqdc", "no JSON"),
    "NaN": (lambda table: json.dumps(table).replace("[30,", "[NaN,", 1).encode(), "NaN is no number"),
    "losses of other processes": (
        lambda table: table["cells"][0].update(elapsed_ns=[9] * 5, lost_ns=[1] * 4),
        "cells[0].lost_ns: a number for each of 5 processes wanted",
    ),
    "nothing measured": (lambda table: table | {"cells": []}, "nothing was measured"),
    "no samples": (
        lambda table: table | {"cells": [cell | {"samples": [[]] * 5} for cell in table["cells"]]},
        "nothing was measured",
    ),
}


def test_a_process_that_others_slowed_down_does_not_count_and_is_told(tmp_path):
    table = result(processes=5)
    cell = next(cell for cell in table["cells"] if cell["operation"] == "sign")
    cell["samples"][2] = [2 * sample for sample in cell["samples"][2]]
    identity = [cell[name] for name in ("scheme", "backend", "level", "operation")]

    def row():
        (tmp_path / "run.json").write_text(json.dumps(table), "utf-8")
        frame = load_results(tmp_path / "run.json")
        (found,) = frame[(frame[["scheme", "backend", "level", "operation"]] == identity).all(axis=1)].itertuples()
        return found

    assert (row().processes, row().disturbed) == (5, 0)
    cell |= {"elapsed_ns": [1000] * 5, "lost_ns": [10, 10, 400, 10, 10]}
    without = row()
    assert (without.processes, without.disturbed, without.lost) == (4, 1, pytest.approx(0.01))
    assert without.samples == tuple(tuple(cell["samples"][process]) for process in (0, 1, 3, 4))
    assert "do not count for 1 of " in " ".join(make_table(frame_of([read(tmp_path / "run.json")])).notes)


@pytest.mark.parametrize(("change", "said"), SPOILT.values(), ids=SPOILT)
def test_a_bad_file_gets_a_line_and_the_rest_is_used(tmp_path, good, capsys, change, said):
    bad = spoilt(tmp_path / "bad.json", change)
    assert pqdc(["table", str(bad)]) == 1
    alone = capsys.readouterr()
    assert (alone.out, alone.err.count("\n")) == ("", 1)
    assert "bad.json" in alone.err
    assert said in alone.err
    assert pqdc(["table", "--to", "csv", str(bad), str(good)]) == 0
    both = capsys.readouterr()
    assert re.search(rf"^not used: .*bad\.json.*{re.escape(said)}", both.err)
    assert "ML-DSA-44" in both.out


def test_plots_are_written_and_the_others_named(tmp_path, good, capsys):
    out = tmp_path / "plots"
    assert pqdc(["plot", str(good), "--out", str(out), "--plot", "server-flight", "--plot", "size-time"]) == 0
    said = capsys.readouterr()
    files = {f"{name}.{suffix}" for name in ("server-flight", "size-time") for suffix in ("pdf", "svg")}
    assert {path.name for path in out.iterdir()} == files == {Path(line).name for line in said.out.splitlines()}
    assert "without Gone: liboqs 0.13.0 does not compute it" in said.err
    assert "without Big: 412,266 bytes of DC, too many" in said.err
    assert (out / "size-time.pdf").read_bytes().startswith(b"%PDF")
    assert pqdc(["plot", str(good), "--out", str(out), "--plot", "size-time"]) == 0, "the same files may stay"
    assert pqdc(["plot", str(good), "--out", str(out), "--plot", "pie"]) == 1
    assert "no plot is called 'pie'" in capsys.readouterr().err


def test_a_missing_library_is_named_with_the_way_to_it(good, capsys, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("pqdc.report.frame")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert pqdc(["table", str(good)]) == 1
    assert capsys.readouterr().err == "pqdc: pandas is not installed (pip install 'pqdc[report]')\n"


def test_columns_and_plots_can_be_listed(capsys):
    assert pqdc(["table", "--columns", "help"]) == 0
    assert pqdc(["plot", "--plot", "help"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("added_to_flight", "handshake_server", "dc-or-chain"))


def test_a_bad_file_is_told_on_the_pages(tmp_path, good, capsys):
    bad = spoilt(tmp_path / "bad.json", lambda _: b"{")
    assert pqdc(["report", str(good), str(bad), "--out", str(tmp_path / "site")]) == 0
    assert "bad.json" in capsys.readouterr().err
    for name in ("index.html", "method.html"):
        assert "bad.json: no JSON" in (tmp_path / "site" / name).read_text("utf-8")
    assert (tmp_path / "site/data/good.json").read_bytes() == good.read_bytes()
    assert pqdc(["report", str(good), "--out", str(tmp_path / "site")]) == 1, "pages are not overwritten unasked"


def test_two_runs_of_one_name_are_not_merged(tmp_path, good, capsys):
    (tmp_path / "other").mkdir()
    other = write_result(tmp_path / "other" / "good.json", seed=5)
    with pytest.raises(ResultError, match="two runs of that name"):
        frame_of([read(good), read(other)])
    assert pqdc(["table", str(good), str(other)]) == 0
    assert "two runs of that name" in capsys.readouterr().err


def test_what_a_file_does_not_say_is_said(tmp_path):
    def forgetful(table):
        del table["environment"]["backends"]["liboqs"]
        table["environment"]["machine"] = {}

    frame = load_results(spoilt(tmp_path / "run.json", forgetful))
    text = load_renderer("md").render(make_table(frame))
    assert "does not say which version of liboqs computed" in text
    assert "unknown CPU" in text
    assert any(b"unknown CPU" in file.data for file in site(frame, {}) if file.name == "method.html")


def test_runs_of_different_machines_stand_side_by_side(tmp_path):
    paths = [write_result(tmp_path / f"{i}.json", machine=machine) for i, machine in enumerate(MACHINES)]
    frame = load_results(*paths)
    table = make_table(frame, relative_to="P-256")
    of_scheme = [row for row in table.rows if (row.facts["scheme"], row.backend) == ("ML-DSA-44", "liboqs")]
    assert [row.run for row in of_scheme] == ["A", "B", "C"]
    assert len({row.entries["sign"].value for row in of_scheme}) == 3
    assert any("different machines" in note for note in table.provenance)
    for letter, machine in zip("ABC", MACHINES, strict=True):
        assert any(note.startswith(f"{letter}: {machine}") for note in table.provenance)
    bases = {row.run: row.entries["sign"].value for row in table.rows if row.facts["scheme"] == "ECDSA-P256"}
    for row in of_scheme:
        assert row.entries["sign_ratio"].value == pytest.approx(row.entries["sign"].value / bases[row.run])


def test_nothing_is_dropped_without_a_word(good):
    frame = load_results(good)
    for one in [*charts(frame), *(draw(frame, name) for name in ("size-time", "server-flight"))]:
        left_out = dict(one.left_out)
        assert left_out["Gone"] == "liboqs 0.13.0 does not compute it"
        assert left_out["Big"] == "412,266 bytes of DC, too many"
        assert set(left_out) == {"Gone", "Big"}
    table = make_table(frame, columns=["scheme", "sign"])
    assert any(note.startswith("Measured and not shown: ") and "mint" in note for note in table.notes)
    pages = {file.name: file.data.decode() for file in site(frame, {}) if file.name.endswith(".html")}
    assert "Gone: not measured: liboqs 0.13.0 does not compute it" in pages["method.html"]
    assert {f"scheme/{name}.html" for name in ("gone", "big", "odd-1")} <= set(pages)


def test_a_run_without_ledgers_still_makes_what_it_can(tmp_path):
    def older(table):
        new = {
            "server_hello",
            "encrypted_extensions",
            "certificate",
            "server_finished",
            "server_records",
            "server_sends",
        }
        table["version"] = 1
        table["cells"] = [
            cell
            for cell in table["cells"]
            if cell["operation"] not in new and not cell["operation"].startswith("handshake")
        ]

    frame = load_results(spoilt(tmp_path / "run.json", older))
    for name, reason in (
        ("handshake-bytes", "the run has no byte ledgers"),
        ("server-flight", "the run has no handshakes"),
    ):
        drawn = draw(frame, name)
        assert drawn.files == ()
        assert dict(drawn.left_out)["ML-DSA-44"] == reason
    assert [chart.key for chart in charts(frame)] == ["size-sign", "size-verify", "distributions"]
    page = next(file.data.decode() for file in site(frame, {}) if file.name == "scheme/ml-dsa-44.html")
    assert "The run has no handshakes of it" in page


@pytest.mark.parametrize(
    ("selection", "kept", "said"),
    [
        (Selection(families=("ml-dsa",)), {"ML-DSA-44", "ML-DSA-65"}, "of other families"),
        (Selection(nist_levels=(3,)), {"ML-DSA-65"}, "of other levels"),
        (Selection(nist_levels=(0,)), {"ECDSA-P256"}, "of other levels"),
        (Selection(backends=("openssl",)), {"ECDSA-P256", "ML-DSA-44"}, "by other backends"),
        (Selection(flags=("broken",)), {"Odd_1%"}, "with other security flags"),
        (Selection(schemes=("p-256", "falcon*")), {"ECDSA-P256", "Falcon-512"}, "not asked for"),
        (Selection(fitting=True, computed=True), {s["name"] for s in SCHEMES[:5]}, "no credential can carry"),
    ],
)
def test_rows_are_selected_and_the_others_told(good, selection, kept, said):
    table = make_table(load_results(good), selection=selection)
    assert {row.facts["scheme"] for row in table.rows} == kept
    assert any(note.startswith("Left out:") and said in note for note in table.notes)


@pytest.mark.parametrize(
    "selection", [Selection(families=("No",)), Selection(nist_levels=(4,)), Selection(backends=("no",))]
)
def test_what_no_row_has_is_refused(good, selection):
    with pytest.raises(ResultError, match="no "):
        make_table(load_results(good), selection=selection)


def test_columns_are_chosen_by_name_and_divided_by_any_row(good):
    frame = load_results(good)
    table = make_table(frame, columns=["scheme", "mint", "mint_ratio"], relative_to="ML-DSA-44@openssl")
    assert [column.key for column in table.columns] == ["scheme", "mint", "mint_ratio"]
    ones = [row.backend for row in table.rows if row.entries["mint_ratio"].value == 1]
    assert ones == ["openssl"]
    with pytest.raises(ResultError, match="no column is called 'mimt'") as caught:
        make_table(frame, columns=["mimt"])
    assert "mint" in caught.value.hint
    with pytest.raises(ResultError, match="a row to divide by"):
        make_table(frame, columns=["mint_ratio"])
    with pytest.raises(ResultError, match="no row is of Falcon-512 by 'openssl'"):
        make_table(frame, relative_to="Falcon-512@openssl")
    with pytest.raises(UnknownScheme, match="no scheme called 'ML-DSA-45'"):
        make_table(frame, relative_to="ML-DSA-45")


def test_macro_names_are_letters_and_never_shared():
    assert spelled("ML-DSA-44") == "MLDSAfortyfour"
    assert spelled("Falcon-padded-1024") == "Falconpaddedtentwentyfour"
    assert [spelled(digits) for digits in ("0", "05", "10", "11", "100", "128", "2048")] == [
        *("zero", "zerofive", "ten", "eleven", "onezerozero", "onetwentyeight", "twentyfortyeight")
    ]
    names = list(load_catalog())
    own = unique([(spelled(name), name) for name in names])
    assert len(set(own)) == len(names)
    assert all(re.fullmatch("[A-Za-z]+", name) for name in own)
    shared = ["A-1", "A_1", "A1", "Aone", "B"]
    found = unique([(spelled(name), name) for name in shared])
    assert len(set(found)) == len(shared)
    assert all(re.fullmatch("[A-Za-z]+", name) for name in found)
    assert found[-1] == "B"


def test_schemes_that_are_spelled_alike_keep_macros_and_pages_apart(tmp_path):
    alike = tuple(scheme(name, "Alike", 1000, 2000, "liboqs") for name in ("A-1", "A_1", "a+1"))
    frame = load_results(write_result(tmp_path / "run.json", schemes=(SCHEMES[0], *alike)))
    text = load_renderer("macros").render(make_table(frame))
    names = re.findall(r"^\\newcommand\{\\(\w+)\}", text, re.MULTILINE)
    assert len(set(names)) == len(names)
    assert all(name.isalpha() for name in names)
    pages = [file.name for file in site(frame, {}) if file.name.startswith("scheme/")]
    assert len({name.lower() for name in pages}) == len(pages) == 4


def test_two_hundred_schemes_on_three_machines_all_stand_there(tmp_path):
    """That they do so in under ten seconds with all samples of a full run is for a bench; here are few samples."""
    schemes = many_schemes(200)
    paths = [
        write_result(tmp_path / f"{i}.json.gz", machine=machine, schemes=schemes, processes=3, samples=2)
        for i, machine in enumerate(MACHINES)
    ]
    table = make_table(load_results(*paths))
    assert len(list(table.rows)) == 600
    text = load_renderer("csv").render(table)
    assert all(f",{facts['name']}," in text for facts in schemes)


def test_intervals_made_at_once_are_those_made_one_by_one():
    """To the last bit as scipy's, also where values are there twice, and of more processes than a byte counts."""
    draw = random.Random(9)  # noqa: S311 - figures, not keys
    sizes = [1, 2, *range(3, 20), 300]
    groups = [tuple(draw.choice([float(draw.randrange(9)), draw.random()]) for _ in range(size)) for size in sizes * 5]
    groups.append((7.0, 7.0, 7.0))
    assert median_intervals(groups) == [bootstrap_interval(median_of, group) for group in groups]


@pytest.mark.parametrize("at_work", [True, False])
def test_reading_leaves_the_collector_as_it_was(good, tmp_path, at_work):
    (gc.enable if at_work else gc.disable)()
    try:
        read(good)
        assert gc.isenabled() == at_work
        with pytest.raises(ResultError):
            read(tmp_path / "none.json")
        assert gc.isenabled() == at_work
    finally:
        gc.enable()


def test_a_script_of_charts_that_is_not_made_says_why(monkeypatch):
    monkeypatch.setattr("pqdc.report.charts._VEGA", "import no_vl_convert")
    vega.cache_clear()
    with pytest.raises(
        ResultError, match=r"no script for charts was made: .*No module named 'no_vl_convert'"
    ) as raised:
        vega()
    assert "pqdc[report]" in raised.value.hint


def test_a_frame_that_lost_its_runs_is_refused(good):
    frame = load_results(good)
    frame.attrs = {}
    with pytest.raises(ResultError, match="does not say which runs"):
        make_table(frame)


def test_the_front_is_what_none_beats_in_both(good):
    points = series.size_and_time(load_results(good))
    for _, some in points.groupby(["operation", points["kind"] == "classical"]):
        for _, point in some.iterrows():
            better = some[(some["bytes"] <= point["bytes"]) & (some["ns"] <= point["ns"])]
            assert point["front"] == (len(better) == 1)


def test_parts_of_a_handshake_add_up_to_what_was_sent(good):
    frame = load_results(good)
    parts = series.handshake_parts(frame)
    sent = frame[frame["operation"] == "server_sends"].set_index(["scheme", "backend"])["median"]
    sums = parts.groupby(["scheme", "backend"])["bytes"].sum()
    assert sums.to_dict() == sent.to_dict()


def test_the_result_is_not_touched_by_reading_it(good):
    before = copy.deepcopy(read(good))
    frame_of([before])
    assert before == read(good)
