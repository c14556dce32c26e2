"""`tongsuo`: Tongsuo's `s_server`, which takes the credential as lower-case hex."""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import (
    ECDSA,
    EDDSA,
    RSA_PSS,
    check_loads,
    from_hex,
    key_file,
    leaf_file,
    read_raw,
    say_loads,
)
from pqdc.files import OutputFile

__all__ = ["Tongsuo"]

DC_HEX = "dc.hex"
LOADS = (*ECDSA, *EDDSA, *RSA_PSS)


class Tongsuo:
    """`dc.hex`, one line without a newline, as `openssl delecred` writes it; `dc.key`, `leaf.pem`."""

    name = "tongsuo"
    target = "Tongsuo"
    loads = say_loads(LOADS)
    usage = (
        "openssl s_server -accept 4433 -tls1_3 -cert {folder}/leaf.pem -key {leaf_key} -enable_sign_by_dc \\\n"
        "    -dc {folder}/dc.hex -dc_pkey {folder}/dc.key"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Each in a file of its own."""
        check_loads(bundle, self.target, LOADS)
        credential = OutputFile(name=DC_HEX, data=bundle.dc.hex().encode("ascii"))
        return (credential, *key_file(bundle, self.target), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """A file that is nothing but hex of a DelegatedCredential."""
        return read_raw(from_hex(data))
