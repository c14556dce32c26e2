"""A CA, leaves under it, and credentials under those, in memory for our endpoints and on disk for those of others.

Everything is made when it is first asked for, and once. The folder is the caller's, the clock an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pqdc import pem
from pqdc.credential.authority import make_authority
from pqdc.credential.formats import Bundle, load_format, write_bundle
from pqdc.credential.leaf import Leaf
from pqdc.credential.mint import mint
from pqdc.credential.structures import Role
from pqdc.files import OutputFile, write_files
from pqdc.handshake import Client, Identity, Server, Trust
from pqdc.peers import ServerFiles
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.keys import PrivateKey

__all__ = ["HOST", "Laboratory"]

HOST = "localhost"
CA_SCHEME = "ecdsa_secp256r1_sha256"  # that everybody verifies
VALID_FOR = timedelta(hours=24)


class Laboratory:
    """What is needed to meet other people's TLS.

    Args:
        folder: empty; files are written here, private keys 0600.
        catalog: the schemes known.
        clock: gives the time, with a time zone.

    Attributes:
        ca: PEM of the CA.
    """

    def __init__(self, folder: Path, catalog: Catalog, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._catalog = catalog
        self._clock = clock
        self._authority = make_authority(self._new_key(CA_SCHEME), name="pqdc interop CA", days=30, now=clock())
        self._trust = Trust([self._authority.der])
        self._leaves: dict[str, Identity] = {}
        self._credentials: dict[tuple[str, str], Identity] = {}
        (self.ca,) = write_files(folder, [_certificate("ca.pem", self._authority.der)])

    def _new_key(self, scheme: str) -> PrivateKey:
        found = self._catalog[scheme]
        return backends.choose(found).generate(found)

    def leaf(self, scheme: str) -> Identity:
        """A leaf that may delegate, with its own key, of that scheme."""
        if scheme not in self._leaves:
            key = self._new_key(scheme)
            leaf = self._authority.issue(key, hosts=[HOST], days=20, now=self._clock(), catalog=self._catalog)
            self._leaves[scheme] = Identity(leaf=leaf, key=key)
        return self._leaves[scheme]

    def credential(self, leaf: str, scheme: str) -> Identity:
        """A credential for a new key of `scheme`, under the leaf of the scheme `leaf`."""
        if (leaf, scheme) not in self._credentials:
            own = self.leaf(leaf)
            signer = Leaf(own.leaf, own.key.sign, scheme=own.key.scheme)
            dc, key = mint(signer, self._catalog[scheme], valid_for=VALID_FOR, now=self._clock())
            self._credentials[leaf, scheme] = Identity.delegated(dc, key, own.leaf)
        return self._credentials[leaf, scheme]

    def identities(self, leaf: str, scheme: str) -> tuple[Identity, ...]:
        """The credential, and to fall back to, the leaf's own key; that alone if no scheme is named."""
        own = self.leaf(leaf)
        return (self.credential(leaf, scheme), own) if scheme else (own,)

    def files(self, leaf: str, scheme: str, target: str) -> ServerFiles:
        """The same on disk, the credential as the format `target` writes it.

        Raises:
            FileError: that format's software cannot load such a credential.
        """
        own = self.leaf(leaf)
        folder = self._folder / leaf
        key = OutputFile(name="leaf.key", data=pem.armour("PRIVATE KEY", own.key.pkcs8()), secret=True)
        files = [_certificate("leaf.pem", own.leaf.der), key]
        leaf_file, key_file = write_files(folder, files)
        credential = None
        if scheme:
            delegated = self.credential(leaf, scheme)
            bundle = Bundle(
                dc=delegated.message.entries[0].extensions[0][1],
                private_key=delegated.key.pkcs8(),
                certificates=(own.leaf.der,),
                role=Role.SERVER,
                scheme=delegated.key.scheme.name,
            )
            credential = folder / f"{scheme}.{target}"
            write_files(credential, write_bundle(bundle, [load_format(target)]))
        return ServerFiles(leaf=leaf_file, leaf_key=key_file, credential=credential)

    def server(self, leaf: str, scheme: str) -> Server:
        """Our server with these identities."""
        return Server(catalog=self._catalog, clock=self._clock, identities=self.identities(leaf, scheme))

    def client(self, *schemes: str) -> Client:
        """Our client, which asks for credentials of these schemes."""
        points = (self._catalog[scheme].code_point for scheme in schemes)
        return Client(
            catalog=self._catalog,
            clock=self._clock,
            trust=self._trust,
            server_name=HOST,
            dc_schemes=tuple(point for point in points if point is not None),
        )


def _certificate(name: str, der: bytes) -> OutputFile:
    return OutputFile(name=name, data=pem.armour("CERTIFICATE", der))
