"""Builds the second implementations in Rust (native/rust/) into the user's cache; quick when nothing is to do.

Nothing else needs them: where they cannot be built, this says why, and is content.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from making import BuildError, find_cargo, main, run, tell

from pqdc.cache import cache_folder, locked, read_manifest, staged, write_manifest
from pqdc.scheme.backends import rust_library as finder

HERE = Path(__file__).resolve().with_name("rust")
HINT = "install Rust 1.85 or newer"
CRATES = ("ml-dsa", "slh-dsa", "fn-dsa")
# A key pair, a signature and its verification, with the first scheme.
TRIAL = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
size, length = ctypes.c_size_t, ctypes.c_size_t()
public, secret, signature = (ctypes.create_string_buffer(count) for count in (1312, 2560, 2420))
assert library.mldsa44_crypto_sign_keypair(public, secret) == 0
assert library.mldsa44_crypto_sign_signature(signature, ctypes.byref(length), b"m", size(1), secret) == 0
assert library.mldsa44_crypto_sign_verify(signature, length, b"m", size(1), public) == 0
"""


def work() -> None:
    """Make what is missing."""
    try:
        prepare()
    except (BuildError, OSError) as error:
        tell(f"note: without FN-DSA and SLH-DSA, and a third ML-DSA: {error}")
        return
    library = finder.find_library()
    tell(f"second implementations in Rust ({', '.join(map(' '.join, library.versions.items()))}): {library.path}")


def prepare() -> None:
    """Build, unless the library is there and of today's source."""
    if not is_complete():
        cache_folder().mkdir(parents=True, exist_ok=True)
        with locked(tell):  # whoever had to wait finds everything made
            if not is_complete():
                build()


def is_complete() -> bool:
    """Whether the cache has a library of this source."""
    manifest = read_manifest(finder.build_folder())
    return manifest is not None and manifest["source"] == digest()


def build() -> None:
    """Build it; of all that is made, the library is kept."""
    cargo, environ = find_cargo("builds them", hint=HINT)
    tell("building the second implementations in Rust; half a minute to two, once")
    with staged(finder.build_folder()) as folder:
        objects = folder.with_name("objects")
        where = ("--manifest-path", str(HERE / "Cargo.toml"), "--target-dir", str(objects))
        run("building them", [cargo, "build", "--release", "--locked", *where], environ=environ)
        shutil.copy2(objects / "release" / finder.LIBRARY_NAME, folder)
        run("trying them", [sys.executable, "-I", "-S", "-c", TRIAL, str(folder / finder.LIBRARY_NAME)])
        compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False, env=environ)
        facts = {"compiler": compiler.stdout.strip(), "flags": "release, lto, one codegen unit"}
        write_manifest(folder, source=digest(), versions=versions(), build=facts)


def versions() -> dict[str, str]:
    """Of the crates that compute, as Cargo.lock pins them."""
    packages = tomllib.loads((HERE / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    pinned = {package["name"]: package["version"] for package in packages}
    return {crate: pinned[crate] for crate in CRATES}


def digest() -> str:
    """What tells one source from another."""
    files = (HERE / name for name in ("Cargo.toml", "Cargo.lock", "lib.rs"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    sys.exit(main(work))
