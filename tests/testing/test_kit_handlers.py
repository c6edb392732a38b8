"""How handlers run in `with app.testing() as queue`, and what becomes of what they raise."""

from __future__ import annotations

import asyncio
import os
import threading
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ferryman import Cancel, Context, Ferryman, Retry, Snooze, errors
from tests.testing.kit_shop import START, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


# -- handlers ----------------------------------------------------------------------------------------


def test_async_handlers_sleep_in_virtual_time_and_their_sleep_moves_the_clock(shop: Shop) -> None:
    with shop.app.testing(start=START) as queue:
        handle = shop.note.enqueue("slow", 3000)
        queue.run_all()
        assert handle.result() == "SLOW"
        assert queue.now == START + timedelta(seconds=3000)


def test_def_handlers_run_in_the_thread_of_the_test(shop: Shop) -> None:
    threads: list[threading.Thread] = []

    @shop.app.job
    def here() -> None:
        threads.append(threading.current_thread())
        shop.add.enqueue(5)  # no loop runs in a def handler, so that it may block

    with shop.app.testing() as queue:
        here.enqueue()
        assert queue.run_all() == 2
        assert queue.jobs(shop.add)[0].result == 7
    assert threads == [threading.current_thread()]


SEEN: list[int] = []


def in_a_process() -> None:
    SEEN.append(os.getpid())


def test_handlers_of_worker_processes_run_here_too(shop: Shop) -> None:
    job = shop.app.job(process=True)(in_a_process)
    SEEN.clear()
    with shop.app.testing() as queue:
        job.enqueue()
        assert queue.run_all() == 1
    assert [os.getpid()] == SEEN


def test_an_async_handler_may_use_threads_while_time_stands(shop: Shop) -> None:
    go = threading.Event()

    @shop.app.job(timeout=1)
    async def threaded() -> bool:
        waiting = asyncio.create_task(asyncio.to_thread(go.wait, 60))
        await asyncio.sleep(0)
        go.set()
        return await waiting

    with shop.app.testing() as queue:
        handle = threaded.enqueue()
        queue.run_all()
        assert handle.result() is True


def test_a_timeout_comes_in_virtual_time(shop: Shop) -> None:
    @shop.app.job(timeout=5, max_attempts=2, retry=30)
    async def hang() -> None:
        await asyncio.Event().wait()

    with shop.app.testing(start=START) as queue:
        hang.enqueue()
        with pytest.raises(errors.HandlerTimedOut, match=r"timeout of 5 s.*attempt 1 of 2"):
            queue.run_all()
        assert queue.now == START + timedelta(seconds=5)
        [job] = queue.jobs()
        assert (job.status, job.run_at) == ("scheduled", START + timedelta(seconds=35))
        assert job.error is not None
        assert job.error.code == "FM502"


def test_a_handler_that_swallows_its_end_is_given_up(shop: Shop) -> None:
    @shop.app.job(timeout=5, max_attempts=1)
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                shop.did.append("swallowed")

    with shop.app.testing(raise_errors=False) as queue:
        stubborn.enqueue()
        shop.note.enqueue("next")
        assert queue.run_all() == 2
        assert [job.status for job in queue.jobs()] == ["failed", "completed"]
    assert shop.did[:3] == ["swallowed", "swallowed", "next"]


def test_what_never_comes_is_an_error_and_the_queue_goes_on(shop: Shop) -> None:
    @shop.app.job(timeout=None)
    async def stuck() -> None:
        await asyncio.Event().wait()

    with shop.app.testing() as queue:
        stuck.enqueue()
        with pytest.raises(errors.WouldWaitForever, match=r"FM316.*asyncio.to_thread"):
            queue.run_all()
        assert queue.jobs(stuck)[0].status == "pending"
        shop.note.call("first").options(priority=0).enqueue()
        queue.run_one()
        assert shop.did == ["first"]


def test_the_context_is_that_of_a_run(shop: Shop) -> None:
    seen: list[Any] = []

    @shop.app.job_with_context(timeout=7)
    async def contextual(ctx: Context) -> None:
        seen.extend([ctx.attempt, ctx.claim, ctx.job.type, ctx.deadline])
        ctx.log.info("here")

    with shop.app.testing() as queue:
        contextual.enqueue()
        queue.run_all()
    assert seen == [1, 1, "contextual", 7.0]


def test_a_follow_up_of_a_type_that_the_app_does_not_declare_is_refused(shop: Shop) -> None:
    other = Ferryman("memory://")

    @other.job
    def elsewhere() -> None: ...

    @shop.app.job_with_context
    def follows(ctx: Context) -> str:
        with pytest.raises(errors.UnknownType, match="has not declared the type elsewhere"):
            ctx.enqueue(elsewhere.call())
        return "refused"

    with shop.app.testing() as queue:
        handle = follows.enqueue()
        queue.run_all()
        assert handle.result() == "refused"


# -- errors ------------------------------------------------------------------------------------------


def test_what_a_handler_raises_is_raised_in_the_test_with_its_traceback(shop: Shop) -> None:
    with shop.app.testing() as queue:
        shop.fail.enqueue()
        with pytest.raises(LookupError, match="not there") as caught:
            queue.run_all()
        assert traceback.extract_tb(caught.tb)[-1].name == "fail"
        assert not [each for each in traceback.extract_tb(caught.tb) if "/engine/" in each.filename]
        assert queue.jobs()[0].status == "scheduled"


def test_where_errors_are_not_raised_attempts_fail_as_in_production(shop: Shop) -> None:
    with shop.app.testing(raise_errors=False, start=START) as queue:
        handle = shop.fail.enqueue()
        assert queue.run_all() == 1
        assert queue.jobs()[0].run_at == START + timedelta(seconds=10)
        assert queue.run_due(69) == 1
        assert queue.run_due(1) == 1
        assert queue.now == START + timedelta(seconds=70)
        with pytest.raises(errors.JobFailed, match="after 3 of 3 attempts"):
            handle.result()


def test_backoff_takes_its_whole_delay(shop: Shop) -> None:
    @shop.app.job
    def broken() -> None:
        raise OSError

    with shop.app.testing(raise_errors=False, start=START) as queue:
        broken.enqueue()
        queue.run_all()
        assert queue.jobs()[0].run_at == START + timedelta(seconds=1)
        queue.run_due(1)
        assert queue.jobs()[0].run_at == START + timedelta(seconds=3)


def test_ctrl_c_is_raised_whatever_was_asked_for(shop: Shop) -> None:
    @shop.app.job
    async def interrupted() -> None:
        raise KeyboardInterrupt

    @shop.app.job
    def interrupted_too() -> None:
        raise KeyboardInterrupt

    with shop.app.testing(raise_errors=False) as queue:
        for job in (interrupted, interrupted_too):
            job.enqueue()
            with pytest.raises(KeyboardInterrupt):
                queue.run_all()


def test_a_cancelled_error_of_the_handler_s_own_is_a_failure(shop: Shop) -> None:
    @shop.app.job
    async def gone() -> None:
        raise asyncio.CancelledError

    with shop.app.testing() as queue:
        gone.enqueue()
        with pytest.raises(errors.JobFailed, match="FM501 CancelledError") as caught:
            queue.run_all()
        assert caught.value.error_type == "CancelledError"


def test_a_payload_that_fits_no_more_is_told(shop: Shop) -> None:
    with shop.app.testing() as queue:
        shop.note.enqueue("x")
        shop.app.registry._handlers["note"] = shop.app.registry._handlers["add"]
        with pytest.raises(errors.PayloadMismatch, match="add"):
            queue.run_all()


def test_signals_are_no_errors(shop: Shop) -> None:
    @shop.app.job_with_context
    def signalling(ctx: Context, how: str) -> str:
        if how == "retry" and ctx.attempt == 1:
            raise Retry(20)
        if how == "snooze" and ctx.claim == 1:
            raise Snooze(30)
        if how == "cancel":
            raise Cancel("not wanted")
        return how

    with shop.app.testing(start=START) as queue:
        retried, snoozed, cancelled = (signalling.enqueue(how) for how in ("retry", "snooze", "cancel"))
        assert queue.run_all() == 3
        assert [job.status for job in queue.jobs()] == ["scheduled", "scheduled", "cancelled"]
        assert queue.run_due(30) == 2
        assert (retried.result(), snoozed.result()) == ("retry", "snooze")
        assert [job.attempt for job in queue.jobs()] == [2, 1, 1]
        with pytest.raises(errors.JobCancelled):
            cancelled.result()
