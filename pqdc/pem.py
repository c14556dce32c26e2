"""PEM (RFC 7468), read as it is found in the wild and written as it should be.

A byte order mark, UTF-16, CRLF or lone CR, indentation, text before, between and after the blocks, headers as in old
OpenSSL keys: none of it matters. What a block is, its content tells; the label is only reported. Reading takes time and
memory in proportion to the text, whatever it says.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from pqdc.errors import DecodeError

__all__ = ["MOST_BLOCKS", "Block", "armour", "blocks", "text_of"]

MOST_BLOCKS = 4096  # the largest bundles of CA certificates have a few hundred
LONGEST_LABEL = 64
_END, _DASHES = b"END ", b"-----"
# Linear: it begins at line starts alone, its blanks are never given back, its label is short.
_BEGIN = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\n\r]))[ \t]*+-----BEGIN ([ -,.-~][ -~]{0,63}?)-----")
_BEGIN_HERE = re.compile(rb"-----BEGIN ([ -,.-~][ -~]{0,63}?)-----")  # files joined without a newline in between
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Block:
    """One PEM block: its label, its bytes, and whether headers say that it is encrypted (RFC 1421, old OpenSSL)."""

    label: str
    data: bytes
    encrypted: bool = False


def blocks(text: bytes) -> list[Block]:
    """All blocks of a file, in order; none if there are none.

    Raises:
        DecodeError: a block does not end, ends under another label than it began, or is not base64; or there are more
            than MOST_BLOCKS. The message quotes labels, and never a body.
    """
    text = text_of(text)
    if b"-----BEGIN " not in text:  # spares large binary files the slower search
        return []
    found: list[Block] = []
    position = 0
    while begin := _BEGIN_HERE.match(text, position) or _BEGIN.search(text, position):
        if len(found) == MOST_BLOCKS:
            raise DecodeError(f"PEM: at most {MOST_BLOCKS:,} blocks wanted")
        block, position = _block(text, begin[1], begin.end())
        found.append(block)
    return found


def text_of(data: bytes) -> bytes:
    """`data`, or its ASCII characters where a byte order mark says that it is UTF-16, as some shells write."""
    encoding = _UTF16.get(data[:2])
    if not encoding:
        return data
    try:
        return data[2:].decode(encoding).encode("ascii", "replace")
    except UnicodeDecodeError:
        return data


def armour(label: str, data: bytes, *, line: int = 64) -> bytes:
    """`data` as one block with lines of `line` characters; 0 puts the body on one."""
    body = base64.b64encode(data).decode("ascii")
    step = line or len(body) or 1
    lines = [body[start : start + step] for start in range(0, len(body), step)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")


def _block(text: bytes, label: bytes, start: int) -> tuple[Block, int]:
    """The block whose content begins at `start`, and where it ends. In content of base64 no dashes stand."""
    name = label.decode("ascii")
    end = text.find(_DASHES, start)
    if end < 0 or not text.startswith(_END, end + len(_DASHES)):
        raise DecodeError(f"PEM: the block {name} does not end")
    closing = end + len(_DASHES) + len(_END)
    close = text.find(_DASHES, closing, closing + LONGEST_LABEL + len(_DASHES))
    if close < 0 or text[closing:close] != label:
        raise DecodeError(f"PEM: the block {name} ends under another label")
    headers, body = _split(text[start:end])
    try:
        data = base64.b64decode(body.translate(None, b" \t\r\n\x0b\x0c"), validate=True)
    except binascii.Error:
        raise DecodeError(f"PEM: the block {name} is not base64") from None
    return Block(label=name, data=data, encrypted=b"ENCRYPTED" in headers), close + len(_DASHES)


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Headers and body: a line of headers has a colon, which base64 has not."""
    colon = content.rfind(b":")
    if colon < 0:
        return b"", content
    end = content.find(b"\n", colon)
    return (content[:end], content[end:]) if end >= 0 else (content, b"")
