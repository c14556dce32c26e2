"""As much HTTP/1.1 (RFC 9112) as `pqdc serve` needs: one GET or HEAD a connection, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

__all__ = ["LARGEST_REQUEST", "Answer", "read_request", "respond"]

LARGEST_REQUEST = 16_384
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 431: "Header Fields Too Large"}
_ALWAYS = (
    "Connection: close\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\r\n"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of an answer, made when it is asked for."""

    media_type: str
    make: Callable[[], str]


async def read_request(read: Callable[[], Awaitable[bytes]], *, seconds: float) -> bytes:
    """A request's head, to its empty line; less if the peer ends, grows too large, or takes longer than `seconds`."""
    head = b""
    try:
        async with asyncio.timeout(seconds):
            while b"\r\n\r\n" not in head and len(head) <= LARGEST_REQUEST:
                more = await read()
                if not more:
                    break
                head += more
    except TimeoutError:
        return b""
    return head


def respond(head: bytes, pages: Mapping[str, Answer]) -> bytes:
    """The whole answer to a request; empty if there was none."""
    if not head:
        return b""
    if b"\r\n\r\n" not in head:
        return _answer(431 if len(head) > LARGEST_REQUEST else 400)
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return _answer(400)
    if words[0] not in {b"GET", b"HEAD"}:
        return _answer(405)
    page = pages.get(words[1].split(b"?", 1)[0].decode("latin-1"))
    if page is None:
        return _answer(404)
    return _answer(200, page.media_type, page.make().encode(), body=words[0] == b"GET")


def _answer(status: int, media_type: str = "text/plain", content: bytes = b"", *, body: bool = True) -> bytes:
    content = content or f"{status} {_REASONS[status]}\n".encode()
    allow = "Allow: GET, HEAD\r\n" if status == 405 else ""
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        f"Content-Type: {media_type}; charset=utf-8\r\nContent-Length: {len(content)}\r\n{allow}{_ALWAYS}\r\n"
    )
    return head.encode() + (content if body else b"")
