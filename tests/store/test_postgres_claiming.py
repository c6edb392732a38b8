"""Claims over real transactions: late commits, claims that roll back, lanes that others made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from ferryman.domain.claim import Batch
from ferryman.domain.errors import NodeNotLive
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.postgres import PostgresStore, claiming
from ferryman.store.postgres.behind import LOOK_BEHIND_SECONDS
from ferryman.store.postgres.cursor import LAST, START, Cursor, Position, Span
from ferryman.store.postgres.driving import drive
from ferryman.store.postgres.inserting import insert_plain
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()
NOW: Final = ManualClock().now()


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(database: str, clock: ManualClock) -> AsyncIterator[PostgresStore]:
    async with opened(database, clock) as store:
        yield store


async def claim(store: PostgresStore, node: int, limit: int = 10) -> list[str]:
    batch: Batch = await store.claim(claim_of(node, IDS.number(), limit), NOW)
    return [job.id for job in batch.jobs]


async def add(store: PostgresStore, count: int = 1, **options: Any) -> list[str]:
    jobs = [new_job(IDS.mint(NOW), **options) for _ in range(count)]
    await store.insert(jobs, NOW)
    return [job.id for job in jobs]


async def add_within(connection: Any, store: PostgresStore, count: int) -> list[str]:
    """Hand jobs in through a transaction of somebody else's."""
    jobs = [new_job(IDS.mint(NOW)) for _ in range(count)]
    await drive(connection, store._statements, insert_plain(store._lanes, jobs, NOW))
    return [job.id for job in jobs]


async def test_what_commits_late_is_claimed_though_the_cursor_has_passed_it(
    store: PostgresStore, database: str
) -> None:
    node = await store.register(node_info("n"), 0)
    await add(store)
    async with connected(database) as slow, connected(database) as slower:
        transactions = [slow.transaction(), slower.transaction()]
        for each in transactions:
            await each.start()
        late, later = await add_within(slow, store, 3), await add_within(slower, store, 1)
        before = await add(store, 2)
        assert (await claim(store, node))[1:] == before
        assert await claim(store, node) == []
        await transactions[0].commit()
        assert await claim(store, node) == late
        assert await claim(store, node) == []
        await transactions[1].commit()
        assert await claim(store, node) == later
        assert await claim(store, node) == []


async def test_what_commits_late_is_claimed_in_bounded_batches(store: PostgresStore, database: str) -> None:
    node = await store.register(node_info("n"), 0)
    await add(store)
    async with connected(database) as slow:
        transaction = slow.transaction()
        await transaction.start()
        late = await add_within(slow, store, 7)
        assert len(await claim(store, node)) == 1
        await transaction.commit()
    after = await add(store, 2)
    taken = [await claim(store, node, 3) for _ in range(4)]
    assert [len(each) for each in taken] == [3, 3, 3, 0]
    assert [id for each in taken for id in each] == late + after


async def test_what_rolls_back_is_forgotten(store: PostgresStore, database: str) -> None:
    node = await store.register(node_info("n"), 0)
    await add(store)
    async with connected(database) as slow:
        transaction = slow.transaction()
        await transaction.start()
        await add_within(slow, store, 1)
        await add(store)
        await claim(store, node)
        assert store._flow._known.cursor.look([1]).gaps
        await transaction.rollback()
    assert await claim(store, node) == []
    assert store._flow._known.cursor.look([1]).gaps == []


async def test_what_another_claim_gave_back_is_found_behind_the_cursor(
    store: PostgresStore, clock: ManualClock, database: str
) -> None:
    node = await store.register(node_info("n"), 0)
    assert await claim(store, node) == []
    await store._behind.flush()  # the look that begins with the first claim would find it too soon
    first = await add(store, 2)
    async with connected(database) as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("DELETE FROM ferryman.ready WHERE id = $1", first[0])
        assert await claim(store, node) == first[1:], "what is locked is passed by"
        await transaction.rollback()
    assert await claim(store, node) == [], "it lies behind the cursor"
    clock.advance(LOOK_BEHIND_SECONDS)
    found = await claim(store, node)
    await store._behind.flush()
    assert found + await claim(store, node) == first[:1]


async def test_a_look_behind_that_fails_is_made_up_for(store: PostgresStore, clock: ManualClock, database: str) -> None:
    node = await store.register(node_info("n"), 0)
    async with connected(database) as other:
        await other.execute("ALTER TABLE ferryman.ready RENAME COLUMN arrival TO elsewhere")
        await store._behind.look()
        await other.execute("ALTER TABLE ferryman.ready RENAME COLUMN elsewhere TO arrival")
    assert await claim(store, node) == []


async def test_lanes_that_another_process_made_are_learned_before_anything_is_claimed(
    store: PostgresStore, database: str, clock: ManualClock
) -> None:
    node = await store.register(node_info("n"), 0)
    behind = await add(store)
    async with opened(database, clock) as other:
        urgent = await add(other, priority=0)
    assert await claim(store, node) == urgent + behind


async def test_a_claim_that_rides_along_waits_for_lanes_that_another_process_made(
    store: PostgresStore, database: str, clock: ManualClock
) -> None:
    node = await store.register(node_info("n"), 0)
    await add(store)
    async with opened(database, clock) as other:
        urgent = await add(other, priority=0)
    job = new_job(IDS.mint(clock.now()))
    inserted = await store.insert([job], clock.now(), claim=claim_of(node, 7, 1))
    assert inserted.batch is not None
    assert [each.id for each in inserted.batch.jobs] == urgent


async def test_a_node_retires_when_its_claims_under_way_have_ended(store: PostgresStore, database: str) -> None:
    node = await store.register(node_info("n"), 0)
    ids = await add(store, 2)
    async with connected(database) as lost:
        transaction = lost.transaction()
        await transaction.start()
        known = store._flow._known._replace(cursor=Cursor())
        late = claiming.claim(known, claim_of(node, 7), NOW)
        await drive(lost, store._statements, late)
        retiring = asyncio.create_task(store.retire(node, NOW))
        async with connected(database) as observer:
            while not retiring.done() and not await observer.fetch("SELECT FROM pg_locks WHERE NOT granted"):
                pass  # each look gives the loop a turn
        assert not retiring.done(), "else a look after the retirement would find nothing"
        await transaction.commit()
    await retiring
    (batch,) = await store.open_batches(node)
    assert [id for id, _ in batch.runs] == ids
    with pytest.raises(NodeNotLive):
        await claim(store, node)


async def test_a_job_without_a_body_ends_failed_and_holds_nobody_up(store: PostgresStore, database: str) -> None:
    node = await store.register(node_info("n"), 0)
    broken, whole = await add(store, 2)
    async with connected(database) as other:
        await other.execute("DELETE FROM ferryman.job WHERE id = $1", broken)
    assert await claim(store, node) == [whole]
    [ended] = await store.attempts(broken)
    assert (ended.what, ended.status) == (What.FAILED, Status.FAILED)
    assert ended.error is not None
    assert "not in the database" in ended.error.message
    (batch,) = await store.open_batches(node)
    assert [tuple(run) for run in batch.runs] == [(whole, 1)]


async def test_what_is_looked_at_twice_is_claimed_once(store: PostgresStore) -> None:
    node = await store.register(node_info("n"), 0)
    ids = await add(store, 5)
    again = Span(1, START, LAST - 1)
    store._flow._known.cursor._positions[1] = Position(START, frozenset(), (again, again))
    assert await claim(store, node, 3) == ids[:3]
    store._flow._known.cursor._positions[1] = Position(START, frozenset(), (again,))
    assert await claim(store, node, 9) == ids[3:]
    assert await claim(store, node, 9) == []
    assert store._flow._known.cursor.look([1]).spans[1:] == [], "what has come to its end is not looked at for ever"
