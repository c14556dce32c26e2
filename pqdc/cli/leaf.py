"""`pqdc leaf`: a leaf certificate that may delegate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pqdc.cli import options


def command(
    ca: Annotated[Path, typer.Option("--ca", help="The folder with ca.pem and ca.key.")],
    out: options.Out,
    scheme: Annotated[str, typer.Option("--scheme", help="Of the leaf's key.")] = "P-256",
    days: Annotated[int, typer.Option("--days", min=1, max=36500, help="Of validity.")] = 90,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="A host name or address; may be given again.")
    ] = None,
    delegation: Annotated[bool, typer.Option(help="Whether it may delegate.")] = True,
    force: options.Force = False,
    algorithms: options.Algorithms = None,
) -> None:
    """Make a leaf certificate that may delegate.

    Under the CA of a folder, with DelegationUsage: leaf.pem and leaf.key.
    """
    from pqdc import pem
    from pqdc.credential.authority import Authority
    from pqdc.credential.leaf import read_certificates
    from pqdc.files import OutputFile, write_files
    from pqdc.scheme import backends, keyfile

    catalog = options.catalog(algorithms)
    chosen = catalog[scheme]
    certificate = read_certificates(ca / "ca.pem", catalog)[0]
    authority = Authority(der=certificate.der, key=keyfile.load_private_keys(ca / "ca.key", catalog)[0])
    key = backends.choose(chosen).generate(chosen)
    leaf = authority.issue(
        key,
        hosts=name or ["localhost", "127.0.0.1"],
        days=days,
        now=options.moment(None),
        catalog=catalog,
        delegation=delegation,
    )
    files = (
        OutputFile(name="leaf.pem", data=pem.armour("CERTIFICATE", leaf.der)),
        OutputFile(name="leaf.key", data=pem.armour("PRIVATE KEY", key.pkcs8()), secret=True),
    )
    for path in write_files(out, files, force=force):
        print(path)
