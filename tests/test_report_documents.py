"""What is written about reports is so: the notebook runs, columns are those of the docs, LaTeX takes what is made."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pqdc.report import load_renderer
from pqdc.report.columns import COLUMNS
from pqdc.report.frame import COLUMNS as FRAME_COLUMNS
from pqdc.report.frame import frame_of
from pqdc.report.plots import PLOTS, draw
from pqdc.report.result import read
from pqdc.report.table import make_table
from tests.results import SCHEMES, scheme, write_result

ROOT = Path(__file__).resolve().parent.parent
NASTY = scheme(r"N\a{s}t$y_&#~^%<>|\"`[x]*", r"50 % & more", 1312, 2420, "liboqs", security_flag="warning")
needs_latex = pytest.mark.skipif(
    not shutil.which("pdflatex") or not shutil.which("kpsewhich"),
    reason="no LaTeX is installed (on Debian: apt-get install texlive-latex-extra texlive-science lmodern)",
)


def test_the_notebook_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    cells = json.loads((ROOT / "docs/notebooks/results.ipynb").read_text("utf-8"))["cells"]
    programs = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(programs) > 4
    names: dict = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for program in programs:
            exec(compile(program, "results.ipynb", "exec"), names)  # noqa: S102 - our own notebook
    assert names["ratio"]["ECDSA-P256"].iloc[0] == 1
    assert "| ML-DSA-44 |" in printed.getvalue()
    assert "ML-DSA-65" not in printed.getvalue()


def test_the_docs_tell_every_column():
    text = (ROOT / "docs/reports.md").read_text("utf-8")
    frame = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    assert {name: (kind, tells) for name, kind, tells in frame} == FRAME_COLUMNS
    table = dict(re.findall(r"^\| `([\w-]+)` \| ([^`|]*) \|$", text, re.MULTILINE))
    assert {column.key: column.tells for column in COLUMNS} | {
        name: plot.tells for name, plot in PLOTS.items()
    } == table


def compiled(folder: Path, text: str) -> str:
    """What LaTeX says of it; it must not complain."""
    (folder / "t.tex").write_text(text, "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
    output = done.stdout.decode("utf-8", "replace")
    missing = re.search(r"File `([^']*)' not found", output)
    if missing:
        pytest.skip(
            f"LaTeX lacks {missing[1]} (on Debian: apt-get install texlive-latex-extra texlive-science lmodern)"
        )
    assert done.returncode == 0, output[-2000:]
    return output


PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}\usepackage{lmodern}\usepackage[margin=1cm,landscape]{geometry}
\usepackage{booktabs,longtable,siunitx}
\input{macros}
\begin{document}
Signs in \pqdcSignMLDSAfortyfour, \pqdcSpreadSignMLDSAfortyfourByliboqs.
\input{table}
\end{document}
"""


@needs_latex
@pytest.mark.parametrize("copies", [1, 10])
def test_latex_takes_every_name_in_short_and_long_tables(tmp_path, copies):
    more = tuple(facts | {"name": f"{facts['name']} {i}"} for i in range(1, copies) for facts in SCHEMES)
    path = write_result(tmp_path / "run.json", schemes=(*SCHEMES, NASTY, *more))
    table = make_table(frame_of([read(path)]), relative_to="P-256")
    for name, file in (("latex", "table.tex"), ("macros", "macros.tex")):
        (tmp_path / file).write_text(load_renderer(name).render(table), "utf-8")
    assert ("longtable" in (tmp_path / "table.tex").read_text("utf-8")) == (copies > 1)
    compiled(tmp_path, PREAMBLE)
    assert (tmp_path / "t.pdf").stat().st_size > 10_000
    if shutil.which("pdftotext"):
        text = subprocess.run(
            ["pdftotext", "t.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        assert "50 % & more" in text
        assert "Odd_1%" in text


@needs_latex
def test_the_paper_is_built(tmp_path):
    """From a small run: as `make paper` does it."""
    run = write_result(tmp_path / "run.json")
    (tmp_path / "build").mkdir()
    frame = frame_of([read(run)])
    table = make_table(frame, relative_to="P-256")
    (tmp_path / "build/table.tex").write_text(load_renderer("latex").render(table), "utf-8")
    (tmp_path / "build/macros.tex").write_text(load_renderer("macros").render(table), "utf-8")
    for name in ("size-time", "distributions"):
        for file in draw(frame, name).files:
            (tmp_path / "build" / file.name).write_bytes(file.data)
    output = compiled(tmp_path, (ROOT / "docs/paper/paper.tex").read_text("utf-8"))
    assert "Output written on t.pdf" in output
