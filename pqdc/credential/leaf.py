"""The leaf as a signer: its certificate, and whatever signs for it - a key here, or a callable for one that is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pqdc import pem
from pqdc.credential.certificate import Certificate
from pqdc.credential.delegation import check_leaf
from pqdc.errors import DecodeError, FileError, KeyFormatError
from pqdc.files import read_file
from pqdc.scheme import keyfile
from pqdc.scheme.catalog import Catalog, load_catalog
from pqdc.scheme.facts import Scheme

__all__ = ["Leaf", "read_certificates"]

Signer = Callable[[bytes], bytes]


class Leaf:
    """A certificate that may delegate, and its signer.

    Args:
        certificate: the leaf.
        signer: makes a signature of the bytes it is given, under `scheme`: the leaf's private key's `sign`, or a
            function that asks an HSM or a remote signer.
        scheme: what `signer` computes; the first that the certificate's key allows, unless given.

    Raises:
        Refusal: the leaf may not delegate: no DelegationUsage, or no digitalSignature (RFC 9345 section 4.2).
        KeyFormatError: the certificate's key is of no scheme in the catalog, or not of `scheme`.
    """

    def __init__(self, certificate: Certificate, signer: Signer, *, scheme: Scheme | None = None) -> None:
        check_leaf(certificate)
        if not certificate.schemes:
            raise KeyFormatError("the leaf's key is of no scheme in the catalog")
        self.scheme = scheme or certificate.schemes[0]
        if self.scheme not in certificate.schemes:
            raise KeyFormatError(f"the leaf's key is not one of {self.scheme.name}")
        self.certificate = certificate
        self.signer = signer

    @classmethod
    def load(
        cls, certificate: Path | str, key: Path | str, *, catalog: Catalog | None = None, password: bytes | None = None
    ) -> Leaf:
        """A leaf from files: of several certificates the one that fits the key.

        Raises:
            FileError: a file cannot be read, or holds no certificate or key.
            KeyFormatError: the key belongs to none of the certificates, or is encrypted and `password` is missing.
            Refusal: the leaf may not delegate.
        """
        catalog = catalog or load_catalog()
        certificates = read_certificates(Path(certificate), catalog)
        private_keys = keyfile.load_private_keys(Path(key), catalog, password=password)
        for candidate in certificates:
            for private in private_keys:
                if private.scheme in candidate.schemes and candidate.is_of(private.public.raw):
                    return cls(candidate, private.sign, scheme=private.scheme)
        raise KeyFormatError(f"{key}: this key does not belong to the certificate in {certificate}")


def read_certificates(path: Path, catalog: Catalog) -> list[Certificate]:
    """The certificates of a file, PEM or DER, in order.

    Raises:
        FileError: it cannot be read, or holds none.
    """
    data = read_file(path)
    try:
        found = pem.blocks(data)
        ders = [block.data for block in found if "CERTIFICATE" in block.label] if found else [data]
        if not ders:
            raise FileError(f"{path}: no certificate in it, but {', '.join(block.label for block in found)}")
        return [Certificate.decode(der, catalog) for der in ders]
    except DecodeError as error:
        raise FileError(f"{path}: no certificate, neither PEM nor DER: {error}") from None
