"""`python -m tests.mutate`: run a campaign, or take one up again, and write its summary."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pqdc.scheme import backends
from tests.mutate import campaign, corpus, judge


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="mutations (100000)")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="where finished batches are kept; an interrupted campaign goes on")
    parser.add_argument("--out", type=Path, help="the summary, JSON")
    parser.add_argument("--batch", type=int, help="run this batch alone, in this process, and print its record")
    options = parser.parse_args()
    items = corpus.build()
    plan = campaign.Plan(seed=options.seed, count=options.count, corpus=items.digest())
    if options.batch is not None:
        judge.watch_backends()
        size = plan.size_of(options.batch)
        record = campaign.run_batch(items, seed=plan.seed, batch=options.batch, size=size)
        print(json.dumps(record, indent=1))  # noqa: T201
        return 0
    path = options.state or Path("build") / f"mutate-{plan.seed}-{plan.count}.jsonl"
    tally = campaign.run(plan, jobs=options.jobs, path=path, progress=campaign.Progress(plan.count))
    report = summary(plan, tally, items)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        temporary = options.out.with_name(f".{options.out.name}.new")
        temporary.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        temporary.replace(options.out)
    for verdict, number in report["verdicts"].items():
        sys.stdout.write(f"{number:>12,}  {verdict}\n")
    sys.stdout.write(f"{tally.count:>12,}  mutations, {tally.bad()} that must not be\n")
    return 1 if tally.bad() else 0


def summary(plan: campaign.Plan, tally: campaign.Tally, items: corpus.Corpus) -> dict[str, Any]:
    totals = tally.totals()
    versions: dict[str, Mapping[str, str]] = {}
    for name in backends.backend_names():
        versions[name] = dict(backends.load_backend(name).versions())
    return {
        "what": "verdicts of pqdc over mutated credentials, leaves, signatures and private keys; see docs/vectors.md",
        "mutations": tally.count,
        "seed": plan.seed,
        "batches": len(tally.done),
        "finished": f"{datetime.now(UTC):%Y-%m-%d}",
        "cpu_seconds": round(tally.cpu_seconds),
        "mutations_per_cpu_second": round(tally.count / max(tally.cpu_seconds, 1e-9)),
        "false_accepts": sum(number for verdict, number in totals.items() if verdict.startswith("FALSE ACCEPT")),
        "false_refusals": sum(number for verdict, number in totals.items() if verdict.startswith("FALSE REFUSAL")),
        "unnamed_exceptions": sum(number for verdict, number in totals.items() if verdict.startswith("UNNAMED")),
        "crashes_and_hangs": sum(number for verdict, number in totals.items() if verdict.startswith(("CRASH", "HANG"))),
        "corpus": {
            "digest": plan.corpus,
            "credentials": len(items.minted),
            "leaves": len(items.leaves),
            "credential_schemes": len({minted.scheme.name for minted in items.minted}),
            "signatures": len(items.signed),
            "private_keys": len(items.files),
        },
        "versions": versions,
        "verdicts": dict(totals.most_common()),
        "by_kind": {kind: dict(tally.verdicts[kind].most_common()) for kind in sorted(tally.verdicts)},
        "failures": tally.failures[:100],
    }


if __name__ == "__main__":
    sys.exit(main())
