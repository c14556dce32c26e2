"""Endpoints over TCP: what a relay counts is what the ledger says; slow, silent and vanished peers hold nobody up."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import subprocess
import sys
import tracemalloc
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pqdc.credential.structures import Role
from pqdc.handshake import Alert, ClientAuth, ClientConnection, HandshakeFailure, ledger_of, shake_hands
from pqdc.handshake.transport import page
from pqdc.handshake.transport.http import LARGEST_REQUEST, Answer, respond
from pqdc.handshake.transport.tcp import Bounds, TcpServer, connect
from tests.test_handshake import CATALOG, NOW, World

PQDC = Path(sys.executable).with_name("pqdc")
BOUNDS = Bounds(handshake=10, idle=10)


@pytest.fixture(scope="module")
def world():
    return World()


class Listening:
    """A server on a port, with what it has seen."""

    def __init__(self, server, handler, bounds):
        self.failures, self.sessions, self.ledgers = [], [], []
        self._handler = handler
        self.tcp = TcpServer(lambda: server, self._serve, on_failure=self.failures.append, bounds=bounds)

    async def _serve(self, stream):
        self.sessions.append(stream.connection.session)
        self.ledgers.append(ledger_of(stream.connection))
        await self._handler(stream)


async def echo(stream):
    while data := await stream.read():
        await stream.write(data)


@asynccontextmanager
async def listening(server, *, handler=echo, bounds=BOUNDS):
    it = Listening(server, handler, bounds)
    it.port = await it.tcp.listen("127.0.0.1", 0)
    yield it
    await it.tcp.close()


@asynccontextmanager
async def relay(port):
    """Stands between client and server, and keeps what went through: who sent it, and the bytes, in order."""
    seen = []

    async def pump(name, reader, writer):
        while data := await reader.read(65536):
            seen.append((name, data))
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def accept(reader, writer):
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            pump("client", reader, onward_writer), pump("server", onward_reader, writer), return_exceptions=True
        )
        onward_writer.close()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], seen
    server.close()


CLOSE_NOTIFY = 5 + 2 + 1 + 16


@pytest.mark.parametrize("scheme", ["ML-DSA-44", "Falcon-512", "SPHINCS+-SHA2-128f-simple", "OV-Ip-pkc"])
def test_the_ledger_is_what_was_on_the_wire(world, scheme):
    point = CATALOG[scheme].code_point
    server = world.server(world.mint(scheme), client_auth=ClientAuth.DELEGATED, dc_schemes=(point,), trust=world.trust)
    client = world.client(scheme, identities=(world.mint(scheme, role=Role.CLIENT),))

    async def run():
        async with listening(server) as there, relay(there.port) as (port, seen):
            async with await connect(client, "127.0.0.1", port, bounds=BOUNDS) as stream:
                ledger = ledger_of(stream.connection)
                await stream.write(b"x")
                assert await stream.read() == b"x"
            for _ in range(100):
                if not there.tcp.active:
                    break
                await asyncio.sleep(0.02)
            return ledger, there.ledgers[0], seen

    ledger, theirs, seen = asyncio.run(run())
    assert ledger == theirs
    for name, direction in (("client", ledger.client), ("server", ledger.server)):
        carried = sum(len(data) for sender, data in seen if sender == name)
        assert carried == direction.wire_bytes + (5 + 1 + 1 + 16) + CLOSE_NOTIFY
    in_memory = shake_hands(client, server).ledger
    for name in ("client", "server"):
        got, wanted = getattr(ledger, name), getattr(in_memory, name)
        assert abs(got.wire_bytes - wanted.wire_bytes) <= 2 + CATALOG[scheme].signature_bytes // 8  # ECDSA, Falcon vary


def test_a_hundred_at_once(world):
    client = world.client("Ed25519")

    async def one(port):
        async with await connect(client, "127.0.0.1", port, bounds=BOUNDS) as stream:
            await stream.write(b"ping")
            return await stream.read()

    async def run():
        async with listening(world.server(world.mint("Ed25519"))) as there:
            answers = await asyncio.gather(*(one(there.port) for _ in range(100)))
            return answers, there.failures, len(there.sessions)

    assert asyncio.run(run()) == ([b"ping"] * 100, [], 100)


def test_silent_and_slow_peers_time_out_and_hold_nobody_up(world):
    async def run():
        bounds = Bounds(handshake=0.3, idle=0.3)
        async with listening(world.server(), bounds=bounds) as there:
            silent = await asyncio.open_connection("127.0.0.1", there.port)
            slow = await asyncio.open_connection("127.0.0.1", there.port)
            hello = ClientConnection(world.client()).data_to_send()
            slow[1].write(hello[:50])
            vanished = await asyncio.open_connection("127.0.0.1", there.port)
            vanished[1].transport.abort()
            async with await connect(world.client(), "127.0.0.1", there.port, bounds=BOUNDS) as stream:
                await stream.write(b"meanwhile")
                assert await stream.read() == b"meanwhile"
                assert await stream.read() == b""  # the server has had enough of waiting
            for reader, writer in (silent, slow):
                await asyncio.wait_for(reader.read(), 5)
                writer.close()
            await asyncio.sleep(0.2)
            return there

    there = asyncio.run(run())
    assert len(there.failures) >= 3
    assert not there.tcp.active


def test_no_more_connections_than_allowed(world):
    async def run():
        async with listening(world.server(), bounds=Bounds(connections=1)) as there:
            async with await connect(world.client(), "127.0.0.1", there.port, bounds=BOUNDS):
                with pytest.raises(HandshakeFailure):
                    await connect(world.client(), "127.0.0.1", there.port, bounds=BOUNDS)
            await asyncio.sleep(0.1)
            async with await connect(world.client(), "127.0.0.1", there.port, bounds=BOUNDS):
                pass

    asyncio.run(run())


def test_alerts_arrive(world):
    async def run():
        async with listening(world.server()) as there:
            with pytest.raises(HandshakeFailure) as caught:
                await connect(world.client(signature_algorithms=(0x0807,)), "127.0.0.1", there.port, bounds=BOUNDS)
            assert caught.value.alert == Alert.HANDSHAKE_FAILURE
            with pytest.raises(HandshakeFailure) as caught:
                await connect(world.client(server_name="other"), "127.0.0.1", there.port, bounds=BOUNDS)
            await asyncio.sleep(0.1)
            assert [failure.alert for failure in there.failures] == [Alert.HANDSHAKE_FAILURE, Alert.BAD_CERTIFICATE]

    asyncio.run(run())
    with pytest.raises(HandshakeFailure, match="no connection"):
        asyncio.run(connect(world.client(), "127.0.0.1", 1))


def test_many_handshakes_leave_memory_where_it_was(world):
    client, server = world.client("Ed25519"), world.server(world.mint("Ed25519"))

    def grown_by(count):
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(count):
            shake_hands(client, server)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        grown_by(150)  # pools of the interpreter and of libraries fill up, to their bounds
        assert grown_by(100) < 100 * 200  # one that was kept would be tens of kilobytes each
    finally:
        tracemalloc.stop()


PAGES = {"/": Answer("text/plain", lambda: "ünder")}


@pytest.mark.parametrize(
    ("head", "start"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET /?q HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"HEAD / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET /x HTTP/1.1\r\n\r\n", b"HTTP/1.1 404"),
        (b"POST / HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
        (b"GET / \r\n\r\n", b"HTTP/1.1 400"),
        (b"GET / HTTP/1.1\r\n", b"HTTP/1.1 400"),
        (b"x" * (LARGEST_REQUEST + 1), b"HTTP/1.1 431"),
        (b"\xff\0 \xff HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
    ],
)
def test_http(head, start):
    answer = respond(head, PAGES)
    assert answer.startswith(start)
    if start.endswith(b"OK"):
        content = answer.split(b"\r\n\r\n", 1)[1]
        assert content == (b"" if head.startswith(b"HEAD") else "ünder".encode())
        assert b"Content-Length: 6\r\n" in answer


def test_the_page_says_what_protected_the_connection(world):
    outcome = shake_hands(world.client("ML-DSA-44"), world.server(world.mint("ML-DSA-44")))
    facts = page.as_dict(outcome.server, outcome.ledger, CATALOG, NOW.timestamp() + 3600)
    assert facts["server"]["scheme"] == "ML-DSA-44"
    assert facts["server"]["remaining_seconds"] == 23 * 3600
    assert json.loads(json.dumps(facts))["ledger"]["server"]["wire_bytes"] == outcome.ledger.server.wire_bytes
    shown = page.as_html(facts, outcome.ledger)
    assert "This connection was protected by a delegated credential" in shown
    assert "ML-DSA-44, for another 23 h" in shown
    assert 'aria-label="CA signs Leaf certificate, Leaf certificate signs Credential, Credential proves This' in shown
    assert facts["server"]["leaf"] == {
        "name": "localhost",
        "issuer": "test CA",
        "scheme": "ECDSA-P256",
        "valid_until": "2027-02-23T12:00:00Z",
    }
    assert f"{outcome.ledger.server.wire_bytes:,} bytes on the wire" in shown
    assert "http://" not in shown.replace("http://www.w3.org", "")
    facts["server_name"] = "<script>"
    assert "<script>" not in page.as_html(facts, outcome.ledger)
    plain = shake_hands(world.client(), world.server())
    facts = page.as_dict(plain.client, plain.ledger, CATALOG, 0)
    shown = page.as_html(facts, plain.ledger, advice="<turn it on>")
    assert "This connection was protected by a certificate" in shown
    assert "Credential proves" not in shown
    assert "&lt;turn it on&gt;" in shown


# ---- the commands


def pqdc(*arguments, **options):
    command = [PQDC, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for arguments in (
        ("ca", "--out", "ca"),
        ("leaf", "--ca", "ca", "--out", "leaf"),
        *(
            (
                "mint",
                "--scheme",
                scheme,
                "--leaf",
                "leaf/leaf.pem",
                "--key",
                "leaf/leaf.key",
                "--role",
                role,
                "--out",
                out,
            )
            for scheme, role, out in (
                ("ML-DSA-44", "server", "mldsa"),
                ("Ed25519", "server", "ed"),
                ("ML-DSA-65", "client", "c"),
            )
        ),
    ):
        done = pqdc(*arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def serve(files):
    """Starts `pqdc serve`; gives its process and address."""
    started = []

    def start(*arguments):
        command = [PQDC, "serve", "--port", "0", "--leaf", "leaf/leaf.pem", *arguments]
        process = subprocess.Popen(command, cwd=files, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        return process, address.removesuffix("/").split("//")[1]

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=10)


CREDENTIALS = ("--key", "leaf/leaf.key", "--dc", "mldsa/dc.bin", "--dc-key", "mldsa/dc.key")


def test_serve_and_connect(files, serve):
    process, address = serve(*CREDENTIALS, "--dc", "ed/dc.bin", "--dc-key", "ed/dc.key", "--keylog", "keys.log")

    def scheme(*arguments):
        done = pqdc("connect", address, "--ca", "ca/ca.pem", "--json", *arguments, cwd=files)
        assert done.returncode == 0, done.stderr
        server = json.loads(done.stdout)["server"]
        return server["kind"], server["scheme"]

    assert scheme() == ("delegated credential", "ML-DSA-44")
    assert scheme("--schemes", "Ed25519") == ("delegated credential", "Ed25519")
    assert scheme("--no-dc", "--group", "X25519MLKEM768") == ("certificate", "ECDSA-P256")
    process.send_signal(signal.SIGHUP)
    assert scheme() == ("delegated credential", "ML-DSA-44")
    assert len((files / "keys.log").read_text().splitlines()) == 16
    assert (files / "keys.log").stat().st_mode & 0o777 == 0o600
    refused = pqdc("connect", address, "--ca", "ca/ca.pem", "--name", "elsewhere", cwd=files)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "Traceback" not in refused.stderr


def test_serve_asks_clients_for_credentials(files, serve):
    _, address = serve(*CREDENTIALS, "--require-client-dc", "--ca", "ca/ca.pem", "--no-fallback")
    ours = ("--client-leaf", "leaf/leaf.pem", "--client-dc", "c/dc.bin", "--client-dc-key", "c/dc.key")
    done = pqdc("connect", address, "--ca", "ca/ca.pem", *ours, cwd=files)
    assert done.returncode == 0, done.stderr
    assert "client: delegated credential, ML-DSA-65" in done.stdout
    key_alone = ("--client-leaf", "leaf/leaf.pem", "--client-key", "leaf/leaf.key")
    assert "certificate_required" in pqdc("connect", address, "--ca", "ca/ca.pem", *key_alone, cwd=files).stderr
    assert "handshake_failure" in pqdc("connect", address, "--ca", "ca/ca.pem", "--no-dc", cwd=files).stderr


def test_serve_shows_what_it_is_told_to(files, serve):
    """--force: although the client asks for none, and although the key is another's."""
    _, address = serve(*CREDENTIALS, "--force")
    assert "unexpected_message" in pqdc("connect", address, "--ca", "ca/ca.pem", "--no-dc", cwd=files).stderr
    assert "illegal_parameter" in pqdc("connect", address, "--ca", "ca/ca.pem", "--schemes", "P-256", cwd=files).stderr
    others = ("--dc", "mldsa/dc.bin", "--dc-key", "ed/dc.key")
    _, address = serve(*others, "--force")
    refused = pqdc("connect", address, "--ca", "ca/ca.pem", cwd=files)
    assert refused.returncode == 1
    assert "CertificateVerify" in refused.stderr
    assert pqdc("serve", "--leaf", "leaf/leaf.pem", *others, cwd=files).returncode == 1  # without --force


def test_preview(serve):
    _, address = serve(*CREDENTIALS, "--http")
    with urllib.request.urlopen(f"http://{address}/") as answer:
        shown = answer.read().decode()
    assert "This connection would be protected by a delegated credential" in shown
    assert "ML-DSA-44, for another" in shown
    with urllib.request.urlopen(f"http://{address}/handshake.json") as answer:
        assert json.load(answer)["server"]["scheme"] == "ML-DSA-44"


def test_handshake_command():
    done = pqdc("handshake", "--scheme", "ML-DSA-44", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["total_bytes"] == sum(facts["ledger"][side]["wire_bytes"] for side in ("client", "server"))
    assert "CertificateVerify" in pqdc("handshake", "--compare", "Ed25519", "LEAF:ML-DSA-44").stdout
    assert pqdc("handshake", "--scheme", "OV-Is").returncode == 1
    assert pqdc("handshake", "--group", "nope").returncode == 2
