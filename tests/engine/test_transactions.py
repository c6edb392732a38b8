"""`ctx.transaction()` in a node over a real file: the handler's writes and its completion commit together."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ferryman.domain.errors import (
    AlreadyCommitted,
    ResultNotSerialisable,
    SyncInsideLoop,
    TransactionImpossible,
)
from ferryman.domain.events import ReportsFenced
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from tests.engine.banks import MOVED, UNTOUCHED, Bank, apays, call, move, pays
from tests.engine.world import Bench

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("pay", [pays, apays])
async def test_money_follow_up_and_completion_commit_together(tmp_path: Path, pay: Callable[..., Any]) -> None:
    async with Bank(tmp_path, pay) as bank:
        assert await bank.one(pay.__name__) == (Status.COMPLETED, '{"paid":10}')
        await bank.until_ended(2)
        assert bank.money() == MOVED
        assert sorted(run.job.type for run in bank.ended) == sorted(["noop", pay.__name__])
        assert {run.outcome.what for run in bank.ended} == {What.DONE}
        assert not bank.fenced


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_block_that_raises_leaves_nothing(tmp_path: Path, is_async: bool) -> None:
    def fails(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            ctx.enqueue(call())
            raise ValueError("no")

    async def afails(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
            ctx.enqueue(call())
            raise ValueError("no")

    async with Bank(tmp_path, fails, afails) as bank:
        status, _ = await bank.one("afails" if is_async else "fails", max_attempts=1)
        assert status is Status.FAILED
        assert bank.money() == UNTOUCHED
        assert len(bank.ended) == 1


async def test_many_at_once_take_turns(tmp_path: Path) -> None:
    async with Bank(tmp_path, pays, apays, workers=8) as bank:
        for type in ("pays", "apays"):
            await bank.enqueue(type, count=20)
        await bank.until_ended(80)
        assert bank.money() == {"a": 100 - 400, "b": 400}
        assert not bank.fenced


async def test_after_a_rollback_another_may_begin_and_after_a_commit_none(tmp_path: Path) -> None:
    seen: list[str] = []

    def twice(ctx: Context) -> None:
        for _ in range(2):
            try:
                with ctx.transaction() as tx:
                    move(tx)
                    if not seen:
                        raise KeyError
            except KeyError:
                seen.append("rolled back")
        for use in (lambda: ctx.transaction().__enter__(), lambda: ctx.enqueue(call())):
            try:
                use()
            except AlreadyCommitted as error:
                seen.append(error.code)
        with pytest.raises(TransactionImpossible, match="not open"):
            ctx.transaction().execute("SELECT 1")

    async with Bank(tmp_path, twice) as bank:
        assert (await bank.one("twice"))[0] is Status.COMPLETED
        assert seen == ["rolled back", "FM520", "FM520"]
        assert bank.money() == MOVED
        assert len(bank.ended) == 1


async def test_one_inside_another_is_refused(tmp_path: Path) -> None:
    refused: list[str] = []

    def nested(ctx: Context) -> None:
        with ctx.transaction() as tx:
            try:
                ctx.transaction().__enter__()
            except TransactionImpossible as error:
                refused.append(error.what)
            move(tx)

    async with Bank(tmp_path, nested) as bank:
        assert (await bank.one("nested"))[0] is Status.COMPLETED
        assert "open already" in refused[0]
        assert bank.money() == MOVED


async def test_what_a_handler_does_after_its_commit_counts_for_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def raises(ctx: Context) -> None:
        with ctx.transaction() as tx:
            tx.result = 1
        raise ValueError("too late")

    async with Bank(tmp_path, raises) as bank:
        with caplog.at_level(logging.WARNING, "ferryman.engine"):
            assert await bank.one("raises") == (Status.COMPLETED, "1")
        assert [run.finish.status for run in bank.ended] == [Status.COMPLETED]
        assert not bank.fenced
        assert "FM520" in caplog.text
        assert "too late" in caplog.text


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_run_that_is_cut_off_after_its_commit_is_completed(tmp_path: Path, is_async: bool) -> None:
    def hangs(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
        loop.call_soon_threadsafe(committed.set)
        while True:
            threading.Event().wait(0.01)

    async def ahangs(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
        committed.set()
        await asyncio.Event().wait()

    async def deaf(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
        committed.set()
        while True:
            try:
                await gate.wait()
                return
            except asyncio.CancelledError:
                continue

    loop, gate, committed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    types = [deaf, ahangs] if is_async else [hangs]
    async with Bank(tmp_path, *types, grace=0.1) as bank:
        for count, each in enumerate(types, 1):
            (id,) = await bank.enqueue(each.__name__)
            await committed.wait()
            committed.clear()
            bank.time_is_up(each.__name__)
            await bank.until_ended(count)
            assert (await bank.job(id)).status is Status.COMPLETED
        assert [run.finish.status for run in bank.ended] == [Status.COMPLETED] * len(types)
        assert not bank.fenced
        gate.set()


async def test_a_result_that_cannot_be_kept_leaves_nothing(tmp_path: Path) -> None:
    def bad(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            tx.result = object()

    async with Bank(tmp_path, bad) as bank:
        assert (await bank.one("bad", max_attempts=1))[0] is Status.FAILED
        assert bank.money() == UNTOUCHED
        assert bank.ended[0].outcome.error is not None
        assert bank.ended[0].outcome.error.type == ResultNotSerialisable.__name__


async def test_a_store_in_memory_has_none() -> None:
    refused: list[str] = []

    async def asks(ctx: Context) -> None:
        try:
            ctx.transaction()
        except TransactionImpossible as error:
            refused.append(error.code)

    async with Bench(asks, clock=SystemClock()) as bench:
        await bench.enqueue("asks")
        await bench.until_ended(1)
    assert refused == ["FM216"]


async def test_a_block_without_async_is_refused_on_the_loop(tmp_path: Path) -> None:
    refused: list[str] = []

    async def asks(ctx: Context) -> None:
        try:
            with ctx.transaction():
                pass
        except SyncInsideLoop as error:
            refused.append(error.hint)

    async with Bank(tmp_path, asks) as bank:
        await bank.one("asks")
    assert "async with" in refused[0]


async def test_what_a_run_says_before_and_after_its_transaction_is_kept(tmp_path: Path) -> None:
    def tells(ctx: Context) -> None:
        ctx.progress(1, 3)
        with ctx.transaction() as tx:
            move(tx)
            ctx.progress(2, 3)
        ctx.progress(3, 3, "paid")

    async with Bank(tmp_path, tells) as bank:
        (id,) = await bank.enqueue("tells")
        await bank.until_ended(1)
        told = await bank.file.progress(id)
        assert told is not None
        assert (told.progress.done, told.progress.message) == (3, "paid")
        assert not any(isinstance(each, ReportsFenced) for each in bank.events)
