"""Whether a scheme's keys can be carried by a credential at all: a question with a reason, not a traceback."""

from __future__ import annotations

from functools import lru_cache

from pqdc.credential.refusals import AlgorithmForbidden, RuleRefusal, TooLarge
from pqdc.credential.structures import LARGEST_DC, LARGEST_SIGNATURE, Credential, DelegatedCredential
from pqdc.errors import KeyFormatError
from pqdc.scheme import spki
from pqdc.scheme.facts import Scheme

__all__ = ["FORBIDDEN", "check", "dc_bytes", "forbidden", "reason_against"]

LEAF_SIGNATURE_BYTES = 72  # the longest of ECDSA P-256, the leaf that most people have

# Rule M3: why no credential may have these as dc_cert_verify_algorithm. RFC 9345 section 4 rules out rsa_pss_rsae_*,
# RFC 8446 section 4.2.3 allows neither PKCS #1 v1.5 nor SHA-1 in a CertificateVerify.
FORBIDDEN = {
    0x0201: "rsa_pkcs1_sha1: neither PKCS #1 v1.5 nor SHA-1 may sign a TLS 1.3 CertificateVerify",
    0x0203: "ecdsa_sha1: SHA-1 may not sign a TLS 1.3 CertificateVerify",
    0x0401: "rsa_pkcs1_sha256: PKCS #1 v1.5 may not sign a TLS 1.3 CertificateVerify",
    0x0501: "rsa_pkcs1_sha384: PKCS #1 v1.5 may not sign a TLS 1.3 CertificateVerify",
    0x0601: "rsa_pkcs1_sha512: PKCS #1 v1.5 may not sign a TLS 1.3 CertificateVerify",
    0x0804: "rsa_pss_rsae_sha256: a DC key may not be an rsaEncryption key",
    0x0805: "rsa_pss_rsae_sha384: a DC key may not be an rsaEncryption key",
    0x0806: "rsa_pss_rsae_sha512: a DC key may not be an rsaEncryption key",
}


def forbidden(code_point: int) -> str:
    """Why no credential may have this dc_cert_verify_algorithm; empty if it may (rule M3)."""
    return FORBIDDEN.get(code_point, "")


def dc_bytes(scheme: Scheme, leaf_signature_bytes: int = LEAF_SIGNATURE_BYTES) -> int:
    """The length of a credential with a key of `scheme` under a leaf with signatures of that length.

    Raises:
        KeyFormatError: the scheme has no OID.
    """
    key = spki.encode(scheme, bytes(scheme.public_key_bytes))
    credential = Credential(valid_time=0, dc_cert_verify_algorithm=0, spki=key)
    return len(DelegatedCredential(cred=credential, algorithm=0, signature=bytes(leaf_signature_bytes)).encode())


@lru_cache(maxsize=1024)  # a minter asks it for each credential; refusals are not kept
def check(scheme: Scheme, leaf_signature_bytes: int = LEAF_SIGNATURE_BYTES) -> None:
    """Return if a credential can carry keys of `scheme` (rules M3 and M4).

    Raises:
        AlgorithmForbidden, TooLarge: the RFCs say that it cannot.
        KeyFormatError: the scheme has no OID or no code point.
    """
    if scheme.code_point is None:
        raise KeyFormatError("it has no TLS code point, so nothing can go into dc_cert_verify_algorithm")
    if not scheme.spki_oid:
        raise KeyFormatError("it has no OID, so its keys have no SubjectPublicKeyInfo")
    if scheme.code_point in FORBIDDEN:
        raise AlgorithmForbidden("a scheme for TLS 1.3 and RFC 9345", FORBIDDEN[scheme.code_point])
    if (size := dc_bytes(scheme, leaf_signature_bytes)) > LARGEST_DC:
        raise TooLarge(
            f"a DC of at most {LARGEST_DC:,} bytes", f"{size:,} bytes of DC, an extension holds {LARGEST_DC:,}"
        )
    if scheme.signature_bytes > LARGEST_SIGNATURE:
        raise TooLarge(
            f"a signature of at most {LARGEST_SIGNATURE:,} bytes",
            f"{scheme.signature_bytes:,} bytes of signature, a CertificateVerify holds {LARGEST_SIGNATURE:,}",
        )


def reason_against(scheme: Scheme, leaf_signature_bytes: int = LEAF_SIGNATURE_BYTES) -> str:
    """Why no credential can carry keys of `scheme`; empty if one can."""
    try:
        check(scheme, leaf_signature_bytes)
    except RuleRefusal as refusal:
        return refusal.got
    except KeyFormatError as error:
        return str(error)
    return ""
