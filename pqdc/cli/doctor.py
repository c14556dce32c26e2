"""`pqdc doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

import json
import platform
import shutil
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.scheme.catalog import Catalog

_PACKAGES = ("cryptography", "liboqs-python", "tomli", "typer", "rich", "platformdirs", "pytest", "pytest-benchmark")


def command(as_json: options.AsJson = False, algorithms: options.Algorithms = None) -> int:
    """Say what is here, what is missing, and how to get it.

    Versions, backends and how many schemes each computes, timers. Exits with 1 if a backend is missing, or
    a library of your own fails its proof.
    """
    facts: dict[str, Any] = {
        "pqdc": version("pqdc"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
        "backends": _backends(options.catalog(algorithms)),
        "peers": _peers(),
        "timers": _timers(),
        "tools": {tool: bool(shutil.which(tool)) for tool in ("cc", "cargo", "openssl")},
    }
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        _print(facts)
    broken = [backend["missing"] or any(backend["own"].values()) for backend in facts["backends"].values()]
    return 1 if any(broken) else 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _backends(catalog: Catalog) -> dict[str, dict[str, Any]]:
    from pqdc.errors import BackendUnavailable
    from pqdc.scheme import backends

    found: dict[str, dict[str, Any]] = {}
    for name in backends.backend_names():
        facts: dict[str, Any] = {"versions": {}, "schemes": 0, "missing": "", "hint": "", "own": {}}
        try:
            backend = backends.load_backend(name)
        except BackendUnavailable as error:
            facts |= {"missing": str(error), "hint": error.hint}
        else:
            facts["versions"] = dict(backend.versions())
            facts["schemes"] = sum(not backends.reason_against(scheme, name) for scheme in catalog.values())
            facts |= _library(backend)
            facts["own"] = {
                scheme.name: backends.reason_against(scheme, name)
                for scheme in catalog.values()
                if scheme.library and name in scheme.backends
            }
        found[name] = facts
    return found


def _library(backend: Any) -> dict[str, Any]:
    library = getattr(backend, "library", None)
    if library is None:
        return {}
    return {"library": str(library.code), "origin": library.origin, "native_loop": backend.native_loop}


def _peers() -> dict[str, dict[str, Any]]:
    from pqdc.errors import PeerUnavailable
    from pqdc.peers import load_peer, peer_names

    found: dict[str, dict[str, Any]] = {}
    for name in peer_names():
        try:
            peer = load_peer(name)
        except PeerUnavailable as error:
            found[name] = {"versions": {}, "missing": str(error), "hint": error.hint}
        else:
            found[name] = {"versions": dict(peer.versions()), "missing": "", "hint": ""}
            peer.close()
    return found


def _timers() -> dict[str, str]:
    info = time.get_clock_info("perf_counter")
    raw = time.clock_getres(time.CLOCK_MONOTONIC_RAW) if hasattr(time, "CLOCK_MONOTONIC_RAW") else None
    return {
        "perf_counter": f"{info.implementation}, resolution {info.resolution:g} s",
        "native loop": "no CLOCK_MONOTONIC_RAW" if raw is None else f"CLOCK_MONOTONIC_RAW, resolution {raw:g} s",
    }


def _print(facts: dict[str, Any]) -> None:
    print(f"pqdc {facts['pqdc']}, Python {facts['python']} ({sys.executable}), {facts['machine']}")
    for name, backend in facts["backends"].items():
        if backend["missing"]:
            print(f"missing  backend {name}: {backend['missing']}\n         to get it: {backend['hint']}")
            continue
        versions = ", ".join(f"{what} {number}" for what, number in backend["versions"].items())
        print(f"found    backend {name}: {versions}; {backend['schemes']} schemes")
        if "library" in backend:
            loop = "with" if backend["native_loop"] else "without"
            print(f"         {backend['library']} (from {backend['origin']}), {loop} the native timing loop")
        for scheme, reason in backend["own"].items():
            print(f"broken   {scheme}: {reason}" if reason else f"found    {scheme}: it has proved itself")
    for name, peer in facts["peers"].items():
        if peer["missing"]:
            print(f"missing  peer {name}: {peer['missing']}\n         to get it: {peer['hint']}")
        else:
            print(f"found    peer {name}: {', '.join(f'{what} {number}' for what, number in peer['versions'].items())}")
    for package, number in facts["packages"].items():
        hint = "pip install 'pqdc[bench]'" if package.startswith("pytest") else f"pip install {package}"
        print(f"found    {package} {number}" if number else f"missing  {package}\n         to get it: {hint}")
    for timer, what in facts["timers"].items():
        print(f"timer    {timer}: {what}")
    for tool, here in facts["tools"].items():
        print(f"{'found   ' if here else 'missing '} {tool}")
