"""`pqdc verify`: a credential under its leaf, accepted or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pqdc.cli import options


def command(
    leaf: Annotated[Path, typer.Option("--leaf", help="The leaf certificate.")],
    dc: Annotated[Path, typer.Argument(help="The credential, in any format.")],
    role: Annotated[str, typer.Option("--role", help="server or client.")] = "server",
    at: options.At = None,
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> int:
    """Verify a delegated credential: every rule of RFC 9345 that needs no handshake."""
    from pqdc.credential.certificate import say_time
    from pqdc.credential.formats import read_credential
    from pqdc.credential.leaf import read_certificates
    from pqdc.credential.refusals import RuleRefusal
    from pqdc.credential.verify import verify

    catalog = options.catalog(algorithms)
    certificate = read_certificates(leaf, catalog)[0]
    asked = options.role(role)
    credential = read_credential(dc, asked)
    end = say_time(certificate.not_before + credential.cred.valid_time)
    names = " or ".join(scheme.name for scheme in catalog.with_code_point(credential.cred.dc_cert_verify_algorithm))
    try:
        verify(credential, certificate, now=options.moment(at), role=asked)
    except RuleRefusal as refusal:
        if as_json:
            print(json.dumps(_refused(refusal)))
        else:
            print(f"refused: {type(refusal).__name__} ({refusal.rule}, {refusal.section}): wanted {refusal}")
        return 1
    if as_json:
        print(json.dumps({"verdict": "accepted", "scheme": names, "valid_until": end}))
    else:
        print(f"accepted: {asked.name.lower()} credential for {names}, valid until {end}")
    return 0


def _refused(refusal: object) -> dict[str, str]:
    facts = ("rule", "section", "alert", "wanted", "got")
    return {"verdict": "refused", "refusal": type(refusal).__name__} | {fact: getattr(refusal, fact) for fact in facts}
