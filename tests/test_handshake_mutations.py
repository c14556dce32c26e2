"""What is broken on the way ends in an alert with the right code or a clean close: 10^5 mutations of what is sent.

A handshake is made once, in steps, and both sides are kept as they were before each: a mutation meets a copy of them,
so nothing is computed again. `OnTheWire` changes the bytes of records; `Messages` change what they protect, so that
the parsers behind the protection meet it too. `PQDC_MUTATIONS` says how many there are.
"""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import dataclass, field

import pytest

from pqdc.credential.structures import Role
from pqdc.handshake import (
    Alert,
    ClientAuth,
    ClientConnection,
    Connected,
    Data,
    Failed,
    PeerClosed,
    ServerConnection,
)
from pqdc.handshake.codepoints import ContentType
from pqdc.handshake.codepoints import HandshakeType as H
from pqdc.handshake.messages import KeyUpdate, NewSessionTicket, frame
from pqdc.handshake.record import RecordWriter
from tests.forks import fork
from tests.test_handshake import World

COUNT = int(os.environ.get("PQDC_MUTATIONS", "100000"))
SLICES = 5  # of each campaign, so that they can run beside each other
SEED = 9345
OTHER = {"client": "server", "server": "client"}
WORDS = {"client": [b"hello from the client", b"and again"], "server": [b"hello from the server", b"and again"]}
# What our endpoints may say to a broken peer. internal_error would be a defect of ours.
ALERTS = set(Alert) - {Alert.INTERNAL_ERROR, Alert.CLOSE_NOTIFY, Alert.USER_CANCELED}
# What they may say to a broken message, by its type: RFC 8446 sections 4 and 6.2.
SYNTAX = {Alert.DECODE_ERROR, Alert.ILLEGAL_PARAMETER, Alert.UNEXPECTED_MESSAGE}
BEHIND = SYNTAX | {Alert.DECRYPT_ERROR}  # what was read in peace breaks the signature or the Finished that follows
WRONG = {
    H.CLIENT_HELLO: BEHIND
    | {
        Alert.HANDSHAKE_FAILURE,
        Alert.PROTOCOL_VERSION,
        Alert.MISSING_EXTENSION,
        Alert.NO_APPLICATION_PROTOCOL,
    },
    H.SERVER_HELLO: BEHIND | {Alert.PROTOCOL_VERSION, Alert.MISSING_EXTENSION, Alert.UNSUPPORTED_EXTENSION},
    H.ENCRYPTED_EXTENSIONS: BEHIND | {Alert.UNSUPPORTED_EXTENSION},
    H.CERTIFICATE_REQUEST: BEHIND | {Alert.MISSING_EXTENSION},
    H.CERTIFICATE: BEHIND
    | {
        Alert.BAD_CERTIFICATE,
        Alert.UNSUPPORTED_CERTIFICATE,
        Alert.CERTIFICATE_EXPIRED,
        Alert.CERTIFICATE_REQUIRED,
        Alert.UNKNOWN_CA,
        Alert.UNSUPPORTED_EXTENSION,
    },
    H.CERTIFICATE_VERIFY: BEHIND,
    H.FINISHED: BEHIND,
    H.NEW_SESSION_TICKET: SYNTAX,
    H.KEY_UPDATE: SYNTAX,
}


@pytest.fixture(scope="module")
def settings():
    """Settings with everything in them: credentials both ways, a retry, names and protocols.

    Random bytes are always the same, so that a copy of a connection says what the connection itself has said.
    """
    world = World()
    server = world.server(
        world.mint("Ed25519"),
        client_auth=ClientAuth.REQUIRED,
        trust=world.trust,
        dc_schemes=(0x0807,),
        groups=(0x17,),
        cookie=True,
        alpn=(b"h2",),
        entropy=lambda size: hashlib.shake_256(b"server").digest(size),
    )
    own = world.mint("Ed25519", role=Role.CLIENT)
    client = world.client(
        "Ed25519",
        identities=(own,),
        alpn=(b"h2",),
        groups=(0x1D, 0x17),
        entropy=lambda size: hashlib.shake_256(b"client").digest(size),
    )
    return client, server


# --- What a mutation is ----------------------------------------------------------------------------------------------


def flip(data, position, mask):
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


def _cut(join):
    def change(data, r):
        position = r.randrange(len(data))
        return join(data[:position], data[position:], r)

    return change


def _records(change):
    def change_records(data, r):
        found, rest = [], data
        while len(rest) >= 5:
            end = 5 + int.from_bytes(rest[3:5], "big")
            found.append(rest[:end])
            rest = rest[end:]
        return b"".join(change(found, r)) if found else data

    return change_records


OF_BYTES = {
    "a bit flipped": lambda data, r: flip(data, r.randrange(len(data)), 1 << r.randrange(8)),
    "a byte changed": lambda data, r: flip(data, r.randrange(len(data)), r.randrange(1, 256)),
    "cut off": lambda data, r: data[: r.randrange(len(data))],
    "twice": lambda data, r: data + data,
    "bytes after it": lambda data, r: data + r.randbytes(r.randrange(1, 40)),
    "bytes before it": lambda data, r: r.randbytes(r.randrange(1, 40)) + data,
    "turned round": _cut(lambda a, b, r: b + a),
    "bytes put in": _cut(lambda a, b, r: a + r.randbytes(r.randrange(1, 9)) + b),
    "bytes left out": _cut(lambda a, b, r: a + b[r.randrange(1, 9) :]),
    "a length at its largest": _cut(lambda a, b, r: a + b"\xff\xff" + b[2:]),
    "a length of nothing": _cut(lambda a, b, r: a + b"\0\0" + b[2:]),
    "a part twice": _cut(lambda a, b, r: a + b[: r.randrange(1, 200)] + b),
}
OF_RECORDS = {
    **OF_BYTES,
    "an empty record put in": _cut(lambda a, b, r: a + b"\x16\x03\x03\0\0" + b),
    "records reversed": _records(lambda records, r: records[::-1]),
    "a record missing": _records(lambda records, r: records[:-1]),
    "the last record twice": _records(lambda records, r: [*records, records[-1]]),
    "the first record twice": _records(lambda records, r: [records[0], *records]),
    "change_cipher_spec": _records(lambda records, r: [b"\x14\x03\x03\0\1\1" * r.randrange(1, 60), *records]),
    "records too large": _records(lambda records, r: [record[:3] + b"\xff\xff" + record[5:] for record in records]),
    "an alert before it": lambda data, r: b"\x15\x03\x03\0\2\2" + r.randbytes(1) + data,
}


# --- On the wire -----------------------------------------------------------------------------------------------------


@dataclass
class Conversation:
    """Two endpoints and what each has been told; once connected, each speaks, changes its keys, and closes."""

    ends: dict
    events: dict = field(default_factory=lambda: {"client": [], "server": []})

    def fork(self):
        ends = {name: fork(end) for name, end in self.ends.items()}
        return Conversation(ends, {name: list(seen) for name, seen in self.events.items()})

    def speak(self, name):
        end = self.ends[name]
        if end.session is not None and not end.is_closed:
            end.send(WORDS[name][0])
            end.update_keys(ask_peer=True)
            end.send(WORDS[name][1])
            end.close()
        return end.data_to_send()

    def hear(self, name, data):
        self.events[name] += self.ends[name].receive(data)

    def finish(self, name):
        """Until both are silent, and their streams end; a bound says that nobody talks without end."""
        silent = 0
        for _ in range(24):
            data = self.speak(name)
            silent = 0 if data else silent + 1
            if silent == 2:
                break
            name = OTHER[name]
            if data:
                self.hear(name, data)
        else:
            raise AssertionError("they do not come to an end")
        for name, end in self.ends.items():
            assert len(end._reader._buffer) <= 2**15
            assert len(end._assembler._buffer) <= 2**17
            self.events[name] += end.receive_end()

    def judge(self, *, whole=False):
        for name, seen in self.events.items():
            failures = [event.failure for event in seen if isinstance(event, Failed)]
            assert len(failures) <= 1
            for failure in failures:
                assert failure.sender != name or failure.alert in ALERTS, repr(failure)
                assert not whole, str(failure)
            if not failures:
                assert isinstance(seen[-1], PeerClosed)
            data = [event.data for event in seen if isinstance(event, Data)]
            assert data == WORDS[OTHER[name]][: len(data)]  # never a wrong byte
            for event in seen:
                if isinstance(event, Connected):
                    assert event.session.peer is not None
            assert not whole or len(data) == 2


@dataclass(frozen=True)
class Step:
    """What one side says next, and both as they are before it is heard."""

    name: str
    data: bytes
    before: Conversation

    def with_instead(self, data):
        """The conversation as it ends if the other side hears this."""
        then = self.before.fork()
        if data:
            then.hear(OTHER[self.name], data)
        then.finish(OTHER[self.name])
        return then


@pytest.fixture(scope="module")
def steps(settings):
    talk = Conversation({"client": ClientConnection(settings[0]), "server": ServerConnection(settings[1])})
    found, name, silent = [], "client", 0
    while silent < 2:
        data = talk.speak(name)
        silent = 0 if data else silent + 1
        if data:
            found.append(Step(name, data, talk.fork()))
            talk.hear(OTHER[name], data)
        name = OTHER[name]
    return found


def test_nothing_broken(steps):
    """A conversation goes on from any step as from the first, any number of times, and in any pieces."""
    assert [step.name for step in steps[:4]] == ["client", "server", "client", "server"]
    for step in steps * 2:
        step.with_instead(step.data).judge(whole=True)
    for step in steps:
        then = step.before.fork()
        for position in range(len(step.data)):
            then.hear(OTHER[step.name], step.data[position : position + 1])
        then.finish(OTHER[step.name])
        then.judge(whole=True)


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("sender", OTHER)
def test_on_the_wire(steps, sender, part):
    mine = [step for step in steps if step.name == sender]
    for number in range(COUNT * 3 // 10 // 2 // SLICES):
        r = random.Random(f"{SEED}/wire/{sender}/{part}/{number}")  # noqa: S311 - repeatable
        step, name = r.choice(mine), r.choice(list(OF_RECORDS))
        data = OF_RECORDS[name](step.data, r)
        try:
            step.with_instead(data).judge()
        except Exception as error:
            raise AssertionError(f"{name}: step {steps.index(step)}, {data.hex()}") from error


@pytest.mark.parametrize("sender", OTHER)
def test_no_protected_byte_can_be_changed(steps, sender):
    """Each in turn: bad_record_mac, but in a header, where lengths and types say other things of it."""
    count = 0
    for step in steps:
        position = 0
        while step.name == sender and position < len(step.data):
            kind, end = (
                step.data[position],
                position + 5 + int.from_bytes(step.data[position + 3 : position + 5], "big"),
            )
            for place in range(position + 5, end) if kind == ContentType.APPLICATION_DATA else ():
                (failure,) = _failures(step, flip(step.data, place, 1 << place % 8), OTHER[sender])
                assert (failure.sender, failure.alert) == (OTHER[sender], Alert.BAD_RECORD_MAC)
                count += 1
            position = end
    assert count > 800


def _failures(step, data, name):
    then = step.with_instead(data)
    then.judge()
    return [event.failure for event in then.events[name] if isinstance(event, Failed)]


# --- Behind the protection -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A message that `end` is told next; the messages that would follow it."""

    message: bytes
    end: object
    rest: tuple = ()


def protected(end, content):
    """Records with a handshake message that `end` can open."""
    writer = RecordWriter()
    if end._read_secret:
        writer.use(end._suite, end._read_secret)
        writer.sequence = end._reader.sequence
    return writer.write(ContentType.HANDSHAKE, content)


@pytest.fixture(scope="module")
def told(settings):
    """For each side, all that it is told, message by message."""
    found = {}
    for name in OTHER:
        ends = {"client": ClientConnection(settings[0]), "server": ServerConnection(settings[1])}
        target, source = ends[name], ends[OTHER[name]]
        mine, taken = [], 0
        while target.session is None:
            target_says = target.data_to_send()
            if target_says:
                source.receive(target_says)
            source.data_to_send()
            for message in source.sent[taken:]:
                mine.append(Told(message, fork(target)))
                target.receive(protected(target, message))
            taken = len(source.sent)
        mine = [Told(one.message, one.end, tuple(later.message for later in mine[number + 1 :]))
                for number, one in enumerate(mine)]  # fmt: skip
        for message in (
            frame(KeyUpdate(request_update=0)),
            frame(KeyUpdate(request_update=1)),
            frame(NewSessionTicket(lifetime=7, age_add=1, nonce=b"n", ticket=b"ticket", extensions=((42, bytes(4)),))),
        )[: 3 if name == "client" else 2]:
            mine.append(Told(message, fork(target)))
        found[name] = mine
    return found


def hear(one, message):
    """How a side that is told this instead fails, at the latest when nothing more comes; and whether it connects."""
    end = fork(one.end)
    end.data_to_send()
    events = end.receive(protected(end, message)) if message else []
    for later in one.rest:
        if end.is_closed:
            break
        events += end.receive(protected(end, later))
    assert len(end.data_to_send()) < 2**17
    assert len(end._assembler._buffer) <= 2**17
    events += [] if end.is_closed else end.receive_end()
    (failure,) = [event.failure for event in events if isinstance(event, Failed)]
    return failure, any(isinstance(event, Connected) for event in events)


def test_messages_not_broken(told):
    for messages in told.values():
        for one in messages * 2:
            failure, is_connected = hear(one, one.message)
            assert failure.alert is None  # the peer has gone without a word, and nothing else was wrong
            assert is_connected or not one.rest or one.message[0] == H.FINISHED
    assert {one.message[0] for messages in told.values() for one in messages} == set(WRONG)


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("name", OTHER)
def test_messages(told, name, part):
    """None is believed that was changed, and each is answered by an alert that fits its type."""
    for number in range(COUNT * 7 // 10 // 2 // SLICES):
        r = random.Random(f"{SEED}/messages/{name}/{part}/{number}")  # noqa: S311 - repeatable
        one, mutation = r.choice(told[name]), r.choice(list(OF_BYTES))
        message = OF_BYTES[mutation](one.message, r)
        if r.random() < 0.5 and len(message) >= 4:  # behind a header that fits it
            message = one.message[:1] + max(0, len(message) - 4).to_bytes(3, "big") + message[4:]
        if message == one.message:
            continue
        try:
            failure, is_connected = hear(one, message)
            assert not is_connected
            # no alert: more was waited for, or a ticket or update was good in spite of all
            assert failure.alert is None or failure.alert in WRONG[one.message[0]], str(failure)
        except Exception as error:
            raise AssertionError(f"{mutation}: {H(one.message[0]).name}, {message.hex()}") from error


@pytest.mark.parametrize("name", OTHER)
def test_each_byte_of_a_proof(told, name):
    """Each byte of CertificateVerify's signature, and of Finished: decrypt_error, and no other."""
    for one in told[name]:
        begin = {H.CERTIFICATE_VERIFY: 8, H.FINISHED: 4}.get(one.message[0], len(one.message))
        for position in range(begin, len(one.message)):
            failure, is_connected = hear(one, flip(one.message, position, 1 << position % 8))
            assert (failure.alert, is_connected) == (Alert.DECRYPT_ERROR, False)


def test_hostile_lengths_do_not_grow_memory(settings):
    """A peer that promises much and sends it slowly is refused at the promise."""
    server = ServerConnection(settings[1])
    assert server.receive(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff")[0].failure.alert == Alert.ILLEGAL_PARAMETER
    server = ServerConnection(settings[1])
    for _ in range(200):
        server.receive(b"\x16\x03\x01\x40\x00\x01\x01\xff\xf0" + bytes(16380))
    assert len(server._assembler._buffer) <= 2**17 + 2**14
    assert len(server._reader._buffer) <= 2**15


# --- A side that means what it says ----------------------------------------------------------------------------------


class _Garbling:
    """Changes its own messages before they are hashed and signed, so that what comes after them fits them."""

    def __init__(self, settings, r):
        self._r, self.garbled = r, False
        super().__init__(settings)

    def _send(self, message):
        encoded = frame(message)
        if not self.garbled and self._r.random() < 0.4:
            self.garbled = True
            body = self._r.choice(list(OF_BYTES.values()))(message.body() or b"x", self._r)
            encoded = bytes([message.type]) + len(body).to_bytes(3, "big") + body
        self._transcript.add(encoded)
        self._flight += encoded


class _GarblingClient(_Garbling, ClientConnection):
    pass


class _GarblingServer(_Garbling, ServerConnection):
    pass


@pytest.mark.parametrize("garbling", [_GarblingClient, _GarblingServer])
def test_messages_garbled_before_they_are_hashed(settings, garbling):
    seen = set()
    for number in range(max(200, COUNT // 200)):
        r = random.Random(f"{SEED}/{number}")  # noqa: S311 - repeatable
        client = garbling(settings[0], r) if garbling is _GarblingClient else ClientConnection(settings[0])
        server = garbling(settings[1], r) if garbling is _GarblingServer else ServerConnection(settings[1])
        for _ in range(6):
            for source, target in ((client, server), (server, client)):
                for event in target.receive(source.data_to_send()):
                    if isinstance(event, Failed):
                        seen.add(event.failure.alert)
    assert Alert.INTERNAL_ERROR not in seen
    assert {Alert.DECODE_ERROR, Alert.ILLEGAL_PARAMETER} <= seen
