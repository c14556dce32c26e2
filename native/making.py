"""How native code is made: fetched by cargo, built by cmake and ninja, told to the people who wait.

What is made, and for what, the scripts beside this file know.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from pqdc.errors import PqdcError


class BuildError(PqdcError):
    """A step failed; the message says which, and ends with what it printed last."""


def main(work: Callable[[], None]) -> int:
    """Do the work of a script; 0 when it is done. People read stderr."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary folders go, as they do on Ctrl-C
    try:
        work()
    except KeyboardInterrupt:
        tell("stopped; the unfinished build is removed")
        return 130
    except (PqdcError, OSError) as error:
        tell(f"error: {error}")
        if hint := getattr(error, "hint", ""):
            tell(f"hint: {hint}")
        return 1
    return 0


def crate_folder(manifest: Path, package: str, what: str, *, hint: str) -> Path:
    """The folder of a crate that `manifest` (Cargo.toml) names and its Cargo.lock pins; fetched if cargo lacks it."""
    cargo, environ = find_cargo(f"brings the {what} source", hint=hint)
    locked_crate = ("--locked", "--manifest-path", str(manifest))
    query = [cargo, "metadata", *locked_crate, "--offline", "--format-version=1"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False, env=environ)
    if answer.returncode:
        tell(f"fetching the {what} source")
        run(f"fetching the {what} source", [cargo, "fetch", *locked_crate], environ=environ)
        answer = subprocess.run(query, capture_output=True, text=True, check=False, env=environ)
    if answer.returncode:
        raise BuildError(f"cargo does not say where the {what} source is:\n{answer.stderr}")
    packages = json.loads(answer.stdout)["packages"]
    return Path(next(found["manifest_path"] for found in packages if found["name"] == package)).parent


def find_cargo(purpose: str, *, hint: str) -> tuple[str, dict[str, str]]:
    """Cargo, and the environment that it works in; `purpose` says what it is missed for."""
    cargo = shutil.which("cargo")
    if cargo is None:
        raise BuildError(f"no cargo, which {purpose}", hint=hint)
    environ = dict(os.environ)
    rustup = Path(cargo).parent.parent.with_name(".rustup")  # cargo in ~/.cargo/bin, toolchains in ~/.rustup
    if "RUSTUP_HOME" not in environ and not Path.home().joinpath(".rustup", "toolchains").is_dir() and rustup.is_dir():
        environ["RUSTUP_HOME"] = str(rustup)  # rustup's cargo would only look in today's HOME
    return cargo, environ


def cmake_build(source: Path, objects: Path, flags: Sequence[str], targets: Sequence[str], what: str) -> None:
    """Configure `source` for ninja in the folder `objects`, and build `targets` there."""
    cmake, ninja = tool("cmake"), tool("ninja")
    generator = ("-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}")
    run(f"configuring {what}", [cmake, *generator, *flags, "-S", str(source), "-B", str(objects)])
    run(f"building {what}", [ninja, "-C", str(objects), *targets], each_line=Meter(what))


def compiler(variable: str, default: str, *, hint: str) -> list[str]:
    """A compiler's command: that of the environment variable, as cmake reads it, or the default."""
    command = shlex.split(os.environ.get(variable, "")) or [default]
    if shutil.which(command[0]) is None:
        language = "C++" if variable == "CXX" else "C"
        raise BuildError(f"no {language} compiler: {command[0]} is not found", hint=hint)
    return command


def compiler_version(command: Sequence[str]) -> str:
    """The first line that it says of itself."""
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout.partition("\n")[
        0
    ]


def tool(name: str) -> str:
    """A program of this environment, else of the system."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise BuildError(f"no {name}", hint="pip install 'pqdc[native]'")
    return found


def run(
    step: str,
    command: Sequence[str],
    *,
    environ: dict[str, str] | None = None,
    each_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a command to its end; if that is a bad one, raise with its last 30 lines."""
    last: deque[str] = deque(maxlen=30)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environ
    ) as child:
        try:
            for line in child.stdout or ():
                last.append(line)
                each_line(line)
        except BaseException:
            child.terminate()
            raise
    if child.returncode:
        raise BuildError(f"{step} failed ({command[0]}, exit {child.returncode}):\n{''.join(last)}")


class Meter:
    """Turns ninja's `[n/m]` into one line that changes at a terminal, and into a line each 10 % elsewhere."""

    def __init__(self, what: str) -> None:
        """Start the clock."""
        self.what = what
        self.started = time.monotonic()
        self.shown = -1

    def __call__(self, line: str) -> None:
        """Show how far ninja is, if the line tells something new."""
        if not (count := re.match(r"\[(\d+)/(\d+)\]", line)):
            return
        percent = 100 * int(count[1]) // int(count[2])
        terminal = sys.stderr.isatty()
        step = percent if terminal else percent // 10
        if step != self.shown:
            self.shown = step
            done = "\n" if percent == 100 or not terminal else ""
            text = f"building {self.what}: {percent:3d} %, {time.monotonic() - self.started:.0f} s"
            print(f"\r{text}" if terminal else text, end=done, file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """To the people at stderr."""
    print(text, file=sys.stderr, flush=True)
