"""`enqueue(tx=...)` on PostgreSQL: jobs as a part of the caller's own transaction, on every kind of connection."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import anyio
import asyncpg
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from ferryman import Context, Ferryman, Handle, errors
from ferryman.calls import Call
from ferryman.client import Client
from ferryman.embed import running
from ferryman.engine.clock import SystemClock
from ferryman.store.bell import Ring
from ferryman.store.postgres import PostgresStore
from ferryman.store.protocol import JobFilter
from ferryman.testing.conformance import RETENTION
from tests.postgres.databases import Databases

pytestmark = pytest.mark.anyio

TASKS = int(os.environ.get("FERRYMAN_TEST_TASKS", "12"))
"""How many tasks enqueue at a time."""
CONNECTIONS = 5


class RolledBack(Exception):
    """Raised to have a transaction undone."""


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    url = postgres.fresh()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE note (number int)")
    yield url
    postgres.drop(url)


@pytest.fixture
def app(url: str) -> Iterator[Ferryman]:
    with Ferryman(url) as app:
        yield app


def add(a: int, b: int = 2) -> int:
    return a + b


async def numbers(app: Ferryman) -> list[int]:
    """What the jobs that exist were given."""

    async def read(client: Client) -> list[str]:
        return [job.payload for job in await client.list(JobFilter())]

    payloads = await app._bridge.acall(read)
    return sorted(int(each.removeprefix('{"a":').removesuffix("}")) for each in payloads)


def notes(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return sorted(row[0] for row in connection.execute("SELECT number FROM note"))


# -- the adapters ----------------------------------------------------------------------------------


class Adapter(Protocol):
    """Writes a note and hands a job in, in one transaction of a library's."""

    async def open(self, url: str) -> None: ...

    async def play(self, number: int, call: Call[int], *, commit: bool) -> Handle[int]:
        """Raises RolledBack unless it is to commit."""
        ...

    async def close(self) -> None: ...


def decide(commit: bool) -> None:
    if not commit:
        raise RolledBack


class Asyncpg:
    async def open(self, url: str) -> None:
        self._pool: Any = await asyncpg.create_pool(url, min_size=0, max_size=CONNECTIONS)

    async def play(self, number: int, call: Call[int], *, commit: bool) -> Handle[int]:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO note VALUES ($1)", number)
            handle = await call.aenqueue(tx=connection)
            decide(commit)
            return handle

    async def close(self) -> None:
        await self._pool.close()


class AsyncPsycopg:
    async def open(self, url: str) -> None:
        self._pool = psycopg_pool.AsyncConnectionPool(url, min_size=1, max_size=CONNECTIONS, open=False)
        await self._pool.open()

    async def play(self, number: int, call: Call[int], *, commit: bool) -> Handle[int]:
        async with self._pool.connection() as connection:
            await connection.execute("INSERT INTO note VALUES (%s)", (number,))
            handle = await call.aenqueue(tx=connection)
            decide(commit)
            return handle

    async def close(self) -> None:
        await self._pool.close()


class Blocking:
    """Plays in threads, a few at a time."""

    def __init__(self) -> None:
        self._limit = anyio.CapacityLimiter(CONNECTIONS)

    async def play(self, number: int, call: Call[int], *, commit: bool) -> Handle[int]:
        return await anyio.to_thread.run_sync(self.act, number, call, commit, limiter=self._limit)

    def act(self, number: int, call: Call[int], commit: bool) -> Handle[int]:
        raise NotImplementedError


class Psycopg(Blocking):
    async def open(self, url: str) -> None:
        self._pool = psycopg_pool.ConnectionPool(url, min_size=1, max_size=CONNECTIONS, open=True)

    def act(self, number: int, call: Call[int], commit: bool) -> Handle[int]:
        with self._pool.connection() as connection:
            connection.execute("INSERT INTO note VALUES (%s)", (number,))
            handle = call.enqueue(tx=connection)
            decide(commit)
            return handle

    async def close(self) -> None:
        self._pool.close()


class SqlAlchemy(Blocking):
    async def open(self, url: str) -> None:
        self.engine = sqlalchemy.create_engine(with_driver(url, "psycopg"))

    async def close(self) -> None:
        self.engine.dispose()


class SqlAlchemySession(SqlAlchemy):
    def act(self, number: int, call: Call[int], commit: bool) -> Handle[int]:
        with orm.Session(self.engine) as session, session.begin():
            session.execute(sqlalchemy.text("INSERT INTO note VALUES (:number)"), {"number": number})
            handle = call.enqueue(tx=session)
            decide(commit)
            return handle


class SqlAlchemyConnection(SqlAlchemy):
    def act(self, number: int, call: Call[int], commit: bool) -> Handle[int]:
        with self.engine.begin() as connection:
            connection.execute(sqlalchemy.text("INSERT INTO note VALUES (:number)"), {"number": number})
            handle = call.enqueue(tx=connection)
            decide(commit)
            return handle


def with_driver(url: str, driver: str) -> str:
    return url.replace("postgresql://", f"postgresql+{driver}://")


class AsyncSqlAlchemy:
    driver = "asyncpg"

    async def open(self, url: str) -> None:
        self.engine = create_async_engine(with_driver(url, self.driver))

    async def play(self, number: int, call: Call[int], *, commit: bool) -> Handle[int]:
        async with AsyncSession(self.engine) as session, session.begin():
            await session.execute(sqlalchemy.text("INSERT INTO note VALUES (:number)"), {"number": number})
            handle = await call.aenqueue(tx=session)
            decide(commit)
            return handle

    async def close(self) -> None:
        await self.engine.dispose()


class AsyncSqlAlchemyPsycopg(AsyncSqlAlchemy):
    driver = "psycopg"


class AsyncSqlAlchemyConnection(AsyncSqlAlchemy):
    async def play(self, number: int, call: Call[int], *, commit: bool) -> Handle[int]:
        async with self.engine.begin() as connection:
            handle = await call.aenqueue(tx=connection)  # the first statement: over asyncpg nothing has begun yet
            await connection.execute(sqlalchemy.text("INSERT INTO note VALUES (:number)"), {"number": number})
            decide(commit)
            return handle


ADAPTERS: list[Callable[[], Adapter]] = [
    Asyncpg,
    AsyncPsycopg,
    Psycopg,
    SqlAlchemySession,
    SqlAlchemyConnection,
    AsyncSqlAlchemy,
    AsyncSqlAlchemyPsycopg,
    AsyncSqlAlchemyConnection,
]
each_adapter = pytest.mark.parametrize("make", ADAPTERS)


@each_adapter
async def test_exactly_the_committed_jobs_run(app: Ferryman, url: str, make: Callable[[], Adapter]) -> None:
    ran: list[int] = []

    def noted(a: int) -> int:
        ran.append(a)
        return a

    job, adapter = app.job(noted), make()
    await adapter.open(url)

    async def play(number: int) -> None:
        commit = number % 3 != 0
        try:
            handle = await adapter.play(number, job.call(number), commit=commit)
        except RolledBack:
            assert not commit
        else:
            assert await handle.aresult(timeout=60) == number

    async with running(app), anyio.create_task_group() as group:
        for number in range(TASKS):
            group.start_soon(play, number)
    await adapter.close()
    committed = [number for number in range(TASKS) if number % 3 != 0]
    assert sorted(ran) == await numbers(app) == notes(url) == committed


async def test_a_handlers_transaction_may_not_be_silent_for_a_whole_lease(app: Ferryman) -> None:
    async def look(ctx: Context) -> str:
        async with ctx.transaction() as tx:
            tx.result = await tx.connection.fetchval("SHOW idle_in_transaction_session_timeout")
        return "too late"

    job = app.job_with_context(look)
    async with running(app, lease="5s", beat="1s"):
        assert await (await job.aenqueue()).aresult(timeout=60) == "4s"


@each_adapter
async def test_a_refused_job_leaves_the_rest_of_the_transaction_alone(
    app: Ferryman, url: str, make: Callable[[], Adapter]
) -> None:
    job, adapter = app.job(add), make()
    holder = await job.call(1).options(unique_key="k").aenqueue()
    await adapter.open(url)
    with pytest.raises(errors.UniqueKeyTaken) as caught:
        await adapter.play(2, job.call(2).options(unique_key="k"), commit=True)
    assert caught.value.holder == holder.id
    again = job.call(3).options(unique_key="k", on_conflict="return")
    assert await adapter.play(3, again, commit=True) == holder
    await adapter.close()
    assert await numbers(app) == [1]
    assert notes(url) == [3], "the error has rolled back the first note, which is the caller's affair"


# -- what a transaction can do ---------------------------------------------------------------------


async def test_many_are_a_part_of_it_too(app: Ferryman, url: str) -> None:
    job = app.job(add)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        assert await app.aenqueue_many((job.call(n) for n in range(3)), tx=connection) == 3
        assert await numbers(app) == []
    assert await numbers(app) == [0, 1, 2]
    with psycopg.connect(url) as blocking:
        assert app.enqueue_many((job.call(n) for n in range(3, 5)), tx=blocking) == 2
    assert await numbers(app) == [0, 1, 2, 3, 4]


async def test_a_rejected_job_leaves_earlier_jobs_and_writes_in_it(app: Ferryman, url: str) -> None:
    job = app.job(add)
    await job.call(9).options(unique_key="k").aenqueue()
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("INSERT INTO note VALUES (1)")
        await job.call(1).aenqueue(tx=connection)
        with pytest.raises(errors.UniqueKeyTaken):
            await job.call(2).options(unique_key="k").aenqueue(tx=connection)
        with pytest.raises(errors.BadOption):
            await job.call(3).options(priority=10).aenqueue(tx=connection)
        await connection.execute("INSERT INTO note VALUES (2)")
    await connection.close()
    assert await numbers(app) == [1, 9]
    assert notes(url) == [1, 2]


async def test_a_savepoint_of_the_callers_takes_the_job_back(app: Ferryman, url: str) -> None:
    job = app.job(add)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await job.call(1).aenqueue(tx=connection)
        async with connection.transaction(force_rollback=True):
            await job.call(2).aenqueue(tx=connection)
    assert await numbers(app) == [1]


async def test_a_blocking_connection_can_be_used_where_a_loop_runs(app: Ferryman, url: str) -> None:
    job = app.job(add)
    with psycopg.connect(url) as connection:
        await job.call(1).aenqueue(tx=connection)
        job.call(2).enqueue(tx=connection)
    assert await numbers(app) == [1, 2]


async def test_a_type_of_another_app_takes_what_its_nodes_have_declared(app: Ferryman, url: str) -> None:
    stranger = Ferryman(url).job(add).call(1)
    with psycopg.connect(url) as connection:
        with pytest.raises(errors.UnknownType):
            app.enqueue_many([stranger], tx=connection)
        connection.rollback()
        connection.execute(
            'INSERT INTO ferryman.type VALUES (\'add\', 0, \'{"queue":"mail","priority":3,"max_attempts":1}\')'
        )
        connection.commit()
        assert app.enqueue_many([stranger], tx=connection) == 1
    assert await numbers(app) == [1]


# -- what is refused -------------------------------------------------------------------------------


async def test_an_awaited_connection_is_refused_by_the_blocking_face(app: Ferryman, url: str) -> None:
    call = app.job(add).call(1)
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        with pytest.raises(errors.TransactionImpossible, match="aenqueue") as caught:
            call.enqueue(tx=connection)
    assert caught.value.code == "FM216"
    await connection.close()


@pytest.mark.parametrize("driver", ["psycopg2", "pg8000"])
async def test_other_drivers_are_refused_with_a_hint(app: Ferryman, driver: str) -> None:
    kind = type("connection", (), {"__module__": f"{driver}.extensions"})
    with pytest.raises(errors.TransactionImpossible, match=f"a connection of {driver}") as caught:
        app.job(add).call(1).enqueue(tx=kind())
    assert "psycopg (3)" in caught.value.hint


# -- waking ----------------------------------------------------------------------------------------


class Listener:
    """Another node's bell."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self.heard: asyncio.Queue[Ring] = asyncio.Queue()

    async def __aenter__(self) -> Listener:
        await self._store.open()
        self._store.bell.listen("other", self.heard.put_nowait)
        for _ in Ring:  # it rings for itself as it begins to hear
            await self.heard.get()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._store.close()


@pytest.fixture
def listener(url: str, tmp_path: Path) -> Listener:
    return Listener(PostgresStore(url, clock=SystemClock(), retention=RETENTION, locks=tmp_path))


async def rings(listener: Listener) -> Ring:
    return await listener.heard.get()


async def test_a_sessions_commit_wakes_the_nodes_and_a_rollback_does_not(
    app: Ferryman, url: str, listener: Listener
) -> None:
    job = app.job(add)
    engine = sqlalchemy.create_engine(with_driver(url, "psycopg"))

    def act(session: orm.Session) -> None:
        job.call(1).enqueue(tx=session)
        session.rollback()
        job.call(2).enqueue(tx=session)
        with session.begin_nested():
            job.call(3).enqueue(tx=session)

    async with listener:
        with orm.Session(engine) as session:
            await anyio.to_thread.run_sync(act, session)
            assert listener.heard.empty()
            await anyio.to_thread.run_sync(session.commit)
        assert await rings(listener) in {Ring.WORK, Ring.SCHEDULED}
    engine.dispose()
    assert await numbers(app) == [2, 3]


async def test_other_commits_are_told_by_hand(app: Ferryman, url: str, listener: Listener) -> None:
    job = app.job(add)
    async with listener:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await job.call(1).aenqueue(tx=connection)
        assert listener.heard.empty()
        await app.awake()
        assert await rings(listener) in {Ring.WORK, Ring.SCHEDULED}
