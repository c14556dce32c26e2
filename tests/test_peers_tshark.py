"""tshark reads our handshakes: the fields of every credential in a capture, opened with the key log."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import subprocess

import pytest

from pqdc.credential.structures import Role
from pqdc.handshake import ClientAuth
from pqdc.handshake.codepoints import HandshakeType
from pqdc.handshake.transport.tcp import connect
from tests.test_handshake import CATALOG, World
from tests.test_transport import BOUNDS, echo, listening, relay

TSHARK, TEXT2PCAP = shutil.which("tshark"), shutil.which("text2pcap")
pytestmark = pytest.mark.skipif(
    not (TSHARK and TEXT2PCAP), reason="tshark and its text2pcap are not installed: apt-get install tshark"
)
SEGMENT = 1460
PORTS = {"client": 40_000, "server": 443}
FIELDS = [
    f"tls.handshake.{name}"
    for name in ("sig_hash_alg", "cred.valid_time", "cred.pubkey", "cred.signature", "client_cert_vrfy.sig")
]


@pytest.fixture(scope="module")
def world():
    return World()


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_capture(seen, folder):
    """A capture file of what a relay saw, behind TCP and IP headers that text2pcap makes; no root is needed."""
    packets = [
        f"{'I' if name == 'client' else 'O'}\n0000 {data[start : start + SEGMENT].hex(' ')}\n"
        for name, data in seen
        for start in range(0, len(data), SEGMENT)
    ]
    run(
        TEXT2PCAP,
        "-q",
        "-D",
        "-T",
        f"{PORTS['client']},{PORTS['server']}",
        "-",
        folder / "seen.pcapng",
        input="".join(packets),
    )
    return folder / "seen.pcapng"


def decode(capture, keylog, *, fields, only):
    """What each field says in the packets that the filter lets through: all its occurrences, as text."""
    arguments = [argument for field in fields for argument in ("-e", field)]
    command = (TSHARK, "-r", capture, "-o", f"tls.keylog_file:{keylog}", "-Y", only, "-T", "fields", *arguments)
    rows = [line.split("\t") for line in run(*command).splitlines()]
    return [[item for row in rows for item in row[column].split(",") if item] for column in range(len(fields))]


async def meet(client, server):
    """A handshake and a word over a relay; what it saw, and the client's connection."""
    async with listening(server, handler=echo) as there, relay(there.port) as (port, seen):
        async with await connect(client, "127.0.0.1", port, bounds=BOUNDS) as stream:
            await stream.write(b"hello")
            assert await stream.read() == b"hello"
        return seen, stream.connection


SCHEMES = ["P-256", "P-384", "Ed25519", "ML-DSA-44", "Falcon-512", "SPHINCS+-SHA2-128f-simple"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_tshark_reads_our_credentials(world, scheme, role, tmp_path):
    """Code points that it has never heard of among them: what it says is what we sent."""
    point = CATALOG[scheme].code_point
    secrets = []
    identity = world.mint(scheme, role=role)
    client = world.client(scheme, keylog=secrets.append)
    server = world.server(identity)
    if role is Role.CLIENT:
        client = dataclasses.replace(client, identities=(identity,))
        server = world.server(client_auth=ClientAuth.DELEGATED, dc_schemes=(point,), trust=world.trust)
    seen, connection = asyncio.run(meet(client, server))
    keylog = tmp_path / "keys"
    keylog.write_text("\n".join(secrets) + "\n")
    capture = as_capture(seen, tmp_path)

    # tshark 4.0 takes extension 34 of a CertificateRequest for a credential: the server's flight is asked without one.
    port = PORTS[role.name.lower()]
    only = f"tcp.srcport == {port} && tls.handshake.type in {{11, 15}}"
    algorithms, lifetime, key, signature, made = decode(capture, keylog, fields=FIELDS, only=only)
    dc = identity.dc
    messages = connection.received if role is Role.SERVER else connection.sent
    (verify,) = (message for message in messages if message[0] == HandshakeType.CERTIFICATE_VERIFY)
    assert [int(item, 16) for item in algorithms] == [point, dc.algorithm, point]
    assert [int(item) for item in lifetime] == [dc.cred.valid_time]
    assert [bytes.fromhex(item) for item in key + signature + made] == [dc.cred.spki, dc.signature, verify[8:]]
    if role is Role.SERVER:
        assert decode(capture, keylog, fields=["frame.number"], only="_ws.malformed") == [[]]
    (offered,) = decode(capture, keylog, fields=["tls.handshake.sig_hash_alg"], only="tls.handshake.type == 1")
    assert int(offered[-1], 16) == point  # extension 34 stands last
