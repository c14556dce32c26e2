"""The Reader and the writer of TLS vectors: tables both ways, cut and extended at each byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqdc.errors import DecodeError
from pqdc.wire import Reader, vector

VECTORS = [
    (1, b"", "00"),
    (1, b"\x05", "0105"),
    (1, bytes(255), "ff" + 255 * "00"),
    (2, b"", "0000"),
    (2, b"abc", "0003616263"),
    (2, bytes(65535), "ffff" + 65535 * "00"),
    (3, b"", "000000"),
    (3, bytes(65536), "010000" + 65536 * "00"),
]


@pytest.mark.parametrize(("length_size", "content", "written"), VECTORS)
def test_vectors_both_ways(length_size, content, written):
    data = bytes.fromhex(written)
    assert vector(length_size, content) == data
    with Reader(data, "a vector") as reader:
        assert reader.vector(length_size, "it") == content


@pytest.mark.parametrize(("length_size", "content"), [(1, bytes(256)), (2, bytes(65536)), (3, bytes(2**24))])
def test_a_vector_too_long_for_its_length_is_refused(length_size, content):
    with pytest.raises(OverflowError):
        vector(length_size, content)


@pytest.mark.parametrize(
    ("size", "data", "value"),
    [(1, "ff", 255), (2, "0403", 0x0403), (3, "010000", 65536), (4, "ffffffff", 2**32 - 1), (4, "00000000", 0)],
)
def test_integers_are_big_endian_and_unsigned(size, data, value):
    with Reader(bytes.fromhex(data), "a number") as reader:
        assert reader.uint(size, "it") == value


def test_reading_beyond_the_end_says_what_was_wanted():
    reader = Reader(b"\x01\x02", "Thing")
    with pytest.raises(DecodeError, match=r"^Thing: field wants 3 bytes, 2 are left$"):
        reader.read(3, "field")
    assert reader.remaining == 2
    assert reader.read(2, "field") == b"\x01\x02"


def test_a_vector_that_ends_beyond_the_data_is_refused():
    with pytest.raises(DecodeError, match=r"^Thing: field wants 5 bytes, 2 are left$"):
        Reader(b"\x05\x01\x02", "Thing").vector(1, "field")


def test_a_length_that_is_cut_is_refused():
    with pytest.raises(DecodeError, match=r"^Thing: (length of )?field wants 2 bytes, 1 are left$"):
        Reader(b"\x05", "Thing").vector(2, "field")


def test_a_vector_shorter_than_allowed_is_refused():
    with pytest.raises(DecodeError, match=r"^Thing: field has 1 bytes, at least 2 are wanted$"):
        Reader(b"\x01\x01", "Thing").vector(1, "field", at_least=2)


def test_a_vector_longer_than_allowed_is_refused():
    assert Reader(b"\2\1\1", "Thing").vector(1, "field", at_most=2) == b"\1\1"
    with pytest.raises(DecodeError, match=r"^Thing: field has 2 bytes, at most 1 are allowed$"):
        Reader(b"\2\1\1", "Thing").vector(1, "field", at_most=1)
    with pytest.raises(DecodeError, match="at most 0 are allowed"):
        Reader(b"\1\1", "Thing").vector(1, "field", at_most=0)


@pytest.mark.parametrize(("data", "numbers"), [("0002 0403", (0x0403,)), ("0006 0000 ffff 0904", (0, 0xFFFF, 0x0904))])
def test_lists_of_code_points_are_read(data, numbers):
    with Reader(bytes.fromhex(data), "a list") as reader:
        assert reader.uints(2, "it") == numbers


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("0000", "it has 0 bytes, at least 2 are wanted"),
        ("0001 04", "it has 1 bytes, at least 2 are wanted"),
        ("0003 0403 05", "it wants pairs of bytes, it has 3"),
        ("0004 0403", "it wants 4 bytes, 2 are left"),
    ],
)
def test_what_is_no_list_of_code_points_is_refused(data, message):
    with pytest.raises(DecodeError, match=f"^a list: {message}$"):
        Reader(bytes.fromhex(data), "a list").uints(2, "it")


def test_bytes_left_over_are_refused_by_name():
    with pytest.raises(DecodeError, match=r"^Thing: 2 bytes left over after the end$"), Reader(b"\0\0", "Thing"):
        pass


def test_an_error_on_its_way_is_not_covered_by_bytes_left_over():
    with pytest.raises(KeyError, match="first"), Reader(b"\0\0", "Thing"):
        raise KeyError("first")


@given(st.integers(1, 3), st.binary(max_size=255), st.binary(max_size=5))
def test_what_is_written_is_read_and_the_rest_stays(length_size, content, rest):
    reader = Reader(vector(length_size, content) + rest, "a vector")
    assert reader.vector(length_size, "it") == content
    assert reader.remaining == len(rest)
    assert reader.read(len(rest), "rest") == rest
    reader.end()


@given(st.integers(1, 3), st.binary(max_size=64))
def test_every_truncation_is_refused(length_size, content):
    data = vector(length_size, content)
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            Reader(data[:end], "a vector").vector(length_size, "it")
