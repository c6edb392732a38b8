"""The options of a job: each value is taken, or refused by name with what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain import options
from ferryman.domain.cron import Missed
from ferryman.domain.errors import BadOption
from ferryman.domain.job import AfterCrashes

NOW = 1_800_000_000_000_000


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


def moment(value: Any) -> int:
    return options.moment("run_at", value, NOW)


def done(value: Any) -> int | float:
    return options.amount("done", value)


def seconds(value: Any) -> float:
    return options.seconds_of("delay", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (options.queue, "mail.high_prio-2"),
        (options.queue, "q" * 128),
        (options.type_name, "shop:send.mail-2_x"),
        (options.job_id, "01890a5d-ac96-774b-bcce-b302099a8057"),
        (options.priority, 0),
        (options.priority, 9),
        (options.max_attempts, 1),
        (options.max_attempts, 1000),
        (options.timeout, 0.001),
        (seconds, 0),
        (seconds, options.MAX_DELAY),
        (moment, 0),
        (moment, NOW + options.MAX_DELAY * 1_000_000),
        (options.unique_key, "x" * 256),
        (options.unique_key, "ключ 鍵"),
        (options.idempotency_key, "!~" * 127),
        (options.tags, ("a", "ß" * 64)),
        (options.tags, ()),
        (done, 0),
        (done, 2.5),
        (done, 2**63 - 1),
        (options.message, "half of it\0"),
    ],
)
def test_what_is_allowed_comes_back(check: Callable[[Any], Any], value: Any) -> None:
    assert check(value) == value


@pytest.mark.parametrize(
    ("check", "option", "values"),
    [
        (options.queue, "queue", ["", "a b", "a:4", "q" * 129, "é", "a\n", None, 5, b"a"]),
        (options.type_name, "type", ["", "a b", "t" * 129, "größe", "a\n", None, 5]),
        (options.job_id, "id", ["", "x", "01890A5D-AC96-774B-BCCE-B302099A8057", None, 5]),
        (done, "done", ["1", None, True, -1, -0.5, float("nan"), float("inf"), 2**63, 1j]),
        (options.message, "message", [None, 5, b"a"]),
        (options.priority, "priority", [-1, 10, 1.0, "5", True, None, 10**5000]),
        (options.max_attempts, "max_attempts", [0, 1001, 2.0, "5", True, None]),
        (options.timeout, "timeout", [0, -1, float("nan"), float("inf"), "5", True, None, 10**400]),
        (seconds, "delay", [-1, -0.1, float("nan"), float("inf"), "5", True, None, timedelta(-1), 1e9, 10**400]),
        (
            options.after_crashes,
            "after_crashes",
            [3, "poison", (3,), (0, "q"), ("3", "q"), (True, "q"), (1, "q", 2), None],
        ),
        (options.after_crashes, "queue", [(3, "a b"), (3, None)]),
        (options.rate, "rate", [0, -1, 5e-324, 2e6, 10**400, float("nan"), float("inf"), True, None, [1]]),
        (
            options.rate,
            "rate",
            ["", "fast", "5/", "5/x", "/s", "-1/s", "0/s", "1e9", "nan", "1/ s", "9999999/s", "\u0665/s"],
        ),
        (moment, "run_at", [-1, NOW * 10, 1.5, "5", True, None]),
        (options.unique_key, "unique_key", ["", "x" * 257, "a\0", "ü\0", "\ud800", None, 5]),
        (options.idempotency_key, "idempotency_key", ["", "x" * 256, "a b", "é", "a\n", None, 5]),
        (options.tags, "tags", ["abc", None, 5, {"a": 1}, ["x"] * 21]),
        (options.tags, "a tag", [[""], ["x" * 65], ["a\0"], [5], [None], ("a", "\udfff")]),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(check: Callable[[Any], Any], option: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(BadOption) as caught:
            check(value)
        assert caught.value.what.startswith(f"{option} cannot be ")
        assert caught.value.why.startswith("Allowed: ")


def test_the_value_is_shown_as_far_as_it_can_be() -> None:
    assert options.refused("queue", "a b", "letters").what == "queue cannot be 'a b'."
    assert options.refused("queue", "x" * 1000, "letters").what.endswith("x....")
    assert str(options.refused("queue", "größe\n", "letters")).isascii()
    assert len(options.refused("queue", "x" * 1000, "letters").what) < 120
    assert options.refused("queue", Unshowable(), "letters").what == "queue cannot be a Unshowable."
    assert options.refused("queue", 10**5000, "letters").what == "queue cannot be a int."


def test_a_tag_said_twice_counts_once() -> None:
    assert options.tags(["b", "a", "b"]) == ("b", "a")


def test_a_detour_is_a_number_and_a_queue() -> None:
    assert options.after_crashes((3, "poison")) == options.after_crashes([3, "poison"]) == AfterCrashes(3, "poison")


def test_a_timedelta_is_seconds() -> None:
    assert options.seconds_of("delay", timedelta(days=1, milliseconds=5)) == 86_400.005


def test_a_datetime_is_read_to_the_microsecond_in_any_zone() -> None:
    assert options.moment_of("at", datetime(1970, 1, 1, 0, 0, 0, 1, UTC)) == 1
    east = timezone(timedelta(hours=2))
    assert options.moment_of("at", datetime(1970, 1, 1, 2, tzinfo=east)) == 0


@pytest.mark.parametrize("value", [datetime(2026, 1, 1), "2026-01-01", 5, None])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused(value: Any) -> None:
    with pytest.raises(BadOption, match="time zone"):
        options.moment_of("at", value)


@given(st.one_of(st.text(), st.binary(), st.integers(), st.floats(), st.none(), st.lists(st.text())))
def test_no_value_gets_anything_but_an_answer_or_a_bad_option(value: Any) -> None:
    for check in (
        options.queue,
        options.type_name,
        options.job_id,
        options.priority,
        options.max_attempts,
        options.timeout,
        options.rate,
        options.after_crashes,
        options.unique_key,
        options.idempotency_key,
        options.tags,
        seconds,
        moment,
    ):
        with suppress(BadOption):
            check(value)


def test_a_text_is_any_that_a_store_can_keep() -> None:
    assert options.text("tz", "Europe/Berlin") == "Europe/Berlin"
    for value in ("a\0", "\ud800", 5, None):
        with pytest.raises(BadOption, match="tz cannot be"):
            options.text("tz", value)


def test_one_of_a_few_words() -> None:
    assert options.one_of("missed", "once", Missed) is Missed.ONCE
    assert options.one_of("missed", Missed.ALL, Missed) is Missed.ALL
    for value in ("ONCE", "", None, 1):
        with pytest.raises(BadOption, match=r"missed cannot be .* Allowed: skip, once, all"):
            options.one_of("missed", value, Missed)


def test_a_name_says_whose_it_is() -> None:
    with pytest.raises(BadOption, match="name cannot be"):
        options.name_of("name", "a b")


@pytest.mark.parametrize(
    ("value", "per_second"),
    [
        (1, 1.0),
        (0.25, 0.25),
        (10**6, 1e6),
        ("100", 100.0),
        ("2.5/s", 2.5),
        ("5/m", 5 / 60),
        ("90/h", 90 / 3600),
        ("1/d", 1 / 86_400),
    ],
)
def test_a_rate_is_a_number_a_second_or_a_text(value: object, per_second: float) -> None:
    assert options.rate(value) == per_second


@pytest.mark.parametrize(
    ("per_second", "words"),
    [
        (1e6, "1000000/s"),
        (1.5, "1.5/s"),
        (0.5, "30/m"),
        (5 / 60, "5/m"),
        (1 / 3600, "1/h"),
        (1000 / 86_400, "1000/d"),
        (1.05, "63/m"),
        (33.3333, "33.3333/s"),
        (0.25 / 86_400, "0.25/d"),
    ],
)
def test_a_rate_is_told_as_people_write_it(per_second: float, words: str) -> None:
    assert options.rate_in_words(per_second) == words
    assert options.rate(words) == per_second


@pytest.mark.parametrize("value", [1, 7, options.COUNT_MAX])
def test_a_count_is_at_least_one(value: int) -> None:
    assert options.count("burst", value) == value


@pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None, options.COUNT_MAX + 1])
def test_what_is_no_count_is_refused_by_the_name_of_its_option(value: object) -> None:
    with pytest.raises(BadOption, match="burst cannot be"):
        options.count("burst", value)


def test_a_count_may_have_a_bound_of_its_own() -> None:
    assert options.count("share", 9, 9) == 9
    with pytest.raises(BadOption, match="an integer from 1 to 9"):
        options.count("share", 10, 9)


def test_a_time_is_written_in_utc_with_every_digit() -> None:
    assert options.moment_text(0) == "1970-01-01T00:00:00.000000Z"
    assert options.moment_text(1_767_225_600_000_001) == "2026-01-01T00:00:00.000001Z"
