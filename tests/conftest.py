"""What many tests share: a fixed time, a key pair for each scheme and backend, a CA, its leaves, odd certificates."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from pqdc.credential.authority import Authority, make_authority
from pqdc.credential.certificate import Certificate
from pqdc.credential.leaf import Leaf
from pqdc.credential.structures import Credential, DelegatedCredential, Role, signed_prefix
from pqdc.errors import BackendUnavailable
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog, load_catalog
from pqdc.scheme.facts import Scheme
from pqdc.scheme.keys import PrivateKey
from tests.bouncycastle import BouncyCastle
from tests.vectors.der import tlv as der

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CATALOG = load_catalog()  # one for all tests: keys are kept for a session, and a scheme is itself and no other
LEAF_SCHEMES = ("ECDSA-P256", "ECDSA-P384", "ECDSA-P521", "Ed25519", "RSA-2048")

# The same examples each time, everywhere; a failure is found again by running the test again, so nothing is stored.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), "pqdc-hypothesis")))
hypothesis.settings.register_profile("pqdc", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("pqdc")


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return CATALOG


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def liboqs_source() -> Path:
    """The source of liboqs that the crate brings, with other people's code and NIST's answers in it."""
    builder = Path(__file__).parents[1] / "native" / "build.py"
    asked = subprocess.run(
        [sys.executable, str(builder), "--print-source"], capture_output=True, text=True, check=False, timeout=300
    )
    folder = Path(asked.stdout.strip())
    if asked.returncode or not (folder / "src" / "sig").is_dir():
        pytest.skip(f"the source of liboqs is not here: {asked.stderr.strip()}")
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The project's reference material, which stands beside a developer's clone and is not part of it."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the reference material is not here: no folder ../shared beside the clone")
    return folder


@pytest.fixture(scope="session")
def liboqs():
    try:
        return backends.load_backend("liboqs")
    except BackendUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")


@pytest.fixture(scope="session")
def bouncycastle() -> Iterator[BouncyCastle]:
    other = BouncyCastle()
    yield other
    other.close()


class Keys:
    """One key pair for each scheme and backend, made when it is first asked for: some take a second."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], PrivateKey] = {}

    def __call__(self, scheme: Scheme, backend: str | None = None) -> PrivateKey:
        name = backend or backends.choose(scheme).name
        made = self._made.get((scheme.name, name))
        if made is None:
            made = self._make(scheme, name)
        elif made.scheme is not scheme:  # of another catalog: schemes are the same only within one
            made = backends.load_backend(name).private_key(scheme, made.secret())
        self._made[scheme.name, name] = made
        return made

    def _make(self, scheme: Scheme, name: str) -> PrivateKey:
        backend = backends.load_backend(name)
        if scheme.family == "RSA" and scheme.signature_bytes > 256:  # primes are dear: schemes of one size share them
            for key in self._made.values():
                if key.scheme.family == "RSA" and key.scheme.public_key_bytes == scheme.public_key_bytes:
                    return backend.private_key(scheme, key.secret())
        return backend.generate(scheme)


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys()


@pytest.fixture(scope="session")
def authority(catalog, keys, now) -> Authority:
    return make_authority(keys(catalog["ECDSA-P256"]), name="test CA", days=3650, now=now)


@pytest.fixture(scope="session")
def leaves(catalog, keys, authority, now) -> dict[str, Leaf]:
    """A leaf that may delegate for each of LEAF_SCHEMES, valid from an hour before `now` for 90 days."""
    made = {}
    for name in LEAF_SCHEMES:
        key = keys(catalog[name])
        certificate = authority.issue(key, hosts=["localhost"], days=90, now=now, catalog=catalog)
        made[name] = Leaf(certificate, key.sign, scheme=key.scheme)
    return made


@pytest.fixture(scope="session")
def leaf(leaves) -> Leaf:
    """The leaf that most people have: P-256."""
    return leaves["ECDSA-P256"]


# --- Certificates that no library writes: the chain is not checked by pqdc, so their signature is a dummy ------------


def oid(dotted: str) -> bytes:
    return asn1.encode_der(ObjectIdentifier(dotted))


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    return der(0x30, oid(dotted), der(0x01, b"\xff") if critical else b"", der(0x04, value))


def time(moment: datetime | bytes) -> bytes:
    """As RFC 5280 wants it: UTCTime for 1950 to 2049; bytes are taken as they are."""
    if isinstance(moment, bytes):
        return moment
    rest = f"{moment.month:02}{moment.day:02}{moment.hour:02}{moment.minute:02}{moment.second:02}Z"
    if 1950 <= moment.year < 2050:
        return der(0x17, f"{moment.year % 100:02}{rest}".encode())
    return der(0x18, f"{moment.year:04}{rest}".encode())


DELEGATION_USAGE = extension("1.3.6.1.4.1.44363.44", b"\x05\x00")
DIGITAL_SIGNATURE = extension("2.5.29.15", b"\x03\x02\x07\x80", critical=True)


def certificate_der(
    spki: bytes,
    *,
    not_before: datetime | bytes = NOW - timedelta(hours=1),
    not_after: datetime | bytes = NOW + timedelta(days=90),
    serial: bytes = b"\x01",
    version: bytes = b"\xa0\x03\x02\x01\x02",
    extensions: Iterable[bytes] = (DIGITAL_SIGNATURE, DELEGATION_USAGE),
    after_key: bytes = b"",
) -> bytes:
    """The DER of a certificate with any content; `version`, the times and `after_key` may be DER of any kind."""
    algorithm = der(0x30, oid("1.2.840.10045.4.3.2"))
    name = der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(0x0C, b"test"))))
    extensions = tuple(extensions)
    parts = (
        version,
        der(0x02, serial),
        algorithm,
        name,
        der(0x30, time(not_before), time(not_after)),
        name,
        spki,
        after_key,
        der(0xA3, der(0x30, *extensions)) if extensions else b"",
    )
    return der(0x30, der(0x30, *parts), algorithm, der(0x03, b"\0\x01\x02\x03"))


@pytest.fixture(scope="session")
def make_certificate(catalog, keys) -> Callable[..., Certificate]:
    """A leaf with the key of `scheme` (P-256 unless named), which `certificate_der` builds."""

    def make(scheme: str = "ECDSA-P256", **odd) -> Certificate:
        return Certificate.decode(certificate_der(keys(catalog[scheme]).public.spki, **odd), catalog)

    return make


# --- Credentials that no minter makes ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def forge(catalog, keys) -> Callable[..., DelegatedCredential]:
    """A credential signed by the key that the leaf is of, whatever it says; by default a day long and without fault."""

    def make(
        leaf: Certificate,
        *,
        lasts: timedelta | int = timedelta(days=1),
        scheme: str = "ECDSA-P256",
        code_point: int | None = None,
        spki: bytes | None = None,
        algorithm: int | None = None,
        role: Role = Role.SERVER,
        signed: Callable[[bytes, bytes, bytes], bytes] = lambda prefix, cred, algorithm: prefix + cred + algorithm,
    ) -> DelegatedCredential:
        expiry = lasts if isinstance(lasts, int) else int((NOW + lasts).timestamp()) - leaf.not_before
        key = keys(catalog[scheme])
        cred = Credential(
            valid_time=expiry,
            dc_cert_verify_algorithm=key.scheme.code_point if code_point is None else code_point,
            spki=key.public.spki if spki is None else spki,
        )
        own = leaf.schemes[0]
        algorithm = own.code_point if algorithm is None else algorithm
        covered = signed(signed_prefix(leaf.der, role), cred.encode(), algorithm.to_bytes(2, "big"))
        return DelegatedCredential(cred=cred, algorithm=algorithm, signature=keys(own).sign(covered))

    return make
