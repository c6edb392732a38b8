"""Races between two connections of one process, many rounds each, either one first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import pytest

from ferryman.store.protocol import Store
from ferryman.testing.conformance import invariants
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.harness import Harness
from ferryman.testing.conformance.heats import Call
from ferryman.testing.conformance.races import RACES

ROUNDS: Final = 8


class Racing:
    """Of two verbs that meet over one job exactly one wins, and nothing is out of joint afterwards."""

    @pytest.mark.parametrize("name", RACES)
    async def test_exactly_one_wins(self, make_harness: Callable[[], Harness], name: str) -> None:
        for seed in range(ROUNDS):
            harness = make_harness()
            try:
                bench = Bench(harness, await harness.open(), seed)
                await run_round(bench, await harness.another(), name, left_first=seed % 2 == 0)
            finally:
                await harness.close()


async def run_round(bench: Bench, other: Store, name: str, *, left_first: bool) -> None:
    """One heat over two connections, then the judge and the invariants."""
    heat = await RACES[name](bench)
    if left_first:
        left, right = await asyncio.gather(say(bench.store, heat.left), say(other, heat.right))
    else:
        right, left = await asyncio.gather(say(bench.store, heat.right), say(other, heat.left))
    await heat.judge(left, right)
    await invariants.check(bench.store, bench.nodes, bench.now)


async def say(store: Store, call: Call) -> Any:
    """Say a verb on a connection."""
    return await getattr(store, call.verb)(*call.args)
