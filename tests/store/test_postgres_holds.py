"""What handlers may write their transactions with, and the calls by which one is begun and ended on each."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import asyncpg
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from sqlalchemy import orm

from ferryman.domain.errors import TransactionImpossible
from ferryman.store.postgres.acts import Acts, aperform, perform, perform_apart
from ferryman.store.postgres.holds import Hold, hold
from tests.postgres.databases import Databases

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    url = postgres.fresh()
    yield url
    postgres.drop(url)


# -- SQLAlchemy's awaited face ---------------------------------------------------------------------


class Noted:
    """Notes what is asked of it, in order."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.begun = False

    def in_transaction(self) -> bool:
        return self.begun

    async def note(self, what: str) -> None:
        self.notes.append(what)

    async def commit(self) -> None:
        await self.note("commit")

    async def rollback(self) -> None:
        await self.note("rollback")

    async def close(self) -> None:
        await self.note("close")


class AsyncConnection(Noted):
    """As SQLAlchemy's, which cannot be imported without greenlet."""

    driver_connection = "the driver's"

    async def begin(self) -> Noted:
        await self.note("begin")
        return Noted(self.notes)

    async def exec_driver_sql(self, sql: str) -> None:
        await self.note(sql)

    async def get_raw_connection(self) -> AsyncConnection:
        return self


class AsyncSession(Noted):
    async def begin(self) -> None:
        await self.note("begin")

    async def connection(self) -> AsyncConnection:
        return AsyncConnection(self.notes)

    async def flush(self) -> None:
        await self.note("flush")


class AsyncEngine(Noted):
    async def connect(self) -> AsyncConnection:
        await self.note("connect")
        return AsyncConnection(self.notes)


class async_sessionmaker(Noted):  # noqa: N801 - SQLAlchemy's name
    def __call__(self) -> AsyncSession:
        return AsyncSession(self.notes)


@pytest.fixture
def asyncio_of_sqlalchemy(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sqlalchemy.ext.asyncio")
    for kind in (AsyncConnection, AsyncSession, AsyncEngine, async_sessionmaker):
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "sqlalchemy.ext.asyncio", module)


def ended(hold: Hold) -> Acts[None]:
    """The calls that a finish makes, in order."""
    yield hold.flush
    yield hold.commit
    yield hold.let_go


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (AsyncConnection, ["begin", "SELECT 1", "commit"]),
        (AsyncEngine, ["connect", "begin", "SELECT 1", "commit", "close"]),
        (AsyncSession, ["begin", "SELECT 1", "flush", "commit"]),
        (async_sessionmaker, ["begin", "SELECT 1", "flush", "commit", "close"]),
    ],
)
async def test_what_is_awaited_of_sqlalchemy(
    asyncio_of_sqlalchemy: None, kind: type[Noted], expected: list[str]
) -> None:
    notes: list[str] = []
    held = await aperform(hold(kind(notes), blocking=False))
    assert held.driver == "the driver's"
    await aperform(ended(held))
    assert notes == expected


# -- what is refused -------------------------------------------------------------------------------


async def test_what_belongs_to_the_other_kind_of_handler_is_refused(url: str) -> None:
    awaited, blocks = await asyncpg.connect(url), psycopg.connect(url)
    with pytest.raises(TransactionImpossible, match="Connection of asyncpg is awaited"):
        perform(hold(awaited, blocking=True))
    with pytest.raises(TransactionImpossible, match="Connection of psycopg would block"):
        await aperform(hold(blocks, blocking=False))
    await awaited.close()
    blocks.close()


async def test_what_is_nothing_to_write_with_is_refused() -> None:
    with pytest.raises(TransactionImpossible, match="using cannot be a str"):
        perform(hold("postgresql://", blocking=True))


async def test_what_has_a_transaction_open_is_refused(url: str) -> None:
    awaited = await asyncpg.connect(url)
    async with awaited.transaction():
        with pytest.raises(TransactionImpossible, match="open on it already"):
            await aperform(hold(awaited, blocking=False))
    await awaited.close()
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with psycopg.connect(url) as blocks, engine.connect() as connection, orm.Session(engine) as session:
        blocks.execute("SELECT 1")
        connection.begin()
        session.begin()
        for each in (blocks, connection, session):
            with pytest.raises(TransactionImpossible, match="open on it already"):
                perform(hold(each, blocking=True))
    engine.dispose()


async def test_what_was_taken_is_given_back_where_no_transaction_can_begin(url: str) -> None:
    def leaves_one_open(connection: psycopg.Connection[Any]) -> None:
        connection.execute("SELECT 1")

    class Pool(psycopg_pool.ConnectionPool[Any]):
        def getconn(self, timeout: float | None = None) -> Any:
            connection = super().getconn(timeout)
            leaves_one_open(connection)
            return connection

        def putconn(self, conn: Any) -> None:
            given.append(conn)
            conn.rollback()
            super().putconn(conn)

    given: list[Any] = []
    with Pool(url, min_size=1, open=True) as pool:
        with pytest.raises(TransactionImpossible, match="open on it already"):
            perform(hold(pool, blocking=True))
        assert len(given) == 1


# -- the calls -------------------------------------------------------------------------------------


def seen(*steps: Any) -> Acts[list[Any]]:
    """Make calls, and give what came of each."""
    found: list[Any] = []
    for step in steps:
        try:
            found.append((yield step))
        except KeyError as error:
            found.append(error.args[0])
    return found


def fails() -> None:
    raise KeyError("no")


async def afails() -> None:
    raise KeyError("not either")


async def gives() -> int:
    return 2


async def test_calls_are_made_in_both_faces() -> None:
    assert perform(seen(lambda: 1, fails)) == [1, "no"]
    assert await aperform(seen(lambda: 1, gives, fails, afails)) == [1, 2, "no", "not either"]


async def test_calls_in_a_thread_of_their_own() -> None:
    where: list[Any] = await perform_apart(seen(threading.get_ident, fails))
    assert where[0] != threading.get_ident()
    assert where[1] == "no"

    def breaks() -> Acts[None]:
        yield fails

    with pytest.raises(KeyError):
        await perform_apart(breaks())


@pytest.mark.parametrize("works", [True, False])
async def test_nobody_hears_of_calls_that_were_given_up(works: bool) -> None:
    let, over = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def waits() -> None:
        let.wait()
        if not works:
            raise KeyError

    def acts() -> Acts[None]:
        try:
            yield waits
        finally:
            loop.call_soon_threadsafe(over.set)

    waiting = asyncio.create_task(perform_apart(acts()))
    turn = asyncio.Event()
    loop.call_soon(turn.set)
    await turn.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    let.set()
    await over.wait()


def test_the_loop_may_have_ended_before() -> None:
    let, over = threading.Event(), threading.Event()

    def acts() -> Acts[None]:
        yield let.wait
        threads.append(threading.current_thread())
        over.set()

    async def play() -> None:
        task = asyncio.create_task(perform_apart(acts()))
        turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(turn.set)
        await turn.wait()
        task.cancel()

    threads: list[threading.Thread] = []
    asyncio.run(play())
    let.set()
    assert over.wait(60)
    threads[0].join(60)
