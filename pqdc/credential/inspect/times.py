"""The times of a certificate, in every form that BER allows and RFC 5280 section 4.1.2.5 does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pqdc.credential.certificate import EPOCH
from pqdc.credential.inspect.der import Element
from pqdc.credential.inspect.findings import Finding

__all__ = ["CertificateTime", "read_time"]

UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
_SECTIONS = {UTC_TIME: "RFC 5280 section 4.1.2.5.1", GENERALIZED_TIME: "RFC 5280 section 4.1.2.5.2"}
_REST = rb"(?P<month>\d\d)(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?(?P<fraction>[.,]\d+)?"
_ZONE = rb"(?P<zone>Z|[+-]\d{4})?"
_FORMS = {
    UTC_TIME: re.compile(rb"(?P<year>\d\d)" + _REST + _ZONE),
    GENERALIZED_TIME: re.compile(rb"(?P<year>\d{4})" + _REST + _ZONE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTime:
    """A time as Unix seconds, and the text that it is written as."""

    unix: int
    text: str


def read_time(element: Element, name: str, findings: list[Finding]) -> CertificateTime | None:
    """The time of an element; what is odd about it goes to `findings`; None if it is none."""
    section = _SECTIONS.get(element.tag, "RFC 5280 section 4.1.2.5")

    def find(what: str) -> None:
        findings.append(Finding(where=name, what=what, section=section))

    text = element.content[:64].decode("ascii", "backslashreplace")
    match = _FORMS[element.tag].fullmatch(element.content) if element.tag in _FORMS else None
    if match is None:
        find(f"no time: {text!r}" if element.tag in _FORMS else "neither UTCTime nor GeneralizedTime")
        return None
    year = int(match["year"])
    if element.tag == UTC_TIME:
        year += 1900 if year >= 50 else 2000
    elif 1950 <= year < 2050:
        find("a GeneralizedTime for a year that UTCTime has")
    if match["minute"] is None or match["second"] is None:
        find(f"no {'minutes' if match['minute'] is None else 'seconds'}")
    if match["fraction"]:
        find("fractions of a second")
    if match["zone"] != b"Z":
        find(f"{'an offset' if match['zone'] else 'no time zone'} where Z should be")
    clock = (int(match[part] or 0) for part in ("month", "day", "hour", "minute", "second"))
    try:
        month, day, hour, minute, second = clock
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _offset(match["zone"])
    except (ValueError, OverflowError) as error:
        find(f"no time of the calendar: {error}")
        return None
    return CertificateTime(unix=(moment - EPOCH) // timedelta(seconds=1), text=text)


def _offset(zone: bytes | None) -> timedelta:
    if not zone or zone == b"Z":
        return timedelta(0)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    return -size if zone[:1] == b"-" else size
