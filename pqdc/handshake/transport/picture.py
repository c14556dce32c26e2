"""The chain of trust of one connection as a picture: CA, leaf, credential, handshake. Inline SVG, from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from pqdc.credential.certificate import say_duration

__all__ = ["chain_picture", "remaining_life"]

# In user units; a character of the font in use is about 6.4 wide.
_WIDTH, _BOX_WIDTH, _BOX_HEIGHT, _EDGE = 684, 134, 84, 2
_FITS = 19
_TIP = """\
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z"/></marker></defs>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """One that proves the next: `does` stands on the arrow to that."""

    kind: str
    title: str
    lines: tuple[str, ...]
    does: str = ""


def chain_picture(server: dict[str, Any]) -> str:
    """Who vouches for whom, from what `page.describe` says of the server."""
    leaf = server["leaf"]
    is_delegated = "credential_bytes" in server
    boxes = [
        _Box(kind="certificate", title="CA", lines=(leaf["issuer"],), does="signs"),
        _Box(
            kind="certificate",
            title="Leaf certificate",
            lines=(leaf["name"], leaf["scheme"], f"until {leaf['valid_until'][:10]}"),
            does="signs" if is_delegated else "proves",
        ),
    ]
    if is_delegated:
        life = remaining_life(server["remaining_seconds"])
        boxes.append(
            _Box(kind="credential", title="Credential", lines=(server["scheme"], f"for {life}"), does="proves")
        )
    boxes.append(_Box(kind="message", title="This handshake", lines=("CertificateVerify", f"by {server['scheme']}")))
    return _draw(boxes)


def remaining_life(seconds: int) -> str:
    """For people, in its two largest units."""
    return say_duration(seconds, units=2) if seconds >= 0 else "none"


def _draw(boxes: Sequence[_Box]) -> str:
    said = ", ".join(f"{box.title} {box.does} {then.title}" for box, then in pairwise(boxes))
    parts = [
        f'<svg class="chain" viewBox="0 0 {_WIDTH} {_BOX_HEIGHT + 2 * _EDGE}" role="img" aria-label="{escape(said)}">',
        _TIP,
    ]
    gap = (_WIDTH - 2 * _EDGE - _BOX_WIDTH * len(boxes)) / (len(boxes) - 1)
    for position, box in enumerate(boxes):
        x = _EDGE + position * (_BOX_WIDTH + gap)
        parts.append(_draw_box(box, x))
        if box.does:
            begin, y = x + _BOX_WIDTH, _EDGE + _BOX_HEIGHT / 2
            end = begin + gap
            parts.append(
                f'<line x1="{begin + 3:.1f}" y1="{y}" x2="{end - 3:.1f}" y2="{y}" marker-end="url(#tip)"/>'
                f'<text class="does" x="{(begin + end) / 2:.1f}" y="{y - 7}">{escape(box.does)}</text>'
            )
    return "\n".join([*parts, "</svg>"])


def _draw_box(box: _Box, x: float) -> str:
    middle = x + _BOX_WIDTH / 2
    lines = [
        f'<rect class="{box.kind}" x="{x:.1f}" y="{_EDGE}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="8"/>',
        f'<text class="title" x="{middle:.1f}" y="{_EDGE + 22}">{escape(box.title)}</text>',
    ]
    for number, line in enumerate(box.lines):
        fitted = f' textLength="{_BOX_WIDTH - 12}" lengthAdjust="spacingAndGlyphs"' if len(line) > _FITS else ""
        lines.append(f'<text x="{middle:.1f}" y="{_EDGE + 41 + 16 * number}"{fitted}>{escape(line)}</text>')
    return "".join(lines)
