"""Where BoringSSL is: pqdc's own build in the user's cache. Finds and never builds (native/build_boringssl.py does).

The cache keeps two kinds of folders:

    boringssl-VERSION-KEY/   lib/libssl.a, lib/libcrypto.a, include/openssl/, bin/bssl_shim, bin/handshaker
    boringssl-server-KEY/    pqdc-boringssl-server (native/boringssl/server.cc), linked to one of the above
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

from pqdc.cache import cache_folder, cache_key
from pqdc.peers.building import built

__all__ = ["server_program", "shim", "version"]

CRATE: Final = "boring-sys"
CRATE_VERSION: Final = "5.4.0"
CMAKE_FLAGS: Final = ("-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=OFF", "-DBUILD_TESTING=ON")
TARGETS: Final = ("ssl", "bssl_shim", "handshaker")
SERVER_NAME: Final = "pqdc-boringssl-server"
SERVER_ABI: Final = 1  # raised when what native/boringssl/server.cc takes or prints changes


def version() -> str:
    """Of the crate that carries the source."""
    return f"{CRATE} {CRATE_VERSION}"


def build_folder() -> Path:
    """Where the build is, or would be."""
    key = cache_key(platform.machine(), *CMAKE_FLAGS, *TARGETS)
    return cache_folder() / f"boringssl-{CRATE_VERSION}-{key}"


def server_folder() -> Path:
    """Where the server program is, or would be."""
    return cache_folder() / f"boringssl-server-{cache_key(SERVER_ABI, build_folder().name)}"


def server_program() -> Path:
    """The server program.

    Raises:
        PeerUnavailable: it has not been built.
    """
    return built(server_folder(), SERVER_NAME, "BoringSSL")


def shim() -> Path:
    """bssl_shim, the test program of BoringSSL's BoGo suite; `handshaker` stands beside it.

    Raises:
        PeerUnavailable: it has not been built.
    """
    return built(build_folder(), "bin/bssl_shim", "BoringSSL")
