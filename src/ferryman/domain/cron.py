"""When a cron expression fires: wall times of a time zone, through the days on which clocks are set.

The offset of a zone is constant for long stretches. Within one the wall clock runs as time does, and cronsim, which is
asked about wall times alone, says which match. Between two stretches the clocks are set:

    forward    wall times are left out    a fixed time among them fires at the change, or not at all
    back       wall times come twice      a fixed time fires in the first pass, or in both

An expression whose minute or hour begins with `*` means an interval and not a time of day: "every 7 minutes" goes on
in both passes, and nothing of it is made up for. That is the rule of Debian's cron.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from ferryman.domain.errors import BadSchedule
from ferryman.domain.job import MICROS

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - all times here are naive: UTC, or the wall's
_SECOND: Final = timedelta(seconds=1)
_STEP: Final = timedelta(hours=12)
"""No zone sets its clocks twice within this."""
_WINDOW: Final = 60 * MICROS
_LONGEST: Final = timedelta(hours=26)
"""No zone sets its clocks by more: Samoa left out a day in 2011."""

LATE: Final = 60 * MICROS
"""A tick that is not fired within this time is a missed one."""
ALL_MOST: Final = 100

_NAMED: Final = MappingProxyType(
    {
        "@hourly": "0 * * * *",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    }
)


class Ambiguous(StrEnum):
    """In which pass a fixed time fires that comes twice."""

    FIRST = "first"
    BOTH = "both"


class Nonexistent(StrEnum):
    """What becomes of a fixed time that is left out."""

    SHIFT = "shift"
    SKIP = "skip"


class Missed(StrEnum):
    """What becomes of ticks for which nobody was there."""

    SKIP = "skip"
    ONCE = "once"
    ALL = "all"


class Cron(msgspec.Struct, frozen=True):
    """A cron expression of five fields, or of six with the seconds first, and where its clock hangs."""

    expression: str
    time_zone: str = "UTC"
    ambiguous: Ambiguous = Ambiguous.FIRST
    nonexistent: Nonexistent = Nonexistent.SHIFT

    def check(self) -> None:
        """Refuse what is no expression, or no time zone. Raises BadSchedule."""
        self._zone()
        self._matches(_EPOCH)

    def in_words(self) -> str:
        """The expression as people say it, in English."""
        return self._matches(_EPOCH).explain()

    def ticks(self, after: int) -> Iterator[int]:
        """When it fires, in order, until the year 9999; microseconds since 1970, UTC.

        Args:
            after: the first tick comes later than this.

        Raises:
            BadSchedule: see `check`.
        """
        self.check()
        zone, moment = self._zone(), _EPOCH + timedelta(microseconds=after)
        last = moment
        for tick in self._through_stretches(zone, moment):
            if tick > last:
                yield (tick - _EPOCH) // timedelta(microseconds=1)
                last = tick

    def latest(self, since: int, now: int, most: int) -> list[int]:
        """The last ticks later than `since` and not later than `now`, in order; at most so many.

        Looks back from `now`, so that the ticks of a year of silence are not all gone through. Raises as `ticks`.
        """
        window = _WINDOW
        while True:
            begin = max(since, now - window)
            found = list(takewhile(lambda tick: tick <= now, self.ticks(begin)))
            if len(found) >= most or begin == since:
                return found[-most:] if most else []
            window *= 4

    def _through_stretches(self, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
        """The ticks from a moment on; some may be before it, or come twice."""
        offset = _offset(zone, moment)
        change = _change(zone, moment - _LONGEST, moment)
        stretch = self._stretch(zone, moment, offset, moment, offset)
        if change is not None:
            stretch = self._stretch(zone, change, _offset(zone, change - _SECOND), moment, offset)
        while (end := (yield from stretch)) is not None:
            offset, before = _offset(zone, end), offset
            stretch = self._stretch(zone, end, before, end, offset)

    def _stretch(
        self, zone: ZoneInfo, begin: datetime, before: timedelta, moment: datetime, offset: timedelta
    ) -> Generator[datetime, None, datetime | None]:
        """The ticks of one stretch from a moment in it on; gives when the next one begins, None where no tick follows.

        Args:
            begin: when the clocks were set to `offset` from `before`.
        """
        wall = moment + offset
        if self._is_fixed():
            if self.nonexistent is Nonexistent.SHIFT and self._any_between(begin + before, begin + offset):
                yield begin
            if self.ambiguous is Ambiguous.FIRST:
                wall = max(wall, begin + before)
        last = moment
        for match in _to_the_end(self._matches(wall - _SECOND)):
            tick = match - offset
            change = _change(zone, last, tick)
            if change is not None:
                return change
            yield tick
            last = tick
        return None

    def _is_fixed(self) -> bool:
        """Whether it means times of day."""
        minute, hour = self._plain().split()[-5:-3]
        return not minute.startswith("*") and not hour.startswith("*")

    def _any_between(self, first: datetime, end: datetime) -> bool:
        """Whether a wall time from the first on and before the end matches."""
        return first < end and next(self._matches(first - _SECOND), end) < end

    def _matches(self, after: datetime) -> CronSim:
        """The wall times that match, from the next whole second on."""
        try:
            return CronSim(self._plain(), after)
        except CronSimError as error:
            raise BadSchedule(
                f"{self.expression!r} is no cron expression.",
                why=f"{error}.",
                hint="Write minute, hour, day of the month, month and day of the week, such as '30 2 * * MON-FRI'; "
                "six fields begin with the second.",
            ) from error

    def _plain(self) -> str:
        return _NAMED.get(self.expression.lower(), self.expression)

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ValueError, KeyError, OSError) as error:
            raise BadSchedule(
                f"{self.time_zone!r} is no time zone.",
                why="The time zone database does not have it.",
                hint="Name one as in Europe/Berlin, or UTC.",
            ) from error


def due(cron: Cron, since: int, now: int, missed: Missed, most: int = ALL_MOST) -> list[int]:
    """The ticks to fire now, in order.

    Args:
        since: the last tick that was fired or passed over, or when the schedule began.
        missed: what becomes of those that are later than LATE; the others fire in any case.
        most: of how many missed ones `Missed.ALL` makes up for, the latest; 0 makes it as `Missed.SKIP`.

    Raises:
        BadSchedule: see `Cron.check`.
    """
    on_time = max(since, now - LATE)
    late = {Missed.SKIP: 0, Missed.ONCE: 1, Missed.ALL: most}[missed]
    fresh = list(takewhile(lambda tick: tick <= now, cron.ticks(on_time)))
    return [*(cron.latest(since, on_time, late) if late and since < on_time else ()), *fresh]


def _to_the_end(matches: Iterator[datetime]) -> Iterator[datetime]:
    """Until the calendar ends, with the year 9999."""
    with suppress(OverflowError):
        yield from matches


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _change(zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """The first moment later than `after` and not later than `until` at which the clocks are set."""
    after, until = after.replace(microsecond=0), until.replace(microsecond=0)
    offset = _offset(zone, after)
    while after < until:
        step = min(after + _STEP, until)
        if _offset(zone, step) != offset:
            return _first(zone, after, step)
        after = step
    return None


def _first(zone: ZoneInfo, before: datetime, at: datetime) -> datetime:
    """When the clocks were set, by halves, between a second before that and one at it or later."""
    old = _offset(zone, before)
    while at - before > _SECOND:
        middle = before + (at - before) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == old:
            before = middle
        else:
            at = middle
    return at
