"""Blocking steps in a thread, inline, and ticking."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ferryman.engine.runner import InlineRunner, LoopTicker, ThreadRunner, ThreadTicker
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import pause, turns

pytestmark = pytest.mark.anyio


async def test_steps_run_one_after_the_other_in_one_daemon_thread() -> None:
    runner = ThreadRunner("steps")
    seen: list[tuple[int, threading.Thread]] = []
    await asyncio.gather(
        *(runner.run(lambda n=n: seen.append((n, threading.current_thread()))) for n in range(50))  # type: ignore[misc]
    )
    assert [number for number, _ in seen] == list(range(50))
    (thread,) = {thread for _, thread in seen}
    assert (thread.name, thread.daemon) == ("steps", True)
    assert thread is not threading.current_thread()
    await runner.close()
    thread.join(10)
    assert not thread.is_alive()
    await runner.close()


async def test_results_and_errors_come_back() -> None:
    runner = ThreadRunner("steps")
    assert await runner.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await runner.run(lambda: 1 / 0)
    with pytest.raises(SystemExit):
        await runner.run(lambda: exit_())
    assert await runner.run(lambda: 8) == 8
    await runner.close()


def exit_() -> None:
    raise SystemExit(1)


async def test_a_cancelled_waiter_does_not_take_its_step_back() -> None:
    runner = ThreadRunner("steps")
    gate, done = threading.Event(), threading.Event()
    first = asyncio.ensure_future(runner.run(gate.wait))
    second = asyncio.ensure_future(runner.run(done.set))
    await turns()
    second.cancel()
    await turns()
    gate.set()
    assert await first
    await runner.close()
    assert done.is_set()


def test_an_answer_after_the_end_of_the_loop_is_dropped() -> None:
    gate = threading.Event()
    runner = ThreadRunner("steps")

    async def begin() -> None:
        for _ in range(2):
            asyncio.ensure_future(runner.run(gate.wait))  # noqa: RUF006 - nobody will ever wait for it
        await turns()

    asyncio.run(begin())
    gate.set()
    thread = runner._thread
    assert thread is not None
    runner._steps.put(None)
    thread.join(10)
    assert not thread.is_alive()


async def test_inline_steps_run_here_and_now() -> None:
    runner = InlineRunner()
    assert await runner.run(threading.current_thread) is threading.current_thread()
    await runner.close()


def test_a_thread_ticks_until_it_is_stopped_and_survives_a_failing_step() -> None:
    ticked = threading.Semaphore(0)
    threads: list[threading.Thread] = []

    def step() -> None:
        threads.append(threading.current_thread())
        ticked.release()
        raise RuntimeError("broken")

    ticker = ThreadTicker(0.001, step, "tick")
    ticker.start()
    ticker.start()
    for _ in range(3):
        assert ticked.acquire(timeout=60)
    ticker.stop()
    ticker.stop()
    (thread,) = set(threads)
    thread.join(10)
    assert not thread.is_alive()
    assert thread.daemon


def test_a_ticker_that_was_stopped_first_never_ticks() -> None:
    ticker = ThreadTicker(0.0, lambda: None, "tick")
    ticker.stop()
    ticker.start()
    assert ticker._thread is None


def test_a_loop_ticks_in_simulations() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        times: list[float] = []

        def step() -> None:
            times.append(loop.time())
            raise RuntimeError("broken")

        ticker = LoopTicker(2.0, step, "tick")
        ticker.stop()
        ticker.start()
        await pause(7.0)
        ticker.stop()
        await pause(7.0)
        assert times == [2.0, 4.0, 6.0]

    run_virtual(play())
