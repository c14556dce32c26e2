"""What plots draw, as frames: one function for each picture, for paper and screen alike; each says what it leaves out.

A series is a tidy DataFrame; `attrs["left_out"]` lists, with the reason, what could not be drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas import DataFrame

from pqdc.report.provenance import letters

__all__ = [
    "BUDGET_BYTES",
    "INITCWND_BYTES",
    "PARTS",
    "QUIC_BYTES",
    "chains",
    "distributions",
    "flights",
    "handshake_parts",
    "preferred",
    "size_and_time",
]

INITCWND_BYTES: Final = 10 * 1460  # RFC 6928: ten segments of 1460 bytes, before the first acknowledgement
QUIC_BYTES: Final = 3 * 1200  # RFC 9000 section 8.1: three times a client's first datagram, before it is validated
BUDGET_BYTES: Final = 9_000  # what is often quoted as affordable for a post-quantum server's flight
IDENTITY: Final = ["run", "scheme", "backend"]
FACTS: Final = ["family", "kind", "nist_level", "security_flag"]
# Parts of what the server sends, first to last; each a difference of what was counted.
PARTS: Final = (
    "ServerHello",
    "EncryptedExtensions",
    "Certificate without the credential",
    "credential: public key",
    "credential: signature and the rest",
    "CertificateVerify",
    "Finished",
    "record headers and tags",
)
TIMED: Final = ("mint", "dc_verify", "handshake_client", "handshake_server")
PERCENT: Final = (5, 25, 50, 75, 95)


def preferred(frame: DataFrame, level: str = "native") -> DataFrame:
    """One row for each run, scheme, backend and operation: of primitives the native loop's, or Python's if not wanted.

    With a column `label`: the scheme, with its backend where there are several, and its run where there are.
    """
    kept = frame[(frame["scheme"] != "") & (frame["n"] > 0) & frame["level"].isin(["native", "python", "bytes"])].copy()
    kept["rank"] = (kept["level"] == ("python" if level == "native" else "native")).astype(int)
    kept = kept.sort_values("rank", kind="stable").drop_duplicates([*IDENTITY, "operation"]).sort_index()
    backends = kept.groupby("scheme")["backend"].transform("nunique")
    label = kept["scheme"].where(backends == 1, kept["scheme"] + " " + kept["backend"])
    marks = letters(frame)
    kept["label"] = label + " " + kept["run"].map(marks) if len(marks) > 1 else label
    return kept.drop(columns="rank")


def size_and_time(frame: DataFrame, level: str = "native") -> DataFrame:
    """Bytes that a credential adds to the flight against the times to sign and to verify, and who is on the front.

    Classical schemes have a front of their own: they are no choice for who wants another kind.

    Columns: label, scheme, family, kind, ..., operation (`sign`, `verify`), bytes, ns, low, high, front.
    """
    rows = preferred(frame, level)
    sizes = rows[rows["operation"] == "added_to_flight"].set_index(IDENTITY)["median"].rename("bytes")
    times = rows[rows["operation"].isin(["sign", "verify"])]
    found = times.join(sizes, on=IDENTITY).rename(columns={"median": "ns"})
    drawn = found.dropna(subset="bytes")
    parts = [
        _with_front(part) for _, part in drawn.groupby(["run", "operation", drawn["kind"] == "classical"], sort=False)
    ]
    columns = [*IDENTITY, *FACTS, "label", "operation", "bytes", "ns", "low", "high", "verdict"]
    series = pd.concat(parts) if parts else drawn.assign(front=False)
    return _series(series[[*columns, "front"]], frame, "no credential carries it, so that it adds nothing to a flight")


def _with_front(points: DataFrame) -> DataFrame:
    """Marks the points that no other beats in both."""
    ordered = points.sort_values(["bytes", "ns"])
    best = ordered["ns"].cummin().shift()
    return points.assign(front=(best.isna() | (ordered["ns"] < best)).reindex(points.index))


def handshake_parts(frame: DataFrame) -> DataFrame:
    """What the server sends in one handshake, by part. Columns: label, scheme, ..., part, order, bytes, total."""
    wide = _wide(frame)
    wanted = (
        "server_sends",
        "certificate",
        "certificate_entry_extension",
        "spki",
        "certificate_verify",
        "server_hello",
    )
    if not set(wanted) <= set(wide):
        return _series(DataFrame(columns=[*IDENTITY, "label", "part", "bytes"]), frame, "the run has no byte ledgers")
    wide = wide.dropna(subset=list(wanted))
    parts = DataFrame(
        {
            PARTS[0]: wide["server_hello"],
            PARTS[1]: wide["encrypted_extensions"],
            PARTS[2]: wide["certificate"] - wide["certificate_entry_extension"],
            PARTS[3]: wide["spki"],
            PARTS[4]: wide["certificate_entry_extension"] - wide["spki"],
            PARTS[5]: wide["certificate_verify"],
            PARTS[6]: wide["server_finished"],
            PARTS[7]: wide["server_records"],
        }
    )
    tidy = parts.reset_index().melt(id_vars=list(wide.index.names), var_name="part", value_name="bytes")
    tidy["order"] = tidy["part"].map(PARTS.index)
    tidy["total"] = tidy.groupby(IDENTITY)["bytes"].transform("sum")
    return _series(tidy, frame, "no handshake of it was made")


def distributions(frame: DataFrame, operations: Iterable[str] = TIMED) -> DataFrame:
    """How all samples of these operations lie. Columns: label, ..., operation, q5, q25, q50, q75, q95, medians."""
    wanted = list(operations)
    rows = preferred(frame)
    rows = rows[rows["operation"].isin(wanted)].copy()
    quantiles = np.array([_quantiles(samples) for samples in rows["samples"]]).reshape(-1, len(PERCENT))
    for percent, column in zip(PERCENT, quantiles.T, strict=True):
        rows[f"q{percent}"] = column
    rows["operation"] = pd.Categorical(rows["operation"], [name for name in wanted if name in set(rows["operation"])])
    columns = [
        *IDENTITY,
        *FACTS,
        "label",
        "operation",
        "q5",
        "q25",
        "q50",
        "q75",
        "q95",
        "medians",
        "verdict",
    ]
    return _series(rows[columns], frame, "nothing of it was timed")


def _quantiles(samples: Iterable[Iterable[int | None]]) -> Any:
    values = np.array(list(chain.from_iterable(samples)), dtype=float)  # None becomes NaN
    return np.percentile(values[values >= 0], PERCENT)


def flights(frame: DataFrame) -> DataFrame:
    """All bytes that the server sends. Columns: label, scheme, ..., bytes."""
    wide = _wide(frame)
    if "server_sends" not in wide:
        return _series(DataFrame(columns=[*IDENTITY, "label", "bytes"]), frame, "the run has no handshakes")
    found = wide["server_sends"].dropna().rename("bytes").reset_index()
    return _series(found, frame, "no handshake of it was made")


def chains(frame: DataFrame) -> DataFrame:
    """A credential under a classical leaf, and what the scheme would cost in every signature and key of a chain.

    Columns: label, ..., way, bytes, measured. Only the credential's bytes are measured; a chain's are calculated from
    lengths that are: of a leaf alone (signed by a root that the client has) and of a leaf with one intermediate,
    each certificate as large as the run's leaf but for its key and signature.
    """
    wide = _wide(frame).reset_index()
    empty = DataFrame(columns=[*IDENTITY, "label", "way", "bytes", "measured"])
    if not {"server_sends", "certificate", "spki", "certificate_verify"} <= set(wide):
        return _series(empty, frame, "the run has no byte ledgers")
    parts = [
        part for run, rows in wide.groupby("run", sort=False) if (part := _chains_of(frame, run, rows)) is not None
    ]
    return _series(
        pd.concat(parts) if parts else empty, frame, "the leaf's scheme was not measured, or no handshake made"
    )


def _chains_of(frame: DataFrame, run: Any, wide: DataFrame) -> DataFrame | None:
    leaf_scheme = frame.loc[frame["run"] == run, "leaf_scheme"].iloc[0]
    own = wide[(wide["scheme"] == leaf_scheme)].dropna(subset="server_sends")
    if own.empty:
        return None
    leaf = own.iloc[0]
    rows = wide.dropna(subset=["server_sends", "spki", "signature"])
    swap = rows["spki"] + rows["signature"] - leaf["spki"] - leaf["signature"]
    certificate = leaf["certificate"] - leaf["certificate_entry_extension"]
    without = leaf["server_sends"] - leaf["certificate_entry_extension"] - leaf["certificate_verify"]
    ways = {
        "credential under a classical leaf": rows["server_sends"],
        "leaf alone, all of the scheme": without + rows["certificate_verify"] + swap,
        "leaf and intermediate, all of the scheme": without + rows["certificate_verify"] + 2 * swap + certificate,
    }
    base = rows[[*IDENTITY, *FACTS, "label"]]
    return pd.concat(
        [base.assign(way=way, bytes=sizes, measured=way.startswith("credential")) for way, sizes in ways.items()]
    )


def _wide(frame: DataFrame) -> DataFrame:
    """Medians: a row for each label, a column for each operation."""
    rows = preferred(frame)
    rows["nist_level"] = rows["nist_level"].fillna(0)
    index = [*IDENTITY, *FACTS, "label"]
    order = rows[index].drop_duplicates()
    return rows.pivot_table(index=index, columns="operation", values="median", sort=False).reindex(
        pd.MultiIndex.from_frame(order)
    )


def _series(series: DataFrame, frame: DataFrame, reason: str) -> DataFrame:
    """With the schemes that are not in it, and why."""
    series = series.reset_index(drop=True)
    series.attrs = {"left_out": list(_missing(series, frame, reason))}
    return series


def _missing(series: DataFrame, frame: DataFrame, reason: str) -> Iterator[tuple[str, str]]:
    drawn = set(series["scheme"])
    schemes = frame[frame["scheme"] != ""].drop_duplicates("scheme")
    columns = ("scheme", "reason_against_dc", "operation", "reason")
    for scheme, against, operation, own in zip(*(schemes[name] for name in columns), strict=True):
        if scheme not in drawn:
            yield scheme, against or (reason if operation else own)
