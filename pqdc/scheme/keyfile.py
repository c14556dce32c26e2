"""Private and public key files as people have them: PEM or DER, PKCS#8, SEC 1 or PKCS #1, encrypted or not.

What a file holds is told by its content; a PKCS#8 body under an EC label, EC PARAMETERS before the key, text around it,
are all read. Nobody is ever asked for a password here: it is an argument. No message quotes a byte of a key.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509 import ObjectIdentifier

from pqdc import pem
from pqdc.errors import BackendUnavailable, DecodeError, FileError, KeyFormatError, PqdcError
from pqdc.files import read_file
from pqdc.scheme import backends, pbes2, pkcs8, spki
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import PrivateKey, PublicKey

__all__ = [
    "is_encrypted",
    "load_private_key",
    "load_private_keys",
    "load_public_key",
    "private_keys_of",
    "to_pkcs8",
]

RSASSA_PSS = "1.2.840.113549.1.1.10"
_PASSWORD_HINT = "give the password in a file: --password-file"  # noqa: S105 - not one


@asn1.sequence
class _Algorithm:
    oid: ObjectIdentifier
    parameters: asn1.TLV


@asn1.sequence
class _Spki:
    algorithm: _Algorithm
    subject_public_key: asn1.BitString


def load_private_keys(
    path: Path, catalog: Catalog, *, password: bytes | None = None, public: bytes = b""
) -> list[PrivateKey]:
    """The private key of a file, once for each scheme that it may be used with (RSA: several hashes).

    Args:
        path: the file.
        catalog: the schemes that it may be of.
        password: opens it, if it is encrypted.
        public: its raw public key, for files that need one beside them (expanded RFC 9881 keys).

    Raises:
        FileError: the file cannot be read, or holds no private key, or several.
        KeyFormatError: the key is encrypted and `password` does not open it, or it is of no scheme in the catalog, or
            it does not belong to `public`.
        BackendUnavailable: nothing here computes its scheme.
    """
    der = _pkcs8_in(path, password)
    try:
        return private_keys_of(der, catalog, public=public)
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None
    except KeyFormatError as error:
        raise KeyFormatError(f"{path}: {error}", hint=error.hint) from None


def load_private_key(
    path: Path, catalog: Catalog, scheme: Scheme, *, password: bytes | None = None, public: bytes = b""
) -> PrivateKey:
    """The private key of a file, which must be one of `scheme`.

    An rsaEncryption key is taken as one of RSASSA-PSS when that is what is asked for: its content is the same.

    Raises:
        FileError, KeyFormatError, BackendUnavailable: as `load_private_keys`; or it is of another scheme.
    """
    der = _pkcs8_in(path, password)
    try:
        return _private_key_of(der, catalog, scheme, public)
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None
    except KeyFormatError as error:
        raise KeyFormatError(f"{path}: {error}", hint=error.hint) from None


def _private_key_of(der: bytes, catalog: Catalog, scheme: Scheme, public: bytes) -> PrivateKey:
    key = pkcs8.decode(der)
    if key.algorithm.oid == spki.RSA_ENCRYPTION and scheme.spki_oid == RSASSA_PSS:
        return _load(scheme, key, public)
    loaded = private_keys_of(der, catalog, public=public)
    for private in loaded:
        if private.scheme is scheme:
            return private
    raise KeyFormatError(f"a key of {scheme.name} wanted, this is one of {loaded[0].scheme.name}")


def load_public_key(path: Path, scheme: Scheme) -> PublicKey:
    """The public key of a file, PEM or DER, which must be a SubjectPublicKeyInfo of `scheme`; that is kept as it is.

    Raises:
        FileError: the file cannot be read, or holds no public key, or several.
        KeyFormatError: it is of another scheme.
        BackendUnavailable: nothing here computes the scheme.
    """
    data = read_file(path)
    try:
        found = pem.blocks(data)
        der = _the_one("public key", path, found).data if found else data
        key = backends.choose(scheme).public_key(scheme, spki.raw_key(scheme, der))
        key.keep(der)
    except DecodeError as error:
        raise FileError(f"{path}: no public key, neither PEM nor DER: {error}") from None
    except KeyFormatError as error:
        raise KeyFormatError(f"{path}: {error}", hint=error.hint) from None
    return key


def private_keys_of(der: bytes, catalog: Catalog, *, public: bytes = b"") -> list[PrivateKey]:
    """The key of a PKCS#8 structure, unencrypted, once for each scheme that it may be used with.

    Raises:
        DecodeError: it is no PKCS#8.
        KeyFormatError: it is of no scheme in the catalog, or broken, or does not belong to `public`, its raw half.
        BackendUnavailable: nothing here computes its scheme.
    """
    key = pkcs8.decode(der)
    schemes = [
        scheme for scheme in catalog.with_key_oid(key.algorithm.oid) if spki.has_parameters(scheme, key.algorithm)
    ]
    if not schemes:
        raise KeyFormatError(f"the private key is of no scheme in the catalog: its OID is {key.algorithm.oid}")
    loaded: list[PrivateKey] = []
    reasons: list[PqdcError] = []
    for scheme in schemes:
        try:
            loaded.append(_load(scheme, key, public))
        except (KeyFormatError, BackendUnavailable) as error:
            reasons.append(error)
    if not loaded:
        raise reasons[0]
    return loaded


def to_pkcs8(der: bytes, *, password: bytes | None = None) -> bytes:
    """The DER of a private key of any kind as PKCS#8, unencrypted; PKCS#8 comes back as it is.

    Raises:
        KeyFormatError: it is encrypted, and `password` does not open it.
        DecodeError: it is no private key.
    """
    if _is_pkcs8(der):
        return der
    if pbes2.is_encrypted(der):
        if password is None:
            raise KeyFormatError("the private key is encrypted", hint=_PASSWORD_HINT)
        opened = pbes2.decrypt(der, password)
        if not _is_pkcs8(opened):  # the padding of noise is right once in 256 times
            raise KeyFormatError("the password does not open the private key")
        return opened
    try:
        key = load_der_private_key(der, None)
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DecodeError("no private key, neither PEM nor DER") from None


def is_encrypted(path: Path) -> bool:
    """Whether a file holds a private key that a password opens.

    Raises:
        FileError: it cannot be read, or holds no private key, or several.
    """
    block = _block_in(path)
    return not block.encrypted and not _is_pkcs8(block.data) and pbes2.is_encrypted(block.data)


def _load(scheme: Scheme, key: pkcs8.OneAsymmetricKey, public: bytes) -> PrivateKey:
    """The key in the first backend that takes it.

    A seed, every backend takes, so what the first says is said. An expanded key, only some do.
    """
    secret = pkcs8.secret_of(scheme, key)
    only_expanded = scheme.private_key == "seed" and not secret.seed
    if only_expanded:
        secret = replace(secret, public=secret.public or public)
    names = backends.available(scheme) or (None,)
    if only_expanded and not secret.public:
        raise KeyFormatError(
            f"a private key of {scheme.name} in expanded form does not tell its public key",
            hint="give the public key beside it, as --dc-public, or use a file that holds the seed",
        )
    reasons: list[KeyFormatError] = []
    for name in names if only_expanded else names[:1]:
        try:
            private = backends.choose(scheme, name).private_key(scheme, secret)
        except KeyFormatError as error:
            reasons.append(error)
            continue
        if public and private.public.raw != public:
            raise KeyFormatError(f"this private key of {scheme.name} belongs to another public key")
        if key.algorithm.oid == scheme.spki_oid and key.algorithm.parameters and scheme.key_parameters_too:
            private.public.keep(_spki_of(key, private.public.raw))
        return private
    raise reasons[0]


def _spki_of(key: pkcs8.OneAsymmetricKey, raw: bytes) -> bytes:
    """The SPKI that has the algorithm of the private key, with its parameters."""
    parameters = asn1.decode_der(asn1.TLV, key.algorithm.parameters)
    algorithm = _Algorithm(oid=ObjectIdentifier(key.algorithm.oid), parameters=parameters)
    bits = asn1.BitString(data=raw, padding_bits=0)
    return asn1.encode_der(_Spki(algorithm=algorithm, subject_public_key=bits))


def _pkcs8_in(path: Path, password: bytes | None) -> bytes:
    """The one private key of a file, as unencrypted PKCS#8 in DER."""
    block = _block_in(path)
    if block.encrypted:  # the headers would matter, and the way of old OpenSSL is weak
        raise KeyFormatError(
            f"{path}: the private key is encrypted in the old PEM way", hint="convert it: openssl pkcs8 -topk8"
        )
    try:
        return to_pkcs8(block.data, password=password)
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None
    except KeyFormatError as error:
        raise KeyFormatError(f"{path}: {error}", hint=error.hint) from None


def _block_in(path: Path) -> pem.Block:
    """The one private key of a file as it stands there; DER is a block without a label."""
    data = read_file(path)
    try:
        found = pem.blocks(data)
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None
    if not found:
        return pem.Block(label="", data=data)
    return _the_one("private key", path, found)


def _is_pkcs8(der: bytes) -> bool:
    try:
        pkcs8.decode(der)
    except DecodeError:
        return False
    return True


def _the_one(what: str, path: Path, found: list[pem.Block]) -> pem.Block:
    """The one block of a kind."""
    fitting = [block for block in found if block.label.endswith(what.upper())]
    if not fitting:
        labels = list(dict.fromkeys(block.label for block in found))
        raise FileError(f"{path}: a {what} wanted, it holds {', '.join(labels[:5])}")
    if len(fitting) > 1:
        raise FileError(f"{path}: one {what} wanted, it holds {len(fitting)}")
    return fitting[0]
