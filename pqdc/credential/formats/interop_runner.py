"""`interop-runner`: tls-interop-runner, one file for its endpoints: hex of the credential, a comma, hex of the key."""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import (
    ECDSA,
    CodePoint,
    check_loads,
    from_hex,
    leaf_file,
    plain_key,
    read_raw,
    say_loads,
)
from pqdc.errors import DecodeError
from pqdc.files import OutputFile
from pqdc.scheme import pkcs8

__all__ = ["InteropRunner"]

DC_TEXT = "dc.txt"
LOADS = (*ECDSA, CodePoint.ed25519)


class InteropRunner:
    """`dc.txt`, which holds the private key too; `leaf.pem`."""

    name = "interop-runner"
    target = "tls-interop-runner"
    loads = say_loads(LOADS)
    usage = (
        "cp {folder}/dc.txt generated/test-inputs/dc.txt; cp {folder}/leaf.pem generated/test-inputs/example.crt\n"
        "cp {leaf_key} generated/test-inputs/example.key; ./bin/runner --client=CLIENT --server=SERVER --testcase=dc"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Both in lower-case hex, without a newline, as its own tool writes them."""
        check_loads(bundle, self.target, LOADS)
        text = f"{bundle.dc.hex()},{plain_key(bundle, self.target).hex()}"
        return (OutputFile(name=DC_TEXT, data=text.encode("ascii"), secret=True), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """A file that is two texts of hex with a comma between them, of which the first is a DelegatedCredential."""
        first, comma, second = data.partition(b",")
        credential, key = read_raw(from_hex(first)), from_hex(second)
        if not comma or not credential or not key:
            return ()
        try:
            pkcs8.decode(key)
        except DecodeError:
            raise DecodeError("hex of a credential and of its key wanted, but no PKCS#8 is after the comma") from None
        return (Bundle(dc=credential[0].dc, private_key=key),)
