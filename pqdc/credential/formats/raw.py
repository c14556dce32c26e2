"""`raw`: the DelegatedCredential's bytes, its key as PKCS#8 PEM."""

from __future__ import annotations

from pqdc import pem
from pqdc.credential.formats import Bundle
from pqdc.credential.structures import DelegatedCredential
from pqdc.errors import DecodeError
from pqdc.files import OutputFile

__all__ = ["Raw"]


class Raw:
    """`dc.bin`, and beside it the DC's key and its leaf in PEM."""

    name = "raw"
    target = "anything that takes the bytes of the structure: cloudflare/go, `fizz server -delegatedcred`, tlslite-ng"

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """The bytes; PEM for the rest."""
        key = (OutputFile(name="dc.key", data=pem.armour("PRIVATE KEY", bundle.private_key), secret=True),)
        return (OutputFile(name="dc.bin", data=bundle.dc), *(key if bundle.private_key else ()))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Any bytes that decode as a DelegatedCredential."""
        try:
            DelegatedCredential.decode(data)
        except DecodeError:
            return ()
        return (Bundle(dc=data),)

    def usage(self, files: tuple[str, ...]) -> str:
        """Where the files go."""
        return f"{files[0]} is the content of the delegated_credential extension"
