"""`pqdc convert`: a credential from one format to others. Nothing is signed, and nothing that came in is re-encoded."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options
from pqdc.cli.mint import load_formats, say_usage

if TYPE_CHECKING:
    from pqdc.credential.certificate import Certificate
    from pqdc.credential.formats import Bundle
    from pqdc.credential.structures import DelegatedCredential, Role
    from pqdc.scheme.catalog import Catalog
    from pqdc.scheme.facts import Scheme


def command(
    dc: Annotated[Path, typer.Argument(help="The credential, in any format.")],
    to: Annotated[list[str], typer.Option("--to", help="raw, pem, boringssl...; several, or separated by commas.")],
    out: options.Out,
    leaf: Annotated[Path | None, typer.Option("--leaf", help="Its leaf, unless the file holds it.")] = None,
    dc_key: Annotated[Path | None, typer.Option("--dc-key", help="Its private key, unless the file holds it.")] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="server or client, if neither the file nor the leaf tells.")
    ] = None,
    encrypt_key: Annotated[
        bool, typer.Option("--encrypt-key", help="Encrypt the private key; --password-file or a prompt.")
    ] = False,
    password_file: options.PasswordFile = None,
    force: options.Force = False,
    algorithms: options.Algorithms = None,
) -> None:
    """Write a credential in other formats.

    With its key and leaf, where they are known or given.
    """
    from pqdc.cli import passwords
    from pqdc.credential.formats import choose_bundle, read_bundles, write_bundle
    from pqdc.credential.structures import DelegatedCredential
    from pqdc.errors import KeyFormatError
    from pqdc.files import write_files
    from pqdc.scheme import pbes2

    catalog = options.catalog(algorithms)
    writers = load_formats(to)
    asked = options.role(role) if role else None
    bundle = choose_bundle(read_bundles(dc), asked, str(dc))
    credential = DelegatedCredential.decode(bundle.dc)
    bundle = _with_key(bundle, credential, dc, dc_key, password_file, catalog)
    bundle = _with_leaf(bundle, credential, leaf, asked, catalog)
    if encrypt_key:
        if not bundle.private_key:
            raise KeyFormatError("there is no private key to encrypt", hint="give --dc-key")
        password = passwords.new_password(password_file)
        bundle = replace(bundle, encrypted_key=pbes2.encrypt(bundle.private_key, password))
    inputs = [path for path in (dc, leaf, dc_key, password_file) if path]
    for path in write_files(out, write_bundle(bundle, writers), force=force, inputs=inputs):
        print(path)
    if not bundle.private_key:
        print("the private key is not in these files: it was neither in the source nor given", file=sys.stderr)
    say_usage(writers, out, "leaf.key")


def _with_key(
    bundle: Bundle,
    credential: DelegatedCredential,
    source: Path,
    dc_key: Path | None,
    password_file: Path | None,
    catalog: Catalog,
) -> Bundle:
    """The bundle with the name of its scheme and its key: the option's or the source's, if that is the credential's."""
    from pqdc.cli import passwords
    from pqdc.errors import KeyFormatError
    from pqdc.scheme import keyfile, spki

    scheme = _scheme_of(credential, catalog)
    if scheme is None:
        if dc_key or bundle.private_key:
            raise KeyFormatError(
                f"{dc_key or source}: whether this private key is the credential's cannot be told: "
                f"no scheme in the catalog has 0x{credential.cred.dc_cert_verify_algorithm:04x} and such a key",
                hint="--algorithms adds schemes",
            )
        return bundle
    if not dc_key and not bundle.private_key:
        return replace(bundle, scheme=scheme.name)
    raw = spki.raw_key(scheme, credential.cred.spki)
    if dc_key:
        password = passwords.password_for(dc_key, password_file)
        private = keyfile.load_private_key(dc_key, catalog, scheme, password=password, public=raw)
    else:
        found = keyfile.private_keys_of(bundle.private_key, catalog, public=raw)
        private = next((key for key in found if key.scheme is scheme), found[0])
    if private.scheme is not scheme or private.public.raw != raw:
        raise KeyFormatError(f"{dc_key or source}: this private key does not belong to the credential")
    private.public.keep(credential.cred.spki)
    return replace(bundle, scheme=scheme.name, private_key=private.pkcs8())


def _scheme_of(credential: DelegatedCredential, catalog: Catalog) -> Scheme | None:
    from pqdc.errors import DecodeError
    from pqdc.scheme import spki

    try:
        possible = spki.schemes_of(catalog, credential.cred.spki)
    except DecodeError:
        return None
    return next((scheme for scheme in possible if scheme.code_point == credential.cred.dc_cert_verify_algorithm), None)


def _with_leaf(
    bundle: Bundle, credential: DelegatedCredential, leaf: Path | None, asked: Role | None, catalog: Catalog
) -> Bundle:
    """The bundle with its certificates, the one that signed the credential first, and with the role it signed for."""
    from pqdc.credential.certificate import Certificate
    from pqdc.credential.leaf import read_certificates
    from pqdc.errors import DecodeError, FileError

    if leaf:
        certificates = read_certificates(leaf, catalog)
    else:
        try:
            certificates = [Certificate.decode(der, catalog) for der in bundle.certificates]
        except DecodeError as error:
            raise FileError(f"beside the credential: {error}") from None
    signed = [(certificate, role) for certificate in certificates if (role := _signed_as(credential, certificate))]
    if not signed and len(certificates) > 1:
        raise FileError(f"{leaf or 'the source'}: none of its {len(certificates)} certificates signed the credential")
    if not signed and certificates:
        print("the credential's signature is not by this leaf, for neither role", file=sys.stderr)
    first = signed[0][0].der if signed else b""
    ders = sorted((certificate.der for certificate in certificates), key=lambda der: der != first)
    role = asked or bundle.role or (signed[0][1] if signed else None)
    return replace(bundle, certificates=tuple(dict.fromkeys(ders)), role=role)


def _signed_as(credential: DelegatedCredential, leaf: Certificate) -> Role | None:
    """The role for which the leaf signed the credential; None if it did not."""
    from pqdc.credential.structures import Role
    from pqdc.errors import BackendUnavailable, BadSignature, DecodeError, KeyFormatError

    for role in Role:
        try:
            key = leaf.key_for(credential.algorithm)
            if key is None:
                return None
            key.verify(credential.signature, credential.signed_bytes(leaf.der, role))
        except BadSignature:
            continue
        except (BackendUnavailable, DecodeError, KeyFormatError):
            return None
        return role
    return None
