"""Jobs with keys in a running node: sequences, limits, rates, and what the sweeper does for them."""

from __future__ import annotations

import pytest

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule
from ferryman.domain.state import Status
from ferryman.engine import admitting
from ferryman.store.protocol import NodeInfo
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.test_sweeper import Rung
from tests.engine.world import Bench, pause

RATE = GateRule(rate=10.0, burst=2)


def test_admit_says_when_the_next_token_comes() -> None:
    async def play() -> None:
        bench, rung = Bench(), Rung()
        admit = admitting.Admit(bench.store, bench.clock, rung)
        assert await admit.step() == admitting.PERIOD
        await bench.enqueue("t", count=4, key="k", gate=RATE)
        assert await admit.step() == pytest.approx(0.025)
        info = NodeInfo("n", "host", 1, "0", frozenset({"t"}), None, 1)
        node = await bench.store.register(info, bench.clock.now())
        request = ClaimRequest(node, 1, frozenset({"t"}), None, 9, 9, alone=True)
        assert len((await bench.store.claim(request, bench.clock.now())).jobs) == 2
        await pause(0.1)
        assert await admit.step() == pytest.approx(0.1)
        assert rung.works == 0
        await pause(0.1)
        assert await admit.step() == pytest.approx(0.1)
        assert rung.works == 1

    run_virtual(play())


def test_a_token_that_comes_very_soon_is_waited_for_a_little() -> None:
    async def play() -> None:
        bench = Bench()
        await bench.enqueue("t", count=2, key="k", gate=GateRule(rate=10_000.0, burst=1))
        assert await admitting.Admit(bench.store, bench.clock, Rung()).step() == admitting.SHORTEST

    run_virtual(play())


def test_a_sequence_runs_in_order_whatever_its_jobs_do() -> None:
    ran: list[int] = []
    at_once: list[int] = []

    async def step(n: int) -> None:
        at_once.append(n)
        assert len(at_once) == 1
        await pause(1.0)
        ran.append(n)
        at_once.remove(n)
        if ran.count(n) < n % 3:
            raise ValueError("again")

    async def play() -> None:
        async with Bench(step, workers=5) as bench:
            rule = GateRule(strict=True)
            ids = [(await bench.enqueue("step", f'{{"n":{n}}}', key="k", gate=rule))[0] for n in range(6)]
            await bench.until_ended(8)
            assert ran == [0, 1, 2, 2, 3, 4, 5, 5]
            assert {job.status for job in await bench.jobs(ids)} == {Status.COMPLETED}

    run_virtual(play())


def test_a_rate_bounds_the_starts_and_is_nearly_used_up() -> None:
    starts: list[float] = []

    async def play() -> None:
        async with Bench(start, workers=5) as bench:
            await bench.enqueue("start", count=120, key="k", gate=GateRule(rate=10.0, burst=5))
            await bench.until_ended(120)
            starts.extend(ended.finish.finished_at / MICROS for ended in bench.ended)

    async def start() -> None: ...

    run_virtual(play())
    for first, begin in enumerate(starts):
        for last in range(first, len(starts)):
            assert last - first + 1 <= 5 + 10.0 * (starts[last] - begin) + 1e-6
    assert starts[-1] - starts[0] <= 115 / 10.0 / 0.98 + 0.5


def test_who_committed_where_nobody_could_see_it_wakes_the_gates() -> None:
    async def play() -> None:
        async with Bench() as bench:
            await pause(1.1)
            held = bench.store.hold("admit")
            bench.wakeup.scheduled(0)
            await pause(0.01)
            assert bench.store.calls[-1] == "admit"
            held.set_result(None)

    run_virtual(play())
