"""Cancels that come too late, or from somebody else: the next job of the worker takes no harm."""

from __future__ import annotations

import asyncio
from typing import Any

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import What
from ferryman.engine.channel import Channel
from ferryman.engine.running import Reason
from ferryman.engine.worker import Worker
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.stopping import cancel, code, for_ever, healthy, life_of, noop, probe
from tests.engine.world import Bench, claimed_job, pause, turns


def test_a_handler_that_cancels_its_own_task_and_returns_does_not_harm_the_next_job() -> None:
    async def play() -> None:
        async def job() -> str:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return "done"

        async with Bench(job, probe, workers=1) as bench:
            await bench.enqueue("job")
            await bench.until_ended(1)
            assert bench.ended[0].outcome.result == '"done"'
            await healthy(bench)

    run_virtual(play())


def test_a_handler_that_cancels_its_own_task_and_waits_has_failed() -> None:
    async def play() -> None:
        async def job() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await pause(1.0)

        async with Bench(job, probe, workers=1) as bench:
            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert (bench.ended[0].outcome.what, code(bench.ended[0].outcome)) == (What.FAILED, "FM501")
            await healthy(bench)

    run_virtual(play())


def test_a_handler_that_cancels_its_own_job_in_its_first_step_and_returns() -> None:
    async def play() -> None:
        async def job() -> str:
            life = life_of(bench)
            (running,) = life.pool.running()
            life.pool.cancel([(running.job.id, running.job.number)])
            return "done"

        bench = Bench(job, probe, workers=1)
        async with bench:
            await bench.enqueue("job")
            await bench.until_ended(1)
            assert bench.ended[0].outcome.what is What.CANCELLED
            await healthy(bench)

    run_virtual(play())


def test_a_handler_that_cancels_its_own_job_in_its_first_step_and_waits() -> None:
    async def play() -> None:
        async def job() -> None:
            life_of(bench).pool.cancel([(running.job.id, 1) for running in life_of(bench).pool.running()])
            await asyncio.Event().wait()

        async def long() -> None:
            await pause(60.0)

        bench = Bench(job, long, workers=1)
        async with bench:
            await bench.enqueue("job")
            await bench.until_ended(1)
            assert (bench.ended[0].outcome.what, bench.loop.time()) == (What.CANCELLED, 0.0)
            await bench.enqueue("long")
            await bench.until_ended(2)
            assert bench.ended[1].outcome.what is What.DONE, "the first run's ladder is gone"

    run_virtual(play())


def test_a_cancel_in_the_moment_in_which_the_handler_would_have_gone_on_is_not_lost() -> None:
    async def play() -> None:
        go = asyncio.get_running_loop().create_future()

        async def job() -> str:
            await go
            return "done"

        async with Bench(job, probe, workers=1) as bench:
            (id,) = await bench.enqueue("job")
            await turns()
            go.set_result(None)  # the worker's next step is scheduled, but has not run
            life_of(bench).pool.cancel([(id, 1)])
            await bench.until_ended(1)
            assert bench.ended[0].outcome.what is What.CANCELLED
            await healthy(bench)

    run_virtual(play())


def test_a_stop_of_a_run_that_has_ended_does_nothing() -> None:
    async def play() -> None:
        async with Bench(for_ever, probe, workers=1) as bench:
            (id,) = await bench.enqueue("for_ever")
            await turns()
            life = life_of(bench)
            (running,) = life.pool.running()
            await cancel(bench, id)
            await bench.until_ended(1)
            life.pool._ladder.stop(running, Reason.TIMEOUT)
            assert running.reason is Reason.CANCEL
            await healthy(bench)

    run_virtual(play())


def test_a_worker_cancelled_from_outside_while_its_handler_waits_goes_on() -> None:
    async def play() -> None:
        async with Bench(for_ever, probe, workers=1) as bench:
            await bench.enqueue("for_ever", max_attempts=1)
            await turns()
            (running,) = life_of(bench).pool.running()
            running.slot.task.cancel()
            await bench.until_ended(1)
            assert (bench.ended[0].outcome.what, code(bench.ended[0].outcome)) == (What.FAILED, "FM501")
            await healthy(bench)

    run_virtual(play())


def test_a_worker_cancelled_from_outside_while_it_is_idle_is_replaced() -> None:
    async def play() -> None:
        async with Bench(probe, workers=2) as bench:
            life = life_of(bench)
            await turns()
            life.pool._workers[1].task.cancel()
            await turns()
            assert life.channel.idle == 2
            await healthy(bench)
            assert {run.finish.worker for run in bench.ended} == {1, 2}

    run_virtual(play())


def test_a_worker_that_fails_itself_is_replaced_and_its_run_ends_interrupted() -> None:
    async def play() -> None:
        async with Bench(noop, probe, workers=1) as bench:
            executor = life_of(bench).pool._executor
            decode = executor._registry.get("noop").signature  # type: ignore[union-attr]
            broken: Any = decode
            broken.decode = lambda payload: 1 / 0
            await bench.enqueue("noop", max_attempts=1)
            await bench.until_ended(1)
            assert bench.ended[0].outcome.what is What.INTERRUPTED
            await healthy(bench)

    run_virtual(play())


def test_a_worker_that_is_closed_closes_its_handler_and_makes_no_outcome_of_it() -> None:
    closed: list[bool] = []

    async def job() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def play() -> None:
        async with Bench(job, workers=1) as bench:
            life = life_of(bench)
            pool, channel = life.pool, Channel[ClaimedJob](1)
            channel.send_nowait(claimed_job("job"))
            worker = Worker("w", 1, channel, pool._executor, pool._completer, pool, bench.clock, bench.ids.number)
            worker._task = asyncio.current_task()
            coroutine = worker._work()
            coroutine.send(None)
            coroutine.close()
            assert closed == [True]
            await turns()
            assert not bench.store.groups

    run_virtual(play())
