"""The writer: one commit for a group, a bad request fails alone, errors are coded, nothing half-done stays."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from ferryman.domain.errors import NodeNotLive, StoreBusy, StoreClosed, StoreFailed, StoreFull
from ferryman.domain.state import Status
from ferryman.store.protocol import Verdict
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.store import SqliteStore, end_process
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
    assert isinstance(session.connection, sqlite3.Connection)
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


async def test_a_broken_constraint_in_a_group_has_a_code_like_one_alone(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")

    def broken(session: Session) -> None:
        session.connection.execute("INSERT INTO tally (lane, what, n) VALUES (NULL, NULL, NULL)")

    assert store._writer is not None
    with pytest.raises(StoreFailed, match="FM209"):
        await store._writer.do(broken)
    answers = await asyncio.gather(store._writer.do(broken), store._writer.do(broken), return_exceptions=True)
    assert [type(each) for each in answers] == [StoreFailed, StoreFailed]
    await store.close()


async def test_a_lock_held_for_too_long_is_store_busy(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db", clock=ImpatientClock())
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="FM207"):
        await store.insert([new_job("a")], 0)
    other.close()
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

    monkeypatch.setattr(Session, "conclude", broken)
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
    for _ in range(2):
        await two.rescue(0, 10)
        assert autocheckpoint(two) > 0
    await two.close()


async def test_a_claim_that_would_not_remove_its_rows_is_undone(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")
    node = await store.register(node_info("n1"), 0)
    await store.insert([new_job("a")], 0)
    other = sqlite3.connect(tmp_path / "jobs.db")
    other.execute("CREATE TRIGGER sticky BEFORE DELETE ON ready BEGIN SELECT RAISE(IGNORE); END")
    with pytest.raises(StoreFailed, match="not sound"):
        await store.claim(claim_of(node), 0)
    other.execute("DROP TRIGGER sticky")
    other.close()
    assert await store.open_batches(node) == []
    assert [job.id for job in (await store.claim(claim_of(node, batch=2), 0)).jobs] == ["a"]
    await store.close()


async def test_a_read_of_a_broken_table_is_store_failed(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")
    other = sqlite3.connect(tmp_path / "jobs.db")
    other.execute("DROP TABLE type")
    other.close()
    with pytest.raises(StoreFailed, match="no such table"):
        await store.known_types()
    await store.close()


async def test_what_comes_while_the_store_closes_is_refused(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")
    writer, reader = store._writer, store._reader
    assert writer is not None
    assert reader is not None
    await store.close()
    with pytest.raises(StoreClosed):
        await writer.do(lambda _: None)
    with pytest.raises(StoreClosed):
        await reader.do(lambda _: None)


async def test_a_running_job_whose_claim_row_is_gone_is_still_shown(tmp_path: Path) -> None:
    store = await opened(tmp_path / "jobs.db")
    node = await store.register(node_info("n1"), 0)
    await store.insert([new_job("a")], 0)
    await store.claim(claim_of(node), 0)
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("DELETE FROM claim")
    other.close()
    job = await store.get("a", 0)
    assert job is not None
    assert (job.status, job.node) == (Status.PROCESSING, None)
    await store.close()


def test_the_death_of_a_failed_sync_says_why(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    end_process(OSError("EIO"))
    assert codes == [3]
    assert "failed to sync (EIO)" in capfd.readouterr().err
