"""When credential and leaf are valid, to the second."""

from __future__ import annotations

from collections.abc import Iterable

from tests.vectors import seeded
from tests.vectors.shape import CLIENT, DAY, END, EXPIRY, NOW, SERVER, START, WEEK, Group, make_leaf, mint, p256_leaf


def groups() -> Iterable[Group]:
    leaf = p256_leaf()
    group = Group(comment="a leaf valid for 90 days from 2025-01-01", leaf=leaf.der)
    day = mint(leaf)
    for shift, refusal in ((-1, ""), (0, ""), (1, "Expired"), (DAY, "Expired")):
        group.judged(refusal, f"now is the credential's end {shift:+} s", day, "Boundary", now=EXPIRY + shift)
    for shift, refusal in ((-1, "LifetimeTooLong"), (0, ""), (1, ""), (-DAY, "LifetimeTooLong")):
        comment = f"now is 7 days before the credential's end {shift:+} s"
        group.judged(refusal, comment, day, "Boundary", now=EXPIRY - WEEK + shift)
    for role in (SERVER, CLIENT):
        for life, refusal in ((WEEK, ""), (WEEK + 1, "LifetimeTooLong")):
            dc = mint(leaf, role=role, expiry=NOW + life)
            group.judged(refusal, f"a lifetime of {life} s, {role}", dc, "Boundary", role=role)
    early = mint(leaf, expiry=START + DAY)
    for shift, refusal in ((-1, "LeafNotYetValid"), (0, ""), (1, "")):
        flags = ("LeafValidity", "Boundary")
        group.judged(refusal, f"now is the leaf's notBefore {shift:+} s", early, *flags, now=START + shift)
    late = mint(leaf, expiry=END)
    for shift, refusal in ((-1, ""), (0, "")):
        group.judged(refusal, f"credential and leaf end together, now {shift:+} s", late, "Boundary", now=END + shift)
    group.invalid(
        "LeafExpired",
        "the leaf expired a second ago, and the credential with it",
        late,
        "LeafValidity",
        now=END + 1,
        also=("V1",),
    )
    for shift in (1, DAY):
        group.acceptable(
            "BeyondLeaf",
            f"the credential ends {shift} s after its leaf",
            mint(leaf, expiry=END + shift),
            "BeyondLeaf",
            now=END - DAY,
        )
    group.valid("valid_time 0, at the only second at which it holds", mint(leaf, valid_time=0), "Boundary", now=START)
    group.invalid("Expired", "valid_time 0, a second later", mint(leaf, valid_time=0), "Boundary", now=START + 1)
    group.invalid("Expired", "valid_time 0, now", mint(leaf, valid_time=0), "Boundary")
    yield group
    yield _far_ends()
    yield from _odd_validities()


def _far_ends() -> Group:
    """A leaf that hardly ends, so that the only thing wrong is how far ahead the credential does."""
    leaf = make_leaf(seeded.key("ECDSA-P256", "leaf"), end=253_402_300_799)
    group = Group(comment="a leaf from 2025-01-01 to the end of the calendar", leaf=leaf.der)
    for value in (2**31 - 1, 2**31, 2**32 - 1):
        group.invalid("LifetimeTooLong", f"valid_time {value}", mint(leaf, valid_time=value), "Boundary")
    group.invalid(
        "LifetimeTooLong", "valid_time is the end in Unix time", mint(leaf, valid_time=EXPIRY), "AbsoluteTime"
    )
    return group


def _odd_validities() -> Iterable[Group]:
    key = seeded.key("ECDSA-P256", "leaf")
    cases = (
        ("from 1850, GeneralizedTime", -3_786_825_600),
        ("from 1950-01-01, the first day of UTCTime", -631_152_000),
        ("from 1969-12-31, before the epoch", -86_400),
        ("from 2038-01-19T03:14:08Z, past 31 bits", 2**31),
        ("from 2049-12-20, into GeneralizedTime", 2_523_657_600),
        ("from 2106-02-07T06:28:16Z, past 32 bits", 2**32),
        ("from 9999-12-01, until the last second of the calendar", 253_399_622_400),
    )
    for comment, start in cases:
        end = 253_402_300_799 if start > 2**37 else start + 90 * DAY
        leaf = make_leaf(key, start=start, end=end)
        dc = mint(leaf, valid_time=3 * DAY)
        group = Group(comment=f"a leaf {comment}", leaf=leaf.der)
        now = start + 2 * DAY
        group.valid(f"a leaf {comment}", dc, "OddTime", now=now)
        group.valid(f"a leaf {comment}, last second", dc, "OddTime", "Boundary", now=start + 3 * DAY)
        group.invalid("Expired", f"a leaf {comment}, too late", dc, "OddTime", "Boundary", now=start + 3 * DAY + 1)
        group.invalid("LeafNotYetValid", f"a leaf {comment}, too early", dc, "OddTime", now=start - 1)
        yield group
    long = make_leaf(key, start=-3_786_825_600, end=253_402_300_799)
    group = Group(comment="a leaf from 1850 to 9999", leaf=long.der)
    group.valid("valid_time needs all 32 bits", mint(long, valid_time=2**32 - 1), "OddTime", now=508_141_694)
    group.valid("valid_time is beyond 31 bits", mint(long, valid_time=2**31), "OddTime", now=-1_639_341_952 - DAY)
    group.invalid(
        "Expired",
        "valid_time as far as it goes, which is not today",
        mint(long, valid_time=2**32 - 1),
        "OddTime",
    )
    yield group
