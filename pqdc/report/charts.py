"""The same series as interactive charts, by altair: Vega-Lite specifications that a page draws without any request.

Colours of axes and texts are left to the page, which follows its reader's theme.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import altair as alt
from pandas import DataFrame

from pqdc.errors import ResultError
from pqdc.report import series
from pqdc.report.series import BUDGET_BYTES, INITCWND_BYTES, PARTS, QUIC_BYTES

__all__ = ["Chart", "charts", "vega"]

# As in plots, but for black, which is lost in the dark.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#8A8A8A")
SHAPES: Final = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "cross",
    "triangle-right",
    "triangle-left",
)
PART_COLOURS: Final = ("#d9d9d9", "#8c8c8c", "#b0b0b0", "#56B4E9", "#0072B2", "#D55E00", "#009E73", "#666666")
STEP: Final = 17  # pixels of a row
NARROW: Final = 150  # pixels that labels may take
PHONE: Final = 400  # pixels that a chart has on one, at the most
ROWS: Final = "rows"
DATA: Final = alt.NamedData(name=ROWS)
_VEGA: Final = """
import sys, vl_convert
sys.stdout.buffer.write(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").encode())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart for a page.

    Attributes:
        key: for the page's address.
        tells: what is to be seen, for those who do not see it.
        spec: Vega-Lite.
        left_out: schemes, each with the reason.
    """

    key: str
    title: str
    tells: str
    spec: dict[str, Any]
    left_out: tuple[tuple[str, str], ...]


@cache
def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script of about 900 kB, which defines `vegaEmbed`.

    It is made in a process of its own: vl-convert takes a second or two, and lets no other thread run meanwhile.
    """
    command = [sys.executable, "-P", "-c", _VEGA]
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if made.returncode:
        told = made.stderr.decode(errors="replace").strip().rpartition("\n")[2] or f"it ended with {made.returncode}"
        raise ResultError(f"no script for charts was made: {told}", hint="pip install 'pqdc[report]'")
    return made.stdout.decode()


def charts(frame: DataFrame) -> Iterator[Chart]:
    """All that the frame has the figures for."""
    colours = _colours(frame)
    points = series.size_and_time(frame)
    for operation in dict.fromkeys(points["operation"]):
        some = points[points["operation"] == operation]
        yield _chart(
            f"size-{operation}",
            f"Bytes added to the flight, and time to {operation}",
            f"Each point is a scheme: bytes that its credential adds to the server's flight against its median time to "
            f"{operation}, both on logarithmic axes. Lower left is better. Rings mark the Pareto fronts, of "
            "post-quantum and of classical schemes: no other beats these in both.",
            _size_and_time(some, operation, colours),
            points,
        )
    for key, title, tells, data, picture in _ROWS:
        found = data(frame)
        if not found.empty:
            yield _chart(key, title, tells, picture(found, colours), found)


def _chart(key: str, title: str, tells: str, picture: tuple[Any, DataFrame], found: DataFrame) -> Chart:
    chart, rows = picture
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    spec = chart.properties(width="container", autosize=fit).to_dict(validate=False)
    spec.pop("config", None)
    spec["datasets"] = spec.get("datasets", {}) | {ROWS: _values(rows)}
    return Chart(key=key, title=title, tells=tells, spec=spec, left_out=tuple(found.attrs["left_out"]))


def _size_and_time(points: DataFrame, operation: str, colours: Any) -> tuple[Any, DataFrame]:
    columns = ["label", "scheme", "backend", "family", "bytes", "ns", "low", "high", "front", "verdict"]
    rows = points[columns].assign(us=points["ns"] / 1000)
    pick = alt.selection_point(fields=["family"], bind="legend")
    base = alt.Chart(DATA).encode(
        x=alt.X("bytes:Q", scale=alt.Scale(type="log"), title="bytes added (lower is better)"),
        y=alt.Y("us:Q", scale=alt.Scale(type="log"), title=f"{operation} (µs, lower is better)"),
        tooltip=[
            alt.Tooltip("label:N", title="scheme"),
            alt.Tooltip("bytes:Q", format=","),
            alt.Tooltip("us:Q", title="median, µs", format=",.4~r"),
            alt.Tooltip("verdict:N"),
        ],
    )
    marks = base.mark_point(filled=True, size=70).encode(
        color=_family(rows, colours),
        shape=alt.Shape("family:N", scale=alt.Scale(domain=colours.domain, range=_cycled(SHAPES, len(colours.domain)))),
        opacity=alt.condition(pick, alt.value(0.95), alt.value(0.12)),
    )
    rings = base.transform_filter("datum.front").mark_point(filled=False, size=240, strokeWidth=1.2, color="#888888")
    return alt.layer(rings, marks.add_params(pick)).properties(height=380), rows


def _handshake_parts(parts: DataFrame, _: Any) -> tuple[Any, DataFrame]:
    order = list(dict.fromkeys(parts.sort_values("total", kind="stable")["label"]))
    rows = parts[["label", "part", "order", "bytes", "total"]]
    chart = (
        alt.Chart(DATA)
        .mark_bar()
        .encode(
            y=_labels(order),
            x=alt.X("bytes:Q", title="bytes on the wire (lower is better)"),
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=list(PARTS), range=list(PART_COLOURS)),
                legend=alt.Legend(orient="bottom", symbolLimit=0, columns=1, title="part"),
            ),
            order=alt.Order("order:Q"),
            tooltip=["label:N", "part:N", alt.Tooltip("bytes:Q", format=","), alt.Tooltip("total:Q", format=",")],
        )
        .properties(height=STEP * len(order))
    )
    return chart, rows


def _distributions(rows: DataFrame, _: Any) -> tuple[Any, DataFrame]:
    """One operation at a time, chosen from a list."""
    quantiles = ["q5", "q25", "q50", "q75", "q95"]
    tidy = rows[["label", "operation", "verdict", *quantiles]].copy()
    tidy[quantiles] /= 1000
    operations = [name.replace("_", " ") for name in tidy["operation"].cat.categories]
    tidy["operation"] = tidy["operation"].astype(str).str.replace("_", " ")
    order = list(dict.fromkeys(tidy[tidy["operation"] == operations[0]].sort_values("q50")["label"]))
    chosen = alt.param(name="operation", value=operations[0], bind=alt.binding_select(options=operations, name="Show "))
    base = alt.Chart(DATA).encode(
        y=_labels(order),
        tooltip=["label:N", "verdict:N", *(alt.Tooltip(f"{name}:Q", format=",.4~r") for name in quantiles)],
    )
    axis = alt.X("q5:Q", scale=alt.Scale(type="log"), title="µs (lower is better)")
    whiskers = base.mark_rule(color="#888888").encode(x=axis, x2="q95:Q")
    boxes = base.mark_rule(color="#56B4E9", strokeWidth=9).encode(x="q25:Q", x2="q75:Q")
    medians = base.mark_tick(thickness=2, height=11, color="#D55E00").encode(x="q50:Q")
    layers = alt.layer(whiskers, boxes, medians).add_params(chosen)
    shown = layers.transform_filter("datum.operation === operation")
    return shown.properties(height=STEP * len(order)), tidy


def _flights(rows: DataFrame, colours: Any) -> tuple[Any, DataFrame]:
    order = list(dict.fromkeys(rows.sort_values("bytes", kind="stable")["label"]))
    points = (
        alt.Chart(DATA)
        .mark_point(filled=True, size=60)
        .encode(
            y=_labels(order),
            x=alt.X("bytes:Q", scale=alt.Scale(type="log"), title="bytes on the wire (lower is better)"),
            color=_family(rows, colours),
            shape=alt.Shape("family:N", scale=alt.Scale(domain=colours.domain, range=_cycled(SHAPES, 99))),
            tooltip=["label:N", alt.Tooltip("bytes:Q", format=",")],
        )
    )
    limits = [
        {"bytes": QUIC_BYTES, "limit": "QUIC"},
        {"bytes": BUDGET_BYTES, "limit": "9 kB"},
        {"bytes": INITCWND_BYTES, "limit": "TCP"},
    ]
    lines = (
        alt.Chart(alt.InlineData(values=limits))
        .mark_rule(strokeDash=[5, 3], strokeWidth=1.5)
        .encode(x="bytes:Q", tooltip="limit:N")
    )
    names = (
        alt.Chart(alt.InlineData(values=limits)).mark_text(align="left", dx=3, y=-7).encode(x="bytes:Q", text="limit:N")
    )
    return alt.layer(points, lines, names).properties(height=STEP * len(order)), rows[["label", "family", "bytes"]]


def _chains(rows: DataFrame, _: Any) -> tuple[Any, DataFrame]:
    ways = list(dict.fromkeys(rows["way"]))
    order = list(dict.fromkeys(rows[rows["way"] == ways[0]].sort_values("bytes", kind="stable")["label"]))
    how = rows["measured"].map({True: " (measured)", False: " (calculated)"})
    tidy = rows[["label", "bytes"]].assign(way=rows["way"] + how)
    domain = list(dict.fromkeys(tidy["way"]))
    chart = (
        alt.Chart(DATA)
        .mark_point(filled=True, size=60)
        .encode(
            y=_labels(order),
            x=alt.X("bytes:Q", scale=alt.Scale(type="log"), title="bytes that the server sends (lower is better)"),
            color=alt.Color(
                "way:N",
                scale=alt.Scale(domain=domain, range=["#0072B2", "#D55E00", "#8A8A8A"]),
                legend=alt.Legend(orient="bottom", symbolLimit=0, columns=1, title=None),
            ),
            shape=alt.Shape("way:N", scale=alt.Scale(domain=domain, range=["circle", "square", "diamond"])),
            tooltip=["label:N", "way:N", alt.Tooltip("bytes:Q", format=",.0f")],
        )
        .properties(height=STEP * len(order))
    )
    return chart, tidy


def _labels(order: Iterable[str]) -> Any:
    return alt.Y("label:N", sort=list(order), title=None, axis=alt.Axis(labelLimit=NARROW))


def _family(rows: DataFrame, colours: Any) -> Any:
    """With a legend of the families that are there, in two columns on a phone."""
    found = set(rows["family"])
    there = [family for family in colours.domain if family in found]
    columns = alt.ExprRef(f"width < {PHONE} ? 2 : 3")
    legend = alt.Legend(orient="bottom", symbolLimit=0, columns=columns, values=there, title="family")
    return alt.Color("family:N", scale=colours, legend=legend)


def _colours(frame: DataFrame) -> Any:
    """Of families, the same in all charts."""
    families = [family for family in dict.fromkeys(frame["family"]) if family]
    return alt.Scale(domain=families, range=_cycled(COLOURS, len(families)))


def _cycled(values: tuple[str, ...], count: int) -> list[str]:
    return [values[i % len(values)] for i in range(count)]


def _values(rows: DataFrame) -> list[dict[str, Any]]:
    """Numbers to five digits, missing ones null."""
    found = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [{k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in row.items()} for row in found]


_Picture = Callable[[DataFrame, Any], tuple[Any, DataFrame]]
_ROWS: Final[tuple[tuple[str, str, str, Callable[[DataFrame], DataFrame], _Picture], ...]] = (
    (
        "handshake-bytes",
        "What the server sends in a handshake, by part",
        (
            "A bar for each scheme, stacked from the messages that carry its credential: ServerHello, "
            "EncryptedExtensions, Certificate, the credential's key and signature, CertificateVerify, Finished, record "
            "headers."
        ),
        series.handshake_parts,
        _handshake_parts,
    ),
    (
        "distributions",
        "Mint, verify and handshake, as distributions",
        "For each scheme a box for the middle half of all samples, a tick at their median, a line from 5 to 95 of 100.",
        series.distributions,
        _distributions,
    ),
    (
        "server-flight",
        "The server's flight against the limits of TCP and QUIC",
        (
            f"All bytes that the server sends. TCP's initial window holds {INITCWND_BYTES:,} bytes (RFC 6928); QUIC "
            f"sends {QUIC_BYTES:,} before it has validated the client's address (RFC 9000); {BUDGET_BYTES:,} is an "
            "often quoted budget. What lies to the right of a limit waits for at least one more round trip."
        ),
        series.flights,
        _flights,
    ),
    (
        "dc-or-chain",
        "A credential under a classical leaf, or a chain all of the scheme",
        (
            "Measured: the server's bytes with a credential. Calculated from measured lengths: the same with a leaf, "
            "and with a leaf and an intermediate, whose keys and signatures are all of the scheme."
        ),
        series.chains,
        _chains,
    ),
)
