"""`pqdc verify`: a credential under its leaf, accepted or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.credential.inspect.contents import FoundCredential
    from pqdc.credential.structures import Role


def command(
    leaf: Annotated[Path, typer.Option("--leaf", help="The leaf certificate.")],
    dc: Annotated[Path, typer.Argument(help="The credential, in any format.")],
    role: options.SomeRole = None,
    at: options.At = None,
    max_lifetime: options.MaxLifetime = "7d",
    clock_skew: options.ClockSkew = "0s",
    allow_beyond_leaf: options.BeyondLeaf = False,
    as_json: options.AsJson = False,
    algorithms: options.Algorithms = None,
) -> int:
    """Verify a credential by every rule that needs no handshake.

    Exit 0 if it is accepted, 1 if it is refused or a file cannot be read, 2 for wrong use.
    """
    from pqdc.credential.refusals import RuleRefusal

    asked = options.role(role) if role else None
    now = options.moment(at)
    policy = options.policy(max_lifetime, clock_skew, allow_beyond_leaf=allow_beyond_leaf)
    try:
        answer = _verify(dc, leaf, asked, now=now, policy=policy, algorithms=algorithms)
    except RuleRefusal as refusal:
        if as_json:
            print(json.dumps({"verdict": "refused"} | refusal.facts()))
        else:
            print(f"refused: {type(refusal).__name__} ({refusal.rule}, {refusal.section}): wanted {refusal}")
        return 1
    if as_json:
        print(json.dumps({"verdict": "accepted"} | answer))
    else:
        print(f"accepted: {answer['role']} credential for {answer['scheme']}, valid until {answer['valid_until']}")
    return 0


def _verify(
    path: Path, leaf: Path, role: Role | None, *, now: Any, policy: Any, algorithms: list[Path] | None
) -> dict[str, str]:
    """What to say of an accepted credential.

    Raises:
        RuleRefusal: it is refused.
    """
    from pqdc.credential import offers
    from pqdc.credential.certificate import say_time
    from pqdc.credential.inspect.contents import read_contents
    from pqdc.credential.inspect.pairing import read_leaf_for
    from pqdc.credential.structures import Role
    from pqdc.credential.verify import verify
    from pqdc.errors import FileError

    catalog = options.catalog(algorithms)
    found = _the_one(path, read_contents(path).credentials, role)
    asked = role or found.role or Role.SERVER
    certificates = read_contents(leaf).certificates
    if not certificates:
        raise FileError(f"{leaf}: no certificate in it")
    credential = offers.decode(found.data)
    certificate = read_leaf_for(credential, certificates, catalog, asked)
    verify(credential, certificate, now=now, role=asked, policy=policy)
    schemes = catalog.with_code_point(credential.cred.dc_cert_verify_algorithm)
    return {
        "role": asked.name.lower(),
        "scheme": " or ".join(scheme.name for scheme in schemes),
        "valid_until": say_time(certificate.not_before + credential.cred.valid_time),
    }


def _the_one(path: Path, found: list[FoundCredential], role: Role | None) -> FoundCredential:
    from pqdc.errors import FileError

    fitting = [one for one in found if one.role in {None, role}] if role and len(found) > 1 else found
    if len(fitting) != 1:
        wanted = f"one {role.name.lower()} credential" if role else "one credential"
        raise FileError(
            f"{path}: {wanted} wanted, it holds {len(fitting)}", hint="--role chooses" if len(found) > 1 else ""
        )
    return fitting[0]
