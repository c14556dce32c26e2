"""`cfgo`: cloudflare/go, whose tls.Certificate takes the decoded credential and its key."""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import ECDSA, LEAF, CodePoint, check_loads, key_file, leaf_file, read_raw, say_loads
from pqdc.files import OutputFile

__all__ = ["CloudflareGo"]

DC_FILE, KEY_FILE = "dc.cred", "dckey.pem"
LOADS = (*ECDSA, CodePoint.ed25519)


class CloudflareGo:
    """`dc.cred`, `dckey.pem`, `leaf.pem`."""

    name = "cfgo"
    target = "cloudflare/go"
    loads = say_loads(LOADS)

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Raw bytes, PKCS#8 PEM, PEM."""
        check_loads(bundle, self.target, LOADS)
        credential = OutputFile(name=DC_FILE, data=bundle.dc)
        return (credential, *key_file(bundle, self.target, name=KEY_FILE), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Any bytes that are exactly a DelegatedCredential."""
        return read_raw(data)

    def usage(self, folder: str, leaf_key: str) -> str:
        """The calls that fill a tls.Certificate."""
        return f"""\
cert, err := tls.LoadX509KeyPair("{folder}/{LEAF}", "{leaf_key}")
raw, err := os.ReadFile("{folder}/{DC_FILE}")
dc, err := tls.UnmarshalDelegatedCredential(raw)
text, err := os.ReadFile("{folder}/{KEY_FILE}")
block, _ := pem.Decode(text)
key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
cert.DelegatedCredentials = []tls.DelegatedCredentialPair{{{{DC: dc, PrivateKey: key.(crypto.PrivateKey)}}}}
config := &tls.Config{{Certificates: []tls.Certificate{{cert}}, SupportDelegatedCredential: true}}"""
