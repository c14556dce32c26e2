"""What came of a run, for people: a few lines, and the page docs/bogo.md, which is made of nothing else."""

from __future__ import annotations

from collections import Counter

from tests.bogo.campaign import Outcome

__all__ = ["page", "summary"]

_PAGE = """\
# BoGo

BoringSSL's test suite, BoGo, takes the part of the peer and breaks one rule of TLS in each of its tests. It is run
against pqdc's client and server: `make bogo` builds the runner (from the crate {version}, with Go) and runs all of it,
which takes about a minute. `make test` does the same where Go and cargo are. This page is written by that run:
`make bogo BOGO_ARGS="--write docs/bogo.md"`.

| | tests |
|---|---|
| passed | {passed:,} |
| failed | {failed:,} |
| not run, for the reasons below | {disabled:,} |
| all | {all:,} |

A test passes if the handshake ends as BoGo wants it to, and, where it wants a failure, if pqdc's own error is the one
that `tests/bogo/config.json` has for BoringSSL's (`ErrorMap`), and the alert that BoGo receives is the right one.
The tests that are not run stand in the same file, as patterns; a test that no pattern has is run.

What is not run, since pqdc does not have it, or does otherwise:

| reason | tests |
|---|---|
{reasons}

Where BoGo wants another alert than RFC 8446 does, or something that the RFC leaves open, pqdc follows the RFC: these
rows name the section.
"""


def summary(outcome: Outcome) -> str:
    """The numbers, in one line for each kind."""
    counts = Counter(outcome.disabled.values())
    lines = [f"{len(outcome.passed)} passed, {len(outcome.failed)} failed, {len(outcome.disabled)} not run:"]
    return "\n".join([*lines, *(f"{count:6}  {reason}" for reason, count in counts.items())]) + "\n"


def page(outcome: Outcome) -> str:
    """Markdown."""
    counts = Counter(outcome.disabled.values())
    return _PAGE.format(
        version=outcome.version,
        passed=len(outcome.passed),
        failed=len(outcome.failed),
        disabled=len(outcome.disabled),
        all=len(outcome.passed) + len(outcome.failed) + len(outcome.disabled),
        reasons="\n".join(f"| {reason} | {count:,} |" for reason, count in counts.items()),
    )
