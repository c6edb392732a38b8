"""Heartbeats, the lease they vouch for, and the watch over the event loop."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import threading
from collections.abc import Callable

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.domain.events import Events, LoopStalled
from ferryman.domain.ids import IdMinter
from ferryman.engine.clock import SystemClock
from ferryman.engine.heartbeat import Heartbeat, Lease
from ferryman.engine.loopwatch import INTERVAL, WARN_AFTER, LoopWatch
from ferryman.engine.runner import LoopTicker, ThreadTicker
from ferryman.testing.clock import ManualClock
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, FaultyStore, pause, turns

pytestmark = pytest.mark.anyio


class Beating:
    def __init__(self, alive: Callable[[], bool] = lambda: True) -> None:
        self.clock = ManualClock()
        self.store = FaultyStore(self.clock, IdMinter(random.Random(1)))
        self.lease = Lease()
        self.lost: list[float] = []
        self.heartbeat = Heartbeat(
            self.store,
            7,
            self.clock,
            self.lease,
            lambda: self.lost.append(self.clock.monotonic()),
            beat=2.0,
            seconds=10.0,
            alive=alive,
            ticker=LoopTicker,
        )
        self.answers: list[bool | Exception] = []
        self.store.beat = self.beat  # type: ignore[method-assign]
        self.beats = 0

    def beat(self, node: int) -> bool:
        assert node == 7
        self.beats += 1
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.heartbeat.step()
        await turns(2)


async def test_each_beat_renews_the_lease_which_ends_one_beat_before_that_of_the_others() -> None:
    beating = Beating()
    assert beating.lease.until == math.inf
    await beating.heartbeat.start()
    assert beating.lease.until == 8.0, "the registration counts as a beat"
    await beating.after(2.0)
    assert (beating.lease.until, beating.lost) == (10.0, [])
    await beating.heartbeat.stop()
    await beating.after(2.0)
    assert beating.beats == 1


async def test_a_node_that_was_found_dead_is_lost_at_once_and_told_once() -> None:
    beating = Beating()
    await beating.heartbeat.start()
    beating.answers = [True, False]
    await beating.after(2.0)
    await beating.after(2.0)
    assert beating.lost == [4.0]
    assert beating.lease.until == -math.inf, "nothing starts any more"
    await beating.after(2.0)
    assert (beating.lost, beating.beats) == ([4.0], 2)
    await beating.heartbeat.stop()


async def test_a_node_that_cannot_beat_is_lost_when_its_lease_ends() -> None:
    beating = Beating()
    await beating.heartbeat.start()
    await beating.after(2.0)
    beating.answers = [StoreBusy("busy")] * 10
    for _ in range(3):
        await beating.after(2.0)
    assert beating.lost == [], "8 s after the last beat"
    await beating.after(2.0)
    assert beating.lost == [10.0]
    await beating.heartbeat.stop()


async def test_a_beat_that_fails_now_and_then_does_no_harm() -> None:
    beating = Beating()
    await beating.heartbeat.start()
    beating.answers = [StoreBusy("busy"), True] * 20
    for _ in range(30):
        await beating.after(2.0)
    assert beating.lost == []
    await beating.heartbeat.stop()


async def test_a_node_whose_loop_does_not_turn_stops_beating_and_beats_again_when_it_does() -> None:
    turning = True
    beating = Beating(lambda: turning)
    await beating.heartbeat.start()
    turning = False
    for _ in range(10):
        await beating.after(2.0)
    assert (beating.beats, beating.lost, beating.lease.until) == (0, [], 8.0)
    turning = True
    await beating.after(2.0)
    assert (beating.beats, beating.lost, beating.lease.until) == (1, [], 30.0)
    await beating.heartbeat.stop()


def test_beats_come_every_two_seconds_as_long_as_the_node_lives() -> None:
    async def play() -> None:
        async def noop() -> None:
            pass

        bench = Bench(noop, beat=2.0, lease=10.0)
        async with bench:
            await pause(60.5)
            life = bench.node._life
            assert life is not None
            assert bench.store._tables.nodes[life.number].beats == 30
            assert bench.node.ready

    run_virtual(play())


# -- the loop watch --------------------------------------------------------------------------------


class Watched:
    def __init__(self, stall: float = 60.0) -> None:
        self.clock = ManualClock()
        self.events: list[object] = []
        self.watch = LoopWatch(
            self.clock.monotonic, Events(self.events.append), lambda task: ("job x",), stall=stall, ticker=LoopTicker
        )

    async def blocked(self, seconds: float) -> None:
        """The loop does not turn, the watch looks all the while."""
        for _ in range(round(seconds / INTERVAL)):
            self.clock.advance(INTERVAL)
            self.watch.step()

    async def turning(self, seconds: float) -> None:
        for _ in range(round(seconds / INTERVAL)):
            self.clock.advance(INTERVAL)
            self.watch.step()
            await turns(2)


async def test_a_loop_that_turns_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched()
    await watched.watch.start()
    with caplog.at_level(logging.WARNING):
        await watched.turning(30)
    assert watched.watch.alive()
    assert not caplog.records
    await watched.watch.stop()


async def test_a_loop_that_is_blocked_for_a_second_is_warned_of_once_naming_the_job(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = Watched()
    await watched.watch.start()
    await watched.blocked(WARN_AFTER + 10)
    (record,) = caplog.records
    assert record.getMessage().startswith("FM522: The event loop is blocked for ")
    assert "job x" in record.getMessage()
    assert "test_heartbeat" in record.getMessage(), "the stack of the loop's thread"
    assert watched.watch.alive()
    await turns(2)
    await watched.turning(2)
    await watched.blocked(WARN_AFTER + 1)
    assert len(caplog.records) == 2, "once for each time"
    assert not watched.events
    await watched.watch.stop()


async def test_a_loop_that_is_stuck_is_not_alive_and_told_once() -> None:
    watched = Watched(stall=20.0)
    await watched.watch.start()
    await watched.blocked(30)
    assert not watched.watch.alive()
    (event,) = watched.events
    assert isinstance(event, LoopStalled)
    assert (event.running, event.seconds >= 20.0) == (("job x",), True)
    await turns(2)
    await watched.turning(1)
    assert watched.watch.alive()
    await watched.watch.stop()


async def test_the_job_that_blocks_the_loop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    watching: list[LoopWatch] = []

    async def blocks() -> None:
        """Looks like a handler that blocks: the watch looks from its thread meanwhile."""
        watch = watching[0]
        watch._turned -= 5.0
        looking = threading.Thread(target=watch.step)
        looking.start()
        looking.join()

    async def waits() -> None:
        await asyncio.Event().wait()

    async with Bench(blocks, waits, workers=2, clock=SystemClock(), stop_deadline=0.0) as bench:
        watching.append(bench.node._watch)
        await bench.enqueue("waits")
        await turns()
        (id,) = await bench.enqueue("blocks")
        await bench.until_ended(1)
    (record,) = [each for each in caplog.records if each.__dict__.get("event") == "loop_blocked"]
    worker = f"{bench.node.id}/worker-{bench.ended[0].finish.worker}"
    assert record.__dict__["jobs"] == (f"job {id} of type blocks on {worker}",)
    assert "in blocks" in record.getMessage()


def test_a_watch_looks_from_a_thread_and_ends() -> None:
    async def play() -> None:
        watch = LoopWatch(SystemClock().monotonic, Events(), lambda task: (), stall=60.0, ticker=ThreadTicker)
        watch.step()
        await watch.start()
        await watch.stop()

    asyncio.run(play())
