"""Software from the distribution: installed with apt-get where this is root, else named in the reason why not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence

from pqdc.errors import PeerUnavailable
from pqdc.peers.process import run

__all__ = ["install", "provide"]

_ENVIRON = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
_SECONDS = 300.0  # each step; a mirror may be slow, but not for ever
_WAIT = ("-o", "DPkg::Lock::Timeout=120")  # for another apt-get that runs


def provide(program: str, packages: Sequence[str], tell: Callable[[str], None]) -> None:
    """Install packages if this program of theirs is not on the path.

    Raises:
        PeerUnavailable: as `install`.
    """
    if shutil.which(program) is None:
        install(packages, tell)


def install(packages: Sequence[str], tell: Callable[[str], None]) -> None:
    """Install packages of Debian's names; nothing is asked.

    Raises:
        PeerUnavailable: there is no apt-get, this is not root, or it fails.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise PeerUnavailable("there is no apt-get to install it with", hint=f"Debian calls it {names}")
    if os.geteuid() != 0:
        raise PeerUnavailable("only root can install it", hint=f"sudo apt-get install {names}")
    tell(f"installing {names} with apt-get")
    command = ["apt-get", "install", "-y", "--no-install-recommends", *_WAIT, *packages]
    status, output = run(command, environ=_ENVIRON, seconds=_SECONDS)
    if status != 0:  # the lists may be old, or were never fetched
        run(["apt-get", "update", *_WAIT], environ=_ENVIRON, seconds=_SECONDS)
        status, output = run(command, environ=_ENVIRON, seconds=_SECONDS)
    if status != 0:
        last = " / ".join(output.strip().splitlines()[-2:]) or "it said nothing"
        raise PeerUnavailable(f"apt-get install {names} fails: {last}")
