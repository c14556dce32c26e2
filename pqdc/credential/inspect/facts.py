"""An inspection as JSON: `pqdc inspect --json`. Refusals have the shape that `pqdc verify --json` gives them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pqdc.credential.certificate import say_time
from pqdc.credential.inspect.certificate import CertificateReport
from pqdc.credential.inspect.code_points import CodePoint
from pqdc.credential.inspect.findings import Finding
from pqdc.credential.inspect.inspection import (
    InspectedCertificate,
    InspectedCredential,
    InspectedKey,
    Inspection,
)
from pqdc.credential.inspect.public_key import PublicKeyReport, shorten
from pqdc.credential.inspect.times import CertificateTime
from pqdc.credential.offers import HANDSHAKE_RULES
from pqdc.credential.verify import Verdict

__all__ = ["facts_of"]


def facts_of(inspection: Inspection) -> dict[str, Any]:
    """Everything of an inspection as values for JSON; key bytes are shortened, secret ones are not in it at all."""
    return {
        "at": _moment(inspection.at),
        "credentials": [_credential(found, inspection.at) for found in inspection.credentials],
        "certificates": [_certificate(found) for found in inspection.certificates],
        "private_keys": [_private_key(found) for found in inspection.private_keys],
        "public_keys": [
            {"file": found.file, **(_public_key(found.report) or {}), "belongs_to": list(found.belongs_to)}
            for found in inspection.public_keys
        ],
    }


def _credential(found: InspectedCredential, at: int) -> dict[str, Any]:
    report = found.report
    first = found.refusals[0].facts() if found.refusals else {}
    return {
        "file": found.file,
        "format": found.format,
        "role": found.role.name.lower(),
        "verdict": found.verdict,
        **first,
        "bytes": report.size,
        "parts": [{"name": part.name, "start": part.start, "bytes": part.size} for part in report.parts],
        "valid_time": report.valid_time,
        "dc_cert_verify_algorithm": _code_point(report.dc_cert_verify_algorithm),
        "public_key": _public_key(report.public_key),
        "algorithm": _code_point(report.algorithm),
        "signature": None
        if report.signature is None
        else {"bytes": len(report.signature), "hex": shorten(report.signature)},
        "broken": None if report.broken is None else {"field": report.broken.field, "byte": report.broken.byte},
        "leaf": {"file": found.leaf_file, "sha256": found.leaf_sha256} if found.leaf_file else None,
        "valid_until": None if found.ends is None else _moment(found.ends),
        "remaining_seconds": None if found.ends is None else found.ends - at,
        "rules": [_decoding(found), *map(_verdict, found.verdicts), *_handshake()],
        "note": found.note,
        "peers": {name: {"takes_algorithms": not reason, "reason": reason} for name, reason in found.peers.items()},
        "findings": _findings(report.public_key.findings if report.public_key else ()),
    }


def _decoding(found: InspectedCredential) -> dict[str, Any]:
    broken = found.report.broken
    return {
        "rule": "V7",
        "asks": "it decodes, to the last byte",
        "outcome": "fail" if broken else "pass",
        "reason": str(broken.refusal) if broken else "",
    } | (broken.refusal.facts() if broken else {})


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule.name,
        "asks": verdict.rule.asks,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
    } | (verdict.refusal.facts() if verdict.refusal else {})


def _handshake() -> list[dict[str, Any]]:
    return [
        {"rule": rule.name, "asks": rule.asks, "outcome": "not checked", "reason": "only a handshake tells"}
        for rule in HANDSHAKE_RULES
    ]


def _certificate(found: InspectedCertificate) -> dict[str, Any]:
    report: CertificateReport = found.report
    return {
        "file": found.file,
        "bytes": report.size,
        "sha256": report.sha256,
        "version": report.version,
        "serial_number": report.serial_number,
        "signature_algorithm": report.signature_algorithm,
        "issuer": report.issuer,
        "subject": report.subject,
        "not_before": _time(report.not_before),
        "not_after": _time(report.not_after),
        "names": list(report.names),
        "key_usage": None if report.key_usage is None else list(report.key_usage),
        "delegation_usage": report.delegation_usage,
        "ca": report.is_ca,
        "public_key": _public_key(report.public_key),
        "extensions": [asdict(extension) for extension in report.extensions],
        "error": report.error,
        "rules": [_verdict(verdict) for verdict in found.verdicts],
        "findings": _findings(report.findings),
    }


def _private_key(found: InspectedKey) -> dict[str, Any]:
    report = found.report
    return {
        "file": found.file,
        "bytes": report.size,
        "label": report.label,
        "envelope": report.envelope,
        "encrypted": report.encrypted,
        "oid": report.oid,
        "schemes": list(report.schemes),
        "form": report.form,
        "error": report.error,
        "belongs_to": list(found.belongs_to),
    }


def _public_key(report: PublicKeyReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "bytes": report.size,
        "oid": report.oid,
        "parameters": report.parameters,
        "schemes": list(report.schemes),
        "key_bytes": len(report.key),
        "key": shorten(report.key),
        "sha256": report.sha256,
        "error": report.error,
        "findings": _findings(report.findings),
    }


def _code_point(point: CodePoint | None) -> dict[str, Any] | None:
    if point is None:
        return None
    return {
        "value": point.value,
        "hex": f"0x{point.value:04x}",
        "kind": point.kind,
        "name": point.name,
        "schemes": list(point.schemes),
    }


def _findings(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [asdict(finding) for finding in findings]


def _moment(unix: int) -> dict[str, Any]:
    return {"unix": unix, "utc": say_time(unix)}


def _time(time: CertificateTime | None) -> dict[str, Any] | None:
    return None if time is None else {**_moment(time.unix), "text": time.text}
