"""Cron expressions over the days on which clocks are set, against an oracle that looks at every minute of a year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from ferryman.domain.cron import Ambiguous, Cron, Missed, Nonexistent, due
from ferryman.domain.errors import BadSchedule
from ferryman.domain.job import MICROS

ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
YEAR = 2026
MINUTE = timedelta(minutes=1)


class Example(NamedTuple):
    """An expression, and the same by hand."""

    expression: str
    is_fixed: bool
    matches: Callable[[datetime], bool]


EXAMPLES = (
    Example("0 * * * *", False, lambda wall: wall.minute == 0),
    Example("30 1 * * *", True, lambda wall: (wall.hour, wall.minute) == (1, 30)),
    Example("30 2 * * *", True, lambda wall: (wall.hour, wall.minute) == (2, 30)),
    Example("*/7 * * * *", False, lambda wall: wall.minute % 7 == 0),
    Example("15,45 1-2 * * SUN", True, lambda wall: wall.hour in {1, 2} and wall.minute in {15, 45} and sunday(wall)),
)


def sunday(wall: datetime) -> bool:
    return wall.isoweekday() == 7


def micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class Minute(NamedTuple):
    """One of the year."""

    moment: datetime
    wall: datetime
    again: bool
    """Whether the wall has shown this before."""
    left_out: Sequence[datetime]
    """What the wall should have shown between the minute before and this one."""


@cache
def minutes(zone: str) -> Sequence[Minute]:
    """Every minute of the year."""
    moment, info = datetime(YEAR, 1, 1, tzinfo=UTC) - MINUTE, ZoneInfo(zone)
    before = moment.astimezone(info).replace(tzinfo=None)
    found: list[Minute] = []
    seen: set[datetime] = set()
    while (moment := moment + MINUTE).year == YEAR:
        wall = moment.astimezone(info).replace(tzinfo=None)
        left_out = [before + number * MINUTE for number in range(1, (wall - before) // MINUTE)]
        found.append(Minute(moment, wall, wall in seen, left_out))
        seen.add(wall)
        before = wall
    return found


@cache
def meant(zone: str, example: Example) -> Sequence[Minute]:
    """The minutes that the expression means if every rule lets it: of their own, or for what the wall left out."""
    return [
        minute for minute in minutes(zone) if example.matches(minute.wall) or any(map(example.matches, minute.left_out))
    ]


def oracle(zone: str, example: Example, ambiguous: Ambiguous, nonexistent: Nonexistent) -> list[int]:
    """The ticks of the year by definition, minute by minute."""
    once = example.is_fixed and ambiguous is Ambiguous.FIRST
    shifts = example.is_fixed and nonexistent is Nonexistent.SHIFT
    return [
        micros(minute.moment)
        for minute in meant(zone, example)
        if (example.matches(minute.wall) and not (once and minute.again))
        or (shifts and any(map(example.matches, minute.left_out)))
    ]


def year_of(cron: Cron) -> list[int]:
    first, end = micros(datetime(YEAR, 1, 1, tzinfo=UTC)), micros(datetime(YEAR + 1, 1, 1, tzinfo=UTC))
    return list(takewhile(lambda tick: tick < end, cron.ticks(first - 1)))


RULES = [(ambiguous, nonexistent) for ambiguous in Ambiguous for nonexistent in Nonexistent]
CASES = [
    pytest.param(example, *rules, id=" ".join((example.expression, *rules)))
    for example in EXAMPLES
    for rules in (RULES if example.is_fixed else (RULES[0], RULES[-1]))  # an interval knows no such rules
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("example", "ambiguous", "nonexistent"), CASES)
def test_a_year_is_what_looking_at_each_minute_says(
    zone: str, example: Example, ambiguous: Ambiguous, nonexistent: Nonexistent
) -> None:
    cron = Cron(example.expression, zone, ambiguous, nonexistent)
    assert year_of(cron) == oracle(zone, example, ambiguous, nonexistent)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("example", EXAMPLES, ids=[example.expression for example in EXAMPLES])
def test_whoever_asks_from_tick_to_tick_gets_the_same(zone: str, example: Example) -> None:
    """A node asks for the next tick after each one, and remembers nothing else."""
    cron = Cron(example.expression, zone, Ambiguous.BOTH)
    expected = year_of(cron)
    changes = [minute.moment for minute in minutes(zone) if minute.left_out or minute.again]
    for change in (micros(changes[0]), micros(changes[-1])):
        near = [tick for tick in expected if abs(tick - change) < 30 * 3600 * MICROS]
        for tick, following in pairwise(near):
            assert next(cron.ticks(tick)) == following
            assert next(cron.ticks((tick + following) // 2)) == following
            assert next(cron.ticks(following - 1)) == following


def test_a_daily_job_in_new_york_runs_every_day_and_once() -> None:
    for expression in ("30 1 * * *", "30 2 * * *"):
        ticks = year_of(Cron(expression, "America/New_York"))
        assert len(ticks) == 365
    walls = [wall_of(tick) for tick in year_of(Cron("30 2 * * *", "America/New_York"))]
    assert "2026-03-08 03:00" in walls, "when the clocks were set"
    assert len(year_of(Cron("30 2 * * *", "America/New_York", nonexistent=Nonexistent.SKIP))) == 364
    assert len(year_of(Cron("30 1 * * *", "America/New_York", Ambiguous.BOTH))) == 366


def wall_of(tick: int) -> str:
    moment = datetime.fromtimestamp(tick / MICROS, ZoneInfo("America/New_York"))
    return f"{moment:%Y-%m-%d %H:%M}"


def test_an_hourly_job_runs_every_hour_of_the_year() -> None:
    ticks = year_of(Cron("0 * * * *", "America/New_York"))
    assert {after - tick for tick, after in pairwise(ticks)} == {3600 * MICROS}


def test_a_day_that_a_zone_left_out() -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    before = micros(datetime(2011, 12, 29, 22, 5, tzinfo=UTC))
    shifted = Cron("0 12 * * *", "Pacific/Apia").ticks(before)
    # noon of the 29th at UTC-10, the change, noon of the 31st at UTC+14
    assert [next(shifted) for _ in range(2)] == [
        micros(datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),
        micros(datetime(2011, 12, 30, 22, 0, tzinfo=UTC)),
    ]
    skipped = Cron("0 12 * * *", "Pacific/Apia", nonexistent=Nonexistent.SKIP).ticks(before)
    assert next(skipped) == micros(datetime(2011, 12, 30, 22, 0, tzinfo=UTC))


def test_seconds_come_first_where_there_are_six_fields() -> None:
    ticks = Cron("*/20 0 0 * * *").ticks(0)
    assert [next(ticks) // MICROS for _ in range(4)] == [20, 40, 86400, 86420]


def test_a_tick_is_later_than_what_was_asked_for_to_the_microsecond() -> None:
    every_minute = Cron("* * * * *")
    assert next(every_minute.ticks(-1)) == 0
    assert next(every_minute.ticks(0)) == 60 * MICROS
    assert next(every_minute.ticks(60 * MICROS - 1)) == 60 * MICROS


def test_the_calendar_has_an_end() -> None:
    last = micros(datetime(9998, 6, 1, tzinfo=UTC))
    assert len(list(Cron("@yearly").ticks(last))) == 1


@pytest.mark.parametrize(
    ("named", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_names_stand_for_expressions(named: str, same: str) -> None:
    one, other = Cron(named, "Europe/Berlin").ticks(0), Cron(same, "Europe/Berlin").ticks(0)
    assert [next(one) for _ in range(5)] == [next(other) for _ in range(5)]


def test_an_expression_can_be_said_in_words() -> None:
    assert Cron("30 2 * * MON-FRI").in_words() == "At 02:30 on Monday through Friday"


@pytest.mark.parametrize("expression", ["", "* * * *", "60 * * * *", "a b c d e", "@never", "0 0 31 2 *"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(BadSchedule, match="no cron expression"):
        Cron(expression).check()


@pytest.mark.parametrize("zone", ["Berlin", "../etc/passwd", "", "Europe"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadSchedule, match="no time zone"):
        Cron("* * * * *", zone).check()


def test_a_good_one_passes() -> None:
    Cron("30 2 * * *", "Europe/Berlin").check()


# -- ticks for which nobody was there ----------------------------------------------------------------

DAY = 86400 * MICROS
START = micros(datetime(YEAR, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("expression", ["* * * * *", "*/20 * * * * *", "0 3 * * *", "0 0 1 * *"])
@pytest.mark.parametrize("most", [0, 1, 7, 1000])
@pytest.mark.parametrize("silence", [0, 1, 59 * MICROS, DAY // 2])
def test_the_latest_ticks_are_the_end_of_all_ticks(expression: str, most: int, silence: int) -> None:
    cron = Cron(expression, "Europe/Berlin")
    every = ticks_until(cron, START, START + silence)
    assert cron.latest(START, START + silence, most) == (every[-most:] if most else [])


def ticks_until(cron: Cron, since: int, end: int) -> list[int]:
    return list(takewhile(lambda tick: tick <= end, cron.ticks(since)))


def test_a_year_of_silence_is_not_gone_through_second_by_second() -> None:
    cron = Cron("* * * * * *")
    assert cron.latest(START, START + 366 * DAY, 3) == [START + 366 * DAY - n * MICROS for n in (2, 1, 0)]


@pytest.mark.parametrize(
    ("missed", "most", "hours"),
    [(Missed.SKIP, 9, [5]), (Missed.ONCE, 9, [4, 5]), (Missed.ALL, 9, [1, 2, 3, 4, 5]), (Missed.ALL, 2, [3, 4, 5])],
)
def test_what_was_missed_is_skipped_made_up_for_once_or_all_of_it(missed: Missed, most: int, hours: list[int]) -> None:
    hourly, hour = Cron("@hourly"), 3600 * MICROS
    now = START + 5 * hour + 30 * MICROS
    assert due(hourly, START, now, missed, most) == [START + n * hour for n in hours]
    assert due(hourly, START + 5 * hour, now, missed, most) == [], "it was fired"


@pytest.mark.parametrize("missed", Missed)
def test_a_tick_that_is_a_little_late_is_not_missed(missed: Missed) -> None:
    assert due(Cron("* * * * *"), START, START + 61 * MICROS, missed) == [START + 60 * MICROS]
    assert due(Cron("* * * * *"), START, START + 60 * MICROS, missed) == [START + 60 * MICROS]
    assert due(Cron("* * * * *"), START, START + 60 * MICROS - 1, missed) == []
    assert due(Cron("* * * * *"), START, START - 1, missed) == []
