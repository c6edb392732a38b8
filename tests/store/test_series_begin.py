"""A store that is older than its statistics: what it had counted before is not told as if it happened then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ferryman.domain.charts import chart
from ferryman.domain.series import MINUTE, By, Period, Which
from ferryman.store.postgres import schema
from ferryman.store.postgres import statements as of_postgres
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from ferryman.store.protocol import Store
from ferryman.store.sqlite import database
from ferryman.store.sqlite import statements as of_sqlite
from tests.postgres.databases import Databases
from tests.servers import said
from tests.store.files import new_job, sqlite_store
from tests.store.servers import minter, opened

pytestmark = pytest.mark.anyio
COUNTED = """
    WITH line AS (INSERT INTO ferryman.lane (queue, type, priority) VALUES ('q', 't', 5) RETURNING number)
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT number, what, 3 FROM line CROSS JOIN unnest(ARRAY['created', 'pending']) AS what RETURNING lane
"""


def before(migrations: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Those of the version before."""
    first = next(place for place, (_, script) in enumerate(migrations) if "timing_minutes" in script)
    return migrations[:first]


async def counts_from_now_on(store: Store) -> None:
    """Check that three jobs of before are there, and one that comes is told."""
    await store.insert([new_job(minter(5).mint(0))], 0)
    assert await store.sample(MINUTE, 1, [])
    period = Period(0, MINUTE, MINUTE)
    [line] = chart(period, await store.sampled(period, Which()), By.NONE).series
    assert (line.enqueued, line.pending) == ([1], [4])


async def test_a_file_counts_from_its_migration_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as version:
        version.setattr(database, "migrations", lambda: before(of_sqlite.migrations()))
        connection = database.open_migrated(tmp_path / "jobs.db")
    connection.execute("INSERT INTO lane (number, queue, type, priority) VALUES (1, 'q', 't', 5)")
    connection.execute("INSERT INTO tally (lane, what, n) VALUES (1, 'created', 3), (1, 'pending', 3)")
    connection.close()
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    await counts_from_now_on(store)
    await store.close()


async def test_a_database_counts_from_its_migration_on(postgres: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres.empty()
    with monkeypatch.context() as version:
        version.setattr(schema, "migrations", lambda: before(of_postgres.migrations()))
        await Schema(Target.of(url)).migrate()
    await asyncio.to_thread(said, url, COUNTED)
    await Schema(Target.of(url)).migrate()
    async with opened(url) as store:
        await counts_from_now_on(store)
    postgres.drop(url)
