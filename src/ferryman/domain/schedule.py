"""A schedule: jobs that are enqueued at the ticks of a cron expression, and what happens when they would overlap.

Whoever finds a tick due makes the jobs for it and hands them to the store, which takes them once (see
`store.scheduling`). Everything that has to be judged on the way is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from ferryman.domain import options
from ferryman.domain.cron import ALL_MOST, Cron, Missed, due
from ferryman.domain.job import MAX_ATTEMPTS_DEFAULT, PRIORITY_DEFAULT, QUEUE_DEFAULT, NewJob
from ferryman.domain.keys import GateRule

MISSED_MOST: Final = 1000
"""How many missed ticks a schedule may make up for; they become jobs in one commit."""


class Overlap(StrEnum):
    """What becomes of a tick while the last job of its schedule has not ended."""

    ALLOW = "allow"
    SKIP = "skip"
    WAIT = "wait"


class Order(msgspec.Struct, frozen=True):
    """What each tick enqueues: a job without id and times. Each field is one that a `NewJob` has, too."""

    type: str
    payload: str = "{}"
    queue: str = QUEUE_DEFAULT
    priority: int = PRIORITY_DEFAULT
    max_attempts: int = MAX_ATTEMPTS_DEFAULT
    timeout: float | None = None
    unique_key: str | None = None
    tags: tuple[str, ...] = ()
    key: str | None = None
    gate: GateRule | None = None

    def job(self, id: str, now: int, tick: int) -> NewJob:
        """The job for a tick, whose run_at says which one it was."""
        return NewJob(id=id, created_at=now, run_at=tick, **msgspec.structs.asdict(self))


class Schedule(msgspec.Struct, frozen=True):
    """Which jobs are enqueued when, under a name."""

    name: str
    cron: Cron
    order: Order
    missed: Missed = Missed.SKIP
    max_missed: int = ALL_MOST
    """For `Missed.ALL`: how many missed ticks are made up for, the latest."""
    overlap: Overlap = Overlap.ALLOW

    def check(self) -> None:
        """Refuse what no store should keep; the order was checked as a job is.

        Raises:
            BadSchedule: the expression, or its time zone.
            BadOption: the name, or how many missed ticks count.
        """
        schedule_name(self.name)
        options.whole("max_missed", self.max_missed, MISSED_MOST)
        self.cron.check()

    def due(self, seen: int, now: int) -> list[int]:
        """The ticks to hand in now, in order; one that is to wait for the job before it is handed in alone.

        Args:
            seen: every tick up to this time is dealt with.
            now: the store's time.

        Raises:
            BadSchedule: see `Cron.check`.
        """
        ticks = due(self.cron, seen, now, self.missed, self.max_missed)
        return ticks[:1] if self.overlap is Overlap.WAIT else ticks

    def firing(self, seen: int, changed_at: int, ticks: Sequence[int], mint: Callable[[], str], now: int) -> Firing:
        """What to hand to the store for ticks that are due."""
        jobs = [self.order.job(mint(), now, tick) for tick in ticks]
        return Firing(self.name, seen, changed_at, ticks[-1], jobs)


class Firing(msgspec.Struct, frozen=True):
    """The jobs for the next ticks of a schedule, and of which state of it they are the next."""

    name: str
    seen: int
    """Up to when its ticks were dealt with."""
    changed_at: int
    """When it was last changed."""
    until: int
    """Up to when they are dealt with now."""
    jobs: list[NewJob]
    """One for each tick, in order."""


def schedule_name(value: object) -> str:
    """The name of a schedule. Raises BadOption."""
    return options.name_of("name", value)
