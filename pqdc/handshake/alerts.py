"""Alerts (RFC 8446 section 6), the error that ends a handshake with one, and which alert an error of pqdc calls for."""

from __future__ import annotations

from enum import IntEnum

from pqdc.credential.refusals import RuleRefusal
from pqdc.errors import BackendUnavailable, BadSignature, DecodeError, KeyFormatError, PqdcError

__all__ = ["Alert", "HandshakeFailure", "ProtocolViolation", "alert_for", "alert_name"]


class Alert(IntEnum):
    """AlertDescription: RFC 8446 section 6, RFC 7301."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELED = 90
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    UNKNOWN_PSK_IDENTITY = 115
    CERTIFICATE_REQUIRED = 116
    NO_APPLICATION_PROTOCOL = 120


class ProtocolViolation(PqdcError):
    """The peer did what RFC 8446 forbids, or there is nothing in common; `alert` is what it is told."""

    def __init__(self, alert: Alert, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.alert = alert


class HandshakeFailure(PqdcError):
    """A handshake that did not finish, as told to the caller.

    Attributes:
        alert: the number that ended it, whoever sent it; None where the peer vanished.
        sender: who sent the alert: "client" or "server".
        reason: the error behind it, where it happened here: a `RuleRefusal`, a `ProtocolViolation`, ...
    """

    def __init__(self, message: str, *, alert: int | None, sender: str, reason: PqdcError | None = None) -> None:
        super().__init__(message, hint=reason.hint if reason else "")
        self.alert = alert
        self.sender = sender
        self.reason = reason


def alert_for(error: PqdcError) -> Alert:
    """The alert that this error calls for: rules say theirs, the rest is sorted by kind."""
    if isinstance(error, ProtocolViolation):
        return error.alert
    if isinstance(error, RuleRefusal):
        return Alert[error.alert.upper()] if error.alert else Alert.ILLEGAL_PARAMETER
    if isinstance(error, DecodeError):
        return Alert.DECODE_ERROR
    if isinstance(error, BadSignature):
        return Alert.DECRYPT_ERROR
    if isinstance(error, KeyFormatError):
        return Alert.ILLEGAL_PARAMETER
    return Alert.UNSUPPORTED_CERTIFICATE if isinstance(error, BackendUnavailable) else Alert.INTERNAL_ERROR


def alert_name(number: int) -> str:
    """As the RFC writes it, or the number."""
    try:
        return Alert(number).name.lower()
    except ValueError:
        return f"alert {number}"
