"""`nss`: NSS's API, SSL_ConfigServerCert with SSLExtraServerCertData; the leaf and its key live in a database.

No tool of NSS takes a private key without a certificate, so the credential's is imported by the program that serves it.
"""

from __future__ import annotations

from pqdc.credential.formats import Bundle
from pqdc.credential.formats.parts import (
    ECDSA,
    check_loads,
    key_der_file,
    leaf_file,
    raw_file,
    read_raw,
    say_loads,
)
from pqdc.files import OutputFile

__all__ = ["Nss"]


class Nss:
    """`dc.bin`, `dc.key.der`, `leaf.pem`."""

    name = "nss"
    target = "NSS"
    loads = say_loads(ECDSA)
    usage = (
        "certutil -N -d sql:DB --empty-password\n"
        "openssl pkcs12 -export -name leaf -in {folder}/leaf.pem -inkey {leaf_key} -passout pass: -out leaf.p12\n"
        'pk12util -d sql:DB -i leaf.p12 -W ""\n'
        "/* item: the bytes of {folder}/dc.key.der */\n"
        "PK11_ImportDERPrivateKeyInfoAndReturnKey(slot, &item, NULL, NULL, PR_FALSE, PR_FALSE, KU_ALL, &dcKey, NULL);\n"
        "/* dc: the bytes of {folder}/dc.bin */\n"
        "SSLExtraServerCertData extra = {ssl_auth_null, NULL, NULL, NULL, &dc, dcKey};\n"
        "SSL_ConfigServerCert(fd, leafCert, leafKey, &extra, sizeof extra);"
    )

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """Each in a file of its own."""
        check_loads(bundle, self.target, ECDSA)
        return (*raw_file(bundle), *key_der_file(bundle, self.target), *leaf_file(bundle))

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Any bytes that are exactly a DelegatedCredential."""
        return read_raw(data)
