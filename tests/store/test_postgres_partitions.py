"""Days: where jobs lie, and what is dropped with a day and what is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.report import Line, Progress, ProgressOf, Report
from ferryman.domain.state import Status
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.partitions import KEPT, PERIOD, SOON
from ferryman.store.protocol import Retention
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import invariants
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()
DAY: Final = date(2026, 1, 3)
NOON: Final = round(datetime(2026, 1, 3, 12, tzinfo=UTC).timestamp()) * MICROS
DAYS: Final = 86_400
OFTEN: Final = SOON / 2
KEEP: Final = Retention(completed=100 * MICROS, failed=2 * DAYS * MICROS, cancelled=2 * DAYS * MICROS)
SQL_DAYS: Final = "SELECT relname FROM pg_class WHERE relname ~ '^job_[0-9]{8}$' ORDER BY relname"
SQL_MIGRATED: Final = "SELECT (applied_at AT TIME ZONE 'UTC')::date FROM ferryman.migration WHERE number = 1"


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def admin(database: str) -> AsyncIterator[Any]:
    async with connected(database) as connection:
        yield connection


@pytest.fixture
async def store(database: str, clock: ManualClock, admin: Any) -> AsyncIterator[PostgresStore]:
    """A store with partitions for the day of its clock."""
    assert await admin.fetchval("SELECT ferryman.make_partitions($1)", DAY)
    async with opened(database, clock, retention=KEEP) as store:
        yield store


async def days(admin: Any) -> list[str]:
    return [row[0] for row in await admin.fetch(SQL_DAYS)]


async def test_there_are_partitions_for_the_day_of_the_migration_and_the_next_days(admin: Any) -> None:
    today = await admin.fetchval(SQL_MIGRATED)  # not the day of the test: the tables may be from before midnight
    assert await days(admin) == [f"job_{today + timedelta(days=n):%Y%m%d}" for n in range(3)]
    assert not await admin.fetchval("SELECT ferryman.make_partitions($1)", today)


async def test_a_job_lies_in_the_partition_of_its_day(store: PostgresStore, clock: ManualClock, admin: Any) -> None:
    ids = [minter(seed).mint(at) for seed, at in enumerate((NOON, NOON + DAYS * MICROS))]
    await store.insert([new_job(id) for id in ids], clock.now())
    rows = await admin.fetch("SELECT relname, id::text FROM ferryman.job JOIN pg_class ON job.tableoid = pg_class.oid")
    assert {row[1]: row[0] for row in rows} == {ids[0]: "job_20260103", ids[1]: "job_rest"}


async def test_a_day_is_dropped_with_all_that_nobody_needs(
    store: PostgresStore, clock: ManualClock, admin: Any
) -> None:
    node = await store.register(node_info("n"), clock.now())
    ids = [IDS.mint(NOON) for _ in range(4)]
    await store.insert([new_job(id) for id in ids], clock.now())
    await store.insert([later := new_job(IDS.mint(NOON), run_at=NOON + 30 * DAYS * MICROS)], clock.now())
    done, failed, running = (await store.claim(claim_of(node, 1, 3), clock.now())).jobs
    outcomes = [(done, Outcome(What.DONE, "1")), (failed, Outcome(What.FAILED, retryable=False))]
    await store.finish(node, [decide(job, what, Run(1), NOON) for job, what in outcomes], clock.now())
    clock.advance(DAYS)  # past the retention of completed jobs, not of failed ones
    await store.prune(clock.now(), 10)
    assert (await store.get(failed.id, clock.now())) is not None
    assert "job_20260103" not in await days(admin)
    kept = {row[0] for row in await admin.fetch("SELECT id::text FROM ferryman.job_rest")}
    assert kept == {failed.id, running.id, ids[3], later.id, done.id}, "the batch of the done one is still open"
    assert await store.get(running.id, clock.now())
    await store.finish(node, [decide(running, Outcome(What.DONE, "1"), Run(2), clock.now())], clock.now())
    assert [job.id for job in (await store.claim(claim_of(node, 2, 9), clock.now())).jobs] == [ids[3]]
    clock.advance(101)
    await store.prune(clock.now(), 10)
    left = {row[0] for row in await admin.fetch("SELECT id::text FROM ferryman.job_rest")}
    assert left == kept - {done.id, running.id}


async def test_what_runs_have_said_is_dropped_with_its_day_or_kept_with_its_job(
    store: PostgresStore, clock: ManualClock, admin: Any
) -> None:
    node = await store.register(node_info("n"), clock.now())
    await store.insert([new_job(IDS.mint(NOON)) for _ in range(2)], clock.now())
    jobs = [(await store.claim(claim_of(node, batch, 1), clock.now())).jobs[0] for batch in (1, 2)]
    said = Progress(1, 2, "half", 5)
    lines = [Line(5, "info", "shop", "one")]
    assert not await store.report(node, [Report(j.id, 1, 1, j.batch, 7, said, 0, lines, dropped=3) for j in jobs])
    where = "SELECT tableoid::regclass::text FROM ferryman."
    rows = [row[0] for table in ("log", "progress") for row in await admin.fetch(where + table)]
    assert rows == ["log_20260103"] * 2 + ["progress_20260103"] * 2
    gone, kept = jobs
    await store.finish(node, [decide(gone, Outcome(What.DONE, "1"), Run(1), NOON)], clock.now())
    clock.advance(DAYS)
    await store.prune(clock.now(), 10)
    assert "job_20260103" not in await days(admin)
    assert [await admin.fetchval(f"SELECT count(*) FROM ferryman.{table}") for table in ("progress", "log")] == [1, 1]
    assert await store.progress(kept.id) == ProgressOf(1, said)
    assert [each.line for each in (await store.logs(kept.id)).lines] == lines


async def test_days_that_had_partitions_before_have_some_for_what_runs_say(admin: Any) -> None:
    found = [(await admin.fetch(SQL_DAYS.replace("job", table))) for table in ("progress", "log")]
    assert [[row[0].split("_")[1] for row in rows] for rows in found] == [[day[4:] for day in await days(admin)]] * 2


async def test_who_goes_with_a_day_is_not_counted_any_more(
    store: PostgresStore, clock: ManualClock, admin: Any
) -> None:
    node = await store.register(node_info("n"), clock.now())
    await store.insert([new_job(IDS.mint(NOON)) for _ in range(5)], clock.now())
    failed, sent_back, *done = (await store.claim(claim_of(node, 1, 4), clock.now())).jobs
    outcomes = [(each, Outcome(What.FAILED, retryable=False)) for each in (failed, sent_back)]
    outcomes += [(each, Outcome(What.DONE, "1")) for each in done]
    await store.finish(node, [decide(job, what, Run(1), NOON) for job, what in outcomes], clock.now())
    await store.retry(sent_back.id, clock.now())
    found = {Status.PENDING: 2, Status.FAILED: 1, Status.COMPLETED: 2}
    assert +Counter((await store.counts(clock.now())).jobs()) == found
    clock.advance(DAYS)
    await store.prune(clock.now(), 10)
    assert "job_20260103" not in await days(admin)
    assert +Counter((await store.counts(clock.now())).jobs()) == {Status.PENDING: 2, Status.FAILED: 1}
    clock.advance(2 * DAYS)
    assert await store.prune(clock.now(), 10) == 1
    assert +Counter((await store.counts(clock.now())).jobs()) == {Status.PENDING: 2}
    await invariants.check_what_there_is(store, await store.counts(clock.now()))


async def test_a_day_of_which_much_is_needed_stays(
    store: PostgresStore, clock: ManualClock, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.store.postgres.partitions.KEPT", 1)
    assert KEPT > 1
    await store.insert([new_job(IDS.mint(NOON)) for _ in range(2)], clock.now())
    clock.advance(DAYS)
    await store.prune(clock.now(), 10)
    assert "job_20260103" in await days(admin)
    clock.advance(PERIOD)
    monkeypatch.undo()
    await store.prune(clock.now(), 10)
    assert "job_20260103" not in await days(admin)
    assert (await store.counts(clock.now())).standing["default", Status.PENDING] == 2


async def test_what_somebody_reads_is_dropped_later_and_nobody_waits_for_it(
    store: PostgresStore, clock: ManualClock, admin: Any, database: str
) -> None:
    async with connected(database) as reader:
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetch("SELECT count(*) FROM ferryman.job")
        clock.advance(DAYS)
        await store.prune(clock.now(), 10)
        assert "job_20260103" in await days(admin)
        await transaction.rollback()
    await store.prune(clock.now(), 10)
    assert "job_20260103" in await days(admin), "not before it is due again"
    clock.advance(SOON)
    await store.prune(clock.now(), 10)
    assert "job_20260103" not in await days(admin)


async def test_the_next_look_comes_however_often_somebody_prunes(
    store: PostgresStore, clock: ManualClock, admin: Any
) -> None:
    clock.advance(DAYS / 2)
    await store.prune(clock.now(), 10)
    assert "job_20260103" in await days(admin), "the day has ended, and is kept for 100 seconds"
    for _ in range(round(PERIOD / OFTEN)):
        clock.advance(OFTEN)
        await store.prune(clock.now(), 10)
    assert "job_20260103" not in await days(admin)
