"""The page of `pqdc serve`: which credential protected this connection, how long it lasts, what it cost in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from pqdc.credential.certificate import Certificate, say_time
from pqdc.handshake.codepoints import CipherSuite, Group, name_of
from pqdc.handshake.events import Proof, Session
from pqdc.handshake.ledger import Ledger
from pqdc.handshake.transport.picture import chain_picture, remaining_life
from pqdc.scheme.catalog import Catalog

__all__ = ["as_dict", "as_html", "describe"]

_TEMPLATE = Path(__file__).with_name("page.html")
_WIDTH, _ROW, _LABEL, _NUMBER = 640, 22, 190, 60  # of the chart, in user units


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    size: int
    kind: str


def describe(proof: Proof | None, catalog: Catalog, now: float) -> dict[str, Any] | None:
    """How one side has proved itself, for people and for JSON."""
    if proof is None:
        return None
    facts: dict[str, Any] = {
        "kind": "certificate" if proof.dc is None else "delegated credential",
        "scheme": _scheme_name(catalog, proof.scheme),
        "code_point": f"0x{proof.scheme:04x}",
        "certificates": len(proof.chain),
        "leaf": _describe_leaf(proof.chain[0], catalog),
    }
    if proof.dc is not None and proof.dc_expiry is not None:
        facts |= {
            "signed_by": _scheme_name(catalog, proof.dc.algorithm),
            "credential_bytes": len(proof.dc.encode()),
            "valid_until": say_time(proof.dc_expiry),
            "remaining_seconds": int(proof.dc_expiry - now),
        }
    return facts


def _describe_leaf(der: bytes, catalog: Catalog) -> dict[str, str]:
    """Its name and its issuer's, the scheme of its key, its end."""
    leaf = Certificate.decode(der, catalog)
    try:
        parsed = x509.load_der_x509_certificate(der)
        name, issuer = _common_name(parsed.subject), _common_name(parsed.issuer)
    except ValueError:  # of a leaf that follows RFC 5280 so loosely that the library does not read it
        name = issuer = "unreadable"
    return {
        "name": name,
        "issuer": issuer,
        "scheme": leaf.schemes[0].name if leaf.schemes else "unknown",
        "valid_until": say_time(leaf.not_after),
    }


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def as_dict(session: Session, ledger: Ledger, catalog: Catalog, now: float) -> dict[str, Any]:
    """All that is known of a connection, for JSON."""
    own, peer = describe(session.own, catalog, now), describe(session.peer, catalog, now)
    return {
        "server": own if session.role == "server" else peer,
        "client": peer if session.role == "server" else own,
        "cipher_suite": name_of(CipherSuite, session.cipher_suite),
        "group": name_of(Group, session.group),
        "server_name": session.server_name,
        "alpn": None if session.alpn is None else session.alpn.decode("latin-1"),
        "hello_retry": session.retried,
        "ledger": ledger.as_dict(),
    }


def as_html(facts: dict[str, Any], ledger: Ledger, *, preview: bool = False, advice: str = "") -> str:
    """The page for people, from what `as_dict` says; `advice` is what else they are told, at its head."""
    server, client = facts["server"], facts["client"]
    is_delegated = server["kind"] == "delegated credential"
    rows = [("Proved by", f"{server['kind']}, {server['scheme']} ({server['code_point']})")]
    subline = f"{server['scheme']}, the leaf's own key; no delegated credential"
    if is_delegated:
        life = remaining_life(server["remaining_seconds"])
        subline = f"{server['scheme']}, for another {life}"
        rows += [
            ("Credential", f"{server['credential_bytes']:,} bytes, signed by the leaf's {server['signed_by']} key"),
            ("Remaining life", f"{life}, until {server['valid_until']}"),
        ]
    rows += [
        ("Client", "not asked, or anonymous" if client is None else f"{client['kind']}, {client['scheme']}"),
        ("Key exchange", facts["group"] + (" after a HelloRetryRequest" if facts["hello_retry"] else "")),
        ("Cipher suite", facts["cipher_suite"]),
        ("Server name", facts["server_name"] or "none sent"),
    ]
    how = "would be protected by" if preview else "was protected by"
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        kind="delegated" if is_delegated else "plain",
        headline=f"This connection {how} a {'delegated credential' if is_delegated else 'certificate'}",
        subline=escape(subline + ("; a preview, sent without TLS" if preview else "")),
        advice=f'<p class="advice">{escape(advice)}</p>' if advice else "",
        picture=chain_picture(server),
        rows="\n".join(f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows),
        server_chart=_chart(_bars(ledger, "server"), "What the server sent, in bytes"),
        client_chart=_chart(_bars(ledger, "client"), "What the client sent, in bytes"),
        server_network=escape(_network(ledger, "server")),
        client_network=escape(_network(ledger, "client")),
    )


def _bars(ledger: Ledger, side: str) -> list[_Bar]:
    direction = getattr(ledger, side)
    bars = []
    for message in direction.messages:
        if message.name != "Certificate":
            bars.append(_Bar(message.name, message.bytes, "message"))
            continue
        for part in message.parts:
            kind = {"delegated_credential": "credential", "fields": "overhead"}.get(part.name, "certificate")
            label = {"fields": "Certificate: framing", "delegated_credential": "delegated credential"}.get(part.name)
            bars.append(_Bar(label or part.name, part.bytes, kind))
    return [*bars, _Bar("records", direction.record_overhead + direction.compatibility_bytes, "overhead")]


def _chart(bars: Sequence[_Bar], title: str) -> str:
    """Horizontal bars as SVG; widths are in proportion to the largest."""
    largest = max(bar.size for bar in bars) or 1
    height = _ROW * len(bars)
    lines = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">',
    ]
    for position, bar in enumerate(bars):
        y = position * _ROW
        width = max(1.0, (_WIDTH - _LABEL - _NUMBER) * bar.size / largest)
        lines.append(
            f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(bar.label)}</text>'
            f'<rect class="{bar.kind}" x="{_LABEL}" y="{y + 3}" width="{width:.1f}" height="{_ROW - 6}" rx="2"/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{y + 15}">{bar.size:,}</text>'
        )
    return "\n".join([*lines, "</svg>"])


def _network(ledger: Ledger, side: str) -> str:
    direction = getattr(ledger, side)
    return (
        f"{direction.wire_bytes:,} bytes on the wire: {direction.segments} TCP "
        f"segment{'s' if direction.segments != 1 else ''} of 1,460 bytes, "
        f"{direction.flights} flight{'s' if direction.flights != 1 else ''} from a window of 10 segments"
    )


def _scheme_name(catalog: Catalog, code_point: int) -> str:
    schemes = catalog.with_code_point(code_point)
    return schemes[0].name if schemes else f"0x{code_point:04x}"
