"""docs/filters.md is right, what is rendered is read as the same, and what cannot be read says where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain import filters
from ferryman.domain.errors import BadFilter
from ferryman.domain.filters import MAX_TEXT, Field, JobFilter, Span, Term, parse, render
from ferryman.domain.filters.meaning import is_like
from ferryman.domain.filters.reading import MOST_SOUGHT
from ferryman.domain.filters.values import value_of
from ferryman.domain.job import MICROS, Job, JobError, Lane
from ferryman.domain.moments import read_moment
from ferryman.domain.state import TERMINAL, Status
from ferryman.testing.conformance import drawn_filters

PAGE = (Path(__file__).parents[2] / "docs" / "filters.md").read_text(encoding="utf-8")
[BLOCK] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = BLOCK.splitlines()
TIMES = re.findall("`(created:[^`]+)`", PAGE.partition("## Times")[2].partition("## What cannot be read")[0])
VALUES = re.findall(r"^\| `([^`]+)` \| (`.+`) \| (`.+`) \|$", PAGE, re.MULTILINE)
WRONG = re.findall(r"^\| `(.+)` \| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
NOW = 1_769_860_800 * MICROS
"""2026-01-31T12:00:00Z"""
HOUR, DAY = 3600 * MICROS, 86_400 * MICROS
times = st.integers(0, 2 * 10**15) | st.integers(0, 20_000).map(lambda day: day * DAY)


def a_job(**fields: Any) -> Job:
    blank: dict[str, Any] = dict.fromkeys(Job.__struct_fields__)
    usual = {"id": drawn_filters.minted(NOW), "type": "mail", "queue": "q", "status": Status.PENDING}
    return Job(**{**blank, **usual, "payload": "{}", "tags": (), **fields})


def fits(text: str, job: Job) -> bool:
    return parse(text, NOW).judge()(job)


# -- the page ------------------------------------------------------------------------------------


def test_every_example_and_every_row_was_found() -> None:
    assert (len(EXAMPLES), len(VALUES), len(WRONG)) == (8, 9, 11)


@pytest.mark.parametrize("text", [*EXAMPLES, *TIMES])
def test_examples_are_read_and_have_one_text(text: str) -> None:
    found = parse(text, NOW)
    assert found != JobFilter()
    assert parse(render(found), 0) == found


@pytest.mark.parametrize(("text", "fitting", "others"), VALUES)
def test_values_are_compared_as_the_page_says(text: str, fitting: str, others: str) -> None:
    for payload in re.findall("`(.+?)`", fitting):
        assert fits(text, a_job(payload=payload)), payload
    for payload in re.findall("`(.+?)`", others):
        assert not fits(text, a_job(payload=payload)), payload


@pytest.mark.parametrize(("text", "column", "told"), WRONG)
def test_what_cannot_be_read_says_where(text: str, column: str, told: str) -> None:
    with pytest.raises(BadFilter) as caught:
        parse(text, NOW)
    error = caught.value
    assert error.column == int(column)
    assert f"{error.what} {error.why}".strip() == f"The filter cannot be read at column {column}. {told}"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (":a", 1),
        ("- tag:a", 1),
        ("tag:a\0", 6),
        ("tag:\ud800", 5),
        ('tag:"\\u0000"', 5),
        ('tag:"\\q"', 5),
        ('tag:"a"b', 8),
        ('tag:a"b', 6),
        ("payload.a", 10),
        ("payload.:1", 9),
        ("payload.a..b:1", 11),
        ('payload."a:1', 9),
        ("payload.a:123456789012345678901234567890", 11),
        ("payload.a:1e999", 11),
        ("created:", 9),
        ("created:1h,2h", 11),
        ("created:..", 9),
        ("created:yesterday", 9),
        ("created:2026-01-31T25:00:00Z", 9),
        ("created:1969-12-31", 9),
        ("created:1969-12-31T00:00:00Z", 9),
        ("created:<9999-01-01", 9),
        ("status.x:1", 1),
        (" tag:a" * 1000, MAX_TEXT + 1),
    ],
)
def test_a_column_counts_from_one(text: str, column: int) -> None:
    with pytest.raises(BadFilter, match=rf"at column {column}\.") as caught:
        parse(text, NOW)
    assert caught.value.column == column


# -- the one text --------------------------------------------------------------------------------


@given(drawn_filters.filters(times))
def test_what_is_rendered_is_read_as_the_same_filter(asked: JobFilter) -> None:
    text = render(asked)
    assert parse(text, NOW) == asked
    assert render(parse(text, NOW)) == text


@given(st.text(max_size=30) | st.from_regex(r'-?(tag|payload\.a|created|status):[<>a"1,. -]+'))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text, NOW)
    except BadFilter:
        return
    assert parse(render(found), 0) == found


def test_the_order_of_terms_and_values_changes_nothing() -> None:
    one, other = "tag:b,a -type:x status:failed tag:c", "status:failed tag:c  tag:a,b,a -type:x tag:c"
    assert parse(one, NOW) == parse(other, NOW)
    assert render(parse(other, NOW)) == "status:failed -type:x tag:a,b tag:c"


def test_the_fields_of_a_filter_are_terms_of_its_text() -> None:
    asked = JobFilter(frozenset({Status.FAILED}), frozenset({"mail.*"}), frozenset({"q"}), frozenset({"a b"}))
    assert render(asked) == 'status:failed type:mail.* queue:q tag:"a b"'
    assert parse(render(asked), NOW).terms == frozenset(asked.conditions())


def test_only_so_many_texts_are_looked_for_in_errors() -> None:
    assert len(parse(" ".join(f"-error:{n}" for n in range(MOST_SOUGHT)), NOW).terms) == MOST_SOUGHT
    text = "error:" + ",".join("a" * MOST_SOUGHT) + " error:b"
    with pytest.raises(BadFilter, match="more than 50 texts") as caught:
        parse(text, NOW)
    assert caught.value.column == len(text)


def test_nothing_means_every_job() -> None:
    assert parse(" ", NOW) == JobFilter()
    assert render(JobFilter()) == ""
    assert fits("", a_job())


# -- what it means -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status:pending", True),
        ("status:failed,pending", True),
        ("status:failed", False),
        ("status:failed status:pending", False),
        ("type:mail", True),
        ("type:m*l -type:*x*", True),
        ("type:mai", False),
        ("queue:q", True),
        ("queue:Q", False),
        ("tag:a", True),
        ("tag:b,c", False),
        ("-tag:b,c", True),
        ("-tag:a,c", False),
        ("error:TIME", True),
        ("error:fm5", True),
        ("error:Oserr", True),
        ("error:never,slow", True),
        ("error:never", False),
        ('error:""', True),
        ("-error:never", True),
        ("group:0123456789abcdef", True),
        ("group:ffffffffffffffff,0123456789abcdef", True),
        ("group:ffffffffffffffff", False),
        ("-group:ffffffffffffffff", True),
    ],
)
def test_each_term_is_judged_by_its_own_field(text: str, expected: bool) -> None:
    job = a_job(tags=("a",), error=JobError("FM501", "OSError", "A slow Timeout", group="0123456789abcdef"))
    assert fits(text, job) is expected


def test_no_error_has_no_text_and_no_group() -> None:
    assert not fits('error:""', a_job())
    assert not fits("group:0123456789abcdef", a_job())
    assert fits("-group:0123456789abcdef", a_job(error=JobError("FM501", "OSError", "")))


def test_a_job_that_has_completed_is_in_no_group() -> None:
    assert Status.COMPLETED not in parse("group:0123456789abcdef", NOW).possible()
    assert Status.COMPLETED in parse("-group:0123456789abcdef", NOW).possible()


@pytest.mark.parametrize("text", ["group:42", "group:0123456789ABCDEF", "-group:0123456789abcdef,x", 'group:""'])
def test_what_is_no_error_group_is_refused(text: str) -> None:
    with pytest.raises(BadFilter, match="is no error group"):
        parse(text, NOW)


@pytest.mark.parametrize("payload", ["no json", "[1]", '"a"', "[" * 100_000, "NaN"])
def test_a_payload_that_is_no_object_has_no_members(payload: str) -> None:
    assert not fits("payload.a:a,null,1", a_job(payload=payload))


def test_what_is_no_number_in_json_equals_nothing() -> None:
    assert value_of('{"a": NaN}') is not None
    assert not fits("payload.a:NaN", a_job(payload='{"a": NaN}'))


def test_a_secret_is_what_is_shown_of_it() -> None:
    job = a_job(payload='{"pin":1234,"to":"a"}')
    hidden = {"mail": frozenset({"pin"})}

    def judged(text: str) -> bool:
        return msgspec.structs.replace(parse(text, NOW), secrets=hidden).judge()(job)

    assert not judged("payload.pin:1234")
    assert judged("-payload.pin:1234")
    assert judged('payload.pin:"***" payload.to:a')


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-01-31", NOW - 12 * HOUR, NOW + 12 * HOUR),
        (">2026-01-31", NOW + 12 * HOUR, None),
        (">=2026-01-31", NOW - 12 * HOUR, None),
        ("<2026-01-31", None, NOW - 12 * HOUR),
        ("<=2026-01-31", None, NOW + 12 * HOUR),
        ("2026-01-31T14:00:00.5+02:00", NOW + MICROS // 2, NOW + MICROS // 2 + 1),
        (">=2026-01-31t12:00:00z", NOW, None),
        (">2026-01-31T12:00:00Z", NOW + 1, None),
        ("<=2026-01-31T12:00:00Z", None, NOW + 1),
        ("<1h", NOW - HOUR + 1, None),
        ("<=1h", NOW - HOUR, None),
        (">1h", None, NOW - HOUR),
        (">=1h", None, NOW - HOUR + 1),
        ("30s..", NOW - 30 * MICROS, None),
        ("7d..15m", NOW - 7 * DAY, NOW - 15 * 60 * MICROS + 1),
        ("..2026-01-31", None, NOW + 12 * HOUR),
        ("<999999999d", 1, None),
    ],
)
def test_times_are_stretches(text: str, start: int | None, end: int | None) -> None:
    found = parse(f"finished:{text} created:{text}", NOW)
    assert found.finished == found.created == Span(start, end)


def test_an_hour_is_a_stretch_of_what_has_finished() -> None:
    for at, expected in ((NOW - HOUR, False), (NOW - HOUR + 1, True), (None, False)):
        assert fits("finished:<1h", a_job(finished_at=at)) is expected
    assert fits("", a_job(finished_at=None))


@given(st.integers(0, 2 * 10**15), st.integers(-3, 3))
def test_created_goes_by_the_time_in_the_id(at: int, away: int) -> None:
    limit = max(0, at + away)
    text = render(JobFilter(created=Span(limit)))
    job = a_job(id=drawn_filters.minted(at))
    assert parse(text, 0).judge()(job) is (at >= limit)
    assert JobFilter(created=Span(None, limit)).judge()(job) is (at < limit)


def test_ranges_of_one_time_overlap() -> None:
    both = parse("created:>=2026-01-01 created:<2026-02-01 created:<2026-03-01", NOW)
    assert both == parse("created:2026-01-01..2026-01-31", NOW)
    assert render(both) == "created:>=2026-01-01 created:<2026-02-01"
    assert read_moment("2026-02-01T00:00:00Z") == both.created.end


# -- what stores ask beforehand ------------------------------------------------------------------


def test_the_statuses_that_are_possible_and_those_that_are_named() -> None:
    for text, possible, named in (
        ("", set(Status), None),
        ("-status:completed", set(Status) - {Status.COMPLETED}, None),
        ("status:failed,pending", {Status.FAILED, Status.PENDING}, {Status.FAILED, Status.PENDING}),
        ("status:failed -status:failed", set(), {Status.FAILED}),
        ("status:failed status:pending", set(), set()),
        ("finished:<1h", TERMINAL, None),
        ("finished:<1h status:failed,pending", {Status.FAILED}, {Status.FAILED, Status.PENDING}),
    ):
        asked = parse(text, NOW)
        assert (asked.possible(), asked.named(Field.STATUS)) == (possible, named)
    both = msgspec.structs.replace(parse("status:failed", NOW), statuses=frozenset({Status.PENDING}))
    assert both.possible() == set()


def test_the_lanes_that_are_possible() -> None:
    known = {1: Lane("q", "mail.a", 5), 2: Lane("r", "mail.b", 5), 3: Lane("q", "sms", 5)}
    for text, numbers in (("", None), ("type:mail.*", [1, 2]), ("-queue:q", [2]), ("type:*a* queue:q,r", [1, 2])):
        assert parse(text, NOW).lanes(known) == numbers
    assert JobFilter(types=frozenset({"s*"})).lanes(known) == [3]


def test_what_has_to_be_read_to_be_judged() -> None:
    for text in ("tag:a", "payload.a:1", "error:a", "finished:<1h", "type:a -tag:a"):
        assert parse(text, NOW).reads()
    assert JobFilter(tags=frozenset({"a"})).reads()
    assert not parse("status:failed type:a* -queue:q created:<1h", NOW).reads()


@given(st.lists(st.sampled_from(["", "a", "ab", "*"]), max_size=6).map("".join), st.text("ab", max_size=8))
def test_a_star_stands_for_any_text(pattern: str, text: str) -> None:
    assert is_like(text, pattern) is (re.fullmatch(pattern.replace("*", ".*"), text) is not None)


def test_a_field_of_the_package_is_a_field_of_the_grammar() -> None:
    for field in Field:
        name = "payload.a" if field is Field.PAYLOAD else field
        value = "9f2c01d4a37be615" if field is Field.GROUP else "failed"
        [term] = parse(f"{name}:{value}", NOW).terms
        assert term == Term(field, frozenset({'"failed"' if term.path else value}), term.path)
    assert set(filters.__all__) >= {"JobFilter", "parse", "render"}
