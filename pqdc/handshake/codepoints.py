"""Code points of TLS 1.3 that pqdc acts on (RFC 8446, RFC 9345, draft-ietf-tls-ecdhe-mlkem). Peers may send others.

Wherever a peer chooses the number, the field is a plain `int`; these enumerations are for what we say ourselves.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "LEGACY_VERSION",
    "TLS13",
    "CipherSuite",
    "ContentType",
    "ExtensionType",
    "Group",
    "HandshakeType",
    "name_of",
]

LEGACY_VERSION = 0x0303
TLS13 = 0x0304


class ContentType(IntEnum):
    """Of a record: RFC 8446 section 5.1."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


class HandshakeType(IntEnum):
    """Of a handshake message: RFC 8446 section 4."""

    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    ENCRYPTED_EXTENSIONS = 8
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13
    CERTIFICATE_VERIFY = 15
    FINISHED = 20
    KEY_UPDATE = 24
    MESSAGE_HASH = 254


class ExtensionType(IntEnum):
    """Of an extension: RFC 8446 section 4.2, RFC 7301, RFC 9345."""

    SERVER_NAME = 0
    STATUS_REQUEST = 5
    SUPPORTED_GROUPS = 10
    SIGNATURE_ALGORITHMS = 13
    ALPN = 16
    SIGNED_CERTIFICATE_TIMESTAMP = 18
    PADDING = 21
    DELEGATED_CREDENTIAL = 34
    PRE_SHARED_KEY = 41
    EARLY_DATA = 42
    SUPPORTED_VERSIONS = 43
    COOKIE = 44
    PSK_KEY_EXCHANGE_MODES = 45
    CERTIFICATE_AUTHORITIES = 47
    OID_FILTERS = 48
    POST_HANDSHAKE_AUTH = 49
    SIGNATURE_ALGORITHMS_CERT = 50
    KEY_SHARE = 51


class CipherSuite(IntEnum):
    """AEAD and hash: RFC 8446 appendix B.4."""

    AES_128_GCM_SHA256 = 0x1301
    AES_256_GCM_SHA384 = 0x1302
    CHACHA20_POLY1305_SHA256 = 0x1303


class Group(IntEnum):
    """A key exchange: RFC 8446 section 4.2.7, draft-ietf-tls-ecdhe-mlkem."""

    SECP256R1 = 0x0017
    SECP384R1 = 0x0018
    SECP521R1 = 0x0019
    X25519 = 0x001D
    X25519MLKEM768 = 0x11EC


def name_of(enumeration: type[IntEnum], value: int) -> str:
    """The name as RFCs write it (`ClientHello` for a message, else as it stands), or the number in hex."""
    try:
        name = enumeration(value).name
    except ValueError:
        return f"0x{value:04x}"
    if enumeration is HandshakeType:
        return name.title().replace("_", "")
    return name.lower() if enumeration is ExtensionType else name
