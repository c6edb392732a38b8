"""The loop that plays several processes: order within a lane, dice between lanes, holding, ending, virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.simulation.loop import Lane, SimLoop, Stuck, pause
from tests.simulation.threads import LaneRunner, LaneTicker


def run(seed: int, play: Callable[[SimLoop], Coroutine[Any, Any, Any]]) -> Any:
    loop = SimLoop(random.Random(seed))
    try:
        return loop.run_until_complete(play(loop))
    finally:
        loop.dispose()


def spawn(loop: SimLoop, lane: Lane, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return loop.create_task(work, context=lane.context.copy())


def order_of(seed: int) -> list[str]:
    """Three steps on each of two lanes, in the order in which they ran."""

    async def play(loop: SimLoop) -> list[str]:
        seen: list[str] = []
        for name in "ab":
            lane = Lane(name)
            for step in range(3):
                loop.call_soon(seen.append, f"{name}{step}", context=lane.context.copy())
        await pause(1.0)
        return seen

    return list(run(seed, play))


def test_a_lane_keeps_its_order_and_dice_decide_between_lanes() -> None:
    orders = {tuple(order_of(seed)) for seed in range(60)}
    assert len(orders) == 20, "every way to shuffle two decks of three into each other"
    for order in orders:
        assert [step for step in order if step[0] == "a"] == ["a0", "a1", "a2"]
        assert [step for step in order if step[0] == "b"] == ["b0", "b1", "b2"]
    assert order_of(7) == order_of(7)


def test_what_a_dead_process_was_doing_stops_where_it_was() -> None:
    async def play(loop: SimLoop) -> list[str]:
        seen: list[str] = []
        lane = Lane("p1")

        async def work() -> None:
            try:
                seen.append("begun")
                await pause(5.0)
                seen.append("went on")
            finally:
                seen.append("cleaned up")

        task = spawn(loop, lane, work())
        await pause(1.0)
        loop.lots.end(lane)
        task.cancel()
        await pause(10.0)
        loop.call_soon(seen.append, "late", context=lane.context.copy())
        await pause(1.0)
        return list(seen)

    assert run(1, play) == ["begun"]


def test_a_held_lane_waits_and_its_timers_ring_when_it_goes_on() -> None:
    async def play(loop: SimLoop) -> list[float]:
        seen: list[float] = []
        lane, other = Lane("p1"), Lane("p2")
        for each in (lane, other):
            loop.call_later(1.0, lambda: seen.append(loop.time()), context=each.context.copy())
        loop.lots.hold(lane)
        await pause(3.0)
        assert seen == [1.0]
        loop.lots.let_go(lane)
        await pause(0.1)
        return seen

    assert run(1, play) == [1.0, 3.0]


def test_threads_go_on_while_the_loop_of_their_process_is_blocked() -> None:
    async def play(loop: SimLoop) -> tuple[int, int]:
        home = Lane("p1")
        side = Lane("p1 threads", home)
        ticks: list[float] = []
        ticker = LaneTicker(loop, side, 1.0, lambda: ticks.append(loop.time()), "a ticker")
        ticker.start()
        loop.lots.hold(home)
        told: list[float] = []
        side.context.copy().run(loop.call_soon_threadsafe, told.append, 0.0)
        await pause(3.5)
        assert told == [], "it was told to its event loop, which is blocked"
        loop.lots.let_go(home)
        await pause(0.1)
        ticker.stop()
        return len(ticks), len(told)

    assert run(1, play) == (3, 1)


def test_a_fuse_goes_off_at_one_step_of_a_lane() -> None:
    async def play(loop: SimLoop) -> list[str]:
        seen: list[str] = []
        lane = Lane("p1")

        async def count() -> None:
            for step in range(10):
                seen.append(str(step))
                await asyncio.sleep(0)  # one turn of the loop

        lane.fuse, lane.on_fuse = 4, lambda: loop.lots.end(lane)
        spawn(loop, lane, count())
        await pause(1.0)
        return seen

    assert run(1, play) == ["0", "1", "2", "3"]


def test_a_step_of_a_thread_happens_even_if_nobody_waits_for_it_any_more() -> None:
    async def play(loop: SimLoop) -> list[str]:
        home = Lane("p1")
        runner = LaneRunner(loop, Lane("p1 threads", home), lambda: 1.0)
        done: list[str] = []
        task = spawn(loop, home, runner.run(lambda: done.append("one")))
        spawn(loop, home, runner.run(lambda: done.append("two")))
        await pause(0.5)
        task.cancel()
        await pause(1.0)
        assert done == ["one"]
        await pause(1.0)
        return done

    assert run(1, play) == ["one", "two"]


def test_a_step_fails_for_its_caller() -> None:
    async def play(loop: SimLoop) -> None:
        home = Lane("p1")
        runner = LaneRunner(loop, Lane("p1 threads", home), lambda: 0.1)
        with pytest.raises(ZeroDivisionError):
            await runner.run(lambda: 1 / 0)

    run(1, play)


def test_what_waits_for_ever_or_goes_round_is_found() -> None:
    async def wait(loop: SimLoop) -> None:
        await loop.create_future()

    async def spin(loop: SimLoop) -> None:
        while True:  # noqa: ASYNC110 - that is the fault
            await asyncio.sleep(0)

    async def dawdle(loop: SimLoop) -> None:
        while True:
            await pause(100.0)

    for endless in (wait, spin, dawdle):
        with pytest.raises(Stuck):
            run(1, endless)
