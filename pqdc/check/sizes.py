"""Sizes: of keys and signatures, as declared, and how they are spread."""

from __future__ import annotations

import statistics
from collections import Counter

from pqdc.check.evidence import Evidence
from pqdc.check.findings import Finding

__all__ = ["key_sizes", "signature_sizes"]

BARS = 12


def key_sizes(evidence: Evidence) -> Finding:
    """Keys are made, have their declared sizes, and no two are the same."""
    scheme = evidence.scheme
    public, private = sorted(evidence.public_bytes), sorted(evidence.private_bytes - {0})
    figures = {"public_key_bytes": public, "private_key_bytes": private, "repeated": evidence.same_keys}
    said = f"{_list(public)} bytes public" + (f", {_list(private)} private" if private else "")
    if evidence.key_failures:
        count = len(evidence.key_failures)
        seen = f"{count} of {count + evidence.keys} keys are not made: {evidence.key_failures[0]}"
        return Finding(question="keys", verdict="failed", seen=seen, figures=figures | {"failed": count})
    if evidence.same_keys:
        seen = f"{evidence.same_keys} of {evidence.keys} keys had been made before: they are not drawn at random"
        return Finding(question="keys", verdict="failed", seen=seen, figures=figures)
    declared = scheme.private_key_bytes
    wrong = public != [scheme.public_key_bytes] or (private and declared is not None and private != [declared])
    seen = f"{said} in {evidence.keys} keys, {'not ' if wrong else ''}as declared; no two alike"
    return Finding(question="keys", verdict="failed" if wrong else "passed", seen=seen, figures=figures)


def signature_sizes(evidence: Evidence) -> Finding:
    """Signatures have the declared length, or are spread below the declared maximum."""
    scheme, lengths = evidence.scheme, evidence.lengths
    if not lengths:
        return Finding(question="signature size", verdict="skipped", seen="no signature was made")
    figures = {
        "declared": scheme.signature_bytes,
        "declared_length": scheme.signature_length,
        "signatures": len(lengths),
        "min": min(lengths),
        "median": statistics.median(lengths),
        "mean": round(statistics.fmean(lengths), 1),
        "max": max(lengths),
        "stdev": round(statistics.pstdev(lengths), 2),
        "counts": dict(sorted(Counter(lengths).items())),
    }
    impossible = [length for length in lengths if not scheme.makes_signature_of(length)]
    constant = min(lengths) == max(lengths)
    most = "at most " if scheme.signature_length == "max" else ""
    declared = f"{most}{scheme.signature_bytes:,} declared"
    if impossible:
        seen = f"{len(impossible)} of {len(lengths)} have another length, such as {impossible[0]:,} bytes; {declared}"
        return Finding(question="signature size", verdict="failed", seen=seen, figures=figures)
    if constant:
        odd = scheme.signature_length == "max"
        seen = f"{lengths[0]:,} bytes in all of {len(lengths):,}, {declared}"
        return Finding(question="signature size", verdict="noted" if odd else "passed", seen=seen, figures=figures)
    seen = (
        f"{min(lengths):,} to {max(lengths):,} bytes, median {figures['median']:,g}, "
        f"standard deviation {figures['stdev']:g}, in {len(lengths):,}; {declared}"
    )
    return Finding(question="signature size", verdict="passed", seen=seen, figures=figures)


def _list(sizes: list[int]) -> str:
    return " or ".join(f"{size:,}" for size in sizes)
