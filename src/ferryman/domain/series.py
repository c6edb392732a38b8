"""Series of points in time, as charts draw them: how many jobs came, ended and waited in each step, and how long.

They are made of two kinds of rows. A *sample* is what the store had counted of one queue and type when a minute ended.
It counts since ever, so what happened between two samples is their difference, and nothing is lost by one that was not
taken: the next one has it. A sample like the one before is left out. A *timing* is how long the runs waited and took
that one node ended in a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from ferryman.domain.buckets import Buckets
from ferryman.domain.errors import BadParameter
from ferryman.domain.job import MICROS
from ferryman.domain.moments import write_moment

MINUTE: Final = 60 * MICROS
HOUR: Final = 60 * MINUTE
MINUTES_KEPT: Final = 48 * HOUR
"""For how long each minute is kept, in microseconds; then its hour stands for it."""
HOURS_KEPT: Final = 90 * 24 * HOUR
"""For how long the hours are."""
STEPS: Final = (60, 300, 900, 3600, 10_800, 21_600, 86_400)
"""How far apart points may be, in seconds."""
POINTS: Final = 300
"""Where nobody says how far apart they are, a line has at most so many points."""
POINTS_MOST: Final = 1500
LINES_MOST: Final = 50


class By(StrEnum):
    """What has a line of its own."""

    NONE = "none"
    QUEUE = "queue"
    TYPE = "type"
    BOTH = "both"

    def line_of(self, queue: str, type: str) -> tuple[str | None, str | None]:
        """The (queue, type) of the line that jobs of a queue and a type belong to; None where it holds all of them."""
        match self:
            case By.NONE:
                return None, None
            case By.QUEUE:
                return queue, None
            case By.TYPE:
                return None, type
            case _:
                return queue, type


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What had happened to jobs of a queue and a type by the end of a minute, and how many were pending then."""

    queue: str
    type: str
    at: int
    created: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    retried: int = 0
    rescued: int = 0
    pending: int = 0


class Timing(msgspec.Struct, frozen=True, array_like=True):
    """How long the runs of a queue and a type waited and took that a node ended in the minute before `at`."""

    queue: str
    type: str
    at: int
    waits: Buckets
    runs: Buckets


class Period(msgspec.Struct, frozen=True):
    """From when to when, in steps of how many microseconds. Both ends are ends of steps."""

    start: int
    end: int
    step: int

    @property
    def edges(self) -> Sequence[int]:
        """Where the steps begin, and where the last one ends."""
        return range(self.start, self.end + 1, self.step)


class Which(msgspec.Struct, frozen=True):
    """Of which jobs; None is of any."""

    queue: str | None = None
    type: str | None = None
    queues: frozenset[str] | None = None
    """Those that whoever asks may see."""

    def fits(self, queue: str, type: str) -> bool:
        """Whether jobs of a queue and a type are meant."""
        return (
            self.queue in (None, queue)
            and self.type in (None, type)
            and (self.queues is None or queue in self.queues)
        )  # fmt: skip


class Kept(msgspec.Struct, frozen=True):
    """What a store has of a period."""

    moments: Sequence[int]
    """When samples were taken: the last time up to the start of the period, and the last in each step; ascending."""
    samples: Sequence[Sample]
    """Likewise of each queue and type, where there is one."""
    timings: Sequence[Timing]
    """All in the period."""


def period(now: int, start: int | None = None, end: int | None = None, step: int | None = None) -> Period:
    """The whole steps that cover what is asked for, as far as anything of it is kept.

    Args:
        now: microseconds; nothing after it is in the period.
        start: an hour before the end where nobody says.
        end: the last full minute where nobody says.
        step: seconds; the next longer one of `STEPS` is taken. It grows where a line would have more than `POINTS_MOST`
            points, and where the minutes are not kept any longer.

    Raises:
        BadParameter: the period ends before it begins, or nothing of it is kept.
    """
    last = now // MINUTE * MINUTE if end is None else min(end, now)
    first = max(last - HOUR if start is None else start, now - HOURS_KEPT)
    if first >= last:
        raise BadParameter(
            f"There are no statistics from {write_moment(first)} to {write_moment(last)}.",
            why="They reach from 90 days ago until now, and a period ends after it begins.",
            hint="Leave the end out for now, and the beginning for an hour before the end.",
        )
    wide = _step(last - first, POINTS if step is None else POINTS_MOST)
    at_least = max(wide, step or 0, HOUR // MICROS if first < now - MINUTES_KEPT else 0)
    chosen = next((each for each in STEPS if each >= at_least), STEPS[-1]) * MICROS
    return Period(first // chosen * chosen, -(-last // chosen) * chosen, chosen)


def _step(micros: int, points: int) -> int:
    """The shortest step, in seconds, by which a stretch of time has no more points than that."""
    return next(each for each in STEPS if micros <= each * MICROS * points)


def hour_of(at: int) -> int:
    """The end of the hour that a minute is in which ended then."""
    return -(-at // HOUR) * HOUR


def minutes_until(now: int) -> int:
    """The end of the last hour whose minutes are not kept any longer."""
    return (now - MINUTES_KEPT) // HOUR * HOUR
