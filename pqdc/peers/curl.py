"""curl with BoringSSL, made to look like a browser (curl_cffi): a client that asks for credentials it cannot verify."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, ServerFiles, Serving
from pqdc.peers.environment import Environment
from pqdc.peers.process import Child

__all__ = ["Curl"]

ENVIRONMENT: Final = Environment(
    name="curl-cffi",
    packages=("curl_cffi==0.17.0", "cffi==2.1.1", "certifi==2026.10.19.post1", "pycparser==3.12"),
)
_PROGRAM: Final = Path(__file__).with_name("curl_program.py")


class Curl:
    """The client; as Firefox it asks, as Chrome it does not."""

    name = "curl"
    software = "curl_cffi, as Firefox"
    roles = ("client",)
    format = ""
    other_formats: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._command: tuple[str | Path, ...] = (ENVIRONMENT.interpreter(), "-I", "-B", _PROGRAM)

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """Install it with pip."""
        ENVIRONMENT.prepare(tell)

    def versions(self) -> Mapping[str, str]:
        """Of the package that carries it."""
        return {"curl_cffi": ENVIRONMENT.versions["curl_cffi"]}

    def serve(self, files: ServerFiles) -> AbstractContextManager[Serving]:
        """It is no server."""
        del files
        raise PeerUnavailable("curl is no server")

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """One request; chain and name are checked."""
        with Child([*self._command, str(port), name, ca, "ask" if ask else "plain"]) as child:
            return PeerOutcome(**json.loads(child.find(r"^\{.*\}$")[0]))

    def close(self) -> None:
        """Nothing is kept."""
