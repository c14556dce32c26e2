"""A result file, read strictly: what is not as docs/results.md says is refused with the file's name and the place."""

from __future__ import annotations

import gc
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Final, NoReturn

from pqdc.errors import FileError, ResultError
from pqdc.files import read_file
from pqdc.report.statistics import Summary, counting, summarise

__all__ = ["FORMAT", "VERSION", "Cell", "Process", "Result", "SchemeFacts", "newest", "read"]

FORMAT: Final = "pqdc-result"
VERSION: Final = 2  # what is written; docs/results.md tells what older ones lack
READABLE: Final = (1, 2)
MOST_BYTES: Final = 512 * 2**20  # unpacked
SUFFIXES: Final = (".json.gz", ".json")
TIME: Final = "[0-9]" * 4 + "-[0-9][0-9]-[0-9][0-9]T"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeFacts:
    """A scheme, as it was known when the run was made.

    Attributes:
        reason_against_dc: why no credential under the run's leaf can carry its key; empty if one can.
        backends: each, with why it did not compute the scheme there; empty if it did.
        standard: that, and what follows, older files may lack.
    """

    name: str
    kind: str
    family: str
    aliases: tuple[str, ...]
    tls_name: str
    nist_level: int | None
    public_key_bytes: int
    signature_bytes: int
    signature_length: str
    security_flag: str
    reason_against_dc: str
    backends: Mapping[str, str]
    standard: str = ""
    oid: str = ""
    code_point: int | None = None
    code_point_source: str = ""
    code_point_status: str = ""
    note: str = ""

    @property
    def able(self) -> list[str]:
        """The backends that computed it."""
        return [name for name, reason in self.backends.items() if not reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What was measured.

    Attributes:
        unit: "ns", "bytes", "cycles", "instructions".
        samples: by process, in that unit; null for what was no time.
        losses: the share of each process's time that others took, by the run queue, the hypervisor and the processor's
            pace; empty if it is not known.
        method: how it was measured, where there is more than one way.
    """

    scheme: str
    backend: str
    level: str
    operation: str
    unit: str
    samples: tuple[tuple[int | None, ...], ...]
    failed: str
    message_bytes: int | None
    keys: int | None
    losses: tuple[float, ...] = ()
    method: str = ""

    @property
    def counted(self) -> tuple[tuple[int | None, ...], ...]:
        """The samples of those processes that count."""
        if not self.losses:
            return self.samples
        return tuple(self.samples[process] for process in counting(self.samples, self.losses))

    def summary(self) -> Summary | None:
        """The numbers, of those processes that count; None if no sample of them is valid."""
        which = counting(self.samples, self.losses) if self.losses else ()
        lost = sum(self.losses[process] for process in which) / len(which) if which else 0.0
        return summarise(self.counted, lost=lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of the run.

    Attributes:
        alone: whether no other run was under way on the machine; None if that is not known.
        cpus: those it was pinned to, one at a time.
        usual_pace_ns: what a fixed piece of work took while nobody disturbed it, the median; None if unknown.
        stolen: the share of its time that the hypervisor gave to others.
        slowed: the share of its time that neighbours on its core took of samples that count.
        aside: the share of its time that was spent to wait for quiet.
        switches: how often it was made to wait for others.
    """

    ended: str
    reason: str
    seconds: float
    load_before: tuple[float, ...]
    load_after: tuple[float, ...]
    alone: bool | None = None
    cpus: tuple[int, ...] = ()
    usual_pace_ns: float | None = None
    stolen: float = 0.0
    slowed: float = 0.0
    aside: float = 0.0
    switches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run.

    Attributes:
        name: the file's.
        sha256: of the file as it lies, packed or not.
        plan: as `pqdc.measure.plan` wrote it.
        environment: machine, Python, packages, backends; what the system did not tell is missing.
    """

    name: str
    sha256: str
    complete: bool
    command: str
    started: str
    plan: Mapping[str, Any]
    environment: Mapping[str, Any]
    schemes: tuple[SchemeFacts, ...]
    processes: tuple[Process, ...]
    cells: Mapping[tuple[str, str, str, str], Cell]

    def cell(self, scheme: str, backend: str, level: str, operation: str) -> Cell | None:
        """What was measured of that, if anything was."""
        return self.cells.get((scheme, backend, level, operation))


def newest(folder: Path) -> Path:
    """The last run in a folder, by the time that its name begins with; other files may lie beside.

    Raises:
        ResultError: there is none.
    """
    found = {path.name.removesuffix(suffix): path for suffix in SUFFIXES for path in folder.glob(f"{TIME}*{suffix}")}
    if not found:
        raise ResultError(f"{folder}: no results in it", hint="`pqdc bench` makes some, or name a file")
    return found[max(found)]


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Among millions of new numbers there is no garbage; looking for it takes longer than reading them."""
    at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if at_work:
            gc.enable()


@_collector_at_rest()
def read(path: Path) -> Result:
    """Read a result file, packed or not.

    Raises:
        ResultError: it is broken, or of a version that is not known here.
        FileError: it cannot be read.
    """
    try:
        data = read_file(path)
    except FileError as error:
        raise ResultError(str(error)) from None
    try:
        table = json.loads(_unpack(data), parse_constant=_no_number)
    except (OSError, EOFError, zlib.error):
        raise ResultError(f"{path}: the file is damaged or cut off") from None
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path}: no JSON, or cut off: {error}") from None
    return _result(_Place(path, "", table), hashlib.sha256(data).hexdigest())


def _unpack(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(data, MOST_BYTES)
    if not unpacker.eof:
        raise EOFError
    if unpacker.unused_data:
        raise ValueError("bytes follow its end")
    return unpacked


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


@dataclass(frozen=True, slots=True)
class _Place:
    """A value and where it stands, for messages."""

    path: Path
    where: str
    value: Any

    def refuse(self, wanted: str) -> NoReturn:
        got = repr(self.value)
        raise ResultError(f"{self.path}: {self.where or 'the file'}: {wanted} wanted, got {got[:60]}")

    def get(self, name: str, kind: type | tuple[type, ...], default: Any = None, *, optional: bool = False) -> Any:
        """A member of a table, of that kind."""
        self.table()
        if name not in self.value:
            if optional:
                return default
            raise ResultError(f"{self.path}: {self.where}{'.' if self.where else ''}{name} is missing")
        value = self.value[name]
        if optional and value is None:
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.at(name).refuse(getattr(kind, "__name__", "a number"))
        return value

    def at(self, name: str) -> _Place:
        return _Place(self.path, f"{self.where}.{name}" if self.where else name, self.value[name])

    def table(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            self.refuse("a table")
        return self.value

    def numbers(self, name: str) -> list[int]:
        """A list of integers; empty if there is none."""
        values: list[Any] = self.get(name, list, [], optional=True)
        if not all(type(value) is int for value in values):
            self.at(name).refuse("integers")
        return values

    def each(self, name: str) -> list[_Place]:
        values = self.get(name, list)
        where = f"{self.where}.{name}" if self.where else name
        return [_Place(self.path, f"{where}[{i}]", value) for i, value in enumerate(values)]


def _result(place: _Place, sha256: str) -> Result:
    if place.table().get("format") != FORMAT:
        raise ResultError(f"{place.path}: no result of pqdc")
    if (found := place.get("version", int)) not in READABLE:
        raise ResultError(
            f"{place.path}: a result of version {' or '.join(map(str, READABLE))} wanted, this is {found}",
            hint="a newer pqdc reads it" if found > VERSION else "",
        )
    processes = tuple(map(_process, place.each("processes")))
    cells = [_cell(cell, len(processes)) for cell in place.each("cells")]
    by_identity = {(cell.scheme, cell.backend, cell.level, cell.operation): cell for cell in cells}
    if len(by_identity) < len(cells):
        raise ResultError(f"{place.path}: cells: one of them is there twice")
    schemes = tuple(map(_scheme, place.each("schemes")))
    known = {facts.name for facts in schemes} | {""}
    if strange := [cell.scheme for cell in cells if cell.scheme not in known]:
        raise ResultError(f"{place.path}: cells: {strange[0]!r} is not among its schemes")
    return Result(
        name=place.path.name,
        sha256=sha256,
        complete=place.get("complete", bool),
        command=place.get("command", str),
        started=place.get("started", str),
        plan=place.get("plan", dict),
        environment=place.get("environment", dict),
        schemes=schemes,
        processes=processes,
        cells=by_identity,
    )


def _process(place: _Place) -> Process:
    return Process(
        ended=place.get("ended", str),
        reason=place.get("reason", str),
        seconds=place.get("seconds", (int, float)),
        load_before=tuple(place.get("load_before", list)),
        load_after=tuple(place.get("load_after", list)),
        alone=place.get("alone", bool, optional=True),
        cpus=(*place.numbers("cpus"), *([cpu] if (cpu := place.get("cpu", int, optional=True)) is not None else [])),
        usual_pace_ns=place.get("usual_pace_ns", (int, float), optional=True),
        stolen=place.get("stolen", (int, float), 0.0, optional=True),
        slowed=place.get("slowed", (int, float), 0.0, optional=True),
        aside=place.get("aside", (int, float), 0.0, optional=True),
        switches=place.get("switches", int, 0, optional=True),
    )


def _scheme(place: _Place) -> SchemeFacts:
    backends = place.get("backends", dict)
    if not all(isinstance(reason, str) for reason in backends.values()):
        place.at("backends").refuse("reasons")
    aliases = place.get("aliases", list)
    if not all(isinstance(alias, str) for alias in aliases):
        place.at("aliases").refuse("names")
    return SchemeFacts(
        name=place.get("name", str),
        kind=place.get("kind", str),
        family=place.get("family", str),
        aliases=tuple(aliases),
        tls_name=place.get("tls_name", str),
        nist_level=place.get("nist_level", int, optional=True),
        public_key_bytes=place.get("public_key_bytes", int),
        signature_bytes=place.get("signature_bytes", int),
        signature_length=place.get("signature_length", str),
        security_flag=place.get("security_flag", str),
        reason_against_dc=place.get("reason_against_dc", str),
        backends=dict(backends),
        standard=place.get("standard", str, "", optional=True),
        oid=place.get("oid", str, "", optional=True),
        code_point=place.get("code_point", int, optional=True),
        code_point_source=place.get("code_point_source", str, "", optional=True),
        code_point_status=place.get("code_point_status", str, "", optional=True),
        note=place.get("note", str, "", optional=True),
    )


def _cell(place: _Place, processes: int) -> Cell:
    samples = place.get("samples", list)
    if len(samples) != processes:
        place.at("samples").refuse(f"a list for each of {processes} processes")
    for process in samples:
        if not isinstance(process, list) or not {*map(type, process)} <= {int, NoneType}:
            place.at("samples").refuse("lists of integers")
    return Cell(
        scheme=place.get("scheme", str),
        backend=place.get("backend", str),
        level=place.get("level", str),
        operation=place.get("operation", str),
        unit=place.get("unit", str, "", optional=True),
        samples=tuple(map(tuple, samples)),
        failed=place.get("failed", str, "", optional=True),
        message_bytes=place.get("message_bytes", int, optional=True),
        keys=place.get("keys", int, optional=True),
        losses=_shares(place, processes),
        method=place.get("method", str, "", optional=True),
    )


def _shares(place: _Place, processes: int) -> tuple[float, ...]:
    lost, elapsed = place.numbers("lost_ns"), place.numbers("elapsed_ns")
    if {len(lost), len(elapsed)} == {0}:
        return ()
    for name, numbers in ("lost_ns", lost), ("elapsed_ns", elapsed):
        if len(numbers) != processes:
            place.at(name).refuse(f"a number for each of {processes} processes")
    return tuple(min(1.0, part / whole) if whole else 0.0 for part, whole in zip(lost, elapsed, strict=True))
