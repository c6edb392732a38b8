"""What charts are made of: samples of what happened, timings of nodes, and what is kept of them as they grow old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ferryman.domain.buckets import Buckets
from ferryman.domain.charts import Series, chart
from ferryman.domain.outcome import What
from ferryman.domain.series import HOUR, HOURS_KEPT, MINUTE, MINUTES_KEPT, By, Period, Timing, Which
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench

EVERY: Final = Which()
FEW: Final[Buckets] = {3: 1}
MORE: Final[Buckets] = {3: 2, 40: 5}


def a_minute(bench: Bench) -> int:
    """The end of the minute that is under way, to which the clock is set."""
    end = -(-bench.now // MINUTE) * MINUTE or MINUTE
    bench.clock.advance((end - bench.now) / 1_000_000)
    return end


async def sampled(bench: Bench, *timings: Timing, node: int = 1) -> int:
    """Take the sample of the minute under way, which nobody may have taken before; gives its end."""
    at = a_minute(bench)
    assert await bench.store.sample(at, node, timings)
    bench.clock.advance(1)
    return at


async def lines(bench: Bench, period: Period, by: By = By.BOTH, which: Which = EVERY) -> dict[str, Series]:
    """The lines of a period, by queue and type."""
    stats = chart(period, await bench.store.sampled(period, which), by)
    return {f"{each.queue}/{each.type}": each for each in stats.series}


async def only(bench: Bench, period: Period) -> Series:
    """Everything in one line."""
    [line] = (await lines(bench, period, By.NONE)).values()
    return line


async def since(bench: Bench, period: Period) -> Sequence[int | None]:
    """When the sample before each step was taken."""
    return chart(period, await bench.store.sampled(period, EVERY), By.NONE).since


class Sampling:
    """Each event is in one step, and each step says since when it counts."""

    async def test_what_happens_between_two_samples_is_their_difference(self, bench: Bench) -> None:
        await bench.add()
        start = await sampled(bench)
        await bench.finish(await bench.claim_one())
        await bench.add("mail", queue="post")
        await bench.add("mail", queue="post", run_at=bench.now + HOUR)
        end = await sampled(bench)
        assert end == start + MINUTE
        found = await lines(bench, Period(start - MINUTE, end, MINUTE))
        assert found["default/echo"].enqueued == [1, 0]
        assert found["default/echo"].completed == [0, 1]
        assert found["default/echo"].pending == [1, 0]
        assert found["post/mail"].enqueued == [0, 2]
        assert found["post/mail"].pending == [0, 1]

    async def test_every_kind_of_event_is_told(self, bench: Bench) -> None:
        start = await sampled(bench)
        await bench.bring(Status.COMPLETED)
        await bench.bring(Status.FAILED)
        await bench.bring(Status.CANCELLED)
        await bench.finish(await bench.start(), What.FAILED, delay=60.0)
        await bench.finish(await bench.start(), What.LOST)
        end = await sampled(bench)
        line = await only(bench, Period(start, end, MINUTE))
        told = (line.enqueued, line.completed, line.failed, line.cancelled, line.retried, line.rescued, line.pending)
        assert told == ([5], [1], [1], [1], [1], [1], [1])

    async def test_a_minute_is_sampled_once(self, bench: Bench) -> None:
        start = await sampled(bench)
        await bench.add()
        end = await sampled(bench)
        await bench.add()
        assert not await bench.store.sample(end, 2, [])
        assert not await bench.store.sample(start, 2, [])
        assert (await only(bench, Period(start, end, MINUTE))).enqueued == [1]
        last = await sampled(bench)
        assert (await only(bench, Period(start, last, MINUTE))).enqueued == [1, 1]

    async def test_a_step_without_a_sample_is_empty_and_the_next_one_has_what_happened_in_it(
        self, bench: Bench
    ) -> None:
        start = await sampled(bench)
        await bench.add()
        bench.clock.advance(120)
        end = await sampled(bench)
        assert end == start + 3 * MINUTE
        period = Period(start, end, MINUTE)
        assert await since(bench, period) == [None, None, start]
        assert (await only(bench, period)).enqueued == [None, None, 1]

    async def test_the_first_sample_has_all_since_the_store_began_to_take_them(self, bench: Bench) -> None:
        await bench.add()
        end = await sampled(bench)
        period = Period(end - 2 * MINUTE, end, MINUTE)
        assert await since(bench, period) == [None, 0]
        assert (await only(bench, period)).enqueued == [None, 1]

    async def test_what_was_before_the_period_is_not_in_it(self, bench: Bench) -> None:
        await bench.add()
        [*_, start] = [await sampled(bench) for _ in range(3)]
        await bench.add()
        end = await sampled(bench)
        line = await only(bench, Period(start, end, MINUTE))
        assert (line.enqueued, line.pending) == ([1], [2])

    async def test_what_is_after_the_period_is_not_in_it_either(self, bench: Bench) -> None:
        start = await sampled(bench)
        end = await sampled(bench)
        await bench.add()
        later = await sampled(bench, Timing("default", "echo", end + MINUTE, FEW, FEW))
        assert later == end + MINUTE
        line = await only(bench, Period(start, end, MINUTE))
        assert (line.enqueued, line.pending, line.run.count) == ([0], [0], [0])

    async def test_long_steps_have_the_sum_of_their_minutes(self, bench: Bench) -> None:
        start = await sampled(bench)
        end = start + 6 * MINUTE
        for _ in range(6):
            await bench.add()
            await sampled(bench)
        found = await bench.store.sampled(Period(start, end, 3 * MINUTE), EVERY)
        line = chart(Period(start, end, 3 * MINUTE), found, By.NONE).series[0]
        assert (line.enqueued, line.pending) == ([3, 3], [3, 6])

    async def test_only_what_is_asked_for_is_told(self, bench: Bench) -> None:
        start = await sampled(bench)
        for queue, type in (("a", "echo"), ("a", "mail"), ("b", "echo"), ("c", "echo")):
            await bench.add(type, queue=queue)
        timings = [Timing(queue, "echo", start + MINUTE, FEW, FEW) for queue in "abc"]
        end = await sampled(bench, *timings)
        period = Period(start, end, MINUTE)
        assert set(await lines(bench, period, which=Which(queue="a"))) == {"a/echo", "a/mail"}
        assert set(await lines(bench, period, which=Which(type="mail"))) == {"a/mail"}
        limited = await lines(bench, period, which=Which(type="echo", queues=frozenset("bc")))
        assert {name: line.run.count for name, line in limited.items()} == {"b/echo": [1], "c/echo": [1]}
        assert await lines(bench, period, which=Which(queues=frozenset())) == {}


class Timings:
    """What nodes have timed adds up, however often they say it."""

    async def test_the_timings_of_all_nodes_are_told(self, bench: Bench) -> None:
        start = await sampled(bench)
        end = start + MINUTE
        await bench.store.sample(end, 1, [Timing("default", "echo", end, FEW, FEW)])
        await bench.store.sample(end, 2, [Timing("default", "echo", end, {}, MORE)])
        line = await only(bench, Period(start, end, MINUTE))
        assert (line.wait.count, line.run.count) == ([1], [8])
        assert (line.run.p50, line.run.p99) == ([49e-6], [49e-6])

    async def test_said_again_a_timing_replaces_itself(self, bench: Bench) -> None:
        start = await sampled(bench)
        end = start + MINUTE
        for buckets in (MORE, FEW, FEW):
            await bench.store.sample(end, 1, [Timing("default", "echo", end, buckets, buckets)])
        assert (await only(bench, Period(start, end, MINUTE))).run.count == [1]

    async def test_a_timing_belongs_to_the_step_in_which_its_minute_ends(self, bench: Bench) -> None:
        start = await sampled(bench)
        ends = [start + MINUTE, start + 2 * MINUTE]
        await bench.store.sample(ends[0], 1, [Timing("default", "echo", at, FEW, FEW) for at in (start, *ends)])
        assert (await only(bench, Period(start, ends[1], MINUTE))).run.count == [1, 1]


class GrowingOld:
    """Hours stand for minutes that are old, nothing for hours that are."""

    async def test_an_hour_stands_for_its_minutes_once_they_are_old(self, bench: Bench) -> None:
        start = await self.two_hours(bench)
        period = Period(start, start + 2 * HOUR, HOUR)
        before = await only(bench, period)
        minutes = await since(bench, Period(start, start + HOUR, 30 * MINUTE))
        assert (before.enqueued, before.run.count) == ([2, 2], [2, 2])
        assert None not in minutes
        await self.pruned_at(bench, start + MINUTES_KEPT + 2 * HOUR)
        assert await only(bench, period) == before
        assert await since(bench, Period(start, start + HOUR, 30 * MINUTE)) == [None, start]
        kept = await bench.store.sampled(Period(start, start + 2 * HOUR, MINUTE), EVERY)
        assert sorted(each.at for each in kept.timings) == [start + HOUR, start + 2 * HOUR]

    async def test_minutes_that_are_not_old_stay(self, bench: Bench) -> None:
        start = await self.two_hours(bench)
        await self.pruned_at(bench, start + MINUTES_KEPT + 2 * HOUR - MINUTE)
        assert await since(bench, Period(start, start + HOUR, 30 * MINUTE)) == [None, start]
        halves = Period(start + HOUR, start + 2 * HOUR, 30 * MINUTE)
        assert await since(bench, halves) == [start + HOUR, start + HOUR + 30 * MINUTE]
        assert (await only(bench, halves)).run.count == [1, 1]

    async def test_what_is_folded_late_is_added_to_its_hour(self, bench: Bench) -> None:
        start = await self.two_hours(bench)
        now = start + MINUTES_KEPT + 2 * HOUR
        await self.pruned_at(bench, now)
        await bench.store.sample(start + HOUR, 1, [Timing("default", "echo", start + MINUTE, MORE, MORE)])
        await self.pruned_at(bench, now + HOUR)
        assert (await only(bench, Period(start, start + 2 * HOUR, HOUR))).run.count == [9, 2]

    async def test_what_has_happened_since_is_right_when_the_hours_are_gone(self, bench: Bench) -> None:
        start = await self.two_hours(bench)
        now = start + HOURS_KEPT + 3 * HOUR
        bench.clock.advance((now - bench.now) / 1_000_000)
        await bench.add()
        await bench.add("mail")
        assert await bench.store.sample(now, 1, [Timing("default", "echo", now, FEW, FEW)])
        await self.pruned_at(bench, now)
        period = Period(start, now, HOUR)
        found = await lines(bench, period)
        assert [count for count in found["default/echo"].enqueued if count is not None] == [1]
        assert [count for count in found["default/mail"].enqueued if count is not None] == [1]
        assert sum(found["default/echo"].run.count) == 1
        assert [at for at in await since(bench, period) if at is not None] == [start + 2 * HOUR]

    async def two_hours(self, bench: Bench) -> int:
        """Two hours with a job and a timing in each half of both; gives their start."""
        start = -(-bench.now // HOUR) * HOUR + HOUR
        bench.clock.advance((start - bench.now) / 1_000_000)
        await bench.store.sample(start, 1, [])
        for half in range(1, 5):
            bench.clock.advance(1800)
            await bench.add()
            at = start + half * 30 * MINUTE
            assert await bench.store.sample(at, 1, [Timing("default", "echo", at, FEW, FEW)])
        return start

    async def pruned_at(self, bench: Bench, now: int) -> None:
        """Prune until nothing is left to do."""
        for _ in range(10):
            await bench.store.prune(now, 100)
