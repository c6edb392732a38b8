"""A handler's transaction on SQLite: what it wrote and its completion commit together, or neither does."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from ferryman.domain.errors import (
    ClaimLost,
    NotADatabase,
    StoreFailed,
)
from ferryman.domain.ids import IdMinter
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.store.factory import transactions_of
from ferryman.store.memory import MemoryStore
from ferryman.store.sqlite import connected
from ferryman.store.sqlite import transaction as transaction_module
from ferryman.store.sqlite.database import connect_as
from ferryman.store.sqlite.guarded import GuardedConnection
from ferryman.store.sqlite.session import Session
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from tests.store.files import claim_of, new_job, sqlite_store
from tests.store.sqlite_place import MOVED, UNTOUCHED, Place, done, move

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path / "jobs.db")
    yield place
    await place.store.close()


async def test_writes_follow_ups_and_completion_commit_together(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    move(transaction.connection)
    assert place.money() == UNTOUCHED
    assert transaction.finish(done(job, follow_ups=(new_job("next"),)), 0)
    assert place.money() == MOVED
    read = await place.store.get("job", 0)
    assert read is not None
    assert (read.status, read.result) == (Status.COMPLETED, "1")
    assert await place.status("next") is Status.PENDING
    counts = await place.store.counts(0)
    assert dict(counts.standing) == {("default", Status.PENDING): 1}
    assert (counts.totals["created"], counts.totals["completed"]) == (2, 1)
    assert await place.store.open_batches(place.node) == []


async def test_the_same_finish_said_by_the_completer_is_known_as_its_own(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    transaction.finish(done(job, follow_ups=(new_job("next"),)), 0)
    report = await place.store.finish(place.node, [done(job, follow_ups=(new_job("next"),))], 0)
    assert report.fenced == frozenset()
    assert (await place.store.counts(0)).totals["created"] == 2
    other = await place.store.finish(place.node, [done(job, token=6)], 0)
    assert other.fenced == frozenset({("job", 1)})


async def test_a_rollback_undoes_all_and_leaves_the_run_open(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    move(transaction.connection)
    transaction.rollback()
    transaction.rollback()
    transaction.expire()
    assert place.money() == UNTOUCHED
    assert await place.status() is Status.PROCESSING
    again = place.begin(job)
    move(again.connection)
    assert again.finish(done(job), 0)
    again.rollback()
    again.expire()
    assert place.money() == MOVED


async def test_a_claim_that_is_lost_begins_nothing(place: Place) -> None:
    job = await place.open()
    await place.store.release(place.node, job.batch, 0)
    with pytest.raises(ClaimLost, match="job under claim 1"):
        place.begin(job)
    (again,) = (await place.store.claim(claim_of(place.node, 2), 0)).jobs
    with pytest.raises(ClaimLost):
        place.begin(job)
    with pytest.raises(ClaimLost):
        place.store.transactions.begin(place.node + 1, again)
    await place.store.finish(place.node, [done(again)], 0)
    with pytest.raises(ClaimLost):
        place.begin(again)


async def test_a_fenced_finish_undoes_the_writes(place: Place) -> None:
    """While the lock is held nobody can take the claim away; a finish under another number shows the fence."""
    job = await place.open()
    transaction = place.begin(job)
    move(transaction.connection)
    other = decide(job, Outcome(What.DONE, follow_ups=(new_job("next"),)), Run(5), 0)
    assert not transaction.finish(msgspec.structs.replace(other, batch=99), 0)
    assert place.money() == UNTOUCHED
    assert await place.store.get("next", 0) is None
    assert await place.status() is Status.PROCESSING
    assert (await place.store.finish(place.node, [done(job)], 0)).fenced == frozenset()


async def test_the_connection_writes_as_safely_as_the_store(place: Place) -> None:
    job = await place.open()
    transaction = place.begin(job)
    connection = transaction.connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    assert connection.in_transaction
    transaction.rollback()


@pytest.mark.parametrize(
    ("broken", "expected", "fatal"),
    [
        (sqlite3.IntegrityError("FOREIGN KEY constraint failed"), sqlite3.IntegrityError, 0),
        (sqlite3.OperationalError("disk I/O error"), StoreFailed, 1),
        (ValueError("not SQLite's"), ValueError, 0),
    ],
    ids=["constraint", "sync", "other"],
)
async def test_a_commit_that_fails_undoes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Exception, expected: type[Exception], fatal: int
) -> None:
    deaths: list[BaseException] = []
    place = Place(tmp_path / "jobs.db", on_fatal=deaths.append)
    job = await place.open()
    transaction = place.begin(job)
    move(transaction.connection)
    if isinstance(broken, sqlite3.OperationalError):
        broken.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC

    def fail(_: Session) -> None:
        raise broken

    monkeypatch.setattr(Session, "conclude", fail)
    with pytest.raises(expected):
        transaction.finish(done(job), 0)
    monkeypatch.undo()
    assert len(deaths) == fatal
    assert place.money() == UNTOUCHED
    assert await place.status() is Status.PROCESSING
    assert (await place.store.finish(place.node, [done(job)], 0)).fenced == frozenset()
    await place.store.close()


async def test_a_file_that_is_no_database_is_let_go_again(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_text("no database at all, but long enough to be looked at" * 10)
    with pytest.raises(NotADatabase):
        connect_as(GuardedConnection, tmp_path / "jobs.db")


async def test_a_store_in_memory_has_none(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "jobs.db")
    assert transactions_of(store) is store.transactions
    assert transactions_of(MemoryStore(ManualClock(), IdMinter(random.Random(1)), RETENTION)) is None


async def test_a_fork_waits_for_the_end_of_a_transaction(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connected, "FORK_PATIENCE", 0.0)
    transaction = place.begin(await place.open())
    turn = place.store.transactions
    turn.before_fork()
    assert turn._in_use.locked(), "its turn is still the transaction's: this fork waited, and gave up"
    turn.after_fork()
    assert turn._in_use.locked()
    transaction.rollback()
    assert not turn._in_use.locked()


async def test_a_connection_that_cannot_be_had_holds_no_turn(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await place.open()

    def fail(*_: object) -> None:
        raise StoreFailed("no more files")

    with monkeypatch.context() as patch:
        patch.setattr(transaction_module, "connect_as", fail)
        with pytest.raises(StoreFailed):
            place.begin(job)
    place.begin(job).rollback()
