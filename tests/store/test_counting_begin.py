"""A store that is older than the count of what has gone: it begins with the jobs that are there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from ferryman.domain.state import Status
from ferryman.store.postgres import schema
from ferryman.store.postgres import statements as of_postgres
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from ferryman.store.protocol import Store
from ferryman.store.sqlite import database
from ferryman.store.sqlite import statements as of_sqlite
from tests.postgres.databases import Databases
from tests.servers import said
from tests.store.files import sqlite_store
from tests.store.servers import minter, opened

pytestmark = pytest.mark.anyio
DONE, FAILED, SENT_BACK = (minter(seed).mint(0) for seed in (1, 2, 3))
LANES: Final = "INSERT INTO {0}lane (queue, type, priority) VALUES ('q', 't', 5), ('q', 'u', 5)"
JOBS: Final = "INSERT INTO {0}job (id, lane, payload, max_attempts, created_at) VALUES " + ", ".join(
    f"('{id}', 1, '{{{{}}}}', 5, 0)" for id in (DONE, FAILED, SENT_BACK)
)
OUTCOMES: Final = "INSERT INTO {0}outcome (id, number, what, status, attempt, batch, token, finished_at) VALUES " + (
    ", ".join(
        f"('{id}', {number}, '{what}', '{status}', 1, 0, 0, 0)"
        for id, number, what, status in (
            (DONE, 1, "failed", "scheduled"),
            (DONE, 2, "done", "completed"),
            (FAILED, 1, "failed", "failed"),
            (SENT_BACK, 1, "failed", "failed"),
            (SENT_BACK, 2, "retried", "pending"),
        )
    )
)
TALLIES: Final = """INSERT INTO {0}tally (lane, what, n)
    VALUES (1, 'completed', 4), (1, 'failed', 2), (1, 'pending', 1), (2, 'cancelled', 2)"""
"""Three completed jobs were pruned, and all of another type."""
SCRIPTS: Final = (LANES, JOBS, OUTCOMES, TALLIES)


def before(migrations: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Those of the version before."""
    first = next(place for place, (_, script) in enumerate(migrations) if "gone (lane, status, n)" in script)
    return migrations[:first]


async def counts_what_is_there(store: Store) -> None:
    """Check that those who are there are counted, and nobody else."""
    counts = await store.counts(0)
    assert {status: n for status, n in counts.jobs().items() if n} == {
        Status.PENDING: 1,
        Status.COMPLETED: 1,
        Status.FAILED: 1,
    }
    assert counts.totals["completed"] == 4
    assert counts.tallied["q", "u"].standing == {}


async def test_a_file_counts_what_is_there_at_its_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as version:
        version.setattr(database, "migrations", lambda: before(of_sqlite.migrations()))
        connection = database.open_migrated(tmp_path / "jobs.db")
    for script in SCRIPTS:
        connection.execute(script.format(""))
    connection.close()
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    await counts_what_is_there(store)
    await store.close()


async def test_a_database_counts_what_is_there_at_its_migration(
    postgres: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.empty()
    with monkeypatch.context() as version:
        version.setattr(schema, "migrations", lambda: before(of_postgres.migrations()))
        await Schema(Target.of(url)).migrate()
    for script in SCRIPTS:
        await asyncio.to_thread(said, url, script.format("ferryman."))
    await Schema(Target.of(url)).migrate()
    async with opened(url) as store:
        await counts_what_is_there(store)
    postgres.drop(url)
