"""The backend `composite`: hybrids and composites, whose parts other backends compute.

A signature is good if every part of it is. Each part is computed by the first of its backends that can give what the
combiner asks of it; algorithms.toml names the parts and the combiner, and `pqdc.scheme.combiners` has its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version

from pqdc.errors import BackendUnavailable, BadSignature, KeyFormatError
from pqdc.scheme import backends, spki
from pqdc.scheme.combiners import COMBINERS
from pqdc.scheme.facts import Scheme
from pqdc.scheme.halves import apart
from pqdc.scheme.keys import Backend, PrivateKey, PublicKey
from pqdc.scheme.pkcs8 import Secret

__all__ = ["Composite"]


class _Public(PublicKey):
    __slots__ = ("_combiner", "_label", "_parts")

    def __init__(self, scheme: Scheme, parts: Sequence[PublicKey]) -> None:
        self._combiner = COMBINERS[scheme.combiner]
        self._label = scheme.backends[Composite.name]
        self._parts = parts
        super().__init__(scheme, Composite.name, self._combiner.join([part.raw for part in parts]))

    def _verifies(self, signature: bytes, message: bytes) -> bool:
        signed = self._combiner.representative(message, self._label)
        signatures = self._combiner.split_signature(self.scheme, signature)
        try:
            for key, own, context in zip(self._parts, signatures, signed.contexts, strict=True):
                if context:
                    key.verify_with_context(own, signed.message, context)
                else:
                    key.verify(own, signed.message)
        except BadSignature:
            return False
        return True


class _Private(PrivateKey):
    __slots__ = ("_combiner", "_label", "_parts")

    def __init__(self, scheme: Scheme, parts: Sequence[PrivateKey]) -> None:
        super().__init__(_Public(scheme, [part.public for part in parts]))
        self._combiner = COMBINERS[scheme.combiner]
        self._label = scheme.backends[Composite.name]
        self._parts = parts

    def sign(self, message: bytes) -> bytes:
        signed = self._combiner.representative(message, self._label)
        return self._combiner.join(
            [
                key.sign_with_context(signed.message, context) if context else key.sign(signed.message)
                for key, context in zip(self._parts, signed.contexts, strict=True)
            ]
        )

    def secret(self) -> Secret:
        content = self._combiner.join_secrets(self.scheme, [part.secret() for part in self._parts])
        return Secret(own=content, public=self.public.raw)


class Composite:
    """Whatever has `components` and a `combiner`, where the parts are computed here."""

    name = "composite"

    def versions(self) -> Mapping[str, str]:
        """Of what puts the parts together; the libraries that compute them are backends of their own."""
        return {"combiners of pqdc": version("pqdc")}

    def reason_against(self, scheme: Scheme) -> str:
        """Empty if each part is computed here, in the way that the combiner needs."""
        if scheme.combiner not in COMBINERS:
            return f"the backend composite knows no combiner {scheme.combiner!r}; it knows {', '.join(COMBINERS)}"
        if len(scheme.components) != 2:
            return f"the backend composite puts two parts together, {scheme.name} has {len(scheme.components)}"
        try:
            self._backends(scheme)
        except BackendUnavailable as error:
            return str(error)
        return ""

    def generate(self, scheme: Scheme, *, seed: bytes | None = None) -> PrivateKey:
        """A new key pair for each part."""
        if seed is not None:
            raise KeyFormatError(f"keys of {scheme.name} are not made from a seed")
        parts = zip(self._backends(scheme), scheme.components, strict=True)
        return _Private(scheme, [backend.generate(part) for backend, part in parts])

    def private_key(self, scheme: Scheme, secret: Secret) -> PrivateKey:
        """A private key from the content of its PKCS#8."""
        secrets = COMBINERS[scheme.combiner].split_secrets(scheme, secret.own)
        parts = zip(self._backends(scheme), scheme.components, secrets, strict=True)
        key = _Private(scheme, [backend.private_key(part, own) for backend, part, own in parts])
        if secret.public and secret.public != key.public.raw:
            raise apart(scheme)
        return key

    def public_key(self, scheme: Scheme, raw: bytes) -> PublicKey:
        """A public key from its raw bytes."""
        spki.check_length(scheme, raw)
        raws = COMBINERS[scheme.combiner].split_key(scheme, raw)
        parts = zip(self._backends(scheme), scheme.components, raws, strict=True)
        return _Public(scheme, [backend.public_key(part, own) for backend, part, own in parts])

    def _backends(self, scheme: Scheme) -> list[Backend]:
        return [_backend_for(scheme, part) for part in scheme.components]


@lru_cache(maxsize=1024)
def _backend_for(scheme: Scheme, part: Scheme) -> Backend:
    """The first backend of `part` that gives what the combiner of `scheme` needs.

    Raises:
        BackendUnavailable: none computes it here, or none that does will do.
    """
    backends.choose(part)  # says why none computes it
    reasons = []
    for name in backends.available(part):
        backend = backends.load_backend(name)
        if not (reason := _reason_against(scheme, part, backend)):
            return backend
        reasons.append(reason)
    raise BackendUnavailable(f"{scheme.name} cannot be computed here: {'; '.join(reasons)}")


def _reason_against(scheme: Scheme, part: Scheme, backend: Backend) -> str:
    """Why `backend` will not do, found by trial. Only of keys with seeds do libraries differ in what they give."""
    if part.private_key != "seed":
        return ""
    combiner = COMBINERS[scheme.combiner]
    contexts = combiner.representative(b"", scheme.backends[Composite.name]).contexts
    context = contexts[scheme.components.index(part)]
    key = backend.generate(part)
    try:
        if context:
            key.sign_with_context(b"", context)
    except BackendUnavailable as error:
        return str(error)
    if not getattr(key.secret(), combiner.pq_form):
        return f"{backend.name} gives no private keys of {part.name} in {combiner.pq_form} form"
    return ""
