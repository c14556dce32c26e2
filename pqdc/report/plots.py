"""Plots for papers, by matplotlib, as PDF and SVG: colours that colour-blind people tell apart, and shapes for grey.

Each plot is a drawing of one series; titles and axes say the unit, and that lower is better.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil, floor, log10
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from pandas import DataFrame

from pqdc.errors import ResultError
from pqdc.files import OutputFile
from pqdc.report import provenance, series
from pqdc.report.series import BUDGET_BYTES, INITCWND_BYTES, PARTS, QUIC_BYTES

__all__ = ["PLOTS", "Drawn", "draw"]

# Okabe and Ito (2008), without the yellow that is lost on white.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
CLASSICAL: Final = "#707070"
MARKERS: Final = "osD^vP*X<>"
PART_STYLES: Final = (  # colour and hatch: parts differ in grey too
    ("#d9d9d9", ""),
    ("#8c8c8c", ""),
    ("#b0b0b0", "..."),
    ("#56B4E9", "///"),
    ("#9ad0f0", ""),
    ("#D55E00", ""),
    ("#f0e442", ""),
    ("#5a5a5a", "xxx"),
)
STYLE: Final[Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#d8d8d8",
    "grid.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    "text.hinting": "none",  # so that text is laid out as wide as PDF and SVG show it
    "pdf.fonttype": 42,  # fonts that publishers take
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "pqdc",  # the same file each time
}
WIDTH: Final = 7.0  # inches
ROW: Final = 0.16  # inches of a bar
TITLES: Final = {
    "mint": "mint",
    "dc_verify": "verify the DC",
    "handshake_client": "handshake,\nclient",
    "handshake_server": "handshake,\nserver",
}

_Styles = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A plot's files, and who is not in it.

    Attributes:
        name: of the plot.
        files: PDF and SVG; none if there is nothing to draw.
        left_out: schemes, each with the reason.
    """

    name: str
    files: tuple[OutputFile, ...]
    left_out: tuple[tuple[str, str], ...]


def draw(frame: DataFrame, name: str, *, level: str = "native") -> Drawn:
    """One plot of `PLOTS`.

    Raises:
        ResultError: there is no such plot.
    """
    if name not in PLOTS:
        raise ResultError(f"no plot is called {name!r}", hint=f"there are {', '.join(PLOTS)}")
    found = series.size_and_time(frame, level) if name == "size-time" else PLOTS[name].data(frame)
    left_out = tuple(found.attrs["left_out"])
    if found.empty:
        return Drawn(name=name, files=(), left_out=left_out)
    with mpl.rc_context(STYLE):
        figure = PLOTS[name].picture(found, _styles(frame))
        figure.suptitle(_source(frame), fontsize=5, color="#555555", x=0.01, ha="left")
        for _ in range(2):  # the second time knows how wide the labels are
            figure.draw_without_rendering()
        figure.set_layout_engine("none")  # it is laid out: once is enough
        files = [
            OutputFile(name=f"{name}.{suffix}", data=_saved(figure, suffix, metadata))
            for suffix, metadata in (("pdf", {"CreationDate": None}), ("svg", {"Date": None}))
        ]
    return Drawn(name=name, files=tuple(files), left_out=left_out)


def _saved(figure: Figure, suffix: str, metadata: Mapping[str, Any]) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format=suffix, metadata=dict(metadata))
    return data.getvalue()


def _source(frame: DataFrame) -> str:
    """Each run's file, commit and machine, in a line."""
    marks = provenance.letters(frame)
    machines = dict(zip(frame["run"], frame["machine"], strict=True))
    lines = []
    for run, facts in frame.attrs["runs"].items():
        letter = f"{marks[run]}: " if len(marks) > 1 else ""
        what = f"{facts['file']}, SHA-256 {facts['sha256'][:16]}, {next(provenance.software(facts))}"
        lines.append(f"{letter}{what}; {machines.get(run, '')}")
    return "\n".join(lines)


def _size_and_time(points: DataFrame, styles: _Styles) -> Figure:
    """Two panels, to sign and to verify, on the same axes of bytes."""
    operations = list(dict.fromkeys(points["operation"]))
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(1, len(operations), sharex=True, sharey=True, squeeze=False)[0]
    for panel, operation in zip(panels, operations, strict=True):
        some = points[points["operation"] == operation]
        for family, members in some.groupby("family", sort=False):
            panel.scatter(members["bytes"], members["ns"] / 1000, s=18, label=str(family), **styles[str(family)])
        for (_, kind), front in some[some["front"]].groupby(["run", "kind"], sort=False):
            ordered = front.sort_values("bytes")
            dashes = ":" if kind == "classical" else "-"
            panel.step(ordered["bytes"], ordered["ns"] / 1000, dashes, where="post", color="#000000", linewidth=0.8)
            for position, (_, point) in enumerate(ordered.iterrows()):
                panel.annotate(
                    point["label"],
                    (point["bytes"], point["ns"] / 1000),
                    xytext=(0, -4 - 7 * (position % 2)),
                    textcoords="offset points",
                    ha="right" if point["bytes"] > points["bytes"].max() / 4 else "center",
                    va="top",
                    fontsize=5,
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.3},
                )
        panel.set(xscale="log", yscale="log", title=f"{operation} (lower is better)")
        panel.margins(y=0.1)  # for the names under the lowest
        _logarithmic(panel.xaxis)
        _logarithmic(panel.yaxis)
        panel.set_xlabel("added to the server's flight (bytes, lower is better)")
    panels[0].set_ylabel("median time (µs, lower is better)")
    _legend(
        figure, panels[0], "lines: Pareto fronts, of schemes that no other beats in both; dotted: of classical ones"
    )
    return figure


def _handshake_parts(parts: DataFrame, _: _Styles) -> Figure:
    labels = list(dict.fromkeys(parts.sort_values("total", kind="stable")["label"]))
    figure = Figure(figsize=(WIDTH, 1.4 + ROW * len(labels)), layout="constrained")
    panel = figure.subplots()
    wide = parts.pivot_table(index="label", columns="part", values="bytes", sort=False).reindex(labels)
    left = wide[PARTS[0]] * 0
    for part, (colour, hatch) in zip(PARTS, PART_STYLES, strict=True):
        panel.barh(
            labels, wide[part], left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.3, label=part
        )
        left += wide[part]
    panel.set(
        title="What the server sends in a handshake (lower is better)", xlabel="bytes on the wire (lower is better)"
    )
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    _rows(panel, labels)
    _legend(figure, panel, "", columns=3)
    return figure


def _distributions(rows: DataFrame, _: _Styles) -> Figure:
    """A box for the middle half, whiskers for 90 of 100 samples, a dot for each process's median."""
    operations = list(rows["operation"].cat.categories)
    order = rows[rows["operation"] == operations[0]].sort_values("q50", kind="stable")
    labels = list(dict.fromkeys([*order["label"], *rows["label"]]))
    figure = Figure(figsize=(WIDTH, 1.2 + ROW * len(labels)), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(1, len(operations), sharey=True, squeeze=False)[0]
    for panel, operation in zip(panels, operations, strict=True):
        some = rows[rows["operation"] == operation].set_index("label")
        places = [labels.index(label) for label in some.index]
        micro = some[["q5", "q25", "q50", "q75", "q95"]] / 1000
        panel.hlines(places, micro["q5"], micro["q95"], color="#444444", linewidth=0.7)
        panel.hlines(places, micro["q25"], micro["q75"], color="#9ad0f0", linewidth=5.5)
        panel.plot(micro["q50"], places, "|", color="#000000", markersize=6)
        dots = [(median / 1000, place) for place, all_ in zip(places, some["medians"], strict=True) for median in all_]
        panel.plot(*zip(*dots, strict=True), ".", color="#D55E00", markersize=2.5, label="median of a process")
        panel.set(xscale="log", title=TITLES.get(operation, operation))
        _logarithmic(panel.xaxis, most=3)
        panel.set_xlabel("µs (lower is better)")
        panel.set_yticks(range(len(labels)), labels)
        panel.tick_params(labelsize=6)
        panel.grid(visible=False, axis="y")
    panels[0].set_ylim(len(labels) - 0.4, -0.6)
    _legend(figure, panels[0], "box: the middle half of all samples, and their median; line: from 5 to 95 of 100")
    return figure


def _flights(rows: DataFrame, styles: _Styles) -> Figure:
    rows = rows.sort_values("bytes", kind="stable")
    labels = list(dict.fromkeys(rows["label"]))
    figure = Figure(figsize=(WIDTH, 1.4 + ROW * len(labels)), layout="constrained")
    panel = figure.subplots()
    panel.scatter(rows["bytes"], rows["label"], s=0)  # in this order
    for family, members in rows.groupby("family", sort=False):
        panel.scatter(members["bytes"], members["label"], s=16, label=str(family), **styles[str(family)])
    limits = {
        f"QUIC before validation: {QUIC_BYTES:,}": (QUIC_BYTES, ":"),
        f"often quoted budget: {BUDGET_BYTES:,}": (BUDGET_BYTES, "-."),
        f"TCP initial window: {INITCWND_BYTES:,}": (INITCWND_BYTES, "--"),
    }
    for name, (limit, dashes) in limits.items():
        panel.axvline(limit, color="#000000", linewidth=0.9, linestyle=dashes, label=name)
    panel.set(xscale="log", title="The server's flight, and what waits for another round trip (lower is better)")
    _logarithmic(panel.xaxis)
    panel.set_xlabel("bytes on the wire (lower is better); to the right of a line, at least one more round trip")
    _rows(panel, labels)
    _legend(figure, panel, "")
    return figure


def _chains(rows: DataFrame, _: _Styles) -> Figure:
    ways = list(dict.fromkeys(rows["way"]))
    first = rows[rows["way"] == ways[0]].sort_values("bytes", kind="stable")
    labels = list(dict.fromkeys(first["label"]))
    figure = Figure(figsize=(WIDTH, 1.4 + ROW * len(labels)), layout="constrained")
    panel = figure.subplots()
    looks = (("o", "#0072B2", True), ("s", "#D55E00", False), ("D", "#000000", False))
    span = rows.groupby("label", sort=False)["bytes"].agg(["min", "max"]).reindex(labels)
    panel.hlines(labels, span["min"], span["max"], color="#999999", linewidth=0.8)
    for way, (marker, colour, filled) in zip(ways, looks, strict=False):
        some = rows[rows["way"] == way]
        how = "measured" if filled else "calculated"
        face = colour if filled else "white"
        panel.scatter(
            some["bytes"], some["label"], s=16, marker=marker, edgecolor=colour, c=face, label=f"{way} ({how})"
        )
    panel.axvline(INITCWND_BYTES, color="#000000", linewidth=0.9, linestyle="--", label="TCP initial window")
    panel.set(
        xscale="log", title="A credential under a classical leaf, and a chain all of the scheme (lower is better)"
    )
    _logarithmic(panel.xaxis)
    panel.set_xlabel("bytes that the server sends (lower is better)")
    _rows(panel, labels)
    _legend(figure, panel, "", columns=2)
    return figure


def _styles(frame: DataFrame) -> _Styles:
    """Colour and marker of each family, the same in all plots of a frame; classical ones are grey."""
    styles: _Styles = {}
    colours, markers, classical = cycle(COLOURS), cycle(MARKERS), cycle(MARKERS)
    for family, kind in zip(frame["family"], frame["kind"], strict=True):
        if family not in styles:
            grey = kind == "classical"
            marker = next(classical if grey else markers)
            styles[family] = {
                "marker": marker,
                "c": "none" if grey else (colour := next(colours)),
                "edgecolors": CLASSICAL if grey else colour,
                "linewidths": 0.8,
            }
    return styles


def _logarithmic(axis: Axis, most: int = 9) -> None:
    """Powers of ten as plain numbers, so many at most; where there is one or none of them, what lies between too."""
    low, high = (log10(end) for end in axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1,) if floor(high) > ceil(low) else (1, 2, 5), numticks=most))
    axis.set_major_formatter(StrMethodFormatter("{x:,.12g}"))
    axis.set_minor_formatter(NullFormatter())


def _rows(panel: Axes, labels: Sequence[str]) -> None:
    panel.set_ylim(len(labels) - 0.4, -0.6)
    panel.tick_params("y", labelsize=6)
    panel.grid(visible=False, axis="y")


def _legend(figure: Figure, panel: Axes, note: str, columns: int = 4) -> None:
    handles, labels = panel.get_legend_handles_labels()
    title = note or None
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=6, title=title, title_fontsize=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    data: Callable[[DataFrame], DataFrame]
    picture: Callable[[DataFrame, _Styles], Figure]
    tells: str


PLOTS: Final[Mapping[str, _Plot]] = {
    "size-time": _Plot(
        data=series.size_and_time, picture=_size_and_time, tells="bytes against time, with the Pareto front"
    ),
    "handshake-bytes": _Plot(
        data=series.handshake_parts, picture=_handshake_parts, tells="what the server sends, part by part"
    ),
    "distributions": _Plot(
        data=series.distributions,
        picture=_distributions,
        tells="mint, verify and handshake: all samples, not one number",
    ),
    "server-flight": _Plot(
        data=series.flights, picture=_flights, tells="the server's flight against TCP's and QUIC's limits"
    ),
    "dc-or-chain": _Plot(data=series.chains, picture=_chains, tells="a credential against a chain all of the scheme"),
}
