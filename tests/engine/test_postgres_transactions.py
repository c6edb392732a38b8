"""`ctx.transaction()` in a node over PostgreSQL: the handler's writes and its completion commit together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
import pytest

from ferryman.client import JobRequest
from ferryman.client.admission import Admission
from ferryman.client.joining import Joining
from ferryman.domain.errors import AlreadyCommitted, ClaimLost, TransactionImpossible
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.engine.context import Context
from tests.engine.banks import MOVED, UNTOUCHED, call
from tests.engine.postgres_banks import Bank, amove, move
from tests.engine.world import handler

pytestmark = pytest.mark.anyio


async def apays(ctx: Context) -> str:
    async with ctx.transaction() as tx:
        await amove(tx)
        ctx.enqueue(call())
        tx.result = {"paid": 10}
    return "of no account"


def pays(ctx: Context) -> None:
    with ctx.transaction() as tx:
        move(tx)
        ctx.enqueue(call())
        tx.result = {"paid": 10}


@pytest.mark.parametrize("pay", [pays, apays])
async def test_money_follow_up_and_completion_commit_together(
    url: str, tmp_path: Path, pay: Callable[..., Any]
) -> None:
    async with Bank(url, tmp_path, pay) as bank:
        assert await bank.one(pay.__name__) == (Status.COMPLETED, '{"paid":10}')
        await bank.until_ended(2)
        assert bank.money() == MOVED
        assert sorted(run.job.type for run in bank.ended) == sorted(["noop", pay.__name__])
        assert {run.outcome.what for run in bank.ended} == {What.DONE}
        assert not bank.fenced


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_block_that_raises_leaves_nothing(url: str, tmp_path: Path, is_async: bool) -> None:
    def fails(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            ctx.enqueue(call())
            raise ValueError("no")

    async def afails(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            await amove(tx)
            ctx.enqueue(call())
            raise ValueError("no")

    async with Bank(url, tmp_path, fails, afails) as bank:
        status, _ = await bank.one("afails" if is_async else "fails", max_attempts=1)
        assert status is Status.FAILED
        assert bank.money() == UNTOUCHED
        assert len(bank.ended) == 1


@pytest.mark.parametrize("pay", [pays, apays])
async def test_more_at_once_than_there_are_connections_wait_for_one(
    url: str, tmp_path: Path, pay: Callable[..., Any]
) -> None:
    async with Bank(url, tmp_path, pay, workers=20, capacity=60) as bank:
        await bank.enqueue(pay.__name__, count=40)
        await bank.until_ended(80)
        assert bank.money() == {"a": 100 - 400, "b": 400}
        assert not bank.fenced


async def test_two_are_open_at_a_time(url: str, tmp_path: Path) -> None:
    async def meets(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            await tx.execute("SELECT 1")
            await both.wait()

    both = asyncio.Barrier(2)
    async with Bank(url, tmp_path, meets) as bank:
        await bank.enqueue("meets", count=2)
        await bank.until_ended(2)
        assert {run.outcome.what for run in bank.ended} == {What.DONE}


async def test_after_a_rollback_another_may_begin_and_after_a_commit_none(url: str, tmp_path: Path) -> None:
    seen: list[str] = []

    async def twice(ctx: Context) -> None:
        for _ in range(2):
            try:
                async with ctx.transaction() as tx:
                    await amove(tx)
                    if not seen:
                        raise KeyError
            except KeyError:
                seen.append("rolled back")
        try:
            await ctx.transaction().__aenter__()
        except AlreadyCommitted as error:
            seen.append(error.code)

    async with Bank(url, tmp_path, twice) as bank:
        assert (await bank.one("twice"))[0] is Status.COMPLETED
        assert seen == ["rolled back", "FM520"]
        assert bank.money() == MOVED


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_run_that_lost_its_claim_writes_nothing(url: str, tmp_path: Path, is_async: bool) -> None:
    told: list[str] = []

    async def alate(ctx: Context) -> None:
        try:
            async with ctx.transaction() as tx:
                await amove(tx)
                runs.put_nowait(ctx._running.job)
                await go.wait()
        except ClaimLost as error:
            told.append(error.code)

    def late(ctx: Context) -> None:
        try:
            with ctx.transaction() as tx:
                move(tx)
                loop.call_soon_threadsafe(runs.put_nowait, ctx._running.job)
                gone.wait()
        except ClaimLost as error:
            told.append(error.code)

    loop, gone = asyncio.get_running_loop(), threading.Event()
    go, runs = asyncio.Event(), asyncio.Queue[ClaimedJob]()
    async with Bank(url, tmp_path, late, alate) as bank:
        (id,) = await bank.enqueue("alate" if is_async else "late")
        end = decide(await runs.get(), Outcome(What.LOST), Run(99), bank.clock.now())
        assert bank.node._life is not None
        failed = msgspec.structs.replace(end, status=Status.FAILED, what=What.FAILED)
        await bank.database.finish(bank.node._life.number, [failed], bank.clock.now())
        go.set()
        gone.set()
        await bank.until(lambda: bool(bank.fenced))
        assert told == ["FM519"]
        assert (await bank.job(id)).status is Status.FAILED
        assert bank.money() == UNTOUCHED


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_run_that_is_stopped_in_its_block_leaves_nothing(url: str, tmp_path: Path, is_async: bool) -> None:
    def hangs(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            while True:
                threading.Event().wait(0.01)

    async def ahangs(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            await amove(tx)
            await asyncio.Event().wait()

    async with Bank(url, tmp_path, handler(hangs, timeout=0.2), handler(ahangs, timeout=0.2)) as bank:
        assert (await bank.one("ahangs" if is_async else "hangs", max_attempts=1))[0] is Status.FAILED
        assert bank.money() == UNTOUCHED
        assert await bank.one("noop") == (Status.COMPLETED, None)


async def test_a_node_that_stops_undoes_what_stuck_handlers_have_open(url: str, tmp_path: Path) -> None:
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
    bank = Bank(url, tmp_path, stuck, stop_deadline=0.0, last_grace=0.1)
    await bank.__aenter__()
    (id,) = await bank.enqueue("stuck")
    await held.wait()
    await bank.node.stop()
    assert (await bank.job(id)).status is Status.PENDING
    with psycopg.connect(url) as connection:  # waits for the row until the server has undone it
        connection.execute("UPDATE account SET money = money")
    assert bank.money() == UNTOUCHED
    assert bank.node.unwritten == 0
    let_go.set()
    await bank.database.close()


async def test_a_handler_that_commits_by_itself_is_not_completed(url: str, tmp_path: Path) -> None:
    async def commits(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            await amove(tx)
            await tx.execute("COMMIT")

    def refused(ctx: Context) -> None:
        with ctx.transaction() as tx:
            move(tx)
            tx.connection.commit()

    async with Bank(url, tmp_path, commits, refused) as bank:
        assert (await bank.one("commits", max_attempts=1))[0] is Status.FAILED
        assert bank.ended[0].outcome.error is not None
        assert bank.ended[0].outcome.error.type == TransactionImpossible.__name__
        assert bank.money() == MOVED, "which nobody can undo"
        assert (await bank.one("refused", max_attempts=1))[0] is Status.FAILED
        assert bank.money() == MOVED, "psycopg has refused it"


async def test_an_error_that_only_the_commit_finds_is_the_handlers(url: str, tmp_path: Path) -> None:
    async def adefers(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            await tx.execute("INSERT INTO late VALUES (1, 2)")

    def defers(ctx: Context) -> None:
        with ctx.transaction() as tx:
            tx.execute("INSERT INTO late VALUES (1, 2)")

    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE late (id int PRIMARY KEY, of int REFERENCES late DEFERRABLE INITIALLY DEFERRED)"
        )
    async with Bank(url, tmp_path, defers, adefers) as bank:
        for type in ("defers", "adefers"):
            assert (await bank.one(type, max_attempts=1))[0] is Status.FAILED
            error = bank.ended[-1].outcome.error
            assert error is not None
            assert error.type.startswith("ForeignKeyViolation")


async def test_jobs_are_handed_in_through_it_too(url: str, tmp_path: Path) -> None:
    async def hands_in(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            await joining.aenqueue(tx, [JobRequest("noop")], lambda: None)
            if ctx.attempt == 1:
                raise KeyError

    async with Bank(url, tmp_path, hands_in) as bank:
        joining = SimpleNamespace(aenqueue=partial(joined, bank))
        await bank.enqueue("hands_in")
        await bank.until_ended(3)
        assert sorted(run.job.type for run in bank.ended) == ["hands_in", "hands_in", "noop"]


async def joined(bank: Bank, tx: Any, requests: Any, wake: Callable[[], None]) -> list[str]:
    from_client = Joining(bank.database.joins, Admission(bank.world.registry, bank.clock, bank.ids), bank.clock, 0)
    return await from_client.aenqueue(tx, requests, wake)
