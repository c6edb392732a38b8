"""The watched store on PostgreSQL answers as the real one does, and passes the points; a broken fence is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from ferryman.store.protocol import Store
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.history import check
from ferryman.testing.history.entries import Wrote
from tests.chaos.journal import Journal
from tests.chaos.postgres.sweeps import read as read_sweeps
from tests.chaos.postgres.unfenced import broken_fence
from tests.chaos.postgres.watched import LOCKS, WatchedPostgresStore, watched_postgres
from tests.chaos.test_watched import Points, late_finish, noted
from tests.postgres.databases import Databases
from tests.store.servers import end_process_of

pytestmark = pytest.mark.anyio


class WatchedHarness:
    """Makes watched stores of one process on one database, with a journal in a folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock = ManualClock()
        self.journal = Journal(folder, "a.1")
        self.points = Points(self.journal)
        self._url = url
        self._stores: list[WatchedPostgresStore] = []

    async def open(self) -> Store:
        return await self.another()

    async def another(self) -> Store:
        store = watched_postgres(self._url, self.journal, self.points, clock=self.clock, retention=RETENTION)
        self._stores.append(store)
        await store.open()
        return store

    async def kill(self, store: Store, node: int) -> None:
        assert isinstance(store, WatchedPostgresStore)
        end_process_of(store, node)

    async def close(self) -> None:
        for store in self._stores:
            await store.close()
        self.journal.close()


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    url = postgres.empty()
    asyncio.run(Schema(Target.of(url)).migrate())
    yield url
    postgres.drop(url)


@pytest.fixture
async def harness(url: str, tmp_path: Path) -> AsyncIterator[WatchedHarness]:
    harness = WatchedHarness(url, tmp_path)
    yield harness
    await harness.close()


@pytest.fixture
async def bench(harness: WatchedHarness) -> Bench:
    return Bench(harness, await harness.open())


async def test_a_run_is_noted_from_its_claim_to_its_outcome(bench: Bench, tmp_path: Path) -> None:
    await bench.finish(await bench.start())
    assert noted(tmp_path) == ["Registered", "Claiming", "Claimed", "Replied", "Writing", "Wrote", "Replied"]


async def test_transactions_pass_a_point_before_their_commit(bench: Bench, harness: WatchedHarness) -> None:
    node = await bench.home()
    harness.points.reached.clear()
    await bench.store.insert([bench.job()], bench.now, claim=bench.request(node))
    assert harness.points.reached == ["insert asked", "before commit", "claim done", "insert done"]


async def test_a_statement_that_commits_by_itself_has_no_such_point(bench: Bench, harness: WatchedHarness) -> None:
    await bench.start()
    harness.points.reached.clear()
    await bench.claim()
    assert "before commit" not in harness.points.reached


async def test_chores_are_written_down_and_each_process_has_a_machine_of_its_own(bench: Bench, tmp_path: Path) -> None:
    await bench.home()
    await bench.store.promote(bench.now, 10)
    await bench.store.rescue(bench.now, 10.0)
    assert [(each.by, each.chore) for each in read_sweeps(tmp_path)] == [("a.1", "promote"), ("a.1", "rescue")]
    assert len(list((tmp_path / LOCKS / "a.1").glob("*.lock"))) == 1


async def test_a_late_finish_is_fenced(bench: Bench, tmp_path: Path) -> None:
    history = await late_finish(bench, tmp_path)
    assert [len(entry.fenced) for entry in history.entries if isinstance(entry, Wrote)] == [0, 1]
    assert [violation.promise for violation in check(history) if violation.promise in ("P4", "P7", "P8")] == []


async def test_with_a_broken_fence_it_commits_and_the_checker_finds_it(bench: Bench, tmp_path: Path) -> None:
    with broken_fence():
        history = await late_finish(bench, tmp_path)
    assert [len(entry.fenced) for entry in history.entries if isinstance(entry, Wrote)] == [0, 0]
    assert "P4" in [violation.promise for violation in check(history)]
