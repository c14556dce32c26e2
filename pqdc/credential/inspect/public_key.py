"""A SubjectPublicKeyInfo, decoded and linted: what strict readers refuse and libraries re-encode is named."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pqdc.credential.inspect import der
from pqdc.credential.inspect.findings import Finding
from pqdc.errors import DecodeError
from pqdc.scheme import spki
from pqdc.scheme.catalog import Catalog

__all__ = ["PublicKeyReport", "report_public_key", "shorten"]

EC_PUBLIC_KEY = "1.2.840.10045.2.1"  # RFC 5480
RSA_KEYS = (spki.RSA_ENCRYPTION, "1.2.840.113549.1.1.10")  # RFC 8017, RFC 4055
POINTS = {2: "compressed", 3: "compressed", 6: "hybrid", 7: "hybrid", 0: "infinite"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeyReport:
    """What an SPKI says.

    Attributes:
        size: of the SPKI, bytes.
        oid: dotted; empty if it cannot be read.
        parameters: "", "NULL", a dotted OID, or hex.
        schemes: of the catalog, for which it is a key; none if unknown, or not as the scheme wants it.
        key: the raw one.
        sha256: of the SPKI, hex.
        error: why no more could be read, or empty.
    """

    size: int
    oid: str = ""
    parameters: str = ""
    schemes: tuple[str, ...] = ()
    key: bytes = b""
    sha256: str = ""
    error: str = ""
    findings: tuple[Finding, ...] = ()


def shorten(data: bytes, most: int = 24) -> str:
    """Hex of `data`; of long ones the start and the end."""
    return data.hex() if len(data) <= most else f"{data[: most - 4].hex()}...{data[-4:].hex()}"


def report_public_key(data: bytes, catalog: Catalog, *, base: int = 0) -> PublicKeyReport:
    """Read an SPKI; never raises for what it holds. Bytes are counted from `base`."""
    findings: list[Finding] = []
    digest = hashlib.sha256(data).hexdigest()
    try:
        outer = der.parse(data, findings, what="SubjectPublicKeyInfo", base=base)
        algorithm, bits = outer.child(0, der.SEQUENCE), outer.child(1, der.BIT_STRING)
        oid = algorithm.child(0, der.OID) if algorithm else None
        if outer.tag != der.SEQUENCE or algorithm is None or bits is None or oid is None or not bits.content:
            raise DecodeError("no SubjectPublicKeyInfo: a SEQUENCE of AlgorithmIdentifier and BIT STRING wanted")
    except DecodeError as error:
        return PublicKeyReport(size=len(data), sha256=digest, error=str(error), findings=tuple(findings))
    if len(outer.children) > 2 or len(algorithm.children) > 2:
        findings.append(
            Finding(
                where="SubjectPublicKeyInfo", what="more elements than there should be", section="RFC 5280 section 4.1"
            )
        )
    parameters = algorithm.child(1)
    _Linter(catalog=catalog, findings=findings, oid=oid.oid(), parameters=parameters, bits=bits).lint()
    try:
        schemes = tuple(scheme.name for scheme in spki.schemes_of(catalog, data))
    except DecodeError:
        schemes = ()
    return PublicKeyReport(
        size=len(data),
        oid=oid.oid(),
        parameters=_say_parameters(parameters),
        schemes=schemes,
        key=bits.bits(),
        sha256=digest,
        findings=tuple(findings),
    )


def _say_parameters(parameters: der.Element | None) -> str:
    if parameters is None:
        return ""
    if parameters.tag == der.NULL:
        return "NULL"
    return parameters.oid() if parameters.tag == der.OID else shorten(parameters.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linter:
    catalog: Catalog
    findings: list[Finding]
    oid: str
    parameters: der.Element | None
    bits: der.Element

    def find(self, where: str, what: str, section: str) -> None:
        self.findings.append(Finding(where=where, what=what, section=section))

    def lint(self) -> None:
        if self.bits.content[0]:
            self.find(
                "subjectPublicKey", f"a key whose last {self.bits.content[0]} bits are unused", "RFC 5280 section 4.1"
            )
        if self.oid == EC_PUBLIC_KEY:
            self._lint_ec()
        elif self.oid in RSA_KEYS:
            self._lint_rsa()
        else:
            self._lint_other()

    def _lint_ec(self) -> None:
        tag = self.parameters.tag if self.parameters else None
        if tag == der.SEQUENCE:
            self.find("algorithm", "explicit curve parameters instead of a curve's name", "RFC 5480 section 2.1.1")
        elif tag != der.OID:
            said = "no parameters" if tag is None else "parameters that are no OID"
            self.find("algorithm", f"{said}, so no curve is named", "RFC 5480 section 2.1.1")
        point = self.bits.bits()
        form = POINTS.get(point[0], "unknown") if point else "empty"
        if point[:1] != b"\x04":
            self.find("subjectPublicKey", f"{'an' if form[0] in 'aeiou' else 'a'} {form} point", "RFC 5480 section 2.2")
        elif tag == der.OID:
            self._lint_length(self.parameters.whole if self.parameters else b"")

    def _lint_rsa(self) -> None:
        tag = self.parameters.tag if self.parameters else None
        if self.oid == spki.RSA_ENCRYPTION and tag != der.NULL:
            self.find("algorithm", "parameters of rsaEncryption that are not NULL", "RFC 3279 section 2.3.1")
        try:
            key = der.parse(self.bits.bits(), self.findings, what="RSAPublicKey", base=self.bits.content_start + 1)
        except DecodeError as error:
            self.find("subjectPublicKey", f"no RSAPublicKey: {error}", "RFC 8017 appendix A.1.1")
            return
        numbers = [child.integer() for child in key.children if child.tag == der.INTEGER]
        if key.tag != der.SEQUENCE or len(numbers) != 2 or len(key.children) != 2:
            self.find("subjectPublicKey", "no RSAPublicKey of modulus and exponent", "RFC 8017 appendix A.1.1")
        elif numbers[0] <= 0 or numbers[1] <= 0:
            self.find("subjectPublicKey", "a modulus or exponent that is not positive", "RFC 8017 section 3.1")
        elif not numbers[0] & numbers[1] & 1:
            self.find("subjectPublicKey", "a modulus or exponent that is even", "RFC 8017 section 3.1")

    def _lint_other(self) -> None:
        schemes = self.catalog.with_key_oid(self.oid)
        if not schemes:
            return
        der_parameters = self.parameters.whole if self.parameters else b""
        algorithm = spki.AlgorithmIdentifier(oid=self.oid, parameters=der_parameters)
        if any(spki.has_parameters(scheme, algorithm) for scheme in schemes):
            self._lint_length(der_parameters)
        else:
            wanted = " or ".join(dict.fromkeys(scheme.key_parameters or "none" for scheme in schemes))
            got = _say_parameters(self.parameters) or "none"
            self.find("algorithm", f"parameters {got}, where {wanted} should be", _standard(schemes[0].standard))

    def _lint_length(self, parameters: bytes) -> None:
        algorithm = spki.AlgorithmIdentifier(oid=self.oid, parameters=parameters)
        schemes = [scheme for scheme in self.catalog.with_key_oid(self.oid) if spki.has_parameters(scheme, algorithm)]
        sizes = {scheme.public_key_bytes for scheme in schemes}
        if sizes and len(self.bits.bits()) not in sizes:
            wanted = " or ".join(f"{size:,}" for size in sorted(sizes))
            self.find(
                "subjectPublicKey",
                f"a key of {len(self.bits.bits()):,} bytes; {schemes[0].name} has {wanted}",
                _standard(schemes[0].standard),
            )


def _standard(text: str) -> str:
    return text or "the scheme's specification"
