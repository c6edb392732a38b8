"""Failure hooks: what they are told of, and what they cannot do to the engine."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from ferryman.domain.errors import HandlerRaised, HandlerTimedOut, PayloadMismatch, ResultNotSerialisable
from ferryman.domain.job import JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.retry import policy
from ferryman.engine import bounded
from ferryman.engine.context import Context
from ferryman.engine.failing import cause
from ferryman.engine.signals import Cancel, Retry, Snooze
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.hooks import KINDS, as_kind, hooks_of, real, variable
from tests.engine.stopping import cancel, code, for_ever, healthy, life_of, noop, probe
from tests.engine.world import Bench, handler, pause, turns

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", KINDS)
async def test_failure_hooks_are_called_for_each_failed_attempt_before_its_outcome_is_written(kind: str) -> None:
    told: list[tuple[str, Any]] = []

    def work(ctx: Context, n: int) -> None:
        variable.set("of the handler")
        raise KeyError(ctx.attempt)

    async with real(kind, handler(as_kind(kind, work), retry=policy(0.0))) as bench:
        hooks = hooks_of(bench)

        @hooks.on_failure
        def first(ctx: Context, error: BaseException) -> None:
            assert threading.current_thread() is not threading.main_thread()
            told.append(("first", (ctx.attempt, ctx.job.max_attempts, ctx.final, repr(error), len(bench.ended))))

        @hooks.on_failure
        async def second(ctx: Context, error: BaseException) -> None:
            assert asyncio.get_running_loop() is bench.loop
            told.append(("second", variable.get()))

        await bench.enqueue("job", max_attempts=2)
        await bench.until_ended(2)
        seen = "of the handler"
        assert told == [
            ("first", (1, 2, False, "KeyError(1)", 0)),
            ("second", seen),
            ("first", (2, 2, True, "KeyError(2)", 1)),
            ("second", seen),
        ]


def told_of(job: Any, *, payload: str = "{}", **options: Any) -> list[tuple[BaseException, bool]]:
    """What a failure hook is told of one run of a coroutine."""
    told: list[tuple[BaseException, bool]] = []

    async def play() -> None:
        async with Bench(job, workers=1, **options) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                told.append((error, ctx.final))

            await bench.enqueue("job", payload)
            await bench.until_ended(1)

    run_virtual(play())
    return told


def test_an_error_that_is_not_retried_is_final_at_the_first_attempt() -> None:
    async def job() -> None:
        raise PermissionError

    ((error, final),) = told_of(handler(job, retry=policy(1.0, never=[PermissionError])))
    assert (type(error), final) == (PermissionError, True)


def test_a_timeout_is_told_as_ours_and_says_where_the_handler_was() -> None:
    async def job() -> None:
        await asyncio.Event().wait()

    ((error, final),) = told_of(handler(job, timeout=3.0))
    assert isinstance(error, HandlerTimedOut)
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert not final


def test_a_payload_that_does_not_fit_and_a_result_that_cannot_be_kept_are_failures_too() -> None:
    async def job(n: int = 0) -> object:
        return object()

    ((error, final),) = told_of(handler(job), payload='{"m": 1}')
    assert (type(error), final) == (PayloadMismatch, True)
    ((error, final),) = told_of(handler(job))
    assert (type(error), final) == (ResultNotSerialisable, True)


def test_a_job_whose_payload_does_not_fit_has_failed_whatever_comes_while_a_hook_is_told() -> None:
    async def play() -> None:
        async def job(n: int) -> None: ...

        async with Bench(job, workers=1, grace=1.0) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                life_of(bench).pool.cancel([(ctx.job.id, ctx.claim)])
                await pause(4.0)

            await bench.enqueue("job", '{"m": 1}')
            await bench.until_ended(1)
            assert code(bench.ended[0].outcome) == "FM508"

    run_virtual(play())


def test_a_retry_is_a_failure_a_snooze_and_a_cancel_are_none() -> None:
    def raising(error: BaseException) -> Any:
        async def job() -> None:
            raise error

        return job

    ((error, _),) = told_of(raising(Retry(5)))
    assert isinstance(error, Retry)
    assert told_of(raising(Snooze(5))) == told_of(raising(Cancel())) == []


def test_a_cancelled_an_interrupted_and_a_done_run_call_no_failure_hook() -> None:
    async def play() -> None:
        told: list[BaseException] = []
        bench = Bench(for_ever, noop, workers=3)
        async with bench:
            hooks_of(bench).on_failure(lambda ctx, error: told.append(error))
            (id,) = await bench.enqueue("for_ever")
            await bench.enqueue("for_ever", max_attempts=1)
            await bench.enqueue("noop")
            await turns()
            await cancel(bench, id)
            await bench.until_ended(2)
        assert len(bench.ended) == 3
        assert not told

    run_virtual(play())


def test_a_handler_that_never_ends_after_its_timeout_is_told_of_without_waiting() -> None:
    async def play() -> None:
        told: list[BaseException] = []
        let_go = asyncio.Event()

        async def job() -> None:
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    continue

        async with Bench(handler(job, timeout=3.0), workers=1, grace=5.0) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                await pause(1.0)
                told.append(error)

            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(13.0)
            assert not told
            await pause(2.0)
            assert isinstance(told[0], HandlerTimedOut)
            let_go.set()
            await turns()
            assert len(told) == 1

    run_virtual(play())


def test_a_failure_hook_that_raises_or_hangs_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        called: list[str] = []

        async def job() -> None:
            raise KeyError("boom")

        async with Bench(job, probe, workers=1) as bench:
            hooks = hooks_of(bench)

            @hooks.on_failure
            async def exits(ctx: Context, error: BaseException) -> None:
                raise SystemExit(3)

            @hooks.on_failure
            async def hangs(ctx: Context, error: BaseException) -> None:
                await asyncio.Event().wait()

            @hooks.on_failure
            async def snoozes(ctx: Context, error: BaseException) -> None:
                called.append(ctx.job.id)
                raise Snooze(5)

            (id,) = await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(5.0)
            assert (called, code(bench.ended[0].outcome)) == ([id], "FM501")
            await healthy(bench)

    with caplog.at_level(logging.ERROR, "ferryman.engine"):
        run_virtual(play())
    told = [record.getMessage() for record in caplog.records]
    assert ["exits" in told[0], "hangs" in told[1], "longer than 5 s" in told[1], "snoozes" in told[2]] == [True] * 4
    assert len(told) == 3


async def test_a_failure_hook_that_blocks_its_thread_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounded, "SECONDS", 0.01)
    free = threading.Event()

    async def job() -> None:
        raise KeyError("boom")

    async with real("async def", job, probe) as bench:
        hooks_of(bench).on_failure(lambda ctx, error: free.wait())
        await bench.enqueue("job", max_attempts=1)
        with caplog.at_level(logging.ERROR, "ferryman.engine"):
            await bench.until_ended(1)
        assert code(bench.ended[0].outcome) == "FM501"
        assert "longer than" in caplog.text
        free.set()
        await healthy(bench)


def test_a_cancel_that_comes_after_the_handler_has_ended_does_not_reach_the_failure_hook() -> None:
    async def play() -> None:
        told: list[str] = []

        async def job() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise KeyError("boom")

        async with Bench(job, probe, workers=1) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                await pause(1.0)
                told.append(ctx.job.id)
                (running,) = life_of(bench).pool.running()
                running.slot.task.cancel()
                await pause(1.0)
                told.append("ended")

            (id,) = await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert told == [id, "ended"]
            assert code(bench.ended[0].outcome) == "FM501"
            await healthy(bench)

    run_virtual(play())


def test_a_stop_whose_deadline_has_passed_does_not_wait_for_failure_hooks() -> None:
    async def play() -> None:
        told: list[str] = []

        async def job() -> None:
            raise KeyError("boom")

        async def stays() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await pause(0.5)

        bench = Bench(job, handler(stays, timeout=1.9), workers=2, stop_deadline=2.0)
        async with bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                told.append(ctx.job.type)
                await pause(3.0)
                told.append("too late")

            await bench.enqueue("job", max_attempts=1)
            await bench.enqueue("stays", max_attempts=1)
            await turns()
            stopped = bench.loop.time()
        assert [code(run.outcome) for run in bench.ended] == ["FM501", "FM502"]
        assert told == ["job"], "cut short at 2.0 s, and none was begun after that"
        assert bench.loop.time() - stopped == pytest.approx(2.4)

    run_virtual(play())


def test_after_the_stop_no_failure_hook_is_under_way() -> None:
    async def play() -> None:
        told: list[str] = []

        async def job() -> None:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if len(told) > 1:
                        raise

        bench = Bench(handler(job, timeout=3.0), workers=1, grace=1.0)
        async with bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                told.append("begun")
                try:
                    await asyncio.Event().wait()
                finally:
                    told.append("ended")

            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            await turns()
            assert told == ["begun"]
        await turns()
        assert told == ["begun", "ended"]

    run_virtual(play())


def test_a_failure_that_nobody_raised_here_is_told_with_its_message() -> None:
    outcome = Outcome(What.FAILED, error=JobError("FM501", "ValueError", "boom"))
    error = cause(outcome, None)
    assert isinstance(error, HandlerRaised)
    assert error.what == "boom"


def test_a_handler_sees_whether_its_attempts_are_spent() -> None:
    async def play() -> None:
        seen: list[bool] = []

        async def job(ctx: Context) -> None:
            seen.append(ctx.final)
            raise KeyError

        async with Bench(job) as bench:
            await bench.enqueue("job", max_attempts=2)
            await bench.until_ended(2)
        assert seen == [False, True]

    run_virtual(play())
