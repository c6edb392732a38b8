"""Jobs in somebody else's transaction on PostgreSQL: they exist iff that commits, whatever its connection is like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row

from ferryman.domain.bounds import Bound
from ferryman.domain.errors import StoreBusy, StoreUnreachable, TransactionImpossible, TransactionTimedOut
from ferryman.domain.job import NewJob
from ferryman.store.postgres.home import Server
from ferryman.store.postgres.lent import explained
from ferryman.store.protocol import Declaration, Receipt, Verdict
from ferryman.store.transactions import Entry
from tests.postgres.databases import Databases
from tests.store.files import claim_of, new_job, node_info
from tests.store.postgres_place import IDS, Place

pytestmark = pytest.mark.anyio
A, B, C, D = IDS[:4]


@pytest.fixture
async def connection(place: Place) -> AsyncIterator[Any]:
    connection = await place.connect()
    yield connection
    await connection.close()


@pytest.fixture
def blocking(place: Place) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(place.url) as connection:
        yield connection


def entry(*jobs: NewJob, max_pending: Bound = 0) -> Entry:
    return Entry(False, lambda _: jobs, 0, max_pending)


async def ids(place: Place) -> list[str]:
    return [id for id in (A, B, C, D) if await place.job(id) is not None]


# -- what becomes of the jobs ----------------------------------------------------------------------


async def test_the_job_is_there_once_an_awaited_transaction_commits(place: Place, connection: Any) -> None:
    async with connection.transaction():
        assert await place.store.joins.ainsert(connection, entry(new_job(A))) == [Receipt(A, Verdict.INSERTED)]
        assert connection.is_in_transaction()
        assert await ids(place) == []
    assert await ids(place) == [A]
    assert (await place.store.counts(0)).totals["created"] == 1
    assert [job.id for job in (await place.store.claim(claim_of(place.node), 0)).jobs] == [A]


async def test_the_job_is_there_once_a_blocking_transaction_commits(
    place: Place, blocking: psycopg.Connection[Any]
) -> None:
    place.store.joins.insert(blocking, entry(new_job(A)))
    blocking.rollback()
    place.store.joins.insert(blocking, entry(new_job(B)))
    assert await ids(place) == []
    blocking.commit()
    assert await ids(place) == [B]


async def test_a_pools_connection_and_an_awaited_one_of_psycopg_do_as_well(place: Place) -> None:
    async with asyncpg.create_pool(place.url, min_size=0) as pool, pool.acquire() as proxy, proxy.transaction():
        await place.store.joins.ainsert(proxy, entry(new_job(A)))
    async with await psycopg.AsyncConnection.connect(place.url) as connection:
        await place.store.joins.ainsert(connection, entry(new_job(B), new_job(C, run_at=10**9)))
    assert await ids(place) == [A, B, C]


async def test_jobs_are_judged_in_the_transaction(place: Place, connection: Any) -> None:
    await place.store.insert([new_job(A, unique_key="k")], 0)
    join = place.store.joins.ainsert
    async with connection.transaction():
        assert await join(connection, entry(new_job(B, unique_key="k"))) == [Receipt(A, Verdict.KEY_TAKEN)]
        assert await join(connection, entry(new_job(A))) == [Receipt(A, Verdict.EXISTS)]
        assert await join(connection, entry(new_job(C), max_pending=2)) == [Receipt(C, Verdict.INSERTED)]
        assert await join(connection, entry(new_job(D), max_pending=2)) == [Receipt(D, Verdict.FULL)]
    assert await ids(place) == [A, C]


async def test_the_types_that_nodes_have_registered_are_told_if_asked_for(place: Place, connection: Any) -> None:
    declared = {"t": Declaration("mail", 3, 1, frozenset({"token"}))}
    await place.store.register(msgspec.structs.replace(node_info("m"), declared=declared), 0)
    told: list[Any] = []

    def admit(types: Any) -> list[NewJob]:
        told.append(types)
        return []

    async with connection.transaction():
        for asks in (True, False):
            await place.store.joins.ainsert(connection, Entry(asks, admit, 0, 0))
    assert told == [declared, None]


async def test_a_new_lane_is_there_for_others_at_once(place: Place, connection: Any) -> None:
    job = msgspec.structs.replace(new_job(A), queue="new")
    async with connection.transaction():
        await place.store.joins.ainsert(connection, entry(job))
        lanes = {lane.queue for lane in (await place.store.lanes()).values()}
        assert lanes == {"new"}
        await place.store.insert([msgspec.structs.replace(job, id=B)], 0)
    assert await ids(place) == [A, B]


async def test_the_owners_factories_neither_disturb_nor_change(place: Place, blocking: psycopg.Connection[Any]) -> None:
    blocking.row_factory = dict_row
    place.store.joins.insert(blocking, entry(new_job(A, unique_key="k")))
    assert blocking.row_factory is dict_row
    assert blocking.execute("SELECT 1 AS one").fetchone() == {"one": 1}


# -- what it leaves in the transaction -------------------------------------------------------------


async def test_the_commit_is_made_durable_and_waits_for_locks_are_as_before(place: Place, connection: Any) -> None:
    await connection.execute("SET synchronous_commit = off; SET lock_timeout = '7s'")
    async with connection.transaction():
        await place.store.joins.ainsert(connection, entry(new_job(A, unique_key="k")))
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        assert await connection.fetchval("SHOW lock_timeout") == "7s"
    assert await connection.fetchval("SHOW synchronous_commit") == "off"


async def test_a_commit_that_waits_for_a_standby_still_does(place: Place, connection: Any) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = remote_apply")
        await place.store.joins.ainsert(connection, entry(new_job(A)))
        assert await connection.fetchval("SHOW synchronous_commit") == "remote_apply"


async def test_what_fails_leaves_nothing_of_ours_and_all_of_theirs(
    place: Place, blocking: psycopg.Connection[Any]
) -> None:
    def admit(_: Any) -> list[NewJob]:
        raise ValueError("refused")

    blocking.execute("SET LOCAL synchronous_commit = off")
    blocking.execute("UPDATE account SET money = 1 WHERE name = 'a'")
    with pytest.raises(ValueError, match="refused"):
        place.store.joins.insert(blocking, Entry(False, admit, 0, 0))
    assert blocking.execute("SHOW synchronous_commit").fetchone() == ("off",)
    blocking.commit()
    assert place.money()["a"] == 1


async def test_a_key_that_another_transaction_gives_away_is_waited_for_a_while(
    place: Place, connection: Any, blocking: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.store.postgres.joining.LOCK_TIMEOUT", "10ms")
    async with connection.transaction():
        await place.store.joins.ainsert(connection, entry(new_job(A, unique_key="k")))
        place.store.joins.insert(blocking, entry(new_job(B)))
        with pytest.raises(StoreBusy):
            place.store.joins.insert(blocking, entry(new_job(C, unique_key="k")))
        blocking.commit()
    assert await ids(place) == [A, B]


async def test_the_same_job_at_the_same_time_is_told_to_try_again(
    place: Place, connection: Any, blocking: psycopg.Connection[Any]
) -> None:
    transaction = connection.transaction()
    await transaction.start()
    await place.store.joins.ainsert(connection, entry(new_job(A)))
    place.store.joins.insert(blocking, entry(new_job(B)))
    waiting = asyncio.create_task(asyncio.to_thread(place.store.joins.insert, blocking, entry(new_job(A))))
    await place.until_somebody_waits()
    await transaction.commit()
    with pytest.raises(StoreBusy, match="at the same time"):
        await waiting
    assert place.store.joins.insert(blocking, entry(new_job(A))) == [Receipt(A, Verdict.EXISTS)]
    blocking.commit()
    assert await ids(place) == [A, B]


async def test_a_cancel_in_the_middle_leaves_the_transaction_usable(place: Place, connection: Any) -> None:
    async with connection.transaction():
        with psycopg.connect(place.url) as other:
            other.execute("SELECT pg_advisory_xact_lock(hashtextextended('unique:t:k', 0))")
            waiting = asyncio.create_task(place.store.joins.ainsert(connection, entry(new_job(A, unique_key="k"))))
            await place.until_somebody_waits()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await place.store.joins.ainsert(connection, entry(new_job(B)))
    assert await ids(place) == [B]


# -- what is refused -------------------------------------------------------------------------------


async def test_another_database_is_refused(place: Place, postgres: Databases) -> None:
    url = postgres.fresh()
    with psycopg.connect(url) as other:
        with pytest.raises(TransactionImpossible, match="another database"):
            place.store.joins.insert(other, entry(new_job(A)))
        assert other.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    postgres.drop(url)


async def test_a_server_that_was_started_again_is_known_again(place: Place, connection: Any) -> None:
    place.store.joins._home._server = Server(1, "long ago")
    async with connection.transaction():
        await place.store.joins.ainsert(connection, entry(new_job(A)))
    assert await ids(place) == [A]


async def test_a_transaction_that_is_read_only_is_refused(place: Place, connection: Any) -> None:
    async with connection.transaction(readonly=True):
        with pytest.raises(TransactionImpossible, match="read-only"):
            await place.store.joins.ainsert(connection, entry(new_job(A)))


@pytest.mark.parametrize("begin", [None, "failed"])
async def test_a_connection_without_a_transaction_that_works_is_refused(
    place: Place, connection: Any, begin: str | None
) -> None:
    if begin is None:
        with pytest.raises(TransactionImpossible, match="No transaction is open"):
            await place.store.joins.ainsert(connection, entry(new_job(A)))
        return
    with psycopg.connect(place.url) as failed:
        with pytest.raises(psycopg.errors.UndefinedTable):
            failed.execute("SELECT FROM nothing")
        with pytest.raises(TransactionImpossible, match="has failed already"):
            place.store.joins.insert(failed, entry(new_job(A)))
        failed.rollback()


async def test_a_psycopg_connection_that_commits_each_statement_is_refused(place: Place) -> None:
    connection = psycopg.connect(place.url, autocommit=True)
    with pytest.raises(TransactionImpossible, match="No transaction is open"):
        place.store.joins.insert(connection, entry(new_job(A)))
    connection.close()


async def test_an_awaited_connection_is_refused_where_it_would_block(place: Place, connection: Any) -> None:
    with pytest.raises(TransactionImpossible, match="asyncpg is awaited"):
        place.store.joins.insert(connection, entry(new_job(A)))


async def test_what_is_no_connection_of_ours_is_refused(place: Place) -> None:
    for thing, name in (("text", "str of builtins"), (object(), "object of builtins")):
        with pytest.raises(TransactionImpossible, match=f"cannot be a {name}"):
            await place.store.joins.ainsert(thing, entry(new_job(A)))


async def test_a_connection_that_is_lost_is_told_of(place: Place) -> None:
    connection = await place.connect()
    await connection.execute("BEGIN")

    def admit(_: Any) -> list[NewJob]:
        connection.terminate()
        return [new_job(A)]

    with pytest.raises(StoreUnreachable):
        await place.store.joins.ainsert(connection, Entry(False, admit, 0, 0))
    blocking = psycopg.connect(place.url)
    with psycopg.connect(place.url, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", (blocking.info.backend_pid,))
    with pytest.raises(StoreUnreachable):
        place.store.joins.insert(blocking, entry(new_job(A)))
    blocking.close()
    with pytest.raises(StoreUnreachable, match="lost"):
        place.store.joins.insert(blocking, entry(new_job(A)))


def test_a_silence_that_was_too_long_is_told_as_such() -> None:
    assert isinstance(explained(psycopg.errors.IdleInTransactionSessionTimeout(), "here"), TransactionTimedOut)
