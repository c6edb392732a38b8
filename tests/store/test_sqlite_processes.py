"""The races of the conformance suite, run by two processes on one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ferryman.testing.conformance import Bench, invariants
from ferryman.testing.conformance.races import RACES
from tests.store.harnesses import SqliteHarness
from tests.store.racers import Racers

ROUNDS = 6


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    pair = Racers()
    yield pair
    pair.close()


@pytest.mark.anyio
@pytest.mark.parametrize("name", RACES)
async def test_of_two_processes_exactly_one_wins(racers: Racers, tmp_path: Path, name: str) -> None:
    for seed in range(ROUNDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        harness = SqliteHarness(folder)
        try:
            bench = Bench(harness, await harness.open(), seed)
            heat = await RACES[name](bench)
            if seed % 2:
                left, right = racers.run(harness.path, bench.now, heat.left, heat.right)
            else:
                right, left = racers.run(harness.path, bench.now, heat.right, heat.left)
            await heat.judge(left, right)
            await invariants.check(bench.store, bench.nodes, bench.now)
        finally:
            await harness.close()
