"""A node's way through its life, as a role that may write rows and make no tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman.domain.access import ApiKey, Right
from ferryman.domain.audit import KEPT
from ferryman.domain.errors import StoreFailed
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.domain.series import MINUTE, Period, Timing, Which
from ferryman.domain.state import Status
from ferryman.store.access import Added
from ferryman.store.auditing import AuditFilter
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.statements import migrations
from ferryman.store.postgres.target import Target
from ferryman.store.protocol import JobFilter
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import LEASE, RETENTION
from ferryman.testing.conformance.bench import HOUR, Bench
from ferryman.testing.conformance.deeds import deed_of
from ferryman.testing.conformance.reporting import progress, report
from tests.postgres.databases import Databases
from tests.servers import ROLE, migrated, role, said


class Place(msgspec.Struct):
    """Stands in for a harness where only its clock is asked for."""

    clock: ManualClock


@pytest.fixture
def owners(postgres: Databases) -> Iterator[str]:
    """For who owns the tables."""
    with migrated(postgres) as owners:
        yield owners


@pytest.fixture
def url(owners: str) -> Iterator[str]:
    """For a role that was granted what a node needs."""
    with role(owners) as theirs:
        asyncio.run(Schema(Target.of(owners)).migrate(ROLE))
        yield theirs


def bench_of(url: str, folder: Path) -> Bench:
    place: Any = Place(ManualClock())
    return Bench(place, PostgresStore(url, clock=place.clock, retention=RETENTION, locks=folder))


def test_a_job_without_a_slot_comes_back_to_its_gate_for_such_a_role(url: str, owners: str, tmp_path: Path) -> None:
    """It gets a place out of a sequence to which the role has no right."""
    asyncio.run(back_to_its_gate(bench_of(url, tmp_path), owners))


async def back_to_its_gate(bench: Bench, owners: str) -> None:
    await bench.store.open()
    await bench.home()
    id = await bench.add(key="k", gate=GateRule(strict=True))
    job = await bench.claim_one()
    await asyncio.to_thread(said, owners, "DELETE FROM ferryman.slot RETURNING id")
    await bench.finish(job, What.RELEASED)
    assert await bench.status(id) is Status.PENDING, "it was let in again"
    await bench.store.close()


def test_every_verb_works_for_such_a_role(url: str, tmp_path: Path) -> None:
    asyncio.run(live(bench_of(url, tmp_path)))


async def live(bench: Bench) -> None:
    store = bench.store
    await store.open()
    node = await bench.home()
    start = (await store.journal(None, bench.now)).next
    keyed = bench.job(unique_key="k", tags=("t",), expires_at=bench.now + 1)
    await bench.insert(keyed, bench.job(run_at=bench.now + 1), max_pending=100)
    await bench.add()
    [first] = (await bench.claim(limit=1)).jobs
    assert first.id == keyed.id
    assert await store.report(node, [report(first, progress(1), "a line")]) == frozenset()
    assert await store.progress(first.id) and (await store.logs(first.id)).lines
    await bench.finish(first, What.FAILED, error=None, retryable=False)
    assert await asyncio.to_thread(store.beat, node)
    await store.cancel((await bench.claim_one()).id, bench.now)
    assert len(await store.cancellations(node)) == 1
    assert await store.force_cancel(bench.now + 1, bench.now) == 1
    await store.retry(keyed.id, bench.now)
    bench.clock.advance(1)
    await store.promote(bench.now, 10)
    await store.expire(bench.now, 10)
    await store.release(node, (await bench.claim()).id, bench.now)
    assert (await store.counts(bench.now)).standing
    assert await store.attempts(keyed.id) and await store.get(keyed.id, bench.now)
    assert not await store.list(JobFilter(statuses=frozenset({Status.PENDING}), tags=frozenset({"t"})), bench.now)
    assert await store.open_batches(node) == [] and await store.nodes(bench.now) and await store.known_types()
    await store.rescue(bench.now, LEASE)
    key = ApiKey(id="1", name="web", digest="", rights=(Right.READ,), created_at=bench.now)
    assert await store.add_api_key(key, bench.now) is Added.ADDED
    await store.use_api_keys({"1": bench.now})
    assert await store.take_quota("web", 10, 1, 4, bench.now) == 4
    assert await store.quotas_taken(bench.now) == {"web": 4}
    assert await store.end_api_keys(["1"], bench.now) == await store.drop_api_keys(["1"]) == 1
    await store.retire(node, bench.now)
    assert len((await store.journal(start, bench.now)).changes) > 5
    assert await store.cancel_waiting([gone := await bench.add("other")], bench.now) == [gone]
    assert (await store.delete(gone, bench.now)).gone
    minute = bench.now // MINUTE * MINUTE
    assert await store.sample(minute, node, [Timing("q", "t", minute, {1: 1}, {})])
    kept = await store.sampled(Period(minute - MINUTE, minute, MINUTE), Which())
    assert kept.samples and kept.timings
    bench.clock.advance(400 * 24 * HOUR)
    assert await store.prune(bench.now, 10) > 0
    await store.close()


def test_it_may_make_no_table_and_note_no_migration(url: str) -> None:
    for statement in ("CREATE TABLE ferryman.more (x integer)", "INSERT INTO ferryman.migration (number) VALUES (99)"):
        with pytest.raises(Exception, match="permission denied"):
            said(url, statement)


def test_it_writes_deeds_and_can_neither_change_nor_drop_them(url: str, tmp_path: Path) -> None:
    asyncio.run(do_deeds(bench_of(url, tmp_path)))
    for statement in ("UPDATE ferryman.audit SET actor = 'x'", "DELETE FROM ferryman.audit", "TRUNCATE ferryman.audit"):
        with pytest.raises(Exception, match="permission denied"):
            said(url, statement)


async def do_deeds(bench: Bench) -> None:
    await bench.store.open()
    old = msgspec.structs.replace(deed_of(bench), at=bench.now - KEPT)
    for deed in (old, deed_of(bench)):
        await bench.store.cancel(await bench.add(), bench.now, deed=deed)
    await bench.store.prune(bench.now, 10)
    assert [each.deed for each in await bench.store.audit(AuditFilter(), None, 10)] == [deed_of(bench)]
    await bench.store.close()


def test_a_role_of_before_the_log_gets_no_more_rights_to_it_by_its_migration(url: str, owners: str) -> None:
    """It was granted the rights to the tables of later migrations, too."""
    for statement in ("DROP TABLE ferryman.audit", "DROP FUNCTION ferryman.prune_audit"):
        said(owners, statement)
    said(owners, next(script for _, script in migrations() if "CREATE TABLE ferryman.audit" in script))
    said(url, "SELECT 1 FROM ferryman.audit")
    for statement in ("UPDATE ferryman.audit SET actor = 'x'", "DELETE FROM ferryman.audit"):
        with pytest.raises(Exception, match="permission denied"):
            said(url, statement)


def test_a_right_that_was_taken_away_is_told_with_what_to_do(url: str, owners: str, tmp_path: Path) -> None:
    bench = bench_of(url, tmp_path)
    said(owners, f"REVOKE INSERT ON ferryman.job FROM {ROLE}")

    async def play() -> None:
        await bench.store.open()
        try:
            await bench.add()
        finally:
            await bench.store.close()

    with pytest.raises(StoreFailed, match="permission denied for table job") as caught:
        asyncio.run(play())
    assert "ferryman migrate --role" in caught.value.hint
