"""What people and schedules do to jobs with keys: their gates hold all the same."""

from __future__ import annotations

from typing import Any, Final

from ferryman.domain.cron import Cron
from ferryman.domain.job import MICROS, AfterCrashes
from ferryman.domain.keys import GateRule
from ferryman.domain.schedule import Order, Schedule
from ferryman.domain.state import Status
from ferryman.store.controlling import Placement
from ferryman.store.protocol import Declaration
from ferryman.testing.conformance.bench import HOUR, TYPES, Bench

ONE = GateRule(concurrency=1)
SEQUENCE = GateRule(strict=True)
KEYED: Final[dict[str, Any]] = {"key": "k", "gate": ONE}


class ControllingKeys:
    """place, cancel_waiting, retry at a time, fire, and jobs that crash."""

    async def test_a_job_with_a_key_is_not_moved(self, bench: Bench) -> None:
        ids = [await bench.add(**KEYED) for _ in range(2)]
        ids.append(await bench.add(run_at=bench.now + round(HOUR * MICROS), **KEYED))
        before = [await bench.read(id) for id in ids]
        met = await bench.store.place(ids, Placement(queue="other", run_at=bench.now), bench.now)
        assert met == dict.fromkeys(ids, Status.WAITING)
        assert [await bench.read(id) for id in ids] == before

    async def test_one_that_runs_or_has_ended_is_told_of_as_it_is(self, bench: Bench) -> None:
        job = await bench.start(**KEYED)
        assert await bench.store.place([job.id], Placement(priority=1), bench.now) == {job.id: Status.PROCESSING}
        await bench.finish(job)
        assert await bench.store.place([job.id], Placement(priority=1), bench.now) == {job.id: Status.COMPLETED}

    async def test_a_purge_makes_room(self, bench: Bench) -> None:
        first, second, third = [await bench.add(**KEYED) for _ in range(3)]
        assert list(await bench.store.cancel_waiting([first, third], bench.now)) == [first, third]
        assert [await bench.status(id) for id in (first, second, third)] == [
            Status.CANCELLED,
            Status.PENDING,
            Status.CANCELLED,
        ]

    async def test_a_retry_for_a_time_comes_before_the_gate_when_it_is_due(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED, **KEYED)
        await bench.store.retry(id, bench.now, bench.now + 60 * MICROS)
        other = await bench.add(**KEYED)
        bench.clock.advance(60)
        await bench.store.promote(bench.now, 10)
        assert [await bench.status(each) for each in (id, other)] == [Status.WAITING, Status.PENDING]

    async def test_a_sequence_waits_for_one_that_is_retried_for_a_time(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED, key="k", gate=SEQUENCE)
        behind = await bench.add(key="k", gate=SEQUENCE)
        await bench.store.retry(id, bench.now, bench.now + 60 * MICROS)
        key = await bench.store.key("k")
        assert key is not None
        assert (key.slots, key.waiting, key.held_by) == (1, 1, ())
        bench.clock.advance(60)
        await bench.store.promote(bench.now, 10)
        assert [await bench.status(each) for each in (id, behind)] == [Status.PENDING, Status.WAITING]

    async def test_a_schedule_fires_before_the_gate(self, bench: Bench) -> None:
        held = await bench.add(**KEYED)
        order = Order("echo", key="k", gate=ONE)
        schedule = Schedule("s", Cron("* * * * *"), order)
        await bench.store.put_schedule(schedule, bench.now)
        (kept,) = await bench.store.schedules()
        assert kept.schedule == schedule
        bench.clock.advance(60)
        ticks = schedule.due(kept.seen_until, bench.now)
        firing = schedule.firing(kept.seen_until, kept.changed_at, ticks, lambda: bench.ids.mint(bench.now), bench.now)
        fired = await bench.store.fire(firing, bench.now)
        assert fired is not None
        (id,) = fired.jobs
        assert await bench.status(id) is Status.WAITING
        await bench.store.cancel(held, bench.now)
        assert await bench.status(id) is Status.PENDING

    async def test_a_job_that_crashes_too_often_keeps_its_key(self, bench: Bench) -> None:
        declared = {"echo": Declaration(after_crashes=AfterCrashes(1, "poison"))}
        node = await bench.node(types=TYPES, declared=declared)
        rated = GateRule(rate=1.0, burst=1)
        id = await bench.add(key="k", gate=rated)
        await bench.claim_one(node)
        await bench.bury(node)
        assert ((await bench.read(id)).queue, await bench.status(id)) == ("poison", Status.WAITING)
        bench.clock.advance(5)
        await bench.store.admit(bench.now, 10)
        assert ((await bench.read(id)).queue, await bench.status(id)) == ("poison", Status.PENDING)
        counts = await bench.counts()
        assert {place: count for place, count in counts.standing.items() if count} == {("poison", Status.PENDING): 1}

    async def test_what_stands_before_a_job_names_its_key(self, bench: Bench) -> None:
        await bench.add(**KEYED)
        id = await bench.add(**KEYED)
        told = await bench.store.whereabouts(id)
        assert told is not None
        assert told.key == await bench.store.key("k")
        plain = await bench.store.whereabouts(await bench.add())
        assert plain is not None
        assert plain.key is None
