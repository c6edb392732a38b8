"""A handler's transaction on PostgreSQL: what it wrote and its completion commit together, or neither does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from sqlalchemy import orm

from ferryman.domain.errors import DriverMissing, IllegalTransition, StoreBusy, StoreUnreachable, TransactionImpossible
from ferryman.domain.job import ClaimedJob
from ferryman.domain.state import Status
from ferryman.store.factory import joins_of, many_transactions_of, transactions_of
from ferryman.store.memory import MemoryStore
from ferryman.testing.clock import ManualClock
from tests.postgres.databases import Databases
from tests.store.files import new_job, sqlite_store
from tests.store.postgres_place import IDS, MOVED, UNTOUCHED, Place, both_faces, done

pytestmark = pytest.mark.anyio
JOB, NEXT, OTHER = IDS[:3]


@both_faces
async def test_writes_follow_ups_and_completion_commit_together(place: Place, blocking: bool) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job, blocking=blocking)
    await place.move(opened)
    assert place.money() == UNTOUCHED
    followed = msgspec.structs.replace(new_job(NEXT), queue="never seen")
    assert await opened.finish(done(job, follow_ups=(followed,)), 0)
    assert place.money() == MOVED
    read, after = await place.job(JOB), await place.job(NEXT)
    assert read is not None
    assert after is not None
    assert (read.status, read.result, after.status) == (Status.COMPLETED, "1", Status.PENDING)
    assert await place.store.open_batches(place.node) == []


@both_faces
async def test_a_rollback_undoes_it_and_comes_once(place: Place, blocking: bool) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job, blocking=blocking)
    await place.move(opened)
    await opened.rollback()
    await opened.rollback()
    opened.break_off()
    assert place.money() == UNTOUCHED
    again = await place.begin(job, blocking=blocking)
    assert await again.finish(done(job), 0)


async def test_what_the_completer_says_again_is_passed_over_once(place: Place) -> None:
    job, other = await place.claim(JOB), await place.claim(OTHER, 2)
    opened = await place.begin(job)
    await opened.finish(done(job), 0)
    both = [done(job), done(other, 6)]
    assert [each.id for each in place.store.transactions.unwritten(both)] == [OTHER]
    report = await place.store.finish(place.node, both, 0)
    assert report.fenced == frozenset(), "and later it is known by its token"


async def test_nothing_is_left_to_write_where_the_transaction_has_written_all(place: Place) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job)
    await opened.finish(done(job), 0)
    assert (await place.store.finish(place.node, [done(job)], 0)).fenced == frozenset()


@both_faces
async def test_a_claim_that_is_lost_meanwhile_rolls_back(place: Place, blocking: bool) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job, blocking=blocking)
    await place.move(opened)
    assert await place.store.release(place.node, job.batch, 0) == 1
    assert not await opened.finish(done(job), 0)
    assert place.money() == UNTOUCHED


async def test_it_is_fenced_by_what_its_snapshot_does_not_show(place: Place) -> None:
    job, other = await place.claim(JOB), await place.claim(OTHER, 2)
    both = msgspec.structs.replace(other, batch=job.batch)  # so that the claim row is not touched by the end of one
    with psycopg.connect(place.url) as connection:
        connection.execute("DELETE FROM ferryman.claim WHERE batch = 2")
        connection.execute(
            "UPDATE ferryman.claim SET ids = ids || %s::uuid, numbers = numbers || 1, attempts = attempts || 1,"
            " lanes = lanes || lanes[1], crashes = crashes || 0, interruptions = interruptions || 0",
            (OTHER,),
        )
    connection = await place.connect()
    await connection.execute("SET default_transaction_isolation = 'repeatable read'")
    opened = await place.begin(job, connection)
    await place.store.finish(place.node, [done(job, 9)], 0)
    assert not await opened.finish(done(job), 0)
    assert (await place.store.finish(place.node, [done(both)], 0)).fenced == frozenset()
    await connection.close()


async def test_an_end_that_the_table_of_states_does_not_have_rolls_back(place: Place) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job)
    await place.move(opened)
    wrong = msgspec.structs.replace(done(job), status=Status.WAITING)
    with pytest.raises(IllegalTransition):
        await opened.finish(wrong, 0)
    assert place.money() == UNTOUCHED


async def test_a_transaction_that_the_handler_has_ended_is_not_completed(place: Place) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job)
    await opened.connection.execute("COMMIT")
    with pytest.raises(TransactionImpossible, match="by itself"):
        await opened.finish(done(job), 0)
    read = await place.job(JOB)
    assert read is not None
    assert read.status is Status.PROCESSING


@pytest.mark.parametrize("own", [True, False])
async def test_it_commits_durably(place: Place, own: bool) -> None:
    job = await place.claim(JOB)
    with psycopg.connect(place.url) as owner:
        name = sql.Identifier(owner.info.dbname)
        owner.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    connection = None if own else await place.connect()
    opened = await place.begin(job, connection)
    seen: list[str] = []
    commit = opened._hold.commit

    async def looked() -> None:
        seen.append(await opened.connection.fetchval("SHOW synchronous_commit"))
        await commit()

    opened._hold = opened._hold._replace(commit=looked)
    assert await opened.finish(done(job), 0)
    assert seen == ["on"]
    if connection is not None:
        assert await connection.fetchval("SHOW synchronous_commit") == "off"
        await connection.close()


@pytest.mark.parametrize(("lease", "silence"), [(10.0, "8s"), (3600.0, "8s"), (5.0, "4s"), (0.3, "240ms")])
async def test_a_silent_one_ends_before_the_lease_does(
    database: str, tmp_path: Path, lease: float, silence: str
) -> None:
    place = Place(database, tmp_path, lease=lease)
    await place.open()
    opened = await place.begin(await place.claim(JOB))
    assert await opened.connection.fetchval("SHOW idle_in_transaction_session_timeout") == silence
    await opened.rollback()
    await place.store.close()


async def test_a_key_that_somebody_holds_for_long_makes_the_follow_up_busy(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    job: ClaimedJob = await place.claim(JOB)
    connection = await place.connect()
    last = place.store._statements._texts["last"]
    monkeypatch.setitem(place.store._statements._texts, "last", last.replace("'5s'", "'10ms'"))
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('unique:t:k', 0))")
        opened = await place.begin(job)
        with pytest.raises(StoreBusy):
            await opened.finish(done(job, follow_ups=(new_job(NEXT, unique_key="k"),)), 0)
    await connection.close()


async def test_a_session_of_sqlalchemy_commits_with_the_completion(place: Place) -> None:
    engine = sqlalchemy.create_engine(place.url.replace("postgresql:", "postgresql+psycopg:"))
    job = await place.claim(JOB)
    with orm.Session(engine) as session:
        opened = await place.begin(job, session, blocking=True)
        session.execute(sqlalchemy.text("UPDATE account SET money = 5"))
        assert await opened.finish(done(job), 0)
    engine.dispose()
    assert place.money() == {"a": 5, "b": 5}


@both_faces
async def test_another_database_is_refused_and_given_back(place: Place, postgres: Databases, blocking: bool) -> None:
    job, url = await place.claim(JOB), postgres.fresh()
    theirs: Any = psycopg.connect(url) if blocking else await asyncpg.connect(url)
    with pytest.raises(TransactionImpossible, match="another database"):
        await place.begin(job, theirs, blocking=blocking)
    if blocking:
        assert theirs.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        theirs.close()
    else:
        assert not theirs.is_in_transaction()
        await theirs.close()
    postgres.drop(url)


# -- what is broken off ----------------------------------------------------------------------------


@both_faces
async def test_a_connection_that_is_cut_rolls_back(place: Place, blocking: bool) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job, blocking=blocking)
    await place.move(opened)
    opened.break_off()
    with pytest.raises((psycopg.Error, asyncpg.InterfaceError, StoreUnreachable)):
        await place.move(opened)
    with pytest.raises(StoreUnreachable):
        await opened.finish(done(job), 0)
    await (await place.begin(job, blocking=blocking)).rollback()
    assert place.money() == UNTOUCHED


# -- where there is none ---------------------------------------------------------------------------


async def test_a_server_that_is_gone_is_told_of(place: Place) -> None:
    job = await place.claim(JOB)
    nowhere = Place("postgresql://ferryman@127.0.0.1:1/none", Path("unused"))
    for blocking in (False, True):
        with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1"):
            await nowhere.store.transactions.begin(1, job, None, blocking=blocking)
    await nowhere.store.transactions.close()


async def test_without_psycopg_functions_are_told_what_to_install(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await place.claim(JOB)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DriverMissing, match=r"psycopg\[binary\]"):
        await place.begin(job, blocking=True)


async def test_each_store_has_its_own_kind(place: Place, tmp_path: Path) -> None:
    file, memory = sqlite_store(tmp_path / "jobs.db"), MemoryStore(ManualClock(), None, None)  # type: ignore[arg-type]  # never used
    assert many_transactions_of(place.store) is place.store.transactions
    assert transactions_of(place.store) is None
    assert many_transactions_of(file) is None
    assert many_transactions_of(memory) is None
    assert joins_of(place.store) is place.store.joins
    assert joins_of(memory) is None
