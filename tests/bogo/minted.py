"""What BoGo's second runner judges and signs: credentials of pqdc's minting, and leaves for Go to delegate from.

Of every scheme that Go computes, under leaves of several; and some that must be refused. tests/bogo/overlay reads it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pqdc
from pqdc import pem
from pqdc.credential.authority import Authority
from pqdc.credential.certificate import Certificate
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.scheme import backends
from pqdc.scheme.keys import PrivateKey

__all__ = ["LEAVES", "SCHEMES", "write"]

SCHEMES = ("ECDSA-P256", "ECDSA-P384", "ECDSA-P521", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
LEAVES = ("ECDSA-P256", "ECDSA-P384", "Ed25519", "RSA-2048", "ML-DSA-65")
CATALOG = pqdc.load_catalog()
DAY = timedelta(days=1)
REFUSED = "failed to verify delegated credential"  # in this client's words


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A credential, the leaf that it is shown with, its key, and what the client says if it must refuse."""

    name: str
    leaf: Certificate
    dc: DelegatedCredential
    key: PrivateKey
    error: str = ""

    def describe(self, folder: Path) -> dict[str, Any]:
        """As tests/bogo/overlay reads it; what a shim needs is written into the folder."""
        chain, private = folder / f"{self.name}.pem", folder / f"{self.name}.key"
        chain.write_bytes(pem.armour("CERTIFICATE", self.leaf.der))
        private.touch(mode=0o600)
        private.write_bytes(pem.armour("PRIVATE KEY", self.key.pkcs8()))
        return {
            "Name": self.name,
            "Chain": [base64.b64encode(self.leaf.der).decode()],
            "ChainPath": str(chain),
            "KeyPath": str(private),
            "Credential": base64.b64encode(self.dc.encode()).decode(),
            "Algorithm": self.dc.algorithm,
            "DCAlgorithm": self.dc.cred.dc_cert_verify_algorithm,
            "Error": self.error,
        }


def write(folder: Path) -> Path:
    """The file that names all of them, for PQDC_CREDENTIALS, with their own beside it."""
    file = folder / "credentials.json"
    minted = [minted.describe(folder) for minted in (*_good(), *_spoilt())]
    leaves = [_describe_leaf(folder, name) for name in LEAVES]
    leaves.append(_describe_leaf(folder, "ECDSA-P256", delegation=False))
    file.write_text(json.dumps({"Minted": minted, "Leaves": leaves}))
    return file


def _good() -> Iterator[Minted]:
    for name in LEAVES:
        leaf = _new_leaf(name)
        for scheme in SCHEMES:
            dc, key = pqdc.mint(leaf, CATALOG[scheme], valid_for=DAY, now=datetime.now(UTC))
            yield Minted(name=f"{scheme}-under-{name}", leaf=leaf.certificate, dc=dc, key=key)


def _spoilt() -> Iterator[Minted]:
    now, leaf, other = datetime.now(UTC), _new_leaf("ECDSA-P256"), _new_leaf("ECDSA-P256")
    dc, key = pqdc.mint(leaf, CATALOG["ML-DSA-44"], valid_for=DAY, now=now)
    of_client, its_key = pqdc.mint(leaf, CATALOG["ML-DSA-44"], role=Role.CLIENT, valid_for=DAY, now=now)
    flipped = replace(dc, signature=dc.signature[:-1] + bytes([dc.signature[-1] ^ 1]))
    prolonged = replace(dc, cred=replace(dc.cred, valid_time=dc.cred.valid_time + 1))
    shown = leaf.certificate
    yield Minted(name="signature-flipped", leaf=shown, dc=flipped, key=key, error=REFUSED)
    yield Minted(name="prolonged", leaf=shown, dc=prolonged, key=key, error=REFUSED)
    yield Minted(name="of-another-leaf", leaf=other.certificate, dc=dc, key=key, error=REFUSED)
    yield Minted(name="of-a-client", leaf=shown, dc=of_client, key=its_key, error=REFUSED)


def _describe_leaf(folder: Path, scheme: str, *, delegation: bool = True) -> dict[str, Any]:
    key = _new_key(scheme)
    authority, leaf = _issue(key, delegation=delegation)
    name = scheme if delegation else f"{scheme}-no-usage"
    root = folder / f"{name}-root.pem"
    root.write_bytes(pem.armour("CERTIFICATE", authority.der))
    return {
        "Name": name,
        "Chain": [base64.b64encode(leaf.der).decode()],
        "Key": base64.b64encode(key.pkcs8()).decode(),
        "RootPath": str(root),
        "Algorithm": key.scheme.code_point,
        "Delegates": delegation,
    }


def _new_leaf(name: str) -> pqdc.Leaf:
    key = _new_key(name)
    return pqdc.Leaf(_issue(key)[1], key.sign)


def _issue(key: PrivateKey, *, delegation: bool = True) -> tuple[Authority, Certificate]:
    now = datetime.now(UTC)
    authority = pqdc.make_authority(_new_key("ECDSA-P256"), name="the CA of pqdc's tests", days=30, now=now)
    return authority, authority.issue(key, hosts=["test"], days=9, now=now, catalog=CATALOG, delegation=delegation)


def _new_key(name: str) -> PrivateKey:
    return backends.choose(CATALOG[name]).generate(CATALOG[name])
