"""Limits: the arithmetic of buckets, and what a claim may take."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.job import MICROS, Lane
from ferryman.domain.limits import (
    JUMP,
    NEVER,
    SOONEST,
    TOKEN,
    Again,
    Bounds,
    Bucket,
    Limit,
    Rule,
    Scope,
    Use,
    allowance,
    due,
    limiting,
    open_lanes,
)

A, B, C = Lane("post", "mail", 5), Lane("post", "echo", 5), Lane("default", "mail", 3)
LANES = {1: A, 2: B, 3: C}
POST = Rule(Scope.QUEUE, "post", limit=Limit(3))
MAIL = Rule(Scope.TYPE, "mail", limit=Limit(2))
FULL = Bucket()


def rated(rate: float, burst: int, level: int | None = None, at: int = 0) -> Use:
    return Use(Rule(Scope.QUEUE, "post", limit=Limit(rate=rate, burst=burst)), Bucket(level, at), 0)


# -- buckets ---------------------------------------------------------------------------------------


def test_a_new_bucket_is_full() -> None:
    assert FULL.filled(Limit(rate=2, burst=7), 5) == Bucket(7 * TOKEN, 5)


def test_a_bucket_fills_with_time_and_does_not_run_over() -> None:
    limit = Limit(rate=2, burst=3)
    assert Bucket(0, 0).filled(limit, MICROS // 4) == Bucket(TOKEN // 2, MICROS // 4)
    assert Bucket(0, 0).filled(limit, 9 * MICROS) == Bucket(3 * TOKEN, 9 * MICROS)


def test_a_smaller_burst_holds_at_once() -> None:
    assert Bucket(9 * TOKEN, 0).filled(Limit(rate=2, burst=3), 0) == Bucket(3 * TOKEN, 0)


def test_a_bucket_of_the_near_future_stays_there_and_one_that_is_far_ahead_does_not() -> None:
    limit = Limit(rate=1, burst=9)
    assert Bucket(TOKEN, JUMP).filled(limit, 0) == Bucket(TOKEN, JUMP)
    assert Bucket(TOKEN, JUMP + 1).filled(limit, 0) == Bucket(TOKEN, 0)


def test_without_a_rate_there_is_nothing_to_spend() -> None:
    bucket = Bucket(3, 7).filled(Limit(concurrency=2), 9)
    assert bucket == Bucket(None, 9)
    assert bucket.spent(100) == bucket


@given(
    rate=st.floats(0.01, 5000, allow_nan=False),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.integers(-2 * MICROS, 3 * MICROS), st.integers(0, 60)), max_size=60),
)
def test_no_window_holds_more_than_its_rate_and_burst(rate: float, burst: int, steps: list[tuple[int, int]]) -> None:
    limit, bucket, now = Limit(rate=rate, burst=burst), FULL, 10**15
    claims: list[int] = []
    for step, wanted in steps:
        now += step
        if now < bucket.at - JUMP:  # a clock that is set back is another matter
            now = bucket.at - JUMP
        bucket = bucket.filled(limit, now)
        count = min(wanted, allowance(limit, bucket, 0))
        bucket = bucket.spent(count)
        claims += [bucket.at] * count
    assert claims == sorted(claims)
    for first in range(len(claims)):
        for last in range(first, len(claims)):
            seconds = (claims[last] - claims[first]) / MICROS
            assert last - first + 1 <= rate * seconds * (1 + 1e-9) + burst


# -- allowances ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "level", "processing", "most"),
    [
        (Limit(3), None, 1, 2),
        (Limit(3), None, 3, 0),
        (Limit(3), None, 9, 0),
        (Limit(rate=1, burst=9), 4 * TOKEN + 1, 9, 4),
        (Limit(3, rate=1, burst=9), 4 * TOKEN, 0, 3),
        (Limit(3, rate=1, burst=9), TOKEN - 1, 0, 0),
    ],
)
def test_allowances(limit: Limit, level: int | None, processing: int, most: int) -> None:
    assert allowance(limit, Bucket(level, 0), processing) == most


def test_a_token_is_waited_for_until_it_is_there() -> None:
    assert due(Limit(rate=2, burst=1), Bucket(0, 7)) == 7 + MICROS // 2
    assert due(Limit(rate=2, burst=1), Bucket(TOKEN // 2, 7)) == 7 + MICROS // 4
    assert due(Limit(rate=3, burst=1), Bucket(0, 0)) == 333_334
    assert Bucket(0, 0).filled(Limit(rate=3), 333_334).level == TOKEN


def test_fast_tokens_are_waited_for_together() -> None:
    assert due(Limit(rate=1000, burst=50), Bucket(0, 0)) == SOONEST


@pytest.mark.parametrize(("limit", "level"), [(Limit(3), None), (Limit(rate=2, burst=3), TOKEN)])
def test_nothing_is_waited_for_where_there_are_tokens(limit: Limit, level: int | None) -> None:
    assert due(limit, Bucket(level, 0)) is None


# -- rules -----------------------------------------------------------------------------------------


def test_what_a_rule_says() -> None:
    assert Rule(Scope.QUEUE, "post").says_nothing
    assert not Rule(Scope.QUEUE, "post", paused=True).says_nothing
    assert not POST.says_nothing
    assert [POST.covers(lane) for lane in LANES.values()] == [True, True, False]
    assert [MAIL.covers(lane) for lane in LANES.values()] == [True, False, True]


def test_paused_lanes_are_not_open() -> None:
    assert open_lanes([POST, MAIL], LANES) == LANES
    assert open_lanes([POST, Rule(Scope.TYPE, "mail", paused=True)], LANES) == {2: B}
    assert open_lanes([Rule(Scope.QUEUE, "post", paused=True)], LANES) == {3: C}


def test_rules_that_limit_come_in_one_order() -> None:
    other = Rule(Scope.QUEUE, "elsewhere", limit=Limit(1))
    paused = Rule(Scope.QUEUE, "default", paused=True)
    assert limiting([MAIL, other, POST, paused], LANES) == [POST, MAIL]
    assert limiting([POST], {3: C}) == []


# -- bounds ----------------------------------------------------------------------------------------


def bounds(*uses: Use, idle: int = 100, now: int = 0) -> Bounds:
    return Bounds(uses, LANES, idle, now)


def test_without_limits_a_claim_has_its_own_bound_only() -> None:
    free = bounds(now=7)
    assert (free.claimed_at, free.most(1, 9), free.left, list(free.over(1))) == (7, 9, [], [])
    assert free.admit([1, 2, 3, 1], 3) == [0, 1, 2]
    assert free.spent([1, 2]) == []
    assert free.again([1, 2]) == NEVER


def test_lanes_under_limits_give_no_more_than_idle_workers_take() -> None:
    some = bounds(Use(POST, FULL, 1), idle=1)
    assert [some.most(lane, 9) for lane in LANES] == [1, 1, 9]
    assert some.admit([1, 1, 2, 3, 3], 9) == [0, 2, 3, 4]


def test_a_job_must_fit_under_all_its_limits() -> None:
    both = bounds(Use(POST, FULL, 0), Use(MAIL, FULL, 1))
    assert both.left == [3, 1]
    assert [list(both.over(lane)) for lane in LANES] == [[0, 1], [0], [1]]
    assert [both.is_of_type(place) for place in (0, 1)] == [False, True]
    assert both.admit([3, 1, 1, 2, 2, 2, 2], 9) == [0, 3, 4, 5]


def test_what_is_taken_is_spent_where_there_is_a_rate() -> None:
    use = rated(2, 9, 5 * TOKEN, 3)
    some = bounds(use, Use(MAIL, FULL, 0), now=3)
    assert some.spent([1, 2, 3]) == [(use.rule, Bucket(3 * TOKEN, 3))]


def test_the_time_of_a_claim_is_that_of_its_buckets() -> None:
    assert bounds(rated(2, 9, 0, JUMP), now=3).claimed_at == JUMP
    assert bounds(Use(POST, Bucket(None, JUMP), 0), now=3).claimed_at == 3


def test_what_is_spent_of_several_rates_is_spent_at_one_time() -> None:
    ahead = rated(2, 9, 5 * TOKEN, MICROS)
    behind = Use(Rule(Scope.TYPE, "mail", limit=Limit(rate=4, burst=9)), Bucket(0, 0), 0)
    both = bounds(ahead, behind, now=0)
    assert both.left == [5, 4], "a token for each quarter of the second that the other one is ahead"
    assert both.spent([1]) == [(ahead.rule, Bucket(4 * TOKEN, MICROS)), (behind.rule, Bucket(3 * TOKEN, MICROS))]


@pytest.mark.parametrize(
    ("use", "taken", "again"),
    [
        (Use(POST, FULL, 1), [1], NEVER),
        (Use(POST, FULL, 1), [1, 2], Again(limited=True)),
        (Use(POST, FULL, 3), [], Again(limited=True)),
        (rated(2, 3, TOKEN), [1], Again(limited=True, due=MICROS // 2)),
        (rated(2, 3, 2 * TOKEN), [1], NEVER),
        (rated(2, 3, 2 * TOKEN), [3, 3], NEVER),
    ],
)
def test_who_takes_all_that_a_limit_allows_is_told_to_look_again(use: Use, taken: Sequence[int], again: Again) -> None:
    assert bounds(use).again(taken) == again
