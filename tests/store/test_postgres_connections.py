"""Connections to PostgreSQL that end, or that a pooler shares out: what callers are told, and what comes after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg
import pytest

from ferryman.domain.errors import BadSetting, StoreError, StoreFailed, StoreUnreachable
from ferryman.store.bell import Ring
from ferryman.store.postgres.bell import PostgresBell
from ferryman.store.postgres.connections import ENGINE, Line
from ferryman.store.postgres.failures import explain, lost
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import Ask, Steps, ask
from ferryman.store.postgres.target import Target
from tests.postgres.databases import Databases
from tests.postgres.proxy import Proxy

pytestmark = pytest.mark.anyio

TEXTS = {
    "session": "SELECT pg_backend_pid()",
    "end": "SELECT pg_terminate_backend(pg_backend_pid())",
    "write": "INSERT INTO ferryman.type (name, registered_at) VALUES ($1, 0)",
    "written": "SELECT name FROM ferryman.type",
    "setting": "SELECT current_setting($1)",
    "long": "SELECT pg_sleep(3600)",
    "number": "SELECT $1::integer",
}
PATIENCE = 30.0
FOR_EVER = 3600.0


class Texts(Statements):
    def __getitem__(self, name: str) -> str:
        return TEXTS.get(name) or super().__getitem__(name)


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    url = postgres.empty()
    asyncio.run(Schema(Target.of(url)).migrate())
    yield url
    postgres.drop(url)


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with Proxy(url) as proxy:
        yield proxy


class Refused(Exception):
    """What a verb may say."""


MakeLine = Callable[[str], Awaitable[Line]]


@pytest.fixture
async def line_to() -> AsyncIterator[MakeLine]:
    lines: list[Line] = []

    async def make(url: str) -> Line:
        line = Line(Target.of(url), Texts(), size=1, seconds=FOR_EVER, setting_up=ENGINE)
        lines.append(line)
        await line.open()
        return line

    yield make
    for line in lines:
        await line.close()


def write_then(then: Callable[[], object], name: str = "a") -> Steps[None]:
    """Something is written; then something happens, and another statement is needed."""
    yield Ask("write", (name,))
    then()
    yield Ask("session")


async def written(line: Line) -> list[str]:
    return sorted(row[0] for row in await line.do(ask("written")))


# -- ends of connections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["do", "transact"])
async def test_a_session_that_is_ended_is_told_of_and_the_next_call_has_another_one(
    url: str, line_to: MakeLine, verb: str
) -> None:
    line = await line_to(url)
    with pytest.raises(StoreUnreachable, match="terminating connection"):
        await getattr(line, verb)(ask("end"))
    assert await line.do(ask("session"))


@pytest.mark.parametrize("verb", ["do", "transact"])
async def test_a_connection_that_ends_between_two_statements_is_lost_too(
    proxy: Proxy, line_to: MakeLine, verb: str
) -> None:
    """The pool has taken the connection back by then, and its driver has other words for that."""
    line = await line_to(proxy.url())
    with pytest.raises(StoreUnreachable):
        await getattr(line, verb)(write_then(proxy.drop))
    assert await written(line) == (["a"] if verb == "do" else [])


async def test_one_that_ends_before_its_commit_has_written_nothing(proxy: Proxy, line_to: MakeLine) -> None:
    def steps() -> Steps[None]:
        yield Ask("write", ("a",))
        proxy.drop()

    line = await line_to(proxy.url())
    with pytest.raises(StoreUnreachable):
        await line.transact(steps())
    assert await written(line) == []


async def test_an_error_of_the_verb_itself_rolls_back_and_keeps_the_session(url: str, line_to: MakeLine) -> None:
    def refuse() -> None:
        raise Refused

    line = await line_to(url)
    before = await line.do(ask("session"))
    with pytest.raises(Refused):
        await line.transact(write_then(refuse))
    assert await written(line) == []
    assert await line.do(ask("session")) == before


async def test_a_call_that_is_cancelled_leaves_its_session(proxy: Proxy, line_to: MakeLine) -> None:
    line = await line_to(proxy.url())
    before = await line.do(ask("session"))
    proxy.swallow_replies()
    call = asyncio.ensure_future(line.do(ask("session")))
    assert await asyncio.to_thread(proxy.wait_for_reply, PATIENCE)
    call.cancel()
    await asyncio.wait([call], timeout=PATIENCE)
    assert call.cancelled()
    proxy.thaw()
    assert await line.do(ask("session")) != before


@pytest.mark.parametrize("verb", ["do", "transact"])
async def test_a_call_that_takes_too_long_leaves_its_session(url: str, line_to: MakeLine, verb: str) -> None:
    line = await line_to(url)
    before = await line.do(ask("session"))
    with pytest.raises(StoreUnreachable, match="did not answer in time"):
        await getattr(line, verb)(ask("long"), 0.05)
    assert await line.do(ask("session")) != before


async def test_a_session_whose_connection_ends_while_it_is_cancelled_is_no_trouble(
    proxy: Proxy, line_to: MakeLine
) -> None:
    def steps() -> Steps[None]:
        yield Ask("session")
        proxy.drop()
        raise asyncio.CancelledError

    line = await line_to(proxy.url())
    with pytest.raises(asyncio.CancelledError):
        await line.do(steps())
    assert await line.do(ask("session"))


async def test_a_value_that_the_driver_cannot_send_costs_no_connection(url: str, line_to: MakeLine) -> None:
    line = await line_to(url)
    before = await line.do(ask("session"))
    with pytest.raises(StoreFailed):
        await line.do(ask("number", "one"))
    assert await line.do(ask("session")) == before


@pytest.mark.parametrize(
    ("error", "is_lost"),
    [
        (asyncpg.InterfaceError("cannot call Connection.fetch(): connection has been released back to the pool"), True),
        (asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"), True),
        (asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"), True),
        (asyncpg.DeadlockDetectedError("deadlock detected"), False),
        (asyncpg.exceptions.ClientConfigurationError("sslmode is wrong"), False),
    ],
)
def test_what_the_driver_says_of_a_lost_connection_is_not_for_people(error: Exception, is_lost: bool) -> None:
    assert lost(error) is is_lost
    told = explain(error, "here")
    assert isinstance(told, StoreUnreachable) is is_lost
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        assert ("The connection was lost" if is_lost else "sslmode is wrong") in str(told)


# -- behind a pooler -------------------------------------------------------------------------------------


def through_a_pooler(url: str) -> str:
    return f"{url}?pooler=transaction"


def test_a_url_may_say_that_a_pooler_shares_sessions() -> None:
    target = Target.of("postgresql://me@host/base?pooler=transaction&sslmode=require")
    assert (target.pooled, target.url) == (True, "postgresql://me@host/base?sslmode=require")
    assert not Target.of("postgresql://me@host/base?pooler=session").pooled
    with pytest.raises(BadSetting, match="pooler=statement"):
        Target.of("postgresql://me@host/base?pooler=statement")


async def test_the_settings_of_a_line_are_those_of_each_transaction(url: str, line_to: MakeLine) -> None:
    line = await line_to(through_a_pooler(url))
    for verb in (line.do, line.transact):
        assert [tuple(row) for row in await verb(ask("setting", "enable_seqscan"))] == [("off",)]
    # and not those of the session, which somebody else has next
    async with line._lent(None) as connection:
        assert await connection.fetchval("SHOW enable_seqscan") == "on"
        assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0


async def test_each_statement_of_a_verb_commits_by_itself_there_too(url: str, line_to: MakeLine) -> None:
    def refuse() -> None:
        raise Refused

    line = await line_to(through_a_pooler(url))
    with pytest.raises(Refused):
        await line.do(write_then(refuse))
    assert await written(line) == ["a"]
    with pytest.raises(Refused):
        await line.transact(write_then(refuse, "b"))
    assert await written(line) == ["a"]


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InvalidSQLStatementNameError('prepared statement "s" does not exist'),
        asyncpg.DuplicatePreparedStatementError('prepared statement "s" already exists'),
    ],
)
def test_a_pooler_that_nobody_told_us_of_is_told_of(error: Exception) -> None:
    told: StoreError = explain(error, "here")
    assert isinstance(told, StoreFailed)
    assert "?pooler=transaction" in str(told)


async def test_nobody_listens_behind_a_pooler(url: str, line_to: MakeLine) -> None:
    heard: list[Ring] = []
    line = await line_to(through_a_pooler(url))
    bell = PostgresBell(Target.of(through_a_pooler(url)), lambda: line)
    bell.listen("here", heard.append)
    assert bell._listening is None
    bell.ring(Ring.WORK)
    await bell.flush()
    bell.close()
