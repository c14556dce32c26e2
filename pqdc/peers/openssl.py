"""OpenSSL's `s_server` and `s_client`, which know no delegated credentials: our TLS 1.3 without them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pqdc.errors import PeerUnavailable
from pqdc.peers import PeerOutcome, RefusedFiles, ServerFiles
from pqdc.peers.distribution import provide
from pqdc.peers.process import Child, run

__all__ = ["OpenSsl"]

OLDEST = (1, 1)
_HINT = "install openssl from your distribution"
_ERROR = re.compile(r":error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):")


class OpenSsl:
    """The system's `openssl`."""

    name = "openssl"
    software = "OpenSSL"
    roles = ("client", "server")
    format = ""
    other_formats: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._program = shutil.which("openssl") or ""
        if not self._program:
            raise PeerUnavailable("no openssl on the path", hint=_HINT)
        _, text = run([self._program, "version"])
        found = re.search(r"OpenSSL (\d+)\.(\d+)\S*", text)
        if found is None or (int(found[1]), int(found[2])) < OLDEST:
            raise PeerUnavailable(f"openssl 1.1 or newer wanted, {self._program} says {text.strip()!r}", hint=_HINT)
        self.version = (int(found[1]), int(found[2]))
        self._versions = {"OpenSSL": found[0].removeprefix("OpenSSL ")}

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """From the distribution; it is on almost every system."""
        provide("openssl", ["openssl"], tell)
        cls()

    def versions(self) -> Mapping[str, str]:
        """Its own."""
        return self._versions

    @contextmanager
    def serve(self, files: ServerFiles, *options: str | Path) -> Iterator[_Serving]:
        """`s_server`; further `options` are its own."""
        if files.leaf_key is None:
            raise RefusedFiles("a private key of the leaf is needed")
        command = [self._program, "s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-rev"]
        with Child([*command, "-cert", files.leaf, "-key", files.leaf_key, *options]) as child:
            yield _Serving(child)

    def connect(
        self, port: int, *options: str | Path, ca: Path, name: str = "localhost", ask: bool = True
    ) -> PeerOutcome:
        """`s_client`; further `options` are its own. It asks for no credential, whatever `ask` says."""
        del ask
        status, output = run(
            [
                *(self._program, "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-ign_eof"),
                *("-CAfile", ca, "-verify_hostname", name, "-verify_return_error", *options),
            ],
            stdin=b"GET / HTTP/1.0\r\n\r\n",
        )
        finished = status == 0 and "Verify return code: 0 (ok)" in output
        scheme = re.search(r"^Peer signature type: (.*)$", output, re.MULTILINE)
        return PeerOutcome(
            accepted=finished,
            delegated=False if finished else None,
            scheme=scheme[1] if scheme else "",
            error="" if finished else _error(output),
            detail=output,
        )

    def close(self) -> None:
        """Nothing is kept."""


class _Serving:
    def __init__(self, child: Child) -> None:
        self._child = child
        self._read = 0
        try:
            self.port = int(child.find(r"^ACCEPT .*:(\d+)$")[1])
        except PeerUnavailable:
            raise RefusedFiles(_error(child.output)) from None

    def outcome(self) -> PeerOutcome:
        found = self._child.find(r"^CONNECTION ESTABLISHED$|^CONNECTION FAILURE\n.*$", start=self._read)
        self._read = found.end()
        finished = found[0] == "CONNECTION ESTABLISHED"
        return PeerOutcome(
            accepted=finished, delegated=False, error="" if finished else _error(found[0]), detail=self._child.output
        )


def _error(output: str) -> str:
    """The first error on OpenSSL's stack, by its reason."""
    found = _ERROR.search(output)
    return found[1].strip() if found else "no error told"
