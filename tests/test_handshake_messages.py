"""Messages and extensions: what decodes encodes to the same bytes, and anything cut or extended is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqdc.errors import DecodeError
from pqdc.handshake import messages as m
from pqdc.handshake.alerts import Alert, ProtocolViolation
from pqdc.handshake.assembly import Assembler
from pqdc.handshake.codepoints import ExtensionType as E
from pqdc.handshake.extensions import CODECS, KeyShare, Place, read_all, read_answer, write
from pqdc.handshake.key_schedule import SUITES
from pqdc.handshake.ledger import flights, segments
from pqdc.handshake.limits import Limits
from pqdc.handshake.record import RecordReader, RecordWriter

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
extensions = st.lists(st.tuples(u16, st.binary(max_size=20)), max_size=4).map(tuple)
MESSAGES = {
    m.ClientHello: {
        "random": st.binary(min_size=32, max_size=32),
        "session_id": st.binary(max_size=32),
        "cipher_suites": st.lists(u16, min_size=1, max_size=9).map(tuple),
        "compression_methods": st.binary(min_size=1, max_size=3),
        "legacy_version": u16,
        "extensions": extensions,
    },
    m.ServerHello: {
        "random": st.binary(min_size=32, max_size=32),
        "session_id": st.binary(max_size=32),
        "cipher_suite": u16,
        "compression_method": u8,
        "legacy_version": u16,
        "extensions": extensions,
    },
    m.EncryptedExtensions: {"extensions": extensions},
    m.CertificateRequest: {"context": st.binary(max_size=9), "extensions": extensions},
    m.CertificateMessage: {
        "context": st.binary(max_size=9),
        "entries": st.lists(
            st.builds(m.CertificateEntry, der=st.binary(min_size=1, max_size=30), extensions=extensions), max_size=3
        ).map(tuple),
    },
    m.CertificateVerify: {"algorithm": u16, "signature": st.binary(max_size=40)},
    m.KeyUpdate: {"request_update": u8},
    m.NewSessionTicket: {
        "lifetime": u32,
        "age_add": u32,
        "nonce": st.binary(max_size=9),
        "ticket": st.binary(min_size=1, max_size=20),
        "extensions": extensions,
    },
}


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_messages_both_ways(kind, data):
    message = data.draw(st.builds(kind, **MESSAGES[kind]))
    body = message.body()
    assert kind.decode(body) == message
    assert m.frame(message) == bytes([kind.type]) + len(body).to_bytes(3, "big") + body
    with pytest.raises(DecodeError):
        kind.decode(body + b"\0")
    cut = data.draw(st.integers(0, len(body) - 1))
    try:
        shorter = kind.decode(body[:cut])
    except DecodeError:
        return
    assert shorter.body() == body[:cut]  # hellos may end before their extensions


VALUES = [
    (Place.CLIENT_HELLO, E.SERVER_NAME, "example.org", "000e00000b6578616d706c652e6f7267"),
    (Place.CLIENT_HELLO, E.SUPPORTED_GROUPS, (0x1D, 0x17), "0004001d0017"),
    (Place.CLIENT_HELLO, E.SIGNATURE_ALGORITHMS, (0x0403,), "00020403"),
    (Place.CLIENT_HELLO, E.DELEGATED_CREDENTIAL, (0x0904, 0xFED7), "00040904fed7"),
    (Place.CERTIFICATE_REQUEST, E.DELEGATED_CREDENTIAL, (0x0904,), "00020904"),
    (Place.CLIENT_HELLO, E.ALPN, (b"h2", b"x"), "0005026832" + "0178"),
    (Place.CLIENT_HELLO, E.SUPPORTED_VERSIONS, (0x0304,), "020304"),
    (Place.SERVER_HELLO, E.SUPPORTED_VERSIONS, 0x0304, "0304"),
    (Place.CLIENT_HELLO, E.COOKIE, b"abc", "0003616263"),
    (Place.CLIENT_HELLO, E.KEY_SHARE, (KeyShare(group=0x1D, key=b"ab"),), "0006001d00026162"),
    (Place.SERVER_HELLO, E.KEY_SHARE, KeyShare(group=0x1D, key=b"ab"), "001d00026162"),
    (Place.HELLO_RETRY_REQUEST, E.KEY_SHARE, 0x17, "0017"),
    (Place.ENCRYPTED_EXTENSIONS, E.SERVER_NAME, True, ""),
]


@pytest.mark.parametrize(("place", "kind", "value", "encoded"), VALUES)
def test_extensions_both_ways(place, kind, value, encoded):
    data = bytes.fromhex(encoded)
    assert write(place, {kind: value}) == ((kind, data),)
    assert read_all(place, ((kind, data),)) == {kind: value}
    for broken in (*(data[:end] for end in range(len(data))), data + b"\0"):
        with pytest.raises((DecodeError, ProtocolViolation)):
            read_all(place, ((kind, broken),))


@pytest.mark.parametrize("place", Place)
def test_extensions_have_their_places(place):
    for kind in {kind for codecs in CODECS.values() for kind in codecs} - set(CODECS[place]):
        with pytest.raises(ProtocolViolation) as caught:
            read_all(place, ((kind, b""),))
        assert caught.value.alert == Alert.ILLEGAL_PARAMETER
    assert read_all(place, ((0xABAB, b"left alone"),)) == {}
    with pytest.raises(ProtocolViolation) as caught:
        read_answer(place, ((0xABAB, b""),), ())
    assert caught.value.alert == Alert.UNSUPPORTED_EXTENSION


@pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.code_point.name)
@pytest.mark.parametrize("size", [1, 2, 16383, 16384, 16385, 50_000])
def test_records_both_ways(suite, size):
    writer, reader = RecordWriter(), RecordReader(Limits())
    for end in (writer, reader):
        end.use(suite, bytes(suite.hash_bytes))
    content = bytes(range(256)) * (size // 256 + 1)
    wire = writer.write(23, content[:size])
    got = b""
    for start in range(0, len(wire), 999):
        reader.feed(wire[start : start + 999])
        while record := reader.next():
            assert record[0] == 23
            got += record[1]
    assert got == content[:size]
    assert reader.traffic == writer.traffic
    assert writer.traffic.wire_bytes == len(wire) == size + 22 * -(-size // 16384)


RECORDS = [
    (b"G", Alert.UNEXPECTED_MESSAGE),
    (b"\x16\x03\x01\x40\x01", Alert.RECORD_OVERFLOW),
    (b"\x17\x03\x03\x41\x01", Alert.RECORD_OVERFLOW),
    (b"\x17\x03\x03\x00\x01x", Alert.UNEXPECTED_MESSAGE),
    (b"\x18\x03\x03\x00\x01x", Alert.UNEXPECTED_MESSAGE),
]


@pytest.mark.parametrize(("data", "alert"), RECORDS)
def test_records_that_are_none(data, alert):
    reader = RecordReader(Limits())
    reader.feed(data)
    with pytest.raises(ProtocolViolation) as caught:
        reader.next()
    assert caught.value.alert == alert


def protected(inner):
    suite = next(iter(SUITES.values()))
    writer, reader = RecordWriter(), RecordReader(Limits())
    for end in (writer, reader):
        end.use(suite, bytes(32))
    header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
    reader.feed(header + writer.keys.aead.encrypt(writer.nonce(writer.keys), inner, header))
    return reader


def test_padding_and_its_abuse():
    assert protected(b"data\x17" + bytes(100)).next() == (23, b"data")
    for inner, alert in ((bytes(10), 10), (b"", 10), (b"x" * 16385 + b"\x17", 22), (b"x\x17" + bytes(16384), 22)):
        with pytest.raises(ProtocolViolation) as caught:
            protected(inner).next()
        assert caught.value.alert == alert


def test_messages_are_bounded_by_their_header():
    assembler = Assembler(Limits(message_bytes=100))
    assembler.feed(b"\x0b\0\0\x64" + bytes(100) + b"\x0b\0\0")
    assert len(assembler.next()) == 104
    assert assembler.next() is None
    assert assembler.pending
    assembler.feed(b"\x65")
    with pytest.raises(ProtocolViolation):
        assembler.next()
    with pytest.raises(ProtocolViolation):
        Assembler(Limits()).feed(b"")


def test_the_model_of_the_network():
    assert [segments(size) for size in (0, 1, 1460, 1461, 14600)] == [0, 1, 1, 2, 10]
    assert [flights(size) for size in (0, 1, 14600, 14601, 43800, 43801)] == [0, 1, 1, 2, 2, 3]
