"""Every minute is sampled, and every run that ends is timed once."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from ferryman.domain.buckets import bucket_of
from ferryman.domain.errors import StoreFailed
from ferryman.domain.events import Ended, JobsRescued, RunsEnded, WritesFenced
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob, Lane
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.series import MINUTE, Timing
from ferryman.engine import sampling
from ferryman.engine.sampling import Sampler
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Retention
from ferryman.testing.clock import ManualClock

pytestmark = pytest.mark.anyio
START = 1000 * MINUTE
NODE = 7
Said = tuple[int, int, list[Timing]]


class Noting(MemoryStore):
    """A store that says what it was told, and fails when it is to."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, IdMinter(random.Random(0)), Retention(1, 1, 1))
        self.said: list[Said] = []
        self.fails = False

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        self.said.append((at, node, list(timings)))
        if self.fails:
            raise StoreFailed("The disk is full.")
        return await super().sample(at, node, timings)


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.store = Noting(self.clock)
        self.sampler = Sampler(self.store, self.clock, lambda: NODE)

    def end(self, *, queue: str = "q", priority: int = 5, number: int = 1, started: bool = True) -> None:
        """A run that waited two seconds and took one."""
        now = self.clock.now()
        lane, created = Lane(queue, "t", priority), now - 3 * MICROS
        job = ClaimedJob("i", number, 1, 0, 0, 1, lane, "{}", 5, None, created, None, None, None, ())
        run = Run(1, 1, now - MICROS if started else None)
        outcome = Outcome(What.DONE, "1") if started else Outcome(What.RELEASED)
        self.sampler.listen(RunsEnded([Ended(job, outcome, decide(job, outcome, run, now))]))


ONE = {bucket_of(MICROS): 1}
TWO = {bucket_of(2 * MICROS): 1}


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_ended_belongs_to_the_minute_that_is_over(bench: Bench) -> None:
    assert await bench.sampler.step() == 60.0
    bench.clock.advance(20)
    bench.end()
    assert await bench.sampler.step() == 40.0
    bench.clock.advance(40)
    assert await bench.sampler.step() == 60.0
    end = START + MINUTE
    assert bench.store.said == [(START, NODE, []), (START, NODE, []), (end, NODE, [Timing("q", "t", end, TWO, ONE)])]


async def test_runs_of_all_priorities_are_one_timing_and_later_claims_did_not_wait(bench: Bench) -> None:
    bench.end()
    bench.end(priority=1)
    bench.end(number=2)
    bench.end(queue="r")
    await bench.sampler.step()
    [(_, _, timings)] = bench.store.said
    both, all_three = {bucket_of(2 * MICROS): 2}, {bucket_of(MICROS): 3}
    assert timings == [Timing("q", "t", START, both, all_three), Timing("r", "t", START, TWO, ONE)]


async def test_what_did_not_start_or_was_fenced_is_not_timed(bench: Bench) -> None:
    bench.end(started=False)
    bench.sampler.listen(WritesFenced([]))
    bench.sampler.listen(JobsRescued("n", 1))
    await bench.sampler.step()
    assert bench.store.said == [(START, NODE, [])]


async def test_a_minute_that_could_not_be_written_is_said_again_as_it_was(bench: Bench) -> None:
    bench.end()
    bench.store.fails = True
    with pytest.raises(StoreFailed):
        await bench.sampler.step()
    bench.end()
    bench.store.fails = False
    bench.clock.advance(1)
    await bench.sampler.step()
    first, second = bench.store.said
    assert first == second == (START, NODE, [Timing("q", "t", START, TWO, ONE)])
    bench.clock.advance(59)
    await bench.sampler.step()
    assert bench.store.said[-1] == (START + MINUTE, NODE, [Timing("q", "t", START + MINUTE, TWO, ONE)])


async def test_a_clock_that_went_back_does_not_write_over_a_minute(bench: Bench) -> None:
    bench.end()
    await bench.sampler.step()
    bench.end()
    bench.clock.jump(-120)
    await bench.sampler.step()
    assert bench.store.said[-1] == (START - 2 * MINUTE, NODE, [])
    bench.clock.jump(180)
    await bench.sampler.step()
    assert bench.store.said[-1][2] == [Timing("q", "t", START + MINUTE, TWO, ONE)]


async def test_the_stop_writes_the_minute_that_is_under_way(bench: Bench) -> None:
    await bench.sampler.step()
    bench.clock.advance(30)
    bench.end()
    await bench.sampler.stop()
    await bench.sampler.stop()
    timing = Timing("q", "t", START + MINUTE, TWO, ONE)
    assert bench.store.said == [(START, NODE, []), (START, NODE, [timing])]


async def test_a_stop_that_cannot_write_goes_on(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.end()
    bench.store.fails = True
    await bench.sampler.stop()
    assert "last timings" in caplog.text


async def test_more_lanes_than_can_be_kept_are_not_timed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "LANES_MOST", 2)
    for queue in "abca":
        bench.end(queue=queue)
    await bench.sampler.step()
    [(_, _, timings)] = bench.store.said
    assert [(each.queue, sum(each.runs.values())) for each in timings] == [("a", 2), ("b", 1)]


async def test_what_piles_up_is_counted_before_a_minute_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "PILE", 3)
    for _ in range(7):
        bench.end()
    await bench.sampler.step()
    [(_, _, [timing])] = bench.store.said
    assert (timing.waits, timing.runs) == ({bucket_of(2 * MICROS): 7}, {bucket_of(MICROS): 7})
