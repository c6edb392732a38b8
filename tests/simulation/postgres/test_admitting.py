"""The model of PostgreSQL at the gates of keys: letting in is a transaction of its own."""

from __future__ import annotations

import asyncio

from ferryman.domain.job import NewJob
from ferryman.domain.keys import GateRule
from ferryman.store.protocol import Admitted
from tests.simulation.loop import pause
from tests.simulation.plan import ServerPlan
from tests.simulation.postgres.test_model import NOW, Bench, job, with_bench


def keyed(id: str) -> NewJob:
    return job(id, key="k", gate=GateRule(concurrency=1))


def test_what_fails_as_it_lets_in_fails_no_verb_and_a_sweeper_finds_who_was_overlooked() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        b, _ = await bench.store("b")
        inserting = bench.loop.create_task(a.insert([keyed("x")], NOW))
        while "x" not in bench.memory.tables.jobs:
            await pause(0.00001)
        bench.server.plan = ServerPlan(undone=1.0)
        assert [each.id for each in (await inserting).receipts] == ["x"]
        bench.server.plan = ServerPlan()
        assert await bench.claim(a, node) == []
        assert await b.admit(NOW, 10) == Admitted(1, None)
        assert await bench.claim(a, node) == ["x"]

    with_bench(play)


def test_two_that_let_in_count_each_other() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        b, _ = await bench.store("b")
        await asyncio.gather(a.insert([keyed("x")], NOW), b.insert([keyed("y")], NOW))
        assert len(await bench.claim(a, node)) == 1
        assert await b.admit(NOW, 10) == Admitted(0, None)
        await a.pause_key("k", True, NOW)
        await a.set_key("k", GateRule(), NOW)
        assert await bench.claim(a, node) == []
        await a.pause_key("k", False, NOW)
        assert len(await bench.claim(a, node)) == 1, "a change of a gate lets in at once"

    with_bench(play)
