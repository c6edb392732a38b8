"""`ferryman cron`: the next times of an expression."""

from __future__ import annotations

import pytest

from tests.cli.shop import Shop


def test_it_says_the_expression_in_words_and_the_next_times(shop: Shop) -> None:
    told = shop.call(
        "cron", "30 2 * * MON-FRI", "--time-zone", "Europe/Berlin", "--count", "2", "--after", "2026-03-26"
    )
    assert told.out == (
        "At 02:30 on Monday through Friday (Europe/Berlin)\n2026-03-26T02:30:00+01:00\n2026-03-27T02:30:00+01:00\n"
    )


def test_it_begins_now(shop: Shop) -> None:
    first = shop.call("cron", "@hourly", "--count", "1", "--json").json["times"][0]
    assert first.endswith(":00:00+00:00")


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ([], ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]),
        (["--ambiguous", "both"], ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"]),
    ],
)
def test_clocks_that_are_set_back(shop: Shop, options: list[str], times: list[str]) -> None:
    where = ["--time-zone", "America/New_York", "--after", "2026-11-01", "--count", "2", "--json"]
    assert shop.call("cron", "30 1 * * *", *where, *options).json["times"] == times


@pytest.mark.parametrize(
    ("options", "first"),
    [([], "2026-03-08T03:00:00-04:00"), (["--nonexistent", "skip"], "2026-03-09T02:30:00-04:00")],
)
def test_clocks_that_are_set_forward(shop: Shop, options: list[str], first: str) -> None:
    where = ["--time-zone", "America/New_York", "--after", "2026-03-08T00:00", "--count", "1", "--json"]
    assert shop.call("cron", "30 2 * * *", *where, *options).json["times"] == [first]


def test_what_is_no_expression_is_refused_with_a_hint(shop: Shop) -> None:
    result = shop.call("cron", "99 * * * *")
    assert result.code == 1
    assert "FM320" in result.err
    assert "Bad minute" in result.err


def test_what_is_no_zone_is_refused(shop: Shop) -> None:
    assert "Mars/Olympus" in shop.call("cron", "* * * * *", "--time-zone", "Mars/Olympus").err
