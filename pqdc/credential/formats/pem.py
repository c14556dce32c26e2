"""`pem`: the label DELEGATED CREDENTIAL, as tlslite-ng reads and writes it."""

from __future__ import annotations

from pqdc import pem
from pqdc.credential.formats import Bundle
from pqdc.credential.structures import DelegatedCredential
from pqdc.files import OutputFile

__all__ = ["Pem"]

LABEL = "DELEGATED CREDENTIAL"


class Pem:
    """`dc.pem`, and beside it the DC's key."""

    name = "pem"
    target = "tlslite-ng, and people"

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """The credential and its key, each in a file of its own."""
        key = (OutputFile(name="dc.key", data=pem.armour("PRIVATE KEY", bundle.private_key), secret=True),)
        return (OutputFile(name="dc.pem", data=pem.armour(LABEL, bundle.dc)), *(key if bundle.private_key else ()))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Every block under the label, whatever stands around it."""
        found = [block.data for block in pem.blocks(data) if block.label == LABEL]
        for dc in found:
            DelegatedCredential.decode(dc)
        return tuple(Bundle(dc=dc) for dc in found)

    def usage(self, files: tuple[str, ...]) -> str:
        """tlslite-ng's own server."""
        return f"tls.py server -c leaf.pem -k leaf.key --dc-file {files[0]} --dc-key {files[-1]} HOST:PORT"
