"""Files that travel with pqdc: beside the package in a checkout, inside it when installed from a wheel."""

from __future__ import annotations

from pathlib import Path

__all__ = ["resource"]

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """The path of `algorithms.toml` or `bench`."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name
