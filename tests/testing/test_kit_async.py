"""`async with app.testing() as queue`: handlers on the test's own loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from ferryman import Ferryman, errors
from ferryman.testing.kit import AsyncTestQueue

START = datetime(2030, 1, 1, tzinfo=UTC)
app = Ferryman("sqlite:////nowhere/at/all.db")


@app.job
async def loop_of() -> int:
    return id(asyncio.get_running_loop())


@app.job
def thread_of() -> int:
    loop_of.enqueue()
    return threading.get_ident()


@app.job(retry=10)
async def fail() -> None:
    raise LookupError("not there")


@pytest.fixture
async def queue() -> AsyncIterator[AsyncTestQueue]:
    async with app.testing(start=START) as queue:
        yield queue


@pytest.mark.anyio
async def test_async_handlers_run_on_the_loop_of_the_test(queue: AsyncTestQueue) -> None:
    handle = await loop_of.aenqueue()
    assert await queue.run_all() == 1
    assert await handle.aresult() == id(asyncio.get_running_loop())


@pytest.mark.anyio
async def test_def_handlers_run_in_a_thread_and_may_enqueue(queue: AsyncTestQueue) -> None:
    handle = await thread_of.aenqueue()
    assert await queue.run_all() == 2
    assert await handle.aresult() != threading.get_ident()
    queue.assert_enqueued(loop_of)


@pytest.mark.anyio
async def test_what_is_enqueued_in_other_threads_arrives(queue: AsyncTestQueue) -> None:
    await asyncio.to_thread(loop_of.enqueue)
    assert await queue.run_one() == queue.jobs()[0]
    assert await queue.run_one() is None


@pytest.mark.anyio
async def test_errors_are_raised(queue: AsyncTestQueue) -> None:
    await fail.aenqueue()
    with pytest.raises(LookupError, match="not there"):
        await queue.run_all()
    assert queue.jobs(status="scheduled")[0].run_at == START + timedelta(seconds=10)
    with pytest.raises(LookupError):
        await queue.run_due(10)


@pytest.mark.anyio
async def test_the_clock_moves_only_by_hand(queue: AsyncTestQueue) -> None:
    handle = await loop_of.call().later(60).aenqueue()
    with pytest.raises(errors.WouldWaitForever):
        await handle.aresult()
    await queue.advance(timedelta(seconds=60))
    assert await handle.astatus() == "pending"
    assert await queue.run_all() == 1
    assert queue.now == START + timedelta(seconds=60)


@pytest.mark.anyio
async def test_a_timeout_is_real(queue: AsyncTestQueue) -> None:
    @app.job(name="hangs", timeout=0.01)
    async def hang() -> None:
        await asyncio.Event().wait()

    await hang.aenqueue()
    with pytest.raises(errors.HandlerTimedOut):
        await queue.run_all()


@pytest.mark.anyio
async def test_a_test_that_is_cancelled_ends_its_run(queue: AsyncTestQueue) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    @app.job(name="waits")
    async def wait() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await wait.aenqueue()
    running = asyncio.create_task(queue.run_all())
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()
    [job] = queue.jobs()
    assert (job.status, job.attempt) == ("pending", 0)


@pytest.mark.anyio
async def test_a_blocking_enqueue_is_refused_as_anywhere(queue: AsyncTestQueue) -> None:
    with pytest.raises(errors.SyncInsideLoop):
        loop_of.enqueue()


@pytest.mark.anyio
async def test_afterwards_the_app_is_as_before() -> None:
    async with app.testing():
        await loop_of.aenqueue()
        with pytest.raises(errors.AlreadyTesting):
            await app.testing().__aenter__()
    with pytest.raises(errors.DatabaseFolderMissing):
        await loop_of.aenqueue()
    await asyncio.to_thread(app.close)
