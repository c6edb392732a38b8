"""A handler's transaction on SQLite: what it wrote and its completion commit together, or neither does."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman.domain.errors import (
    ClaimLost,
    NotADatabase,
    StoreBusy,
    StoreFailed,
    TransactionImpossible,
    TransactionTimedOut,
)
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.store.factory import transactions_of
from ferryman.store.memory import MemoryStore
from ferryman.store.sqlite import connected
from ferryman.store.sqlite import transaction as transaction_module
from ferryman.store.sqlite.database import connect_as
from ferryman.store.sqlite.guarded import GuardedConnection
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.transaction import SqliteTransaction
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from tests.store.files import claim_of, new_job, node_info, sqlite_store

pytestmark = pytest.mark.anyio


class Place:
    """A store with one node and one claimed job, and a table of the user's own in its file."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.store = sqlite_store(path, **options)
        self.node = 0

    async def open(self) -> ClaimedJob:
        await self.store.open()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE account (name TEXT PRIMARY KEY, money INTEGER) STRICT")
            connection.execute("INSERT INTO account VALUES ('a', 100), ('b', 0)")
            connection.commit()
        self.node = await self.store.register(node_info("n"), 0)
        return await self.claim("job", 1)

    async def claim(self, id: str, batch: int) -> ClaimedJob:
        await self.store.insert([new_job(id)], 0)
        (job,) = (await self.store.claim(claim_of(self.node, batch), 0)).jobs
        return job

    def begin(self, job: ClaimedJob) -> SqliteTransaction:
        return self.store.transactions.begin(self.node, job)

    def money(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute("SELECT name, money FROM account"))

    async def status(self, id: str = "job") -> Status:
        job = await self.store.get(id, 0)
        assert job is not None
        return job.status


def done(job: ClaimedJob, token: int = 5, follow_ups: tuple[NewJob, ...] = (), result: str = "1") -> Finish:
    return decide(job, Outcome(What.DONE, result=result, follow_ups=follow_ups), Run(token, 1, 0), 0)


def move(connection: sqlite3.Connection, amount: int = 10) -> None:
    connection.execute("UPDATE account SET money = money - ? WHERE name = 'a'", (amount,))
    connection.execute("UPDATE account SET money = money + :amount WHERE name = 'b'", {"amount": amount})


UNTOUCHED = {"a": 100, "b": 0}
MOVED = {"a": 90, "b": 10}


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


# -- what the handler may not ----------------------------------------------------------------------

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


# -- the limit -------------------------------------------------------------------------------------


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
    store_tallies = Session.store_tallies

    def late(session: Session) -> None:
        transaction.expire()
        store_tallies(session)

    monkeypatch.setattr(Session, "store_tallies", late)
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


# -- the lock --------------------------------------------------------------------------------------


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


# -- what may fail ---------------------------------------------------------------------------------


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

    monkeypatch.setattr(Session, "store_tallies", fail)
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
