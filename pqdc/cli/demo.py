"""`pqdc demo`: the whole way once - leaf, credentials, figures, table - for every scheme that is computed here."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.credential.leaf import Leaf
    from pqdc.measure.outcome import Outcome
    from pqdc.scheme.catalog import Catalog


def command(
    leaf_scheme: Annotated[str, typer.Option("--leaf-scheme", help="Of the leaf that delegates.")] = "P-256",
    algorithms: options.Algorithms = None,
) -> int:
    """Mint, verify and measure every scheme, and compare them.

    What `make demo` runs; the result goes to the cache folder.
    """
    import platformdirs

    from pqdc.cli import bench
    from pqdc.measure.facts import select
    from pqdc.measure.outcome import SUFFIX
    from pqdc.measure.plan import Plan
    from pqdc.report import load_renderer
    from pqdc.report.frame import load_results
    from pqdc.report.table import make_table

    catalog = options.catalog(algorithms)
    plan = Plan.quick(
        schemes=tuple(scheme.name for scheme in select(catalog, ())),
        leaf_scheme=catalog[leaf_scheme].name,
        seed=secrets.randbelow(2**31),
    )
    outcome = bench.prepare(plan, catalog, "pqdc demo")
    _say(_where(outcome))
    with tempfile.TemporaryDirectory(prefix="pqdc-demo-") as folder:
        minted = _mint_all(_make_leaf(Path(folder), catalog, plan.leaf_scheme), catalog, plan.schemes)
    _say(f"minted and verified {sum(minted.values())} credentials")
    path = platformdirs.user_cache_path("pqdc") / "demo" / f"demo{SUFFIX}"
    bench.measure(outcome, path, algorithms or [])
    status = bench.finish(outcome, path)
    sys.stdout.write(load_renderer("rich").render(make_table(load_results(path))))
    sys.stdout.flush()
    _say(_count(outcome))
    return status


def _make_leaf(folder: Path, catalog: Catalog, scheme_name: str) -> Leaf:
    """A CA and a leaf under it, as `pqdc ca` and `pqdc leaf` write them, read back as `pqdc mint` reads them."""
    from pqdc import pem
    from pqdc.credential.authority import make_authority
    from pqdc.credential.leaf import Leaf
    from pqdc.files import OutputFile, write_files
    from pqdc.scheme import backends

    scheme = catalog[scheme_name]
    backend, now = backends.choose(scheme), options.moment(None)
    authority = make_authority(backend.generate(scheme), name="pqdc demo CA", days=30, now=now)
    key = backend.generate(scheme)
    leaf = authority.issue(key, hosts=["demo.example"], days=30, now=now, catalog=catalog)
    certificate, private = write_files(
        folder,
        (
            OutputFile(name="leaf.pem", data=pem.armour("CERTIFICATE", leaf.der)),
            OutputFile(name="leaf.key", data=pem.armour("PRIVATE KEY", key.pkcs8()), secret=True),
        ),
    )
    return Leaf.load(certificate, private, catalog=catalog)


def _mint_all(leaf: Leaf, catalog: Catalog, names: tuple[str, ...]) -> Counter[str]:
    """Mint and verify one credential for each scheme and backend that can; how many by backend."""
    from datetime import timedelta

    from pqdc.cli.meter import Meter
    from pqdc.credential.fit import reason_against
    from pqdc.credential.mint import Minter
    from pqdc.credential.structures import DelegatedCredential
    from pqdc.credential.verify import verify
    from pqdc.scheme import backends

    minter, now = Minter(leaf), options.moment(None)
    able = [
        (catalog[name], backend)
        for name in names
        if not reason_against(catalog[name], leaf.scheme.signature_bytes)
        for backend in backends.available(catalog[name])
    ]
    minted: Counter[str] = Counter()
    with Meter() as meter:
        for i, (scheme, backend) in enumerate(able):
            meter.show(i, len(able), f"minting and verifying {scheme.name} by {backend}")
            dc, _ = minter.mint(scheme, valid_for=timedelta(hours=24), now=now, backend=backends.load_backend(backend))
            verify(DelegatedCredential.decode(dc.encode()), leaf.certificate, now=now)
            minted[backend] += 1
    return minted


def _where(outcome: Outcome) -> str:
    """The environment in a line."""
    environment = outcome.environment
    parts = [environment["machine"].get("cpu", "unknown CPU"), f"Python {environment['python']['version']}"]
    for name, backend in environment["backends"].items():
        versions = backend.get("versions", {})
        told = ", ".join(text if text.startswith(key) else f"{key} {text}" for key, text in versions.items())
        parts.append(told or f"{name}: {backend['unavailable']}")
    return "; ".join(parts)


def _count(outcome: Outcome) -> str:
    """How many schemes were measured: classical ones, and others by the first backend that has computed them."""
    kinds = {facts["name"]: facts for facts in outcome.schemes}
    computed: Counter[str] = Counter()
    measured = {row["scheme"] for process in outcome.processes for row in process.rows if row["scheme"]}
    for name in measured:
        facts = kinds[name]
        able = [backend for backend, reason in facts["backends"].items() if not reason]
        computed["classical" if facts["kind"] == "classical" else f"by {able[0]}"] += 1
    parts = ", ".join(
        f"{count} {what}" for what, count in sorted(computed.items(), key=lambda item: item[0] != "classical")
    )
    return f"{len(measured)} schemes computed: {parts}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
