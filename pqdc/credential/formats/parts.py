"""What several formats share: file names, keys and leaves as files, credentials in text, what targets load.

One name always holds the same bytes, whichever format writes it, so that formats can be asked for together.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from enum import IntEnum

from pqdc import pem
from pqdc.credential.formats import Bundle
from pqdc.credential.structures import DelegatedCredential
from pqdc.errors import DecodeError, FileError
from pqdc.files import OutputFile
from pqdc.scheme import pkcs8

__all__ = [
    "DC_KEY",
    "DC_KEY_DER",
    "DC_RAW",
    "ECDSA",
    "EDDSA",
    "LEAF",
    "ML_DSA",
    "RSA_PSS",
    "CodePoint",
    "check_loads",
    "check_seed",
    "from_base64",
    "from_hex",
    "key_der_file",
    "key_file",
    "leaf_file",
    "plain_key",
    "raw_file",
    "read_raw",
    "say_loads",
]

DC_RAW, DC_KEY, DC_KEY_DER, LEAF = "dc.bin", "dc.key", "dc.key.der", "leaf.pem"
_BLANKS = b" \t\r\n\x0b\x0c"
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


class CodePoint(IntEnum):
    """The TLS SignatureSchemes that targets are known to load; names and numbers are IANA's."""

    ecdsa_secp256r1_sha256 = 0x0403
    ecdsa_secp384r1_sha384 = 0x0503
    ecdsa_secp521r1_sha512 = 0x0603
    ed25519 = 0x0807
    ed448 = 0x0808
    rsa_pss_pss_sha256 = 0x0809
    rsa_pss_pss_sha384 = 0x080A
    rsa_pss_pss_sha512 = 0x080B
    mldsa44 = 0x0904
    mldsa65 = 0x0905
    mldsa87 = 0x0906


ECDSA = (CodePoint.ecdsa_secp256r1_sha256, CodePoint.ecdsa_secp384r1_sha384, CodePoint.ecdsa_secp521r1_sha512)
EDDSA = (CodePoint.ed25519, CodePoint.ed448)
RSA_PSS = (CodePoint.rsa_pss_pss_sha256, CodePoint.rsa_pss_pss_sha384, CodePoint.rsa_pss_pss_sha512)
ML_DSA = (CodePoint.mldsa44, CodePoint.mldsa65, CodePoint.mldsa87)


def say_loads(loads: Iterable[CodePoint]) -> str:
    """The names of what a target loads."""
    return ", ".join(point.name for point in loads)


def check_loads(bundle: Bundle, target: str, loads: tuple[CodePoint, ...]) -> None:
    """Return if the target loads credentials for such keys.

    Raises:
        FileError: it does not.
        DecodeError: the bundle's credential is none.
    """
    got = DelegatedCredential.decode(bundle.dc).cred.dc_cert_verify_algorithm
    if got not in set(loads):
        name = f"{bundle.scheme} (0x{got:04x})" if bundle.scheme else f"0x{got:04x}"
        raise FileError(
            f"{target} loads no credential for {name}, but for {say_loads(loads)}",
            hint="the formats raw and pem take any",
        )


def plain_key(bundle: Bundle, target: str) -> bytes:
    """The private key for a file in which it must stand as it is.

    Raises:
        FileError: the bundle has none, or wants it encrypted.
    """
    if bundle.encrypted_key:
        raise FileError(
            f"{target} loads no encrypted private key", hint="leave out --encrypt-key, or choose raw or pem"
        )
    if not bundle.private_key:
        raise FileError(f"{target} wants the private key in the same file, and it is not here", hint="give --dc-key")
    return bundle.private_key


def raw_file(bundle: Bundle) -> tuple[OutputFile, ...]:
    """The bytes of the credential."""
    return (OutputFile(name=DC_RAW, data=bundle.dc),)


def key_file(bundle: Bundle, target: str = "", *, name: str = DC_KEY) -> tuple[OutputFile, ...]:
    """The private key as PKCS#8 PEM, if it is here.

    Args:
        bundle: what is written.
        target: who loads it, if that cannot be an encrypted key.
        name: of the file.

    Raises:
        FileError: the bundle wants it encrypted, and there is a target.
    """
    if bundle.encrypted_key and not target:
        return (OutputFile(name=name, data=pem.armour("ENCRYPTED PRIVATE KEY", bundle.encrypted_key), secret=True),)
    if not bundle.private_key and not bundle.encrypted_key:
        return ()
    return (OutputFile(name=name, data=pem.armour("PRIVATE KEY", plain_key(bundle, target)), secret=True),)


def key_der_file(bundle: Bundle, target: str) -> tuple[OutputFile, ...]:
    """The private key as PKCS#8 DER, if it is here."""
    if not bundle.private_key and not bundle.encrypted_key:
        return ()
    return (OutputFile(name=DC_KEY_DER, data=plain_key(bundle, target), secret=True),)


def leaf_file(bundle: Bundle) -> tuple[OutputFile, ...]:
    """The leaf and the certificates after it as PEM, if they are here."""
    if not bundle.certificates:
        return ()
    return (OutputFile(name=LEAF, data=b"".join(pem.armour("CERTIFICATE", der) for der in bundle.certificates)),)


def check_seed(bundle: Bundle, target: str) -> None:
    """Return if an ML-DSA key is in the form of its seed (RFC 9881), or there is none here.

    Raises:
        FileError: it is expanded.
    """
    code_point = DelegatedCredential.decode(bundle.dc).cred.dc_cert_verify_algorithm
    if not bundle.private_key or code_point not in set(ML_DSA):
        return
    if pkcs8.decode(bundle.private_key).private_key[:1] != b"\x80":
        raise FileError(f"{target} loads ML-DSA keys from their seed alone, and this one is expanded")


def read_raw(data: bytes) -> tuple[Bundle, ...]:
    """Bytes that are exactly a DelegatedCredential; nothing for any others."""
    try:
        DelegatedCredential.decode(data)
    except DecodeError:
        return ()
    return (Bundle(dc=data),)


def from_hex(data: bytes) -> bytes:
    """The bytes of a file that is nothing but hex digits and blanks; none of another."""
    text = pem.text_of(data).removeprefix(b"\xef\xbb\xbf").translate(None, _BLANKS)
    if len(text) % 2 or not _HEX.fullmatch(text):
        return b""
    return binascii.unhexlify(text)


def from_base64(data: bytes) -> bytes:
    """The bytes of a file that is nothing but base64 and blanks; none of another."""
    text = pem.text_of(data).removeprefix(b"\xef\xbb\xbf").translate(None, _BLANKS)
    if len(text) % 4 or not _BASE64.fullmatch(text):
        return b""
    return base64.b64decode(text)
