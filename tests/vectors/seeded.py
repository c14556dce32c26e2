"""Keys and signatures that come out the same every time: private keys are drawn from SHAKE256, signatures are
deterministic (RFC 6979 for ECDSA, a salt from SHAKE256 for RSASSA-PSS, a SHAKE256 stream behind liboqs's generator).

For tests and vectors only: everybody knows these keys.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pqdc.scheme import spki
from pqdc.scheme.backends import available, load_backend
from pqdc.scheme.catalog import Catalog, load_catalog
from pqdc.scheme.facts import Scheme
from tests.vectors import der

RSA_ENCRYPTION, RSASSA_PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"


def drawn(label: str, size: int) -> bytes:
    """`size` bytes that depend on the label alone."""
    return hashlib.shake_256(b"pqdc test vectors, version 1|" + label.encode()).digest(size)


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    return load_catalog()


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key pair: `sign` gives the same signature each time it is asked for the same message."""

    scheme: Scheme
    raw: bytes
    spki: bytes
    sign: Callable[[bytes], bytes]
    private: object  # of `cryptography`, or a `PrivateKey` of the backend liboqs

    @property
    def code_point(self) -> int:
        assert self.scheme.code_point is not None
        return self.scheme.code_point


def takes(scheme: Scheme) -> bool:
    """Whether keys can be drawn: none of two parts, and no large RSA, which takes seconds and shows nothing new."""
    name = scheme.backends.get("openssl", "")
    return "liboqs" in available(scheme) or name in CURVES or name.startswith(("ed", "rsa-2048-"))


@lru_cache(maxsize=256)
def key(scheme_name: str, label: str = "") -> Key:
    """The key pair of that scheme and label."""
    scheme = catalog()[scheme_name]
    seed = f"{scheme.name}|{label}"
    backend_name = scheme.backends.get("liboqs") or scheme.backends["openssl"]
    if "liboqs" in scheme.backends:
        return _liboqs(scheme, seed)
    if backend_name.startswith("ecdsa"):
        return _ecdsa(scheme, seed)
    if backend_name.startswith("rsa"):
        return _rsa(scheme, seed)
    return _eddsa(scheme, seed)


CURVES = {
    "ecdsa-p256": (ec.SECP256R1(), hashes.SHA256()),
    "ecdsa-p256-sha384": (ec.SECP256R1(), hashes.SHA384()),
    "ecdsa-p384": (ec.SECP384R1(), hashes.SHA384()),
    "ecdsa-p521": (ec.SECP521R1(), hashes.SHA512()),
    "ecdsa-brainpoolp256r1": (ec.BrainpoolP256R1(), hashes.SHA256()),
    "ecdsa-brainpoolp384r1": (ec.BrainpoolP384R1(), hashes.SHA384()),
    "ecdsa-brainpoolp512r1": (ec.BrainpoolP512R1(), hashes.SHA512()),
}


def _ecdsa(scheme: Scheme, seed: str) -> Key:
    curve, digest = CURVES[scheme.backends["openssl"]]
    private = ec.derive_private_key(int.from_bytes(drawn(seed, 80), "big") % (curve.group_order - 1) + 1, curve)
    raw = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    algorithm = ec.ECDSA(digest, deterministic_signing=True)
    return Key(
        scheme=scheme,
        raw=raw,
        spki=spki.encode(scheme, raw),
        sign=lambda message: private.sign(message, algorithm),
        private=private,
    )


def _eddsa(scheme: Scheme, seed: str) -> Key:
    kind, size = {"ed25519": (ed25519.Ed25519PrivateKey, 32), "ed448": (ed448.Ed448PrivateKey, 57)}[
        scheme.backends["openssl"]
    ]
    private = kind.from_private_bytes(drawn(seed, size))
    raw = private.public_key().public_bytes_raw()
    return Key(scheme=scheme, raw=raw, spki=spki.encode(scheme, raw), sign=private.sign, private=private)


def _rsa(scheme: Scheme, seed: str) -> Key:
    _, bits, digest = scheme.backends["openssl"].split("-")
    private = rsa_key(int(bits), f"RSA-{bits}|{seed.partition('|')[2]}")
    raw = private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return Key(
        scheme=scheme,
        raw=raw,
        spki=spki.encode(scheme, raw),
        sign=lambda message: pss(private, message, digest, salt=drawn(f"{seed}|salt", hashlib.new(digest).digest_size)),
        private=private,
    )


@lru_cache(maxsize=16)
def rsa_key(bits: int, seed: str) -> rsa.RSAPrivateKey:
    e = 65537
    p = _prime(bits // 2, f"{seed}|p")
    q = _prime(bits // 2, f"{seed}|q")
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=max(p, q),
        q=min(p, q),
        d=d,
        dmp1=d % (max(p, q) - 1),
        dmq1=d % (min(p, q) - 1),
        iqmp=pow(min(p, q), -1, max(p, q)),
        public_numbers=rsa.RSAPublicNumbers(e, p * q),
    )
    return numbers.private_key()


SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def _prime(bits: int, seed: str) -> int:
    start = int.from_bytes(drawn(seed, bits // 8), "big") | 3 << bits - 2 | 1
    for candidate in count(start, 2):
        if all(candidate % small for small in SMALL_PRIMES) and candidate % 65537 != 1 and _probably_prime(candidate):
            return candidate
    raise AssertionError


def _probably_prime(number: int) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in SMALL_PRIMES[:24]:
        power = pow(base, odd, number)
        if power in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def pss(private: rsa.RSAPrivateKey, message: bytes, digest: str, *, salt: bytes, mgf: str = "") -> bytes:
    """EMSA-PSS (RFC 8017 section 9.1.1) with a salt that is given, which no library offers, and the RSA operation."""
    numbers = private.private_numbers()
    modulus = numbers.public_numbers.n
    size, mask_bits = (modulus.bit_length() + 7) // 8, 8 * ((modulus.bit_length() + 7) // 8) - modulus.bit_length() + 1
    hashed = hashlib.new(digest, b"\0" * 8 + hashlib.new(digest, message).digest() + salt).digest()
    block = b"\0" * (size - len(salt) - len(hashed) - 2) + b"\1" + salt
    masked = bytes(a ^ b for a, b in zip(block, _mgf1(hashed, len(block), mgf or digest), strict=True))
    encoded = bytes([masked[0] & 0xFF >> mask_bits]) + masked[1:] + hashed + b"\xbc"
    return pow(int.from_bytes(encoded, "big"), numbers.d, modulus).to_bytes(size, "big")


def _mgf1(seed: bytes, size: int, digest: str) -> bytes:
    out = b""
    while len(out) < size:
        out += hashlib.new(digest, seed + (len(out) // hashlib.new(digest).digest_size).to_bytes(4, "big")).digest()
    return out[:size]


def _liboqs(scheme: Scheme, seed: str) -> Key:
    backend = load_backend("liboqs")
    if scheme.private_key == "seed":
        private = backend.generate(scheme, seed=drawn(seed, 32))
    else:
        with liboqs_draws(seed):
            private = backend.generate(scheme)

    def sign(message: bytes) -> bytes:
        with liboqs_draws(f"{seed}|{hashlib.sha256(message).hexdigest()}"):
            return private.sign(message)

    raw = private.public.raw
    encoded = spki.encode(scheme, raw) if scheme.spki_oid else b""
    return Key(scheme=scheme, raw=raw, spki=encoded, sign=sign, private=private)


@contextmanager
def liboqs_draws(label: str) -> Iterator[None]:
    """Let liboqs draw from SHAKE256 of the label. One generator a process: for single-threaded scripts."""
    native = load_backend("liboqs")._oqs.native()
    numbers = count()

    def draw(buffer: int, size: int) -> None:
        ctypes.memmove(buffer, drawn(f"{label}|draw {next(numbers)}", size), size)

    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)(draw)
    native.OQS_randombytes_custom_algorithm(callback)
    try:
        yield
    finally:
        native.OQS_randombytes_switch_algorithm(b"system")


def pss_spki(raw: bytes, digest_oid: str | None = None, salt: int = 32) -> bytes:
    """An id-RSASSA-PSS SPKI, without parameters or with those of a hash."""
    parameters = b""
    if digest_oid:
        hashed = der.sequence(der.oid(digest_oid), der.NULL)
        parameters = der.sequence(
            der.tlv(0xA0, hashed),
            der.tlv(0xA1, der.sequence(der.oid("1.2.840.113549.1.1.8"), hashed)),
            der.tlv(0xA2, der.integer(salt)),
        )
    return der.spki(RSASSA_PSS, raw, parameters)
