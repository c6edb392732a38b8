"""No connection is open while a process forks; steps wait for that, and connect again."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ferryman.domain.errors import DatabaseFolderMissing, NotADatabase, StoreError
from ferryman.engine.runner import ThreadRunner
from ferryman.store import forks
from ferryman.store.sqlite import connected
from ferryman.store.sqlite.connected import Connected
from ferryman.store.sqlite.database import CHECKPOINT_PAGES
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.statements import Statements
from ferryman.store.sqlite.store import SqliteStore
from tests.store.files import new_job, sqlite_store

pytestmark = pytest.mark.anyio

Around = list[tuple[Callable[[], None], Callable[[], None]]]


def nobody(_before: Callable[[], None], _after: Callable[[], None]) -> None:
    """No forks here, but those that a test plays."""


async def opened(path: Path, around: Around) -> SqliteStore:
    store = sqlite_store(path, runner=ThreadRunner, around_forks=lambda *both: around.append(both))
    await store.open()
    return store


def pages(store: SqliteStore) -> int:
    assert store._writer is not None
    assert store._writer._session is not None
    found: int = store._writer._session.connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]
    return found


async def test_while_a_process_forks_nothing_of_the_file_is_open_and_then_all_is_as_before(tmp_path: Path) -> None:
    around: Around = []
    path = tmp_path / "jobs.db"
    store = await opened(path, around)
    await store.insert([new_job("one")], 0)
    assert await store.get("one", 0) is not None
    assert pages(store) == CHECKPOINT_PAGES
    for before, _ in reversed(around):
        before()
    assert not path.with_name("jobs.db-wal").exists(), "SQLite saw the last connection close"
    waiting = asyncio.ensure_future(store.insert([new_job("two")], 0))
    done, _ = await asyncio.wait((waiting,), timeout=0.05)
    assert not done, "steps wait for the fork"
    for _, after in around:
        after()
    await waiting
    assert await store.get("two", 0) is not None
    assert pages(store) == CHECKPOINT_PAGES, "it still does the checkpoints"
    await store.close()


async def test_a_fork_waits_for_the_step_under_way(tmp_path: Path) -> None:
    around: Around = []
    store = await opened(tmp_path / "jobs.db", around)
    writer = store._writer
    assert writer is not None
    within, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def step(session: Session) -> int:
        within.set()
        go_on.wait(60)
        assert not closed.is_set()
        count: int = session.connection.execute("SELECT count(*) FROM job").fetchone()[0]
        return count

    def fork() -> None:
        writer.before_fork()
        closed.set()
        writer.after_fork()

    writing = asyncio.ensure_future(writer.do(step))
    await asyncio.to_thread(within.wait, 60)
    forking = threading.Thread(target=fork)
    forking.start()
    go_on.set()
    assert await writing == 0
    await asyncio.to_thread(forking.join, 60)
    assert closed.is_set()
    await store.close()


def test_a_fork_does_not_wait_for_ever_and_takes_nothing_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connected, "FORK_PATIENCE", 0.0)
    each = Connected(nobody)
    each.connect(lambda: Session(sqlite3.connect(":memory:"), Statements()))

    def step() -> Session | None:
        each.before_fork()
        each.after_fork()
        assert each._in_use.locked(), "a step that forks keeps its turn"
        return each._session

    assert each.use(step) is not None
    assert not each._in_use.locked()
    each.disconnect()


def test_two_forks_at_once_do_not_take_each_others_turn() -> None:
    each = Connected(nobody)
    each.connect(lambda: Session(sqlite3.connect(":memory:", check_same_thread=False), Statements()))
    each.before_fork()
    other = threading.Thread(target=each.after_fork)
    other.start()
    other.join(60)
    assert each._in_use.locked()
    each.after_fork()
    assert not each._in_use.locked()
    each.disconnect()
    each.before_fork()
    each.after_fork()
    assert each.use(lambda: each._session) is None, "what was closed for good stays closed"


async def test_a_file_that_is_gone_after_a_fork_is_an_error_of_the_next_step_only(tmp_path: Path) -> None:
    around: Around = []
    path = tmp_path / "jobs.db"
    store = await opened(path, around)
    await store.insert([new_job("one")], 0)
    for before, _ in around:
        before()
    kept = path.rename(tmp_path / "kept.db")
    path.write_bytes(b"no database" * 1000)
    for _, after in around:
        after()
    with pytest.raises(NotADatabase):
        await store.insert([new_job("two")], 0)
    kept.replace(path)
    await store.insert([new_job("two")], 0)
    assert [await store.get(id, 0) is not None for id in ("one", "two")] == [True, True]
    await store.close()


async def test_a_store_that_could_not_be_opened_lets_forks_happen(tmp_path: Path) -> None:
    around: Around = []
    store = sqlite_store(tmp_path / "jobs.db", around_forks=lambda before, after: around.append((before, after)))
    (tmp_path / "jobs.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError):
        await store.open()
    for before, after in around:
        before()
        after()
    with pytest.raises(DatabaseFolderMissing):
        await sqlite_store(tmp_path / "none" / "jobs.db").open()


def test_what_is_called_around_forks_is_not_kept_alive_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: dict[str, Callable[[], None]] = {}
    monkeypatch.setattr(os, "register_at_fork", lambda **given: hooks.update(given))
    each = Connected(forks.around_forks)
    hooks["before"]()
    assert each._in_use.locked()
    hooks["after_in_child"]()
    assert not each._in_use.locked()
    del each
    for hook in hooks.values():
        hook()
