"""Which rows a table, a plot or a site shows: by scheme, family, level, backend and flag; and what that leaves out."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pandas import DataFrame

from pqdc.errors import ResultError, UnknownScheme

__all__ = ["Selection", "find_row", "select"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is wanted; an empty tuple wants all. Words are compared without regard to case.

    Attributes:
        schemes: names, TLS names or aliases, with * and ?.
        families: of schemes.
        nist_levels: 1 to 5; 0 is a scheme without one.
        backends: libraries.
        flags: of security: `none`, `warning`, `broken`.
        computed: only what something computed.
        fitting: only what a credential can carry.
    """

    schemes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    nist_levels: tuple[int, ...] = ()
    backends: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    computed: bool = False
    fitting: bool = False


def select(frame: DataFrame, selection: Selection) -> tuple[DataFrame, list[str]]:
    """The rows that are wanted, those of the measuring itself among them; and a line for each reason to leave out.

    Raises:
        UnknownScheme: no scheme is called so.
        ResultError: a family, level, backend or flag that no row has; or nothing is left.
    """
    notes: list[str] = []
    kept = frame
    for reason, mask in _masks(frame, selection):
        lost = kept[~mask.loc[kept.index] & (kept["scheme"] != "")]
        kept = kept[mask.loc[kept.index] | (kept["scheme"] == "")]
        if not lost.empty:
            notes.append(f"Left out: {_count(lost, kept)} {reason}, of {', '.join(dict.fromkeys(lost['family']))}.")
    if not (kept["scheme"] != "").any():
        raise ResultError("no row is left: nothing is all of what was asked for", hint="ask for less")
    return kept, notes


def _count(lost: DataFrame, kept: DataFrame) -> str:
    """Schemes, or rows of schemes that stay by another backend."""
    gone = set(lost["scheme"]) - set(kept["scheme"])
    rows = lost[~lost["scheme"].isin(gone)].groupby(["run", "scheme", "backend"]).ngroups
    parts = [f"{len(gone)} scheme{'s' if len(gone) > 1 else ''}"] if gone else []
    parts += [f"{rows} row{'s' if rows > 1 else ''} of others"] if rows else []
    return " and ".join(parts)


def _masks(frame: DataFrame, selection: Selection) -> Any:
    """A reason to leave rows out, and the rows that stay."""
    if selection.schemes:
        names = {name for pattern in selection.schemes for name in _matching(frame, pattern)}
        yield "that were not asked for", frame["scheme"].isin(names)
    if selection.families:
        yield "of other families", _among(frame, "family", selection.families)
    if selection.nist_levels:
        levels = frame["nist_level"].fillna(0).astype(int)
        if strange := sorted(set(selection.nist_levels) - set(levels)):
            raise ResultError(f"no scheme is of level {strange[0]}", hint=f"there is {_list(sorted(set(levels)))}")
        yield "of other levels", levels.isin(selection.nist_levels)
    if selection.flags:
        wanted = tuple("" if flag == "none" else flag for flag in selection.flags)
        yield "with other security flags", _among(frame, "security_flag", wanted)
    if selection.fitting:
        yield "that no credential can carry", frame["fits"]
    if selection.computed:
        yield "that nothing computed there", frame["backend"] != ""
    if selection.backends:
        yield "by other backends, or none", _among(frame, "backend", selection.backends)


def _among(frame: DataFrame, column: str, wanted: tuple[str, ...]) -> Any:
    """The rows with one of these values."""
    values = dict.fromkeys(frame.loc[frame["scheme"] != "", column])
    folded = {value.casefold() for value in values}
    for value in wanted:
        if value.casefold() not in folded:
            raise ResultError(
                f"no {column.replace('_', ' ')} is called {value or 'none'!r}", hint=f"there is {_list(values)}"
            )
    return frame[column].str.casefold().isin({value.casefold() for value in wanted})


def _list(values: Any) -> str:
    return ", ".join(str(value) if value not in {"", 0} else "none" for value in values)


def find_row(frame: DataFrame, label: str) -> tuple[str, str]:
    """The scheme and backend of `SCHEME` or `SCHEME@BACKEND`; the first backend that has figures unless it is named.

    Raises:
        UnknownScheme: no scheme is called so; the hint names close ones.
        ResultError: that backend did not compute it.
    """
    name, _, backend = label.partition("@")
    scheme = _matching(frame, name)[0]
    rows = frame[(frame["scheme"] == scheme) & (frame["backend"] != "")]
    found = list(dict.fromkeys(rows["backend"]))
    if backend and backend not in found:
        raise ResultError(f"no row is of {scheme} by {backend!r}", hint=f"there is {_list(found) or 'no backend'}")
    measured = list(dict.fromkeys(rows[rows["n"] > 0]["backend"]))
    return scheme, backend or (measured or found or [""])[0]


def _matching(frame: DataFrame, pattern: str) -> list[str]:
    """The schemes that a pattern means: by name, TLS name or alias."""
    folded = pattern.casefold()
    schemes = frame[frame["scheme"] != ""].drop_duplicates("scheme")
    names = {
        scheme: [label.casefold() for label in (scheme, *aliases, tls_name) if label]
        for scheme, aliases, tls_name in zip(schemes["scheme"], schemes["aliases"], schemes["tls_name"], strict=True)
    }
    exact = [scheme for scheme in names if folded == scheme.casefold()] or [
        scheme for scheme, labels in names.items() if folded in labels
    ]
    found = exact or [s for s, labels in names.items() if any(fnmatchcase(label, folded) for label in labels)]
    if not found:
        by_label = {label: scheme for scheme, labels in names.items() for label in labels}
        close = dict.fromkeys(by_label[match] for match in difflib.get_close_matches(folded, by_label, n=3))
        raise UnknownScheme(
            f"the results have no scheme called {pattern!r}",
            hint=f"did you mean {' or '.join(close)}?" if close else "",
        )
    return found
