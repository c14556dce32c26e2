"""A certificate, decoded and linted against RFC 5280, however odd it is. Judging is not done here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from pqdc.credential.certificate import DELEGATION_USAGE, KEY_USAGE
from pqdc.credential.inspect import der, names
from pqdc.credential.inspect.findings import Finding
from pqdc.credential.inspect.public_key import PublicKeyReport, report_public_key
from pqdc.credential.inspect.times import CertificateTime, read_time
from pqdc.errors import DecodeError
from pqdc.scheme.catalog import Catalog

__all__ = ["CertificateReport", "ExtensionReport", "report_certificate"]

ALTERNATIVE_NAMES = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
EXTENDED_KEY_USAGE = "2.5.29.37"
KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionReport:
    """An extension; `value` is its meaning where it is known here, else hex, shortened."""

    oid: str
    name: str
    critical: bool
    size: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReport:
    """What a certificate says; `error` tells why no more of it could be read.

    Attributes:
        key_usage: the names of its bits; None where there is no KeyUsage.
        delegation_usage: "absent", "present", or what is wrong with it.
        is_ca: whether BasicConstraints says so.
    """

    size: int
    sha256: str
    version: int = 0
    serial_number: str = ""
    signature_algorithm: str = ""
    issuer: str = ""
    subject: str = ""
    not_before: CertificateTime | None = None
    not_after: CertificateTime | None = None
    public_key: PublicKeyReport | None = None
    extensions: tuple[ExtensionReport, ...] = ()
    names: tuple[str, ...] = ()
    key_usage: tuple[str, ...] | None = None
    delegation_usage: str = "absent"
    is_ca: bool = False
    error: str = ""
    findings: tuple[Finding, ...] = ()


def report_certificate(data: bytes, catalog: Catalog) -> CertificateReport:
    """Read a certificate; never raises for what it holds."""
    reader = _Reader(catalog=catalog)
    error = ""
    try:
        reader.read(data)
    except DecodeError as broken:
        error = str(broken)
    return CertificateReport(
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        error=error,
        findings=tuple(reader.findings),
        **reader.facts,
    )


@dataclass(slots=True, kw_only=True)
class _Reader:
    catalog: Catalog
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def find(self, where: str, what: str, section: str) -> None:
        self.findings.append(Finding(where=where, what=what, section=f"RFC 5280 section {section}"))

    def read(self, data: bytes) -> None:
        outer = der.parse(data, self.findings, what="certificate")
        signed = outer.child(0, der.SEQUENCE)
        if outer.tag != der.SEQUENCE or signed is None or len(outer.children) != 3:
            raise DecodeError("no certificate: a SEQUENCE of tbsCertificate, signatureAlgorithm and signature wanted")
        if (signature := outer.child(2, der.BIT_STRING)) and signature.content[:1] not in {b"", b"\0"}:
            self.find("signatureValue", "unused bits in the signature", "4.1.1.3")
        fields = list(signed.children)
        version = fields.pop(0).children if fields and fields[0].tag == 0xA0 else ()
        self.facts["version"] = version[0].integer() + 1 if version else 1
        if len(fields) < 6:
            raise DecodeError(f"tbsCertificate: at least six fields after the version wanted, got {len(fields)}")
        serial, algorithm, issuer, validity, subject, key, *rest = fields
        self._serial(serial)
        self.facts["signature_algorithm"] = names.say_signature(_oid_in(algorithm), self.catalog)
        if algorithm.whole != outer.children[1].whole:
            self.find("signature", "not the same as signatureAlgorithm", "4.1.1.2")
        self.facts["issuer"] = names.say_name(issuer)
        self._validity(validity)
        self.facts["subject"] = names.say_name(subject)
        public_key = report_public_key(key.whole, self.catalog, base=key.start)
        seen = set(self.findings)
        self.findings += [finding for finding in public_key.findings if finding not in seen]
        self.facts["public_key"] = public_key
        self._rest(rest, subject)

    def _serial(self, serial: der.Element) -> None:
        number = serial.integer()
        self.facts["serial_number"] = f"{'-' if number < 0 else ''}{abs(number):x}"
        if serial.tag != der.INTEGER:
            self.find("serialNumber", "no INTEGER", "4.1.2.2")
        elif number <= 0:
            self.find("serialNumber", "negative" if number < 0 else "zero", "4.1.2.2")
        if len(serial.content) > 20:
            self.find("serialNumber", f"{len(serial.content)} bytes, where 20 are the most", "4.1.2.2")

    def _validity(self, validity: der.Element) -> None:
        if len(validity.children) != 2:
            raise DecodeError(f"validity: two times wanted, got {len(validity.children)} elements")
        for name, label, element in zip(
            ("not_before", "not_after"), ("notBefore", "notAfter"), validity.children, strict=True
        ):
            self.facts[name] = read_time(element, label, self.findings)
        start, end = self.facts["not_before"], self.facts["not_after"]
        if isinstance(start, CertificateTime) and isinstance(end, CertificateTime) and start.unix > end.unix:
            self.find("validity", "it ends before it begins", "4.1.2.5")

    def _rest(self, rest: list[der.Element], subject: der.Element) -> None:
        listed: list[der.Element] = []
        for element in rest:
            if element.tag == 0xA3:
                listed = list(element.children[0].children) if element.children else []
                if not listed:
                    self.find("extensions", "an empty list", "4.1.2.9")
            elif element.tag in {0x81, 0x82, 0xA1, 0xA2}:
                self.find("tbsCertificate", "a unique identifier, which nobody should use", "4.1.2.8")
            else:
                self.find("tbsCertificate", f"a field of tag {element.tag:#04x}, which none has", "4.1")
        if listed and self.facts["version"] != 3:
            self.find("version", f"{self.facts['version']}, but certificates with extensions are version 3", "4.1.2.1")
        extensions = tuple(report for element in listed if (report := self._extension(element)))
        self.facts["extensions"] = extensions
        oids = [extension.oid for extension in extensions]
        for oid in dict.fromkeys(oids):
            if oids.count(oid) > 1:
                self.find("extensions", f"{names.say_extension(oid)} stands there {oids.count(oid)} times", "4.2")
        alternative = [extension for extension in extensions if extension.oid == ALTERNATIVE_NAMES]
        if not subject.children and not any(extension.critical for extension in alternative):
            self.find("subject", "empty, without a critical subject alternative name", "4.1.2.6")

    def _extension(self, element: der.Element) -> ExtensionReport | None:
        oid, critical = element.child(0, der.OID), element.child(1, der.BOOLEAN)
        value = element.child(2 if critical else 1, der.OCTET_STRING)
        if oid is None or value is None:
            self.find(
                f"byte {element.start}", "no extension: an OID, perhaps a BOOLEAN, and an OCTET STRING wanted", "4.1"
            )
            return None
        name = names.say_extension(oid.oid())
        is_critical = bool(critical and critical.content.strip(b"\0"))
        if critical and not is_critical:
            self.findings.append(
                Finding(where=name, what="critical FALSE is written out", section="X.690 section 11.5")
            )
        content = self._value(name, value)
        said = self._meaning(oid.oid(), content, is_critical, value.content) if content else None
        if oid.oid() == DELEGATION_USAGE and content is None:
            self.facts["delegation_usage"] = "broken"
        return ExtensionReport(
            oid=oid.oid(),
            name=name,
            critical=is_critical,
            size=len(value.content),
            value=shorten_value(value.content) if said is None else said,
        )

    def _value(self, name: str, value: der.Element) -> der.Element | None:
        try:
            return der.parse(value.content, self.findings, what=f"value of {name}", base=value.content_start)
        except DecodeError as error:
            self.find(name, f"its value is no DER: {error}", "4.2")
            return None

    def _meaning(self, oid: str, content: der.Element, critical: bool, raw: bytes) -> str | None:
        if oid == KEY_USAGE:
            return self._key_usage(content)
        if oid == DELEGATION_USAGE:
            return self._delegation_usage(critical, raw)
        if oid == BASIC_CONSTRAINTS:
            flag = content.child(0, der.BOOLEAN)
            self.facts["is_ca"] = bool(flag and flag.content.strip(b"\0"))
            return "CA" if self.facts["is_ca"] else "not a CA"
        if oid == ALTERNATIVE_NAMES:
            self.facts["names"] = tuple(names.say_general_name(child) for child in content.children)
            return ", ".join(map(str, self.facts["names"]))
        if oid == EXTENDED_KEY_USAGE:
            return ", ".join(names.say_purpose(child.oid()) for child in content.children)
        return None

    def _key_usage(self, content: der.Element) -> str:
        bits = content.bits()
        if content.tag != der.BIT_STRING or not any(bits):
            self.find("keyUsage", "no bit is set", "4.2.1.3")
        elif content.content[0] != (bits[-1] & -bits[-1]).bit_length() - 1:
            self.findings.append(
                Finding(where="keyUsage", what="trailing zero bits that belong cut off", section="X.690 section 11.2.2")
            )
        found = tuple(
            name
            for position, name in enumerate(KEY_USAGES)
            if position // 8 < len(bits) and bits[position // 8] & (0x80 >> position % 8)
        )
        self.facts["key_usage"] = found
        return ", ".join(found) or "no bit"

    def _delegation_usage(self, critical: bool, raw: bytes) -> str:
        wrong = (["critical"] if critical else []) + ([] if raw == b"\x05\x00" else [f"value {shorten_value(raw)}"])
        self.facts["delegation_usage"] = ", but ".join(["present", " and ".join(wrong)] if wrong else ["present"])
        return "NULL" if raw == b"\x05\x00" else shorten_value(raw)


def shorten_value(data: bytes) -> str:
    """Hex of a value, not more than fits a line."""
    return data.hex() if len(data) <= 24 else f"{data[:20].hex()}..."


def _oid_in(element: der.Element) -> str:
    found = element.child(0, der.OID)
    return found.oid() if found else ""
