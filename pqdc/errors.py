"""Every exception that pqdc raises on purpose. Knows nothing of the rest of pqdc.

    PqdcError
    ├── CatalogError          algorithms.toml, or an overlay, says something impossible
    ├── UnknownScheme         no scheme by that name or code point
    ├── BackendUnavailable    the library that would compute a scheme is not here
    ├── PeerUnavailable       the TLS software to run against is not here, or does not run (pqdc.peers)
    ├── RefusedFiles          a peer's server does not take the files it was given (pqdc.peers)
    ├── LibraryFault          a library of the user's crashed, hung, or did what it must not
    ├── DecodeError           bytes that are not what they should be (TLS alert decode_error)
    ├── KeyFormatError        a key file or key bytes that cannot be used
    ├── BadSignature          a signature that does not verify
    ├── FileError             a file that cannot be read, recognised or written
    ├── ResultError           a result file that cannot be read, or a run that measured nothing
    ├── ProtocolViolation     a TLS peer did what RFC 8446 forbids (pqdc.handshake.alerts)
    ├── HandshakeFailure      a TLS handshake that ended in an alert, by name (pqdc.handshake.alerts)
    └── Refusal               a rule of RFC 9345 that is broken (pqdc.credential.refusals)

Messages say what was wanted, what came, and where; ``hint`` says what to do about it.
"""

from __future__ import annotations

__all__ = [
    "BackendUnavailable",
    "BadSignature",
    "CatalogError",
    "DecodeError",
    "FileError",
    "KeyFormatError",
    "LibraryFault",
    "PeerUnavailable",
    "PqdcError",
    "Refusal",
    "ResultError",
    "UnknownScheme",
]


class PqdcError(Exception):
    """The base of all of them. ``hint`` is one sentence on what to do, or empty."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class CatalogError(PqdcError):
    """algorithms.toml or an overlay is wrong; the message starts with the path of the entry."""


class UnknownScheme(PqdcError):
    """No scheme in the catalog has this name, TLS name, alias or code point."""


class BackendUnavailable(PqdcError):
    """The library that would compute a scheme is missing or unusable; the hint says how to get it."""


class PeerUnavailable(PqdcError):
    """Other people's TLS software is missing or unusable; the hint says how to get it."""


class LibraryFault(PqdcError):
    """A library that the user brought crashed, hung, or broke its call interface; the message names what it did."""


class DecodeError(PqdcError):
    """A structure is malformed: RFC 8446 section 6 calls for the alert decode_error."""


class KeyFormatError(PqdcError):
    """A key cannot be read, or does not belong to its scheme."""


class BadSignature(PqdcError):
    """A signature does not verify, or has a length that its scheme does not make."""


class FileError(PqdcError):
    """A file cannot be read, recognised or written."""


class ResultError(PqdcError):
    """A result file cannot be used, or a run measured nothing."""


class Refusal(PqdcError):
    """A rule is broken. The classes, one for each rule, are in `pqdc.credential.refusals`."""
