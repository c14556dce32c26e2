"""`cfgo`: cloudflare/go, whose tls.Certificate takes the decoded credential and its key."""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import ECDSA, CodePoint, check_loads, key_file, leaf_file, read_raw, say_loads
from pqdc.files import OutputFile

__all__ = ["CloudflareGo"]

DC_FILE, KEY_FILE = "dc.cred", "dckey.pem"
LOADS = (*ECDSA, CodePoint.ed25519)


class CloudflareGo:
    """`dc.cred`, `dckey.pem`, `leaf.pem`."""

    name = "cfgo"
    target = "cloudflare/go"
    loads = say_loads(LOADS)
    usage = (
        'cert, err := tls.LoadX509KeyPair("{folder}/leaf.pem", "{leaf_key}")\n'
        'raw, err := os.ReadFile("{folder}/dc.cred")\n'
        "dc, err := tls.UnmarshalDelegatedCredential(raw)\n"
        'text, err := os.ReadFile("{folder}/dckey.pem")\n'
        "block, _ := pem.Decode(text)\n"
        "key, err := x509.ParsePKCS8PrivateKey(block.Bytes)\n"
        "cert.DelegatedCredentials = []tls.DelegatedCredentialPair{{DC: dc, PrivateKey: key}}\n"
        "config := &tls.Config{Certificates: []tls.Certificate{cert}, SupportDelegatedCredential: true}"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Raw bytes, PKCS#8 PEM, PEM."""
        check_loads(bundle, self.target, LOADS)
        credential = OutputFile(name=DC_FILE, data=bundle.dc)
        return (credential, *key_file(bundle, self.target, name=KEY_FILE), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Any bytes that are exactly a DelegatedCredential."""
        return read_raw(data)
