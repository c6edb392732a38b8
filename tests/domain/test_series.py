"""Which period a chart covers, in which steps, and what belongs to which line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.errors import BadParameter
from ferryman.domain.job import MICROS
from ferryman.domain.series import (
    HOUR,
    HOURS_KEPT,
    MINUTE,
    MINUTES_KEPT,
    POINTS,
    POINTS_MOST,
    STEPS,
    By,
    Period,
    Which,
    hour_of,
    minutes_until,
    period,
)

NOW = 20_000 * 24 * HOUR + 13 * HOUR + 7 * MINUTE + 20 * MICROS
TIMES = st.integers(NOW - HOURS_KEPT, NOW)


def test_without_a_word_it_is_the_last_hour_by_minute() -> None:
    found = period(NOW)
    last = NOW - 20 * MICROS
    assert found == Period(last - HOUR, last, MINUTE)
    assert list(found.edges)[:2] == [last - HOUR, last - HOUR + MINUTE]
    assert len(found.edges) == 61


@pytest.mark.parametrize(
    ("back", "step"),
    [(HOUR, 60), (5 * HOUR, 60), (6 * HOUR, 300), (24 * HOUR, 300), (MINUTES_KEPT, 900), (7 * 24 * HOUR, 3600)],
)
def test_a_long_period_has_long_steps(back: int, step: int) -> None:
    assert period(NOW, NOW - back).step == step * MICROS


@pytest.mark.parametrize(("asked", "step"), [(1, 60), (60, 60), (61, 300), (86_399, 86_400), (86_400, 86_400)])
def test_a_step_that_is_asked_for_is_rounded_up(asked: int, step: int) -> None:
    assert period(NOW, NOW - HOUR, step=asked).step == step * MICROS


def test_a_step_that_gives_too_many_points_grows() -> None:
    assert period(NOW, NOW - POINTS_MOST * MINUTE, NOW, 60).step == MINUTE
    assert period(NOW, NOW - POINTS_MOST * MINUTE - 1, NOW, 60).step == 5 * MINUTE


def test_where_minutes_are_not_kept_a_step_has_an_hour() -> None:
    assert period(NOW, NOW - MINUTES_KEPT, NOW - MINUTES_KEPT + HOUR, 60).step == MINUTE
    assert period(NOW, NOW - MINUTES_KEPT - 1, NOW - MINUTES_KEPT + HOUR, 60).step == HOUR


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW, None), (NOW + 1, None), (None, NOW - HOURS_KEPT), (NOW - 5, NOW - 5), (NOW - 5, NOW - 6), (None, -1)],
)
def test_of_a_period_that_is_none_nothing_is_told(start: int | None, end: int | None) -> None:
    with pytest.raises(BadParameter, match="no statistics"):
        period(NOW, start, end)


@given(TIMES, TIMES, st.none() | st.integers(1, 86_400))
def test_a_period_covers_what_was_asked_for_in_whole_steps(start: int, end: int, step: int | None) -> None:
    if start >= end:
        return
    found = period(NOW, start, end, step)
    assert found.step in {each * MICROS for each in STEPS}
    assert found.start % found.step == found.end % found.step == 0
    assert found.start <= start < found.start + found.step
    assert found.end - found.step < end <= found.end
    assert len(found.edges) <= (POINTS if step is None else POINTS_MOST) + 2


def test_which_jobs_are_meant() -> None:
    assert Which().fits("q", "t")
    assert Which("q", "t", frozenset("q")).fits("q", "t")
    assert not Which("q").fits("r", "t")
    assert not Which(type="t").fits("q", "u")
    assert not Which(queues=frozenset("r")).fits("q", "t")


def test_what_belongs_to_which_line() -> None:
    found = {by: by.line_of("q", "t") for by in By}
    assert found == {By.NONE: (None, None), By.QUEUE: ("q", None), By.TYPE: (None, "t"), By.BOTH: ("q", "t")}


def test_a_minute_belongs_to_the_hour_in_which_it_ends() -> None:
    assert [hour_of(at) // HOUR for at in (1, HOUR, HOUR + 1)] == [1, 1, 2]


def test_whole_hours_grow_old() -> None:
    assert minutes_until(MINUTES_KEPT + 2 * HOUR) == 2 * HOUR
    assert minutes_until(MINUTES_KEPT + 2 * HOUR - 1) == HOUR
