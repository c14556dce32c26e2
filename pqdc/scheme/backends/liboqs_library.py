"""Where liboqs is: `OQS_INSTALL_PATH`, else the system's, else pqdc's own build in the user's cache.

Finds and never builds (native/build.py does), and loads nothing into this process: a library that has to be looked
into is looked into by a child, which may crash on it. Knows nothing of schemes, nor of the wrapper that drives them.

It keeps two kinds of folders in the cache:

    liboqs-VERSION-KEY/     pqdc's own build: lib/liboqs.so, include/oqs/; KEY stands for flags and machine
    adapter-KEY/            libpqdc-oqs.so (native/adapter.c) and pqdc-account (native/account.c) for one liboqs; KEY
                            stands for that file, as it is now
"""

from __future__ import annotations

import platform
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pqdc.cache import cache_folder, cache_key, read_manifest
from pqdc.errors import BackendUnavailable

__all__ = ["Library", "find_library"]

LIBOQS_VERSION: Final = "0.13.0"
OLDEST_VERSION: Final = (0, 10)
CMAKE_FLAGS: Final = (
    "-DBUILD_SHARED_LIBS=ON",
    "-DOQS_BUILD_ONLY_LIB=ON",
    "-DCMAKE_BUILD_TYPE=Release",
    "-DOQS_USE_OPENSSL=OFF",
    "-DOQS_DIST_BUILD=ON",
    *(
        f"-DOQS_ENABLE_KEM_{kem}=OFF"
        for kem in ("BIKE", "CLASSIC_MCELIECE", "FRODOKEM", "HQC", "KYBER", "ML_KEM", "NTRUPRIME")
    ),
)
ADAPTER_NAME: Final = "libpqdc-oqs.so"
ACCOUNT_NAME: Final = "pqdc-account"
ADAPTER_ABI: Final = 3  # raised when what native/adapter.c exports changes

_MAKE: Final = "run `make liboqs`"
_PROBE: Final = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.OQS_version.restype = ctypes.c_char_p
library.OQS_SIG_new
print(library.OQS_version().decode(), hasattr(library, "OQS_SIG_supports_ctx_str"))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A liboqs that can be used. Hand `path` to the loader; `liboqs` is the library whose code then runs."""

    path: Path  # pqdc's adapter, which loads liboqs itself, or liboqs where there is no adapter
    liboqs: Path  # links resolved
    version: str
    origin: str  # "OQS_INSTALL_PATH", "system" or "cache"
    native_loop: bool  # whether `path` exports pqdc_time
    account: Path | None = None  # the program that says what an operation takes besides time
    importable: bool = True  # whether liboqs-python can import `path`; always so for what `find_library` returns
    build: Mapping[str, str] = field(default_factory=dict)  # compiler, flags, source; empty when others built it

    @property
    def code(self) -> Path:
        """The file whose code runs."""
        return self.liboqs


def find_library(environ: Mapping[str, str]) -> Library:
    """The liboqs to use.

    Raises:
        BackendUnavailable: there is none, or the one that `OQS_INSTALL_PATH` names cannot be used, or liboqs-python
            could not import it before an adapter is made. An unusable `OQS_INSTALL_PATH` is never passed over.
    """
    library = locate(environ)
    if not library.importable:
        raise BackendUnavailable(
            f"liboqs {library.version} at {library.liboqs} lacks OQS_SIG_supports_ctx_str, which liboqs-python needs, "
            "and its adapter has not been made",
            hint=_MAKE,
        )
    return library


def locate(environ: Mapping[str, str]) -> Library:
    """As `find_library`, but the library may still be in need of its adapter."""
    if (named := environ.get("OQS_INSTALL_PATH")) is not None:
        try:
            return _named_library(named)
        except (BackendUnavailable, OSError) as error:
            hint = "point OQS_INSTALL_PATH at a liboqs installation, or unset it and run `make liboqs`"
            raise BackendUnavailable(f"OQS_INSTALL_PATH={named}: {error}", hint=hint) from None
    reasons = []
    for liboqs in _system_libraries(environ):
        try:
            return _examine(liboqs, origin="system")
        except BackendUnavailable as error:
            reasons.append(f"the system's {error}")
    folder = build_folder()
    if manifest := read_manifest(folder):
        return _examine(folder / "lib" / "liboqs.so", origin="cache", build=manifest["build"])
    reasons.append(
        f"pqdc's own build in {folder} is damaged" if folder.exists() else f"no build of its own in {folder}"
    )
    raise BackendUnavailable(f"no liboqs: {'; '.join(reasons)}", hint=_MAKE)


def _named_library(install_path: str) -> Library:
    """The library that `OQS_INSTALL_PATH` names, or the reason why it cannot be used."""
    if not install_path.strip():
        raise BackendUnavailable("it is set, but empty")
    prefix = Path(install_path).absolute()
    if not prefix.exists():
        raise BackendUnavailable(f"{prefix} does not exist")
    if not prefix.is_dir():
        raise BackendUnavailable(f"{prefix} is not a folder")
    for folder in ("lib", "lib64"):
        if (liboqs := prefix / folder / "liboqs.so").exists():
            return _examine(liboqs, origin="OQS_INSTALL_PATH")
    raise BackendUnavailable(f"neither lib/liboqs.so nor lib64/liboqs.so is in {prefix}")


def _system_libraries(environ: Mapping[str, str]) -> Iterator[Path]:
    """Every liboqs the dynamic loader would find, and those in /usr/local that ldconfig has not been told of.

    `ctypes.util.find_library` gives no folder, and when there is none it runs two compilers to be sure.
    """
    folders = [Path(folder) for folder in environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    candidates = [path for folder in folders for path in sorted(folder.glob("liboqs.so*"))]
    try:
        known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    except OSError:  # not a glibc system
        known = ""
    candidates += [Path(path) for path in re.findall(r"^\s*liboqs\.so\S* .* => (.*)$", known, re.MULTILINE)]
    candidates += [path for lib in ("lib", "lib64") for path in sorted(Path("/usr/local", lib).glob("liboqs.so*"))]
    yield from dict.fromkeys(path.resolve() for path in candidates if path.exists())


def _examine(liboqs: Path, *, origin: str, build: Mapping[str, str] | None = None) -> Library:
    """What the file is: told by its adapter's manifest if it has one, else by loading it in a child."""
    liboqs = liboqs.resolve()
    adapter = adapter_folder(liboqs)
    if manifest := read_manifest(adapter):
        path, version, importable = adapter / ADAPTER_NAME, str(manifest["version"]), True
    else:
        path, (version, importable) = liboqs, probe(liboqs)
    return Library(
        path=path,
        liboqs=liboqs,
        version=version,
        origin=origin,
        native_loop=path != liboqs,
        account=adapter / ACCOUNT_NAME if manifest and ACCOUNT_NAME in manifest["files"] else None,
        importable=importable,
        build=build or {},
    )


def probe(liboqs: Path) -> tuple[str, bool]:
    """The version of a library nobody has looked into, and whether it has `OQS_SIG_supports_ctx_str`.

    Raises:
        BackendUnavailable: it cannot be loaded, is not liboqs, or is too old.
    """
    command = [sys.executable, "-I", "-S", "-c", _PROBE, str(liboqs)]
    try:
        child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:
        raise BackendUnavailable(f"{liboqs} does not load within 10 s") from None
    if child.returncode < 0:
        raise BackendUnavailable(f"{liboqs} cannot be loaded: {signal.Signals(-child.returncode).name}")
    if child.returncode:
        error, _, reason = child.stderr.strip().splitlines()[-1].partition(": ")
        verdict = "cannot be loaded" if error == "OSError" else "is not liboqs"
        raise BackendUnavailable(f"{liboqs} {verdict}: {reason.removeprefix(f'{liboqs}: ')}")
    version, importable = child.stdout.split()[-2:]
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < OLDEST_VERSION:
        oldest = ".".join(map(str, OLDEST_VERSION))
        raise BackendUnavailable(f"{liboqs} is liboqs {version}; pqdc needs {oldest} or newer")
    return version, importable == "True"


def build_folder() -> Path:
    """Where pqdc's own build of liboqs is, or would be."""
    return cache_folder() / f"liboqs-{LIBOQS_VERSION}-{cache_key(platform.machine(), *CMAKE_FLAGS)}"


def adapter_folder(liboqs: Path) -> Path:
    """Where the adapter for this file is, or would be: another file in its place has another adapter."""
    status = liboqs.stat()
    return cache_folder() / f"adapter-{cache_key(ADAPTER_ABI, liboqs, status.st_size, status.st_mtime_ns)}"
