"""A tolerant reader of BER, for looking at what strict ones refuse: what is no DER becomes a finding with its byte.

For linting only: verifying reads with `cryptography`, strictly. Elements, depth and bytes are bounded; nothing is
encoded here. X.690 sections in brackets.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pqdc.credential.inspect.findings import Finding
from pqdc.errors import DecodeError

__all__ = [
    "BIT_STRING",
    "BOOLEAN",
    "INTEGER",
    "NULL",
    "OCTET_STRING",
    "OID",
    "SEQUENCE",
    "SET",
    "BrokenDer",
    "Element",
    "parse",
]

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, SEQUENCE, SET = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x31
_CONSTRUCTED = 0x20
_DEEPEST = 32
_MOST = 20_000


class BrokenDer(DecodeError):
    """Not even BER. `byte` is where reading stopped."""

    def __init__(self, message: str, byte: int) -> None:
        super().__init__(f"at byte {byte}: {message}")
        self.byte = byte


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Element:
    """One tag, length and content.

    Attributes:
        tag: the identifier byte, class and constructed bit included; for tags of several bytes the first one.
        start: where it begins, counted as the caller counts.
        header: how many bytes tag and length take.
        content: its bytes, those of an end-of-contents mark left out.
        whole: all of its bytes.
        children: of a constructed one.
    """

    tag: int
    start: int
    header: int
    content: bytes
    whole: bytes
    children: tuple[Element, ...]

    @property
    def content_start(self) -> int:
        """Where the content begins."""
        return self.start + self.header

    def child(self, position: int, tag: int | None = None) -> Element | None:
        """The child there, if there is one (and, if asked for, of that tag)."""
        found = self.children[position] if position < len(self.children) else None
        return found if found and tag in {None, found.tag} else None

    def integer(self) -> int:
        """The content as an INTEGER."""
        return int.from_bytes(self.content, "big", signed=True)

    def oid(self) -> str:
        """The content as an OBJECT IDENTIFIER, dotted; what ends within an arc is cut there."""
        arcs: list[int] = []
        arc = 0
        for byte in self.content[:256]:
            arc = arc << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs += [arc] if arcs else [min(arc // 40, 2), arc - 40 * min(arc // 40, 2)]
                arc = 0
        return ".".join(map(str, arcs)) or "(empty)"

    def bits(self) -> bytes:
        """The bytes of a BIT STRING."""
        return self.content[1:]


def parse(data: bytes, findings: list[Finding], *, what: str, base: int = 0) -> Element:
    """The first element of `data`; what is odd about it, and bytes after it, go to `findings`.

    Args:
        data: what to read.
        findings: where oddities go.
        what: the name of the data, for messages.
        base: the number of its first byte.

    Raises:
        BrokenDer: it ends within the element, or is none at all.
    """
    reader = _Reader(data=data, base=base, findings=findings)
    element, end = reader.element(0, len(data), 0)
    if end < len(data):
        reader.find(end, f"{_bytes(len(data) - end)} left over after the end of the {what}")
    return element


@dataclass(slots=True, kw_only=True)
class _Reader:
    data: bytes
    base: int
    findings: list[Finding]
    count: int = field(default=0)

    def find(self, position: int, what: str, section: str = "X.690 section 10") -> None:
        self.findings.append(Finding(where=f"byte {self.base + position}", what=what, section=section))

    def broken(self, position: int, message: str) -> BrokenDer:
        return BrokenDer(message, self.base + position)

    def element(self, start: int, end: int, depth: int) -> tuple[Element, int]:
        """The element at `start`, and where it ends."""
        self.count += 1
        if self.count > _MOST or depth > _DEEPEST:
            raise self.broken(start, f"more than {_MOST:,} elements, or {_DEEPEST} levels")
        position = self._after_tag(start, end)
        length, position = self._length(position, end)
        tag = self.data[start]
        if length is None:
            children, stop, after = self._until_mark(position, end, depth, start)
        else:
            stop = after = position + length
            if stop > end:
                raise self.broken(
                    start, f"an element of {_bytes(length)} wanted by its length, {_bytes(end - position)} are left"
                )
            children = self._children(position, stop, depth) if tag & _CONSTRUCTED else ()
        found = Element(
            tag=tag,
            start=self.base + start,
            header=position - start,
            content=self.data[position:stop],
            whole=self.data[start:after],
            children=children,
        )
        self._look_at(found, start)
        return found, after

    def _children(self, start: int, end: int, depth: int) -> tuple[Element, ...]:
        children = []
        try:
            while start < end:
                child, start = self.element(start, end, depth + 1)
                children.append(child)
        except BrokenDer as error:
            if self.count > _MOST or depth >= _DEEPEST:
                raise
            self.find(error.byte - self.base, str(error).split(": ", 1)[1], "X.690 section 8")
        return tuple(children)

    def _until_mark(self, start: int, end: int, depth: int, outer: int) -> tuple[tuple[Element, ...], int, int]:
        """The children of an element of indefinite length, where they end, and where its mark does."""
        self.find(outer, "an indefinite length", "X.690 section 10.1")
        children = []
        while self.data[start : start + 2] != b"\0\0":
            child, start = self.element(start, end, depth + 1)
            children.append(child)
        return tuple(children), start, start + 2

    def _after_tag(self, start: int, end: int) -> int:
        if start >= end:
            raise self.broken(start, "an element wanted, nothing is left")
        position = start + 1
        if self.data[start] & 0x1F == 0x1F:
            while position < end and self.data[position] & 0x80:
                position += 1
            position += 1
        return position

    def _length(self, position: int, end: int) -> tuple[int | None, int]:
        """The length at `position`, None if indefinite, and where the content begins."""
        if position >= end:
            raise self.broken(position, "a length wanted, nothing is left")
        first = self.data[position]
        if first < 0x80:
            return first, position + 1
        if first == 0x80:
            return None, position + 1
        after = position + 1 + (first & 0x7F)
        if first > 0x88:
            raise self.broken(position, f"a length of {_bytes(first & 0x7F)}, which nothing has")
        if after > end:
            raise self.broken(position, f"a length of {_bytes(first & 0x7F)} wanted, {end - position - 1} are left")
        length = int.from_bytes(self.data[position + 1 : after], "big")
        if length < 0x80 or self.data[position + 1] == 0:
            self.find(position, "a length in more bytes than it needs", "X.690 section 10.1")
        return length, after

    def _look_at(self, element: Element, at: int) -> None:
        content = element.content
        match element.tag:
            case 0x01 if len(content) != 1:
                self.find(at, f"a BOOLEAN of {_bytes(len(content))}", "X.690 section 8.2")
            case 0x01 if content not in {b"\0", b"\xff"}:
                self.find(at, f"TRUE written as {content.hex()}, not ff", "X.690 section 11.1")
            case 0x02 if not content:
                self.find(at, "an INTEGER without content", "X.690 section 8.3")
            case 0x02 if len(content) > 1 and (content[0], content[1] >> 7) in {(0, 0), (0xFF, 1)}:
                self.find(at, "an INTEGER with more leading bytes than it needs", "X.690 section 8.3.2")
            case 0x03:
                self._look_at_bits(content, at)
            case 0x05 if content:
                self.find(at, "a NULL with content", "X.690 section 8.8")
            case 0x06 if not content or content[-1] & 0x80:
                self.find(at, "an OBJECT IDENTIFIER that ends within an arc", "X.690 section 8.19")
            case 0x06 if any(
                byte == 0x80 and not (position and content[position - 1] & 0x80)
                for position, byte in enumerate(content)
            ):
                self.find(at, "an arc of an OBJECT IDENTIFIER with leading zeros", "X.690 section 8.19.2")
            case 0x23 | 0x24 | 0x2C | 0x33 | 0x36:
                self.find(at, "a string in pieces (constructed)", "X.690 section 10.2")
            case _:
                pass

    def _look_at_bits(self, content: bytes, at: int) -> None:
        if not content or content[0] > 7 or (content[0] and len(content) == 1):
            self.find(at, "a BIT STRING without a possible count of unused bits", "X.690 section 8.6")
        elif content[0] and content[-1] & ((1 << content[0]) - 1):
            self.find(at, "a BIT STRING whose unused bits are not zero", "X.690 section 11.2.1")


def _bytes(count: int) -> str:
    return f"{count:,} byte{'' if count == 1 else 's'}"
