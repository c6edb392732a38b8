"""The limit of a handler's transaction on SQLite, and the file's lock, for which it waits."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.domain.errors import (
    StoreBusy,
    TransactionTimedOut,
)
from ferryman.domain.state import Status
from ferryman.store.sqlite.session import Session
from ferryman.testing.clock import ManualClock
from tests.store.files import new_job
from tests.store.sqlite_place import MOVED, UNTOUCHED, Place, done, move

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path / "jobs.db")
    yield place
    await place.store.close()


async def test_one_that_expires_is_undone_while_the_handler_is_at_it(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    connection = transaction.connection
    move(connection)
    reading = connection.execute("SELECT name FROM account")
    transaction.expire()
    assert place.money() == UNTOUCHED
    for use in (lambda: move(connection), reading.fetchone, lambda: connection.execute("SELECT 1")):
        with pytest.raises(TransactionTimedOut, match="TRANSACTION_TIMEOUT"):
            use()
    with pytest.raises(TransactionTimedOut):
        transaction.finish(done(job), 0)
    transaction.rollback()
    assert (await place.store.insert([new_job("other")], 0)).receipts, "the lock is free"
    assert await place.status() is Status.PROCESSING


async def test_a_statement_that_runs_is_interrupted(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    connection = transaction.connection
    move(connection)
    begun = threading.Event()
    connection.create_function("begun", 0, begun.set)
    errors: list[BaseException] = []

    def work() -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT begun() UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"
        try:
            connection.execute(endless).fetchall()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    transaction.expire()
    thread.join(60)
    assert [type(error) for error in errors] == [TransactionTimedOut]
    assert place.money() == UNTOUCHED


async def test_once_it_commits_it_cannot_expire(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await place.open()
    transaction = place.begin(job)
    move(transaction.connection)
    conclude = Session.conclude

    def late(session: Session) -> None:
        transaction.expire()
        conclude(session)

    monkeypatch.setattr(Session, "conclude", late)
    assert transaction.finish(done(job), 0)
    assert place.money() == MOVED


def _unused() -> TransactionTimedOut:
    return TransactionTimedOut("expired")


async def test_one_that_expires_as_it_would_commit_does_not_commit(place: Place) -> None:
    """Who ends it is decided before anybody has the turn."""
    job = await place.open()
    transaction = place.begin(job)
    assert transaction._decide()
    with pytest.raises(TransactionTimedOut):
        transaction.finish(done(job), 0)
    transaction._guarded.end("ROLLBACK", _unused)
    assert await place.status() is Status.PROCESSING


class Ticking(ManualClock):
    """A clock that goes on by itself: each look takes a while."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step = step
        self.on_look: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        self.advance(self.step)
        self.on_look()
        return super().monotonic()


async def test_it_waits_for_the_lock(tmp_path: Path) -> None:
    clock = Ticking(0.001)
    place = Place(tmp_path / "jobs.db", clock=clock)
    job = await place.open()
    other = sqlite3.connect(place.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    looks = iter(range(10))

    def look() -> None:
        if next(looks, None) == 5:
            other.execute("COMMIT")

    clock.on_look = look
    transaction = place.begin(job)
    assert next(looks) > 5
    transaction.rollback()
    other.close()
    await place.store.close()


async def test_whoever_keeps_on_writing_makes_it_busy(tmp_path: Path) -> None:
    clock = Ticking(0.5)
    place = Place(tmp_path / "jobs.db", clock=clock)
    job = await place.open()
    with closing(sqlite3.connect(place.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            place.begin(job)
    await place.store.close()


async def test_the_stores_own_writer_goes_first(tmp_path: Path) -> None:
    clock = Ticking(0.01)
    place = Place(tmp_path / "jobs.db", clock=clock)
    job = await place.open()
    assert place.store._writer is not None
    place.store._writer.waits = True
    looks: list[float] = []
    clock.on_look = lambda: looks.append(0.0)
    place.begin(job).rollback()
    assert len(looks) >= 10, "for a tenth of a second"
    await place.store.close()


async def test_the_writer_says_that_it_waits(tmp_path: Path) -> None:
    clock = Ticking(0.001)
    place = Place(tmp_path / "jobs.db", clock=clock)
    await place.open()
    writer = place.store._writer
    assert writer is not None
    other = sqlite3.connect(place.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    seen: list[bool] = []

    def look() -> None:
        seen.append(writer.waits)
        if len(seen) == 5:
            other.execute("COMMIT")

    clock.on_look = look
    await place.store.insert([new_job("other")], 0)
    assert seen[:5] == [False, False, True, True, True]
    assert not writer.waits
    other.close()
    await place.store.close()
