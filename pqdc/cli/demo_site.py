"""`pqdc demo-site`: a page that says that a delegated credential protected the connection, and how to see it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.handshake import Identity, Server, Session
    from pqdc.scheme.catalog import Catalog

_DAYS = 90
_ADVICE = (
    "Your browser has not asked for a delegated credential of a scheme that is here. In Firefox, open about:config, "
    "set security.tls.enable_delegated_credentials to true, and load this page again."
)


def command(
    out: Annotated[Path, typer.Option("--out", help="Where the CA and the leaf are, or will be, kept.")] = Path(
        "demo-site"
    ),
    scheme: Annotated[
        list[str] | None,
        typer.Option(
            "--scheme", help="Of a credential; again for more, the preferred first. ML-DSA-44 and P-256 unless given."
        ),
    ] = None,
    valid_for: Annotated[str, typer.Option("--valid-for", help="How long the credentials last.")] = "24h",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free; it is printed.")] = 4433,
    open_firefox: Annotated[
        bool,
        typer.Option("--open", help="Open it in Firefox, with a profile that is made for it and removed afterwards."),
    ] = False,
    algorithms: options.Algorithms = None,
) -> None:
    """Run a site that shows delegated credentials to a browser.

    Its page says how this connection was protected, for how long the credential lasts, and draws who vouches for whom.
    SIGHUP mints new credentials.
    """
    from pqdc.cli.service import Service
    from pqdc.handshake import Group, Server
    from pqdc.handshake.settings import DEFAULT_GROUPS
    from pqdc.handshake.transport.tcp import Bounds
    from pqdc.peers.firefox_profile import opened

    catalog = options.catalog(algorithms)
    _prepare(out, catalog)

    def load() -> Server:
        return Server(
            catalog=catalog,
            clock=lambda: datetime.now(UTC),
            identities=_identities(out, scheme or ["ML-DSA-44", "P-256"], valid_for, catalog),
            groups=(Group.X25519MLKEM768, *DEFAULT_GROUPS),
            alpn=(b"http/1.1",),
        )

    with ExitStack() as ends:

        def listening(address: str) -> None:
            _explain(address, out / "ca.pem", is_open=open_firefox)
            if open_firefox:
                ends.enter_context(opened(address, ca=out / "ca.pem"))

        service = Service(load, catalog, greet=lambda session: _greet(session, catalog), listening=listening)
        asyncio.run(service.run("127.0.0.1", port, Bounds()))


def _prepare(folder: Path, catalog: Catalog) -> None:
    """A CA and a leaf of P-256, if they are not there.

    The CA's key is not kept: who trusts the CA trusts this leaf, and no other will ever be.
    """
    from pqdc import pem
    from pqdc.credential.authority import make_authority
    from pqdc.files import OutputFile, write_files
    from pqdc.scheme import backends

    if (folder / "leaf.pem").exists():
        return
    now, scheme = options.moment(None), catalog["P-256"]
    ca_key, key = (backends.choose(scheme).generate(scheme) for _ in range(2))
    authority = make_authority(ca_key, name="pqdc demo CA", days=_DAYS, now=now)
    leaf = authority.issue(key, hosts=["localhost", "127.0.0.1"], days=_DAYS, now=now, catalog=catalog)
    files = (
        OutputFile(name="ca.pem", data=pem.armour("CERTIFICATE", authority.der)),
        OutputFile(name="leaf.pem", data=pem.armour("CERTIFICATE", leaf.der)),
        OutputFile(name="leaf.key", data=pem.armour("PRIVATE KEY", key.pkcs8()), secret=True),
    )
    write_files(folder, files)


def _identities(folder: Path, names: list[str], valid_for: str, catalog: Catalog) -> tuple[Identity, ...]:
    """New credentials under the leaf of that folder, and the leaf's own key."""
    from pqdc.credential.leaf import Leaf
    from pqdc.credential.mint import Minter
    from pqdc.credential.structures import Role
    from pqdc.handshake import Identity
    from pqdc.handshake.loading import load_identities

    minter = Minter(Leaf.load(folder / "leaf.pem", folder / "leaf.key", catalog=catalog))
    lasts, now = options.duration(valid_for), options.moment(None)
    plain = load_identities(folder / "leaf.pem", folder / "leaf.key", (), role=Role.SERVER, catalog=catalog)
    minted = (minter.mint(catalog[name], valid_for=lasts, now=now) for name in names)
    return (*(Identity.delegated(dc, key, plain[0].leaf) for dc, key in minted), *plain)


def _greet(session: Session, catalog: Catalog) -> str:
    """Tell whoever watches the terminal, and advise whoever watches the page."""
    own = session.own
    if own is None:
        return ""
    schemes = catalog.with_code_point(own.scheme)
    how = "the leaf's own key" if own.dc is None else "a delegated credential"
    print(f"a client came: {how}, {schemes[0].name if schemes else hex(own.scheme)}", file=sys.stderr, flush=True)
    return _ADVICE if own.dc is None else ""


def _explain(address: str, ca: Path, *, is_open: bool) -> None:
    if is_open:
        print("Firefox is opening; end it here with Ctrl-C", file=sys.stderr, flush=True)
        return
    steps = (
        f"1. Firefox: Settings, Privacy & Security, View Certificates, Authorities, Import: {ca}; to identify websites",
        "2. about:config: set security.tls.enable_delegated_credentials to true",
        f"3. open {address.replace('127.0.0.1', 'localhost')}; load it again when you have changed the preference",
        "or let it be done, in a profile made for it: pqdc demo-site --open",
        f"another client: pqdc connect {address.removeprefix('https://').strip('/')} --ca {ca}",
    )
    print(*steps, sep="\n", file=sys.stderr, flush=True)
