"""pqdc: a laboratory for RFC 9345 delegated credentials with classical and post-quantum keys.

The names below are the API; each is loaded when first asked for, so that `import pqdc` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pqdc.credential.authority import Authority, make_authority
    from pqdc.credential.certificate import Certificate
    from pqdc.credential.leaf import Leaf
    from pqdc.credential.mint import Minter, mint
    from pqdc.credential.rules import Policy
    from pqdc.credential.structures import Credential, DelegatedCredential, Role
    from pqdc.credential.verify import Verdict, judge, verify
    from pqdc.errors import PqdcError, Refusal
    from pqdc.handshake import Client, Identity, Server, Trust, shake_hands
    from pqdc.report.frame import load_results
    from pqdc.scheme.backends import choose, load_backend
    from pqdc.scheme.catalog import Catalog, load_catalog
    from pqdc.scheme.facts import Scheme

__version__ = "0.1.0"

_HOMES = {
    "Authority": "credential.authority",
    "Catalog": "scheme.catalog",
    "Certificate": "credential.certificate",
    "Client": "handshake",
    "Credential": "credential.structures",
    "DelegatedCredential": "credential.structures",
    "Identity": "handshake",
    "Leaf": "credential.leaf",
    "Minter": "credential.mint",
    "Policy": "credential.rules",
    "PqdcError": "errors",
    "Refusal": "errors",
    "Role": "credential.structures",
    "Scheme": "scheme.facts",
    "Server": "handshake",
    "Trust": "handshake",
    "Verdict": "credential.verify",
    "choose": "scheme.backends",
    "judge": "credential.verify",
    "load_backend": "scheme.backends",
    "load_catalog": "scheme.catalog",
    "load_results": "report.frame",
    "make_authority": "credential.authority",
    "mint": "credential.mint",
    "shake_hands": "handshake",
    "verify": "credential.verify",
}

__all__ = [
    "Authority",
    "Catalog",
    "Certificate",
    "Client",
    "Credential",
    "DelegatedCredential",
    "Identity",
    "Leaf",
    "Minter",
    "Policy",
    "PqdcError",
    "Refusal",
    "Role",
    "Scheme",
    "Server",
    "Trust",
    "Verdict",
    "choose",
    "judge",
    "load_backend",
    "load_catalog",
    "load_results",
    "make_authority",
    "mint",
    "shake_hands",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load the home of a public name."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pqdc' has no attribute {name!r}")
    value = getattr(import_module(f"pqdc.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The API."""
    return sorted(__all__)
