"""A peer for pqdc in one file: the client of another pqdc on this machine, say an older one. PQDC_OTHER names it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, ServerFiles, Serving
from pqdc.peers.process import run

HINT = "install it in a venv of its own, and let PQDC_OTHER be the path of its program"


class AnotherPqdc:
    """To make one looks whether its software is here."""

    name = "another-pqdc"
    software = "another pqdc"
    roles = ("client",)
    format = ""
    other_formats: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._program = shutil.which(os.environ.get("PQDC_OTHER", "pqdc")) or ""
        if not self._program:
            raise PeerUnavailable("there is no other pqdc", hint=HINT)
        _, said = run([self._program, "--version"])  # not doctor, which asks the peers, of which this is one
        name, _, self._version = said.strip().partition(" ")
        if name != "pqdc":
            raise PeerUnavailable(f"{self._program} is no pqdc", hint=HINT)

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """What is not here, nobody can bring: it is up to the user which one it is."""
        tell("looking for another pqdc")
        cls()

    def versions(self) -> Mapping[str, str]:
        """Its own."""
        return {"another pqdc": self._version}

    def serve(self, files: ServerFiles) -> AbstractContextManager[Serving]:  # noqa: ARG002
        """It is only a client here."""
        raise PeerUnavailable("another pqdc is only a client here")

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """One handshake, told in JSON."""
        command = [self._program, "connect", f"127.0.0.1:{port}", "--name", name, "--ca", str(ca), "--json"]
        status, said = run([*command, *(() if ask else ("--no-dc",))])
        if status != 0:
            return PeerOutcome(accepted=False, error=said.strip().splitlines()[-1] if said.strip() else "", detail=said)
        server = json.loads(said)["server"]
        delegated = server["kind"] == "delegated credential"
        return PeerOutcome(accepted=True, delegated=delegated, scheme=server["scheme"], detail=said)

    def close(self) -> None:
        """Nothing is kept."""
