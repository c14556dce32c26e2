"""BoringSSL, built from source, as a server that delegates; as a client it knows no credentials.

The program around it (native/boringssl/server.cc) uses the stock API with the files that the format `boringssl` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, RefusedFiles, ServerFiles, Serving
from pqdc.peers.boringssl_build import CRATE, CRATE_VERSION, server_program, shim
from pqdc.peers.bssl_shim import DC_BASE64, serve_by_shim
from pqdc.peers.building import build
from pqdc.peers.process import Child

__all__ = ["BoringSsl"]


class BoringSsl:
    """The server."""

    name = "boringssl"
    software = "BoringSSL"
    roles = ("server",)
    format = "boringssl"
    other_formats: tuple[str, ...] = ("bssl-shim", "raw", "pem")

    def __init__(self) -> None:
        self._program = server_program()
        self._shim = shim()

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """Build it."""
        build("build_boringssl.py", cls.software, tell)

    def versions(self) -> Mapping[str, str]:
        """Of the crate that carries its source."""
        return {CRATE: CRATE_VERSION}

    @contextmanager
    def serve(self, files: ServerFiles) -> Iterator[Serving]:
        """The credential first, then, for clients that do not ask for it, the leaf's key.

        What the format `bssl-shim` has written is served by bssl_shim, all else by our program.
        """
        if files.credential is not None and (files.credential / DC_BASE64).exists():
            with serve_by_shim(self._shim, files, files.credential) as serving:
                yield serving
            return
        own: list[str | Path] = []
        if files.credential is not None:
            own += ["--delegated"]
            for names in (("dc.bin", "dc.pem"), ("dc.key.der", "dc.key"), ("leaf.der", "leaf.pem")):
                found = [files.credential / name for name in names if (files.credential / name).exists()]
                own += found[:1]
        if files.leaf_key is not None:
            own += ["--certificate", files.leaf_key, files.leaf]
        with Child([self._program, *own]) as child:
            yield _Serving(child)

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """There is no such client."""
        del port, ca, name, ask
        raise PeerUnavailable("BoringSSL's clients know no delegated credentials, so there is no driver for one")

    def close(self) -> None:
        """Nothing is kept."""


class _Serving:
    def __init__(self, child: Child) -> None:
        self._child = child
        found = child.find(r"^(refused|listening) (\S+)(.*)$")
        if found[1] == "refused":
            raise RefusedFiles(found[2], hint=f"it is about the{found[3]}")
        self.port = int(found[2])
        self._read = found.end()

    def outcome(self) -> PeerOutcome:
        found = self._child.find(
            r"^(?:accepted (?P<kind>\S+) (?P<scheme>\S+)|failed (?P<error>\S+))$", start=self._read
        )
        self._read = found.end()
        return PeerOutcome(
            accepted=found["kind"] is not None,
            delegated=found["kind"] == "delegated" if found["kind"] else None,
            scheme=found["scheme"] or "",
            error=found["error"] or "",
        )
