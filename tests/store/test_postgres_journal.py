"""The journal of a database: transactions overlap, and commit in another order than they began."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from ferryman.store.journaling import KEPT, LISTENED, PAGE, Change, Position
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.driving import drive
from ferryman.store.postgres.inserting import insert_plain
from ferryman.store.postgres.statements import Statements
from ferryman.testing.clock import ManualClock
from tests.store.files import new_job
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
NOW = ManualClock().now()
STATEMENTS = Statements()


class Stage:
    """A store that listens, and transactions of others in which jobs are stored."""

    def __init__(self, store: PostgresStore, start: Position) -> None:
        self.store = store
        self.start = start
        self._ids = minter()

    async def insert(self, connection: Any, now: int = NOW) -> str:
        """Store a job in the transaction that is open on a connection."""
        job = new_job(self._ids.mint(now))
        await drive(connection, STATEMENTS, insert_plain(self.store._lanes, [job], now))
        return job.id

    async def add(self, now: int = NOW) -> str:
        """Store a job."""
        job = new_job(self._ids.mint(now))
        await self.store.insert([job], now)
        return job.id

    async def hear(self, after: Position, now: int = NOW, limit: int = PAGE) -> tuple[list[str], Position]:
        """What is new, to the end."""
        found: list[Change] = []
        more = True
        while more:
            told = await self.store.journal(after, now, limit)
            assert not told.gap
            found += told.changes
            after, more = told.next, told.more
        return [each.id for each in found], after


@asynccontextmanager
async def stage_on(database: str) -> AsyncIterator[Stage]:
    async with opened(database) as store:
        await store.insert([new_job(minter(1).mint(NOW))], NOW)  # its lane is known from now on
        yield Stage(store, (await store.journal(None, NOW)).next)


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    async with stage_on(database) as made:
        yield made


@pytest.mark.parametrize("looks", ["between", "at the end"])
async def test_what_began_first_and_commits_last_is_told_last_and_once(stage: Stage, database: str, looks: str) -> None:
    async with connected(database) as first, connected(database) as second:
        early, late = first.transaction(), second.transaction()
        await early.start()
        one = await stage.insert(first)
        await late.start()
        two = await stage.insert(second)
        assert (await stage.hear(stage.start))[0] == []
        await late.commit()
        place, told = stage.start, list[str]()
        if looks == "between":
            told, place = await stage.hear(place)
            assert told == [two]
        await early.commit()
        more, place = await stage.hear(place)
        assert sorted([*told, *more]) == sorted([one, two])
        assert (await stage.hear(place))[0] == []
        again, _ = await stage.hear(stage.start)
        assert again == [*told, *more]


async def test_what_is_rolled_back_is_not_told(stage: Stage, database: str) -> None:
    async with connected(database) as somebody:
        transaction = somebody.transaction()
        await transaction.start()
        await stage.insert(somebody)
        id = await stage.add()
        told, place = await stage.hear(stage.start)
        assert told == [id]
        await transaction.rollback()
        assert (await stage.hear(place))[0] == []


class Reader:
    """Reads on from where it is; now and then it goes away, and comes again from a change that it has heard of."""

    def __init__(self, store: PostgresStore, place: Position, dice: random.Random) -> None:
        self.told: list[str] = []
        self._store = store
        self._place = place
        self._dice = dice

    async def look(self, limit: int) -> bool:
        """Read a page. Returns whether there is more."""
        page = await self._store.journal(self._place, NOW, limit)
        assert not page.gap
        assert len(page.changes) <= limit
        ids = [each.id for each in page.changes]
        self._place = page.next
        if ids and self._dice.random() < 0.3:
            kept = self._dice.randrange(len(ids))
            self._place = page.changes[kept].position
            self.told += ids[: kept + 1]
            return True
        self.told += ids
        return page.more


class Crowd:
    """Transactions of others, some of them open."""

    def __init__(self, stage: Stage, idle: list[Any], dice: random.Random) -> None:
        self.committed: list[str] = []
        self._stage = stage
        self._idle = idle
        self._dice = dice
        self._busy: list[tuple[Any, Any, list[str]]] = []

    async def act(self) -> None:
        """Begin, insert, or end one."""
        choice = self._dice.random()
        if not self._busy or (self._idle and choice < 0.3):
            connection = self._idle.pop()
            transaction = connection.transaction()
            await transaction.start()
            self._busy.append((connection, transaction, []))
        elif choice < 0.7:
            connection, _, ids = self._dice.choice(self._busy)
            ids.append(await self._stage.insert(connection))
        else:
            await self._end(commits=self._dice.random() < 0.8)

    async def _end(self, *, commits: bool) -> None:
        connection, transaction, ids = self._busy.pop(self._dice.randrange(len(self._busy)))
        self._idle.append(connection)
        if commits:
            await transaction.commit()
            self.committed += ids
        else:
            await transaction.rollback()


@pytest.mark.parametrize("seed", range(8))
async def test_any_transactions_and_any_looks_tell_each_commit_once_to_everybody(database: str, seed: int) -> None:
    dice = random.Random(seed)
    async with stage_on(database) as stage, AsyncExitStack() as stack:
        other = await stack.enter_async_context(opened(database))
        idle = [await stack.enter_async_context(connected(database)) for _ in range(5)]
        crowd = Crowd(stage, idle, dice)
        readers = [Reader(store, stage.start, dice) for store in (stage.store, other)]
        for _ in range(120):
            if dice.random() < 0.8:
                await crowd.act()
            else:
                await dice.choice(readers).look(dice.choice([1, 2, 1000]))
        for reader in readers:
            while await reader.look(3):
                pass
        assert len(crowd.committed) > 10
        assert sorted(readers[0].told) == sorted(crowd.committed)
        assert readers[0].told == readers[1].told


async def test_what_commits_long_after_it_was_written_is_told_though_a_prune_comes_first(
    stage: Stage, database: str
) -> None:
    async with connected(database) as slow:
        transaction = slow.transaction()
        await transaction.start()
        early = await stage.insert(slow)
        place, now = stage.start, NOW
        for _ in range(4):
            now += KEPT // 2
            id = await stage.add(now)
            told, place = await stage.hear(place, now)
            assert told == [id]
            await stage.store.prune(now, 1000)
        await transaction.commit()
        await stage.store.prune(now, 1000)
        assert (await stage.hear(place, now))[0] == [early]


async def test_what_nobody_reads_any_more_goes_too(stage: Stage, database: str) -> None:
    now = NOW
    for _ in range(5):
        await stage.add(now)
    for step in (LISTENED, KEPT, KEPT):
        now += step
        await stage.store.prune(now, 2)
    async with connected(database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM ferryman.journal") == 1
        await stage.store.prune(now, 2)
        assert await connection.fetchval("SELECT count(*) FROM ferryman.journal") == 0
        assert await connection.fetchval("SELECT count(*) FROM ferryman.telling") == 1
    now += KEPT
    await stage.store.prune(now, 2)
    assert (await stage.store.journal(stage.start, now)).gap


async def test_a_process_that_has_not_heard_of_a_lane_learns_of_it(stage: Stage, database: str) -> None:
    async with opened(database) as other:
        await other.journal(None, NOW)
        await stage.store.insert([new_job(minter(9).mint(NOW), queue="new")], NOW)
        told = await other.journal(stage.start, NOW)
        assert [each.lane.queue for each in told.changes] == ["new"]


async def test_many_tellings_come_in_pages(stage: Stage) -> None:
    ids, place = [], stage.start
    for _ in range(60):
        ids.append(await stage.add())
        _, place = await stage.hear(place)
    first = await stage.store.journal(stage.start, NOW)
    assert first.more
    assert len(first.changes) < 60
    assert (await stage.hear(stage.start))[0] == ids


async def test_after_a_restore_on_another_server_the_journal_begins_anew(stage: Stage, database: str) -> None:
    """Such a server has counted fewer transactions than the dump knows of."""
    await stage.add()
    _, place = await stage.hear(stage.start)
    async with connected(database) as connection:
        await connection.execute("UPDATE ferryman.telling SET snapshot = '4000000000:4000000000:'")
    later = NOW + 1
    told = await stage.store.journal(place, later)
    assert (list(told.changes), told.gap) == ([], True)
    id = await stage.add()
    assert (await stage.hear(told.next, later))[0] == [id]
    await stage.store.prune(later + KEPT // 2, 1000)
    assert (await stage.hear(told.next, later + KEPT // 2))[0] == [id]


async def test_every_statement_that_stores_jobs_or_outcomes_writes_the_journal() -> None:
    texts = [STATEMENTS[name] for name in STATEMENTS.names()]
    writing = [text for text in texts if re.search(r"INSERT INTO ferryman\.(job|outcome)\b", text)]
    assert len(writing) >= 8
    assert all("INSERT INTO ferryman.journal" in text for text in writing)
