"""What the benchmarks measure with, in the process that measures: keys, signatures and credentials of each scheme.

They are made once in a process and shared by its cells, since some take a second each. A scheme that fails its check in
a backend is timed there by nobody.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from pqdc.credential import fit
from pqdc.credential.authority import Authority, make_authority
from pqdc.credential.certificate import Certificate
from pqdc.credential.leaf import Leaf
from pqdc.credential.mint import Minter
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.credential.verify import verify
from pqdc.errors import BadSignature, PqdcError
from pqdc.handshake.authentication import signed_content
from pqdc.measure.pace import Pace
from pqdc.measure.plan import Budget, Plan
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import Backend, PrivateKey, PublicKey

__all__ = ["HOST", "MESSAGE_BYTES", "VALID_FOR", "CheckFailed", "Signed", "Stock", "Workbench"]

MESSAGE_BYTES = len(signed_content(Role.SERVER, bytes(32)))  # with SHA-256
VALID_FOR = timedelta(hours=24)
HOST = "bench.example"
MOST_KEYS = 16
MOST_KEY_BYTES = 256 * 2**10  # of all keys that are taken in turn: what a processor's second cache holds beside more
# An operation is tried again, as its first call sets things up and any call may be interrupted; a slow one less often.
TRIES = ((50_000_000, 1), (5_000_000, 2), (0, 3))


class CheckFailed(PqdcError):
    """A backend does not compute a scheme as it should; nothing of it is timed."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Signed:
    """A signature that verifies, with what it is of."""

    public: PublicKey
    signature: bytes
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """About how long the primitives take through Python, in nanoseconds; they decide on the number of samples."""

    keygen_ns: float
    sign_ns: float
    verify_ns: float


class Workbench:
    """One process's: the leaf, and a stock for each scheme and backend.

    Args:
        catalog: where schemes are found.
        plan: whose budget, leaf and seed count.
        process: its number, which makes its messages its own.
        now: when credentials are minted and verified.
        pace: of the processor that it runs on.

    Attributes:
        cell: that is being measured.
        visit: which of the plan's visits to it this is, from 0.
    """

    def __init__(self, catalog: Catalog, plan: Plan, *, process: int, now: datetime, pace: Pace) -> None:
        self.catalog = catalog
        self.plan = plan
        self.now = now
        self.pace = pace
        self.cell: tuple[str, ...] = ()
        self.visit = 0
        self._random = random.Random(f"{plan.seed}/{process}/messages")  # noqa: S311 - they are no secrets
        self._stocks: dict[tuple[str, str], Stock] = {}

    @property
    def budget(self) -> Budget:
        """Of a cell."""
        return self.plan.budget

    def message(self) -> bytes:
        """A new CertificateVerify input."""
        return signed_content(Role.SERVER, self._random.randbytes(32))

    def stock(self, scheme: str, backend: str) -> Stock:
        """What there is of a scheme in a backend, checked.

        Raises:
            CheckFailed: the backend does not compute it rightly, now or before.
        """
        key = (scheme, backend)
        if key not in self._stocks:
            self._stocks[key] = Stock(self, self.catalog[scheme], backend)
        stock = self._stocks[key]
        stock.check()
        return stock

    @cached_property
    def leaf_key(self) -> PrivateKey:
        """The leaf's."""
        scheme = self.catalog[self.plan.leaf_scheme]
        return backends.choose(scheme).generate(scheme)

    @cached_property
    def authority(self) -> Authority:
        """The CA, of the leaf's scheme."""
        scheme = self.leaf_key.scheme
        return make_authority(backends.choose(scheme).generate(scheme), name="pqdc bench CA", days=90, now=self.now)

    @cached_property
    def leaf_der(self) -> bytes:
        """The leaf, for HOST."""
        return self.authority.issue(self.leaf_key, hosts=[HOST], days=30, now=self.now, catalog=self.catalog).der


class Stock:
    """Keys, signatures and credentials of one scheme in one backend; made when first asked for."""

    def __init__(self, bench: Workbench, scheme: Scheme, backend: str) -> None:
        self.bench = bench
        self.backend_name = backend
        # As if no other backend computed it: what picks a backend by itself, as `verify` does, picks this one.
        self.scheme = replace(scheme, backends={backend: scheme.backends[backend]})
        self._failure = ""
        self._estimates: Estimates | None = None
        self._keys: list[PrivateKey] = []
        self._signed: list[Signed] = []

    @cached_property
    def backend(self) -> Backend:
        """Loaded."""
        return backends.load_backend(self.backend_name)

    @property
    def estimates(self) -> Estimates:
        """How long the primitives take, about."""
        self.check()
        assert self._estimates is not None  # noqa: S101 - check makes them
        return self._estimates

    def check(self) -> None:
        """Sign and verify once, see that another message does not verify, and take the time of each.

        Raises:
            CheckFailed: it does not work.
        """
        if self._failure:
            raise CheckFailed(self._failure)
        if self._estimates is not None:
            return
        try:
            self._estimates = self._try()
        except CheckFailed as error:
            self._failure = str(error)
            raise
        except Exception as error:
            said = str(error) if isinstance(error, PqdcError) else f"{type(error).__name__}: {error}"
            self._failure = f"its check failed: {said}"
            raise CheckFailed(self._failure) from error

    def _try(self) -> Estimates:
        message = self.bench.message()
        key, keygen_ns = _timed(lambda: self.backend.generate(self.scheme))
        signature, sign_ns = _timed(lambda: key.sign(message))
        try:
            _, verify_ns = _timed(lambda: key.public.verify(signature, message))
        except BadSignature as error:
            raise CheckFailed(f"its own signature does not verify: {error}") from None
        try:
            key.public.verify(signature, message[:-1] + bytes([message[-1] ^ 1]))
        except BadSignature:
            pass
        else:
            raise CheckFailed("a signature of another message verifies")
        self._keys.append(key)
        self._signed.append(Signed(public=key.public, signature=signature, message=message))
        return Estimates(keygen_ns=keygen_ns, sign_ns=sign_ns, verify_ns=verify_ns)

    def affordable_keys(self) -> int:
        """How many keys a part of the budget makes, as far as that many are of use; at least one."""
        return max(1, min(MOST_KEYS, int(self.bench.budget.milliseconds * 0.25e6 / self.estimates.keygen_ns)))

    def key_count(self) -> int:
        """How many keys to rotate: as many as are affordable, and stay warm; at least one."""
        size = self.scheme.public_key_bytes + (self.scheme.private_key_bytes or 0)
        return max(1, min(self.affordable_keys(), MOST_KEY_BYTES // size))

    def keys(self) -> list[PrivateKey]:
        """The keys to rotate."""
        while len(self._keys) < self.key_count():
            self._keys.append(self.backend.generate(self.scheme))
        return self._keys

    def signature_count(self) -> int:
        """How many signatures to rotate where they are verified: as many as a part of the budget makes."""
        return min(MOST_KEYS, self.bench.budget.rounds(self.estimates.sign_ns, share=0.5))

    def keep(self, signed: list[Signed]) -> None:
        """Take in signatures that were made elsewhere and have been verified."""
        self._signed.extend(signed[: MOST_KEYS - len(self._signed)])

    def signed(self) -> list[Signed]:
        """Signatures to rotate, each verified."""
        keys = self.keys()
        for i in range(len(self._signed), self.signature_count()):
            key, message = keys[i % len(keys)], self.bench.message()
            signed = Signed(public=key.public, signature=key.sign(message), message=message)
            signed.public.verify(signed.signature, message)
            self._signed.append(signed)
        return self._signed

    @property
    def reason_against(self) -> str:
        """Why no credential under this leaf can carry its keys; empty if one can."""
        return fit.reason_against(self.scheme, self.bench.leaf_key.scheme.signature_bytes)

    @cached_property
    def leaf(self) -> Leaf:
        """The leaf, read by a catalog in which this scheme has this backend only."""
        schemes = [self.scheme if scheme.name == self.scheme.name else scheme for scheme in self.bench.catalog.values()]
        return Leaf(Certificate.decode(self.bench.leaf_der, Catalog(schemes)), self.bench.leaf_key.sign)

    @cached_property
    def minter(self) -> Minter:
        """Under that leaf."""
        return Minter(self.leaf)

    def mint(self) -> tuple[DelegatedCredential, PrivateKey]:
        """A credential with a new key."""
        return self.minter.mint(self.scheme, valid_for=VALID_FOR, now=self.bench.now, backend=self.backend)

    def verify(self, dc: DelegatedCredential) -> None:
        """Verify one of its credentials."""
        verify(dc, self.leaf.certificate, now=self.bench.now)

    @cached_property
    def credentials(self) -> list[DelegatedCredential]:
        """Credentials to rotate, verified, each with another lifetime and as many keys as there are."""
        keys = self.keys()
        made = [
            self.minter.mint_for(
                keys[i % len(keys)].public, valid_for=VALID_FOR + timedelta(seconds=i), now=self.bench.now
            )
            for i in range(MOST_KEYS)
        ]
        for dc in made:
            self.verify(dc)
        return made


def _timed(operation: Callable[[], Any]) -> tuple[Any, float]:
    """The result of a call, and about how long it takes: the shortest of a few."""
    times: list[int] = []
    while not times or len(times) < next(tries for slow, tries in TRIES if min(times) >= slow):
        start = time.perf_counter_ns()
        result = operation()
        times.append(time.perf_counter_ns() - start)
    return result, min(times)
