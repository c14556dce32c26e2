"""`fizz`: Fizz's library, whose loadDCFromPEM takes credential, key and leaf from one file, each under its own label.

The labels name the role, and a body is one line of base64; Fizz compares them byte by byte. It loads P-256 keys only;
other files under its labels are read here all the same.
"""

from __future__ import annotations

from pqdc import pem
from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import CodePoint, check_loads, plain_key, say_loads
from pqdc.credential.formats.pem import LABEL
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.errors import DecodeError, FileError
from pqdc.files import OutputFile

__all__ = ["Fizz"]

LOADS = (CodePoint.ecdsa_secp256r1_sha256,)
_CREDENTIAL = {role: f"{role.name} DELEGATED CREDENTIAL" for role in Role}
_KEY = {role: f"{role.name} DC PRIVATE KEY" for role in Role}


class Fizz:
    """`dc.fizz.pem`, which holds everything."""

    name = "fizz"
    target = "Fizz's library"
    loads = say_loads(LOADS)
    usage = (
        "std::string text;\n"
        'folly::readFile("{folder}/dc.fizz.pem", text);\n'
        "using namespace fizz::extensions;\n"
        "auto dc = loadDCFromPEM(text, DelegatedCredentialMode::Server);  // or Client"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Credential, key and certificates in one file."""
        check_loads(bundle, self.target, LOADS)
        if bundle.role is None:
            raise FileError(f"the labels of {self.target} say whose a credential is", hint="say it with --role")
        key = plain_key(bundle, self.target)
        if not bundle.certificates:
            raise FileError(f"{self.target} wants the leaf in the same file, and it is not here", hint="give --leaf")
        blocks = [
            pem.armour(_CREDENTIAL[bundle.role], bundle.dc, line=0),
            pem.armour(_KEY[bundle.role], key, line=0),
            *(pem.armour("CERTIFICATE", der) for der in bundle.certificates),
        ]
        return (OutputFile(name="dc.fizz.pem", data=b"".join(blocks), secret=True),)

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Every credential under the two labels, each with the key of its role."""
        blocks = pem.blocks(data)
        certificates = tuple(block.data for block in blocks if block.label == "CERTIFICATE")
        credentials = [block for block in blocks if block.label.endswith(LABEL)]
        if all(block.label == LABEL for block in credentials):
            return ()  # the format pem
        found: list[Bundle] = []
        for block in credentials:
            role = next((role for role in Role if _CREDENTIAL[role] == block.label), None)
            if role is None and block.label != LABEL:
                wanted = " or ".join((LABEL, *_CREDENTIAL.values()))
                raise DecodeError(f"a credential under the label {wanted} wanted, got {block.label}")
            DelegatedCredential.decode(block.data)
            key = _key_of(role, blocks) if role else b""
            found.append(Bundle(dc=block.data, private_key=key, certificates=certificates, role=role))
        return tuple(found)


def _key_of(role: Role, blocks: list[pem.Block]) -> bytes:
    """The key under the label of the role, if there is one key and one credential under it."""
    keys = [block.data for block in blocks if block.label == _KEY[role]]
    credentials = [block for block in blocks if block.label == _CREDENTIAL[role]]
    return keys[0] if len(keys) == len(credentials) == 1 else b""
