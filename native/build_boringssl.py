"""Builds BoringSSL and pqdc's server around it into the user's cache.

    python native/build_boringssl.py                  quick when nothing is to do
    python native/build_boringssl.py --print-source   the folder of the BoringSSL source (the BoGo runner is in it)

The source comes with the crate that native/boringssl/Cargo.toml names, cmake and ninja with `pip install pqdc[native]`.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import sys
from pathlib import Path

from making import (
    BuildError,
    cmake_build,
    compiler,
    compiler_version,
    crate_folder,
    main,
    run,
    tell,
)

from pqdc.cache import locked, read_manifest, staged, write_manifest
from pqdc.peers import boringssl_build as finder

HERE = Path(__file__).resolve().with_name("boringssl")
SERVER_SOURCE = HERE / "server.cc"
SERVER_FLAGS = ("-std=c++17", "-O2", "-Wall", "-Wextra", "-pthread", "-s")
HINT = "install it: BoringSSL is built from source with cargo, a C and a C++ compiler"


def work() -> None:
    """Do what the arguments say."""
    arguments = sys.argv[1:]
    if arguments == ["--print-source"]:
        print(boringssl_source())
    elif arguments:
        raise BuildError(f"unknown arguments: {shlex.join(arguments)}", hint="--print-source is the only one")
    else:
        prepare()


def prepare() -> None:
    """Make what is missing: the library, and a server of today's server.cc. Nothing is said if all is there."""
    if not is_complete():
        with locked(tell):  # whoever had to wait finds everything made
            if read_manifest(finder.build_folder()) is None:
                build_library(finder.build_folder())
            if not is_complete():
                build_server(finder.server_folder())


def is_complete() -> bool:
    """Whether all is there, and the server was made from this server.cc."""
    if read_manifest(finder.build_folder()) is None:
        return False
    manifest = read_manifest(finder.server_folder())
    return manifest is not None and manifest["source"] == server_digest()


def build_library(final: Path) -> None:
    """Build BoringSSL into the cache. Of all that is made, libraries, headers and test programs are kept."""
    cxx, source = compiler("CXX", "c++", hint=HINT), boringssl_source()
    tell(f"building BoringSSL ({finder.version()}) into {final}; two to six minutes, once")
    with staged(final) as folder:
        objects = folder.with_name("objects")
        cmake_build(source, objects, finder.CMAKE_FLAGS, finder.TARGETS, "BoringSSL")
        for kind in ("lib", "bin"):
            (folder / kind).mkdir()
        for name in ("libssl.a", "libcrypto.a"):
            shutil.copy2(objects / name, folder / "lib")
        for name in ("bssl_shim", "handshaker"):
            shutil.copy2(objects / "ssl" / "test" / name, folder / "bin")
        shutil.copytree(source / "include" / "openssl", folder / "include" / "openssl")
        facts = {"compiler": compiler_version(cxx), "flags": shlex.join(finder.CMAKE_FLAGS), "source": finder.version()}
        write_manifest(folder, version=finder.CRATE_VERSION, build=facts)


def build_server(final: Path) -> None:
    """Compile and link the server."""
    library = finder.build_folder()
    libraries = [str(library / "lib" / name) for name in ("libssl.a", "libcrypto.a")]
    with staged(final) as folder:
        program = folder / finder.SERVER_NAME
        command = [*compiler("CXX", "c++", hint=HINT), *SERVER_FLAGS, "-I", str(library / "include")]
        run("compiling the server", [*command, str(SERVER_SOURCE), *libraries, "-o", str(program)])
        run("trying the server", [str(program), "--version"])
        write_manifest(folder, source=server_digest())


def boringssl_source() -> Path:
    """The folder of the BoringSSL source inside the crate."""
    return crate_folder(HERE / "Cargo.toml", finder.CRATE, "BoringSSL", hint=HINT) / "deps" / "boringssl"


def server_digest() -> str:
    """What tells one server.cc from another."""
    return hashlib.sha256(SERVER_SOURCE.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(work))
