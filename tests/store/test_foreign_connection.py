"""Jobs in somebody else's transaction: they exist iff that commits, whatever its connection is like."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman.domain.bounds import Bound
from ferryman.domain.errors import StoreBusy, TransactionImpossible
from ferryman.domain.job import NewJob
from ferryman.domain.state import Status
from ferryman.store.factory import joins_of
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Declaration, Receipt, Verdict
from ferryman.store.sqlite import SqliteStore
from ferryman.store.transactions import Entry
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info, sqlite_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    yield store
    await store.close()


@contextmanager
def connected(store: SqliteStore, **options: Any) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(store.path, **options)
    try:
        yield connection
    finally:
        connection.close()


def join(store: SqliteStore, connection: Any, *jobs: NewJob, max_pending: Bound = 0) -> list[Receipt]:
    joins = joins_of(store)
    assert joins is not None
    return joins.insert(connection, Entry(False, lambda _: jobs, 0, max_pending))


async def ids(store: SqliteStore) -> set[str]:
    found = {id: await store.get(id, 0) for id in ("a", "b", "c", "d")}
    return {id for id, job in found.items() if job is not None}


async def test_the_job_is_there_once_the_transaction_commits(store: SqliteStore) -> None:
    with connected(store) as connection:
        assert join(store, connection, new_job("a")) == [Receipt("a", Verdict.INSERTED)]
        assert connection.in_transaction
        assert await ids(store) == set()
        connection.commit()
    assert await ids(store) == {"a"}
    counts = await store.counts(0)
    assert dict(counts.standing) == {("default", Status.PENDING): 1}
    assert counts.totals["created"] == 1
    node = await store.register(node_info("n"), 0)
    assert [job.id for job in (await store.claim(claim_of(node), 0)).jobs] == ["a"]


async def test_a_rollback_takes_it_back(store: SqliteStore) -> None:
    with connected(store) as connection:
        join(store, connection, new_job("a"))
        join(store, connection, new_job("b"))
        connection.rollback()
        join(store, connection, new_job("c"))
        connection.commit()
    assert await ids(store) == {"c"}
    assert (await store.counts(0)).totals["created"] == 1


async def test_it_joins_what_is_open_already(store: SqliteStore) -> None:
    with connected(store, isolation_level=None) as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE own (x)")
        connection.execute("INSERT INTO own VALUES (1)")
        join(store, connection, new_job("a"), new_job("b", run_at=10**9))
        connection.execute("COMMIT")
        assert connection.execute("SELECT count(*) FROM own").fetchone() == (1,)
    assert await ids(store) == {"a", "b"}


async def test_jobs_are_judged_in_the_transaction(store: SqliteStore) -> None:
    await store.insert([new_job("a", unique_key="k")], 0)
    with connected(store) as connection:
        assert join(store, connection, new_job("b", unique_key="k")) == [Receipt("a", Verdict.KEY_TAKEN)]
        assert join(store, connection, new_job("a")) == [Receipt("a", Verdict.EXISTS)]
        assert join(store, connection, new_job("c"), max_pending=2) == [Receipt("c", Verdict.INSERTED)]
        assert join(store, connection, new_job("d"), max_pending=2) == [Receipt("d", Verdict.FULL)]
        connection.commit()
    assert await ids(store) == {"a", "c"}


async def test_the_types_that_nodes_have_registered_are_known(store: SqliteStore) -> None:
    declared = {"t": Declaration("mail", 3, 1, frozenset({"token"}))}
    await store.register(msgspec.structs.replace(node_info("n"), declared=declared), 0)
    told: list[object] = []

    def admit(types: object) -> list[NewJob]:
        told.append(types)
        return []

    with connected(store) as connection:
        for asks in (True, False):
            await store.joins.ainsert(connection, Entry(asks, admit, 0, 0))
    assert told == [declared, None]


async def test_the_owners_factories_neither_disturb_nor_change(store: SqliteStore) -> None:
    with connected(store) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = bytes
        join(store, connection, new_job("a", unique_key="k"))
        assert join(store, connection, new_job("b", unique_key="k")) == [Receipt("a", Verdict.KEY_TAKEN)]
        assert connection.row_factory is sqlite3.Row
        assert connection.execute("SELECT 'x' AS y").fetchone()["y"] == b"x"
        connection.commit()
    assert await ids(store) == {"a"}


async def test_it_joins_a_handlers_transaction(store: SqliteStore) -> None:
    node = await store.register(node_info("n"), 0)
    await store.insert([new_job("a")], 0)
    (job,) = (await store.claim(claim_of(node), 0)).jobs
    transaction = store.transactions.begin(node, job)
    join(store, transaction.connection, new_job("b"))
    transaction.rollback()
    with pytest.raises(TransactionImpossible, match="has ended"):
        join(store, transaction.connection, new_job("c"))
    assert await ids(store) == {"a"}


# -- what is refused -------------------------------------------------------------------------------


async def test_another_file_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    for path in (":memory:", tmp_path / "other.db"):
        other = sqlite3.connect(path)
        with pytest.raises(TransactionImpossible, match="the store is"):
            join(store, other, new_job("a"))
        assert not other.in_transaction
        other.close()


async def test_the_same_file_by_another_name_is_the_same(store: SqliteStore, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    connection = sqlite3.connect(link / "jobs.db")
    join(store, connection, new_job("a"))
    connection.commit()
    connection.close()
    assert await ids(store) == {"a"}


@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
async def test_a_connection_that_does_not_sync_is_refused(store: SqliteStore, mode: str) -> None:
    with connected(store) as connection:
        connection.execute(f"PRAGMA synchronous = {mode}")
        with pytest.raises(TransactionImpossible, match="synchronous"):
            join(store, connection, new_job("a"))
        assert not connection.in_transaction


async def test_without_a_transaction_it_is_refused(store: SqliteStore) -> None:
    with connected(store, isolation_level=None) as connection:
        assert not connection.in_transaction
        with pytest.raises(TransactionImpossible, match="No transaction is open"):
            join(store, connection, new_job("a"))


async def test_a_file_that_ferryman_has_not_made_is_refused(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "jobs.db")
    with connected(store) as connection:
        with pytest.raises(TransactionImpossible, match="tables of this version"):
            join(store, connection, new_job("a"))
        assert not connection.in_transaction


async def test_what_is_no_connection_is_refused(store: SqliteStore) -> None:
    with pytest.raises(TransactionImpossible, match="cannot be a str"):
        join(store, "jobs.db", new_job("a"))


async def test_a_store_in_memory_takes_no_part(store: SqliteStore) -> None:
    assert joins_of(MemoryStore(ManualClock(), None, None)) is None  # type: ignore[arg-type]  # never used


# -- what fails ------------------------------------------------------------------------------------


def fail(store: SqliteStore, connection: sqlite3.Connection, *statements: str) -> None:
    """Insert a job, then come to grief before all is said."""
    with store.joins.join(connection) as joined:
        joined.insert([new_job("a")], 0, 0)
        for statement in statements:
            connection.execute(statement)
        raise ValueError("after it")


async def test_what_fails_leaves_nothing_of_ours_and_all_of_his(store: SqliteStore) -> None:
    with connected(store) as connection:
        connection.execute("CREATE TABLE own (x)")
        connection.execute("INSERT INTO own VALUES (1)")
        with pytest.raises(ValueError, match="after it"):
            fail(store, connection)
        connection.commit()
        assert connection.execute("SELECT count(*) FROM own").fetchone() == (1,)
    assert await ids(store) == set()


async def test_what_fails_in_a_transaction_that_we_began_ends_it(store: SqliteStore) -> None:
    with connected(store) as connection:
        with pytest.raises(ValueError, match="after it"):
            fail(store, connection)
        assert not connection.in_transaction


async def test_a_transaction_that_sqlite_has_rolled_back_is_left_alone(store: SqliteStore) -> None:
    with connected(store, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(ValueError, match="after it"):
            fail(store, connection, "ROLLBACK")
        assert not connection.in_transaction


async def test_a_held_lock_makes_it_busy(store: SqliteStore) -> None:
    with connected(store) as holder, connected(store, timeout=0) as connection:
        join(store, holder, new_job("a"))
        with pytest.raises(StoreBusy):
            join(store, connection, new_job("b"))


async def test_a_closed_connection_is_the_callers_mistake(store: SqliteStore) -> None:
    connection = sqlite3.connect(store.path)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        join(store, connection, new_job("a"))
