"""Samples and timings as lines."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.charts import Stats, chart
from ferryman.domain.series import LINES_MOST, MINUTE, By, Kept, Period, Sample, Timing

PERIOD = Period(10 * MINUTE, 13 * MINUTE, MINUTE)
EVERY_MINUTE = [minute * MINUTE for minute in (9, 10, 11, 12, 13)]


def drawn(
    *samples: Sample, moments: Sequence[int] = EVERY_MINUTE, timings: Sequence[Timing] = (), by: By = By.BOTH
) -> Stats:
    return chart(PERIOD, Kept(moments, samples, timings), by)


def sample(minute: int, created: int, pending: int = 0, queue: str = "q", type: str = "t") -> Sample:
    return Sample(queue, type, minute * MINUTE, created, pending=pending)


def test_a_step_has_what_was_counted_in_it() -> None:
    [line] = drawn(sample(9, 5, 1), sample(11, 7, 2), sample(13, 17)).series
    assert (line.queue, line.type) == ("q", "t")
    assert (line.enqueued, line.pending) == ([2, 0, 10], [2, 2, 0])
    assert line.completed == [0, 0, 0]


def test_what_was_never_counted_before_begins_at_nothing() -> None:
    [line] = drawn(sample(12, 3)).series
    assert line.enqueued == [0, 3, 0]


def test_without_a_sample_nothing_is_known_of_a_step() -> None:
    stats = drawn(sample(12, 3), moments=[10 * MINUTE, 12 * MINUTE])
    assert stats.since == [None, 10 * MINUTE, None]
    assert stats.series[0].enqueued == [None, 3, None]
    assert stats.series[0].pending == [None, 0, None]


def test_without_a_sample_before_it_nothing_is_known_either() -> None:
    assert drawn(moments=EVERY_MINUTE[2:]).since == [None, 11 * MINUTE, 12 * MINUTE]


def test_a_line_may_hold_several() -> None:
    samples = [sample(9, 1, 1), sample(12, 4, 2, type="u"), sample(11, 2, 0), sample(11, 1, 5, queue="r")]
    [line] = drawn(*samples, by=By.NONE).series
    assert (line.enqueued, line.pending) == ([2, 4, 0], [5, 7, 7])
    found = {each.queue: each.enqueued for each in drawn(*samples, by=By.QUEUE).series}
    assert found == {"q": [1, 4, 0], "r": [1, 0, 0]}


def test_times_are_told_in_seconds_and_only_where_there_are_any() -> None:
    timings = [
        Timing("q", "t", 11 * MINUTE, {1: 1}, {2: 1, 5: 98}),
        Timing("q", "t", 11 * MINUTE, {}, {9: 1}),
        Timing("q", "t", 13 * MINUTE, {}, {}),
    ]
    [line] = drawn(timings=timings).series
    assert (line.run.count, line.wait.count) == ([100, 0, 0], [1, 0, 0])
    assert (line.run.p50, line.run.p95, line.run.p99) == ([5e-6, None, None],) * 3
    assert line.wait.p50 == [1e-6, None, None]


def test_where_nothing_happened_and_nothing_is_pending_there_is_no_line() -> None:
    samples = [sample(9, 8), sample(9, 8, 1, type="waits"), sample(9, 8, type="ran")]
    timings = [Timing("q", "ran", 12 * MINUTE, {}, {1: 1})]
    assert [each.type for each in drawn(*samples, timings=timings).series] == ["ran", "waits"]
    assert drawn().series == []


def test_one_line_of_all_is_always_there() -> None:
    [line] = drawn(by=By.NONE).series
    assert (line.queue, line.type, line.enqueued, line.run.count) == (None, None, [0, 0, 0], [0, 0, 0])


def test_the_busiest_come_first_and_of_too_many_the_last_are_left_out() -> None:
    samples = [sample(11, n, type=f"t{n:02}") for n in range(1, LINES_MOST + 4)]
    stats = drawn(*samples)
    assert [each.type for each in stats.series[:2]] == ["t53", "t52"]
    assert (len(stats.series), stats.left_out) == (LINES_MOST, 3)


@given(st.lists(st.integers(0, 9), min_size=3, max_size=3), st.sets(st.integers(1, 3)))
def test_nothing_is_lost_whichever_samples_are_missing(counts: list[int], missing: set[int]) -> None:
    minutes = [minute for minute in (1, 2, 3) if minute not in missing]
    samples = [sample(10 + minute, sum(counts[:minute])) for minute in minutes]
    stats = drawn(*samples, moments=[10 * MINUTE, *(each.at for each in samples)], by=By.NONE)
    told = [count for count in stats.series[0].enqueued if count is not None]
    assert sum(told) == sum(counts[: max(minutes, default=0)])
    assert len(told) == len(minutes)
