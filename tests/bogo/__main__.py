"""`python -m tests.bogo`: run BoGo against pqdc and say what came of it; 0 if nothing failed."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from pqdc.errors import PqdcError
from pqdc.files import OutputFile, write_files
from tests.bogo import campaign, report

BYTEWISE = ("-shim-extra-flags", "-async")  # as if every test had that flag


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bogo", description=__doc__)
    parser.add_argument("--test", action="append", default=[], metavar="PATTERN", help="only tests of such names")
    parser.add_argument("--workers", type=int, default=2, help="how many tests at a time")
    parser.add_argument("--bytewise", action="store_true", help="feed our endpoints one byte at a time")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page (docs/bogo.md) of a full run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="what came of each test")
    arguments = parser.parse_args()
    try:
        options = ["-num-workers", str(arguments.workers), *(BYTEWISE if arguments.bytewise else ())]
        outcome = campaign.run(campaign.build(), patterns=arguments.test, options=options)
    except PqdcError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for name, fault in outcome.failed.items():
        sys.stderr.write(f"FAILED {name}\n{fault}\n")
    sys.stdout.write(report.summary(outcome))
    if arguments.json:
        write(arguments.json, json.dumps(asdict(outcome), indent=1))
    if arguments.write and not arguments.test:
        write(arguments.write, report.page(outcome))
    return 1 if outcome.failed else 0


def write(path: Path, text: str) -> None:
    """Whole, over what stands there."""
    write_files(path.parent, [OutputFile(name=path.name, data=text.encode())], force=True)


if __name__ == "__main__":
    sys.exit(main())
