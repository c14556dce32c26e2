"""PEM as it is found in the wild, and text that tries to make reading it slow or large."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pqdc import pem
from pqdc.errors import DecodeError

ONE = b"-----BEGIN A KEY-----\naGVsbG8=\n-----END A KEY-----\n"
MEGABYTES = 8


def labels(text: bytes) -> list[tuple[str, bytes]]:
    return [(block.label, block.data) for block in pem.blocks(text)]


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        ONE.rstrip(),
        ONE.replace(b"\n", b"\r\n"),
        ONE.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + ONE,
        b"\xff\xfe" + ONE.decode().encode("utf-16-le"),
        b"\xfe\xff" + ONE.decode().encode("utf-16-be"),
        b"subject: CN=x\nissuer: -----\n" + ONE + b"and more\n",
        b"  " + ONE.replace(b"\n", b"  \n\t"),
        b"-----BEGIN A KEY-----aGVsbG8=-----END A KEY-----",
        b"-----BEGIN A KEY-----\n\na G V s\nb G 8 =\n\n-----END A KEY-----",
        b"-----BEGIN A KEY-----\nComment: none\n\naGVsbG8=\n-----END A KEY-----",
        b"# -----BEGIN B-----\n" + ONE,
        b"-----BEGIN \n" + ONE,
    ],
)
def test_one_block_in_the_wild(text):
    assert labels(text) == [("A KEY", b"hello")]


def test_blocks_come_in_order_also_where_files_were_joined_without_a_newline():
    two = ONE.rstrip() + ONE.replace(b"A KEY", b"B")
    assert labels(two) == [("A KEY", b"hello"), ("B", b"hello")]


def test_an_old_encrypted_key_is_said_to_be_one():
    text = ONE.replace(b"\naGV", b"\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\naGV")
    (block,) = pem.blocks(text)
    assert (block.encrypted, block.data) == (True, b"hello")
    assert not pem.blocks(ONE)[0].encrypted


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"-----BEGIN", b"\0" * 100, b"----BEGIN A-----", b"-----BEGIN A\n-----"]
)
def test_no_block_is_no_error(data):
    assert pem.blocks(data) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"-----BEGIN A-----\naGVsbG8=", "the block A does not end"),
        (b"-----BEGIN A-----\naGVsbG8=\n-----BEGIN A-----", "the block A does not end"),
        (b"-----BEGIN A-----\naGVsbG8=\n-----END B-----", "the block A ends under another label"),
        (b"-----BEGIN A-----\naGVsbG8=\n-----END A", "the block A ends under another label"),
        (b"-----BEGIN A-----\naGVsbG8\n-----END A-----", "the block A is not base64"),
        (b"-----BEGIN A-----\naGVs!!bG8=\n-----END A-----", "the block A is not base64"),
        (b"-----BEGIN A-----\naGVsbG8=====\n-----END A-----", "the block A is not base64"),
        (b"-----BEGIN A-----\n-----END A-----\n" * (pem.MOST_BLOCKS + 1), "at most 4,096 blocks wanted"),
    ],
)
def test_broken_blocks_are_named(text, message):
    with pytest.raises(DecodeError, match=message):
        pem.blocks(text)


@given(st.binary(max_size=300), st.sampled_from([0, 1, 64, 76]), st.from_regex(r"[A-Z][A-Z0-9 ]{0,20}", fullmatch=True))
@example(b"", 0, "A")
def test_what_is_written_is_read(data, line, label):
    assert labels(pem.armour(label, data, line=line)) == [(label, data)]


@given(st.binary(max_size=400))
def test_any_bytes_are_blocks_or_a_named_error(noise):
    for text in (noise, ONE[:30] + noise, ONE + noise, noise.join([b"-----BEGIN A-----", b"-----END A-----"])):
        try:
            pem.blocks(text)
        except DecodeError:
            continue


HOSTILE = {  # what stands before, what is repeated to MEGABYTES, what stands after
    "dashes": (b"", b"-", b""),
    "newlines": (b"", b"\n", b""),
    "blanks before a block": (b"", b" ", b"-----BEGIN A-----"),
    "blank lines before a block": (b"", b"\n ", b"-----BEGIN A-----"),
    "beginnings": (b"", b"-----BEGIN ", b""),
    "beginnings of lines": (b"", b"-----BEGIN \n", b""),
    "beginnings within a line": (b"", b"x-----BEGIN A-----", b""),
    "beginnings without an end": (b"", b"-----BEGIN A-----\n", b""),
    "long labels": (b"", b"-----BEGIN " + b"A" * 63 + b"\n", b""),
    "an open block": (b"-----BEGIN A-----\n", b"A", b""),
    "single letters": (b"-----BEGIN A-----\n", b"A \n", b"-----END A-----"),
    "headers": (b"-----BEGIN A-----\n", b"a: b\n", b"-----END A-----"),
    "headers that go on": (b"-----BEGIN A-----\na: b\n", b" \n", b"-----END A-----"),
    "empty blocks": (b"", b"-----BEGIN A-----\n-----END A-----\n", b""),
    "UTF-16": (b"\xff\xfe", b"-\0", b""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_takes_time_in_proportion(name):
    """A reader that goes back takes hours for these; a second for each MB is a wide margin on a busy machine."""
    before, unit, after = HOSTILE[name]
    text = before + unit * (MEGABYTES * 2**20 // len(unit)) + after
    started = time.process_time()
    with contextlib.suppress(DecodeError):
        pem.blocks(text)
    assert time.process_time() - started < MEGABYTES
