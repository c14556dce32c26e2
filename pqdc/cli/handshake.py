"""`pqdc handshake`: a handshake in memory, and its bytes message by message."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.handshake import Identity, Outcome
    from pqdc.handshake.ledger import Direction, MessageBytes, Part
    from pqdc.scheme.catalog import Catalog
    from pqdc.scheme.facts import Scheme

_HOST = "localhost"
_LIFETIME = timedelta(hours=24)


def command(
    scheme: Annotated[
        str | None,
        typer.Option("--scheme", help="Of the credential's key; none: the leaf's own key proves the server."),
    ] = None,
    leaf_scheme: Annotated[str, typer.Option("--leaf-scheme", help="Of the leaf's key.")] = "P-256",
    ca_scheme: Annotated[
        str | None, typer.Option("--ca-scheme", help="Of the CA's key; the leaf's unless given.")
    ] = None,
    group: Annotated[
        str, typer.Option("--group", help="Key exchange: X25519, SECP256R1 (or 384, 521), X25519MLKEM768.")
    ] = "X25519",
    client_dc: Annotated[
        bool, typer.Option("--client-dc", help="The client proves itself too, in the same way.")
    ] = False,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--compare",
            metavar="A B",
            help="Two schemes side by side; LEAF:X is a chain of X without a credential.",
        ),
    ] = None,
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> None:
    """Shake hands in memory, and print every byte of it.

    What each message, and each part of it, costs on the wire.
    """
    catalog = options.catalog(algorithms)
    if compare and scheme:
        raise typer.BadParameter("--scheme and --compare exclude each other")
    names: tuple[str | None, ...] = compare or (scheme,)
    setting = _Setting(catalog, leaf_scheme, ca_scheme, group, client_dc=client_dc)
    outcomes = [(name, setting.run(name)) for name in names]
    if as_json:
        rows = [_as_dict(catalog, name or f"LEAF:{leaf_scheme}", outcome) for name, outcome in outcomes]
        print(json.dumps(rows if compare else rows[0], indent=2))
    elif compare:
        _print_comparison([(name or "", outcome) for name, outcome in outcomes])
    else:
        _print(catalog, outcomes[0][1])


class _Setting:
    """What the handshakes of one command have in common."""

    def __init__(
        self, catalog: Catalog, leaf_scheme: str, ca_scheme: str | None, group: str, *, client_dc: bool
    ) -> None:
        from pqdc.handshake import Group

        self.catalog = catalog
        self.leaf_scheme = leaf_scheme
        self.ca_scheme = ca_scheme
        self.client_dc = client_dc
        self.now = options.moment(None)
        try:
            self.group = Group[group.upper().replace("P-256", "SECP256R1")]
        except KeyError:
            known = ", ".join(item.name for item in Group)
            raise typer.BadParameter(f"one of {known} wanted, got {group!r}", param_hint="--group") from None

    def run(self, name: str | None) -> Outcome:
        """One handshake: a scheme's name for a credential of it; None or LEAF:NAME for a chain alone."""
        from pqdc.handshake import Client, ClientAuth, Server, Trust, shake_hands

        leaf = self.leaf_scheme
        if name is not None and name.upper().startswith("LEAF:"):
            leaf, name = name[5:], None
        chosen = None if name is None else self.catalog[name]
        roots, server_side, client_side = self._prepare(self.catalog[leaf], chosen)
        points = () if chosen is None or chosen.code_point is None else (chosen.code_point,)
        common: dict[str, Any] = {
            "catalog": self.catalog,
            "clock": lambda: self.now,
            "trust": Trust(roots),
            "dc_schemes": points,
        }
        auth = ClientAuth.NO if client_side is None else ClientAuth.REQUIRED
        client = Client(
            identities=() if client_side is None else (client_side,),
            server_name=_HOST,
            groups=(self.group,),
            **common,
        )
        server = Server(identities=(server_side,), client_auth=auth, groups=(self.group,), **common)
        return shake_hands(client, server)

    def _prepare(self, leaf_scheme: Scheme, scheme: Scheme | None) -> tuple[list[bytes], Identity, Identity | None]:
        """The CA, and the two identities."""
        from pqdc.credential.authority import make_authority
        from pqdc.credential.leaf import Leaf
        from pqdc.credential.mint import mint
        from pqdc.credential.structures import Role
        from pqdc.handshake import Identity
        from pqdc.scheme import backends

        above = self.catalog[self.ca_scheme] if self.ca_scheme else leaf_scheme
        authority = make_authority(backends.choose(above).generate(above), name="pqdc CA", days=365, now=self.now)

        def identity(role: Role) -> Identity:
            key = backends.choose(leaf_scheme).generate(leaf_scheme)
            leaf = authority.issue(key, hosts=[_HOST], days=90, now=self.now, catalog=self.catalog)
            if scheme is None:
                return Identity(leaf=leaf, key=key)
            signer = Leaf(leaf, key.sign)
            dc, dc_key = mint(signer, scheme, valid_for=_LIFETIME, now=self.now, role=role)
            return Identity.delegated(dc, dc_key, leaf)

        return [authority.der], identity(Role.SERVER), identity(Role.CLIENT) if self.client_dc else None


def _proof(catalog: Catalog, outcome: Outcome) -> str:
    proof = outcome.client.peer
    if proof is None:
        return "nobody"
    names = catalog.with_code_point(proof.scheme)
    return f"{names[0].name if names else hex(proof.scheme)} {'credential' if proof.dc else 'leaf key'}"


def _as_dict(catalog: Catalog, name: str, outcome: Outcome) -> dict[str, Any]:
    from pqdc.handshake import Group

    return {
        "scheme": name,
        "proof": _proof(catalog, outcome),
        "group": Group(outcome.client.group).name,
        "cipher_suite": outcome.client.cipher_suite,
        "server_flight_bytes": outcome.ledger.server_flight_bytes,
        "total_bytes": outcome.ledger.total_bytes,
        "ledger": outcome.ledger.as_dict(),
    }


def _print(catalog: Catalog, outcome: Outcome) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"The server proved itself by: {_proof(catalog, outcome)}\n", highlight=False)
    for sender, direction in (("client", outcome.ledger.client), ("server", outcome.ledger.server)):
        table = Table(f"{sender} sends", "bytes", box=None, pad_edge=False)
        table.columns[1].justify = "right"
        for message in direction.messages:
            _add(table, message, 0)
        for label, size in _totals(direction):
            table.add_row(label, f"{size:,}")
        console.print(table)
        console.print(_say_network(direction) + "\n", highlight=False)


def _add(table: Any, item: MessageBytes | Part, depth: int) -> None:
    style = "bold" if depth == 0 else ""
    table.add_row("  " * depth + item.name, f"{item.bytes:,}", style=style)
    if len(item.parts) > 1:
        for part in item.parts:
            _add(table, part, depth + 1)


def _totals(direction: Direction) -> list[tuple[str, int]]:
    return [
        (f"record overhead ({direction.records} records)", direction.record_overhead),
        ("change_cipher_spec, for compatibility", direction.compatibility_bytes),
        ("on the wire", direction.wire_bytes),
    ]


def _say_network(direction: Direction) -> str:
    from pqdc.handshake.ledger import INITCWND, MSS

    many = "s" if direction.segments != 1 else ""
    return (
        f"{direction.segments} TCP segment{many} of {MSS} bytes, "
        f"in {direction.flights} flight{'s' if direction.flights != 1 else ''} from a window of {INITCWND}"
    )


def _print_comparison(outcomes: list[tuple[str, Outcome]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("bytes", *(name for name, _ in outcomes), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, path in _COMPARED:
        table.add_row(label, *(f"{outcome.ledger.server.bytes_of(*path):,}" for _, outcome in outcomes))
    for label in ("handshake_bytes", "record_overhead", "wire_bytes", "segments", "flights"):
        sizes = (f"{getattr(outcome.ledger.server, label):,}" for _, outcome in outcomes)
        table.add_row(f"server {label.replace('_', ' ')}", *sizes)
    table.add_row("client wire bytes", *(f"{outcome.ledger.client.wire_bytes:,}" for _, outcome in outcomes))
    Console().print(table)


_COMPARED = (
    ("ServerHello", ("ServerHello",)),
    ("leaf certificate", ("Certificate", "leaf certificate")),
    ("credential", ("Certificate", "delegated_credential")),
    ("  its key", ("Certificate", "delegated_credential", "spki")),
    ("  its signature", ("Certificate", "delegated_credential", "signature")),
    ("CertificateVerify", ("CertificateVerify",)),
    ("Finished", ("Finished",)),
)
