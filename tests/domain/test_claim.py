from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.claim import Care, care, take

lines = st.lists(st.sampled_from(list(Care)), max_size=30)


@pytest.mark.parametrize(
    ("spent", "most", "crashes", "expected"),
    [
        (0, 5, 0, Care.NONE),
        (3, 5, 0, Care.NONE),
        (4, 5, 0, Care.IDLE),
        (0, 1, 0, Care.IDLE),
        (1, 5, 1, Care.IDLE),
        (4, 5, 1, Care.ALONE),
        (2, 5, 2, Care.ALONE),
        (9, 20, 3, Care.ALONE),
    ],
)
def test_care(spent: int, most: int, crashes: int, expected: Care) -> None:
    assert care(spent, most, crashes) is expected


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 10))
def test_no_job_whose_next_crash_would_be_its_last_is_prefetched(spent: int, most: int, crashes: int) -> None:
    if spent + 1 >= most or crashes:
        assert care(spent, most, crashes) is not Care.NONE


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 10))
def test_more_crashes_never_mean_less_care(spent: int, most: int, crashes: int) -> None:
    assert care(spent, most, crashes + 1) >= care(spent, most, crashes)


@given(lines, st.integers(0, 30), st.booleans())
def test_what_is_taken_keeps_its_order_and_its_place(line: list[Care], idle: int, alone: bool) -> None:
    taken = take(line, idle, alone)
    assert taken == sorted(set(taken))
    assert all(0 <= position < len(line) for position in taken)


@given(lines, st.integers(0, 30), st.booleans())
def test_careful_jobs_start_at_once(line: list[Care], idle: int, alone: bool) -> None:
    for place, position in enumerate(take(line, idle, alone)):
        assert not line[position] or place < idle


@given(lines, st.integers(0, 30), st.booleans())
def test_at_most_one_must_be_alone_and_none_while_one_is_open(line: list[Care], idle: int, alone: bool) -> None:
    taken = [line[position] for position in take(line, idle, alone)]
    assert taken.count(Care.ALONE) <= alone


@given(lines, st.integers(0, 30), st.booleans())
def test_nobody_is_passed_over_but_those_that_must_be_alone(line: list[Care], idle: int, alone: bool) -> None:
    taken = take(line, idle, alone)
    before = range(taken[-1]) if taken else range(0)
    assert all(line[position] is Care.ALONE for position in before if position not in taken)


@given(lines, st.integers(1, 30))
def test_an_idle_worker_gets_the_first_job(line: list[Care], idle: int) -> None:
    assert take(line, idle, alone=True)[:1] == ([0] if line else [])


@given(lines, st.integers(0, 30), st.booleans(), st.integers(0, 30))
def test_a_longer_line_changes_nothing_at_its_head(line: list[Care], idle: int, alone: bool, cut: int) -> None:
    head = take(line[:cut], idle, alone)
    assert take(line, idle, alone)[: len(head)] == head


@given(st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_a_line_without_care_is_taken_whole(length: int, idle: int, alone: bool) -> None:
    assert take([Care.NONE] * length, idle, alone) == list(range(length))
