"""`pqdc mint`: a delegated credential, in the formats that servers load."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.credential.certificate import Certificate
    from pqdc.credential.formats import Format
    from pqdc.scheme.catalog import Catalog
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
    dc_public: Annotated[
        Path | None, typer.Option("--dc-public", help="Only the public half of it, or what an expanded key lacks.")
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="raw, pem, boringssl, fizz...; several, or separated by commas."),
    ] = None,
    encrypt_key: Annotated[
        bool, typer.Option("--encrypt-key", help="Encrypt the credential's private key; --password-file or a prompt.")
    ] = False,
    backend: Annotated[str | None, typer.Option("--backend", help="Who makes the key.")] = None,
    password_file: options.PasswordFile = None,
    force: options.Force = False,
    algorithms: options.Algorithms = None,
) -> None:
    """Mint a delegated credential; refuses what RFC 9345 forbids."""
    from pqdc.cli import passwords
    from pqdc.credential.formats import Bundle, write_bundle
    from pqdc.credential.leaf import Leaf
    from pqdc.credential.mint import Minter
    from pqdc.files import write_files
    from pqdc.scheme import backends, pbes2

    if encrypt_key and dc_public and not dc_key:
        raise typer.BadParameter("--encrypt-key wants a private key, and --dc-public has none")
    catalog = options.catalog(algorithms)
    chosen = catalog[scheme]
    lifetime, now = options.duration(valid_for), options.moment(None)
    writers = load_formats(formats or ["raw", "pem"])
    signer = Leaf.load(leaf, key, catalog=catalog, password=passwords.password_for(key, password_file))
    minter = Minter(signer, options.role(role))
    if dc_key or dc_public:
        public, private = _own_key(dc_key, dc_public, chosen, catalog, password_file)
        dc = minter.mint_for(public, valid_for=lifetime, now=now)
    else:
        named = backends.choose(chosen, backend) if backend else None
        dc, private = minter.mint(chosen, valid_for=lifetime, now=now, backend=named)
    pkcs8 = private.pkcs8() if private else b""
    bundle = Bundle(
        dc=dc.encode(),
        private_key=pkcs8,
        encrypted_key=pbes2.encrypt(pkcs8, passwords.new_password(password_file)) if encrypt_key else b"",
        certificates=_chain(leaf, signer.certificate, catalog),
        role=minter.role,
        scheme=chosen.name,
    )
    inputs = [path for path in (leaf, key, dc_key, dc_public, password_file) if path]
    for path in write_files(out, write_bundle(bundle, writers), force=force, inputs=inputs):
        print(path)
    _say(chosen, private, len(bundle.dc), signer.certificate.not_before + dc.cred.valid_time)
    if formats:
        say_usage(writers, out, str(key))


def load_formats(names: Iterable[str]) -> list[Format]:
    """The formats of an option that may be given again, and takes commas."""
    from pqdc.credential.formats import load_format

    wanted = [name.strip().lower() for entry in names for name in entry.split(",") if name.strip()]
    if not wanted:
        raise typer.BadParameter("the name of a format wanted")
    return [load_format(name) for name in dict.fromkeys(wanted)]


def say_usage(writers: Iterable[Format], folder: Path, leaf_key: str) -> None:
    """How each target loads what was written, on stderr."""
    from pqdc.credential import formats

    for writer in writers:
        usage = formats.say_usage(writer, folder=shlex.quote(str(folder)), leaf_key=shlex.quote(leaf_key))
        print(f"\n{writer.name}, for {writer.target}:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in usage.splitlines()), file=sys.stderr)


def _own_key(
    dc_key: Path | None, dc_public: Path | None, scheme: Scheme, catalog: Catalog, password_file: Path | None
) -> tuple[PublicKey, PrivateKey | None]:
    """The user's key; the SubjectPublicKeyInfo is the one of the file with the public half, if there is one."""
    from pqdc.cli import passwords
    from pqdc.errors import KeyFormatError
    from pqdc.scheme import keyfile

    public = keyfile.load_public_key(dc_public, scheme) if dc_public else None
    private: PrivateKey | None = None
    if dc_key:
        password = passwords.password_for(dc_key, password_file)
        raw = public.raw if public else b""
        private = keyfile.load_private_key(dc_key, catalog, scheme, password=password, public=raw)
        if public and private.public.raw != public.raw:
            raise KeyFormatError(f"{dc_key}: this private key does not belong to the public key in {dc_public}")
        if public:
            private.public.keep(public.spki)
        return private.public, private
    if public is None:
        raise typer.BadParameter("--dc-key or --dc-public wanted")
    return public, None


def _chain(path: Path, leaf: Certificate, catalog: Catalog) -> tuple[bytes, ...]:
    """The certificates of the leaf's file as they came, the leaf first."""
    from pqdc.credential.leaf import read_certificates

    others = [certificate.der for certificate in read_certificates(path, catalog) if certificate.der != leaf.der]
    return (leaf.der, *dict.fromkeys(others))


def _say(scheme: Scheme, private: PrivateKey | None, size: int, end: int) -> None:
    from pqdc.credential.certificate import say_time

    by = f", key by {private.backend}" if private else ", your public key"
    print(f"minted a credential of {size:,} bytes for {scheme.name}{by}, valid until {say_time(end)}", file=sys.stderr)
