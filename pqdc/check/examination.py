"""All questions about a scheme in one backend, asked in order; whatever fails in one, the others are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pqdc.check import behaviour, sizes
from pqdc.check.evidence import Evidence, Extent, gather
from pqdc.check.findings import Finding, Report
from pqdc.check.known_answers import known_answers
from pqdc.check.memory import memory
from pqdc.check.room import room
from pqdc.errors import BackendUnavailable, PqdcError
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import Backend

__all__ = ["examine"]

# Asked of what was made; each wants at least one signature that verifies.
CLOSER: tuple[tuple[str, Callable[[Evidence, Extent], Finding]], ...] = (
    ("message lengths", behaviour.message_lengths),
    ("determinism", behaviour.determinism),
    ("another message", behaviour.another_message),
    ("another key", behaviour.another_key),
    ("flipped bits", behaviour.flipped_bits),
    ("other changes", behaviour.changed_signatures),
    ("changed public key", behaviour.changed_keys),
    ("memory", lambda evidence, _: memory(evidence)),
)


def examine(
    scheme: Scheme,
    backend_name: str | None,
    extent: Extent,
    *,
    catalog: Catalog,
    leaf_scheme: Scheme,
    now: datetime,
    answers: Path | None = None,
) -> Report:
    """Everything that pqdc can ask.

    Args:
        scheme: which.
        backend_name: who computes it; the first that does here, if None.
        extent: how much to try.
        catalog: which has the scheme.
        leaf_scheme: of the leaf in the handshake.
        now: the time of that.
        answers: known answers, in NIST's .rsp format.

    Raises:
        BackendUnavailable: nobody computes it here; a library of the user's that fails its proof is a finding, though.
        FileError: the known answers are none.
    """
    try:
        backend = backends.choose(scheme, backend_name)
    except BackendUnavailable:
        if scheme.library is None or backend_name not in {None, *scheme.backends}:
            raise
        name = backend_name or next(iter(scheme.backends))
        failed = Finding(question="library", verdict="failed", seen=backends.reason_against(scheme, name))
        return Report(scheme=scheme.name, backend=name, findings=(failed,))
    found = list(_describe(scheme, backend))
    evidence = gather(scheme, backend, extent)
    found.append(sizes.key_sizes(evidence))
    if evidence.attempts:
        found += [sizes.signature_sizes(evidence), behaviour.failure_rate(evidence, extent)]
    if evidence.kept:
        for question, ask in CLOSER:
            found += _asked(question, lambda ask=ask: [ask(evidence, extent)])  # type: ignore[misc]
        found += _asked("room", lambda: room(evidence, catalog, leaf_scheme, now))
    if answers is not None:
        found += known_answers(scheme, backend, answers, extent)
    return Report(scheme=scheme.name, backend=backend.name, findings=tuple(found))


def _describe(scheme: Scheme, backend: Backend) -> Iterator[Finding]:
    """What a backend says of a library that the user brought."""
    describe: Any = getattr(backend, "describe", None)
    if describe is not None:
        yield Finding(question="library", verdict="passed", seen=describe(scheme))


def _asked(question: str, ask: Callable[[], Iterable[Finding]]) -> list[Finding]:
    try:
        return list(ask())
    except PqdcError as error:
        return [Finding(question=question, verdict="failed", seen=str(error))]
