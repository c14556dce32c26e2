"""`tlslite`: tlslite-ng's `tls.py server`, which takes PEM, and a leaf before the credential."""

from __future__ import annotations

from pqdc import pem
from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import (
    ECDSA,
    EDDSA,
    RSA_PSS,
    check_loads,
    key_file,
    leaf_file,
    say_loads,
)
from pqdc.credential.formats.pem import DC_PEM, LABEL, Pem
from pqdc.files import OutputFile

__all__ = ["Tlslite"]

LOADS = (*ECDSA, *EDDSA, *RSA_PSS)


class Tlslite:
    """`dc.pem`, `dc.key`, `leaf.pem`."""

    name = "tlslite"
    target = "tlslite-ng"
    loads = say_loads(LOADS)
    usage = (  # the order matters: the leaf stands before its credential
        "tls.py server -c {folder}/leaf.pem -k {leaf_key} --dc-file {folder}/dc.pem --dc-key {folder}/dc.key \\\n"
        "    localhost:4433"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Each in a file of its own; it takes raw bytes for PEM unless the name ends in .pem."""
        check_loads(bundle, self.target, LOADS)
        credential = OutputFile(name=DC_PEM, data=pem.armour(LABEL, bundle.dc))
        return (credential, *key_file(bundle, self.target), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """As `pem`."""
        return Pem().read(data)
