"""The fuzz targets of the endpoints for a moment, without a fuzzer: their seeds, and what mutations make of them."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.fuzz_handshake import handshake_targets
from tests.test_handshake_mutations import COUNT, MUTATIONS

TARGETS = handshake_targets()


@pytest.mark.parametrize("name", TARGETS)
def test_the_laws_hold(name):
    run, seeds = TARGETS[name]
    r = random.Random(f"{name}/9345")  # noqa: S311 - repeatable
    for seed in seeds():
        run(seed)
        for _ in range(COUNT):
            data = seed
            for _ in range(r.randrange(1, 4)):
                data = r.choice(MUTATIONS)(data, r) or seed
            run(data)
