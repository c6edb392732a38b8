"""A week of three nodes whose clocks differ, each killed again and again as it fires: every instant fires once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

import pytest

from ferryman.domain.cron import Ambiguous, Cron, Missed
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.domain.schedule import Firing, Order, Schedule
from ferryman.engine import firing
from ferryman.engine.firing import FireSchedules
from ferryman.engine.wakeup import LocalWakeup
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Retention
from ferryman.store.scheduling import Fired, KeptSchedule
from ferryman.testing.virtual_loop import VirtualLoop
from tests.engine.world import pause

WEEK: Final = 7 * 24 * 3600.0
SKEW: Final = 2.0
NODES: Final = 3
CRONS: Final = (
    Cron("*/7 * * * *"),
    Cron("0 * * * *", "Europe/Berlin"),
    Cron("30 1 * * *", "America/New_York", Ambiguous.BOTH),
    Cron("30 2 * * *", "Europe/Berlin"),
    Cron("0 0 * * MON-FRI", "Australia/Lord_Howe"),
    Cron("15,45 30 9 * * *"),
)


class Killed(BaseException):
    """The node's process ended; nothing in it hears of that."""


class Times:
    """The store's time as everybody would have it, and as one node does."""

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: int, skew: float = 0.0) -> None:
        self._loop = loop
        self._begin = begin
        self.skew = skew

    def now(self) -> int:
        return self._begin + round((self._loop.time() + self.skew) * MICROS)

    def monotonic(self) -> float:
        return self._loop.time()


class Way:
    """One node's way to the store: it takes time, and the node may be killed before or after the store has fired."""

    def __init__(self, store: MemoryStore, dice: random.Random, deaths: list[str]) -> None:
        self._store = store
        self._dice = dice
        self._deaths = deaths

    async def schedules(self) -> Sequence[KeptSchedule]:
        found = await self._store.schedules()
        await pause(self._dice.uniform(0.0, 0.05))
        return found

    async def fire(self, asked: Firing, now: int) -> Fired | None:
        await pause(self._dice.uniform(0.0, 0.05))
        self._maybe_die("before")
        fired = await self._store.fire(asked, now)
        await pause(self._dice.uniform(0.0, 0.05))
        self._maybe_die("after" if fired else "late")
        return fired

    def _maybe_die(self, when: str) -> None:
        if self._dice.random() < 0.2:
            self._deaths.append(when)
            raise Killed


async def node(store: MemoryStore, clock: Times, dice: random.Random, deaths: list[str]) -> None:
    """One life after the other, each by another clock."""
    while True:
        clock.skew = dice.uniform(-SKEW, SKEW)
        way, ids = Way(store, dice, deaths), IdMinter(random.Random(dice.getrandbits(64)))
        fires = FireSchedules(way, clock, ids, LocalWakeup(), Events())  # type: ignore[arg-type]
        try:
            while True:
                await pause(await fires.step())
        except Killed:
            await pause(dice.uniform(0.0, 90.0))


async def week(begin: int, seed: int) -> tuple[MemoryStore, list[str]]:
    """What the store holds after a week, and when nodes died."""
    loop = asyncio.get_running_loop()
    dice, deaths, right = random.Random(seed), list[str](), Times(loop, begin)
    store = MemoryStore(right, IdMinter(dice), Retention(1 << 62, 1 << 62, 1 << 62))
    for n, cron in enumerate(CRONS):
        await store.put_schedule(Schedule(f"s{n}", cron, Order("t", queue=f"s{n}"), Missed.ALL), begin)
    clocks = [Times(loop, begin) for _ in range(NODES)]
    nodes = [loop.create_task(node(store, clock, random.Random(dice.getrandbits(64)), deaths)) for clock in clocks]
    await pause(WEEK)
    for each in nodes:
        each.cancel()
    await asyncio.wait(nodes)
    return store, deaths


@pytest.mark.parametrize("first_day", ["2026-03-05", "2026-03-26", "2026-10-22", "2026-10-29"])
def test_each_instant_of_a_week_fires_once(first_day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among the weeks are those in which New York, Berlin and Lord Howe set their clocks."""
    # others neither put nor change a schedule here, so that nobody need look for that every two seconds
    monkeypatch.setattr(firing, "LOOK", 120.0)
    begin = round(datetime.fromisoformat(first_day).replace(tzinfo=UTC).timestamp()) * MICROS
    end = begin + round(WEEK * MICROS)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(2 * WEEK)) as runner:
        store, deaths = runner.run(week(begin, seed=len(first_day) + begin))
    jobs = [row.job for row in store._tables.jobs.values()]
    for n, cron in enumerate(CRONS):
        # the last ones may be under way still
        due = list(takewhile(lambda tick: tick <= end - 300 * MICROS, cron.ticks(begin)))
        fired = [job.run_at or 0 for job in jobs if job.queue == f"s{n}"]
        assert fired[: len(due)] == due, cron
        assert len(fired) == len(set(fired)), cron
        assert len(due) > 4
    assert all((job.run_at or 0) <= job.created_at for job in jobs), "by the clock of who fired"
    assert {"before", "after", "late"} <= set(deaths)
    assert len(deaths) > 100
