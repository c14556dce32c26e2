"""tlslite-ng as a peer: its own client and server, driven by a program that runs in the environment which holds it.

    python tlslite_program.py connect PORT NAME ask|plain
    python tlslite_program.py serve LEAF KEY [DC DC_KEY]     prints {"port": ...}; ends when its stdin does

A line of JSON tells how each handshake ended. Imports nothing of pqdc, which that environment lacks.

One thing it is taught: `Credential.parse_pub_key` of 0.9.0b2 takes ML-DSA keys for RSA, though it knows them in
certificates, and signatures by them in CertificateVerify. Here it reads them as it reads those of certificates.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tlslite import x509
from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite.constants import AlertDescription, SignatureScheme
from tlslite.errors import TLSAlert
from tlslite.utils.asn1parser import ASN1Parser
from tlslite.utils.codec import Parser
from tlslite.utils.pem import dePem

SECONDS = 10.0
DC_SCHEMES = (
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
    "ed25519",
    "ed448",
    "rsa_pss_pss_sha256",
    "rsa_pss_pss_sha384",
    "rsa_pss_pss_sha512",
    "mldsa44",
    "mldsa65",
    "mldsa87",
)


def main(arguments: list[str]) -> None:
    """Do what the arguments say."""
    teach_ml_dsa()
    if arguments[0] == "connect":
        _, port, name, mode = arguments
        tell(connect(int(port), name, ask=mode == "ask"))
    else:
        serve(*arguments[1:])


def teach_ml_dsa() -> None:
    """Let the keys of credentials be ML-DSA."""
    known = x509.Credential.parse_pub_key

    def parse_pub_key(self: Any) -> None:
        algorithm = x509.get_algorithm(ASN1Parser(self.subject_public_key_info).getChild(0))
        if not str(algorithm).startswith("mldsa"):
            known(self)
            return
        self.pub_key_alg = algorithm
        self.pub_key = x509._mldsa_pubkey_parsing(self.subject_public_key_info)

    x509.Credential.parse_pub_key = parse_pub_key


def settings() -> Any:
    """TLS 1.3 alone."""
    chosen = HandshakeSettings()
    chosen.minVersion = chosen.maxVersion = (3, 4)
    chosen.versions = [(3, 4)]
    chosen.eccCurves = [name for name in chosen.eccCurves if not name.startswith("brainpool")]  # of TLS 1.2
    return chosen


def connect(port: int, name: str, *, ask: bool) -> dict[str, Any]:
    """Shake hands, ask for a page, and say how it ended. The chain is not checked: tlslite-ng leaves that to others."""
    chosen = settings()
    if ask:
        chosen.dc_sig_algs = [getattr(SignatureScheme, scheme) for scheme in DC_SCHEMES]
    with socket.create_connection(("127.0.0.1", port), SECONDS) as raw:
        connection = TLSConnection(raw)

        def converse() -> None:
            connection.handshakeClientCert(settings=chosen, serverName=name)
            connection.write(b"GET / HTTP/1.0\r\n\r\n")
            connection.read(min=1, max=4096)

        return outcome(connection, converse)


def serve(leaf: str, key: str, dc: str = "", dc_key: str = "") -> None:
    """Serve one connection after the other."""
    chain, private = X509CertChain(), parse_key(key)
    chain.parsePemList(Path(leaf).read_text(encoding="ascii"))
    delegated: dict[str, Any] = {}
    if dc:
        data = Path(dc).read_bytes()
        if dc.endswith(".pem"):  # as its tls.py tells the two apart
            data = dePem(data.decode("ascii"), "DELEGATED CREDENTIAL")
        credential = x509.DelegatedCredential().parse(Parser(bytearray(data)))
        delegated = {"del_cred": credential, "dc_key": parse_key(dc_key)}
    threading.Thread(target=end_with_stdin, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tell({"port": listener.getsockname()[1]})
        while True:
            raw, _ = listener.accept()
            raw.settimeout(SECONDS)
            with raw:
                tell(answer(TLSConnection(raw), chain, private, delegated))


def answer(connection: Any, chain: Any, private: Any, delegated: dict[str, Any]) -> dict[str, Any]:
    """Shake hands as a server, send a page, and say how it ended."""

    def converse() -> None:
        connection.handshakeServer(
            certChain=chain, privateKey=private, settings=settings(), alpn=[bytearray(b"http/1.1")], **delegated
        )
        connection.read(min=1, max=4096)
        connection.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n")

    return outcome(connection, converse) | {"delegated": None}  # its session names the credential, used or not


def outcome(connection: Any, converse: Callable[[], None]) -> dict[str, Any]:
    """How a conversation ended, in tlslite-ng's words."""
    try:
        converse()
        connection.close()
    except TLSAlert as error:
        alert = AlertDescription.toStr(error.description)
        return {"accepted": False, "error": f"{type(error).__name__} {alert}", "detail": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever it raises is its verdict
        return {"accepted": False, "error": type(error).__name__, "detail": str(error)}
    session = connection.session
    return {
        "accepted": True,
        "delegated": session.delegated_credential is not None,
        "scheme": SignatureScheme.toRepr(connection.serverSigAlg),
    }


def parse_key(path: str) -> Any:
    """A private key, PEM."""
    return parsePEMKey(Path(path).read_text(encoding="ascii"), private=True, implementations=["python"])


def end_with_stdin() -> None:
    """End the process when nobody holds its input any more."""
    sys.stdin.buffer.read()
    os._exit(0)


def tell(facts: dict[str, Any]) -> None:
    """One line of JSON."""
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
