"""PEM (RFC 7468), read as it is found in the wild and written as it should be.

A byte order mark, CRLF, text before, between and after the blocks, headers as in old OpenSSL keys: none of it matters.
What a block is, its content tells; the label is only reported.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from pqdc.errors import DecodeError

__all__ = ["Block", "armour", "blocks"]

_BLOCK = re.compile(
    rb"-----BEGIN (?P<label>[ -~]{0,64}?)-----[ \t]*\r?\n(?P<body>[^-]*?(?:-[^-]+?)*?)-----END (?P<end>[ -~]{0,64}?)-----",
)
_HEADER = re.compile(rb"^[A-Za-z0-9-]+:[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Block:
    """One PEM block: its label, its bytes, and whether headers say that it is encrypted (RFC 1421, old OpenSSL)."""

    label: str
    data: bytes
    encrypted: bool = False


def blocks(text: bytes) -> list[Block]:
    """All blocks of a file, in order; none if there are none.

    Raises:
        DecodeError: a block is not base64, or ends under another label than it began.
    """
    found = []
    for match in _BLOCK.finditer(text):
        label = match["label"].decode("ascii")
        if match["label"] != match["end"]:
            raise DecodeError(f"PEM: the block {label} ends as {match['end'].decode('ascii')}")
        encrypted = b"ENCRYPTED" in match["body"]
        body = b"".join(_HEADER.sub(b"", match["body"]).split())
        try:
            data = base64.b64decode(body, validate=True)
        except binascii.Error:
            raise DecodeError(f"PEM: the block {label} is not base64") from None
        found.append(Block(label=label, data=data, encrypted=encrypted))
    return found


def armour(label: str, data: bytes, *, line: int = 64) -> bytes:
    """`data` as one block with lines of `line` characters; 0 puts the body on one."""
    body = base64.b64encode(data).decode("ascii")
    step = line or len(body)
    lines = [body[start : start + step] for start in range(0, len(body), step)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")
