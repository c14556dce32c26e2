"""tlslite-ng, in an environment of its own in the user's cache: a second implementation of the transport.

It is no judge of credentials: it takes expired ones, and leaves that may not delegate; chains it leaves to others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, RefusedFiles, ServerFiles
from pqdc.peers.environment import Environment
from pqdc.peers.process import Child

__all__ = ["Tlslite", "interpreter"]

# Its own dependencies are few; dilithium-py gives it ML-DSA.
ENVIRONMENT: Final = Environment(
    name="tlslite-ng",
    packages=("tlslite-ng==0.9.0b2", "dilithium-py==1.5.1", "ecdsa==0.19.2", "six==1.17.0"),
)
_PROGRAM: Final = Path(__file__).with_name("tlslite_program.py")


def interpreter() -> Path:
    """The Python of the environment that holds tlslite-ng.

    Raises:
        PeerUnavailable: it has not been made.
    """
    return ENVIRONMENT.interpreter()


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
        ENVIRONMENT.prepare(tell)

    def versions(self) -> Mapping[str, str]:
        """Its own, and that of its ML-DSA."""
        return {name: ENVIRONMENT.versions[name] for name in ("tlslite-ng", "dilithium-py")}

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
