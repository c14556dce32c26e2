"""Builds BoGo's runner, and the program that it starts for each test, into the user's cache.

    python native/build_bogo.py     quick when nothing is to do; the folder goes to stdout

The runner's source comes with the crate that native/boringssl/Cargo.toml names, its compiler and modules through Go.
The crate leaves seven private keys out that the runner's certificates are made with: they are made here.

    bogo-VERSION-KEY/   runner: the stock one
                        judge: one that signs and verifies credentials in the order of RFC 9345 section 4, which the
                            stock one does not, and has tests of ours besides (tests/bogo/overlay)
                        client (tests/bogo/client.c), names.json: the names of all tests
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from build_boringssl import HINT, boringssl_source
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from making import BuildError, compiler, main, run, tell

from pqdc.cache import cache_folder, cache_key, locked, read_manifest, staged, write_manifest
from pqdc.peers import boringssl_build as boringssl

TOOLCHAIN = "go1.27.3"  # the first with crypto/mldsa; a newer go on the PATH brings it as a module
BOGO = Path(__file__).resolve().parents[1] / "tests" / "bogo"
CLIENT_SOURCE = BOGO / "client.c"
OVERLAY_SOURCE = BOGO / "overlay" / "pqdc_tests.go"
CLIENT_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-s")
# What the judge has otherwise: file, what stands there, what is to stand there.
CHANGES = (
    (
        "handshake_client.go",
        """\
	ret = append(ret, byte(algorithm>>8), byte(algorithm))
	ret = append(ret, credBytes...)
""",
        """\
	ret = append(ret, credBytes...)
	ret = append(ret, byte(algorithm>>8), byte(algorithm))
""",
    ),
    ("runner.go", "\n\tcheckTests()\n", "\n\tpqdcFirstConnections()\n\tcheckTests()\n"),
)
PARTS = ("go.mod", "go.sum", "ssl/test/runner", "util/testresult")  # of the source, which stays as it is


def work() -> None:
    """Make what is missing, and say where it is."""
    if sys.argv[1:]:
        raise BuildError("no arguments are known")
    final = folder()
    if read_manifest(final) is None:
        with locked(tell):  # whoever had to wait finds everything made
            if read_manifest(final) is None:
                build(final)
    print(final)


def folder() -> Path:
    """Where it is, or would be."""
    sources = (Path(__file__), CLIENT_SOURCE, OVERLAY_SOURCE)
    key = cache_key(TOOLCHAIN, *CLIENT_FLAGS, *(source.read_text() for source in sources))
    return cache_folder() / f"bogo-{boringssl.CRATE_VERSION}-{key}"


def build(final: Path) -> None:
    """Compile both, and have the runner list its tests."""
    go = shutil.which("go")
    if go is None:
        raise BuildError("no go, which compiles BoGo's runner", hint="install Go 1.21 or newer")
    cc = compiler("CC", "cc", hint=HINT)
    source = boringssl_source()
    tell(f"building BoGo's runner into {final}; a minute or two, once")
    with staged(final) as made:
        copy = made.with_name("source")
        for part in PARTS:
            copy_part(source / part, copy / part)
        for name, key in private_keys().items():
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (copy / "ssl/test/runner" / f"{name}_key.pem").write_bytes(pem)
        package = copy / "ssl/test/runner"
        compile_runner(go, package, made / "runner")
        compile_runner(go, package, made / "judge", overlay=write_overlay(package, made.with_name("overlay")))
        run("compiling the client", [*cc, *CLIENT_FLAGS, str(CLIENT_SOURCE), "-o", str(made / "client")])
        (made / "names.json").write_text(json.dumps(list_tests(made), indent=1))
        write_manifest(made, version=boringssl.version(), go=TOOLCHAIN)


def copy_part(source: Path, target: Path) -> None:
    """A file or a folder, writable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)


def private_keys() -> dict[str, PrivateKeyTypes]:
    """The keys, by the names that the runner's source has for their files."""
    curves = {"ecdsa_p256": ec.SECP256R1(), "ecdsa_p384": ec.SECP384R1(), "ecdsa_p521": ec.SECP521R1()}
    keys: dict[str, PrivateKeyTypes] = {name: ec.generate_private_key(curve) for name, curve in curves.items()}
    sizes = {"rsa_1024": 1024, "rsa_2048": 2048}
    keys |= {name: rsa.generate_private_key(public_exponent=65537, key_size=size) for name, size in sizes.items()}
    keys["ed25519"] = ed25519.Ed25519PrivateKey.generate()
    keys["channel_id"] = ec.generate_private_key(ec.SECP256R1())
    return keys


def write_overlay(package: Path, into: Path) -> Path:
    """The file that tells the compiler what the judge has otherwise than the package."""
    into.mkdir()
    replaced = {str(package / OVERLAY_SOURCE.name): str(OVERLAY_SOURCE)}
    for name, old, new in CHANGES:
        text = (package / name).read_text()
        if text.count(old) != 1:
            raise BuildError(f"{name} of the runner is another than expected")
        (into / name).write_text(text.replace(old, new))
        replaced[str(package / name)] = str(into / name)
    overlay = into / "overlay.json"
    overlay.write_text(json.dumps({"Replace": replaced}))
    return overlay


def compile_runner(go: str, package: Path, target: Path, *, overlay: Path | None = None) -> None:
    """The package's test binary, which is the runner."""
    environ = {**os.environ, "GOTOOLCHAIN": TOOLCHAIN, "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    options = ["-overlay", str(overlay)] if overlay else []
    command = [go, "-C", str(package), "test", "-c", *options, "-o", str(target), "."]
    run("compiling BoGo's runner", command, environ=environ)


def list_tests(made: Path) -> list[str]:
    """The names of all tests: the client, without a zygote, tells the runner that it can do none."""
    output = made.with_name("list.json")
    options = ["-allow-unimplemented", "-num-workers", "2", "-shim-path", str(made / "client")]
    environ = {name: value for name, value in os.environ.items() if name != "BOGO_SOCKET"}
    run("trying the runner", [str(made / "runner"), *options, "-json-output", str(output)], environ=environ)
    names = sorted(json.loads(output.read_text())["tests"])
    if not names:
        raise BuildError("the runner lists no tests")
    return names


if __name__ == "__main__":
    sys.exit(main(work))
