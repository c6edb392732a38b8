"""`ctx.transaction(using=...)` over PostgreSQL: connections, pools, engines and sessions that the handler brings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from sqlalchemy import event, orm

from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.engine.context import Context
from tests.engine.banks import MOVED, UNTOUCHED, call
from tests.engine.postgres_banks import Bank
from tests.engine.world import handler

pytestmark = pytest.mark.anyio


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
