"""Room: whether keys and signatures go where TLS wants them, told from a real handshake where one is possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from pqdc.check.evidence import Evidence
from pqdc.check.findings import Finding
from pqdc.credential import fit
from pqdc.credential.authority import make_authority
from pqdc.credential.leaf import Leaf
from pqdc.credential.mint import mint
from pqdc.credential.structures import LARGEST_DC, LARGEST_SIGNATURE
from pqdc.handshake import Client, Identity, Ledger, Server, Trust, shake_hands
from pqdc.handshake.ledger import INITCWND, MSS, flights
from pqdc.scheme import backends
from pqdc.scheme.catalog import Catalog
from pqdc.scheme.facts import Scheme

__all__ = ["room"]

RECORD = 2**14  # bytes of plaintext in a TLS record: RFC 8446 section 5.1
WINDOW = MSS * INITCWND
_HOST = "localhost"


def room(evidence: Evidence, catalog: Catalog, leaf_scheme: Scheme, now: datetime) -> list[Finding]:
    """Credential, CertificateVerify, record, and the server's first flight."""
    scheme = evidence.scheme
    found = [_credential(scheme, leaf_scheme), _certificate_verify(scheme)]
    if fit.reason_against(scheme, leaf_scheme.signature_bytes):
        return found
    ledger = _shake_hands(evidence, catalog, leaf_scheme, now)
    return [*found, _record(ledger), _flight(ledger)]


def _credential(scheme: Scheme, leaf_scheme: Scheme) -> Finding:
    reason = fit.reason_against(scheme, leaf_scheme.signature_bytes)
    figures = {"largest": LARGEST_DC, "reason": reason}
    if reason:
        return Finding(question="fits a credential", verdict="noted", seen=f"no: {reason}", figures=figures)
    size = fit.dc_bytes(scheme, leaf_scheme.signature_bytes)
    seen = f"yes: at most {size:,} bytes of {LARGEST_DC:,} under a leaf of {leaf_scheme.name}"
    return Finding(question="fits a credential", verdict="passed", seen=seen, figures=figures | {"bytes": size})


def _certificate_verify(scheme: Scheme) -> Finding:
    fits = scheme.signature_bytes <= LARGEST_SIGNATURE
    seen = (
        f"{'yes' if fits else 'no'}: a signature of {scheme.signature_bytes:,} bytes, {LARGEST_SIGNATURE:,} go into it"
    )
    figures = {"bytes": scheme.signature_bytes, "largest": LARGEST_SIGNATURE}
    return Finding(question="fits CertificateVerify", verdict="passed" if fits else "noted", seen=seen, figures=figures)


def _record(ledger: Ledger) -> Finding:
    size = ledger.server.bytes_of("CertificateVerify")
    records = -(-size // RECORD)
    seen = (
        f"CertificateVerify has {size:,} bytes: {'one record' if records == 1 else f'{records} records'} of {RECORD:,}"
    )
    figures = {"certificate_verify_bytes": size, "records": records, "record": RECORD}
    return Finding(question="one record", verdict="passed" if records == 1 else "noted", seen=seen, figures=figures)


def _flight(ledger: Ledger) -> Finding:
    size = ledger.server_flight_bytes
    trips = flights(size) - 1
    seen = f"the server sends {size:,} bytes, the first window holds {WINDOW:,}"
    if trips:
        seen += f": {trips} more round trip{'s' if trips > 1 else ''}"
    figures = {"server_flight_bytes": size, "window": WINDOW, "extra_round_trips": trips}
    return Finding(question="first window", verdict="noted" if trips else "passed", seen=seen, figures=figures)


def _shake_hands(evidence: Evidence, catalog: Catalog, leaf_scheme: Scheme, now: datetime) -> Ledger:
    """A handshake whose credential is of this scheme, by this backend."""
    scheme, name = evidence.scheme, evidence.backend.name
    only = replace(scheme, backends={name: scheme.backends[name]})
    schemes = Catalog([only if other is scheme else other for other in catalog.values()])
    leaf_key = backends.choose(leaf_scheme).generate(leaf_scheme)
    authority = make_authority(leaf_key, name="pqdc CA", days=9, now=now)
    certificate = authority.issue(leaf_key, hosts=[_HOST], days=9, now=now, catalog=schemes)
    leaf = Leaf(certificate, leaf_key.sign)
    dc, key = mint(leaf, only, valid_for=timedelta(hours=24), now=now)
    client = Client(
        catalog=schemes,
        clock=lambda: now,
        trust=Trust([authority.der]),
        server_name=_HOST,
        dc_schemes=(scheme.code_point or 0,),
    )
    server = Server(catalog=schemes, clock=lambda: now, identities=(Identity.delegated(dc, key, certificate),))
    return shake_hands(client, server).ledger
