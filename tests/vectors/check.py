"""Judges the vectors a second time: `python -m tests.vectors.check [FOLDER]`. Nothing of pqdc's code is used.

The structures are unpacked with `struct`, certificates read and signatures verified by `cryptography`; what a key of a
scheme looks like comes from the facts in algorithms.toml. Prints each vector on which it does not agree.
"""

from __future__ import annotations

import json
import struct
import sys
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import ObjectIdentifier

FOLDER = Path(__file__).parent
CATALOG = FOLDER.parents[1] / "algorithms.toml"
DELEGATION_USAGE = ObjectIdentifier("1.3.6.1.4.1.44363.44")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEK = 7 * 24 * 60 * 60
FORBIDDEN = {0x0201, 0x0203, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806}
RSA_ENCRYPTION, RSASSA_PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"


class Refused(Exception):
    """The rule that is broken, by its name."""


def verify(leaf: bytes, dc: bytes, now: int, role: str) -> str:
    """The rule that a credential breaks; empty if it is valid."""
    try:
        valid_time, dcva, key, algorithm, signature, signed = unpack(dc)
        if len(dc) > 2**16 - 1 - 4:
            return "M4"
        certificate = read_leaf(leaf)
        check_times(certificate, valid_time, now)
        if dcva in FORBIDDEN:
            return "M3"
        check_key(dcva, key)
        context = {"server": b"TLS, server delegated credentials", "client": b"TLS, client delegated credentials"}[role]
        check_signature(certificate, algorithm, signature, b" " * 64 + context + b"\0" + leaf + signed)
    except Refused as rule:
        return str(rule)
    return ""


def unpack(dc: bytes) -> tuple[int, int, bytes, int, bytes, bytes]:
    try:
        valid_time, dcva, high, low = struct.unpack_from(">IHBH", dc)
        end = 9 + (high << 16 | low)
        algorithm, size = struct.unpack_from(">HH", dc, end)
    except struct.error:
        raise Refused("V7") from None
    key, signature = dc[9:end], dc[end + 4 :]
    if not key or not size or len(signature) != size:
        raise Refused("V7")
    return valid_time, dcva, key, algorithm, signature, dc[: end + 2]


def read_leaf(leaf: bytes) -> x509.Certificate:
    """Rules V0, V4 and M7."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a serial number that is none
            certificate = x509.load_der_x509_certificate(leaf)
            extensions = certificate.extensions
            start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            odd = certificate.version is not x509.Version.v3 or certificate.serial_number <= 0
    except (ValueError, Warning, x509.DuplicateExtension, x509.InvalidVersion):
        raise Refused(_why_unreadable(leaf)) from None
    for moment in (start, end):
        if f"{moment:%Y%m%d%H%M%SZ}".encode() in leaf and 1950 <= moment.year < 2050:
            odd = True  # GeneralizedTime where UTCTime is wanted
    if odd:
        raise Refused("V0")
    try:
        delegation: Any = extensions.get_extension_for_oid(DELEGATION_USAGE)
    except x509.ExtensionNotFound:
        raise Refused("V4") from None
    if delegation.critical or delegation.value.value != b"\x05\x00":
        raise Refused("M7")
    try:
        if not extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            raise Refused("V4")
    except x509.ExtensionNotFound:
        raise Refused("V4") from None
    return certificate


def _why_unreadable(leaf: bytes) -> str:
    """The library raises on a KeyUsage that it cannot read; with another OID in its place it reads the leaf."""
    changed = leaf.replace(b"\x06\x03\x55\x1d\x0f", b"\x06\x03\x55\x1d\x7f")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            readable = len(x509.load_der_x509_certificate(changed).extensions) > 0
    except (ValueError, Warning, x509.DuplicateExtension, x509.InvalidVersion):
        return "V0"
    return "V4" if readable and leaf.count(b"\x06\x03\x55\x1d\x0f") == 1 else "V0"


def check_times(certificate: x509.Certificate, valid_time: int, now: int) -> None:
    """Rules V0, V1, V2 and M2."""
    start = int((certificate.not_valid_before_utc - EPOCH).total_seconds())
    end = int((certificate.not_valid_after_utc - EPOCH).total_seconds())
    expiry = start + valid_time
    for rule, broken in (
        ("V0", not start <= now <= end),
        ("V1", now > expiry),
        ("V2", expiry > now + WEEK),
        ("M2", expiry > end),
    ):
        if broken:
            raise Refused(rule)


# ---- the credential's key


@lru_cache(maxsize=1)
def facts() -> Mapping[int, list[Mapping[str, Any]]]:
    """The schemes of algorithms.toml by code point."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for scheme in tomllib.loads(CATALOG.read_text(encoding="utf-8"))["scheme"].values():
        if "code_point" in scheme and "oid" in scheme:
            found.setdefault(scheme["code_point"], []).append(scheme)
    return found


def check_key(dcva: int, spki: bytes) -> None:
    """Rules V6, and M3 as far as the key says it."""
    try:
        oid, parameters, key = read_spki(spki)
    except ValueError:
        raise Refused("V6") from None
    if oid == encode_oid(RSA_ENCRYPTION):
        raise Refused("M3")
    if not any(_is_of(scheme, oid, parameters, key) for scheme in facts().get(dcva, ())):
        raise Refused("V6")


def _is_of(scheme: Mapping[str, Any], oid: bytes, parameters: bytes, key: bytes) -> bool:
    if oid != encode_oid(scheme.get("key_oid", scheme["oid"])) or len(key) != scheme["public_key_bytes"]:
        return False
    own = encode_oid(scheme["key_parameters"]) if "key_parameters" in scheme else b""
    if parameters not in {own, bytes.fromhex(scheme.get("key_parameters_too", "")) or own}:
        return False
    if scheme["family"] == "ECDSA":
        curve = {65: ec.SECP256R1(), 97: ec.SECP384R1(), 133: ec.SECP521R1()}[len(key)]
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(curve, key)
        except ValueError:
            return False
        return key[0] == 4
    return _is_rsa(key) if oid == encode_oid(RSASSA_PSS) else True


def _is_rsa(key: bytes) -> bool:
    try:
        loaded = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(loaded, rsa.RSAPublicKey) and loaded.public_bytes(Encoding.DER, PublicFormat.PKCS1) == key


def read_spki(data: bytes) -> tuple[bytes, bytes, bytes]:
    """The OID and the parameters, each as a whole TLV, and the key."""
    (whole, body), rest = read_tlv(data)
    if whole[0] != 0x30 or rest:
        raise ValueError
    (algorithm, inside), bits = read_tlv(body)
    (bit_string, key), rest = read_tlv(bits)
    if algorithm[0] != 0x30 or bit_string[0] != 3 or rest or not key or key[0] != 0:
        raise ValueError
    (oid, _), parameters = read_tlv(inside)
    if parameters and read_tlv(parameters)[1]:
        raise ValueError
    return oid, parameters, key[1:]


def read_tlv(data: bytes) -> tuple[tuple[bytes, bytes], bytes]:
    """The first element, whole and its content, and what follows it. Lengths are DER's."""
    if len(data) < 2 or data[1] == 0x80:
        raise ValueError
    start, size = 2, data[1]
    if size > 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
        if size < 0x80 or data[2] == 0:
            raise ValueError
    if len(data) < start + size:
        raise ValueError
    return (data[: start + size], data[start : start + size]), data[start + size :]


def encode_oid(dotted: str) -> bytes:
    first, second, *arcs = map(int, dotted.split("."))
    body = b""
    for arc in (first * 40 + second, *arcs):
        septets = [arc >> shift & 0x7F for shift in range(7 * ((max(arc.bit_length(), 1) - 1) // 7), -1, -7)]
        body += bytes([0x80 | septet for septet in septets[:-1]] + septets[-1:])
    return b"\x06" + bytes([len(body)]) + body


# ---- the leaf's signature

CURVES = {
    0x0403: ("secp256r1", hashes.SHA256()),
    0x0503: ("secp384r1", hashes.SHA384()),
    0x0603: ("secp521r1", hashes.SHA512()),
}
PSS = {
    0x0804: (RSA_ENCRYPTION, hashes.SHA256()),
    0x0805: (RSA_ENCRYPTION, hashes.SHA384()),
    0x0806: (RSA_ENCRYPTION, hashes.SHA512()),
    0x0809: (RSASSA_PSS, hashes.SHA256()),
    0x080A: (RSASSA_PSS, hashes.SHA384()),
    0x080B: (RSASSA_PSS, hashes.SHA512()),
}
OTHERS = {
    0x0807: ed25519.Ed25519PublicKey,
    0x0808: ed448.Ed448PublicKey,
    0x0904: mldsa.MLDSA44PublicKey,
    0x0905: mldsa.MLDSA65PublicKey,
    0x0906: mldsa.MLDSA87PublicKey,
}


def check_signature(certificate: x509.Certificate, algorithm: int, signature: bytes, message: bytes) -> None:
    """Rules M6 and V5."""
    try:
        key: Any = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("M6") from None
    oid = certificate.public_key_algorithm_oid.dotted_string
    arguments: tuple[Any, ...]
    if algorithm in CURVES and isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == CURVES[algorithm][0]:
        arguments = (ec.ECDSA(CURVES[algorithm][1]),)
    elif algorithm in PSS and isinstance(key, rsa.RSAPublicKey) and oid == PSS[algorithm][0]:
        digest = PSS[algorithm][1]
        arguments = (padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size), digest)
    elif algorithm in OTHERS and isinstance(key, OTHERS[algorithm]):
        arguments = ()
    else:
        raise Refused("M6")
    try:
        key.verify(signature, message, *arguments)
    except InvalidSignature:
        raise Refused("V5") from None


def disagreements(folder: Path = FOLDER) -> Iterator[str]:
    """One line for each vector that this verifier judges otherwise."""
    for path in sorted(folder.glob("dc_*.json")):
        document = json.loads(path.read_text(encoding="ascii"))
        for group in document.get("testGroups", ()):
            for test in group["tests"]:
                got = verify(bytes.fromhex(group["leaf"]), bytes.fromhex(test["dc"]), test["now"], test["role"])
                wanted = test.get("rule", "")
                if got != wanted:
                    yield f"{path.name} {test['tcId']} {test['comment']}: {test['result']} {wanted}, got {got}"


def main() -> int:
    found = list(disagreements(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"{len(found)} disagreements\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
