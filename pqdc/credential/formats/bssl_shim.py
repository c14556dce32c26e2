"""`bssl-shim`: bssl_shim, the test program of BoringSSL's BoGo suite: the credential is an argument, in base64."""

from __future__ import annotations

import base64

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.boringssl import LOADS
from pqdc.credential.formats.parts import (
    check_loads,
    check_seed,
    from_base64,
    key_file,
    leaf_file,
    read_raw,
    say_loads,
)
from pqdc.files import OutputFile

__all__ = ["BsslShim"]

DC_BASE64 = "dc.b64"


class BsslShim:
    """`dc.b64`, one line without a newline; `dc.key`, `leaf.pem`."""

    name = "bssl-shim"
    target = "bssl_shim"
    loads = say_loads(LOADS)
    usage = (  # the order matters: the first flag begins a credential, the others fill it
        "bssl_shim -server -port PORT -new-delegated-credential \\\n"
        "    -cert-file {folder}/leaf.pem -key-file {folder}/dc.key \\\n"
        '    -delegated-credential "$(cat {folder}/dc.b64)"'
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """The argument as a file, and the two PEM files."""
        check_loads(bundle, self.target, LOADS)
        check_seed(bundle, self.target)
        argument = OutputFile(name=DC_BASE64, data=base64.b64encode(bundle.dc))
        return (argument, *key_file(bundle, self.target), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """A file that is nothing but base64 of a DelegatedCredential."""
        return read_raw(from_base64(data))
