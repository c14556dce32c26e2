"""What is fuzzed: each target takes any bytes, and raises AssertionError, or another error, if a law is broken.

The laws: only the named errors; what decodes encodes to the same bytes; what is written is read back as it was. That it
takes no more than a moment and no more than some memory is for whoever runs it to watch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pqdc import pem
from pqdc.credential import formats
from pqdc.credential.certificate import Certificate
from pqdc.credential.refusals import RuleRefusal
from pqdc.credential.structures import Credential, DelegatedCredential, Role
from pqdc.credential.verify import judge, verify
from pqdc.errors import BackendUnavailable, DecodeError, FileError, KeyFormatError
from pqdc.scheme import pkcs8, spki
from tests.fuzz.fuzz_handshake import handshake_targets
from tests.fuzz.fuzz_library import library_targets
from tests.vectors import der, seeded

VECTORS = Path(__file__).parents[1] / "vectors"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_SEED = 6_000  # bytes; longer ones slow a fuzzer down and show nothing new


@dataclass(frozen=True, kw_only=True)
class Target:
    """Bytes in; nothing out, if all laws hold. `seeds` are small inputs to begin from."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


# ---- structures


def _delegated_credential(data: bytes) -> None:
    try:
        dc = DelegatedCredential.decode(data)
    except DecodeError:
        return
    assert dc.encode() == data
    assert dc.cred.spki
    assert dc.signature
    assert Credential.decode(dc.cred.encode()) == dc.cred


def _credential(data: bytes) -> None:
    try:
        credential = Credential.decode(data)
    except DecodeError:
        return
    assert credential.encode() == data


def _certificate(data: bytes) -> None:
    """Whatever can be read can be asked everything that `verify` and `inspect` ask."""
    try:
        leaf = Certificate.decode(data, seeded.catalog())
    except DecodeError:
        return
    assert leaf.der == data
    assert leaf.spki in data
    assert leaf.digital_signature in {True, False, None}
    for scheme in leaf.schemes:
        if scheme.code_point is not None:
            try:
                leaf.key_for(scheme.code_point)
            except BackendUnavailable:
                continue


def _verified(data: bytes) -> None:
    """A DC behind its length in three bytes, then a leaf: judged, with a verdict by name and the same from both."""
    size = int.from_bytes(data[:3], "big")
    try:
        dc = DelegatedCredential.decode(data[3 : 3 + size])
        leaf = Certificate.decode(data[3 + size :], seeded.catalog())
    except DecodeError:
        return
    now = EPOCH + timedelta(seconds=1_738_281_600)
    verdicts = judge(dc, leaf, now=now)
    refusals = [verdict.refusal for verdict in verdicts if verdict.refusal]
    try:
        verify(dc, leaf, now=now, role=Role.SERVER)
    except RuleRefusal as refusal:
        assert type(refusal) is type(refusals[0])  # noqa: PT017 - most inputs are refused, and that is well
    except BackendUnavailable:
        assert any(verdict.outcome == "not checked" for verdict in verdicts)
    else:
        assert not refusals


def _spki(data: bytes) -> None:
    """What a scheme takes for its key is, but for parameters that mean the same, what it would write."""
    try:
        found = spki.decode(data)
    except DecodeError:
        found = None
    schemes = spki.schemes_of(seeded.catalog(), data) if found else ()
    everything = tuple(seeded.catalog().values())
    near = seeded.catalog().with_key_oid(found.algorithm.oid) if found else ()
    for scheme in {*near, *everything[sum(data) % 16 :: 16]}:  # all of them would take most of the time
        try:
            raw = spki.raw_key(scheme, data)
        except (DecodeError, KeyFormatError):
            assert scheme not in schemes
            continue
        assert found
        assert raw == found.key
        assert (scheme in schemes) == bool(scheme.oid)  # what only serves as a part of others is not found by its key
        other = bytes.fromhex(scheme.key_parameters_too)
        assert data == spki.encode(scheme, raw) or (other and data == der.spki(scheme.spki_oid, raw, other))


def _pkcs8(data: bytes) -> None:
    """What can be read as a scheme's secret is written in a form that reads as the same."""
    try:
        key = pkcs8.decode(data)
    except DecodeError:
        return
    for scheme in seeded.catalog().with_key_oid(key.algorithm.oid):
        try:
            secret = pkcs8.secret_of(scheme, key)
            again = pkcs8.secret_of(scheme, pkcs8.decode(pkcs8.encode(scheme, secret)))
        except KeyFormatError:
            continue
        for form in ("own", "seed"):
            assert getattr(again, form) in {getattr(secret, form), b""}
        assert again.own == secret.own
        assert again.seed == secret.seed


def _pem(data: bytes) -> None:
    try:
        found = pem.blocks(data)
    except DecodeError:
        return
    for block in found:
        again = pem.blocks(pem.armour(block.label, block.data))
        assert [(item.label, item.data) for item in again] == [(block.label, block.data)]


def _format(name: str) -> Callable[[bytes], None]:
    reader = formats.load_format(name)

    def read(data: bytes) -> None:
        try:
            found = reader.read(data)
        except DecodeError:
            return
        for bundle in found:
            assert bundle.dc or bundle.private_key or bundle.certificates
            if bundle.dc:
                assert DelegatedCredential.decode(bundle.dc).encode() == bundle.dc
            if len(found) == 1:
                _written_again(reader, bundle)

    return read


def _written_again(reader: formats.Format, bundle: formats.Bundle) -> None:
    """What was read can be written, and what was written holds the same credential."""
    if not bundle.dc:
        return
    try:
        files = reader.write(bundle)
    except FileError:
        return  # the target cannot load such a key
    dcs = []
    for file in files:
        try:
            dcs += [item.dc for item in reader.read(file.data) if item.dc]
        except DecodeError:
            continue
    assert bundle.dc in dcs


# ---- seeds


def _vectors(wanted: str) -> Iterable[bytes]:
    """One DC or leaf for each flag and result: the corpus that the vectors already are."""
    seen = set()
    for path in sorted(VECTORS.glob("dc_*.json")):
        for group in json.loads(path.read_text(encoding="ascii")).get("testGroups", ()):
            for test in group["tests"]:
                kind = (path.name, *test["flags"], test["result"])
                data = bytes.fromhex(test["dc"] if wanted == "dc" else group["leaf"])
                if wanted == "both":
                    dc = bytes.fromhex(test["dc"])
                    data = len(dc).to_bytes(3, "big") + dc + bytes.fromhex(group["leaf"])
                if kind not in seen and len(data) < LONG_SEED:
                    seen.add(kind)
                    yield data


def _spkis() -> Iterable[bytes]:
    for dc in _vectors("dc"):
        try:
            yield DelegatedCredential.decode(dc).cred.spki
        except DecodeError:
            continue


def _private_keys() -> Iterable[bytes]:
    for name in ("ECDSA-P256", "Ed25519", "Ed448"):
        private = seeded.key(name, "dc").private
        yield private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for name, seed in (("ML-DSA-44", bytes(32)), ("ML-DSA-65", bytes(range(32)))):
        scheme = seeded.catalog()[name]
        yield pkcs8.encode(scheme, pkcs8.Secret(seed=seed))
        yield pkcs8.encode(scheme, pkcs8.Secret(expanded=bytes(scheme.private_key_bytes or 0)))
    scheme = seeded.catalog()["Falcon-512"]
    expanded, public = bytes(scheme.private_key_bytes or 0), bytes(scheme.public_key_bytes)
    yield pkcs8.encode(scheme, pkcs8.Secret(expanded=expanded, public=public))


def _bundle() -> formats.Bundle:
    """A valid credential with its own key and leaf: ECDSA P-256, which every target loads."""
    group = json.loads((VECTORS / "dc_valid.json").read_text(encoding="ascii"))["testGroups"][0]
    dc, leaf = bytes.fromhex(group["tests"][0]["dc"]), bytes.fromhex(group["leaf"])
    return formats.Bundle(dc=dc, private_key=next(iter(_private_keys())), certificates=(leaf,), role=Role.SERVER)


def _texts() -> Iterable[bytes]:
    """PEM as it is found."""
    dc = _bundle().dc
    block = pem.armour("DELEGATED CREDENTIAL", dc)
    yield block
    yield b"\xef\xbb\xbf" + block.replace(b"\n", b"\r\n")
    yield b"text before\n" + block + b"and between\n" + block + b"and after"
    yield pem.armour("CERTIFICATE", dc, line=0)
    yield block.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1)
    yield block[:-10]
    yield b"-----BEGIN A-----\n-----END B-----\n"
    yield b"-----BEGIN A-----\n" * 50
    yield b"-----BEGIN A-----\n" + b"-a" * 200


def _files(name: str) -> Callable[[], Iterable[bytes]]:
    def seeds() -> Iterable[bytes]:
        bundle = _bundle()
        for role in (Role.SERVER, Role.CLIENT, None):
            try:
                files = formats.load_format(name).write(
                    formats.Bundle(
                        dc=bundle.dc, private_key=bundle.private_key, certificates=bundle.certificates, role=role
                    )
                )
            except FileError:
                continue
            yield from (file.data for file in files if file.data)
        yield from _texts()
        yield bundle.dc.hex().encode()

    return seeds


def targets() -> dict[str, Target]:
    """By name; the formats are those that are installed."""
    found = {
        "dc": Target(run=_delegated_credential, seeds=lambda: _vectors("dc")),
        "credential": Target(run=_credential, seeds=lambda: [dc[:100] for dc in _vectors("dc")]),
        "certificate": Target(run=_certificate, seeds=lambda: _vectors("leaf")),
        "verify": Target(run=_verified, seeds=lambda: _vectors("both")),
        "spki": Target(run=_spki, seeds=_spkis),
        "pkcs8": Target(run=_pkcs8, seeds=_private_keys),
        "pem": Target(run=_pem, seeds=_texts),
    }
    for name in formats.format_names():
        found[f"format-{name}"] = Target(run=_format(name), seeds=_files(name))
    others = handshake_targets() | library_targets()
    return found | {name: Target(run=run, seeds=seeds) for name, (run, seeds) in others.items()}
