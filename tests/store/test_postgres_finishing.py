"""A batch is closed by the finish that writes its last run, whatever became of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from ferryman.domain.claim import Batch
from ferryman.domain.job import ClaimedJob, Lane
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.columns import if_any, numbers, numbers_if_any, words
from ferryman.store.postgres.ended import EndedRuns
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()


@pytest.fixture
async def store(database: str) -> AsyncIterator[PostgresStore]:
    async with opened(database) as store:
        yield store


async def claimed(store: PostgresStore, count: int) -> tuple[int, Batch]:
    """A node, and its batch of so many jobs."""
    node = await store.register(node_info(IDS.mint(0)), 0)
    await store.insert([new_job(IDS.mint(0)) for _ in range(count)], 0)
    return node, await store.claim(claim_of(node, IDS.number(), count), 0)


def ended(jobs: Sequence[ClaimedJob], what: What = What.DONE) -> list[Finish]:
    return [decide(job, Outcome(what), Run(IDS.number(), 1, 0), 0) for job in jobs]


async def open_rows(database: str) -> int:
    async with connected(database) as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM ferryman.claim")
        return count


async def test_the_finish_of_the_last_run_closes_the_batch(store: PostgresStore, database: str) -> None:
    node, batch = await claimed(store, 5)
    for jobs, left in ((batch.jobs[:2], 1), (batch.jobs[2:4], 1), (batch.jobs[4:], 0)):
        await store.finish(node, ended(jobs), 0)
        assert await open_rows(database) == left


async def test_the_runs_of_many_batches_end_in_one_finish(store: PostgresStore, database: str) -> None:
    node, first = await claimed(store, 3)
    await store.insert([new_job(IDS.mint(0)) for _ in range(3)], 0)
    second = await store.claim(claim_of(node, IDS.number(), 3), 0)
    await store.finish(node, ended(first.jobs[:1]), 0)
    await store.finish(node, ended([*first.jobs[1:], *second.jobs[:2]], What.RELEASED), 0)
    assert [each.id for each in await store.open_batches(node)] == [second.id]
    assert await open_rows(database) == 1
    await store.finish(node, ended(second.jobs[2:]), 0)
    assert await open_rows(database) == 0


async def test_a_run_that_is_written_twice_closes_nothing_that_is_open(store: PostgresStore, database: str) -> None:
    node, batch = await claimed(store, 3)
    first = ended(batch.jobs[:1])
    for _ in range(3):
        assert not (await store.finish(node, first, 0)).fenced
    assert await open_rows(database) == 1
    await store.finish(node, [*first, *ended(batch.jobs[1:2])], 0)
    assert len((await store.open_batches(node))[0].runs) == 1


async def test_a_batch_of_which_too_few_ends_are_known_is_closed_when_it_is_looked_at(
    store: PostgresStore, database: str
) -> None:
    node, batch = await claimed(store, 2)
    await store.finish(node, ended(batch.jobs[:1]), 0)
    store._ended.keep(())
    await store.finish(node, ended(batch.jobs[1:]), 0)
    assert await open_rows(database) == 1
    assert await store.open_batches(node) == []
    assert await open_rows(database) == 0


def test_runs_are_counted_until_their_batch_is_closed() -> None:
    runs = EndedRuns()
    ends = ended([a_job(batch) for batch in (2, 1, 2)])
    assert runs.counting(ends) == {1: 1, 2: 2}
    runs.written({1: 1, 2: 2}, live=[1, 2], closed=[1])
    assert runs.counting(ends) == {1: 1, 2: 4}
    runs.written({1: 1, 2: 4}, live=[1], closed=[])
    assert runs.counting(ends) == {1: 2, 2: 4}
    runs.keep({1})
    assert runs.counting(ends) == {1: 2, 2: 2}


def a_job(batch: int) -> ClaimedJob:
    return ClaimedJob("id", 1, 1, 0, 0, batch, Lane("q", "t", 0), "{}", 5, None, 0, None, None, None, ())


def test_columns_are_texts_of_arrays() -> None:
    assert numbers([1, None, -2, 0.5]) == "{1, NULL, -2, 0.5}"
    assert numbers([]) == "{}"
    assert numbers_if_any([None, 7]) == "{NULL, 7}"
    assert numbers_if_any([None, None]) == "{}"
    assert words([What.DONE, What.FAILED]) == "{done,failed}"
    assert if_any([None, "a"]) == [None, "a"]
    assert if_any([None, None]) == []
