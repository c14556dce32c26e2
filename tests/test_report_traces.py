"""Every figure in every output comes from the raw file: worked out anew here, and one sample changed changes it."""

from __future__ import annotations

import copy
import csv
import gzip
import html
import io
import json
import re
from pathlib import Path
from statistics import median

import pytest

from pqdc.report import Renderer, load_renderer, plots
from pqdc.report.frame import frame_of
from pqdc.report.result import read
from pqdc.report.site import site
from pqdc.report.table import make_table
from tests.results import SCHEMES, result

FIRST = {facts["name"]: list(facts["backends"]) for facts in SCHEMES}
NATIVE = {"keygen", "sign", "verify"}
SCALES = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, r"\nano\second": 1, r"\micro\second": 1e3, r"\milli\second": 1e6}
RENDERERS = ("csv", "html", "latex", "macros", "md", "rich")
LEDGER = ["encrypted_extensions", "server_finished", "server_hello", "server_records"]
COLUMNS = ["scheme", "backend", *NATIVE, "mint", "dc_verify", "dc_encode", "dc_decode", "handshake_client"]
COLUMNS += ["handshake_server", "dc", "spki", "certificate_verify", "added_to_flight", "server_sends", "client_sends"]
COLUMNS += ["certificate_entry_extension", "certificate", "signature", *LEDGER]


@pytest.fixture(scope="module")
def raw() -> dict:
    return result(processes=3, samples=1)


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """A frame of a result's content."""
    path = tmp_path_factory.mktemp("raw") / "run.json"

    def make(table: dict):
        path.write_text(json.dumps(table))
        return frame_of([read(path)])

    return make


@pytest.fixture(scope="module")
def frame(load, raw):
    return load(raw)


@pytest.fixture(scope="module")
def expected(raw) -> dict[tuple[str, str, str], float]:
    """By scheme, backend and operation, worked out without pqdc; of primitives the native loop's where there is one."""
    found = {}
    for cell in raw["cells"]:
        key = (cell["scheme"], cell["backend"], cell["operation"])
        if key not in found or cell["level"] == "native":
            found[key] = median(map(median, cell["samples"]))
    return {key: value for key, value in found.items() if key[0]}


def rendered(frame, name: str) -> str:
    renderer: Renderer = load_renderer(name)
    return renderer.render(make_table(frame, columns=COLUMNS))


def number(text: str) -> float:
    return float(text.replace(",", "").split()[0])


def test_csv_has_every_figure_to_the_digit(frame, expected):
    lines = list(csv.DictReader(io.StringIO(rendered(frame, "csv"))))
    found = {}
    for line in lines:
        for name, value in line.items():
            operation = re.sub(r"_(median_ns|bytes)$", "", name)
            if value and operation in COLUMNS and operation not in (name, "signature"):
                found[line["scheme"], line["backend"], operation] = float(value)
    wanted = {key: value for key, value in expected.items() if key[2] != "signature"}
    assert found.keys() == wanted.keys()
    assert all(abs(found[key] - value) <= 0.5 for key, value in wanted.items())


def test_markdown_has_every_figure_to_three_digits(frame, expected):
    lines = [line.strip("|").split("|") for line in rendered(frame, "md").splitlines() if line.startswith("|")]
    heads = [head.strip() for head in lines[0]]
    units = [re.search(r"\(([^)]*)\)$", head) for head in heads]
    seen = 0
    for line in lines[2:]:
        cells = [cell.strip() for cell in line]
        scheme = re.sub(r"\\(.)", r"\1", cells[0]).rstrip("†‡")
        for key, unit, cell in zip(COLUMNS, units, cells, strict=True):
            if (value := expected.get((scheme, cells[1], key))) is not None:
                scale = SCALES.get(unit[1], 1)
                assert number(cell) * scale == pytest.approx(value, rel=0.006), (scheme, key)
                seen += 1
    assert seen == len(expected)


def test_html_carries_every_figure(frame, expected):
    rows = re.findall(r"<tr data-family.*?</tr>", rendered(frame, "html"), re.DOTALL)
    seen = 0
    for row in rows:
        values = [html.unescape(value) for value in re.findall(r'data-value="([^"]*)"', row)]
        for key, value in zip(COLUMNS, values, strict=False):
            if (wanted := expected.get((values[0], values[1], key))) is not None:
                assert float(value) == wanted
                seen += 1
    assert seen == len(expected)


def test_latex_has_every_figure_to_three_digits(frame, expected):
    text = rendered(frame, "latex")
    heads = re.search(r"\\toprule\n(.*?) \\\\", text)[1].split(" & ")
    units = [re.search(r"\\unit\{(.*?)\}", head) for head in heads]
    seen = 0
    for line in re.findall(r"^(.*) \\\\$", text, re.MULTILINE):
        cells = line.split(" & ")
        scheme = re.sub(r"\\(text\w+\{\})", "", cells[0]).replace("\\", "")
        for key, unit, cell in zip(COLUMNS, units, cells, strict=False):
            if (value := expected.get((scheme, cells[1] if len(cells) > 1 else "", key))) is not None:
                assert float(cell.split()[0].partition("{")[0]) * SCALES.get(unit[1], 1) == pytest.approx(
                    value, rel=0.006
                )
                seen += 1
    assert seen == len(expected)


def test_every_figure_has_a_macro(frame, expected):
    found = {}
    pattern = r"^\\newcommand\{\\pqdc\w+\}\{\\qty\{(.*?)\}\{(.*?)\}\} % (\w+) of (.*?)(?: by (\w+))?$"
    for value, unit, operation, scheme, backend in re.findall(pattern, rendered(frame, "macros"), re.MULTILINE):
        backends = [backend] if backend else FIRST[scheme]
        found[scheme, backends[0], operation] = float(value) * SCALES.get(unit, 1)
    assert found.keys() == expected.keys()
    assert found == {key: pytest.approx(value, rel=0.006) for key, value in expected.items()}


def test_the_terminal_has_every_figure(frame, expected):
    """Each row of a scheme, as wide as it wants to be, has as many numbers as there are figures."""
    lines = rendered(frame, "rich").splitlines()
    table = make_table(frame, columns=COLUMNS)
    for row in table.rows:
        texts = [row.entries[key].text for key in COLUMNS[2:]]
        assert any(all(text in line for text in texts) for line in lines if line.startswith(row.facts["scheme"]))
        for key in COLUMNS[2:]:
            assert row.entries[key].value == expected.get((row.facts["scheme"], row.backend, key))


def changed(raw: dict, index: int) -> dict:
    """One sample of one cell, the middle one, is another."""
    table = copy.deepcopy(raw)
    samples = table["cells"][index]["samples"]
    middle = sorted(range(len(samples)), key=lambda i: samples[i][0])[1]
    samples[middle][0] = samples[middle][0] * 5 + 1000
    return table


def shown_cells(raw: dict) -> list[int]:
    """Those that a table with all columns shows: of primitives the native loop's, where there is one."""
    native = {
        (cell["scheme"], cell["backend"], cell["operation"]) for cell in raw["cells"] if cell["level"] == "native"
    }
    return [
        index
        for index, cell in enumerate(raw["cells"])
        if cell["scheme"]
        and (cell["level"] != "python" or (cell["scheme"], cell["backend"], cell["operation"]) not in native)
    ]


def test_one_sample_changed_changes_the_table(load, raw, frame):
    before = {name: rendered(frame, name) for name in RENDERERS}
    for index in shown_cells(raw):
        cell = raw["cells"][index]
        if (cell["scheme"], cell["unit"]) == ("Odd_1%", "ns"):
            after = load(changed(raw, index))
            assert [name for name in RENDERERS if rendered(after, name) == before[name]] == [], cell["operation"]


def test_one_length_changed_changes_the_table(load, raw, frame):
    before = rendered(frame, "md")
    for index, cell in enumerate(raw["cells"]):
        if cell["unit"] == "bytes" and cell["scheme"] == "Falcon-512":
            table = copy.deepcopy(raw)
            table["cells"][index]["samples"] = [[length + 7 for length in process] for process in cell["samples"]]
            assert rendered(load(table), "md") != before, cell["operation"]


def pages(frame) -> dict[str, str]:
    files = {file.name: file.data for file in site(frame, {})}
    files["data/figures.csv"] = gzip.decompress(files.pop("data/figures.csv.gz"))
    return {name: data.decode() for name, data in files.items() if name.endswith((".html", ".csv"))}


def test_a_scheme_s_page_has_every_figure(frame, raw):
    page = pages(frame)["scheme/ml-dsa-44.html"]
    found = sorted(float(value) for value in re.findall(r'data-value="([^"]+)"', page))
    cells = [cell for cell in raw["cells"] if cell["scheme"] == "ML-DSA-44"]
    assert found == sorted(median(map(median, cell["samples"])) for cell in cells)


def test_one_sample_changed_changes_the_page_the_charts_and_the_download(load, raw, frame):
    before = pages(frame)
    charted = {"sign", "verify", "mint", "dc_verify", "handshake_client", "handshake_server"}
    tried = {"sign", "mint", "dc_encode"}
    for index in shown_cells(raw):
        cell = raw["cells"][index]
        if (cell["scheme"], cell["backend"]) == ("ML-DSA-44", "liboqs") and cell["operation"] in tried:
            after = pages(load(changed(raw, index)))
            different = {name for name in before if before[name] != after[name]}
            tried.remove(cell["operation"])
            assert {"scheme/ml-dsa-44.html", "data/figures.csv"} <= different, cell["operation"]
            assert ("charts.html" in different) == (cell["operation"] in charted), cell["operation"]
            assert "scheme/falcon-512.html" not in different
    assert not tried


@pytest.mark.parametrize(
    ("plot", "operation"),
    [
        ("size-time", "sign"),
        ("size-time", "added_to_flight"),
        ("handshake-bytes", "spki"),
        ("handshake-bytes", "server_finished"),
        ("distributions", "mint"),
        ("distributions", "handshake_server"),
        ("server-flight", "server_sends"),
        ("dc-or-chain", "signature"),
        ("dc-or-chain", "server_sends"),
    ],
)
def test_one_figure_changed_changes_the_plot(load, raw, frame, plot, operation):
    table = copy.deepcopy(raw)
    cell = next(
        cell
        for cell in table["cells"]
        if (cell["scheme"], cell["operation"]) == ("Falcon-512", operation)
        and cell["level"] in {"native", "bytes", "python"}
        and (operation not in NATIVE or cell["level"] == "native")
    )
    cell["samples"] = [[sample * 2 for sample in process] for process in cell["samples"]]
    before, after = ({file.name: file.data for file in plots.draw(one, plot).files} for one in (frame, load(table)))
    assert before[f"{plot}.svg"] != after[f"{plot}.svg"]
    assert before[f"{plot}.pdf"] != after[f"{plot}.pdf"]


def test_the_same_figures_make_the_same_files(load, raw, frame):
    first, second = (plots.draw(one, "server-flight").files for one in (frame, load(raw)))
    assert [file.data for file in first] == [file.data for file in second]


def test_plots_name_their_units_and_what_is_better(frame):
    for name in plots.PLOTS:
        svg = next(file.data.decode() for file in plots.draw(frame, name).files if file.name.endswith(".svg"))
        texts = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))
        assert "lower is better" in texts, name
        assert re.search(r"bytes|µs", texts), name
        assert "run.json" in texts, name
        assert "ML-DSA" in texts, name


def test_a_table_says_where_it_is_from(frame, tmp_path: Path):
    for name in ("md", "latex", "html", "rich"):
        text = " ".join(load_renderer(name).render(make_table(frame)).replace("\\", "").split())
        for fact in ("AMD EPYC", "liboqs 0.13.0", "b5038c9", next(iter(frame.attrs["runs"].values()))["sha256"][:16]):
            assert fact in text, (name, fact)
