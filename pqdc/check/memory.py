"""Memory: what a call takes of the stack, and how far the process grows with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pqdc.check.evidence import Evidence
from pqdc.check.findings import Finding
from pqdc.scheme.footprint import Footprint, footprint

__all__ = ["memory"]

ORDINARY_STACK = (
    2**17
)  # bytes: of a thread on systems that are thrifty (musl), above which a program has to ask for more


def memory(evidence: Evidence) -> Finding:
    """Of making a key, signing and verifying."""
    taken = _footprints(evidence)
    figures = {name: asdict(one) for name, one in taken.items()}
    stacks = {name: one.stack_bytes for name, one in taken.items() if one.stack_bytes is not None}
    if len(stacks) < len(taken):
        return Finding(question="memory", verdict="skipped", seen="this system does not tell", figures=figures)
    told = ", ".join(f"{name} {_kib(size)}" for name, size in stacks.items())
    grown = max(one.growth_bytes or 0 for one in taken.values())
    much = max(stacks.values()) > ORDINARY_STACK
    seen = f"stack: {told}; the process grows by about {_kib(grown)}"
    if much:
        seen += f"; small threads ({_kib(ORDINARY_STACK)}) cannot run it"
    return Finding(question="memory", verdict="noted" if much else "passed", seen=seen, figures=figures)


def _footprints(evidence: Evidence) -> Mapping[str, Footprint]:
    backend, scheme, one = evidence.backend, evidence.scheme, evidence.kept[0]
    measured: Any = getattr(backend, "footprints", None)
    if measured is not None:  # its library runs in another process
        own: Mapping[str, Footprint] = measured(scheme, one.message)
        return own
    return {
        "keygen": footprint(lambda: backend.generate(scheme)),
        "sign": footprint(lambda: one.key.sign(one.message)),
        "verify": footprint(lambda: one.key.public.verify(one.signature, one.message)),
    }


def _kib(size: int) -> str:
    return f"{size / 1024:,.0f} KiB" if size else "less than a page"
