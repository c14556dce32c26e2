"""`raw`: the DelegatedCredential's bytes; its key as PKCS#8 PEM, its leaf as PEM."""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import key_file, leaf_file, raw_file, read_raw
from pqdc.files import OutputFile

__all__ = ["Raw"]


class Raw:
    """`dc.bin`, `dc.key`, `leaf.pem`."""

    name = "raw"
    target = "anything that takes the bytes of the structure"
    loads = "any"
    usage = "{folder}/dc.bin is the content of the extension delegated_credential (34) of the leaf's entry"

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """The bytes; PEM for the rest."""
        return (*raw_file(bundle), *key_file(bundle), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Any bytes that are exactly a DelegatedCredential."""
        return read_raw(data)
