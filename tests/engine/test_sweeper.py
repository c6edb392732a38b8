"""The sweeper's loop, and each chore alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.domain.events import JobsRescued
from ferryman.domain.job import MICROS
from ferryman.domain.state import Status
from ferryman.engine import chores
from ferryman.engine.sweeper import AGAIN, Sweeper
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, pause, turns


class Logged:
    def __init__(self, every: float, do: Callable[[], None] = lambda: None) -> None:
        self.times: list[float] = []
        self.every = every
        self.do = do

    async def step(self) -> float:
        self.times.append(asyncio.get_running_loop().time())
        self.do()
        return self.every


def test_each_chore_is_done_at_once_and_then_when_it_is_due() -> None:
    async def play() -> None:
        fast, slow = Logged(1.0), Logged(2.5)
        sweeper = Sweeper(asyncio.get_running_loop().time, [fast, slow])
        await sweeper.start()
        await sweeper.start()
        await pause(5.2)
        await sweeper.stop()
        await sweeper.stop()
        await pause(5)
        assert (fast.times, slow.times) == ([0, 1, 2, 3, 4, 5], [0, 2.5, 5])

    run_virtual(play())


@pytest.mark.parametrize("error", [StoreBusy("busy"), RuntimeError("unforeseen")])
def test_a_chore_that_fails_is_tried_again_and_holds_no_other_up(error: Exception) -> None:
    async def play() -> None:
        def fail() -> None:
            raise error

        bad, good = Logged(10.0, fail), Logged(2.0)
        sweeper = Sweeper(asyncio.get_running_loop().time, [bad, good])
        await sweeper.start()
        await pause(2.5)
        await sweeper.stop()
        assert bad.times == [0, AGAIN, 2 * AGAIN]
        assert good.times == [0, 2]

    run_virtual(play())


def test_sooner_makes_a_chore_due_earlier_never_later() -> None:
    async def play() -> None:
        chore = Logged(10.0)
        sweeper = Sweeper(asyncio.get_running_loop().time, [chore])
        await sweeper.start()
        await pause(1.0)
        sweeper.sooner(chore, 2.0)
        sweeper.sooner(chore, 5.0)
        await pause(5.0)
        assert chore.times == [0, 3]
        sweeper.sooner(chore, -1.0)
        await turns()
        assert chore.times == [0, 3, 6]
        await sweeper.stop()

    run_virtual(play())


def test_sooner_said_while_the_chore_is_being_done_counts() -> None:
    async def play() -> None:
        chore = Logged(10.0)
        sweeper = Sweeper(asyncio.get_running_loop().time, [chore])
        chore.do = lambda: sweeper.sooner(chore, 1.0) if len(chore.times) == 1 else None
        await sweeper.start()
        await pause(2.0)
        await sweeper.stop()
        assert chore.times == [0, 1]

    run_virtual(play())


def test_a_sweeper_that_never_started_stops_and_does_not_start_any_more() -> None:
    async def play() -> None:
        chore = Logged(1.0)
        sweeper = Sweeper(asyncio.get_running_loop().time, [chore])
        await sweeper.stop()
        await sweeper.start()
        await pause(2)
        assert not chore.times

    run_virtual(play())


# -- chores alone ----------------------------------------------------------------------------------


class Rung:
    def __init__(self) -> None:
        self.works = 0

    def work(self) -> None:
        self.works += 1

    def scheduled(self, run_at: int) -> None: ...

    def cancelled(self, node: str | None) -> None: ...


def test_promote_says_when_the_next_one_is_due() -> None:
    async def play() -> None:
        bench, rung = Bench(), Rung()
        promote = chores.Promote(bench.store, bench.clock, rung)
        assert await promote.step() == chores.PERIOD
        now = bench.clock.now()
        await bench.enqueue("t", run_at=now + 1 * MICROS)
        await bench.enqueue("t", run_at=now + round(1.2 * MICROS))
        assert await promote.step() == chores.PERIOD
        assert rung.works == 0
        await pause(1.0)
        assert await promote.step() == pytest.approx(0.2)
        assert rung.works == 1
        assert promote.due_in(bench.clock.now() + 3 * MICROS) == 3.0
        await bench.enqueue("t", run_at=now + 2 * MICROS, count=chores.BATCH + 1)
        await pause(5.0)
        assert await promote.step() == 0.0, "a full batch: there may be more"

    run_virtual(play())


def test_rescue_gives_the_claims_of_dead_nodes_back_and_says_so() -> None:
    async def play() -> None:
        async def job() -> None:
            pass

        bench, rung = Bench(job), Rung()
        async with bench:
            await turns()
            life = bench.node._life
            assert life is not None
            life.dispatcher._running = False
            (id,) = await bench.enqueue("job")
            request = life.dispatcher._request(life.dispatcher._shares.worth_asking()[0])
            assert request is not None
            await bench.store.claim(request, bench.clock.now())
            life.dispatcher._land()
            bench.store._tables.nodes[life.number].live = False
            rescue = chores.Rescue(bench.store, bench.clock, rung, bench.world.events, 10.0)
            assert await rescue.step() == chores.PERIOD
            (event,) = [event for event in bench.events if isinstance(event, JobsRescued)]
            assert (event.node, event.count, rung.works) == (life.id, 1, 1)
            assert (await bench.job(id)).status is Status.PENDING
            await rescue.step()
            assert rung.works == 1

    run_virtual(play())


@pytest.mark.parametrize(("takes", "due"), [(0.1, 0.4), (0.45, 0.05), (3.0, 0.05)])
def test_a_slow_store_does_not_delay_the_next_rescue(takes: float, due: float) -> None:
    async def play() -> None:
        bench = Bench()
        gate = bench.store.hold("rescue")
        rescue = chores.Rescue(bench.store, bench.clock, Rung(), bench.world.events, 10.0)
        step = bench.loop.create_task(rescue.step())
        await pause(takes)
        gate.set_result(None)
        assert await step == pytest.approx(due)

    run_virtual(play())


def test_expire_and_prune_go_on_at_once_while_there_is_more() -> None:
    async def play() -> None:
        bench = Bench()
        expire, prune = chores.Expire(bench.store, bench.clock), chores.Prune(bench.store, bench.clock)
        assert (await expire.step(), await prune.step()) == (chores.EXPIRE_PERIOD, chores.PRUNE_PERIOD)
        ids = await bench.enqueue("t", count=chores.BATCH, expires_at=bench.clock.now() + MICROS)
        await pause(1.0)
        assert await expire.step() == 0.0
        assert await expire.step() == chores.EXPIRE_PERIOD
        assert (await bench.job(ids[0])).status is Status.CANCELLED
        await pause(2.0)
        bench.clock.jump(2e9)  # type: ignore[attr-defined]
        assert await prune.step() == 0.0
        assert await prune.step() == chores.PRUNE_PERIOD

    run_virtual(play())


def test_a_cancel_that_a_node_does_not_act_on_is_forced() -> None:
    async def play() -> None:
        async def job() -> None:
            await asyncio.Event().wait()

        async with Bench(job, workers=1) as bench:
            (id,) = await bench.enqueue("job")
            await turns()
            life = bench.node._life
            assert life is not None
            life.pool.cancel = lambda asked: None  # type: ignore[method-assign]
            await bench.store.cancel(id, bench.clock.now())
            await pause(chores.FORCE_AFTER - 1)
            assert (await bench.job(id)).status is Status.PROCESSING
            await pause(3)
            assert (await bench.job(id)).status is Status.CANCELLED

    run_virtual(play())
