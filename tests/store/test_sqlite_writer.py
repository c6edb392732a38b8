"""The writer: one commit for a group, a bad request fails alone, errors are coded, nothing half-done stays."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ferryman.domain.errors import NodeNotLive, StoreBusy, StoreFailed, StoreFull
from ferryman.domain.state import Status
from ferryman.store.protocol import Verdict
from ferryman.store.sqlite import writer
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.store import SqliteStore
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info, sqlite_store

pytestmark = pytest.mark.anyio


class ImpatientClock(ManualClock):
    """Every look at the monotonic clock takes a second."""

    def monotonic(self) -> float:
        self.advance(1)
        return super().monotonic()


async def opened(path: Path, **options: object) -> SqliteStore:
    store = sqlite_store(path, **options)  # type: ignore[arg-type]
    await store.open()
    return store


async def test_concurrent_requests_share_a_commit(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")
    commits: list[str] = []
    session = store._writer._session  # type: ignore[union-attr]
    assert session is not None
    session.connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    await asyncio.gather(*(store.insert([new_job(f"job-{n}")], 0) for n in range(10)))
    assert len(commits) == 1
    await store.close()


async def test_a_bad_request_of_a_group_fails_alone(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")
    good, bad, after = await asyncio.gather(
        store.insert([new_job("good")], 0),
        store.insert([new_job("bad", queue="new-lane")], 0, claim=claim_of(node=99)),
        store.insert([new_job("after", queue="new-lane")], 0),
        return_exceptions=True,
    )
    assert isinstance(bad, NodeNotLive)
    assert not isinstance(good, BaseException) and not isinstance(after, BaseException)
    assert [await store.get(id, 0) is not None for id in ("good", "bad", "after")] == [True, False, True]
    counts = await store.counts(0)
    assert counts.totals["created"] == 2
    assert counts.standing == {("default", Status.PENDING): 1, ("new-lane", Status.PENDING): 1}
    await store.close()


async def test_a_lock_held_for_too_long_is_store_busy(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db", clock=ImpatientClock())
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="FM207"):
        await store.insert([new_job("a")], 0)
    other.execute("ROLLBACK")
    assert (await store.insert([new_job("a")], 0)).receipts[0].verdict is Verdict.INSERTED
    await store.close()


async def test_a_full_disk_is_store_full_and_heals(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")
    session = store._writer._session  # type: ignore[union-attr]
    assert session is not None
    pages = session.connection.execute("PRAGMA page_count").fetchone()[0]
    session.connection.execute(f"PRAGMA max_page_count = {pages}")
    jobs = [new_job(f"job-{n}", tags=("x" * 60,) * 20) for n in range(200)]
    with pytest.raises(StoreFull, match="FM208"):
        await store.insert(jobs, 0)
    assert await store.get("job-0", 0) is None
    assert (await store.counts(0)).standing == {}
    session.connection.execute("PRAGMA max_page_count = 100000")
    assert (await store.insert(jobs, 0)).receipts[0].verdict is Verdict.INSERTED
    await store.close()


async def test_a_failed_sync_is_fatal(tmp_path: Path) -> None:
    deaths: list[BaseException] = []
    store = await opened(tmp_path / "jobs.db", on_fatal=deaths.append)

    def failing(_: Session) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    assert store._writer is not None
    with pytest.raises(StoreFailed):
        await store._writer.do(failing)
    assert len(deaths) == 1
    await store.close()


async def test_a_group_that_cannot_commit_answers_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await opened(tmp_path / "jobs.db")

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("no such thing")

    monkeypatch.setattr(writer.Writer, "_store_tallies", broken)
    answers = await asyncio.gather(*(store.insert([new_job(f"job-{n}")], 0) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreFailed] * 3
    monkeypatch.undo()
    assert (await store.insert([new_job("job-0")], 0)).receipts[0].verdict is Verdict.INSERTED
    await store.close()


async def test_another_process_made_a_lane(tmp_path: Path) -> None:
    one, two = await opened(tmp_path / "jobs.db"), await opened(tmp_path / "jobs.db")
    node = await one.register(node_info("n1"), 0)
    await one.insert([new_job("a")], 0)
    await two.insert([new_job("b", queue="late")], 0)
    batch = await one.claim(claim_of(node), 0)
    assert [(job.id, job.queue) for job in batch.jobs] == [("a", "default"), ("b", "late")]
    await one.close()
    await two.close()


async def test_only_one_connection_checkpoints(tmp_path: Path) -> None:
    one, two = await opened(tmp_path / "jobs.db"), await opened(tmp_path / "jobs.db")

    def autocheckpoint(store: SqliteStore) -> int:
        session = store._writer._session  # type: ignore[union-attr]
        assert session is not None
        pages: int = session.connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]
        return pages

    assert autocheckpoint(one) > 0
    assert autocheckpoint(two) == 0
    await one.close()
    await two.rescue(0, 10)
    assert autocheckpoint(two) > 0
    await two.close()
