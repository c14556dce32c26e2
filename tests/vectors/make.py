"""Writes the vectors: `python -m tests.vectors.make [FOLDER]`. The same bytes each time: fixed seeds, a fixed clock.

What each vector must lead to is written by hand in `cases`, from RFC 9345; no verifier is asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.vectors.cases import key, leaf, pq, signature, structure, time, valid
from tests.vectors.shape import FLAGS, RULES, Group, Test

FOLDER = Path(__file__).parent
FILES: dict[str, tuple[str, Callable[[], Iterable[Group]]]] = {
    "dc_valid": ("Ordinary credentials: every classical leaf and key, both roles (rules M5, V0 to V7).", valid.groups),
    "dc_time": ("Validity of credential and leaf, to the second (rules V0, V1, V2, M1, M2).", time.groups),
    "dc_structure": ("Malformed structures (rules V7 and M4).", structure.groups),
    "dc_key": ("dc_cert_verify_algorithm and the key (rules M3 and V6).", key.groups),
    "dc_leaf": ("What a leaf must say to delegate (rules M7, V0 and V4).", leaf.groups),
    "dc_signature": (
        "What is signed, by whom, and how it is encoded (rules M5, M6 and V5).",
        signature.groups,
    ),
    "dc_pq": ("Post-quantum keys in credentials and leaves.", pq.groups),
}


def document(name: str) -> dict[str, Any]:
    """One file, as it is written."""
    title, groups = FILES[name]
    used: set[str] = set()
    number_ = 0
    out = []
    for group in groups():
        tests = []
        for test in group.tests:
            number_ += 1
            used.update(test.flags)
            tests.append(_test(number_, test))
        out.append(
            {"type": "DelegatedCredentialVerify", "comment": group.comment, "leaf": group.leaf.hex(), "tests": tests}
        )
    return {
        "algorithm": "DelegatedCredential",
        "schema": "dc_verify_schema.json",
        "generatorVersion": "1",
        "numberOfTests": number_,
        "header": [
            title,
            "Test vectors for the verification of RFC 9345 delegated credentials, made by pqdc.",
            "A verifier is given leaf, dc, now and role; the policy is the RFC's: 7 days at most, no clock skew.",
        ],
        "notes": {flag: {"bugType": FLAGS[flag][0], "description": FLAGS[flag][1]} for flag in FLAGS if flag in used},
        "testGroups": out,
    }


def _test(number_: int, test: Test) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "tcId": number_,
        "comment": test.comment,
        "flags": list(test.flags),
        "role": test.role,
        "now": test.now,
        "dc": test.dc.hex(),
        "result": test.result or ("invalid" if test.refusal else "valid"),
    }
    if test.refusal:
        rule, alert = RULES[test.refusal]
        if test.rule == "V0":
            alert = "bad_certificate"
        facts |= {"rule": test.rule or rule, "refusal": test.refusal, "alert": alert}
    if test.also:
        facts["alsoBroken"] = list(test.also)
    return facts


def text(name: str) -> str:
    return json.dumps(document(name), indent=1, ensure_ascii=True) + "\n"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name in FILES:
        written = text(name)
        (folder / f"{name}.json").write_text(written, encoding="ascii")
        sys.stdout.write(f"{name}.json {json.loads(written)['numberOfTests']} tests, {len(written):,} bytes\n")


if __name__ == "__main__":
    main()
