"""What is broken on the way ends in an alert or a clean close: bytes changed, cut, repeated, swapped, or made too long.

`PQDC_MUTATIONS` says how many random ones are tried in each direction; the default fits into CI's minute.
"""

from __future__ import annotations

import os
import random

import pytest

from pqdc.credential.structures import Role
from pqdc.handshake import Alert, ClientAuth, ClientConnection, Connected, Data, Failed, PeerClosed, ServerConnection
from tests.test_handshake import World

COUNT = int(os.environ.get("PQDC_MUTATIONS", "600"))
SEED = 9345
# What our endpoints may say to a broken peer. internal_error would be a defect of ours.
ALERTS = set(Alert) - {Alert.INTERNAL_ERROR, Alert.CLOSE_NOTIFY, Alert.USER_CANCELED}


@pytest.fixture(scope="module")
def ends():
    """Settings with everything in them: credentials both ways, a retry, names and protocols."""
    world = World()
    server = world.server(
        world.mint("Ed25519"),
        client_auth=ClientAuth.REQUIRED,
        trust=world.trust,
        dc_schemes=(0x0807,),
        groups=(0x17,),
        cookie=True,
        alpn=(b"h2",),
    )
    own = world.mint("Ed25519", role=Role.CLIENT)
    client = world.client("Ed25519", identities=(own,), alpn=(b"h2",), groups=(0x1D, 0x17))
    return client, server


def meet(ends, tamper):
    """A handshake, and some data, with all that goes over the wire given to `tamper(sender, flight, bytes)`.

    Returns the events of both sides; a bound on the rounds says that nobody waits for ever or talks without end.
    """
    client, server = ClientConnection(ends[0]), ServerConnection(ends[1])
    events = {"client": [], "server": []}
    flight = {"client": 0, "server": 0}
    has_spoken = set()
    for _ in range(12):
        moved = False
        for name, source, other, target in (("client", client, "server", server), ("server", server, "client", client)):
            if source.session is not None and not source.is_closed and name not in has_spoken:
                source.send(b"hello from the " + name.encode())
                source.close()
                has_spoken.add(name)
            data = source.data_to_send()
            if data:
                moved = True
                came = target.receive(tamper(name, flight[name], data))
                events[other] += came
                flight[name] += 1
        if not moved:
            break
    else:
        raise AssertionError("they do not come to an end")
    for name, end in (("client", client), ("server", server)):
        events[name] += end.receive_end()
    return events


def judge(events, *, whole=False):
    for name, seen in events.items():
        failures = [event.failure for event in seen if isinstance(event, Failed)]
        assert len(failures) <= 1
        for failure in failures:
            assert failure.sender != name or failure.alert in ALERTS, repr(failure)
            assert not whole, str(failure)
        if not failures:
            assert isinstance(seen[-1], PeerClosed)
        for event in seen:
            if isinstance(event, Data):  # never a wrong byte
                assert event.data in {b"hello from the client", b"hello from the server"}
            if isinstance(event, Connected):
                assert event.session.peer is not None


def untouched(name, flight, data):
    return data


def test_nothing_broken(ends):
    judge(meet(ends, untouched), whole=True)


def flights(ends):
    lengths = {}

    def note(name, flight, data):
        lengths[name, flight] = len(data)
        return data

    meet(ends, note)
    return lengths


def at(name, flight, change):
    def tamper(sender, number, data):
        return change(data) if (sender, number) == (name, flight) else data

    return tamper


def flip(position, mask):
    def change(data):
        return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :] if position < len(data) else data

    return change


@pytest.mark.parametrize("sender", ["client", "server"])
def test_each_byte_of_the_first_flights(ends, sender):
    """What is not protected is where parsers meet the world; each byte in turn."""
    lengths = flights(ends)
    step = max(1, lengths[sender, 0] // max(1, COUNT // 4))
    for position in range(0, lengths[sender, 0], step):
        judge(meet(ends, at(sender, 0, flip(position, 1 << (position % 8)))))


MUTATIONS = (
    lambda data, r: flip(r.randrange(len(data)), 1 << r.randrange(8))(data),
    lambda data, r: flip(r.randrange(len(data)), r.randrange(1, 256))(data),
    lambda data, r: data[: r.randrange(len(data))],
    lambda data, r: data + data,
    lambda data, r: data + r.randbytes(r.randrange(1, 40)),
    lambda data, r: r.randbytes(r.randrange(1, 40)) + data,
    lambda data, r: _cut(data, r, lambda a, b: a + b"\x16\x03\x03\x00\x00" + b),
    lambda data, r: _cut(data, r, lambda a, b: b + a),
    lambda data, r: _cut(data, r, lambda a, b: a + r.randbytes(4) + b),
    lambda data, r: _cut(data, r, lambda a, b: a + b[r.randrange(1, 9) :]),
    lambda data, r: _records(data, r, lambda records: records[::-1]),
    lambda data, r: _records(data, r, lambda records: records[:-1]),
    lambda data, r: _records(data, r, lambda records: [*records, records[-1]]),
    lambda data, r: _records(data, r, lambda records: [records[0], *records]),
    lambda data, r: _records(data, r, lambda records: [b"\x14\x03\x03\x00\x01\x01" * r.randrange(1, 60), *records]),
    lambda data, r: _records(data, r, lambda records: [record[:3] + b"\xff\xff" + record[5:] for record in records]),
    lambda data, r: b"\x15\x03\x03\x00\x02\x02" + bytes([r.randrange(256)]) + data,
)


def _cut(data, r, join):
    position = r.randrange(len(data))
    return join(data[:position], data[position:])


def _records(data, r, change):
    found = []
    rest = data
    while len(rest) >= 5:
        end = 5 + int.from_bytes(rest[3:5], "big")
        found.append(rest[:end])
        rest = rest[end:]
    r.random()
    return b"".join(change(found)) if found else data


@pytest.mark.parametrize("sender", ["client", "server"])
def test_random_mutations(ends, sender):
    r = random.Random(SEED)  # noqa: S311 - repeatable
    numbers = [number for name, number in flights(ends) if name == sender]
    for _ in range(COUNT // 2):
        mutation, number = r.choice(MUTATIONS), r.choice(numbers)
        state = r.getstate()
        try:
            judge(meet(ends, at(sender, number, lambda data, mutation=mutation: mutation(data, r))))
        except Exception as error:
            raise AssertionError(f"mutation {MUTATIONS.index(mutation)} of flight {number}") from error
        r.setstate(state)
        r.random()


def test_hostile_lengths_do_not_grow_memory(ends):
    """A peer that promises much and sends it slowly is refused at the promise."""
    server = ServerConnection(ends[1])
    assert server.receive(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff")[0].failure.alert == Alert.ILLEGAL_PARAMETER
    server = ServerConnection(ends[1])
    for _ in range(200):
        server.receive(b"\x16\x03\x01\x40\x00\x01\x01\xff\xf0" + bytes(16380))
    assert len(server._assembler._buffer) <= 2**17 + 2**14
    assert len(server._reader._buffer) <= 2**15


class _Garbling:
    """Changes its own messages before they are hashed and protected, so that the parsers behind meet them."""

    def __init__(self, settings, r):
        self._r, self.garbled = r, False
        super().__init__(settings)

    def _send(self, message):
        encoded = bytes([message.type]) + len(body := message.body()).to_bytes(3, "big") + body
        if not self.garbled and self._r.random() < 0.4:
            self.garbled = True
            body = self._r.choice(MUTATIONS[:10])(body, self._r) if body else b"x"
            encoded = bytes([message.type]) + len(body).to_bytes(3, "big") + body
        self._transcript.add(encoded)
        self._flight += encoded


class _GarblingClient(_Garbling, ClientConnection):
    pass


class _GarblingServer(_Garbling, ServerConnection):
    pass


@pytest.mark.parametrize("garbling", [_GarblingClient, _GarblingServer])
def test_messages_garbled_behind_the_protection(ends, garbling):
    seen = set()
    for number in range(COUNT // 2):
        r = random.Random(f"{SEED}/{number}")  # noqa: S311 - repeatable
        client = _GarblingClient(ends[0], r) if garbling is _GarblingClient else ClientConnection(ends[0])
        server = _GarblingServer(ends[1], r) if garbling is _GarblingServer else ServerConnection(ends[1])
        for _ in range(6):
            for source, target in ((client, server), (server, client)):
                for event in target.receive(source.data_to_send()):
                    if isinstance(event, Failed):
                        seen.add(event.failure.alert)
    assert Alert.INTERNAL_ERROR not in seen
    assert {Alert.DECODE_ERROR, Alert.ILLEGAL_PARAMETER} <= seen
