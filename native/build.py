"""Makes liboqs ready: uses the one that is there or builds one into the user's cache, and makes the adapter for it.

    python native/build.py                  quick when nothing is to do; the result is where `find_library` looks
    python native/build.py --print-source   the folder of the liboqs source (known answers, speed_sig)

The source comes with the crate that native/Cargo.toml names, cmake and ninja with `pip install pqdc[native]`.
One process at a time makes things, in a temporary folder that is renamed into place once the result has worked.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pqdc.errors import BackendUnavailable, PqdcError
from pqdc.scheme.backends import liboqs_library as finder

CRATE = Path(__file__).resolve().with_name("Cargo.toml")
ADAPTER_SOURCE = Path(__file__).resolve().with_name("adapter.c")
ADAPTER_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden")
OTHER_WAYS = (
    "install it; or install liboqs from your distribution; or point OQS_INSTALL_PATH at a liboqs; or let liboqs-python "
    'clone and build one (python -c "import oqs") and point OQS_INSTALL_PATH at ~/_oqs'
)
# Key pairs, signatures and their verification with the first scheme the library has, timed by the adapter.
TRIAL = """
import ctypes, sys
adapter = ctypes.CDLL(sys.argv[1])
adapter.OQS_SIG_alg_identifier.restype = ctypes.c_char_p
names = map(adapter.OQS_SIG_alg_identifier, range(adapter.OQS_SIG_alg_count()))
scheme = next(name for name in names if adapter.OQS_SIG_alg_is_enabled(name))
adapter.OQS_SIG_supports_ctx_str(scheme)
size, times = ctypes.c_size_t, (ctypes.c_uint64 * 4)()
outcome = adapter.pqdc_time(scheme, 3, b"four" * 4, size(4), size(4), size(4), size(2), times)
assert outcome == 0 and all(times), f"{scheme.decode()} does not sign and verify: outcome {outcome}"
"""


class BuildError(PqdcError):
    """A step failed; the message says which, and ends with what it printed last."""


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; 0 when it is done. People read stderr."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary folders go, as they do on Ctrl-C
    try:
        if arguments == ["--print-source"]:
            print(liboqs_source())
        elif arguments:
            raise BuildError(f"unknown arguments: {shlex.join(arguments)}", hint="--print-source is the only one")
        else:
            library = prepare()
            tell(f"liboqs {library.version} ({library.origin}): {library.path}")
    except KeyboardInterrupt:
        tell("stopped; the unfinished build is removed")
        return 130
    except (PqdcError, OSError) as error:
        tell(f"error: {error}")
        if hint := getattr(error, "hint", ""):
            tell(f"hint: {hint}")
        return 1
    return 0


def prepare() -> finder.Library:
    """The library, with an adapter of today's adapter.c; what is missing is made."""
    library = locate()
    if library is None or not has_adapter(library):
        with locked(finder.cache_folder()):  # whoever had to wait finds everything made
            library = locate(explain=True) or build_liboqs(finder.build_folder())
            if not has_adapter(library):
                try:
                    make_adapter(library.liboqs)
                except BuildError as error:
                    if not library.importable:
                        raise
                    tell(f"note: liboqs will do, but without the native timing loop: {error}")
        library = finder.find_library(os.environ)
    return library


def locate(*, explain: bool = False) -> finder.Library | None:
    """The library that is there, adapter or not. An OQS_INSTALL_PATH that cannot be used is an error, not a None."""
    try:
        return finder.locate(os.environ)
    except BackendUnavailable as reason:
        if "OQS_INSTALL_PATH" in os.environ:
            raise
        if explain:
            tell(str(reason))
        return None


def has_adapter(library: finder.Library) -> bool:
    """Whether the library's adapter is there and was made from this adapter.c."""
    manifest = finder.read_manifest(finder.adapter_folder(library.liboqs))
    return manifest is not None and manifest["source"] == adapter_digest()


def make_adapter(liboqs: Path) -> None:
    """Make the adapter for this library, in the cache."""
    with staged(finder.adapter_folder(liboqs)) as folder:
        version = compile_adapter(liboqs, folder / finder.ADAPTER_NAME)
        finder.write_manifest(folder, version=version, source=adapter_digest(), liboqs=str(liboqs))


def compile_adapter(liboqs: Path, target: Path) -> str:
    """Compile, link and try it; returns the version of the library.

    The adapter asks the loader for liboqs by its full path, so that neither another file nor a library of the same
    name that the process has loaded can take its place. Linking to a stub that has the path for a name does that.
    """
    version, supports_ctx_str = finder.probe(liboqs)
    add = () if supports_ctx_str else ("-DPQDC_ADD_SUPPORTS_CTX_STR",)
    with tempfile.TemporaryDirectory() as temporary:
        stub = str(Path(temporary, "liboqs.so"))
        name = ("-Xlinker", "-soname", "-Xlinker", str(liboqs))
        run("linking a stub", [*compiler(), "-shared", *name, "-o", stub, "-x", "c", "/dev/null"])
        sources = (str(ADAPTER_SOURCE), "-Xlinker", "--no-as-needed", stub)
        run("compiling the adapter", [*compiler(), *ADAPTER_FLAGS, *add, *sources, "-o", str(target)])
    run("trying the adapter", [sys.executable, "-I", "-S", "-c", TRIAL, str(target)])
    return version


def adapter_digest() -> str:
    """What tells one adapter.c from another."""
    return hashlib.sha256(ADAPTER_SOURCE.read_bytes()).hexdigest()


def build_liboqs(final: Path) -> finder.Library:
    """Build liboqs into the cache. Of all that is made, the library and its headers are kept."""
    cc, cmake, ninja, source = compiler(), tool("cmake"), tool("ninja"), liboqs_source()
    tell(f"building liboqs {finder.LIBOQS_VERSION} into {final}; two to six minutes, once")
    with staged(final) as folder:
        objects = str(folder.with_name("objects"))
        generator = ("-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}")
        run("configuring liboqs", [cmake, *generator, *finder.CMAKE_FLAGS, "-S", str(source), "-B", objects])
        run("building liboqs", [ninja, "-C", objects, "oqs"], each_line=Meter())
        (folder / "lib").mkdir()
        for file in Path(objects, "lib").glob("liboqs.so*"):
            shutil.copy2(file, folder / "lib", follow_symlinks=False)
        shutil.copytree(Path(objects, "include", "oqs"), folder / "include" / "oqs")
        compile_adapter((folder / "lib" / "liboqs.so").resolve(), folder.with_name("trial.so"))
        banner = subprocess.run([*cc, "--version"], capture_output=True, text=True, check=False).stdout
        facts = {
            "compiler": banner.partition("\n")[0],
            "flags": shlex.join(finder.CMAKE_FLAGS),
            "source": source.parent.name,
        }
        finder.write_manifest(folder, version=finder.LIBOQS_VERSION, build=facts)
    return finder.locate(os.environ)


def liboqs_source() -> Path:
    """The folder of the liboqs source inside the crate; fetched if cargo does not have it yet."""
    cargo = shutil.which("cargo")
    if cargo is None:
        raise BuildError("no cargo, which brings the liboqs source", hint=OTHER_WAYS)
    environ = dict(os.environ)
    rustup = Path(cargo).parent.parent.with_name(".rustup")  # cargo in ~/.cargo/bin, toolchains in ~/.rustup
    if "RUSTUP_HOME" not in environ and not Path.home().joinpath(".rustup", "toolchains").is_dir() and rustup.is_dir():
        environ["RUSTUP_HOME"] = str(rustup)  # rustup's cargo would only look in today's HOME
    locked_crate = ("--locked", "--manifest-path", str(CRATE))
    query = [cargo, "metadata", *locked_crate, "--offline", "--format-version=1"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False, env=environ)
    if answer.returncode:
        tell("fetching the liboqs source")
        run("fetching the liboqs source", [cargo, "fetch", *locked_crate], environ=environ)
        answer = subprocess.run(query, capture_output=True, text=True, check=False, env=environ)
    if answer.returncode:
        raise BuildError(f"cargo does not say where the liboqs source is:\n{answer.stderr}")
    packages = json.loads(answer.stdout)["packages"]
    manifest = next(package["manifest_path"] for package in packages if package["name"] == "oqs-sys")
    return Path(manifest).with_name("liboqs")


def compiler() -> list[str]:
    """The C compiler's command: CC, as cmake reads it, or cc."""
    command = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(command[0]) is None:
        raise BuildError(f"no C compiler: {command[0]} is not found", hint=OTHER_WAYS)
    return command


def tool(name: str) -> str:
    """A program of this environment, else of the system."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise BuildError(f"no {name}", hint="pip install 'pqdc[native]'")
    return found


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """Hold the cache's lock; the kernel takes it back from a process that dies."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another process is building; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def staged(final: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of `final` if all goes well, and else vanishes. Wants the lock held."""
    for abandoned in final.parent.glob("part-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=final.parent, ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary, final.name)
        folder.mkdir()
        yield folder
        shutil.rmtree(final, ignore_errors=True)
        folder.rename(final)


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

    def __init__(self) -> None:
        """Start the clock."""
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
            text = f"building liboqs: {percent:3d} %, {time.monotonic() - self.started:.0f} s"
            print(f"\r{text}" if terminal else text, end=done, file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """To the people at stderr."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
