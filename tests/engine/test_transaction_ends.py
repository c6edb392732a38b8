"""A handler's transaction that ends early: its claim is lost, its limit passes, its run or its node is stopped."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from ferryman.domain.errors import (
    ClaimLost,
    TransactionTimedOut,
)
from ferryman.domain.state import Status
from ferryman.engine.context import Context
from ferryman.engine.desk import Desk
from tests.engine.banks import MOVED, UNTOUCHED, Bank, move, pays
from tests.engine.world import handler, turns

pytestmark = pytest.mark.anyio


def desk_of(bank: Bank) -> Desk:
    assert bank.node._life is not None
    assert isinstance(bank.node._life._desk, Desk)
    return bank.node._life._desk


async def test_a_run_that_lost_its_claim_writes_nothing(tmp_path: Path) -> None:
    told: list[str] = []

    async def late(ctx: Context) -> None:
        asked.set()
        await go.wait()
        try:
            async with ctx.transaction() as tx:
                move(tx)
        except ClaimLost as error:
            told.append(error.code)

    asked, go = asyncio.Event(), asyncio.Event()
    async with Bank(tmp_path, late) as bank:
        (id,) = await bank.enqueue("late")
        await asked.wait()
        now = bank.clock.now()
        await bank.file.cancel(id, now)
        assert await bank.file.force_cancel(now + 1, now + 1) == 1
        go.set()
        await bank.until(lambda: bool(bank.fenced))
        assert told == ["FM519"]
        assert (await bank.job(id)).status is Status.CANCELLED
        assert bank.money() == UNTOUCHED


def test_at_its_limit_it_is_rolled_back_and_the_attempt_fails(tmp_path: Path) -> None:
    def slow(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            while True:
                tx.execute("SELECT 1")

    def swallows(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            try:
                while True:
                    tx.execute("SELECT 1")
            except TransactionTimedOut:
                pass

    async def aslow(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
            await banks[0].enqueue("noop")  # somebody else can write, which is after the limit

    async def play() -> None:
        async with Bank(tmp_path, slow, swallows, aslow, transaction_timeout=0.1) as bank:
            banks.append(bank)
            for type in ("slow", "swallows", "aslow"):
                assert (await bank.one(type, max_attempts=1))[0] is Status.FAILED
                error = next(run.outcome.error for run in bank.ended if run.job.type == type)
                assert error is not None
                assert error.type == "TransactionTimedOut"
                assert "FM217" in error.message
            assert bank.money() == UNTOUCHED
            assert not bank.fenced

    banks: list[Bank] = []
    asyncio.run(play())


async def test_whoever_waits_for_a_turn_gets_it_when_the_one_before_expires(tmp_path: Path) -> None:
    async def holds(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
            held.set()
            await asyncio.Event().wait()

    held = asyncio.Event()
    async with Bank(tmp_path, handler(holds, timeout=None), pays, transaction_timeout=0.2) as bank:
        await bank.enqueue("holds")
        await held.wait()
        desk_of(bank)._timeout = 60.0  # the limit of the first one is set already
        assert (await bank.one("pays"))[0] is Status.COMPLETED
        assert bank.money() == MOVED


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_run_that_is_stopped_in_its_block_leaves_nothing(tmp_path: Path, is_async: bool) -> None:
    def hangs(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            while True:
                threading.Event().wait(0.01)

    async def ahangs(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
            await asyncio.Event().wait()

    async with Bank(
        tmp_path, handler(hangs, timeout=0.2), handler(ahangs, timeout=0.2), transaction_timeout=60
    ) as bank:
        assert (await bank.one("ahangs" if is_async else "hangs", max_attempts=1))[0] is Status.FAILED
        assert bank.money() == UNTOUCHED
        assert await bank.one("noop") == (Status.COMPLETED, None)


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_run_that_is_stopped_while_it_waits_for_its_turn_gives_it_up(tmp_path: Path, is_async: bool) -> None:
    async def holds(ctx: Context) -> None:
        await waiting.wait()
        async with ctx.transaction() as tx:
            move(tx)
            held.set()
            asked.set()
            await gave_up.wait()

    def waits(ctx: Context) -> None:
        try:
            loop.call_soon_threadsafe(waiting.set)
            asked.wait()
            ctx.transaction().__enter__()
        finally:
            loop.call_soon_threadsafe(gave_up.set)

    async def awaits(ctx: Context) -> None:
        waiting.set()
        await held.wait()
        try:
            await ctx.transaction().__aenter__()
        finally:
            gave_up.set()

    loop, asked = asyncio.get_running_loop(), threading.Event()
    waiting, held, gave_up = asyncio.Event(), asyncio.Event(), asyncio.Event()
    stopped = awaits if is_async else waits
    async with Bank(tmp_path, holds, stopped, pays, transaction_timeout=60) as bank:
        ids = [*await bank.enqueue("holds"), *await bank.enqueue(stopped.__name__, max_attempts=1)]
        await held.wait()
        while not desk_of(bank)._waiting:
            await turns()
        bank.time_is_up(stopped.__name__)
        await bank.until_ended(2)
        assert [job.status for job in await bank.jobs(ids)] == [Status.COMPLETED, Status.FAILED]
        assert (await bank.one("pays"))[0] is Status.COMPLETED, "the turn was not lost with it"


async def test_a_node_that_stops_undoes_what_a_stuck_handler_has_open(tmp_path: Path) -> None:
    def stuck(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            loop.call_soon_threadsafe(held.set)
            while not let_go.is_set():
                try:
                    let_go.wait(0.05)
                except BaseException:
                    continue

    loop, held, let_go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    bank = Bank(tmp_path, stuck, transaction_timeout=60, stop_deadline=0.0, last_grace=0.1)
    await bank.__aenter__()
    (id,) = await bank.enqueue("stuck")
    await held.wait()
    await bank.node.stop()
    assert (await bank.job(id)).status is Status.PENDING
    assert bank.money() == UNTOUCHED
    assert bank.node.unwritten == 0
    let_go.set()
    await bank.file.close()
