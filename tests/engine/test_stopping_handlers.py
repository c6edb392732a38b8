"""Making handlers end: timeout, cancel, stop; and cancels that come too late, or from somebody else."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.engine.channel import Channel
from ferryman.engine.incarnation import Incarnation
from ferryman.engine.running import Reason
from ferryman.engine.signals import Retry, Snooze
from ferryman.engine.worker import Worker
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, claimed_job, handler, pause, turns


async def noop() -> None:
    pass


async def for_ever() -> None:
    await asyncio.Event().wait()


def life_of(bench: Bench) -> Incarnation:
    assert bench.node._life is not None
    return bench.node._life


async def cancel(bench: Bench, id: str) -> None:
    """As a person does it."""
    result = await bench.store.cancel(id, bench.clock.now())
    bench.wakeup.cancelled(result.node)


def code(outcome: Outcome) -> str | None:
    return outcome.error.code if outcome.error else None


def test_a_timeout_cancels_the_handler_where_it_waits_and_the_job_is_tried_again() -> None:
    async def play() -> None:
        cleaned: list[float] = []

        async def job() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append(asyncio.get_running_loop().time())

        async with Bench(handler(job, timeout=3.0), workers=1) as bench:
            (id,) = await bench.enqueue("job", max_attempts=2)
            await bench.until_ended(2)
            assert cleaned == [pytest.approx(3.0), pytest.approx(7.0)], "3 s, 1 s of backoff, 3 s"
            assert [(run.outcome.what, code(run.outcome)) for run in bench.ended] == [(What.FAILED, "FM502")] * 2
            job_ = await bench.job(id)
            assert (job_.status, job_.attempt) == (Status.FAILED, 2)
            assert job_.error is not None
            assert job_.error.message == "The handler ran longer than its timeout of 3 s."
            assert "in job" in (bench.ended[0].outcome.error.traceback or "")  # type: ignore[union-attr]

    run_virtual(play())


def test_a_handler_that_ends_in_time_is_left_alone() -> None:
    async def play() -> None:
        async def job() -> None:
            await pause(2.0)

        async with Bench(handler(job, timeout=3.0), handler(for_ever, timeout=50.0), workers=2) as bench:
            await bench.enqueue("job", count=20)
            await bench.enqueue("for_ever", max_attempts=1)
            await bench.until_ended(21)
            assert {run.outcome.what for run in bench.ended[:20]} == {What.DONE}
            assert code(bench.ended[20].outcome) == "FM502"

    run_virtual(play())


def test_a_timeout_counts_what_came_before_the_first_wait() -> None:
    async def play() -> None:
        async def job() -> None:
            loop = asyncio.get_running_loop()
            loop._selector_of_time.now += 5.0  # type: ignore[attr-defined] # as if it had computed for 5 s
            await asyncio.Event().wait()

        async with Bench(handler(job, timeout=3.0)) as bench:
            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(5.0)

    run_virtual(play())


def test_a_handler_that_swallows_its_cancellation_ends_for_the_reason_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def play() -> None:
        async def job() -> str:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await pause(1.0)
            return "as if nothing had been"

        async with Bench(handler(job, timeout=3.0), workers=1) as bench:
            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            outcome = bench.ended[0].outcome
            assert (outcome.what, code(outcome), outcome.result) == (What.FAILED, "FM502", None)

    with caplog.at_level(logging.WARNING, "ferryman.engine"):
        run_virtual(play())
    assert any("FM507" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("error", [KeyError("cleaning failed"), Retry(5), Snooze(5), SystemExit(1)])
def test_whatever_a_handler_raises_on_its_way_out_the_reason_counts(error: BaseException) -> None:
    async def play() -> None:
        async def job() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise error

        async with Bench(handler(job, timeout=3.0), workers=1) as bench:
            (id,) = await bench.enqueue("job")
            await turns()
            await cancel(bench, id)
            await bench.until_ended(1)
            assert bench.ended[0].outcome.what is What.CANCELLED

    run_virtual(play())


def test_a_handler_that_never_ends_is_cancelled_twice_then_its_worker_is_replaced() -> None:
    async def play() -> None:
        cancelled: list[float] = []
        enough = asyncio.Event()

        async def job() -> str:
            while not enough.is_set():
                try:
                    await enough.wait()
                except asyncio.CancelledError:
                    cancelled.append(asyncio.get_running_loop().time())
            return "late"

        async with Bench(handler(job, timeout=3.0), noop, workers=1, grace=5.0) as bench:
            (id,) = await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert cancelled == [pytest.approx(3.0), pytest.approx(8.0)]
            assert bench.loop.time() == pytest.approx(13.0)
            assert code(bench.ended[0].outcome) == "FM502"
            await bench.enqueue("noop", count=3)
            await bench.until_ended(4)
            assert {run.finish.worker for run in bench.ended} == {1}, "the new worker has the old one's number"
            assert bench.node.in_progress == 0
            enough.set()
            await bench.until(lambda: bool(bench.fenced))
            assert bench.fenced[0].job.id == id, "the late result is refused, and counted"
            assert (await bench.job(id)).status is Status.FAILED
            await turns()
            assert len(bench.ended) == 4

    run_virtual(play())


def test_a_cancel_request_ends_the_running_job() -> None:
    async def play() -> None:
        async with Bench(for_ever, noop, workers=1) as bench:
            (id,) = await bench.enqueue("for_ever")
            await turns()
            await cancel(bench, id)
            await bench.until_ended(1)
            assert bench.loop.time() == 0.0, "the wakeup makes it happen at once"
            assert bench.ended[0].outcome == Outcome(What.CANCELLED)
            assert (await bench.job(id)).status is Status.CANCELLED
            await bench.enqueue("noop")
            await bench.until_ended(2)

    run_virtual(play())


def test_a_cancel_request_whose_wakeup_was_lost_is_found_within_half_a_second() -> None:
    async def play() -> None:
        async with Bench(for_ever, workers=1) as bench:
            (id,) = await bench.enqueue("for_ever")
            await turns()
            await bench.store.cancel(id, bench.clock.now())
            await bench.until_ended(1)
            assert 0.0 < bench.loop.time() <= 0.5

    run_virtual(play())


def test_a_buffered_job_whose_cancel_is_known_does_not_start() -> None:
    async def play() -> None:
        started: list[int] = []

        async def job() -> None:
            started.append(1)

        async with Bench(for_ever, job, workers=1) as bench:
            (blocker,) = await bench.enqueue("for_ever")
            await turns()
            life = life_of(bench)
            life.dispatcher._prefetch._expected = 1.0
            (id,) = await bench.enqueue("job")
            await turns()
            assert life.channel.length == 1
            await cancel(bench, id)
            await turns()
            await cancel(bench, blocker)
            await bench.until_ended(2)
            assert not started
            assert {run.outcome.what for run in bench.ended} == {What.CANCELLED}

    run_virtual(play())


def test_only_the_first_reason_counts() -> None:
    async def play() -> None:
        async def job() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await pause(2.0)

        async with Bench(handler(job, timeout=3.0), workers=1) as bench:
            (id,) = await bench.enqueue("job", max_attempts=1)
            await pause(3.5)
            life_of(bench).pool.cancel([(id, 1)])
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(5.0), "nor is it cancelled again while it cleans up"
            assert code(bench.ended[0].outcome) == "FM502"

    run_virtual(play())


# -- cancels of somebody else, or too late -------------------------------------------------------------


async def healthy(bench: Bench) -> None:
    """The next job of each worker may wait and use timeouts of its own."""
    before = len(bench.ended)
    workers = [worker.task for worker in life_of(bench).pool._workers.values()]
    assert not any(task.done() for task in workers)
    await bench.enqueue("probe", count=4)
    await bench.until_ended(before + 4)
    assert [run.outcome.result for run in bench.ended[before:]] == ['"well"'] * 4
    assert [worker.task for worker in life_of(bench).pool._workers.values()] == workers, "nobody had to be replaced"


async def probe() -> str:
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await pause(0.1)
    try:
        async with asyncio.timeout(0.1):
            await asyncio.Event().wait()
    except TimeoutError:
        pass
    async with asyncio.TaskGroup() as group:
        group.create_task(noop())
    return "well"


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
