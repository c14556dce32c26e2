"""Builds pqdc's server around the system's NSS into the user's cache; quick when nothing is to do.

python native/build_nss.py
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from making import BuildError, compiler, compiler_version, main, run, tell

from pqdc.cache import locked, read_manifest, staged, write_manifest
from pqdc.peers import nss_server as finder

SOURCE = Path(__file__).resolve().with_name("nss") / "server.c"
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-pthread")
HINT = "NSS's headers and pkg-config are needed; Debian calls them libnss3-dev and pkg-config"


def prepare() -> None:
    """Make the program, unless there is one of today's server.c. Nothing is said if all is there."""
    if not is_complete():
        with locked(tell):
            if not is_complete():
                build(finder.server_folder())


def is_complete() -> bool:
    """Whether the program is there, and was made from this server.c."""
    manifest = read_manifest(finder.server_folder())
    return manifest is not None and manifest["source"] == digest()


def build(final: Path) -> None:
    """Compile, link, and see that it starts."""
    command = compiler("CC", "cc", hint=HINT)
    flags = (*FLAGS, *ask("--cflags"))
    with staged(final) as folder:
        program = folder / finder.SERVER_NAME
        run("compiling NSS's server", [*command, *flags, str(SOURCE), "-o", str(program), *ask("--libs")])
        started = subprocess.run([program], capture_output=True, text=True, check=False)
        if "usage" not in started.stderr:
            raise BuildError(f"NSS's server does not start: {started.stderr.strip()}")
        write_manifest(folder, source=digest(), compiler=compiler_version(command))


def ask(question: str) -> list[str]:
    """What pkg-config knows of NSS."""
    program = shutil.which("pkg-config")
    if program is None:
        raise BuildError("no pkg-config", hint=HINT)
    answer = subprocess.run([program, question, "nss"], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BuildError("no headers of NSS", hint=HINT)
    return shlex.split(answer.stdout)


def digest() -> str:
    """What tells one server.c from another."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(prepare))
