"""Where a run was made: the machine as far as timings depend on it, and the software. Never who ran it, or where.

No host name, no user name, no absolute path; what the system does not tell is missing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pqdc import __version__
from pqdc.errors import BackendUnavailable
from pqdc.measure import counters
from pqdc.resources import resource
from pqdc.scheme import backends

__all__ = ["describe", "load", "revision", "scrub"]

CPU = Path("/sys/devices/system/cpu")
FLAGS = re.compile(
    r"adx|aes|asimd|avx\w*|bmi[12]|gfni|hypervisor|neon|pclmulqdq|pmull|rdseed|sha\w*|sm3|sse4_[12]|ssse3|sve2?|v?aes\w*|"
    r"vpclmulqdq"
)
PACKAGES = ("cryptography", "liboqs-python", "numpy", "pytest", "pytest-benchmark", "scipy")
_PATH = re.compile(r"(?<![\w.])~?(?:/[^\s/:;,'\"()]+)+/([^\s/:;,'\"()]+)")


def describe() -> dict[str, Any]:
    """The machine, Python, and every backend that is here."""
    return {
        "machine": {
            "id": _machine_id(),
            **_processor(),
            "architecture": platform.machine(),
            "kernel": f"{platform.system()} {platform.release()}",
            "cpus": os.cpu_count(),
            "affinity": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
            "governor": _read(CPU / "cpu0/cpufreq/scaling_governor"),
            "turbo": _turbo(),
            "smt": _read(CPU / "smt/control"),
        },
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "compiler": platform.python_compiler(),
        },
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "backends": {name: _backend(name) for name in backends.backend_names()},
        "pqdc": {"version": __version__, **revision()},
        "counters": counters.reasons_against(),
        "timers": {"native": "CLOCK_MONOTONIC_RAW", "python": "time.perf_counter"},
    }


def load() -> list[float]:
    """The system's load over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def revision() -> dict[str, Any]:
    """Git's commit of the checkout that this is, and whether files differ from it; empty for an installed package."""
    root = resource("bench").parent
    if not (root / ".git").exists():
        return {}
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.CalledProcessError):
        return {}


def scrub(text: str) -> str:
    """The text in one line, with the last part of each absolute path for the whole."""
    return " ".join(_PATH.sub(r"\1", text).split())


def _machine_id() -> str | None:
    """Tells machines of one model apart, and nothing else: a digest of the system's own id, which stays unknown."""
    number = _read(Path("/etc/machine-id"))
    return number and hmac.new(number.encode(), b"pqdc result", hashlib.sha256).hexdigest()[:16]


def _processor() -> dict[str, Any]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {"cpu": platform.processor()}
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines) if value.strip()}
    flags = [flag for flag in (facts.get("flags") or facts.get("Features") or "").split() if FLAGS.fullmatch(flag)]
    model = facts.get("model name") or facts.get("CPU part") or platform.processor()
    numbers = [facts[key] for key in ("cpu family", "model", "stepping") if key in facts]
    return {"cpu": model, "cpu_family_model_stepping": "/".join(numbers), "flags": flags}


def _turbo() -> str | None:
    if (no_turbo := _read(CPU / "intel_pstate/no_turbo")) is not None:
        return "off" if no_turbo == "1" else "on"
    boost = _read(CPU / "cpufreq/boost")
    return None if boost is None else ("on" if boost == "1" else "off")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _backend(name: str) -> dict[str, Any]:
    try:
        backend: Any = backends.load_backend(name)
    except BackendUnavailable as reason:
        return {"unavailable": scrub(str(reason))}
    facts: dict[str, Any] = {"versions": {key: scrub(value) for key, value in backend.versions().items()}}
    if library := getattr(backend, "library", None):
        facts["origin"] = library.origin
        facts["native_loop"] = backend.native_loop
        facts["build"] = {key: scrub(value) for key, value in library.build.items()}
    return facts


def _git(root: Path, *arguments: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20, env=environ).stdout.strip()
