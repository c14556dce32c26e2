"""What came of a run, for people: a few lines, and the page docs/bogo.md, which is made of nothing else."""

from __future__ import annotations

from collections import Counter

from tests.bogo import minted
from tests.bogo.campaign import Outcome

__all__ = ["page", "summary"]

_PAGE = """\
# BoGo

BoringSSL's test suite, BoGo, takes the part of the peer, and mostly breaks one rule of TLS in each of its tests. It is
run against pqdc's client and server: `make bogo` builds the runner (from the crate {version}, with Go) and runs
all of it, which takes about a minute. `make test` does the same where Go and cargo are. This page is written by that
run: `make bogo BOGO_ARGS="--write docs/bogo.md"`.

| | tests |
|---|---|
| passed | {passed:,} |
| failed | {failed:,} |
| not run, for the reasons below | {disabled:,} |
| all | {all:,} |
| first connections of tests that go on to resume, passed | {first:,} |
| credentials minted by pqdc, judged by Go's client as they should be | {minted:,} |
| credentials signed by Go, judged by pqdc's client and server as they should be | {signed:,} |

A test passes if the handshake ends as BoGo wants it to, and, where it wants a failure, if pqdc's own error is the one
that `tests/bogo/config.json` has for BoringSSL's (`ErrorMap`), and the alert that BoGo receives is the right one.
The tests that are not run stand in the same file, as patterns; a test that no pattern has is run.

What is not run, since pqdc does not have it, or does otherwise:

| reason | tests |
|---|---|
{reasons}

What is run apart is run by a second runner, which differs from the stock one by Go's `-overlay`
(`native/build_bogo.py`): it leaves out what comes after a first connection, where told; it has tests of ours
(`tests/bogo/overlay`); and it signs and verifies delegated credentials in the order of RFC 9345 section 4, where the
stock one swaps `cred` and `algorithm`. The stock runner's own tests of credentials are run unchanged, as a server does
not verify its own. In ours, pqdc's server shows credentials of {schemes} schemes under leaves of {leaves} to Go's
client, which parses and verifies them by Go's cryptography and must refuse four that are spoilt; and Go signs
credentials of as many, in both roles, which pqdc's client and server must take, or refuse by the alert of the rule that
is broken: expired, too long, in the wrong order, for the other role, changed, twice, not asked for, under a leaf that
may not delegate, ... `make test` has BoringSSL's own server show the minted ones, where `make interop` has built it.

Where BoGo wants another alert than RFC 8446 does, or something that the RFC leaves open, pqdc follows the RFC: these
rows name the section.
"""


def summary(outcome: Outcome) -> str:
    """The numbers, in one line for each kind."""
    counts = Counter(outcome.disabled.values())
    lines = [f"{len(outcome.passed)} passed, {len(outcome.failed)} failed, {len(outcome.disabled)} not run:"]
    lines += [f"{count:6}  {reason}" for reason, count in counts.items()]
    lines += [f"{len(outcome.first)} first connections, and {len(outcome.judged)} tests of credentials, passed"]
    return "\n".join(lines) + "\n"


def page(outcome: Outcome) -> str:
    """Markdown."""
    counts = Counter(outcome.disabled.values())
    return _PAGE.format(
        version=outcome.version,
        passed=len(outcome.passed),
        failed=len(outcome.failed),
        disabled=len(outcome.disabled),
        all=len(outcome.passed) + len(outcome.failed) + len(outcome.disabled),
        first=len(outcome.first),
        minted=sum(name.startswith("PQDC-Minted-") for name in outcome.judged),
        signed=sum(name.startswith("PQDC-Signed-") for name in outcome.judged),
        schemes=len(minted.SCHEMES),
        leaves=len(minted.LEAVES),
        reasons="\n".join(f"| {reason} | {count:,} |" for reason, count in counts.items()),
    )
