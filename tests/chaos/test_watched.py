"""The watched store answers as the real one does, notes it, and passes the points; a broken fence is found."""

from __future__ import annotations

import inspect
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ferryman.domain.ids import IdMinter
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.engine.runner import ThreadRunner
from ferryman.store.factory import make_store
from ferryman.store.protocol import Store
from ferryman.store.sqlite import SqliteStore
from ferryman.testing.conformance import RETENTION
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.history import History, check, final_state
from ferryman.testing.history.entries import Answered, Asked, Wrote
from tests.chaos.journal import Journal, read
from tests.chaos.triggers import Triggers
from tests.chaos.unfenced import broken_fence
from tests.chaos.watched import MakeStore
from tests.store.harnesses import SqliteHarness

pytestmark = pytest.mark.anyio


class Points(Triggers):
    """Remembers which points were reached, and kills nobody."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.reached: list[str] = []

    def reach(self, point: str) -> None:
        self.reached.append(point)


class WatchedHarness(SqliteHarness):
    """Makes watched stores, with a journal beside the file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.journal = Journal(folder, "a.1")
        self.points = Points(self.journal)

    async def another(self) -> Store:
        ids = IdMinter(random.Random(len(self._stores)))
        make = MakeStore(self.journal, self.points)
        url = f"sqlite:///{self.path}"
        store = make(url, clock=self.clock, ids=ids, retention=RETENTION, runner=ThreadRunner)
        assert isinstance(store, SqliteStore)
        self._stores.append(store)
        await store.open()
        return store


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[WatchedHarness]:
    harness = WatchedHarness(tmp_path)
    yield harness
    await harness.close()
    harness.journal.close()


@pytest.fixture
async def bench(harness: WatchedHarness) -> Bench:
    return Bench(harness, await harness.open())


def noted(folder: Path) -> list[str]:
    return [type(entry).__name__ for entry in read(folder)]


async def test_a_run_is_noted_from_its_claim_to_its_outcome(bench: Bench, tmp_path: Path) -> None:
    await bench.finish(await bench.start())
    assert noted(tmp_path) == ["Registered", "Claiming", "Claimed", "Replied", "Writing", "Wrote", "Replied"]


async def test_a_run_passes_the_points_in_order(bench: Bench, harness: WatchedHarness) -> None:
    await bench.home()
    harness.points.reached.clear()
    await bench.finish(await bench.start())
    assert harness.points.reached == [
        *("insert asked", "before commit", "insert done"),
        *("before commit", "claim done"),
        *("finish asked", "before commit", "finish done"),
    ]


async def test_a_claim_that_gives_nothing_leaves_no_trace(
    bench: Bench, harness: WatchedHarness, tmp_path: Path
) -> None:
    await bench.claim()
    assert noted(tmp_path) == ["Registered"]
    assert "claim done" not in harness.points.reached


async def test_a_claim_that_rides_along_with_an_insert_is_noted(bench: Bench, tmp_path: Path) -> None:
    await bench.store.insert([bench.job()], bench.now, claim=bench.request(await bench.home()))
    assert noted(tmp_path) == ["Registered", "Claiming", "Claimed", "Replied"]


async def test_a_release_and_a_rescue_are_noted(bench: Bench, tmp_path: Path) -> None:
    job = await bench.start()
    await bench.store.release(await bench.home(), job.batch, bench.now)
    await bench.claim()
    await bench.bury(await bench.home())
    assert [name for name in noted(tmp_path) if name.startswith("Re")] == [
        "Registered",
        "Replied",
        "Released",
        "Replied",
        "Rescued",
    ]


async def late_finish(bench: Bench, folder: Path) -> History:
    """A worker that slept through its own rescue writes its outcome after another one has completed the job."""
    journal = Journal(folder, "client")
    job = await bench.start()
    shape: dict[str, Any] = {"type": "echo", "queue": "default", "priority": 5, "max_attempts": 5}
    journal.note(Asked, at=0.0, request="r", job=job.id, **shape)
    journal.note(Answered, at=1.0, request="r", job=job.id, verdict="accepted")
    late = bench.ended(job, What.DONE)
    await bench.bury(await bench.home())
    node = await bench.node()
    (again,) = (await bench.claim(node)).jobs
    await bench.write(bench.ended(again, What.DONE), node=node)
    await bench.write(late)
    journal.close()
    assert await bench.status(job.id) is Status.COMPLETED
    return History(entries=read(folder), final=await final_state(bench.store, bench.now, bench.nodes))


async def test_a_late_finish_is_fenced(bench: Bench, tmp_path: Path) -> None:
    history = await late_finish(bench, tmp_path)
    assert [len(entry.fenced) for entry in history.entries if isinstance(entry, Wrote)] == [0, 1]
    assert [violation.promise for violation in check(history) if violation.promise in ("P4", "P7", "P8")] == []


async def test_with_a_broken_fence_it_commits_and_the_checker_finds_it(bench: Bench, tmp_path: Path) -> None:
    with broken_fence():
        history = await late_finish(bench, tmp_path)
    assert [len(entry.fenced) for entry in history.entries if isinstance(entry, Wrote)] == [0, 0]
    assert "P4" in [violation.promise for violation in check(history)]


def test_what_makes_it_takes_all_that_the_real_one_takes() -> None:
    """Processes of a campaign hand it what the program hands to that."""
    ours = dict(inspect.signature(MakeStore.__call__).parameters)
    del ours["self"]
    assert ours == dict(inspect.signature(make_store).parameters)
