"""Private and public key files as people have them: PEM or DER, PKCS#8, SEC 1 or PKCS #1, encrypted or not.

What a file holds is told by its content; a PKCS#8 body under an EC label, EC PARAMETERS before the key, text around it,
are all read. Nobody is ever asked for a password here: it is an argument. No message quotes a byte of a key.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from pqdc import pem
from pqdc.errors import BackendUnavailable, DecodeError, FileError, KeyFormatError
from pqdc.files import read_file
from pqdc.scheme import backends, pkcs8, spki
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import PrivateKey, PublicKey

__all__ = ["load_private_key", "load_private_keys", "load_public_key", "private_keys_of"]


def load_private_keys(path: Path, catalog: Catalog, *, password: bytes | None = None) -> list[PrivateKey]:
    """The private key of a file, once for each scheme that it may be used with (RSA: several hashes).

    Raises:
        FileError: the file cannot be read, or holds no private key, or several.
        KeyFormatError: the key is encrypted and `password` does not open it, or is of no scheme in the catalog.
        BackendUnavailable: nothing here computes its scheme.
    """
    der = _pkcs8_in(path, read_file(path), password)
    try:
        return private_keys_of(der, catalog)
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None
    except KeyFormatError as error:
        raise KeyFormatError(f"{path}: {error}", hint=error.hint) from None


def load_private_key(path: Path, catalog: Catalog, scheme: Scheme, *, password: bytes | None = None) -> PrivateKey:
    """The private key of a file, which must be one of `scheme`.

    Raises:
        FileError, KeyFormatError, BackendUnavailable: as `load_private_keys`; or it is of another scheme.
    """
    keys = load_private_keys(path, catalog, password=password)
    for key in keys:
        if key.scheme is scheme:
            return key
    raise KeyFormatError(f"{path}: a key of {scheme.name} wanted, this is one of {keys[0].scheme.name}")


def load_public_key(path: Path, scheme: Scheme) -> PublicKey:
    """The public key of a file, PEM or DER, which must be a SubjectPublicKeyInfo of `scheme`.

    Raises:
        FileError: the file cannot be read, or holds no public key.
        KeyFormatError: it is of another scheme.
        BackendUnavailable: nothing here computes the scheme.
    """
    data = read_file(path)
    try:
        found = pem.blocks(data)
        der = next((block.data for block in found if block.label.endswith("PUBLIC KEY")), None) if found else data
        if der is None:
            raise FileError(f"{path}: a public key wanted, it holds {', '.join(block.label for block in found)}")
        return backends.choose(scheme).public_key(scheme, spki.raw_key(scheme, der))
    except (DecodeError, KeyFormatError) as error:
        raise type(error)(f"{path}: {error}") from None


def private_keys_of(der: bytes, catalog: Catalog) -> list[PrivateKey]:
    """The key of a PKCS#8 structure, unencrypted, once for each scheme that it may be used with.

    Raises:
        DecodeError: it is no PKCS#8.
        KeyFormatError: it is of no scheme in the catalog, or broken.
        BackendUnavailable: nothing here computes its scheme.
    """
    key = pkcs8.decode(der)
    schemes = [
        scheme for scheme in catalog.with_key_oid(key.algorithm.oid) if spki.has_parameters(scheme, key.algorithm)
    ]
    if not schemes:
        raise KeyFormatError(f"the private key is of no scheme in the catalog: its OID is {key.algorithm.oid}")
    loaded: list[PrivateKey] = []
    reasons: list[KeyFormatError | BackendUnavailable] = []
    for scheme in schemes:
        for name in backends.available(scheme) or [None]:
            try:
                secret = pkcs8.secret_of(scheme, key)
                loaded.append(backends.choose(scheme, name).private_key(scheme, secret))
                break
            except (KeyFormatError, BackendUnavailable) as error:
                reasons.append(error)
    if not loaded:
        raise reasons[0]
    return loaded


def _pkcs8_in(path: Path, data: bytes, password: bytes | None) -> bytes:
    """The one private key of a file, as unencrypted PKCS#8 in DER."""
    try:
        found = pem.blocks(data)
    except DecodeError as error:
        raise FileError(f"{path}: {error}") from None
    private = [block for block in found if block.label.endswith("PRIVATE KEY")]
    if found and not private:
        raise FileError(f"{path}: a private key wanted, it holds {', '.join(block.label for block in found)}")
    if len(private) > 1:
        raise FileError(f"{path}: one private key wanted, it holds {len(private)}")
    der = private[0].data if private else data
    try:
        pkcs8.decode(der)
    except DecodeError:
        return _translate(path, private[0] if private else None, der, password)
    return der


def _translate(path: Path, block: pem.Block | None, der: bytes, password: bytes | None) -> bytes:
    """An encrypted or older format as plain PKCS#8, by the library that knows them."""
    encrypted = "the private key is encrypted" if password is None else "the password does not open the private key"
    try:
        if block is not None and block.encrypted:  # the headers matter, so the library reads the block itself
            raise KeyFormatError(f"{path}: {encrypted} in the old PEM way", hint="convert it: openssl pkcs8 -topk8")
        key = load_der_private_key(der, password)
    except TypeError:
        raise KeyFormatError(f"{path}: {encrypted}", hint="give the password in a file: --password-file") from None
    except (ValueError, UnsupportedAlgorithm, InternalError):
        if password is not None:
            raise KeyFormatError(f"{path}: {encrypted}, or it is of a kind that cannot be read") from None
        raise FileError(f"{path}: no private key, neither PEM nor DER") from None
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
