"""fire: each tick of a schedule is dealt with once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.outcome import What
from ferryman.domain.schedule import Overlap
from ferryman.domain.state import Status
from ferryman.store.protocol import Store
from ferryman.store.scheduling import TICKS_KEPT, Fired, Put, Tick
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.harness import Harness
from ferryman.testing.conformance.scheduling import NIGHTLY, begin, fire, firing, first, kept, named


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
