"""Files that a server ought not to take: what BoringSSL says of them, and what pqdc says of the same.

BoringSSL looks at what it needs, and leaves the rest to its clients: what it serves all the same, ours must refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pqdc import pem
from pqdc.credential.certificate import Certificate
from pqdc.credential.formats import read_credential
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.credential.verify import verify
from pqdc.errors import PqdcError
from pqdc.files import OutputFile, write_files
from pqdc.handshake import Client, Trust
from pqdc.handshake.loading import load_identities
from pqdc.peers import Peer, RefusedFiles, ServerFiles
from pqdc.peers.forging import Leaf, Stage
from pqdc.peers.meeting import ask_peer

__all__ = ["CASES", "SERVER", "Case", "collect"]

SERVER = "boringssl"  # the peer whose errors are known
SERVED = "served"
_ALERT = "SSLV3_ALERT_ILLEGAL_PARAMETER"  # our client's, as BoringSSL calls it


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a server is given: DER, the credential as bytes."""

    dc: bytes
    key: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Files, and what is said of them.

    Attributes:
        given: what is wrong with them, for people.
        make: the files.
        server: BoringSSL's error when it is configured with them; `SERVED` if it takes them.
        handshake: its error when our client has come; empty if that was content, or did not get so far.
        ours: the class of pqdc's error when it verifies and loads the same files, and of our client's where the server
            shows them; empty if nothing is wrong.
    """

    given: str
    make: Callable[[Stage], Files]
    server: str
    handshake: str = ""
    ours: str = ""


def _files(
    stage: Stage,
    dc: DelegatedCredential,
    *,
    key: str = "ECDSA-P256",
    leaf: Leaf | None = None,
    name: str = "dc",
    spoil: Callable[[bytes], bytes] = lambda encoded: encoded,
) -> Files:
    """The credential with the key of that scheme and name, which is its own unless told."""
    private = stage.key(key, name)
    return Files(dc=spoil(dc.encode()), key=private.pkcs8(), leaf=(leaf or stage.leaf).certificate.der)


def _spoilt(spoil: Callable[[bytes], bytes]) -> Callable[[Stage], Files]:
    return lambda stage: _files(stage, stage.forge(), spoil=spoil)


def _under_plain_leaf(stage: Stage) -> Files:
    leaf = stage.leaf_with(delegation=None, name="may not delegate")
    return _files(stage, stage.forge(leaf), leaf=leaf)


def _with_point(point: int) -> Callable[[Stage], Files]:
    """A P-256 key, and another dc_cert_verify_algorithm, signed as it stands."""

    def make(stage: Stage) -> Files:
        spki = stage.key("ECDSA-P256", "dc").public.spki
        scheme = stage.catalog.with_code_point(point)[0].name
        return _files(stage, stage.forge(scheme=scheme, spki=spki))

    return make


_RSAE, _ED25519 = 0x0804, 0x0807

CASES: tuple[Case, ...] = (
    Case(given="nothing wrong", make=lambda stage: _files(stage, stage.forge()), server=SERVED),
    Case(
        given="another key of the same type",
        make=lambda stage: _files(stage, stage.forge(), name="another"),
        server="KEY_VALUES_MISMATCH",
        ours="KeyFormatError",
    ),
    Case(
        given="a key of another type",
        make=lambda stage: _files(stage, stage.forge(), key="Ed25519"),
        server="KEY_TYPE_MISMATCH",
        ours="KeyFormatError",
    ),
    Case(given="the last byte missing", make=_spoilt(lambda dc: dc[:-1]), server="DECODE_ERROR", ours="FileError"),
    Case(given="a byte too many", make=_spoilt(lambda dc: dc + b"\0"), server="DECODE_ERROR", ours="FileError"),
    Case(
        given="an empty signature",
        make=lambda stage: _files(stage, stage.forge(spoil=lambda _: b"")),
        server="DECODE_ERROR",
        ours="FileError",
    ),
    Case(
        given="rsa_pss_rsae_sha256 as its algorithm",
        make=_with_point(_RSAE),
        server="INVALID_SIGNATURE_ALGORITHM",
        ours="AlgorithmForbidden",
    ),
    Case(
        given="an RSASSA-PSS key",
        make=lambda stage: _files(stage, stage.forge(scheme="RSA-PSS-2048"), key="RSA-PSS-2048"),
        server="UNSUPPORTED_ALGORITHM",
    ),
    Case(
        given="an algorithm that is not the key's",
        make=_with_point(_ED25519),
        server=SERVED,
        handshake="NO_COMMON_SIGNATURE_ALGORITHMS",
        ours="KeyMismatch",
    ),
    Case(
        given="a signature with a bit changed",
        make=lambda stage: _files(stage, stage.forge(spoil=lambda made: made[:-1] + bytes([made[-1] ^ 1]))),
        server=SERVED,
        handshake=_ALERT,
        ours="SignatureInvalid",
    ),
    Case(
        given="an end that is past",
        make=lambda stage: _files(stage, stage.forge(lasts=-60)),
        server=SERVED,
        handshake=_ALERT,
        ours="Expired",
    ),
    Case(
        given="a leaf without DelegationUsage",
        make=_under_plain_leaf,
        server=SERVED,
        handshake=_ALERT,
        ours="DelegationUsageMissing",
    ),
)


def collect(server: Peer, stage: Stage) -> list[dict[str, Any]]:
    """Configure the server with the files of each case; what it said, what our client said, and what pqdc says.

    Raises:
        PeerUnavailable: it does not run.
    """
    return [_ask(case, server, stage) for case in CASES]


def _ask(case: Case, server: Peer, stage: Stage) -> dict[str, Any]:
    files = case.make(stage)
    with TemporaryDirectory(prefix="pqdc-configuration-") as temporary:
        folder = Path(temporary)
        written = [
            OutputFile(name="dc.bin", data=files.dc),
            OutputFile(name="dc.key.der", data=files.key, secret=True),
            OutputFile(name="leaf.pem", data=pem.armour("CERTIFICATE", files.leaf)),
        ]
        write_files(folder, written)
        told, handshake, client = _serve(server, folder, stage)
        ours = _judge(folder, files, stage)
    said = {"server": told, "handshake": handshake, "client": client, "ours": ours}
    refused = case.ours if case.handshake == _ALERT else ""
    wanted = {"server": case.server, "handshake": case.handshake, "client": refused, "ours": case.ours}
    return {"given": case.given, **said, "explained": said == wanted}


def _serve(server: Peer, folder: Path, stage: Stage) -> tuple[str, str, str]:
    """What the server says of the files, what it says of our client, and what that says of it."""
    try:
        with server.serve(ServerFiles(leaf=folder / "leaf.pem", credential=folder)) as serving:
            met = ask_peer(_client(stage), serving)
    except RefusedFiles as error:
        return str(error), "", ""
    reason = getattr(met.failure, "reason", None)
    return SERVED, met.peer.error, type(reason).__name__ if reason else ""


def _client(stage: Stage) -> Client:
    return Client(
        catalog=stage.catalog,
        clock=lambda: stage.now,
        trust=Trust([stage.authority.der]),
        server_name="localhost",
        dc_schemes=(stage.catalog["ECDSA-P256"].code_point or 0, _ED25519),
    )


def _judge(folder: Path, files: Files, stage: Stage) -> str:
    """The class of our own error, whether it comes of verifying or of loading; empty if there is none."""
    dc, key = folder / "dc.bin", folder / "dc.key.der"
    try:
        leaf = Certificate.decode(files.leaf, stage.catalog)
        verify(read_credential(dc, Role.SERVER), leaf, now=stage.now)
        load_identities(folder / "leaf.pem", None, [(dc, key)], role=Role.SERVER, catalog=stage.catalog, fallback=False)
    except PqdcError as error:
        return type(error).__name__
    return ""
