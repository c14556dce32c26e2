"""An inspection as lines for people. What fails stands out, and the last line of a credential is its verdict.

A line is never broken, so that what it shows can be copied. Local time is told by the zone that the caller gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from pqdc.credential.certificate import EPOCH, say_duration
from pqdc.credential.inspect.certificate import CertificateReport
from pqdc.credential.inspect.credential import CredentialReport
from pqdc.credential.inspect.findings import Finding
from pqdc.credential.inspect.inspection import (
    InspectedCertificate,
    InspectedCredential,
    InspectedKey,
    InspectedPublicKey,
    Inspection,
)
from pqdc.credential.inspect.names import printable
from pqdc.credential.inspect.public_key import PublicKeyReport, shorten
from pqdc.credential.inspect.times import CertificateTime
from pqdc.credential.offers import HANDSHAKE_RULES
from pqdc.credential.refusals import RuleRefusal, SignatureInvalid
from pqdc.credential.verify import Verdict

__all__ = ["Line", "lines_of", "say_moment"]

_WIDTH = 26
_MARKS = {"pass": "pass", "fail": "FAIL", "not applicable": "n/a", "not checked": "?"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line, and how it should look: "" as ever, "title", "good", "bad", "odd" or "dim"."""

    text: str = ""
    look: str = ""


def lines_of(inspection: Inspection, zone: tzinfo | None = None) -> list[Line]:
    """All of it, a blank line between what was found; `zone` None: the system's."""
    judged_under = {found.leaf_sha256 for found in inspection.credentials}
    writer = _Writer(at=inspection.at, zone=zone, judged_under=frozenset(judged_under))
    sections = [
        *(writer.certificate(found) for found in inspection.certificates),
        *(writer.private_key(found) for found in inspection.private_keys),
        *(writer.public_key(found) for found in inspection.public_keys),
        *(writer.credential(found) for found in inspection.credentials),  # last, as the verdict is what people look for
    ]
    lines: list[Line] = []
    for section in sections:
        lines += [*([Line()] if lines else []), *section]
    return lines


def say_moment(unix: int, zone: tzinfo | None) -> str:
    """In UTC, and in local time where that differs; a number of seconds where the calendar ends."""
    try:
        utc = EPOCH + timedelta(seconds=unix)
        local = utc.astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return f"{unix:,} s after 1970"
    said = f"{utc.replace(tzinfo=None).isoformat(' ')} UTC"
    here = f"{local.replace(tzinfo=None).isoformat(' ')} {local.tzname() or local.strftime('%z')}"
    return said if local.utcoffset() == timedelta(0) else f"{said} = {here}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    at: int
    zone: tzinfo | None
    judged_under: frozenset[str]  # SHA-256 of leaves: their rules are told with the credential

    # ---- credentials

    def credential(self, found: InspectedCredential) -> Iterator[Line]:
        report = found.report
        kind = f" ({found.format})" if found.format else ""
        yield Line(text=f"{printable(found.file)}: delegated credential{kind}, {report.size:,} bytes", look="title")
        yield from self._fields(found, report)
        findings = report.public_key.findings if report.public_key else ()
        yield from _findings(findings)
        yield Line()
        yield from _rules(found.verdicts, decoded=report.broken is None)
        yield from _not_here()
        for name, reason in found.peers.items():
            look = "odd" if reason else "dim"
            said = f"would not take it: wanted {reason}" if reason else "takes both algorithms"
            yield Line(text=f"  {name} {said}", look=look)
        yield Line()
        yield from self._verdict(found)

    def _fields(self, found: InspectedCredential, report: CredentialReport) -> Iterator[Line]:
        if report.valid_time is not None:
            said = f"{report.valid_time:,} s ({say_duration(report.valid_time, units=2)}) from the leaf's notBefore"
            yield _field("valid_time", said)
            if found.ends is not None:
                yield _field("  ends", f"{say_moment(found.ends, self.zone)}, {self._since(found.ends)}")
        if report.dc_cert_verify_algorithm:
            point = report.dc_cert_verify_algorithm
            yield _field("dc_cert_verify_algorithm", str(point), "" if point.kind == "known" else "odd")
        if report.public_key:
            yield from _public_key(report.public_key)
        if report.algorithm:
            yield _field("algorithm", f"{report.algorithm}", "" if report.algorithm.kind == "known" else "odd")
        if report.signature is not None:
            yield _field("signature", f"{len(report.signature):,} bytes: {shorten(report.signature)}")
        sizes = " + ".join(f"{part.size:,} {part.name}" for part in report.parts)
        yield _field("bytes on the wire", sizes or "none could be read")
        if report.broken:
            where = f"byte {report.broken.byte:,}, in {report.broken.field}"
            yield _field("BROKEN", f"at {where}: {report.broken.refusal.got}", "bad")

    def _verdict(self, found: InspectedCredential) -> Iterator[Line]:
        broken = found.refusals
        where = f" under {printable(found.leaf_file)}" if found.leaf_file else ""
        whose = f"{found.role.name.lower()} credential{where}, at {say_moment(self.at, self.zone)}"
        if found.verdict == "accepted":
            yield Line(text=f"ACCEPTED as {whose}", look="good")
        elif found.verdict == "not judged":
            reasons = dict.fromkeys(verdict.reason for verdict in found.verdicts if verdict.outcome == "not checked")
            yield Line(text=f"NOT JUDGED as {whose}: {'; '.join(reasons)}", look="odd")
            if not found.leaf_file:
                yield Line(text="  next: give its leaf certificate, --leaf leaf.pem", look="odd")
        else:
            yield Line(text=f"REFUSED as {whose}: {_names(broken)}", look="bad")
            # The signature first: under another leaf than its own, what else fails means little.
            ordered = sorted(broken, key=lambda refusal: not isinstance(refusal, SignatureInvalid))
            hints = dict.fromkeys(filter(None, (found.note, *(refusal.hint for refusal in ordered))))
            yield from (Line(text=f"  next: {hint}", look="bad") for hint in hints)

    # ---- certificates

    def certificate(self, found: InspectedCertificate) -> Iterator[Line]:
        report = found.report
        kind = "CA certificate" if report.is_ca else "certificate"
        yield Line(text=f"{printable(found.file)}: {kind}, {report.size:,} bytes", look="title")
        yield from self._certificate_fields(report)
        yield from _findings(report.findings)
        if report.error:
            yield _field("BROKEN", report.error, "bad")
        if found.verdicts and report.sha256 not in self.judged_under:
            yield Line()
            yield from _rules(found.verdicts)
            failed = [verdict.refusal for verdict in found.verdicts if verdict.refusal]
            now = say_moment(self.at, self.zone)
            yield Line()
            if failed:
                yield Line(text=f"MAY NOT DELEGATE, at {now}: {_names(failed)}", look="bad")
            else:
                yield Line(text=f"MAY DELEGATE, at {now}", look="good")

    def _certificate_fields(self, report: CertificateReport) -> Iterator[Line]:
        if report.version:
            yield _field("version, serial", f"{report.version}, {report.serial_number}")
            yield _field("signed with", report.signature_algorithm)
        if report.not_before or report.not_after:
            yield _field("issuer", report.issuer)
            yield _field("subject", report.subject)
            yield _field("names", ", ".join(report.names) or "none")
            yield self._certificate_time("notBefore", report.not_before)
            yield self._certificate_time("notAfter", report.not_after)
        if report.public_key:
            yield from _public_key(report.public_key)
            usage = "absent" if report.key_usage is None else ", ".join(report.key_usage) or "no bit"
            yield _field("KeyUsage", usage)
            yield _field("DelegationUsage", report.delegation_usage)
        for extension in report.extensions:
            critical = ", critical" if extension.critical else ""
            label = extension.name if extension.name == extension.oid else f"{extension.name} ({extension.oid})"
            yield _field("extension", f"{label}{critical}: {printable(extension.value)}", "dim")

    def _certificate_time(self, name: str, time: CertificateTime | None) -> Line:
        said = f"{say_moment(time.unix, self.zone)}, {self._since(time.unix)}" if time else "cannot be read"
        return _field(name, said, "" if time else "odd")

    def _since(self, unix: int) -> str:
        distance = say_duration(unix - self.at, units=2)
        return f"in {distance}" if unix >= self.at else f"{distance} ago"

    # ---- keys

    def private_key(self, found: InspectedKey) -> Iterator[Line]:
        report = found.report
        yield Line(text=f"{printable(found.file)}: private key, {report.size:,} bytes", look="title")
        yield _field("written as", report.envelope + (f", label {printable(report.label)}" if report.label else ""))
        yield _field("encrypted", "yes" if report.encrypted else "no")
        if report.oid:
            yield _field("algorithm", report.oid)
        if report.schemes:
            yield _field("scheme", ", ".join(report.schemes))
        if report.form:
            yield _field("form", f"{report.form} ({_FORMS[report.form]})")
        if report.error:
            yield _field("not read", report.error, "bad")
        else:
            yield _belongs_to(found.belongs_to)

    def public_key(self, found: InspectedPublicKey) -> Iterator[Line]:
        yield Line(text=f"{printable(found.file)}: public key, {found.report.size:,} bytes", look="title")
        yield from _public_key(found.report)
        yield from _findings(found.report.findings)
        yield _belongs_to(found.belongs_to)


_FORMS = {
    "seed": "RFC 9881, the seed alone",
    "expanded": "the expanded key alone, which few others load",
    "both": "RFC 9881, seed and expanded key",
    "own": "the standard encoding of its type",
    "concatenated": "private key, then public key, as oqs-provider writes it",
}


def _names(broken: Iterable[RuleRefusal]) -> str:
    return ", ".join(dict.fromkeys(f"{type(refusal).__name__} ({refusal.rule})" for refusal in broken))


def _field(label: str, text: str, look: str = "") -> Line:
    return Line(text=f"  {label:<{_WIDTH}}{text}", look=look)


def _belongs_to(names: Sequence[str]) -> Line:
    return _field("belongs to", "; ".join(map(printable, names)) or "nothing among these files", "" if names else "dim")


def _public_key(report: PublicKeyReport) -> Iterator[Line]:
    if report.error:
        yield _field("public key", f"{report.size:,} bytes of SPKI that cannot be read: {report.error}", "bad")
        return
    known = " or ".join(report.schemes) or "of no scheme in the catalog"
    yield _field("public key", f"{known}, SPKI of {report.size:,} bytes", "" if report.schemes else "odd")
    yield _field("  algorithm", f"{report.oid}, parameters {report.parameters or 'absent'}")
    yield _field("  key", f"{len(report.key):,} bytes: {shorten(report.key)}")
    yield _field("  SHA-256 of the SPKI", report.sha256, "dim")


def _findings(findings: Iterable[Finding]) -> Iterator[Line]:
    for finding in findings:
        yield _field("ODD", f"{finding.where}: {printable(finding.what)} ({finding.section})", "odd")


def _rules(verdicts: Sequence[Verdict], *, decoded: bool | None = None) -> Iterator[Line]:
    if decoded is not None:
        yield Line(
            text=f"  {'pass' if decoded else 'FAIL'}  V7  it decodes, to the last byte",
            look="dim" if decoded else "bad",
        )
    unchecked: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.outcome == "not checked":
            unchecked.setdefault(verdict.reason, []).append(verdict.rule.name)
            continue
        reason = f": {verdict.reason}" if verdict.outcome == "not applicable" else ""
        mark = _MARKS[verdict.outcome]
        look = {"pass": "dim", "fail": "bad"}.get(verdict.outcome, "dim")
        yield Line(text=f"  {mark:<6}{verdict.rule.name}  {verdict.rule.asks}{reason}", look=look)
        if verdict.refusal:
            yield from _refusal(verdict.refusal)
    for reason, names in unchecked.items():
        yield Line(text=f"  not checked, as {reason}: {' '.join(dict.fromkeys(names))}", look="odd")


def _refusal(refusal: RuleRefusal) -> Iterator[Line]:
    yield Line(text=f"            wanted  {printable(refusal.wanted)}", look="bad")
    yield Line(text=f"            got     {printable(refusal.got)}", look="bad")
    alert = f", alert {refusal.alert}" if refusal.alert else ""
    yield Line(text=f"            {type(refusal).__name__}, {refusal.section}{alert}", look="bad")


def _not_here() -> Iterator[Line]:
    names = " ".join(dict.fromkeys(rule.name for rule in HANDSHAKE_RULES if rule.name != "V7"))
    yield Line(text=f"  not checked, as only a handshake tells: {names}", look="dim")
    yield Line(text="  not checked, as it is the TLS library's part: the leaf's chain and names (V0)", look="dim")
