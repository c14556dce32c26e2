"""Looking at credentials, leaves and keys: everything that can be said of them, and every rule's verdict.

What is broken or odd is reported, not raised; the verdicts are those of `pqdc.credential.verify`. Prints nothing, and
knows no clock: `contents` reads files, `text` and `facts` make the answers of the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from pqdc.credential import refusals
from pqdc.credential.certificate import Certificate
from pqdc.credential.inspect.certificate import CertificateReport, report_certificate
from pqdc.credential.inspect.contents import Contents, FoundCredential
from pqdc.credential.inspect.credential import report_credential
from pqdc.credential.inspect.inspection import (
    InspectedCertificate,
    InspectedCredential,
    InspectedKey,
    InspectedPublicKey,
    Inspection,
)
from pqdc.credential.inspect.pairing import is_signed_by, leaf_for, read_leaf
from pqdc.credential.inspect.private_key import report_private_key
from pqdc.credential.inspect.public_key import report_public_key
from pqdc.credential.offers import Offer, reason_against
from pqdc.credential.rules import RULES, Policy
from pqdc.credential.structures import DelegatedCredential, Role
from pqdc.credential.verify import Verdict, judge, judge_credential, judge_leaf
from pqdc.scheme.catalog import Catalog

__all__ = ["PEERS", "inspect"]

# What peers offer that a credential is made for. NSS checks `algorithm` against the list of extension 34 too, so what
# is in both is what counts.
_NSS = (0x0403, 0x0503, 0x0603, 0x0203)
PEERS: Mapping[str, Offer] = MappingProxyType(
    {"Firefox (NSS)": Offer(signature_algorithms=_NSS, delegated_credential=_NSS)}
)
_UNREADABLE = "the leaf cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    """A certificate to judge under: `certificate` is None where the strict reader refuses it, for that reason."""

    file: str
    report: CertificateReport
    certificate: Certificate | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What verdicts depend on, besides what is judged."""

    catalog: Catalog
    now: datetime
    role: Role | None
    policy: Policy


def inspect(
    files: Sequence[Contents],
    *,
    catalog: Catalog,
    now: datetime,
    leaf: Contents | None = None,
    role: Role | None = None,
    policy: Policy | None = None,
    password: bytes | None = None,
) -> Inspection:
    """Look at all that the files hold, and at what belongs together in them.

    Args:
        files: their contents.
        catalog: to name schemes by.
        now: when to judge, with a time zone.
        leaf: whose certificates credentials are judged under; unless given those of their own file, else of any.
        role: to judge credentials in; what their format says unless given, and else the server's.
        policy: as for `verify`.
        password: for encrypted private keys.
    """
    by = _Judge(catalog=catalog, now=now, role=role, policy=policy or Policy())
    given = [_leaf(leaf.name, data, catalog) for data in leaf.certificates] if leaf else []
    found = [(file, [_leaf(file.name, data, catalog) for data in file.certificates]) for file in files]
    everywhere = [one for _, own in found for one in own]
    credentials = tuple(
        _credential(file, credential, given or own or everywhere, by)
        for file, own in found
        for credential in file.credentials
    )
    certificates = tuple(
        _certificate(one, by, is_leaf=one in (given[:1] + [own[0] for _, own in found if own]))
        for one in (*given, *everywhere)
    )
    keys = _keys_of(credentials, certificates)
    raw_keys = [key for _, key in keys]
    return Inspection(
        at=int(now.timestamp()),
        credentials=credentials,
        certificates=certificates,
        private_keys=tuple(
            InspectedKey(file=file.name, report=report, belongs_to=_with_key(keys, report.public_key))
            for file in files
            for private in file.private_keys
            for report in (report_private_key(private, catalog, password=password, beside=raw_keys),)
        ),
        public_keys=tuple(
            InspectedPublicKey(file=file.name, report=key, belongs_to=_with_key(keys, key.key))
            for file in files
            for public in file.public_keys
            for key in (report_public_key(public, catalog),)
        ),
    )


def _leaf(file: str, data: bytes, catalog: Catalog) -> _Leaf:
    report = report_certificate(data, catalog)
    try:
        return _Leaf(file=file, report=report, certificate=read_leaf(data, catalog))
    except refusals.LeafMalformed as refusal:
        return _Leaf(file=file, report=report, reason=refusal.got)


def _credential(file: Contents, found: FoundCredential, leaves: Sequence[_Leaf], by: _Judge) -> InspectedCredential:
    report = report_credential(found.data, by.catalog)
    role = by.role or found.role or Role.SERVER
    plain = InspectedCredential(file=file.name, format=file.format, role=role, report=report)
    dc = report.dc
    if dc is None:
        return plain
    if role is Role.SERVER:
        plain = replace(plain, peers={name: reason_against(dc, offer) for name, offer in PEERS.items()})
    leaf = _leaf_among(dc, leaves, role)
    if leaf is None:
        return replace(plain, verdicts=tuple(judge_credential(dc, by.catalog, reason="no leaf is given")))
    plain = replace(plain, leaf_file=leaf.file, leaf_sha256=leaf.report.sha256)
    certificate = leaf.certificate
    if certificate is None:
        verdicts = judge_credential(dc, by.catalog, reason=_UNREADABLE)
        return replace(plain, verdicts=tuple(_malformed(verdict, leaf.reason) for verdict in verdicts))
    return replace(
        plain,
        ends=certificate.not_before + dc.cred.valid_time,
        verdicts=tuple(judge(dc, certificate, now=by.now, role=role, policy=by.policy)),
        note=_note(dc, certificate, role),
    )


def _leaf_among(dc: DelegatedCredential, leaves: Sequence[_Leaf], role: Role) -> _Leaf | None:
    readable = [leaf.certificate for leaf in leaves if leaf.certificate]
    if not readable:
        return leaves[0] if leaves else None
    chosen = leaf_for(dc, readable, role)
    return next(leaf for leaf in leaves if leaf.certificate is chosen)


def _malformed(verdict: Verdict, reason: str) -> Verdict:
    """The verdict under a leaf that cannot be read: the rule that asks for a sound leaf fails."""
    if refusals.LeafMalformed not in verdict.rule.refusals:
        return verdict
    refusal = refusals.LeafMalformed("a leaf that follows RFC 5280", reason)
    return Verdict(rule=verdict.rule, outcome="fail", reason=str(refusal), refusal=refusal)


def _note(dc: DelegatedCredential, leaf: Certificate, role: Role) -> str:
    if is_signed_by(dc, leaf, role) or not is_signed_by(dc, leaf, role.other):
        return ""
    other = role.other.name.lower()
    return f"this leaf signed it as a {other} credential: --role {other}"


def _certificate(leaf: _Leaf, by: _Judge, *, is_leaf: bool) -> InspectedCertificate:
    """A certificate as a leaf; of the others of a file, a CA is not asked to be one."""
    verdicts: list[Verdict] = []
    if leaf.certificate and (is_leaf or not leaf.report.is_ca):
        verdicts = judge_leaf(leaf.certificate, now=by.now, policy=by.policy)
    elif not leaf.certificate:
        unread = [Verdict(rule=rule, outcome="not checked", reason=_UNREADABLE) for rule in RULES if rule.of_leaf]
        verdicts = [_malformed(verdict, leaf.reason) for verdict in unread]
    return InspectedCertificate(file=leaf.file, report=leaf.report, verdicts=tuple(verdicts))


def _keys_of(
    credentials: Sequence[InspectedCredential], certificates: Sequence[InspectedCertificate]
) -> list[tuple[str, bytes]]:
    """What has a public key: what to call it, and the raw key."""
    found = [(f"the credential in {credential.file}", credential.report.public_key) for credential in credentials]
    found += [(f"the certificate in {certificate.file}", certificate.report.public_key) for certificate in certificates]
    return [(name, key.key) for name, key in found if key and key.key]


def _with_key(keys: Sequence[tuple[str, bytes]], raw: bytes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, key in keys if key == raw))
