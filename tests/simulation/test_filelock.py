"""SQLite's write lock between the processes of a simulation: who waits, for how long, and who need not."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.store.sqlite.writer import BUSY_SECONDS
from tests.simulation.filelock import FileLock
from tests.simulation.loop import Lane, SimLoop, pause
from tests.simulation.test_loop import run
from tests.simulation.threads import LaneRunner, LaneSteps

Play = Callable[[SimLoop, FileLock, Lane], Coroutine[Any, Any, Any]]


def with_lock(play: Play, seed: int = 1) -> Any:
    """Play with a lock, and with a lane of threads."""

    async def begin(loop: SimLoop) -> Any:
        return await play(loop, FileLock(loop, random.Random(seed)), Lane("threads", Lane("p1")))

    return run(seed, begin)


def runner(loop: SimLoop, lane: Lane, lock: FileLock | None) -> LaneRunner:
    return LaneRunner(loop, lane, lambda: 0.001, lock)


def test_who_writes_waits_until_the_file_is_free_and_who_reads_does_not() -> None:
    async def play(loop: SimLoop, lock: FileLock, lane: Lane) -> None:
        lock.take()
        writes = loop.create_task(runner(loop, lane, lock).run(loop.time))
        assert await runner(loop, lane, None).run(loop.time) < 0.01
        await pause(2.0)
        assert not writes.done()
        lock.free()
        assert 2.0 < await writes < 2.01

    with_lock(play)


def test_who_has_waited_for_too_long_is_told_so_and_the_next_one_waits_anew() -> None:
    async def play(loop: SimLoop, lock: FileLock, lane: Lane) -> None:
        lock.take()
        writer = runner(loop, lane, lock)
        first, second = (loop.create_task(writer.run(loop.time)) for _ in range(2))
        with pytest.raises(StoreBusy):
            await first
        assert BUSY_SECONDS <= loop.time() < BUSY_SECONDS + 0.01
        await pause(1.0)
        lock.free()
        assert BUSY_SECONDS + 1.0 < await second < BUSY_SECONDS + 1.01
        assert await writer.run(loop.time) < BUSY_SECONDS + 1.02

    with_lock(play)


def test_who_has_given_up_is_not_called_any_more() -> None:
    async def play(loop: SimLoop, lock: FileLock, lane: Lane) -> list[object]:
        complaints: list[object] = []
        loop.set_exception_handler(lambda _loop, context: complaints.append(context))
        lock.take()
        with pytest.raises(StoreBusy):
            await runner(loop, lane, lock).run(loop.time)
        lock.free()
        await pause(1.0)
        return complaints

    assert with_lock(play) == []


def test_who_takes_the_file_again_may_come_before_those_who_wait() -> None:
    async def play(loop: SimLoop, lock: FileLock, lane: Lane) -> None:
        lock.take()
        writes = loop.create_task(runner(loop, lane, lock).run(loop.time))
        await pause(1.0)
        lock.free()
        lock.take()
        await pause(1.0)
        assert not writes.done()
        lock.free()
        assert 2.0 < await writes < 2.01

    with_lock(play)


def test_nobody_knows_who_comes_first() -> None:
    async def play(loop: SimLoop, lock: FileLock, lane: Lane) -> str:
        lock.take()
        came: list[str] = []
        for name in "abc":
            writer = runner(loop, Lane(name, Lane(name)), lock)
            loop.create_task(writer.run(lambda name=name: came.append(name)))  # type: ignore[misc]
        await pause(1.0)
        lock.free()
        await pause(1.0)
        return "".join(came)

    assert len({with_lock(play, seed) for seed in range(60)}) == 6


def test_steps_wait_while_another_one_holds_the_file_and_not_while_their_own_transaction_is_open() -> None:
    async def play(loop: SimLoop, lock: FileLock, lane: Lane) -> list[tuple[str, int]]:
        done: list[tuple[str, int]] = []
        mine = False

        def step(name: str) -> Callable[[], None]:
            return lambda: done.append((name, round(loop.time())))

        def begin() -> None:
            nonlocal mine
            mine = True
            lock.take()

        steps = LaneSteps(loop, lane, lambda: 0.001, lock, lambda: 100.0 if mine else None, step("due"), "steps")
        lock.take()
        steps.put(step("one"))
        await pause(2.0)
        lock.free()
        await pause(1.0)
        steps.put(begin)
        steps.put(step("two"))
        await pause(1.0)
        steps.end(step("last"))
        await pause(1.0)
        return done

    assert with_lock(play) == [("one", 2), ("two", 3), ("last", 4)]


def test_what_is_due_comes_at_its_time_and_a_last_step_only_after_others() -> None:
    async def play(loop: SimLoop, lock: FileLock, lane: Lane) -> list[str]:
        done: list[str] = []
        until: float | None = None

        def ask() -> float | None:
            return None if until is None else until - loop.time()

        def due() -> None:
            nonlocal until
            until = None
            done.append(f"due at {loop.time():.0f}")

        def wait() -> None:
            nonlocal until
            until = 7.0

        never = LaneSteps(loop, lane, lambda: 0.001, lock, ask, due, "never")
        never.end(lambda: done.append("nothing was put"))
        steps = LaneSteps(loop, lane, lambda: 0.001, lock, ask, due, "steps")
        steps.put(wait)
        await pause(20.0)
        return done

    assert with_lock(play) == ["due at 7"]
