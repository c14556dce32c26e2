"""The native loop's side of agree.py, a process of its own as speed_sig is: what memory a process gets, tells.

    natively.py SCHEME KEYGENS SIGNATURES VERIFICATIONS

prints the nanoseconds of so many operations each, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

from pqdc.measure.account import OPERATIONS
from pqdc.scheme.backends.liboqs import Liboqs
from pqdc.scheme.catalog import load_catalog

MESSAGE_BYTES = 50  # speed_sig's


def main(name: str, *counts: str) -> None:
    """Take the samples: one key, one message."""
    liboqs, scheme = Liboqs(), load_catalog()[name]
    message = [os.urandom(MESSAGE_BYTES)]
    samples = {
        operation: liboqs.time_natively(operation, message, scheme=scheme, samples=int(count))
        for operation, count in zip(OPERATIONS, counts, strict=True)
    }
    json.dump(samples, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
