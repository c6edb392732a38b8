"""The journal of a file: what is told has committed, whoever wrote it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ferryman.domain.outcome import What
from ferryman.store.journaling import KEPT, Position
from ferryman.store.sqlite import SqliteStore, claiming, finishing, inserting, journaling
from ferryman.store.sqlite.session import CHANGES, Session
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info, sqlite_store

pytestmark = pytest.mark.anyio
NOW = ManualClock().now()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = sqlite_store(tmp_path / "jobs.db")
    await opened.open()
    yield opened
    await opened.close()


async def begin(store: SqliteStore) -> Position:
    return (await store.journal(None, NOW)).next


async def heard(store: SqliteStore, after: Position) -> list[tuple[str, str]]:
    return [(each.id, each.what) for each in (await store.journal(after, NOW)).changes]


async def test_a_request_that_fails_in_a_group_is_not_told(store: SqliteStore) -> None:
    def failing(session: Session) -> None:
        inserting.insert(session, [new_job("lost")], NOW, None, 0)
        raise ValueError

    start = await begin(store)
    assert store._writer is not None
    wrote = [store._writer.do(failing), *(store.insert([new_job(id)], NOW) for id in ("a", "b"))]
    answers = await asyncio.gather(wrote[1], wrote[0], wrote[2], return_exceptions=True)
    assert [isinstance(each, ValueError) for each in answers] == [False, True, False]
    assert await heard(store, start) == [("a", "created"), ("b", "created")]


async def test_a_group_that_fails_as_a_whole_is_not_told(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("no such thing")

    start = await begin(store)
    monkeypatch.setattr(Session, "conclude", broken)
    await asyncio.gather(store.insert([new_job("lost")], NOW), return_exceptions=True)
    monkeypatch.undo()
    await store.insert([new_job("a")], NOW)
    assert await heard(store, start) == [("a", "created")]


async def test_what_a_transaction_does_is_told_though_its_counts_add_up_to_nothing(store: SqliteStore) -> None:
    node = await store.register(node_info("n"), NOW)
    await store.insert([new_job("a")], NOW)
    start = await begin(store)

    def claim_and_release(session: Session) -> None:
        claiming.claim(session, claim_of(node), NOW)
        finishing.end_open_runs(session, What.RELEASED, NOW, batch=1, node=node)
        assert not any(session.tallies.values())

    assert store._writer is not None
    await store._writer.do(claim_and_release)
    assert await heard(store, start) == [("a", "released")]


@pytest.mark.parametrize("commits", [True, False])
async def test_what_comes_by_a_connection_of_somebody_else_is_told_once_it_commits(
    store: SqliteStore, commits: bool
) -> None:
    start = await begin(store)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        with store.joins.join(connection) as joined:
            joined.insert([new_job("a")], NOW, 0)
        assert await heard(store, start) == []
        connection.execute("COMMIT" if commits else "ROLLBACK")
    assert await heard(store, start) == [("a", "created")] * commits


async def test_who_says_at_the_same_time_that_somebody_listens_changes_nothing(store: SqliteStore) -> None:
    start = await begin(store)
    assert store._writer is not None
    await store._writer.do(lambda session: journaling.attend(session, NOW + 1))
    assert await begin(store) == start


async def test_a_row_of_the_journal_is_bounded(store: SqliteStore) -> None:
    start = await begin(store)
    await store.insert([new_job(f"{n:04}") for n in range(2 * CHANGES + 1)], NOW)
    page = await store.journal(start, NOW, 2 * CHANGES + 1)
    assert [each.position.place for each in page.changes[::CHANGES]] == [1, 2, 3]


async def test_no_number_is_given_twice(store: SqliteStore) -> None:
    start = await begin(store)
    for id in ("a", "b", "c"):
        await store.insert([new_job(id)], NOW)
    await store.prune(NOW + KEPT, 100)
    await store.journal(start, NOW + KEPT // 2)
    await store.insert([new_job("d")], NOW + KEPT)
    (told,) = (await store.journal(Position(start.since, 0, 4, 0), NOW + KEPT // 2)).changes
    assert (told.id, told.position.place) == ("d", 4)
    assert rows(store) == [(3,), (4,)]


def rows(store: SqliteStore) -> list[Any]:
    with closing(sqlite3.connect(store.path)) as connection:
        return connection.execute("SELECT number FROM journal").fetchall()
