"""`pqdc mint`: a delegated credential, in the formats that servers load."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.scheme.facts import Scheme
    from pqdc.scheme.keys import PrivateKey, PublicKey


def command(
    scheme: Annotated[str, typer.Option("--scheme", help="Of the credential's key; `pqdc schemes` lists them.")],
    leaf: Annotated[Path, typer.Option("--leaf", help="The leaf certificate, which may delegate.")],
    key: Annotated[Path, typer.Option("--key", help="The leaf's private key.")],
    out: options.Out,
    valid_for: Annotated[str, typer.Option("--valid-for", help="From now: 24h, 7d, 900s.")] = "24h",
    role: Annotated[str, typer.Option("--role", help="server or client.")] = "server",
    dc_key: Annotated[Path | None, typer.Option("--dc-key", help="A private key of yours for the credential.")] = None,
    dc_public: Annotated[Path | None, typer.Option("--dc-public", help="Only the public half of it.")] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="raw, pem, ...; several, or separated by commas.")
    ] = None,
    backend: Annotated[str | None, typer.Option("--backend", help="Who makes the key.")] = None,
    password_file: options.PasswordFile = None,
    force: options.Force = False,
    algorithms: options.Algorithms = None,
) -> None:
    """Mint a delegated credential under a leaf. It refuses what RFC 9345 forbids."""
    from pqdc.credential.formats import Bundle, load_format
    from pqdc.credential.leaf import Leaf
    from pqdc.credential.mint import Minter
    from pqdc.files import write_files
    from pqdc.scheme import backends, keyfile

    if dc_key and dc_public:
        raise typer.BadParameter("--dc-key and --dc-public exclude each other")
    catalog = options.catalog(algorithms)
    chosen = catalog[scheme]
    lifetime, now = options.duration(valid_for), options.moment(None)
    writers = [load_format(name) for entry in formats or ["raw", "pem"] for name in entry.split(",") if name]
    password = options.password(password_file)
    signer = Leaf.load(leaf, key, catalog=catalog, password=password)
    minter = Minter(signer, options.role(role))
    private: PrivateKey | None = None
    if dc_public:
        dc = minter.mint_for(keyfile.load_public_key(dc_public, chosen), valid_for=lifetime, now=now)
    elif dc_key:
        private = keyfile.load_private_key(dc_key, catalog, chosen, password=password)
        dc = minter.mint_for(private.public, valid_for=lifetime, now=now)
    else:
        dc, private = minter.mint(chosen, valid_for=lifetime, now=now, backend=backends.choose(chosen, backend))
    bundle = Bundle(
        dc=dc.encode(),
        private_key=private.pkcs8() if private else b"",
        certificates=(signer.certificate.der,),
        role=minter.role,
    )
    files = {file.name: file for writer in writers for file in writer.write(bundle)}
    for path in write_files(out, files.values(), force=force):
        print(path)
    end = signer.certificate.not_before + dc.cred.valid_time
    _say(chosen, private, len(dc.encode()), end)


def _say(scheme: Scheme, private: PrivateKey | PublicKey | None, size: int, end: int) -> None:
    from pqdc.credential.certificate import say_time

    by = f", key by {private.backend}" if private else ", your public key"
    print(f"minted a credential of {size:,} bytes for {scheme.name}{by}, valid until {say_time(end)}", file=sys.stderr)
