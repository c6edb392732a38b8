"""What counts as growth, and what does not."""

from __future__ import annotations

import pytest

from tests.browser.growth import Sample, growth


def series(*values: float) -> list[Sample]:
    """A value every minute."""
    return [Sample(60.0 * number, value) for number, value in enumerate(values)]


def test_what_goes_up_and_down_does_not_grow() -> None:
    told = growth(series(1, 2, 3, 10, 11, 10, 11, 10, 11), slack=0)
    assert (told.second, told.last) == (10, 11)
    assert not told.grows


def test_what_is_gained_before_the_second_third_is_for_warming_up() -> None:
    assert not growth(series(1, 2, 3, 50, 50, 50, 50, 50, 50), slack=0).grows


def test_what_goes_up_all_the_time_grows() -> None:
    told = growth(series(*range(10, 19)), slack=2)
    assert told.grows
    assert told.slope == pytest.approx(60)


def test_what_is_small_may_grow_by_its_slack() -> None:
    assert not growth(series(*range(9)), slack=3).grows
    assert growth(series(*range(9)), slack=2.5).grows


def test_few_samples_are_not_judged() -> None:
    with pytest.raises(ValueError, match="5 samples"):
        growth(series(1, 2, 3, 4, 5), slack=0)
