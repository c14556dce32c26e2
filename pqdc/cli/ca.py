"""`pqdc ca`: an experiment's own certificate authority."""

from __future__ import annotations

from typing import Annotated

import typer

from pqdc.cli import options


def command(
    out: options.Out,
    scheme: Annotated[str, typer.Option("--scheme", help="Of the CA's key.")] = "P-256",
    days: Annotated[int, typer.Option("--days", min=1, max=36500, help="Of validity.")] = 3650,
    name: Annotated[str, typer.Option("--name", help="Its common name.")] = "pqdc experiment CA",
    force: options.Force = False,
    algorithms: options.Algorithms = None,
) -> None:
    """Make a CA for experiments: ca.pem and ca.key."""
    from pqdc import pem
    from pqdc.credential.authority import make_authority
    from pqdc.files import OutputFile, write_files
    from pqdc.scheme import backends

    chosen = options.catalog(algorithms)[scheme]
    authority = make_authority(backends.choose(chosen).generate(chosen), name=name, days=days, now=options.moment(None))
    files = (
        OutputFile(name="ca.pem", data=pem.armour("CERTIFICATE", authority.der)),
        OutputFile(name="ca.key", data=pem.armour("PRIVATE KEY", authority.key.pkcs8()), secret=True),
    )
    for path in write_files(out, files, force=force):
        print(path)
