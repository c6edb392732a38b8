"""The journal: what happens to jobs while somebody listens, each change once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import pytest

from ferryman.domain.job import Lane, NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.journaling import PAGE, Change, Position
from ferryman.testing.conformance.bench import Bench

SECOND: Final = 1_000_000
ONE: Final = GateRule(concurrency=1)
Brief = tuple[str, str, Status, int]
"""(id, what, status, claim number)"""
Play = Callable[[Bench], Awaitable[list[Brief]]]


async def listening(bench: Bench) -> Position:
    """Where somebody begins who listens from now on."""
    told = await bench.store.journal(None, bench.now)
    assert (list(told.changes), told.more, told.gap) == ([], False, False)
    return told.next


async def heard(bench: Bench, after: Position, limit: int = PAGE) -> list[Change]:
    """All that has happened since, page by page."""
    found: list[Change] = []
    more = True
    while more:
        told = await bench.store.journal(after, bench.now, limit)
        assert not told.gap
        assert len(told.changes) <= limit
        assert told.next > after or not told.changes
        found += told.changes
        after, more = told.next, told.more
    assert [each.position for each in found] == sorted({each.position for each in found})
    return found


def brief(changes: Sequence[Change]) -> list[Brief]:
    """What tests compare."""
    return [(each.id, each.what, each.status, each.claim) for each in changes]


async def _insert(bench: Bench) -> list[Brief]:
    plain, early, keyed = bench.job(), bench.job(run_at=bench.now + SECOND), bench.job(key="k", gate=ONE)
    await bench.insert(plain, early, keyed)
    return [
        (plain.id, "created", Status.PENDING, 0),
        (early.id, "created", Status.SCHEDULED, 0),
        (keyed.id, "created", Status.PENDING, 0),
    ]


async def _insert_with_unique_keys(bench: Bench) -> list[Brief]:
    one, same = bench.job(unique_key="u"), bench.job(unique_key="u")
    await bench.insert(one, same)
    return [(one.id, "created", Status.PENDING, 0)]


async def _insert_due(bench: Bench) -> list[Brief]:
    jobs = [bench.job() for _ in range(3)]
    await bench.insert(*jobs)
    return [(job.id, "created", Status.PENDING, 0) for job in jobs]


def _finish(what: What, status: Status, **outcome: object) -> Play:
    async def play(bench: Bench) -> list[Brief]:
        id = await bench.add(max_attempts=2)
        job = await bench.claim_one()
        await bench.finish(job, what, **outcome)
        return [(id, "created", Status.PENDING, 0), (id, what.value, status, 1)]

    return play


async def _finish_with_a_key(bench: Bench) -> list[Brief]:
    first, second = await bench.add(key="k", gate=ONE), await bench.add(key="k", gate=ONE)
    await bench.finish(await bench.claim_one())
    await bench.finish(await bench.claim_one(), What.INTERRUPTED)
    return [
        (first, "created", Status.PENDING, 0),
        (second, "created", Status.PENDING, 0),
        (first, "done", Status.COMPLETED, 1),
        (second, "interrupted", Status.PENDING, 1),
    ]


async def _cancel_what_waits(bench: Bench) -> list[Brief]:
    id = await bench.add()
    await bench.store.cancel(id, bench.now)
    return [(id, "created", Status.PENDING, 0), (id, "cancelled", Status.CANCELLED, 1)]


async def _cancel_what_runs(bench: Bench) -> list[Brief]:
    id = await bench.add(max_attempts=3)
    job = await bench.claim_one()
    await bench.store.cancel(id, bench.now)
    await bench.finish(job, What.FAILED)
    return [(id, "created", Status.PENDING, 0), (id, "failed", Status.CANCELLED, 1)]


async def _force_a_cancel(bench: Bench) -> list[Brief]:
    id = await bench.add()
    await bench.claim_one()
    await bench.store.cancel(id, bench.now)
    assert await bench.store.force_cancel(bench.now + 1, bench.now) == 1
    return [(id, "created", Status.PENDING, 0), (id, "cancelled", Status.CANCELLED, 1)]


async def _cancel_many(bench: Bench) -> list[Brief]:
    id = await bench.add()
    await bench.store.cancel_waiting([id], bench.now)
    return [(id, "created", Status.PENDING, 0), (id, "cancelled", Status.CANCELLED, 1)]


async def _retry(bench: Bench) -> list[Brief]:
    told: list[Brief] = []
    for key, run_at, status in (
        (None, None, Status.PENDING),
        (None, bench.now + SECOND, Status.SCHEDULED),
        ("k", None, Status.PENDING),
    ):
        id = await bench.add(key=key, gate=ONE if key else None)
        await bench.store.cancel(id, bench.now)
        await bench.store.retry(id, bench.now, run_at)
        told += [
            (id, "created", Status.PENDING, 0),
            (id, "cancelled", Status.CANCELLED, 1),
            (id, "retried", status, 2),
        ]
    return told


async def _expire(bench: Bench) -> list[Brief]:
    id = await bench.add(expires_at=bench.now)
    assert await bench.store.expire(bench.now, 10) == 1
    return [(id, "created", Status.PENDING, 0), (id, "cancelled", Status.CANCELLED, 1)]


async def _release(bench: Bench) -> list[Brief]:
    id = await bench.add()
    batch = await bench.claim()
    await bench.store.release(await bench.home(), batch.id, bench.now)
    return [(id, "created", Status.PENDING, 0), (id, "released", Status.PENDING, 1)]


async def _rescue(bench: Bench) -> list[Brief]:
    id = await bench.add()
    node = await bench.node()
    await bench.claim(node)
    assert len(await bench.bury(node)) == 1
    return [(id, "created", Status.PENDING, 0), (id, "lost", Status.PENDING, 1)]


async def _follow_up(bench: Bench) -> list[Brief]:
    job, next = await bench.start(), bench.job()
    await bench.finish(job, follow_ups=(next,))
    return [
        (job.id, "created", Status.PENDING, 0),
        (job.id, "done", Status.COMPLETED, 1),
        (next.id, "created", Status.PENDING, 0),
    ]


PLAYS: Final[Mapping[str, Play]] = MappingProxyType(
    {
        "insert": _insert,
        "insert with unique keys": _insert_with_unique_keys,
        "insert what is due": _insert_due,
        "complete": _finish(What.DONE, Status.COMPLETED),
        "fail, to be tried again": _finish(What.FAILED, Status.SCHEDULED),
        "fail for good": _finish(What.FAILED, Status.FAILED, retryable=False),
        "snooze": _finish(What.SNOOZED, Status.SCHEDULED, delay=1.0),
        "cancel oneself": _finish(What.CANCELLED, Status.CANCELLED),
        "interrupt": _finish(What.INTERRUPTED, Status.PENDING),
        "finish with a key": _finish_with_a_key,
        "cancel what waits": _cancel_what_waits,
        "cancel what runs": _cancel_what_runs,
        "force a cancel": _force_a_cancel,
        "cancel many": _cancel_many,
        "retry": _retry,
        "expire": _expire,
        "release": _release,
        "rescue": _rescue,
        "follow up": _follow_up,
    }
)


class Journaling:
    """Each change that has committed is told once."""

    @pytest.mark.parametrize("which", PLAYS)
    async def test_a_change_is_told_once(self, bench: Bench, which: str) -> None:
        await bench.home()
        start = await listening(bench)
        expected = await PLAYS[which](bench)
        assert brief(await heard(bench, start)) == expected

    async def test_a_change_says_when_it_was_and_of_which_lane(self, bench: Bench) -> None:
        start = await listening(bench)
        at = bench.now
        await bench.add(type="mail", queue="letters", priority=2)
        bench.clock.advance(1)
        (told,) = await heard(bench, start)
        assert (told.at, told.lane) == (at, Lane("letters", "mail", 2))

    async def test_what_changes_nothing_is_not_told(self, bench: Bench) -> None:
        job = await bench.start()
        end = bench.ended(job, What.DONE)
        await bench.write(end)
        start = await listening(bench)
        await bench.write(end)
        await bench.write(bench.ended(job, What.FAILED))
        await bench.store.cancel(job.id, bench.now)
        await bench.store.retry(job.id, bench.now)
        await bench.store.release(await bench.home(), 1, bench.now)
        assert await heard(bench, start) == []

    async def test_what_was_before_somebody_listened_is_not_told(self, bench: Bench) -> None:
        job = await bench.start()
        start = await listening(bench)
        await bench.finish(job)
        assert brief(await heard(bench, start)) == [(job.id, "done", Status.COMPLETED, 1)]

    async def test_a_job_is_told_of_in_the_order_in_which_it_changed(self, bench: Bench) -> None:
        start = await listening(bench)
        id = await bench.add(max_attempts=9)
        for _ in range(3):
            await bench.finish(await bench.claim_one(), What.INTERRUPTED)
        assert [(each.id, each.claim) for each in await heard(bench, start)] == [(id, n) for n in range(4)]

    async def test_who_comes_later_hears_the_same_from_then_on(self, bench: Bench) -> None:
        first = await listening(bench)
        one = await bench.add()
        second = await listening(bench)
        other = await bench.harness.another()
        two = bench.job()
        await other.insert([two], bench.now)
        assert [each.id for each in await heard(bench, second)] == [two.id]
        assert [each.id for each in await heard(bench, first)] == [one, two.id]
        told = await other.journal(first, bench.now)
        assert [each.id for each in told.changes] == [one, two.id]
        assert (await bench.store.journal(told.next, bench.now)).changes in ([], ())

    async def test_every_change_is_a_place_to_go_on_from(self, bench: Bench) -> None:
        start = await listening(bench)
        for size in (1, 3, 2):
            await bench.insert(*[bench.job() for _ in range(size)])
            await bench.store.journal(start, bench.now)
        told = await heard(bench, start)
        assert len(told) == 6
        for count, each in enumerate(told, 1):
            assert await heard(bench, each.position) == told[count:]

    @pytest.mark.parametrize("limit", [1, 7, 50])
    async def test_much_comes_in_pages(self, bench: Bench, limit: int) -> None:
        start = await listening(bench)
        jobs: list[NewJob] = []
        for size in (20, 1, 29):
            some = [bench.job() for _ in range(size)]
            await bench.insert(*some)
            jobs += some
        assert [each.id for each in await heard(bench, start, limit)] == [job.id for job in jobs]

    async def test_many_jobs_at_once_are_told_in_bounded_pages(self, bench: Bench) -> None:
        start = await listening(bench)
        jobs = [bench.job() for _ in range(2 * PAGE + 1)]
        await bench.insert(*jobs)
        assert [each.id for each in await heard(bench, start)] == [job.id for job in jobs]
