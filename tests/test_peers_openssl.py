"""OpenSSL's `s_server` and `s_client` against our endpoints over TCP, without the credentials that it lacks."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
from datetime import UTC, datetime

import pytest

from pqdc import pem
from pqdc.handshake import Client, ClientAuth, Group, HandshakeFailure, Server
from pqdc.handshake.transport.tcp import Bounds, TcpServer, connect
from tests.test_handshake import CATALOG, World

OPENSSL = shutil.which("openssl")


def openssl_version():
    if OPENSSL is None:
        return ()
    text = subprocess.run([OPENSSL, "version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"OpenSSL (\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


pytestmark = pytest.mark.skipif(openssl_version() < (1, 1), reason="no openssl of 1.1 or newer on the path")
BOUNDS = Bounds(handshake=10, idle=10)
SCHEMES = [
    "P-256",
    "P-384",
    "Ed25519",
    "RSA-2048",
    pytest.param(
        "ML-DSA-44",
        marks=pytest.mark.skipif(openssl_version() < (3, 5), reason="openssl has ML-DSA certificates from 3.5 on"),
    ),
]


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module", params=SCHEMES)
def files(request, tmp_path_factory):
    """A world of today, on disk."""
    world = World(request.param, request.param, now=now())
    folder = tmp_path_factory.mktemp("openssl")
    for name, label, data in (
        ("ca.pem", "CERTIFICATE", world.authority.der),
        ("leaf.pem", "CERTIFICATE", world.leaf.der),
        ("leaf.key", "PRIVATE KEY", world.leaf_key.pkcs8()),
    ):
        (folder / name).write_bytes(pem.armour(label, data))
    return world, folder


@pytest.fixture
def s_server(files):
    """Starts `openssl s_server` with further arguments; gives its port."""
    started = []

    def start(*arguments):
        _, folder = files
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_3", "-www", "-cert", folder / "leaf.pem"]
        process = subprocess.Popen(
            [*command, "-key", folder / "leaf.key", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        for line in process.stdout:
            if b"ACCEPT" in line:
                return port
        raise AssertionError("s_server did not start")

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def client_of(world, **options):
    return Client(catalog=CATALOG, clock=now, trust=world.trust, server_name="localhost", **options)


async def get(client, port):
    async with await connect(client, "127.0.0.1", port, bounds=BOUNDS) as stream:
        await stream.write(b"GET / HTTP/1.0\r\n\r\n")
        page = b""
        while b"</pre>" not in page.lower() and (more := await stream.read()):
            page += more
        return stream.connection.session, page


@pytest.mark.parametrize("group", [Group.X25519, Group.SECP256R1])
def test_our_client_and_s_server(files, s_server, group):
    world, _ = files
    session, page = asyncio.run(get(client_of(world, groups=(group,), dc_schemes=(0x0904,)), s_server()))
    assert b"TLSv1.3" in page
    assert session.peer.dc is None
    assert session.peer.chain == (world.leaf.der,)
    retried, _ = asyncio.run(get(client_of(world, groups=(group,), key_shares=()), s_server()))
    assert retried.retried


def test_our_client_shows_its_certificate(files, s_server):
    world, folder = files
    port = s_server("-Verify", "1", "-verify_return_error", "-CAfile", folder / "ca.pem")
    session, page = asyncio.run(get(client_of(world, identities=(world.plain,)), port))
    assert session.own is not None
    assert b"TLSv1.3" in page
    with pytest.raises(HandshakeFailure) as caught:
        asyncio.run(get(client_of(world), port))
    assert caught.value.alert == 116


async def meet_s_client(world, folder, *arguments, **options):
    """`s_client` asks our server; what both have said."""
    server = Server(catalog=CATALOG, clock=now, identities=(world.plain,), trust=world.trust, **options)
    sessions, failures = [], []

    async def serve(stream):
        sessions.append(stream.connection.session)
        request = await stream.read()
        await stream.write(b"you said " + request)

    tcp = TcpServer(lambda: server, serve, on_failure=failures.append, bounds=BOUNDS)
    port = await tcp.listen("127.0.0.1", 0)
    process = await asyncio.create_subprocess_exec(
        OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", folder / "ca.pem", "-verify_return_error",
        "-verify_hostname", "localhost", "-servername", "localhost", "-ign_eof", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(b"hello\n"), 20)
    await tcp.close()
    return sessions, failures, output


@pytest.mark.parametrize("arguments", [(), ("-groups", "P-256"), ("-groups", "P-384:X25519")])
@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_s_client_and_our_server(files, arguments, suite):
    world, folder = files
    sessions, failures, output = asyncio.run(meet_s_client(world, folder, "-ciphersuites", suite, *arguments))
    assert not failures, failures
    assert b"you said hello" in output
    assert b"Verify return code: 0 (ok)" in output
    assert sessions[0].server_name == "localhost"


def test_s_client_shows_its_certificate(files):
    world, folder = files
    arguments = ("-cert", folder / "leaf.pem", "-key", folder / "leaf.key")
    sessions, failures, _ = asyncio.run(meet_s_client(world, folder, *arguments, client_auth=ClientAuth.REQUIRED))
    assert not failures, failures
    assert sessions[0].peer.chain[0] == world.leaf.der
    _, failures, output = asyncio.run(meet_s_client(world, folder, client_auth=ClientAuth.REQUIRED))
    assert failures[0].alert == 116
    assert b"alert certificate required" in output.lower() or b"116" in output


def test_s_client_that_speaks_no_tls13(files):
    world, folder = files
    _, failures, output = asyncio.run(meet_s_client(world, folder, "-tls1_2"))
    assert failures[0].alert == 70
    assert b"protocol version" in output.lower()
