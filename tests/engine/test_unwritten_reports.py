"""What runs say of themselves, where the store does not take it."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import SchemaMissing, StoreBusy, StoreError, StoreFailed
from ferryman.domain.job import MICROS
from ferryman.domain.report import Progress
from ferryman.domain.state import Status
from ferryman.engine.context import Context
from ferryman.testing.clock import EPOCH
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.dispatching import life_of
from tests.engine.world import Bench, pause, turns


def said(done: float, total: float | None = None, message: str = "", seconds: float = 0.0) -> Progress:
    return Progress(done, total, message, EPOCH + round(seconds * MICROS))


async def progress_of(bench: Bench, id: str) -> Progress | None:
    told = await bench.store.progress(id)
    return None if told is None else told.progress


def test_a_store_that_fails_is_told_later() -> None:
    async def job(ctx: Context) -> None:
        ctx.progress(1)
        await pause(5.0)

    async def play() -> None:
        async with Bench(job) as bench:
            bench.store.fail("report", StoreBusy("busy"), times=2)
            (id,) = await bench.enqueue("job")
            await turns()
            assert await progress_of(bench, id) is None
            await pause(2.5)
            assert await progress_of(bench, id) == said(1)
            await bench.until_ended(1)
            assert bench.store.calls.count("report") == 3, "nothing new was said at the end"

    run_virtual(play())


def test_an_end_waits_until_the_last_word_is_written() -> None:
    async def job(ctx: Context) -> None:
        ctx.progress(1)

    async def play() -> None:
        async with Bench(job) as bench:
            bench.store.fail("report", StoreBusy("busy"), times=3)
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            assert await progress_of(bench, id) == said(1)
            assert bench.store.calls.count("finish") == 1

    run_virtual(play())


def test_what_a_store_cannot_take_costs_no_outcome(caplog: pytest.LogCaptureFixture) -> None:
    async def job(ctx: Context) -> None:
        ctx.progress(1)

    async def play() -> None:
        async with Bench(job) as bench:
            bench.store.fail("report", ValueError("what is this"), times=9)
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            assert (await bench.job(id)).status is Status.COMPLETED

    run_virtual(play())
    assert [getattr(each, "event", "") for each in caplog.records].count("report_refused") == 1


@pytest.mark.parametrize("error", [StoreFailed("permission denied for table progress"), SchemaMissing("no table")])
def test_a_store_that_never_takes_what_runs_say_costs_no_outcome(
    error: StoreError, caplog: pytest.LogCaptureFixture
) -> None:
    async def job(ctx: Context) -> None:
        ctx.progress(1)

    async def play() -> None:
        async with Bench(job) as bench:
            bench.store.fail("report", error, times=10**4)
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            assert (await bench.job(id)).status is Status.COMPLETED
            assert len(life_of(bench)._scribe.notebook) == 0

    run_virtual(play())
    assert [getattr(each, "event", "") for each in caplog.records].count("report_refused") == 1


def test_while_the_store_fails_it_is_said_less_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    async def job(ctx: Context) -> None:
        for n in range(3):
            ctx.progress(n)
            await pause(99.5)  # so that none is said in the moment of a write

    async def play() -> None:
        async with Bench(job) as bench:
            bench.store.fail("report", StoreBusy("busy"), times=100)
            await bench.enqueue("job")
            await bench.until_ended(1)
            assert bench.store.calls.count("report") == 100 + 3 - 1

    run_virtual(play())
    said = [each.getMessage() for each in caplog.records if getattr(each, "event", "") == "report_failed"]
    assert len(said) == 7, "the 1st, 2nd, 4th ... 64th time"
