"""Python software of others in an environment of its own, in the user's cache: made with pip, once for all clones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pqdc.cache import cache_folder, cache_key, locked, read_manifest, staged, write_manifest
from pqdc.errors import PeerUnavailable
from pqdc.peers.process import run

__all__ = ["Environment"]

_SECONDS = 300.0  # for pip


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment, and what is in it.

    Attributes:
        name: of the software, and of the folder.
        packages: all of them, each as NAME==VERSION; pip adds none.
    """

    name: str
    packages: tuple[str, ...]

    def interpreter(self) -> Path:
        """Its Python.

        Raises:
            PeerUnavailable: it has not been made.
        """
        python = self._folder / "bin" / "python"
        if read_manifest(self._folder) is None or not python.exists():  # the Python it was made of may be gone
            state = "damaged" if self._folder.exists() else "missing"
            raise PeerUnavailable(
                f"{self.name} has not been installed: {self._folder} is {state}", hint="run `make peers`"
            )
        return python

    def prepare(self, tell: Callable[[str], None]) -> None:
        """Make it, if it is not there.

        Raises:
            PeerUnavailable: it cannot be made.
        """
        if not self._is_there():
            with locked(tell):
                if not self._is_there():  # whoever held the lock may have made it
                    self._install(tell)

    @property
    def versions(self) -> dict[str, str]:
        """Of its packages, by name."""
        return dict(package.split("==") for package in self.packages)

    @property
    def _folder(self) -> Path:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cache_folder() / f"{self.name}-{cache_key(sys.base_prefix, version, *self.packages)}"

    def _is_there(self) -> bool:
        try:
            return self.interpreter().exists()
        except PeerUnavailable:
            return False

    def _install(self, tell: Callable[[str], None]) -> None:
        tell(f"installing {self.packages[0]} into an environment of its own")
        pip = ("-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", "install", "--no-deps")
        with staged(self._folder) as folder:
            steps = (
                (sys.executable, ("-m", "venv", str(folder))),
                (folder / "bin" / "python", (*pip, *self.packages)),
            )
            for python, arguments in steps:
                status, output = run([python, *arguments], seconds=_SECONDS)
                if status != 0:
                    last = " / ".join(output.strip().splitlines()[-2:]) or "it said nothing"
                    raise PeerUnavailable(f"{self.name} cannot be installed: {last}")
            write_manifest(folder, packages=list(self.packages))
