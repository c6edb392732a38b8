"""Buckets merge in any order, and what they tell is never further off than they say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.buckets import OFF, bucket_of, count_into, first_of, merged, middle_of, quantiles

TIMES = st.one_of(st.integers(0, 100), st.integers(0, 10**8), st.integers(0, 2**62))
LISTS = st.lists(TIMES, max_size=60)
BUCKETS = st.dictionaries(st.integers(0, 900), st.integers(1, 1000), max_size=20)


def counted(times: Sequence[int]) -> dict[int, int]:
    buckets: dict[int, int] = {}
    count_into(buckets, list(times))
    return buckets


@given(TIMES)
def test_a_bucket_is_never_far_from_the_times_in_it(time: int) -> None:
    assert abs(middle_of(bucket_of(time)) - time) <= OFF * time


@given(TIMES)
def test_a_time_lies_between_the_beginning_of_its_bucket_and_of_the_next(time: int) -> None:
    bucket = bucket_of(time)
    assert first_of(bucket) <= time < first_of(bucket + 1)


def test_a_clock_that_went_back_has_taken_no_time() -> None:
    assert bucket_of(-5) == bucket_of(0) == 0
    assert counted([-5, 0, 1]) == {0: 2, 1: 1}


@given(LISTS, LISTS)
def test_counting_adds_to_what_was_counted_and_empties_the_list(first: list[int], second: list[int]) -> None:
    buckets, expected = counted(first), counted(first + second)
    count_into(buckets, second)
    assert (buckets, second) == (expected, [])


@given(LISTS)
def test_counting_at_one_go_is_counting_each(times: list[int]) -> None:
    assert counted(times) == Counter(map(bucket_of, times))


@given(LISTS, LISTS)
def test_what_is_counted_in_parts_is_what_is_counted_together(first: list[int], second: list[int]) -> None:
    assert merged([counted(first), counted(second)]) == counted(first + second)


@given(BUCKETS, BUCKETS, BUCKETS)
def test_merging_has_no_order(a: dict[int, int], b: dict[int, int], c: dict[int, int]) -> None:
    assert merged([merged([a, b]), c]) == merged([a, merged([c, b])]) == merged([c, b, a])


@given(st.lists(TIMES, min_size=1, max_size=60), st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_as_exact_as_its_bucket(times: list[int], part: float) -> None:
    exact = sorted(times)[max(1, math.ceil(part * len(times))) - 1]
    [told] = quantiles(counted(times), [part])
    assert told is not None
    assert abs(told - exact) <= OFF * exact


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantiles({}, [0.5, 0.99]) == [None, None]


@pytest.mark.parametrize(("part", "told"), [(0.5, 1), (0.75, 3), (0.76, 9), (1.0, 9)])
def test_a_quantile_is_the_time_that_has_so_many_in_front_of_it(part: float, told: int) -> None:
    assert quantiles({1: 2, 3: 1, 9: 1}, [part]) == [told]
