"""Results for tests of reports: a few schemes, or many, with every kind of row; all figures drawn from a seed."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

__all__ = ["MACHINES", "SCHEMES", "many_schemes", "result", "scheme", "write_result"]

MACHINES = ("AMD EPYC", "Intel Xeon", "Ampere Altra")
TIMES = (
    "keygen",
    "sign",
    "verify",
    "mint",
    "dc_verify",
    "dc_encode",
    "dc_decode",
    "handshake_client",
    "handshake_server",
)
FITTING = ("mint", "dc_verify", "dc_encode", "dc_decode", "handshake_client", "handshake_server")


def scheme(name: str, family: str, public_key: int, signature: int, *backends: str, **changes: object) -> dict:
    """Its facts, as a result has them."""
    facts = {
        "name": name,
        "kind": "pq",
        "family": family,
        "aliases": [],
        "tls_name": name.lower().replace("-", ""),
        "standard": "FIPS 0",
        "oid": "1.2.3.4",
        "code_point": 0x0904,
        "code_point_source": "a draft",
        "code_point_status": "draft",
        "note": "",
        "nist_level": 2,
        "public_key_bytes": public_key,
        "signature_bytes": signature,
        "signature_length": "fixed",
        "security_flag": "",
        "reason_against_dc": "",
        "backends": dict.fromkeys(backends, ""),
    }
    return facts | changes


SCHEMES = (
    scheme("ECDSA-P256", "ECDSA", 65, 72, "openssl", kind="classical", nist_level=None, aliases=["P-256"]),
    scheme("ML-DSA-44", "ML-DSA", 1312, 2420, "liboqs", "openssl"),
    scheme("ML-DSA-65", "ML-DSA", 1952, 3309, "liboqs", nist_level=3),
    scheme("Falcon-512", "Falcon", 897, 752, "liboqs", nist_level=1, signature_length="max"),
    scheme("Odd_1%", "Odd & <Co>", 4912, 186, "liboqs", security_flag="broken"),
    scheme("Big", "Odd & <Co>", 412160, 96, "liboqs", reason_against_dc="412,266 bytes of DC, too many"),
    scheme("Gone", "Lost", 50, 5000, backends={"liboqs": "liboqs 0.13.0 does not compute it"}),
)


def many_schemes(count: int) -> tuple[dict, ...]:
    """As many, of twenty families, under the same leaf."""
    others = (scheme(f"S-{i}", f"Family {i % 20}", 1000 + i, 2000 + 7 * i, "liboqs") for i in range(count - 1))
    return (SCHEMES[0], *others)


def result(
    *,
    machine: str = MACHINES[0],
    seed: int = 0,
    schemes: tuple[dict, ...] = SCHEMES,
    processes: int = 5,
    samples: int = 9,
) -> dict:
    """A result file's content."""
    draw = random.Random(f"{machine} {seed}")  # noqa: S311 - figures, not keys
    cells = [_cell("", "liboqs", "native", "empty", [[30] * samples] * processes)]
    for facts in schemes:
        for backend, reason in facts["backends"].items():
            if not reason:
                cells += _cells(draw, facts, backend, processes, samples)
    return {
        "format": "pqdc-result",
        "version": 2,
        "complete": True,
        "command": f"pqdc bench --processes {processes} --seed {seed}",
        "started": "2026-11-25T03:12:00+00:00",
        "plan": {"leaf_scheme": "ECDSA-P256", "seed": seed},
        "environment": {
            "machine": {"cpu": machine, "cpus": 2, "kernel": "Linux 6", "flags": ["avx2"]},
            "python": {"version": "3.11.7"},
            "pqdc": {"version": "0.1.0", "commit": "b5038c9" + "0" * 33, "dirty": False},
            "backends": {
                "liboqs": {"versions": {"liboqs": "0.13.0"}, "build": {"compiler": "cc 12", "flags": "-O3"}},
                "openssl": {"versions": {"OpenSSL": "OpenSSL 4.0.3"}},
            },
        },
        "schemes": list(schemes),
        "processes": [{"ended": "complete", "reason": "", "seconds": 1.5, "load_before": [0.1], "load_after": [0.3]}]
        * processes,
        "cells": cells,
    }


def write_result(path: Path, **options) -> Path:
    """Write one; packed if the name says so."""
    data = json.dumps(result(**options)).encode()
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path


def _cell(name: str, backend: str, level: str, operation: str, samples: list, *, unit: str = "ns") -> dict:
    facts = {"scheme": name, "backend": backend, "level": level, "operation": operation, "unit": unit}
    return facts | {"samples": samples}


def _cells(draw: random.Random, facts: dict, backend: str, processes: int, samples: int) -> list[dict]:
    name, fits = facts["name"], not facts["reason_against_dc"]
    cells = []
    for operation in TIMES:
        if fits or operation not in FITTING:
            levels = ["python", "native"] if backend == "liboqs" and operation in TIMES[:3] else ["python"]
            cells += [_cell(name, backend, level, operation, _times(draw, processes, samples)) for level in levels]
    lengths = _lengths(facts) if fits else {"signature": facts["signature_bytes"]}
    cells += [
        _cell(name, backend, "bytes", operation, [[length] * 3] * processes, unit="bytes")
        for operation, length in lengths.items()
    ]
    return cells


def _times(draw: random.Random, processes: int, samples: int) -> list[list[int]]:
    middle = round(10 ** draw.uniform(4, 6))
    return [[round(middle * draw.uniform(0.98, 1.02)) for _ in range(samples)] for _ in range(processes)]


def _lengths(facts: dict) -> dict[str, int]:
    """As a server's messages would have them."""
    spki, signature = facts["public_key_bytes"] + 22, facts["signature_bytes"]
    extension, verify = spki + 88, signature + 8
    messages = {"server_hello": 122, "encrypted_extensions": 10, "certificate": 496 + extension, "server_finished": 36}
    sends = sum(messages.values()) + verify + 33
    return messages | {
        "spki": spki,
        "signature": signature,
        "dc": extension - 4,
        "certificate_entry_extension": extension,
        "certificate_verify": verify,
        "added_to_flight": extension + verify - 80,
        "server_records": 33,
        "server_sends": sends,
        "client_sends": 277,
    }
