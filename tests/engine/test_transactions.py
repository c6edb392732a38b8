"""`ctx.transaction()` in a node over a real file: the handler's writes and its completion commit together."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import msgspec
import pytest

from ferryman.client import JobRequest
from ferryman.client.admission import Admission
from ferryman.domain.errors import (
    AlreadyCommitted,
    ClaimLost,
    ResultNotSerialisable,
    StoreClosed,
    SyncInsideLoop,
    TransactionImpossible,
    TransactionTimedOut,
)
from ferryman.domain.events import ReportsFenced
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish, What
from ferryman.domain.state import Status
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.desk import Desk
from ferryman.engine.node import Node
from ferryman.engine.registry import Handler
from ferryman.engine.runner import ThreadRunner
from ferryman.engine.transaction import Transaction
from ferryman.store.sqlite import SqliteStore
from tests.engine.world import FOREVER, Bench, claimed_job, handler

pytestmark = pytest.mark.anyio


class Bank(Bench):
    """A node over a SQLite file with a table of accounts."""

    def __init__(self, folder: Path, *handlers: Callable[..., Any] | Handler, **options: Any) -> None:
        super().__init__(*handlers, noop, clock=SystemClock(), **options)
        self.path = folder / "jobs.db"
        ids = IdMinter(random.Random(2))
        self.file = SqliteStore(self.path, clock=self.clock, ids=ids, retention=FOREVER, runner=ThreadRunner)
        self.world = msgspec.structs.replace(
            self.world,
            store=self.file,
            transactions=self.file.transactions,
            admit=Admission(self.world.registry, self.clock, ids).admit,
        )
        self.store = self.file  # type: ignore[assignment]  # of which only the common verbs are used here
        self.node = Node(self.world, self.options, self.wakeup)

    async def __aenter__(self) -> Self:
        await self.file.open()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, money INTEGER) STRICT")
            connection.execute("INSERT INTO account VALUES ('a', 100), ('b', 0)")
            connection.commit()
        await self.node.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.node.stop()
        await self.file.close()

    def money(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute("SELECT name, money FROM account"))

    async def one(self, type: str, **more: Any) -> tuple[Status, str | None]:
        """Enqueue one job, wait until a run of it has ended: its status and its result."""
        (id,) = await self.enqueue(type, **more)
        await self.until(lambda: any(run.job.id == id for run in [*self.ended, *self.fenced]))
        job = await self.job(id)
        return job.status, job.result


MOVE = "UPDATE account SET money = money + ? WHERE name = ?"
UNTOUCHED = {"a": 100, "b": 0}
MOVED = {"a": 90, "b": 10}


async def noop() -> None:
    pass


def call(type: str = "noop", **options: Any) -> Any:
    return SimpleNamespace(request=JobRequest(type, **options))


def move(tx: Transaction, amount: int = 10) -> None:
    tx.execute(MOVE, (-amount, "a"))
    tx.executemany(MOVE, [(amount, "b")])


def pays(ctx: Context) -> str:
    with ctx.transaction() as tx:
        move(tx)
        ctx.enqueue(call())
        tx.result = {"paid": tx.connection.execute("SELECT money FROM account WHERE name = 'b'").fetchone()[0]}
    return "of no account"


async def apays(ctx: Context) -> None:
    async with ctx.transaction() as tx:
        move(tx)
        ctx.enqueue(call())
        tx.result = {"paid": 10}


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
        while True:
            threading.Event().wait(0.01)

    async def ahangs(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
        await asyncio.Event().wait()

    async def deaf(ctx: Context) -> None:
        async with ctx.transaction() as tx:
            move(tx)
        while True:
            try:
                await gate.wait()
                return
            except asyncio.CancelledError:
                continue

    gate = asyncio.Event()
    types = [deaf, ahangs] if is_async else [hangs]
    async with Bank(tmp_path, *(handler(each, timeout=0.3) for each in types), grace=0.1) as bank:
        for each in types:
            assert (await bank.one(each.__name__))[0] is Status.COMPLETED
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


# -- the claim, the limit, the stop ----------------------------------------------------------------


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
        loop.call_soon_threadsafe(waiting.set)
        asked.wait()
        try:
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
    stopped = handler(awaits if is_async else waits, timeout=0.3)
    async with Bank(tmp_path, holds, stopped, pays, transaction_timeout=60) as bank:
        ids = [*await bank.enqueue("holds"), *await bank.enqueue(stopped.type, max_attempts=1)]
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


# -- where there is none ---------------------------------------------------------------------------


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


# -- the desk --------------------------------------------------------------------------------------


class Opened:
    """A transaction that notes what becomes of it."""

    def __init__(self, notes: list[str]) -> None:
        self.connection: Any = None
        self._notes = notes

    def finish(self, finish: Finish, now: int) -> bool:
        self._notes.append("finish")
        return False

    def rollback(self) -> None:
        self._notes.append("rollback")
        raise OSError("even that fails")

    def expire(self) -> None:
        self._notes.append("expire")
        raise OSError("even that fails")


class Port:
    """Begins transactions when it is let."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.let = threading.Event()
        self.let.set()
        self.begun = threading.Event()

    def begin(self, node: int, job: ClaimedJob) -> Opened:
        self.begun.set()
        self.let.wait(60)
        self.notes.append("begin")
        return Opened(self.notes)


def desk_of(port: Port, timeout: float = 60.0) -> Desk:
    return Desk(port, 1, SystemClock(), lambda: 5, timeout=timeout)


def test_a_transaction_that_nobody_waits_for_any_more_is_undone_as_it_begins() -> None:
    port = Port()
    port.let.clear()
    desk = desk_of(port)
    first, second = desk.begin(claimed_job()), desk.begin(claimed_job())
    assert port.begun.wait(60)
    assert first.cancel()
    desk.give_up(second)
    third = desk.begin(claimed_job())
    port.let.set()
    assert third.result(60).connection is None
    assert port.notes == ["begin", "rollback", "begin"]
    desk.give_up(third)
    assert desk.begin(claimed_job()).result(60).connection is None
    assert port.notes == ["begin", "rollback", "begin", "rollback", "begin"]
    desk.close()


def test_a_finish_that_is_fenced_tells_so_and_the_next_begins() -> None:
    port = Port()
    desk = desk_of(port)
    running: Any = SimpleNamespace(job=claimed_job(), run=SimpleNamespace(worker=1, started_at=0), committed=None)
    outcome: Any = SimpleNamespace(what=What.DONE, result="1", error=None, delay=None, follow_ups=())
    opened = desk.begin(claimed_job()).result(60)
    with pytest.raises(ClaimLost):
        desk.commit(opened, running, outcome).result(60)
    assert running.committed is None
    assert desk.begin(claimed_job()).result(60).connection is None
    desk.close()


def test_a_closed_desk_undoes_what_is_open_and_refuses_what_waits_and_comes() -> None:
    port = Port()
    desk = desk_of(port)
    opened = desk.begin(claimed_job()).result(60)
    waits = desk.begin(claimed_job())
    desk.close()
    desk.close()
    with pytest.raises(StoreClosed):
        waits.result(60)
    assert port.notes == ["begin", "expire"]
    with pytest.raises(StoreClosed):
        desk.begin(claimed_job())
    assert desk.rollback(opened).result(60) is None
    with pytest.raises(StoreClosed):
        desk.commit(opened, Any, Any)  # type: ignore[arg-type]


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
