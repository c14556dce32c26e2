"""`boringssl`: BoringSSL's API, which takes the bytes, the key as PKCS#8 DER, and certificates as DER."""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import (
    ECDSA,
    ML_DSA,
    CodePoint,
    check_loads,
    check_seed,
    key_der_file,
    raw_file,
    read_raw,
    say_loads,
)
from pqdc.files import OutputFile

__all__ = ["LOADS", "BoringSsl"]

LOADS = (*ECDSA, CodePoint.ed25519, *ML_DSA)


class BoringSsl:
    """`dc.bin`, `dc.key.der`, `leaf.der`, and `chain1.der` on for the certificates after the leaf."""

    name = "boringssl"
    target = "BoringSSL"
    loads = say_loads(LOADS)
    usage = (
        "SSL_CREDENTIAL *cred = SSL_CREDENTIAL_new_delegated();\n"
        "SSL_CREDENTIAL_set1_cert_chain(cred, certs, n);      // CRYPTO_BUFFERs of {folder}/leaf.der, chain1.der...\n"
        "SSL_CREDENTIAL_set1_delegated_credential(cred, dc);  // a CRYPTO_BUFFER of {folder}/dc.bin\n"
        "SSL_CREDENTIAL_set1_private_key(cred, key);          // EVP_parse_private_key of {folder}/dc.key.der\n"
        "SSL_CTX_add1_credential(ctx, cred);                  // then an X.509 one, for clients without the extension"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """ML-DSA keys in the form of their seed: it loads no other."""
        check_loads(bundle, self.target, LOADS)
        check_seed(bundle, self.target)
        certificates = (
            OutputFile(name=f"chain{number}.der" if number else "leaf.der", data=der)
            for number, der in enumerate(bundle.certificates)
        )
        return (*raw_file(bundle), *key_der_file(bundle, self.target), *certificates)

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Any bytes that are exactly a DelegatedCredential."""
        return read_raw(data)
