"""NSS as a server that delegates: a program of ours (native/nss/server.c) around the calls that the format `nss` names.

No tool of NSS's loads a credential. The program is linked to the system's NSS.
"""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pqdc.cache import cache_folder, cache_key
from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, RefusedFiles, ServerFiles
from pqdc.peers.building import build, built
from pqdc.peers.distribution import install
from pqdc.peers.nss import TOOLS, library_version
from pqdc.peers.process import Child, run

__all__ = ["NssServer", "server_folder"]

SERVER_NAME: Final = "pqdc-nss-server"
SERVER_ABI: Final = 1  # raised when what native/nss/server.c takes or prints changes
PACKAGES: Final = (TOOLS, "libnss3-dev", "pkg-config", "openssl")  # as Debian calls them
_NICKNAME = "leaf"


def server_folder() -> Path:
    """Where the program is in the cache, or would be."""
    return cache_folder() / f"nss-server-{cache_key(SERVER_ABI, platform.machine())}"


class NssServer:
    """The server."""

    name = "nss-server"
    software = "NSS's server"
    roles = ("server",)
    format = "nss"
    other_formats: tuple[str, ...] = ()

    def __init__(self) -> None:
        for program in ("certutil", "pk12util", "openssl"):
            if shutil.which(program) is None:
                raise PeerUnavailable(f"no {program} on the path", hint=f"Debian has it in {TOOLS}, or openssl")
        self._program = built(server_folder(), SERVER_NAME, self.software)

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """NSS from the distribution, then our program."""
        headers = run(["pkg-config", "--exists", "nss"])[0] == 0 if shutil.which("pkg-config") else False
        if not headers or shutil.which("pk12util") is None:
            install(PACKAGES, tell)
        build("build_nss.py", cls.software, tell)

    def versions(self) -> Mapping[str, str]:
        """Of the library that it loads."""
        return {"NSS": library_version(self._program, {})}

    @contextmanager
    def serve(self, files: ServerFiles) -> Iterator[_Serving]:
        """A database with the leaf and its key is made, and removed afterwards."""
        if files.leaf_key is None:
            raise RefusedFiles("a private key of the leaf is needed")
        own: list[str | Path] = []
        if files.credential is not None:
            own = [files.credential / "dc.bin", files.credential / "dc.key.der"]
        with TemporaryDirectory(prefix="pqdc-nss-server-") as temporary:
            folder = Path(temporary)
            _make_database(folder, files.leaf, files.leaf_key)
            with Child([self._program, f"sql:{folder}", _NICKNAME, *own]) as child:
                yield _Serving(child)

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """NSS's client is the peer `nss`."""
        del port, ca, name, ask
        raise PeerUnavailable(f"{self.software} is no client; that is the peer nss")

    def close(self) -> None:
        """Nothing is kept."""


def _make_database(folder: Path, leaf: Path, leaf_key: Path) -> None:
    """As docs/formats.md says; the folder is for our eyes alone, as the key lies in it."""
    database, archive = f"sql:{folder}", folder / "leaf.p12"
    own = ("-name", _NICKNAME, "-in", leaf, "-inkey", leaf_key)
    for command in (
        ("certutil", "-N", "-d", database, "--empty-password"),
        ("openssl", "pkcs12", "-export", *own, "-passout", "pass:", "-out", archive),
        ("pk12util", "-d", database, "-i", archive, "-W", ""),
    ):
        status, output = run(command)
        if status != 0:
            error = re.search(r"\b(?:SEC|SSL|PR)_ERROR_\w+", output)
            raise RefusedFiles(error[0] if error else f"{command[0]} does not take the leaf's key")


class _Serving:
    def __init__(self, child: Child) -> None:
        self._child = child
        found = child.find(r"^(refused|listening) (\S+)(.*)$")
        if found[1] == "refused":
            raise RefusedFiles(found[2], hint=f"it is about{found[3]}")
        self.port = int(found[2])
        self._read = found.end()

    def outcome(self) -> PeerOutcome:
        found = self._child.find(r"^(accepted|failed) (\S+)$", start=self._read)
        self._read = found.end()
        if found[1] == "accepted":
            return PeerOutcome(accepted=True, scheme=f"0x{found[2]}")
        return PeerOutcome(accepted=False, error=found[2])
