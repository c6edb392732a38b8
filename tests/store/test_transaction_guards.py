"""What a handler may and may not do with the connection of its transaction on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.domain.errors import (
    TransactionImpossible,
)
from ferryman.domain.state import Status
from tests.store.files import new_job
from tests.store.sqlite_place import MOVED, UNTOUCHED, Place, done, move

pytestmark = pytest.mark.anyio

FORBIDDEN: list[Callable[[sqlite3.Connection], object]] = [
    lambda c: c.execute("COMMIT"),
    lambda c: c.execute("end transaction"),
    lambda c: c.execute("/* x */ ROLLBACK"),
    lambda c: c.execute("BEGIN"),
    lambda c: c.execute("ATTACH ':memory:' AS other"),
    lambda c: c.cursor().execute("COMMIT"),
    lambda c: c.cursor().executescript("COMMIT"),
    lambda c: c.cursor(sqlite3.Cursor),
    lambda c: c.executescript("SELECT 1"),
    lambda c: c.commit(),
    lambda c: c.rollback(),
    lambda c: c.close(),
    lambda c: c.__enter__(),
    lambda c: c.blobopen("account", "money", 1),
    lambda c: c.set_authorizer(None),
    lambda c: c.set_progress_handler(None, 1),
    lambda c: c.set_trace_callback(None),
]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path / "jobs.db")
    yield place
    await place.store.close()


@pytest.mark.parametrize("number", range(len(FORBIDDEN)))
async def test_a_handler_cannot_end_it_by_itself(place: Place, number: int) -> None:
    job = await place.open()
    transaction = place.begin(job)
    move(transaction.connection)
    with pytest.raises(TransactionImpossible, match="cannot be used inside"):
        FORBIDDEN[number](transaction.connection)
    assert place.money() == UNTOUCHED
    assert transaction.finish(done(job), 0), "and it goes on"
    assert place.money() == MOVED


async def test_savepoints_work(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    connection = transaction.connection
    move(connection)
    connection.execute("SAVEPOINT s")
    move(connection)
    connection.execute("ROLLBACK TO s")
    connection.execute("SAVEPOINT left_open")
    transaction.finish(done(job), 0)
    assert place.money() == MOVED


async def test_the_users_factories_do_not_disturb_ours(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    connection = transaction.connection
    connection.row_factory = sqlite3.Row
    connection.text_factory = bytes
    row = connection.execute("SELECT name FROM account ORDER BY name").fetchone()
    assert row["name"] == b"a"
    assert transaction.finish(done(job, follow_ups=(new_job("next", unique_key="k"),)), 0)
    assert await place.status() is Status.COMPLETED


async def test_every_way_of_reading_works(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    connection = transaction.connection
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO account VALUES (?, ?)", [("c", 1), ("d", 2)])
    assert connection.executemany("INSERT INTO account VALUES (?, ?)", [("e", 3)]).rowcount == 1
    cursor.execute("SELECT name FROM account ORDER BY name")
    assert cursor.fetchone() == ("a",)
    assert cursor.fetchmany(2) == [("b",), ("c",)]
    assert next(cursor) == ("d",)
    assert cursor.fetchall() == [("e",)]
    assert [name for (name,) in connection.execute("SELECT name FROM account ORDER BY name")] == list("abcde")
    transaction.rollback()


async def test_the_users_errors_are_sqlites_own(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    with pytest.raises(sqlite3.IntegrityError):
        transaction.connection.execute("INSERT INTO account VALUES ('a', 1)")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        transaction.connection.execute("SELECT * FROM nobody")
    assert transaction.finish(done(job), 0)


async def test_a_transaction_that_sqlite_has_rolled_back_takes_no_more(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    move(transaction.connection)
    with pytest.raises(sqlite3.IntegrityError):
        transaction.connection.execute("INSERT OR ROLLBACK INTO account VALUES ('a', 1)")
    with pytest.raises(TransactionImpossible, match="SQLite has rolled"):
        move(transaction.connection)
    with pytest.raises(TransactionImpossible, match="SQLite has rolled"):
        transaction.finish(done(job), 0)
    assert place.money() == UNTOUCHED
    assert await place.status() is Status.PROCESSING


async def test_after_its_end_nothing_of_it_can_be_used(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    cursor = transaction.connection.execute("SELECT name FROM account")
    transaction.finish(done(job), 0)
    for use in (cursor.fetchone, cursor.fetchall, lambda: transaction.connection.execute("SELECT 1")):
        with pytest.raises(TransactionImpossible, match="has ended"):
            use()
    with pytest.raises(TransactionImpossible, match="has ended"):
        transaction.finish(done(job), 0)


async def test_a_cursor_that_is_kept_keeps_no_snapshot(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    kept = transaction.connection.execute("SELECT name FROM account")
    transaction.finish(done(job), 0)
    with closing(sqlite3.connect(place.path)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    del kept
