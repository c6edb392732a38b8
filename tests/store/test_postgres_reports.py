"""What runs say, beside transactions of others: nobody ends a run between the look at its claim and the write."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.report import Progress, ProgressOf, Report
from ferryman.store.postgres import PostgresStore
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
BLOCKED = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
LOCK = "SELECT FROM ferryman.claim FOR UPDATE"
END = (
    "INSERT INTO ferryman.outcome (id, number, what, status, attempt, batch, token, finished_at) "
    "VALUES ($1, 1, 'cancelled', 'cancelled', 1, 1, 9, 0)"
)
SAID = Progress(1, 2, "half", 0)


async def running(store: PostgresStore) -> tuple[int, ClaimedJob]:
    """A node, and the job that it runs."""
    node = await store.register(node_info("n"), 0)
    await store.insert([new_job(minter().mint(0))], 0)
    (job,) = (await store.claim(claim_of(node, 1, 1), 0)).jobs
    return node, job


def told(job: ClaimedJob) -> Report:
    return Report(job.id, 1, 1, job.batch, 7, SAID)


def done(job: ClaimedJob) -> Finish:
    return decide(job, Outcome(What.DONE, "1"), Run(7), 0)


async def blocked(observer: Any, count: int = 1) -> None:
    """Wait until so many wait for a lock."""
    async with asyncio.timeout(30):
        while len(await observer.fetch(BLOCKED)) < count:
            pass  # each look gives the loop a turn


async def test_a_run_that_is_being_ended_waits_and_is_fenced(database: str) -> None:
    async with opened(database) as store, connected(database) as other, connected(database) as observer:
        node, job = await running(store)
        ending = other.transaction()
        await ending.start()
        await other.execute(LOCK)
        await other.execute(END, job.id)
        report = asyncio.create_task(store.report(node, [told(job)]))
        await blocked(observer)
        await ending.commit()
        assert await report == {(job.id, 1)}
        assert await store.progress(job.id) is None


async def test_whoever_ends_a_run_waits_for_what_it_says(database: str) -> None:
    async with opened(database) as store, connected(database) as other, connected(database) as observer:
        node, job = await running(store)
        holder = other.transaction()
        await holder.start()
        await other.execute("LOCK TABLE ferryman.progress IN ACCESS EXCLUSIVE MODE")
        report = asyncio.create_task(store.report(node, [told(job)]))
        await blocked(observer)
        async with connected(database) as rescuer:
            ending = asyncio.create_task(end(rescuer, job))
            await blocked(observer, 2)
            await holder.commit()
            assert await report == frozenset()
            await ending
        assert await store.progress(job.id) == ProgressOf(1, SAID)
        assert (await store.finish(node, [done(job)], 0)).fenced == {(job.id, 1)}


async def end(rescuer: Any, job: ClaimedJob) -> None:
    """End the run, as another node does."""
    async with rescuer.transaction():
        await rescuer.execute(LOCK)
        await rescuer.execute(END, job.id)
