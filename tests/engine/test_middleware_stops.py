"""Runs that are made to end while their middleware waits, and middleware around a thread that is."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.engine.context import Context
from ferryman.engine.running import Reason
from ferryman.engine.threads import ThreadCall
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.hooks import KINDS, Next, as_kind, hooks_of, real
from tests.engine.stopping import cancel, code, healthy, life_of, noop, probe
from tests.engine.world import Bench, handler, turns

pytestmark = pytest.mark.anyio

WHERE = ["before", "after"]


def waiting(bench: Bench, where: str, wait: Callable[[], Awaitable[Any]]) -> None:
    @hooks_of(bench).add_middleware
    async def waits(ctx: Context, call_next: Next) -> Any:
        if ctx.job.type == "probe":
            return await call_next()
        if where == "before":
            await wait()
        result = await call_next()
        if where == "after":
            await wait()
        return result


@pytest.mark.parametrize("where", WHERE)
def test_a_timeout_ends_a_run_whose_middleware_waits(where: str) -> None:
    async def play() -> None:
        ran: list[int] = []

        async def job() -> None:
            ran.append(1)

        async with Bench(handler(job, timeout=3.0), probe, workers=1) as bench:
            waiting(bench, where, asyncio.Event().wait)
            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(3.0)
            assert code(bench.ended[0].outcome) == "FM502"
            assert ran == ([] if where == "before" else [1])
            await healthy(bench)

    run_virtual(play())


@pytest.mark.parametrize("where", WHERE)
async def test_a_cancel_ends_a_run_whose_middleware_waits_around_a_thread(where: str) -> None:
    ran: list[int] = []
    reached = asyncio.Event()

    def job() -> None:
        ran.append(1)

    async def wait() -> None:
        reached.set()
        await asyncio.Event().wait()

    async with real("def", job, probe) as bench:
        waiting(bench, where, wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
        (running,) = life_of(bench).pool.running()
        assert running.call is None
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome.what is What.CANCELLED
        assert ran == ([] if where == "before" else [1])
        await healthy(bench)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", WHERE)
async def test_a_stop_interrupts_a_run_whose_middleware_waits(kind: str, where: str) -> None:
    reached = asyncio.Event()

    async def wait() -> None:
        reached.set()
        await asyncio.Event().wait()

    bench = real(kind, as_kind(kind, lambda ctx, n: n), stop_deadline=0.01)
    async with bench:
        waiting(bench, where, wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
    assert bench.ended[0].outcome.what is What.INTERRUPTED
    assert (await bench.job(id)).status is Status.PENDING


@pytest.mark.parametrize("kind", KINDS)
async def test_middleware_that_swallows_its_cancellation_does_not_get_to_the_handler(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    reached = asyncio.Event()

    async def wait() -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with real(kind, as_kind(kind, lambda ctx, n: ran.append(n))) as bench:
        waiting(bench, "before", wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome.what is What.CANCELLED
        assert not ran


@pytest.mark.parametrize("kind", KINDS)
async def test_middleware_that_swallows_its_cancellation_after_the_handler_is_told_of_in_the_log(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    reached = asyncio.Event()

    async def wait() -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with real(kind, as_kind(kind, lambda ctx, n: n)) as bench:
        waiting(bench, "after", wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
        with caplog.at_level(logging.WARNING, "ferryman.engine"):
            await cancel(bench, id)
            await bench.until_ended(1)
        assert bench.ended[0].outcome == Outcome(What.CANCELLED)
    assert any("FM507" in record.getMessage() for record in caplog.records)


async def test_a_thread_that_is_asked_to_end_ends_with_its_middleware_around_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started, cleaned = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    never = threading.Event()

    def job() -> None:
        loop.call_soon_threadsafe(started.set)
        while not never.wait(0.001):
            pass

    async with real("def", job, probe) as bench:

        @hooks_of(bench).add_middleware
        async def cleans(ctx: Context, call_next: Next) -> Any:
            try:
                return await call_next()
            finally:
                await asyncio.wait((asyncio.ensure_future(noop()),))
                cleaned.append(ctx.cancelled)

        (id,) = await bench.enqueue("job")
        await started.wait()
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome == Outcome(What.CANCELLED)
        assert cleaned == [True]
        await healthy(bench)


async def test_middleware_that_does_not_end_after_a_thread_was_asked_to_is_cancelled_then_given_up() -> None:
    started, cancels = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    never, let_go = threading.Event(), asyncio.Event()

    def job() -> None:
        loop.call_soon_threadsafe(started.set)
        while not never.wait(0.001):
            pass

    async with real("def", job, probe, grace=0.01) as bench:

        @hooks_of(bench).add_middleware
        async def stays(ctx: Context, call_next: Next) -> Any:
            if ctx.job.type == "probe":
                return await call_next()
            try:
                await call_next()
            except BaseException:
                while not let_go.is_set():
                    try:
                        await let_go.wait()
                    except asyncio.CancelledError:
                        cancels.append(1)

        (id,) = await bench.enqueue("job")
        await started.wait()
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome == Outcome(What.CANCELLED)
        assert cancels == [1]
        await bench.enqueue("probe")
        await bench.until_ended(2)
        let_go.set()
        await bench.until(lambda: bool(bench.fenced))


async def test_a_stop_gives_up_a_thread_and_then_the_middleware_around_it() -> None:
    started, let_go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    free = threading.Event()

    def job() -> None:
        loop.call_soon_threadsafe(started.set)
        free.wait()

    bench = real("def", job, stop_deadline=0.01, last_grace=0.01, grace=60.0)
    async with bench:

        @hooks_of(bench).add_middleware
        async def stays(ctx: Context, call_next: Next) -> Any:
            try:
                await call_next()
            finally:
                await let_go.wait()

        (id,) = await bench.enqueue("job")
        await started.wait()
    assert bench.ended[0].outcome.what is What.INTERRUPTED
    assert (await bench.job(id)).status is Status.PENDING
    assert bench.node.unwritten == 0
    free.set()
    let_go.set()
    await turns()


async def test_a_stop_in_the_moment_in_which_a_thread_has_ended_is_not_lost() -> None:
    seen: list[Reason | None] = []

    def job() -> None:
        pass

    async with real("def", job, probe, grace=3600.0) as bench:

        def stop() -> None:
            (running,) = life_of(bench).pool.running()
            assert isinstance(running.call, ThreadCall)
            while not running.call._ended:
                pass  # the loop stands still: the answer cannot arrive
            life_of(bench).pool._ladder.stop(running, Reason.CANCEL)
            seen.append(running.reason)

        @hooks_of(bench).add_middleware
        async def waits(ctx: Context, call_next: Next) -> Any:
            if ctx.job.type == "probe":
                return await call_next()
            bench.loop.call_soon(stop)
            await call_next()
            return await asyncio.Event().wait()

        await bench.enqueue("job")
        await bench.until_ended(1)
        assert seen == [None], "the thread had ended, so it could not be asked to"
        assert bench.ended[0].outcome.what is What.CANCELLED
        await healthy(bench)


async def test_middleware_may_bound_a_handler_in_a_thread_by_a_timeout_of_its_own() -> None:
    started, ended = threading.Event(), threading.Event()
    never = threading.Event()

    def job() -> None:
        try:
            started.set()
            while not never.wait(0.001):
                pass
        finally:
            ended.set()

    async with real("def", job, probe) as bench:

        @hooks_of(bench).add_middleware
        async def bounds(ctx: Context, call_next: Next) -> Any:
            if ctx.job.type == "probe":
                return await call_next()
            async with asyncio.timeout(None) as bound:
                calling = call_next()
                await asyncio.get_running_loop().run_in_executor(None, lambda: None)
                bound.reschedule(asyncio.get_running_loop().time())
                return await calling

        await bench.enqueue("job", max_attempts=1)
        await bench.until_ended(1)
        error = bench.ended[0].outcome.error
        assert error is not None
        assert error.type == "TimeoutError"
        assert not started.is_set() or ended.wait(60)
        await healthy(bench)


async def test_a_run_leaves_no_deadline_behind() -> None:
    def job() -> None:
        pass

    async with real("def", job) as bench:
        waiting(bench, "after", noop)
        await bench.enqueue("job", count=3)
        await bench.until_ended(3)
        heap = life_of(bench).pool._ladder._deadlines._heap
        assert len(heap) == 3
        assert not [entry for entry in heap if entry[2].call is not None]
