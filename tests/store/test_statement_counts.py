"""What a job costs in statements: exactly these, however many features there are that it does not use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.job import NewJob
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.store.postgres.statements import Statements as PostgresStatements
from ferryman.store.protocol import Store
from ferryman.store.sqlite.statements import Statements as SqliteStatements
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info, sqlite_store
from tests.store.servers import minter, opened

pytestmark = pytest.mark.anyio
MANY = 256
"""What SQLite is given in one statement."""


class SqliteNoting(SqliteStatements):
    """Notes the name of each statement that is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.asked.append(name)
        return super().__getitem__(name)

    def rows(self, name: str, count: int) -> str:
        self.asked.append(name)
        return super().rows(name, count)


class PostgresNoting(PostgresStatements):
    """The same."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.asked.append(name)
        return super().__getitem__(name)


class Costs:
    """What each verb asks for, once everything has been done before."""

    def __init__(self, store: Store, statements: SqliteNoting | PostgresNoting) -> None:
        self.store = store
        self._statements = statements
        self._ids = minter()
        self._batch = 0

    async def open(self) -> None:
        """Register a node, and do everything once: lanes are made and read at their first use."""
        self._node = await self.store.register(node_info("n"), self.now)
        await self.insert(1)
        await self.finish(await self.claim(1))

    @property
    def now(self) -> int:
        """One moment."""
        return ManualClock().now()

    async def insert(self, count: int) -> None:
        """Plain jobs."""
        jobs: list[NewJob] = [new_job(self._ids.mint(self.now)) for _ in range(count)]
        await self.store.insert(jobs, self.now)

    async def claim(self, count: int) -> Any:
        """All of them."""
        self._batch += 1
        request: ClaimRequest = claim_of(self._node, self._batch, count)
        return (await self.store.claim(request, self.now)).jobs

    async def finish(self, jobs: Any) -> None:
        """All done."""
        ends = [decide(job, Outcome(What.DONE, "1"), Run(1, 1, self.now), self.now) for job in jobs]
        await self.store.finish(self._node, ends, self.now)

    def asked(self) -> list[str]:
        """What was asked for since the last time."""
        found = list(self._statements.asked)
        self._statements.asked.clear()
        return found

    async def of_a_cycle(self, count: int) -> dict[str, list[str]]:
        """What each verb asks for to bring so many jobs through."""
        self.asked()
        await self.insert(count)
        costs = {"insert": self.asked()}
        jobs = await self.claim(count)
        costs["claim"] = self.asked()
        assert len(jobs) == count
        await self.finish(jobs)
        costs["finish"] = self.asked()
        return costs


@pytest.mark.parametrize("count", [1, MANY])
async def test_sqlite(tmp_path: Path, count: int) -> None:
    statements = SqliteNoting()
    store = sqlite_store(tmp_path / "jobs.db", statements=statements)
    await store.open()
    try:
        costs = Costs(store, statements)
        await costs.open()
        assert await costs.of_a_cycle(count) == {
            "insert": ["add_jobs", "last_arrival", "add_new_ready", "add_tallies", "add_tallies"],
            "claim": [
                "live_node",
                "held_batch",
                "newest",
                "lane_candidates",
                "drop_ready_run",
                "add_claim",
                "add_tallies",
                "add_tallies",
            ],
            "finish": [
                "any_cancellation",
                "live_batches",
                "add_outcomes",
                "add_results",
                "close_batches",
                "add_tallies",
                "add_tallies",
            ],
        }
    finally:
        await store.close()


@pytest.mark.parametrize("count", [1, MANY])
async def test_postgres(database: str, count: int) -> None:
    statements = PostgresNoting()
    async with opened(database, statements=statements) as store:
        costs = Costs(store, statements)
        await costs.open()
        assert await costs.of_a_cycle(count) == {"insert": ["insert_due"], "claim": ["claim"], "finish": ["finish"]}
