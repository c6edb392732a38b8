"""put, pause and drop: schedules are remembered, with what became of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ferryman.domain.cron import Ambiguous, Cron, Missed, Nonexistent
from ferryman.domain.job import MICROS
from ferryman.domain.schedule import Firing, Order, Overlap, Schedule
from ferryman.domain.state import Status
from ferryman.store.scheduling import Fired, KeptSchedule, Put, Source
from ferryman.testing.conformance.bench import Bench

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
