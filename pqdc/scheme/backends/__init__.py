"""The libraries that compute schemes: found by name among the entry points of `pqdc.backends`, loaded on first use.

Absence is an exception with a reason. No backend ever stands in for another unasked: `choose` takes the first that a
scheme lists, and says which.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points

from pqdc.errors import BackendUnavailable
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import Backend

__all__ = ["available", "backend_names", "choose", "load_backend", "reason_against"]


@lru_cache(maxsize=1)
def backend_names() -> tuple[str, ...]:
    """The names of all backends, whether their libraries are here or not."""
    return tuple(sorted(point.name for point in entry_points(group="pqdc.backends")))


def load_backend(name: str) -> Backend:
    """The backend of that name; one object a process.

    Raises:
        BackendUnavailable: there is none of that name, or its library is missing or unusable.
    """
    backend = _load(name)
    if isinstance(backend, BackendUnavailable):
        raise BackendUnavailable(str(backend), hint=backend.hint)
    return backend


@lru_cache(maxsize=64)
def _load(name: str) -> Backend | BackendUnavailable:
    points = [point for point in entry_points(group="pqdc.backends") if point.name == name]
    if not points:
        return BackendUnavailable(f"no backend is called {name!r}", hint=f"there are {', '.join(backend_names())}")
    try:
        backend: Backend = points[0].load()()
    except BackendUnavailable as reason:
        return reason
    except ImportError as error:
        return BackendUnavailable(f"the backend {name} cannot be loaded: {error}")
    return backend


def reason_against(scheme: Scheme, name: str) -> str:
    """Why the backend of that name cannot compute `scheme` here; empty if it can."""
    if name not in scheme.backends:
        return f"the catalog lists no backend {name} for {scheme.name}"
    try:
        return load_backend(name).reason_against(scheme)
    except BackendUnavailable as error:
        return str(error)


def available(scheme: Scheme) -> tuple[str, ...]:
    """The names of the backends that compute `scheme` here, in order of preference."""
    return tuple(name for name in scheme.backends if not reason_against(scheme, name))


@lru_cache(maxsize=1024)  # what is here does not change while a process runs; absence is not kept
def choose(scheme: Scheme, name: str | None = None) -> Backend:
    """The backend to use: the one named, or the first of the scheme's that is here.

    Raises:
        BackendUnavailable: none is; the message gives the reason of each.
    """
    reasons = []
    for candidate in scheme.backends if name is None else (name,):
        reason = reason_against(scheme, candidate)
        if not reason:
            return load_backend(candidate)
        reasons.append(reason)
    why = "; ".join(reasons) or "the catalog names no backend for it"
    raise BackendUnavailable(f"{scheme.name} cannot be computed here: {why}", hint="`pqdc doctor` says what is missing")
