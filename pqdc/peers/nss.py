"""NSS's `tstclnt`, a strict verifier of credentials: on the system's NSS, and on Firefox's, which is newer.

It is one program; which NSS it runs on is a matter of the path of its libraries.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, ServerFiles, Serving
from pqdc.peers.distribution import install
from pqdc.peers.process import run

__all__ = ["TOOLS", "FirefoxNss", "Nss", "library_version", "nss_database"]

TOOLS = "libnss3-tools"  # as Debian calls it
_HINT = f"install NSS's tools from your distribution; Debian calls them {TOOLS}"
_SECONDS = 15.0
_REQUEST = b"GET / HTTP/1.0\r\n\r\n"
_VERSION = re.compile(rb"Version: NSS (\d[\d.]+)")


class Nss:
    """`tstclnt` on the NSS that the system has."""

    name = "nss"
    software = "NSS tstclnt"
    roles = ("client",)
    format = ""
    other_formats: tuple[str, ...] = ()
    libraries: Path | None = None

    def __init__(self) -> None:
        self._program = _find("tstclnt")
        _find("certutil")
        self._folder = Path(tempfile.mkdtemp(prefix="pqdc-nss-"))
        (self._folder / "request").write_bytes(_REQUEST)
        self._databases: dict[bytes, Path] = {}
        self._end = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """From the distribution."""
        if shutil.which("tstclnt") is None or shutil.which("certutil") is None:
            install([TOOLS], tell)
        cls().close()

    def versions(self) -> Mapping[str, str]:
        """Of the library that it loads."""
        return {"NSS": library_version(self._program, self._environ())}

    def serve(self, files: ServerFiles) -> AbstractContextManager[Serving]:
        """NSS's `selfserv` is not driven."""
        del files
        raise PeerUnavailable(f"{self.software} is driven as a client only")

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """One connection; the server's name is checked."""
        command = [
            *(self._program, "-h", "127.0.0.1", "-p", str(port), "-a", name, "-d", f"sql:{self._database(ca)}"),
            *("-V", "tls1.3:tls1.3", "-v", "-A", self._folder / "request"),
            *(("-B",) if ask else ()),
        ]
        _, output = run(command, environ=self._environ(), seconds=_SECONDS)
        return read_outcome(output)

    def close(self) -> None:
        """Remove its databases."""
        self._end()

    def _environ(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else {}

    def _database(self, ca: Path) -> Path:
        """With this CA in it; the same for the same CA."""
        content = ca.read_bytes()
        if content not in self._databases:
            folder = self._folder / f"db{len(self._databases)}"
            nss_database(folder, ca)
            self._databases[content] = folder
        return self._databases[content]


class FirefoxNss(Nss):
    """`tstclnt` on Firefox's NSS."""

    name = "nss-firefox"
    software = "NSS tstclnt, on Firefox's NSS"

    def __init__(self) -> None:
        self.libraries = firefox_libraries()
        super().__init__()

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """From the distribution, Firefox included."""
        missing = [TOOLS] if shutil.which("tstclnt") is None else []
        missing += ["firefox-esr"] if shutil.which("firefox-esr") is None else []
        if missing:
            install(missing, tell)
        cls().close()


def read_outcome(output: str) -> PeerOutcome:
    """What `tstclnt -v` says of a connection."""
    scheme = re.search(r"Signature Scheme: (\S+)", output)
    finished = re.search(r"^tstclnt: SSL version 3\.4 ", output, re.MULTILINE)
    # NSS fails without a name for it, as "error 0: Success", where a credential does not decode.
    error = re.search(r"\b((?:SSL|SEC)_ERROR_\w+)", output) or re.search(r" failed: (error \d+)", output)
    if finished and not error:
        return PeerOutcome(
            accepted=True,
            delegated="Received a Delegated Credential" in output,
            scheme=scheme[1] if scheme else "",
            detail=output,
        )
    if error is None:
        raise PeerUnavailable(f"tstclnt says nothing that can be understood: {output[-300:]!r}")
    return PeerOutcome(accepted=False, error=error[1], detail=output)


def library_version(program: str | Path, environ: Mapping[str, str]) -> str:
    """The version of the NSS that a program loads in this environment, as stands in that; "unknown" if it does not."""
    _, output = run(["ldd", program], environ=environ)
    library = re.search(r"libssl3\.so => (\S+)", output)
    found = _VERSION.search(Path(library[1]).read_bytes()) if library else None
    return found[1].decode() if found else "unknown"


def nss_database(folder: Path, ca: Path) -> None:
    """A certificate database of NSS in `folder` that trusts this CA for servers.

    Raises:
        PeerUnavailable: certutil is not here, or fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    certutil = _find("certutil")
    for arguments in (["-N", "--empty-password"], ["-A", "-n", "pqdc", "-t", "C,,", "-i", ca]):
        status, output = run([certutil, *arguments, "-d", f"sql:{folder}"])
        if status != 0:
            raise PeerUnavailable(f"certutil fails: {output.strip()}")


def firefox_libraries() -> Path:
    """The folder of Firefox's own libraries.

    Raises:
        PeerUnavailable: there is none.
    """
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    found = [Path(program).resolve().parent] if program else []
    found += [Path("/usr/lib/firefox-esr"), Path("/usr/lib/firefox")]
    for folder in found:
        if (folder / "libssl3.so").is_file():
            return folder
    raise PeerUnavailable("no Firefox with NSS of its own is installed", hint="Debian calls it firefox-esr")


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise PeerUnavailable(f"no {program} on the path", hint=_HINT)
    return found
