"""Encrypted private keys (RFC 5958 EncryptedPrivateKeyInfo) of any scheme: PBES2 (RFC 8018), with PBKDF2 or scrypt.

Libraries decrypt only keys of the types that they know, and take any iteration count; here the content does not matter,
and the work that a file may ask for is bounded. Nobody is asked for a password here. No message quotes a byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat import asn1
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509 import ObjectIdentifier

from pqdc.errors import DecodeError, KeyFormatError

__all__ = ["MOST_ITERATIONS", "MOST_SCRYPT_BYTES", "MOST_SCRYPT_WORK", "decrypt", "encrypt", "is_encrypted"]

ITERATIONS = 600_000  # of PBKDF2-HMAC-SHA256: OWASP's figure of 2023
MOST_ITERATIONS = 5_000_000  # some seconds
MOST_SCRYPT_BYTES = 2**28  # 128 N r: scrypt's memory
MOST_SCRYPT_WORK = 2**23  # N r p: some seconds

_PBES2, _PBKDF2, _SCRYPT = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
_HMAC_SHA1 = "1.2.840.113549.2.7"
_PRFS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    _HMAC_SHA1: hashes.SHA1,
    "1.2.840.113549.2.8": hashes.SHA224,
    "1.2.840.113549.2.9": hashes.SHA256,
    "1.2.840.113549.2.10": hashes.SHA384,
    "1.2.840.113549.2.11": hashes.SHA512,
}
_HMAC_SHA256, _AES256 = "1.2.840.113549.2.9", "2.16.840.1.101.3.4.1.42"
_CIPHERS: dict[str, tuple[Callable[[bytes], Any], int]] = {  # in CBC: the cipher, and the bytes of its key
    "2.16.840.1.101.3.4.1.2": (AES, 16),
    "2.16.840.1.101.3.4.1.22": (AES, 24),
    _AES256: (AES, 32),
    "1.2.840.113549.3.7": (TripleDES, 24),
}


_Algorithm = list[asn1.TLV]  # an OID, then its parameters or nothing: optional TLVs have no type of their own


@asn1.sequence
class _Encrypted:
    algorithm: _Algorithm
    data: bytes


@asn1.sequence
class _Pbes2:
    key_derivation: _Algorithm
    encryption: _Algorithm


@asn1.sequence
class _Pbkdf2:
    salt: bytes
    iterations: int
    key_bytes: int | None
    prf: _Algorithm | None


@asn1.sequence
class _Scrypt:
    salt: bytes
    cost: int
    block_size: int
    parallel: int
    key_bytes: int | None


@asn1.sequence
class _WrittenAlgorithm:
    oid: ObjectIdentifier
    parameters: asn1.Null


@asn1.sequence
class _WrittenPbkdf2:
    salt: bytes
    iterations: int
    prf: _WrittenAlgorithm


@asn1.sequence
class _WrittenDerivation:
    oid: ObjectIdentifier
    parameters: _WrittenPbkdf2


@asn1.sequence
class _WrittenEncryption:
    oid: ObjectIdentifier
    parameters: bytes


@asn1.sequence
class _WrittenPbes2:
    key_derivation: _WrittenDerivation
    encryption: _WrittenEncryption


@asn1.sequence
class _WrittenOuter:
    oid: ObjectIdentifier
    parameters: _WrittenPbes2


@asn1.sequence
class _Written:
    algorithm: _WrittenOuter
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a file asks for: a key from a password, and what to do with it."""

    derive: Callable[[bytes], bytes]
    cipher: Callable[[bytes], Any]
    initial: bytes


def is_encrypted(der: bytes) -> bool:
    """Whether this is an EncryptedPrivateKeyInfo, of whatever algorithm."""
    try:
        asn1.decode_der(_Encrypted, der)
    except ValueError:
        return False
    return True


def decrypt(der: bytes, password: bytes) -> bytes:
    """What an EncryptedPrivateKeyInfo holds. A wrong password may give noise instead of an error: see what it is.

    Raises:
        DecodeError: it is no EncryptedPrivateKeyInfo.
        KeyFormatError: the password is wrong, the algorithm is none of PBES2's, or the file asks for too much work.
    """
    try:
        outer = asn1.decode_der(_Encrypted, der)
    except ValueError:
        raise DecodeError("private key: no EncryptedPrivateKeyInfo in DER") from None
    try:
        if (oid := _oid(outer.algorithm)) != _PBES2:
            raise KeyFormatError(
                f"the private key is encrypted with {oid}, which is not PBES2",
                hint="convert it: openssl pkcs8 -topk8 -v2 aes256",
            )
        plan = _plan(_parameters(outer.algorithm, _Pbes2))
    except ValueError:
        raise KeyFormatError("the private key is encrypted, but its PBES2 parameters are malformed") from None
    try:
        decryptor = Cipher(plan.cipher(plan.derive(password)), modes.CBC(plan.initial)).decryptor()
        padded = decryptor.update(outer.data) + decryptor.finalize()
        unpadder = PKCS7(len(plan.initial) * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise KeyFormatError("the password does not open the private key") from None


def encrypt(der: bytes, password: bytes, *, iterations: int = ITERATIONS) -> bytes:
    """An EncryptedPrivateKeyInfo of a PKCS#8 structure: PBKDF2 with HMAC-SHA-256, and AES-256 in CBC.

    Raises:
        KeyFormatError: the password is empty.
    """
    if not password:
        raise KeyFormatError("a password that is not empty wanted")
    salt, initial = os.urandom(16), os.urandom(16)
    key = PBKDF2HMAC(hashes.SHA256(), 32, salt, iterations).derive(password)
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(key), modes.CBC(initial)).encryptor()
    data = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    prf = _WrittenAlgorithm(oid=ObjectIdentifier(_HMAC_SHA256), parameters=asn1.Null())
    derivation = _WrittenDerivation(
        oid=ObjectIdentifier(_PBKDF2), parameters=_WrittenPbkdf2(salt=salt, iterations=iterations, prf=prf)
    )
    encryption = _WrittenEncryption(oid=ObjectIdentifier(_AES256), parameters=initial)
    outer = _WrittenOuter(
        oid=ObjectIdentifier(_PBES2), parameters=_WrittenPbes2(key_derivation=derivation, encryption=encryption)
    )
    return asn1.encode_der(_Written(algorithm=outer, data=data))


def _oid(algorithm: _Algorithm) -> str:
    if len(algorithm) not in {1, 2}:
        raise ValueError("no AlgorithmIdentifier")
    oid: ObjectIdentifier = algorithm[0].parse(ObjectIdentifier)
    return oid.dotted_string


def _parameters(algorithm: _Algorithm, kind: Any) -> Any:
    if len(algorithm) != 2:
        raise ValueError("no parameters")
    return algorithm[1].parse(kind)


def _plan(parameters: _Pbes2) -> _Plan:
    """The plan of these parameters.

    Raises:
        ValueError: they are malformed.
        KeyFormatError: they are of algorithms unknown here, or ask for too much work.
    """
    oid = _oid(parameters.encryption)
    if oid not in _CIPHERS:
        raise KeyFormatError(f"the private key is encrypted with {oid}; AES or 3DES in CBC wanted")
    cipher, key_bytes = _CIPHERS[oid]
    initial: bytes = _parameters(parameters.encryption, bytes)
    by = _oid(parameters.key_derivation)
    if by == _PBKDF2:
        derive = _pbkdf2(_parameters(parameters.key_derivation, _Pbkdf2), key_bytes)
    elif by == _SCRYPT:
        derive = _scrypt(_parameters(parameters.key_derivation, _Scrypt), key_bytes)
    else:
        raise KeyFormatError(f"the private key is encrypted by way of {by}; PBKDF2 or scrypt wanted")
    if len(initial) != (8 if cipher is TripleDES else 16):
        raise ValueError("the initial vector is of another length")
    return _Plan(derive=derive, cipher=cipher, initial=initial)


def _pbkdf2(parameters: _Pbkdf2, key_bytes: int) -> Callable[[bytes], bytes]:
    prf = _oid(parameters.prf) if parameters.prf else _HMAC_SHA1
    if prf not in _PRFS:
        raise KeyFormatError(f"the private key is encrypted by way of PBKDF2 with {prf}; HMAC of SHA-1 or SHA-2 wanted")
    if parameters.key_bytes not in {None, key_bytes} or parameters.iterations < 1:
        raise ValueError("impossible parameters")
    if parameters.iterations > MOST_ITERATIONS:
        raise KeyFormatError(f"at most {MOST_ITERATIONS:,} iterations of PBKDF2 wanted, the private key asks for more")
    return lambda password: PBKDF2HMAC(_PRFS[prf](), key_bytes, parameters.salt, parameters.iterations).derive(password)


def _scrypt(parameters: _Scrypt, key_bytes: int) -> Callable[[bytes], bytes]:
    cost, block, parallel = parameters.cost, parameters.block_size, parameters.parallel
    if parameters.key_bytes not in {None, key_bytes} or cost < 2 or cost & (cost - 1) or block < 1 or parallel < 1:
        raise ValueError("impossible parameters")
    if 128 * cost * block > MOST_SCRYPT_BYTES or cost * block * parallel > MOST_SCRYPT_WORK:
        raise KeyFormatError("the private key asks for more memory or work of scrypt than is sensible")
    return lambda password: Scrypt(parameters.salt, key_bytes, cost, block, parallel).derive(password)
