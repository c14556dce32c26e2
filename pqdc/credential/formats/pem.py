"""`pem`: the label DELEGATED CREDENTIAL, which tlslite-ng made known; key and leaf in PEM too."""

from __future__ import annotations

from pqdc import pem
from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import key_file, leaf_file
from pqdc.credential.structures import DelegatedCredential
from pqdc.files import OutputFile

__all__ = ["DC_PEM", "LABEL", "Pem"]

LABEL = "DELEGATED CREDENTIAL"
DC_PEM = "dc.pem"


class Pem:
    """`dc.pem`, `dc.key`, `leaf.pem`."""

    name = "pem"
    target = "people, mail, and whatever reads the label DELEGATED CREDENTIAL"
    loads = "any"
    usage = "the credential is in {folder}/dc.pem, its key in {folder}/dc.key, its leaf in {folder}/leaf.pem"

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Each in a file of its own."""
        credential = OutputFile(name=DC_PEM, data=pem.armour(LABEL, bundle.dc))
        return (credential, *key_file(bundle), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Every block under the label, whatever stands around it. Keys and certificates beside a single one are its."""
        blocks = pem.blocks(data)
        if any(block.label != LABEL and block.label.endswith(LABEL) for block in blocks):
            return ()  # labels that name the role are the format fizz's
        found = [block.data for block in blocks if block.label == LABEL]
        for dc in found:
            DelegatedCredential.decode(dc)
        if len(found) != 1:
            return tuple(Bundle(dc=dc) for dc in found)
        keys = [block.data for block in blocks if block.label == "PRIVATE KEY"]
        certificates = tuple(block.data for block in blocks if block.label == "CERTIFICATE")
        return (Bundle(dc=found[0], private_key=keys[0] if len(keys) == 1 else b"", certificates=certificates),)
