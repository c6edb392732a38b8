"""The commit of a handler's transaction on PostgreSQL whose answer is lost, late or a refusal: what becomes of it."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import msgspec
import psycopg
import pytest

from ferryman.domain.errors import CommitUnknown
from ferryman.domain.state import Status
from ferryman.store.postgres import holds, home, transaction
from ferryman.store.postgres.acts import aperform
from tests.postgres.proxy import Proxy
from tests.store.postgres_place import IDS, MOVED, UNTOUCHED, Place, both_faces, done
from tests.store.servers import at_rest

pytestmark = pytest.mark.anyio
PATIENCE = 60
JOB, OTHER = IDS[:2]


async def held(wait: Any) -> None:
    """One of the proxy's ways to wait."""
    assert await anyio.to_thread.run_sync(wait, PATIENCE)


async def through(proxy: Proxy, place: Place, blocking: bool) -> Any:
    name = place.url.rpartition("/")[2]
    if blocking:
        return await asyncio.to_thread(psycopg.connect, proxy.url(name))
    return await asyncpg.connect(proxy.url(name))


async def gone(connection: Any, blocking: bool) -> None:
    if blocking:
        await asyncio.to_thread(connection.close)
    else:
        connection.terminate()


@both_faces
async def test_a_commit_whose_answer_is_lost_is_recognised(place: Place, blocking: bool) -> None:
    job = await place.claim(JOB)
    with Proxy(place.url) as proxy:
        connection = await through(proxy, place, blocking)
        opened = await place.begin(job, connection, blocking=blocking)
        await place.move(opened)
        proxy.swallow_commits()
        ending = asyncio.create_task(opened.finish(done(job), 0))
        await held(proxy.wait_for_commit)
        proxy.drop()
        assert await ending
        await gone(connection, blocking)
    assert place.money() == MOVED
    assert (await place.store.finish(place.node, [done(job)], 0)).fenced == frozenset()


@both_faces
async def test_a_commit_that_never_arrived_is_known_not_to_be(
    place: Place, blocking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await place.claim(JOB)
    with Proxy(place.url) as proxy:
        connection = await through(proxy, place, blocking)
        opened = await place.begin(job, connection, blocking=blocking)
        await place.move(opened)
        commit = opened._hold.commit

        def lost() -> Any:
            proxy.freeze()
            asked.set_result(None) if not blocking else loop.call_soon_threadsafe(asked.set_result, None)
            return commit()

        loop = asyncio.get_running_loop()
        asked: asyncio.Future[None] = loop.create_future()
        opened._hold = opened._hold._replace(commit=lost)
        ending = asyncio.create_task(opened.finish(done(job), 0))
        await asked
        await held(proxy.wait_for_request)
        proxy.drop()
        with pytest.raises((psycopg.OperationalError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await ending
        await gone(connection, blocking)
    assert place.money() == UNTOUCHED
    again = await place.begin(job)
    assert await again.finish(done(job, 6), 0)


@both_faces
async def test_where_the_store_cannot_be_asked_it_says_so(
    database: str, tmp_path: Path, blocking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "FATE_SECONDS", 0.5)
    monkeypatch.setattr(home, "PAUSE_SECONDS", 0.01)
    with Proxy(database) as proxy:
        place = Place(database, tmp_path, proxy.url())
        await place.open()
        first = await place.claim(OTHER, 2)
        assert await (await place.begin(first)).finish(done(first), 0), "lanes are known from here on"
        job = await place.claim(JOB)
        opened = await place.begin(job, blocking=blocking)
        await place.move(opened)
        await at_rest(place.store)
        proxy.swallow_commits()
        ending = asyncio.create_task(opened.finish(done(job), 0))
        await held(proxy.wait_for_commit)
        proxy.cut()
        with pytest.raises(CommitUnknown, match="FM222"):
            await ending
        assert place.money() == MOVED
        proxy.restore()
        proxy.thaw()
        failed = msgspec.structs.replace(done(job), token=8, status=Status.FAILED)
        report = await place.store.finish(place.node, [failed], 0)
        assert report.fenced == {(JOB, 1)}, "so it does not end twice"
        await place.store.close()


async def test_what_became_of_a_commit_is_not_told_before_it_has_ended(place: Place) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job)
    await opened.connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # however slow all this is
    transactions, lent = place.store.transactions, place.store.transactions._home.lend(opened.connection)
    await aperform(transactions._home.know({done(job).lane}, on_loop=True))
    assert await aperform(lent.do(transactions._complete(place.node, opened._mark, done(job), 0)))
    fate = partial(transaction._fate, place.node, done(job))
    asking = asyncio.create_task(aperform(transactions._home.insist(fate, 60, on_loop=True)))
    waits = asyncio.create_task(place.until_somebody_waits())
    await asyncio.wait((asking, waits), return_when=asyncio.FIRST_COMPLETED)
    assert not asking.done()
    await opened._hold.commit()
    assert await asking
    await waits
    await opened.rollback()


async def test_a_connection_whose_commit_the_server_refused_is_not_cut(place: Place) -> None:
    job, connection = await place.claim(JOB), await place.connect()
    await connection.execute(
        "CREATE TABLE pair (id int PRIMARY KEY, of int REFERENCES pair DEFERRABLE INITIALLY DEFERRED)"
    )
    opened = await place.begin(job, connection)
    await connection.execute("INSERT INTO pair VALUES (1, 2)")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await opened.finish(done(job), 0)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_a_commit_that_takes_too_long_is_asked_about(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "END_SECONDS", 0.2)
    job = await place.claim(JOB)
    with Proxy(place.url) as proxy:
        connection = await through(proxy, place, False)
        opened = await place.begin(job, connection)
        proxy.swallow_commits()
        assert await opened.finish(done(job), 0)
        proxy.drop()
        await gone(connection, False)


@both_faces
async def test_what_the_commit_itself_refuses_is_the_handlers_affair(place: Place, blocking: bool) -> None:
    with psycopg.connect(place.url) as connection:
        connection.execute(
            "CREATE TABLE pair (id int PRIMARY KEY, of int REFERENCES pair DEFERRABLE INITIALLY DEFERRED)"
        )
    job = await place.claim(JOB)
    opened = await place.begin(job, blocking=blocking)
    given = await asyncio.to_thread(opened.connection.execute, "INSERT INTO pair VALUES (1, 2)")
    if not blocking:
        await given
    with pytest.raises((psycopg.errors.ForeignKeyViolation, asyncpg.ForeignKeyViolationError)):
        await opened.finish(done(job), 0)
    read = await place.job(JOB)
    assert read is not None
    assert read.status is Status.PROCESSING
