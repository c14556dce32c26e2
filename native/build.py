"""Makes liboqs ready: uses the one that is there or builds one into the user's cache, and makes the adapter for it.

    python native/build.py                  quick when nothing is to do; the result is where `find_library` looks
    python native/build.py --print-source   the folder of the liboqs source (known answers, speed_sig)

The source comes with the crate that native/Cargo.toml names, cmake and ninja with `pip install pqdc[native]`.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
from pqdc.errors import BackendUnavailable
from pqdc.scheme.backends import liboqs_library as finder

CRATE = Path(__file__).resolve().with_name("Cargo.toml")
ADAPTER_SOURCE = Path(__file__).resolve().with_name("adapter.c")
ACCOUNT_SOURCE = Path(__file__).resolve().with_name("account.c")
ACCOUNT_CALLS = (
    *("OQS_init", "OQS_SIG_new", "OQS_SIG_keypair", "OQS_SIG_sign", "OQS_SIG_verify"),
    "OQS_randombytes_custom_algorithm",
)
ACCOUNT_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-pthread", "-fno-builtin-malloc")
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
outcome = adapter.pqdc_time(scheme, 3, b"four" * 4, size(4), size(4), size(4), size(2), -1, times)
assert outcome == 0 and all(times), f"{scheme.decode()} does not sign and verify: outcome {outcome}"
"""


def work() -> None:
    """Do what the arguments say."""
    arguments = sys.argv[1:]
    if arguments == ["--print-source"]:
        print(liboqs_source())
    elif arguments:
        raise BuildError(f"unknown arguments: {shlex.join(arguments)}", hint="--print-source is the only one")
    else:
        library = prepare()
        tell(f"liboqs {library.version} ({library.origin}): {library.path}")


def prepare() -> finder.Library:
    """The library, with an adapter of today's adapter.c; what is missing is made."""
    library = locate()
    if library is None or not has_adapter(library):
        with locked(tell):  # whoever had to wait finds everything made
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
    manifest = read_manifest(finder.adapter_folder(library.liboqs))
    return manifest is not None and manifest["source"] == adapter_digest()


def make_adapter(liboqs: Path) -> None:
    """Make the adapter for this library, in the cache."""
    with staged(finder.adapter_folder(liboqs)) as folder:
        version = compile_adapter(liboqs, folder / finder.ADAPTER_NAME)
        try:
            compile_account(liboqs, folder / finder.ACCOUNT_NAME)
        except BuildError as error:
            (folder / finder.ACCOUNT_NAME).unlink(missing_ok=True)
            tell(f"note: stack, heap and randomness will not be measured: {error}")
        write_manifest(folder, version=version, source=adapter_digest(), liboqs=str(liboqs))


def compile_adapter(liboqs: Path, target: Path) -> str:
    """Compile, link and try it; returns the version of the library.

    The adapter asks the loader for liboqs by its full path, so that neither another file nor a library of the same
    name that the process has loaded can take its place. Linking to a stub that has the path for a name does that.
    """
    version, supports_ctx_str = finder.probe(liboqs)
    add = () if supports_ctx_str else ("-DPQDC_ADD_SUPPORTS_CTX_STR",)
    with stub_of(liboqs) as stub:
        run(
            "compiling the adapter",
            [*c_compiler(), *ADAPTER_FLAGS, *add, str(ADAPTER_SOURCE), *stub, "-o", str(target)],
        )
    run("trying the adapter", [sys.executable, "-I", "-S", "-c", TRIAL, str(target)])
    return version


def compile_account(liboqs: Path, target: Path) -> None:
    """Compile, link and try the program that says what an operation takes besides time."""
    with stub_of(liboqs, *ACCOUNT_CALLS) as stub:
        run(
            "compiling account.c",
            [*c_compiler(), *ACCOUNT_FLAGS, str(ACCOUNT_SOURCE), *stub, "-o", str(target)],
        )
    run("trying account.c", [str(target), first_scheme(liboqs), "1"])


def first_scheme(liboqs: Path) -> str:
    """One that the library has."""
    code = (
        "import ctypes, sys; oqs = ctypes.CDLL(sys.argv[1]); oqs.OQS_SIG_alg_identifier.restype = ctypes.c_char_p;"
        "names = map(oqs.OQS_SIG_alg_identifier, range(oqs.OQS_SIG_alg_count()));"
        "print(next(name for name in names if oqs.OQS_SIG_alg_is_enabled(name)).decode())"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(liboqs)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def stub_of(liboqs: Path, *functions: str) -> Iterator[tuple[str, ...]]:
    """What to link with, for liboqs to be asked of the loader by its full path; programs want their functions in it."""
    with tempfile.TemporaryDirectory() as temporary:
        stub, source = str(Path(temporary, "liboqs.so")), Path(temporary, "stub.c")
        source.write_text("".join(f"void {name}(void) {{}}\n" for name in functions) or "\n")
        name = ("-Xlinker", "-soname", "-Xlinker", str(liboqs))
        run("linking a stub", [*c_compiler(), "-shared", "-fPIC", *name, "-o", stub, str(source)])
        yield ("-Xlinker", "--no-as-needed", stub)


def adapter_digest() -> str:
    """What tells one adapter from another: of all that is compiled into its folder."""
    return hashlib.sha256(ADAPTER_SOURCE.read_bytes() + ACCOUNT_SOURCE.read_bytes()).hexdigest()


def build_liboqs(final: Path) -> finder.Library:
    """Build liboqs into the cache. Of all that is made, the library and its headers are kept."""
    cc, source = c_compiler(), liboqs_source()
    tell(f"building liboqs {finder.LIBOQS_VERSION} into {final}; two to six minutes, once")
    with staged(final) as folder:
        objects = folder.with_name("objects")
        cmake_build(source, objects, finder.CMAKE_FLAGS, ["oqs"], "liboqs")
        (folder / "lib").mkdir()
        for file in (objects / "lib").glob("liboqs.so*"):
            shutil.copy2(file, folder / "lib", follow_symlinks=False)
        shutil.copytree(objects / "include" / "oqs", folder / "include" / "oqs")
        compile_adapter((folder / "lib" / "liboqs.so").resolve(), folder.with_name("trial.so"))
        facts = {
            "compiler": compiler_version(cc),
            "flags": shlex.join(finder.CMAKE_FLAGS),
            "source": source.parent.name,
        }
        write_manifest(folder, version=finder.LIBOQS_VERSION, build=facts)
    return finder.locate(os.environ)


def liboqs_source() -> Path:
    """The folder of the liboqs source inside the crate."""
    return crate_folder(CRATE, "oqs-sys", "liboqs", hint=OTHER_WAYS) / "liboqs"


def c_compiler() -> list[str]:
    """The C compiler's command."""
    return compiler("CC", "cc", hint=OTHER_WAYS)


if __name__ == "__main__":
    sys.exit(main(work))
