"""The chore that fires schedules, and what a node tells the store of those that its code declares."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
import pytest

from ferryman.domain.cron import Ambiguous, Cron, Missed
from ferryman.domain.errors import StoreBusy
from ferryman.domain.events import Enqueued
from ferryman.domain.job import MICROS
from ferryman.domain.schedule import Firing, Order, Overlap, Schedule
from ferryman.domain.state import Status
from ferryman.engine import firing
from ferryman.engine.firing import DeclareSchedules, FireSchedules
from ferryman.store.protocol import JobFilter
from ferryman.store.scheduling import Fired, KeptSchedule
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, pause, turns

MINUTE = 60 * MICROS


def every_minute(name: str = "often", **more: Any) -> Schedule:
    return Schedule(name, Cron("* * * * *"), Order("tell"), **more)


async def tell() -> None:
    pass


def chore(bench: Bench) -> FireSchedules:
    return FireSchedules(bench.store, bench.clock, bench.ids, bench.wakeup, bench.world.events)


async def ticks(bench: Bench) -> list[int]:
    """The instants that became jobs, in order."""
    jobs = await bench.store.list(JobFilter(limit=100_000), bench.clock.now())
    return sorted(job.run_at for job in jobs if job.run_at is not None)


def test_a_node_fires_its_schedules_and_runs_what_comes_of_it() -> None:
    async def play() -> None:
        bench = Bench(tell)
        bench.world.registry.schedules["often"] = every_minute()
        begun = bench.clock.now()
        async with bench:
            await pause(300.5)
            ended = await bench.until_ended(5)
            assert await ticks(bench) == [begun + n * MINUTE for n in range(1, 6)]
            assert [run.finish.status for run in ended] == [Status.COMPLETED] * 5
            assert sum(each.count for each in bench.events if isinstance(each, Enqueued)) == 5
            assert [run.finish.finished_at for run in ended] == [run.job.run_at for run in ended], "at the instant"

    run_virtual(play())


def test_a_schedule_that_somebody_puts_is_found_within_two_seconds() -> None:
    async def play() -> None:
        async with Bench(tell) as bench:
            await pause(30)
            await bench.store.put_schedule(every_minute(), bench.clock.now())
            await pause(28)
            await bench.store.put_schedule(
                msgspec.structs.replace(every_minute(), cron=Cron("59 0 * * * *")), bench.clock.now()
            )
            await pause(2.5)
            assert [(at // MICROS) % 60 for at in await ticks(bench)] == [59]
            await bench.store.pause_schedule("often", True, bench.clock.now())
            await pause(3700)
            assert len(await ticks(bench)) == 1
            await bench.store.pause_schedule("often", False, bench.clock.now())
            await pause(3600)
            assert len(await ticks(bench)) == 2, "those of the pause are not made up for"

    run_virtual(play())


@pytest.mark.parametrize(
    ("missed", "made_up"), [(Missed.SKIP, 0), (Missed.ONCE, 1), (Missed.ALL, 3)], ids=["skip", "once", "all"]
)
def test_ticks_for_which_nobody_was_there(missed: Missed, made_up: int) -> None:
    async def play() -> None:
        bench = Bench(tell)
        await bench.store.put_schedule(every_minute(missed=missed, max_missed=3), bench.clock.now())
        await pause(3610)
        now = bench.clock.now()
        async with bench:
            await turns()
            on_time = now - 10 * MICROS
            assert await ticks(bench) == [on_time - n * MINUTE for n in range(made_up, -1, -1)]

    run_virtual(play())


def test_a_tick_waits_until_the_job_before_has_ended() -> None:
    async def play() -> None:
        over = asyncio.Event()

        async def slow() -> None:
            await over.wait()

        bench = Bench(slow)
        await bench.store.put_schedule(
            Schedule("s", Cron("* * * * *"), Order("slow"), Missed.ONCE, overlap=Overlap.WAIT), bench.clock.now()
        )
        begun = bench.clock.now()
        async with bench:
            await pause(310)
            assert await ticks(bench) == [begun + MINUTE]
            over.set()
            await pause(4)  # two looks, each of which may have just been
            found = await ticks(bench)
            assert found == [begun + MINUTE, begun + 4 * MINUTE, begun + 5 * MINUTE], "of those missed one, in its turn"

    run_virtual(play())


def test_a_schedule_that_cannot_be_read_here_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        bench = Bench(tell)
        now = bench.clock.now()
        bad = msgspec.structs.replace(every_minute("a"), cron=Cron("* * * * *", "Mars/Olympus"))
        await bench.store.put_schedule(bad, now)
        await bench.store.put_schedule(every_minute("b"), now)
        async with bench:
            await pause(130)
            assert await ticks(bench) == [now + MINUTE, now + 2 * MINUTE]
            await bench.store.put_schedule(every_minute("a"), bench.clock.now())
            await pause(60)
            assert len(await ticks(bench)) == 4

    with caplog.at_level(logging.WARNING):
        run_virtual(play())
    [told] = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert "The schedule a does not fire" in told.getMessage()
    assert "Mars/Olympus" in told.getMessage()


@pytest.mark.parametrize(
    ("error", "again"), [(StoreBusy("busy"), firing.AGAIN), (RuntimeError("unforeseen"), firing.UNFORESEEN)]
)
def test_a_fire_that_fails_is_tried_again_and_holds_up_no_other_schedule(
    error: Exception, again: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        bench = Bench(tell)
        for name in "ab":
            await bench.store.put_schedule(every_minute(name), bench.clock.now())
        fire, failures = bench.store.fire, [error]

        async def failing(asked: Firing, now: int) -> Fired | None:
            if asked.name == "a" and failures:
                raise failures.pop()
            return await fire(asked, now)

        monkeypatch.setattr(bench.store, "fire", failing)
        fires, tick = chore(bench), bench.clock.now() + MINUTE
        await pause(60)
        await fires.step()
        assert await ticks(bench) == [tick]
        await pause(again - 0.1)
        await fires.step()
        assert await ticks(bench) == [tick]
        await pause(0.2)
        await fires.step()
        assert (await ticks(bench))[:2] == [tick, tick]

    run_virtual(play())


def test_a_lost_reply_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        bench = Bench(tell)
        await bench.store.put_schedule(every_minute(), bench.clock.now())
        fire = bench.store.fire

        async def losing(asked: Firing, now: int) -> Fired | None:
            await fire(asked, now)
            raise StoreBusy("lost")

        monkeypatch.setattr(bench.store, "fire", losing)
        async with bench:
            await pause(310)
            assert len(await ticks(bench)) == 5

    run_virtual(play())


def test_many_schedules_at_one_tick_leave_other_chores_their_turns() -> None:
    async def play() -> None:
        bench = Bench(tell)
        count = 2 * firing.AT_ONCE + 1
        for n in range(count):
            await bench.store.put_schedule(every_minute(f"s{n:03}"), bench.clock.now())
        fires = chore(bench)
        for _ in range(5):
            await fires.step()
        await pause(60)
        assert await fires.step() == 0.0
        assert len(await ticks(bench)) == firing.AT_ONCE
        for _ in range(5):
            await fires.step()
        assert len(await ticks(bench)) == count

    run_virtual(play())


def test_a_chore_without_schedules_looks_again_soon() -> None:
    async def play() -> None:
        bench = Bench(tell)
        fires = chore(bench)
        assert await fires.step() == firing.LOOK
        never = msgspec.structs.replace(every_minute(), cron=Cron("0 0 30 2 *", ambiguous=Ambiguous.BOTH))
        await bench.store.put_schedule(never, bench.clock.now())
        assert await fires.step() == firing.LOOK
        await bench.store.put_schedule(every_minute(), bench.clock.now())
        await pause(59.5)
        await fires.step()
        assert await fires.step() == pytest.approx(0.5)

    run_virtual(play())


# -- what the code declares ------------------------------------------------------------------------


def test_a_node_declares_what_its_code_says_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        bench = Bench(tell)
        mine, theirs = every_minute(), Schedule("theirs", Cron("@daily"), Order("other"))
        store, declared = bench.store, bench.world.registry.schedules
        await store.put_schedule(theirs, bench.clock.now(), declared=True)
        declare = DeclareSchedules(store, bench.clock, bench.world.registry)
        declared["often"] = mine
        for _ in range(2):
            await declare.step()
            assert await marks(bench) == {"often": True, "theirs": True}
        await store.pause_schedule("often", True, bench.clock.now())
        declared["often"] = msgspec.structs.replace(mine, missed=Missed.ONCE)
        await declare.step()
        [often, _] = await store.schedules()
        assert (often.schedule.missed, often.paused) == (Missed.ONCE, True)
        del declared["often"]
        await declare.step()
        assert await marks(bench) == {"often": False, "theirs": True}

    with caplog.at_level(logging.WARNING):
        run_virtual(play())
    assert "The schedule often is declared no more" in caplog.text
    assert "ferryman schedules rm often" in caplog.text


async def marks(bench: Bench) -> dict[str, bool]:
    found: list[KeptSchedule] = list(await bench.store.schedules())
    return {each.name: each.declared for each in found}
