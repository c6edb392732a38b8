from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.retry import HOUR, Exponential, Fixed, Listed, RetryPolicy, policy

shares = st.floats(0, 1, exclude_max=True)
attempts = st.integers(1, 5_000)


@given(attempts, shares, st.floats(0.001, 100), st.floats(1, 10), st.floats(0.001, 1e6))
def test_full_jitter_stays_within_the_ceiling(
    attempt: int, share: float, base: float, factor: float, maximum: float
) -> None:
    delay = Exponential(base, factor, maximum).delay(attempt, share)
    ceiling = Exponential(base, factor, maximum, jitter=False).delay(attempt, share)
    assert 0 <= delay <= ceiling <= maximum
    assert delay == ceiling * share


@given(attempts)
def test_without_jitter_the_delay_doubles_up_to_an_hour(attempt: int) -> None:
    expected = min(2.0 ** min(attempt - 1, 100), HOUR)
    assert Exponential(jitter=False).delay(attempt, 0.7) == expected


def test_an_attempt_beyond_all_numbers_waits_the_maximum() -> None:
    assert Exponential(jitter=False).delay(100_000, 0.0) == HOUR


@given(st.floats(0, 1e9), attempts, shares)
def test_fixed_is_fixed(seconds: float, attempt: int, share: float) -> None:
    assert Fixed(seconds).delay(attempt, share) == seconds


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=9), attempts, shares)
def test_a_list_is_walked_and_its_last_repeats(seconds: list[float], attempt: int, share: float) -> None:
    expected = seconds[attempt - 1] if attempt <= len(seconds) else seconds[-1]
    assert Listed(tuple(seconds)).delay(attempt, share) == expected


def test_the_first_rule_that_fits_decides() -> None:
    how = RetryPolicy(Fixed(1), ((KeyError, Fixed(2)), (LookupError, None), (Exception, Fixed(3))))
    assert how.delay(KeyError(), 1, 0) == 2
    assert how.delay(IndexError(), 1, 0) is None
    assert how.delay(ValueError(), 1, 0) == 3
    assert how.delay(SystemExit(), 1, 0) == 1


def test_people_write_numbers_lists_and_nothing() -> None:
    assert policy() == RetryPolicy(Exponential())
    assert policy(3) == RetryPolicy(Fixed(3.0))
    assert policy(0.5).backoff == Fixed(0.5)
    assert policy([1, 2.5]).backoff == Listed((1.0, 2.5))
    assert policy(Listed((7.0,))).backoff == Listed((7.0,))


def test_exceptions_that_are_never_retried_come_before_the_rules() -> None:
    how = policy(5, rules={LookupError: 1, OSError: None, ValueError: [1, 2]}, never=[KeyError])
    assert how.delay(KeyError(), 1, 0) is None
    assert how.delay(IndexError(), 1, 0) == 1
    assert how.delay(OSError(), 1, 0) is None
    assert how.delay(ValueError(), 2, 0) == 2
    assert how.delay(TypeError(), 1, 0) == 5


@pytest.mark.parametrize("wrong", [-1, -0.001, float("inf"), float("nan"), [], [1, -1], [float("nan")]])
def test_a_delay_that_cannot_be_waited_is_refused(wrong: float | list[float]) -> None:
    with pytest.raises(ValueError, match="delay"):
        policy(wrong)
    with pytest.raises(ValueError, match="delay"):
        policy(rules={ValueError: wrong})
