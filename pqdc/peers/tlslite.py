"""tlslite-ng, in an environment of its own in the user's cache: a second implementation of the transport.

It is no judge of credentials: it takes expired ones, and leaves that may not delegate; chains it leaves to others.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pqdc.cache import cache_folder, cache_key, locked, read_manifest, staged, write_manifest
from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, RefusedFiles, ServerFiles
from pqdc.peers.process import Child, run

__all__ = ["Tlslite", "interpreter", "prepare_interpreter"]

# Its own dependencies are few; dilithium-py gives it ML-DSA.
PACKAGES: Final = ("tlslite-ng==0.9.0b2", "dilithium-py==1.5.1", "ecdsa==0.19.2", "six==1.17.0")
_PROGRAM: Final = Path(__file__).with_name("tlslite_program.py")
_HINT: Final = "run `make peers`"
_SECONDS = 300.0  # for pip


def interpreter() -> Path:
    """The Python of the environment that holds tlslite-ng.

    Raises:
        PeerUnavailable: it has not been made.
    """
    folder = _folder()
    python = folder / "bin" / "python"
    if read_manifest(folder) is None or not python.exists():  # the Python that it was made of may be gone
        state = "damaged" if folder.exists() else "missing"
        raise PeerUnavailable(f"tlslite-ng has not been installed: {folder} is {state}", hint=_HINT)
    return python


def prepare_interpreter(tell: Callable[[str], None]) -> Path:
    """As `interpreter`, and the environment is made if it is not there, with pip.

    Raises:
        PeerUnavailable: it cannot be made.
    """
    try:
        return interpreter()
    except PeerUnavailable:
        pass
    with locked(tell):
        try:
            return interpreter()  # made by whoever held the lock
        except PeerUnavailable:
            _install(tell)
    return interpreter()


def _install(tell: Callable[[str], None]) -> None:
    tell(f"installing {PACKAGES[0]} into an environment of its own")
    pip = ("-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", "install", "--no-deps", *PACKAGES)
    with staged(_folder()) as folder:
        for python, arguments in ((sys.executable, ("-m", "venv", str(folder))), (folder / "bin" / "python", pip)):
            status, output = run([python, *arguments], seconds=_SECONDS)
            if status != 0:
                last = " / ".join(output.strip().splitlines()[-2:]) or "it said nothing"
                raise PeerUnavailable(f"tlslite-ng cannot be installed: {last}")
        write_manifest(folder, packages=list(PACKAGES))


def _folder() -> Path:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return cache_folder() / f"tlslite-ng-{cache_key(sys.base_prefix, version, *PACKAGES)}"


class Tlslite:
    """Client and server."""

    name = "tlslite"
    software = "tlslite-ng"
    roles = ("client", "server")
    format = "tlslite"
    other_formats: tuple[str, ...] = ("raw",)

    def __init__(self) -> None:
        self._command: tuple[str | Path, ...] = (interpreter(), "-I", "-B", _PROGRAM)

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """Install it with pip."""
        prepare_interpreter(tell)

    def versions(self) -> Mapping[str, str]:
        """Its own, and that of its ML-DSA."""
        return dict(package.split("==") for package in PACKAGES[:2])

    @contextmanager
    def serve(self, files: ServerFiles) -> Iterator[_Serving]:
        """Its server, with our program around it; it cannot do without the leaf's key."""
        if files.leaf_key is None:
            raise RefusedFiles("a private key of the leaf is needed")
        own = [files.leaf, files.leaf_key]
        if files.credential is not None:
            pem, raw = files.credential / "dc.pem", files.credential / "dc.bin"
            own += [pem if pem.exists() else raw, files.credential / "dc.key"]
        with Child([*self._command, "serve", *own]) as child:
            yield _Serving(child)

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """Its client; it checks no chain, so `ca` is of no use to it."""
        del ca
        with Child([*self._command, "connect", str(port), name, "ask" if ask else "plain"]) as child:
            return _outcome(_line(child, 0))

    def close(self) -> None:
        """Nothing is kept."""


class _Serving:
    def __init__(self, child: Child) -> None:
        self._child = child
        try:
            found = _line(child, 0)
        except PeerUnavailable:
            child.wait()
            raise RefusedFiles(child.output.strip().rpartition("\n")[2] or "no reason given") from None
        self._read = found.end()
        self.port = int(json.loads(found[0])["port"])

    def outcome(self) -> PeerOutcome:
        found = _line(self._child, self._read)
        self._read = found.end()
        return _outcome(found)


def _line(child: Child, start: int) -> re.Match[str]:
    """The next line of JSON."""
    return child.find(r"^\{.*\}$", start=start)


def _outcome(line: re.Match[str]) -> PeerOutcome:
    facts: dict[str, Any] = json.loads(line[0])
    return PeerOutcome(**facts)
