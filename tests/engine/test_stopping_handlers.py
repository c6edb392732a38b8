"""Making handlers end: timeout and cancel, whatever they do about it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.engine.signals import Retry, Snooze
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.stopping import cancel, code, for_ever, life_of, noop
from tests.engine.world import Bench, handler, pause, turns


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
