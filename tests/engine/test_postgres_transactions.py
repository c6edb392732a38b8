"""`ctx.transaction()` in a node over PostgreSQL: the handler's writes and its completion commit together."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import anyio
import asyncpg
import msgspec
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from sqlalchemy import event, orm

from ferryman.client import JobRequest
from ferryman.client.admission import Admission
from ferryman.client.joining import Joining
from ferryman.domain.errors import AlreadyCommitted, ClaimLost, TransactionImpossible
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.node import Node
from ferryman.engine.registry import Handler
from ferryman.engine.transaction import Transaction
from ferryman.store.postgres import PostgresStore
from tests.engine.world import FOREVER, Bench, handler
from tests.postgres.databases import Databases

pytestmark = pytest.mark.anyio

UNTOUCHED = {"a": 100, "b": 0}
MOVED = {"a": 90, "b": 10}


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    url = postgres.fresh()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE account (name text PRIMARY KEY, money int NOT NULL)")
        connection.execute("INSERT INTO account VALUES ('a', 100), ('b', 0)")
    yield url
    postgres.drop(url)


class Bank(Bench):
    """A node over a database with a table of accounts."""

    def __init__(self, url: str, folder: Path, *handlers: Callable[..., Any] | Handler, **options: Any) -> None:
        super().__init__(*handlers, noop, clock=SystemClock(), **options)
        self.url = url
        self.database = PostgresStore(url, clock=self.clock, retention=FOREVER, locks=folder / "locks")
        self.world = msgspec.structs.replace(
            self.world,
            store=self.database,
            many_transactions=self.database.transactions,
            admit=Admission(self.world.registry, self.clock, IdMinter(random.Random(2))).admit,
        )
        self.store = self.database  # type: ignore[assignment]  # of which only the common verbs are used here
        self.node = Node(self.world, self.options, self.wakeup)

    async def __aenter__(self) -> Self:
        await self.database.open()
        await self.node.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.node.stop()
        await self.database.close()

    def money(self) -> dict[str, int]:
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute("SELECT name, money FROM account").fetchall())

    async def one(self, type: str, **more: Any) -> tuple[Status, str | None]:
        """Enqueue one job, wait until a run of it has ended: its status and its result."""
        (id,) = await self.enqueue(type, **more)
        await self.until(lambda: any(run.job.id == id for run in [*self.ended, *self.fenced]))
        job = await self.job(id)
        return job.status, job.result


async def noop() -> None:
    pass


def call(type: str = "noop", **options: Any) -> Any:
    return SimpleNamespace(request=JobRequest(type, **options))


async def amove(tx: Transaction) -> None:
    await tx.execute("UPDATE account SET money = money - $1 WHERE name = 'a'", 10)
    await tx.executemany("UPDATE account SET money = money + $1 WHERE name = $2", [(10, "b")])


def move(tx: Transaction) -> None:
    tx.execute("UPDATE account SET money = money - %s WHERE name = 'a'", (10,))
    tx.execute("UPDATE account SET money = money + %s WHERE name = 'b'", (10,))


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


# -- with what the handler brings ------------------------------------------------------------------


def with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def text(sql: str) -> Any:
    return sqlalchemy.text(sql)


MINUS = "UPDATE account SET money = money - 10 WHERE name = 'a'"
PLUS = "UPDATE account SET money = money + 10 WHERE name = 'b'"

Opener = Callable[[str, ExitStack], Any]


def a_psycopg_connection(url: str, stack: ExitStack) -> Any:
    return stack.enter_context(psycopg.connect(url, autocommit=True))


def a_psycopg_pool(url: str, stack: ExitStack) -> Any:
    return stack.enter_context(psycopg_pool.ConnectionPool(url, min_size=1, open=True))


def an_engine(url: str, stack: ExitStack) -> Any:
    engine = sqlalchemy.create_engine(with_driver(url))
    stack.callback(engine.dispose)
    return engine


def a_connection(url: str, stack: ExitStack) -> Any:
    return stack.enter_context(an_engine(url, stack).connect())


def a_sessionmaker(url: str, stack: ExitStack) -> Any:
    return orm.sessionmaker(an_engine(url, stack))


def a_session(url: str, stack: ExitStack) -> Any:
    return stack.enter_context(orm.Session(an_engine(url, stack)))


BLOCKING: list[Opener] = [a_psycopg_connection, a_psycopg_pool, an_engine, a_connection, a_sessionmaker, a_session]


@pytest.mark.parametrize("opener", BLOCKING)
async def test_what_blocks_is_for_functions(url: str, tmp_path: Path, opener: Opener) -> None:
    def uses(ctx: Context) -> None:
        with ctx.transaction(using=theirs[0]) as tx:
            for sql in (MINUS, PLUS):
                tx.session.execute(sql if "psycopg" in opener.__name__ else text(sql))
            if ctx.attempt == 1:
                raise KeyError
            ctx.enqueue(call())

    theirs: list[Any] = []
    async with Bank(url, tmp_path, handler(uses)) as bank:
        with ExitStack() as stack:
            theirs.append(await anyio.to_thread.run_sync(opener, url, stack))
            await bank.enqueue("uses")
            await bank.until_ended(3)
        assert [run.outcome.what for run in bank.ended] == [What.FAILED, What.DONE, What.DONE]
        assert bank.money() == MOVED
        assert not bank.fenced


async def test_what_is_awaited_is_for_coroutines(url: str, tmp_path: Path) -> None:
    async def uses(ctx: Context, which: int) -> None:
        async with ctx.transaction(using=theirs[which]) as tx:
            await tx.execute(MINUS)
            await tx.execute(PLUS)

    theirs: list[Any] = [
        await asyncpg.connect(url),
        await asyncpg.create_pool(url, min_size=0),
        await psycopg.AsyncConnection.connect(url),
        psycopg_pool.AsyncConnectionPool(url, min_size=1, open=False),
    ]
    await theirs[3].open()
    async with Bank(url, tmp_path, uses) as bank:
        for which in range(len(theirs)):
            assert (await bank.one("uses", payload=f'{{"which":{which}}}'))[0] is Status.COMPLETED
        assert bank.money() == {"a": 60, "b": 40}
        assert not bank.fenced
    for each in theirs:
        await each.close()


async def test_a_session_writes_what_it_has_kept_before_the_completion(url: str, tmp_path: Path) -> None:
    class Base(orm.DeclarativeBase):
        pass

    class Account(Base):
        __tablename__ = "account"
        name: orm.Mapped[str] = orm.mapped_column(primary_key=True)
        money: orm.Mapped[int]

    def opens(ctx: Context) -> None:
        with ctx.transaction(using=orm.sessionmaker(engine)) as tx:
            tx.session.add(Account(name="c", money=5))

    def doubles(ctx: Context) -> None:
        with ctx.transaction(using=orm.sessionmaker(engine)) as tx:
            tx.session.add(Account(name="a", money=5))

    def look(_mapper: Any, connection: sqlalchemy.Connection, _account: Account) -> None:
        written.append(connection.scalar(text("SELECT count(*) FROM ferryman.outcome")))

    written: list[int | None] = []
    event.listen(Account, "after_insert", look)
    engine = sqlalchemy.create_engine(with_driver(url))
    async with Bank(url, tmp_path, opens, doubles) as bank:
        assert (await bank.one("opens"))[0] is Status.COMPLETED
        assert written == [0], "the completion comes last"
        assert (await bank.one("doubles", max_attempts=1))[0] is Status.FAILED
        assert bank.money() == {**UNTOUCHED, "c": 5}
    engine.dispose()


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
