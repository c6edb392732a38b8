"""What is seen of a file from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.domain.errors import StoreFailed
from ferryman.store.lockfiles import is_held
from ferryman.store.sqlite import database
from ferryman.store.sqlite.examining import pending_types, processes_on
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info, sqlite_store

pytestmark = pytest.mark.anyio


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def test_the_schema_of_a_file_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    assert database.inspect(path) == 0
    assert list(tmp_path.iterdir()) == []
    path.touch()
    assert database.inspect(path) == 0
    assert path.stat().st_size == 0
    store = sqlite_store(path)
    await store.open()
    await store.close()
    before = files_of(tmp_path)
    assert database.inspect(path) == database.newest_schema() >= 1
    assert files_of(tmp_path) == before


async def test_the_printed_upgrade_is_what_a_store_would_have_done(tmp_path: Path) -> None:
    by_hand, by_itself = tmp_path / "hand.db", tmp_path / "self.db"
    with closing(sqlite3.connect(by_hand, isolation_level=None)) as connection:
        connection.executescript(database.upgrade_script(0))
    database.open_migrated(by_itself).close()
    assert database.inspect(by_hand) == database.newest_schema()
    assert schema_of(by_hand) == schema_of(by_itself)
    assert database.upgrade_script(database.newest_schema()) == ""


def schema_of(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()
        return [*found, *connection.execute("PRAGMA journal_mode"), *connection.execute("PRAGMA application_id")]


async def test_pending_jobs_are_counted_by_type(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    store = sqlite_store(path, ManualClock())
    await store.open()
    assert pending_types(path) == {}
    node = await store.register(node_info("n"), 0)
    await store.insert([new_job(id, queue=queue) for id, queue in zip("abcd", "qqrr", strict=True)], 0)
    await store.insert([new_job("e", run_at=10**18)], 0)
    assert pending_types(path) == {"t": 4}
    await store.claim(claim_of(node), 0)
    assert pending_types(path) == {}
    await store.close()


async def test_a_file_without_tables_gives_no_types_but_an_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreFailed, match="no such table"):
        pending_types(path)


async def test_who_has_a_file_open_is_seen_by_locks(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    assert processes_on(path) == 0
    store, other = sqlite_store(path), sqlite_store(path)
    await store.open()
    assert processes_on(path) == 1, "it holds the lock of checkpoints"
    await store.register(node_info("a"), 0)
    assert processes_on(path) == 1
    await other.open()
    await other.register(node_info("b"), 0)
    assert processes_on(path) == 2
    await store.close()
    await other.close()
    assert processes_on(path) == 0
    assert is_held(tmp_path / "jobs.db-nodes" / "a.lock") is False, "a dead node's file stays"
    assert is_held(tmp_path / "nothing.lock") is None
