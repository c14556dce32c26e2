"""`fizz-server`: the tool `fizz server`, which takes the raw bytes, not the PEM of its own `fizz gendc`."""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import (
    ECDSA,
    check_loads,
    key_file,
    leaf_file,
    raw_file,
    read_raw,
    say_loads,
)
from pqdc.files import OutputFile

__all__ = ["FizzServer"]


class FizzServer:
    """`dc.bin`, `dc.key` under the label PRIVATE KEY, `leaf.pem`."""

    name = "fizz-server"
    target = "the tool fizz server"
    loads = say_loads(ECDSA)
    usage = (  # the second -key is the credential's: it is matched by its public key
        "fizz server -accept 8443 -cert {folder}/leaf.pem -key {leaf_key} -key {folder}/dc.key \\\n"
        "    -delegatedcred {folder}/dc.bin"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Each in a file of its own."""
        check_loads(bundle, self.target, ECDSA)
        return (*raw_file(bundle), *key_file(bundle, self.target), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Any bytes that are exactly a DelegatedCredential."""
        return read_raw(data)
