"""put, pause, drop and fire: schedules, each tick of which is dealt with once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ferryman.domain.cron import Ambiguous, Cron, Missed, Nonexistent
from ferryman.domain.job import MICROS
from ferryman.domain.outcome import What
from ferryman.domain.schedule import Firing, Order, Overlap, Schedule
from ferryman.domain.state import Status
from ferryman.store.protocol import Store
from ferryman.store.scheduling import TICKS_KEPT, Fired, KeptSchedule, Put, Source, Tick
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.harness import Harness

NIGHTLY = Schedule(
    "nightly",
    Cron("30 2 * * *", "Europe/Berlin", Ambiguous.BOTH, Nonexistent.SKIP),
    Order("echo", '{"n":1}', "mail", 3, 7, 1.5, None, ("a", "b")),
    Missed.ALL,
    17,
    Overlap.SKIP,
)


def named(name: str = "often", overlap: Overlap = Overlap.ALLOW, **order: Any) -> Schedule:
    """A schedule that fires every minute."""
    return Schedule(name, Cron("* * * * *"), Order("echo", **order), overlap=overlap)


async def kept(bench: Bench, name: str = "often") -> KeptSchedule:
    """A schedule that must be there."""
    [found] = [each for each in await bench.store.schedules() if each.name == name]
    return found


async def begin(bench: Bench, schedule: Schedule) -> KeptSchedule:
    """A new schedule."""
    assert await bench.store.put_schedule(schedule, bench.now) is Put.CREATED
    return await kept(bench, schedule.name)


def firing(bench: Bench, of: KeptSchedule, *ticks: int) -> Firing:
    """The next ticks of a schedule, seconds after its beginning."""
    moments = [of.created_at + tick * MICROS for tick in ticks]
    return of.schedule.firing(of.seen_until, of.changed_at, moments, lambda: bench.ids.mint(bench.now), bench.now)


async def fire(bench: Bench, *ticks: int, name: str = "often") -> Fired | None:
    """Fire the next ticks, from the state in which the schedule is."""
    return await bench.store.fire(firing(bench, await kept(bench, name), *ticks), bench.now)


async def first(bench: Bench, *ticks: int) -> str:
    """Fire ticks of which exactly one job comes. Gives its id."""
    fired = await fire(bench, *ticks)
    assert fired is not None
    [id] = fired.jobs
    return id


class KeepingSchedules:
    """A schedule is remembered as it was put, with what became of it."""

    async def test_a_schedule_is_read_as_it_was_put(self, bench: Bench) -> None:
        begun = bench.now
        assert await bench.store.schedules() == []
        assert await bench.store.put_schedule(NIGHTLY, begun) is Put.CREATED
        bench.clock.advance(1)
        assert await bench.store.put_schedule(named("a"), bench.now) is Put.CREATED
        assert list(await bench.store.schedules()) == [
            KeptSchedule(schedule=named("a"), seen_until=bench.now, created_at=bench.now, changed_at=bench.now),
            KeptSchedule(schedule=NIGHTLY, seen_until=begun, created_at=begun, changed_at=begun),
        ]

    async def test_putting_it_again_changes_nothing(self, bench: Bench) -> None:
        before = await begin(bench, NIGHTLY)
        bench.clock.advance(1)
        assert await bench.store.put_schedule(NIGHTLY, bench.now) is Put.UNCHANGED
        assert await kept(bench, "nightly") == before

    @pytest.mark.parametrize(
        "change",
        [{"cron": Cron("31 2 * * *")}, {"missed": Missed.ONCE}, {"max_missed": 18}],
        ids=["cron", "missed", "max_missed"],
    )
    async def test_another_expression_or_rule_counts_from_now_on(self, bench: Bench, change: dict[str, Any]) -> None:
        before = await begin(bench, NIGHTLY)
        changed = msgspec.structs.replace(NIGHTLY, **change)
        bench.clock.advance(1)
        assert await bench.store.put_schedule(changed, bench.now) is Put.CHANGED
        expected = msgspec.structs.replace(before, schedule=changed, seen_until=bench.now, changed_at=bench.now)
        assert await kept(bench, "nightly") == expected

    @pytest.mark.parametrize("change", [{"overlap": Overlap.WAIT}, {"order": Order("mail")}], ids=["overlap", "order"])
    async def test_another_job_takes_the_ticks_where_they_are(self, bench: Bench, change: dict[str, Any]) -> None:
        before = await begin(bench, NIGHTLY)
        bench.clock.advance(1)
        changed = msgspec.structs.replace(NIGHTLY, **change)
        assert await bench.store.put_schedule(changed, bench.now) is Put.CHANGED
        expected = msgspec.structs.replace(before, schedule=changed, changed_at=bench.now)
        assert await kept(bench, "nightly") == expected

    async def test_no_tick_comes_back_with_a_change_by_a_clock_that_is_behind(self, bench: Bench) -> None:
        begun = await begin(bench, named())
        await first(bench, 60)
        changed = msgspec.structs.replace(named(), cron=Cron("*/2 * * * *"))
        assert await bench.store.put_schedule(changed, begun.created_at - 1) is Put.CHANGED
        after = await kept(bench)
        assert (after.seen_until, after.changed_at) == (begun.created_at + 60 * MICROS, begun.changed_at + 1)

    async def test_what_code_declares_is_marked(self, bench: Bench) -> None:
        for done in (Put.CREATED, Put.UNCHANGED):
            assert await bench.store.put_schedule(NIGHTLY, bench.now, declared=True) is done
            found = await kept(bench, "nightly")
            assert (found.declared, found.declaration, found.overridden) == (True, NIGHTLY, False)
            assert found.source is Source.CODE

    async def test_what_people_change_stays_until_the_code_changes(self, bench: Bench) -> None:
        first, second, third = (msgspec.structs.replace(NIGHTLY, cron=Cron(f"{n} * * * *")) for n in range(3))
        await bench.store.put_schedule(first, bench.now, declared=True)
        assert await bench.store.put_schedule(second, bench.now) is Put.CHANGED
        assert await bench.store.put_schedule(first, bench.now, declared=True) is Put.UNCHANGED
        found = await kept(bench, "nightly")
        assert (found.schedule, found.declaration, found.declared, found.overridden) == (second, first, True, True)
        assert await bench.store.put_schedule(third, bench.now, declared=True) is Put.CHANGED
        found = await kept(bench, "nightly")
        assert (found.schedule, found.declaration, found.overridden) == (third, third, False)

    async def test_code_takes_over_what_people_put_before(self, bench: Bench) -> None:
        before = await begin(bench, NIGHTLY)
        assert (before.overridden, before.source) == (False, Source.PEOPLE)
        assert await bench.store.put_schedule(NIGHTLY, bench.now, declared=True) is Put.UNCHANGED
        expected = msgspec.structs.replace(before, declared=True, declaration=NIGHTLY)
        assert await kept(bench, "nightly") == expected

    async def test_what_is_declared_no_more_goes_on(self, bench: Bench) -> None:
        await bench.store.put_schedule(named(), bench.now, declared=True)
        await bench.store.undeclare_schedule("often")
        await bench.store.undeclare_schedule("nothing")
        found = await kept(bench)
        assert (found.declared, found.declaration, found.source) == (False, named(), Source.FORMER_CODE)
        assert await fire(bench, 60)
        assert await bench.store.put_schedule(named(), bench.now, declared=True) is Put.UNCHANGED
        assert (await kept(bench)).declared

    async def test_one_that_is_dropped_is_gone(self, bench: Bench) -> None:
        before = await begin(bench, named())
        id = await first(bench, 60)
        assert await bench.store.drop_schedule("often")
        assert not await bench.store.drop_schedule("often")
        assert await bench.store.schedules() == []
        assert await bench.store.fire(firing(bench, before, 120), bench.now) is None
        assert await bench.status(id) is Status.SCHEDULED

    async def test_a_paused_one_does_not_fire(self, bench: Bench) -> None:
        before = await begin(bench, named())
        bench.clock.advance(1)
        for _ in range(2):
            assert await bench.store.pause_schedule("often", True, bench.now)
        assert await bench.store.fire(firing(bench, before, 60), bench.now) is None
        assert await fire(bench, 60) is None
        assert (await kept(bench)).paused
        assert not await bench.store.pause_schedule("nothing", True, bench.now)

    async def test_a_pause_outlasts_what_code_declares(self, bench: Bench) -> None:
        await bench.store.put_schedule(named(), bench.now, declared=True)
        await bench.store.pause_schedule("often", True, bench.now)
        await bench.store.put_schedule(named(queue="other"), bench.now, declared=True)
        assert (await kept(bench)).paused

    async def test_the_ticks_of_a_pause_are_dealt_with(self, bench: Bench) -> None:
        before = await begin(bench, named())
        await bench.store.pause_schedule("often", True, bench.now)
        bench.clock.advance(3600)
        await bench.store.pause_schedule("often", False, bench.now)
        found = await kept(bench)
        assert (found.paused, found.seen_until) == (False, bench.now)
        assert await bench.store.fire(firing(bench, before, 60), bench.now) is None
        await bench.store.pause_schedule("often", False, bench.now + 1)
        assert await kept(bench) == found


class FiringTicks:
    """Of those who fire a tick one is first, and only then there are jobs."""

    async def test_a_tick_becomes_a_job(self, bench: Bench) -> None:
        before = await begin(bench, NIGHTLY)
        bench.clock.advance(61)
        fired = await fire(bench, 60, name="nightly")
        assert fired is not None
        [id] = fired.jobs
        tick = before.created_at + 60 * MICROS
        job = await bench.read(id)
        assert (job.type, job.payload, job.queue, job.priority) == ("echo", '{"n":1}', "mail", 3)
        assert (job.max_attempts, job.tags, job.unique_key) == (7, ("a", "b"), None)
        assert (job.status, job.run_at, job.created_at) == (Status.PENDING, tick, bench.now)
        claimed = await bench.claim_one()
        assert (claimed.id, claimed.timeout, claimed.run_at) == (id, 1.5, tick)
        expected = msgspec.structs.replace(before, seen_until=tick, last_job=id, fired=1)
        assert await kept(bench, "nightly") == expected

    async def test_several_ticks_become_a_job_each_in_order(self, bench: Bench) -> None:
        before = await begin(bench, named())
        bench.clock.advance(200)
        fired = await fire(bench, 60, 120, 180)
        assert fired is not None
        ticks = [(await bench.read(id)).run_at for id in fired.jobs]
        assert ticks == [before.created_at + seconds * MICROS for seconds in (60, 120, 180)]
        found = await kept(bench)
        assert (found.seen_until, found.last_job, found.fired, found.skipped) == (ticks[-1], fired.jobs[-1], 3, 0)

    async def test_a_tick_of_a_clock_that_is_ahead_waits_for_its_time(self, bench: Bench) -> None:
        await begin(bench, named())
        bench.clock.advance(59)
        assert await bench.status(await first(bench, 60)) is Status.SCHEDULED

    async def test_the_jobs_of_ticks_are_told_the_newest_first(self, bench: Bench) -> None:
        assert list(await bench.store.ticks("s", 10)) == []
        asked = firing(bench, await begin(bench, named()), 60, 120)
        fired = await bench.store.fire(asked, bench.now)
        assert fired is not None
        await bench.store.fire(asked, bench.now)
        ticks = [Tick(job.id, job.run_at or 0) for job in asked.jobs]
        name = asked.name
        assert list(await bench.store.ticks(name, 10)) == ticks[::-1]
        later = Tick(await first(bench, 180), ticks[0].due_at + 120 * MICROS)
        assert list(await bench.store.ticks(name, 2)) == [later, ticks[1]]
        assert list(await bench.store.ticks("another", 10)) == []
        await bench.store.drop_schedule(name)
        assert list(await bench.store.ticks(name, 10)) == []

    async def test_of_a_schedule_only_its_latest_ticks_are_remembered(self, bench: Bench) -> None:
        asked = firing(bench, await begin(bench, named()), *range(60, 60 * (TICKS_KEPT + 1), 60))
        assert await bench.store.fire(asked, bench.now) is not None
        last = await first(bench, 60 * (TICKS_KEPT + 1))
        kept = await bench.store.ticks(asked.name, 2 * TICKS_KEPT)
        assert (len(kept), kept[0].job, kept[-1].job) == (TICKS_KEPT, last, asked.jobs[1].id)

    async def test_said_again_it_changes_nothing(self, bench: Bench) -> None:
        asked = firing(bench, await begin(bench, named()), 60, 120)
        fired = await bench.store.fire(asked, bench.now)
        after = await kept(bench)
        assert await bench.store.fire(asked, bench.now) == fired
        assert await kept(bench) == after
        await first(bench, 180)
        assert await bench.store.fire(asked, bench.now) == fired
        assert await bench.totals("created") == [3]

    async def test_of_two_firings_of_a_tick_the_first_one_counts(self, bench: Bench) -> None:
        before = await begin(bench, named())
        one, other = firing(bench, before, 60), firing(bench, before, 60, 120)
        assert await bench.store.fire(one, bench.now) == Fired((one.jobs[0].id,))
        assert await bench.store.fire(other, bench.now) is None
        assert await bench.totals("created") == [1]

    async def test_a_firing_made_before_a_change_is_void(self, bench: Bench) -> None:
        before = await begin(bench, named())
        await bench.store.put_schedule(named(queue="other"), bench.now)
        assert await bench.store.fire(firing(bench, before, 60), bench.now) is None
        assert (await bench.read(await first(bench, 60))).queue == "other"

    async def test_of_two_nodes_one_fires(self, make_harness: Callable[[], Harness]) -> None:
        for seed in range(8):
            harness = make_harness()
            try:
                bench = Bench(harness, await harness.open(), seed)
                await race(bench, await harness.another())
            finally:
                await harness.close()

    async def test_two_nodes_declare_one_schedule_once(self, bench: Bench) -> None:
        other = await bench.harness.another()
        for n in range(8):
            new = named(f"often-{n}")
            puts = [store.put_schedule(new, bench.now, declared=True) for store in (bench.store, other)]
            assert sorted(await asyncio.gather(*puts)) == [Put.CREATED, Put.UNCHANGED]

    async def test_no_queue_is_too_full(self, bench: Bench) -> None:
        await begin(bench, named())
        await bench.insert(bench.job(), max_pending=1)
        assert await first(bench, 60)

    async def test_a_job_whose_unique_key_is_taken_is_left_out(self, bench: Bench) -> None:
        before = await begin(bench, named(unique_key="k"))
        holder = await bench.add(unique_key="k")
        assert await fire(bench, 60) == Fired()
        found = await kept(bench)
        assert (found.last_job, found.fired, found.skipped) == (None, 0, 1)
        await bench.store.cancel(holder, bench.now)
        id = await first(bench, 120, 180)
        found = await kept(bench)
        assert (found.last_job, found.fired, found.skipped) == (id, 1, 2)
        assert found.seen_until == before.created_at + 180 * MICROS


class Overlapping:
    """While the last job of a schedule has not ended, its next tick makes one, none, or waits."""

    async def test_skip_makes_none_while_the_last_job_lives(self, bench: Bench) -> None:
        before = await begin(bench, named(overlap=Overlap.SKIP))
        bench.clock.advance(1000)
        id = await first(bench, 60)
        assert await fire(bench, 120) == Fired()
        job = await bench.claim_one()
        assert await fire(bench, 180) == Fired()
        await bench.finish(job, What.SNOOZED, delay=60.0)
        assert await fire(bench, 240) == Fired()
        found = await kept(bench)
        assert (found.last_job, found.fired, found.skipped) == (id, 1, 3)
        assert found.seen_until == before.created_at + 240 * MICROS
        await bench.store.cancel(id, bench.now)
        assert await first(bench, 300) != id

    async def test_skip_makes_one_of_several_ticks(self, bench: Bench) -> None:
        await begin(bench, named(overlap=Overlap.SKIP))
        await first(bench, 60, 120, 180)
        found = await kept(bench)
        assert (found.fired, found.skipped) == (1, 2)

    @pytest.mark.parametrize("end", [What.DONE, What.FAILED], ids=str)
    async def test_wait_leaves_the_tick_until_the_last_job_has_ended(self, bench: Bench, end: What) -> None:
        await begin(bench, named(overlap=Overlap.WAIT))
        bench.clock.advance(1000)
        id = await first(bench, 60)
        before = await kept(bench)
        assert await fire(bench, 120) == Fired(waits=True)
        job = await bench.claim_one()
        assert await fire(bench, 120) == Fired(waits=True)
        assert await kept(bench) == before
        await bench.finish(job, end, **({"retryable": False} if end is What.FAILED else {}))
        assert await first(bench, 120) != id
        assert (await kept(bench)).skipped == 0

    async def test_allow_asks_for_no_other_job(self, bench: Bench) -> None:
        await begin(bench, named())
        assert await first(bench, 60) != await first(bench, 120)

    async def test_a_job_that_was_pruned_has_ended(self, bench: Bench) -> None:
        await begin(bench, named(overlap=Overlap.WAIT))
        bench.clock.advance(1000)
        await first(bench, 60)
        await bench.finish(await bench.claim_one())
        bench.clock.advance(10_000_000)
        while await bench.store.prune(bench.now, 10) or bench.store.prunes_on():
            pass
        assert await first(bench, 120)

    async def test_the_jobs_of_others_do_not_count(self, bench: Bench) -> None:
        await begin(bench, named(overlap=Overlap.WAIT))
        await begin(bench, named("other", overlap=Overlap.WAIT))
        await bench.add()
        assert await first(bench, 60)
        fired = await fire(bench, 60, name="other")
        assert fired is not None
        assert fired.jobs


async def race(bench: Bench, other: Store) -> None:
    """Two nodes fire the same tick at the same time."""
    before = await begin(bench, named())
    firings = [firing(bench, before, 60) for _ in range(2)]
    answers = await asyncio.gather(bench.store.fire(firings[0], bench.now), other.fire(firings[1], bench.now))
    stored = [answer.jobs for answer in answers if answer is not None]
    assert len(stored) == 1
    assert await bench.totals("created") == [1]
    assert ((await kept(bench)).last_job,) == stored[0]
