"""What a credential adds to the server's flight, in bytes of real handshake messages (RFC 8446 section 4.4).

The messages are put together here, without record headers: the one function to replace by a ledger of real handshakes.
"""

from __future__ import annotations

from pqdc.credential.leaf import Leaf
from pqdc.credential.structures import EXTENSION_TYPE, DelegatedCredential
from pqdc.wire import vector

__all__ = ["CONTEXT", "certificate_verify_input", "flight_bytes"]

CONTEXT = b"TLS 1.3, server CertificateVerify"
CERTIFICATE, CERTIFICATE_VERIFY = 11, 15  # HandshakeType


def certificate_verify_input(transcript_hash: bytes) -> bytes:
    """What a server signs in its CertificateVerify (RFC 8446 section 4.4.3): 130 bytes with SHA-256."""
    return b" " * 64 + CONTEXT + b"\0" + transcript_hash


def flight_bytes(leaf: Leaf, dc: DelegatedCredential, signature: bytes, leaf_signature: bytes) -> dict[str, int]:
    """The lengths of what a server sends.

    Args:
        leaf: the certificate that is sent, alone.
        dc: under that leaf.
        signature: of the CertificateVerify, by the credential's key.
        leaf_signature: of the CertificateVerify that the leaf's key would make if there were no credential.
    """
    extension = EXTENSION_TYPE.to_bytes(2, "big") + vector(2, dc.encode())
    verify = _certificate_verify(dc.cred.dc_cert_verify_algorithm, signature)
    with_dc = len(_certificate(leaf.certificate.der, extension)) + len(verify)
    without = len(_certificate(leaf.certificate.der, b"")) + len(
        _certificate_verify(leaf.scheme.code_point or 0, leaf_signature)
    )
    return {
        "spki": len(dc.cred.spki),
        "signature": len(signature),
        "dc": len(dc.encode()),
        "certificate_entry_extension": len(extension),
        "certificate_verify": len(verify),
        "added_to_flight": with_dc - without,
    }


def _certificate(leaf: bytes, extensions: bytes) -> bytes:
    entry = vector(3, leaf) + vector(2, extensions)
    return bytes([CERTIFICATE]) + vector(3, vector(1, b"") + vector(3, entry))


def _certificate_verify(algorithm: int, signature: bytes) -> bytes:
    return bytes([CERTIFICATE_VERIFY]) + vector(3, algorithm.to_bytes(2, "big") + vector(2, signature))
