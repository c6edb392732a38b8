"""Which errors are one and the same."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.error_groups import LOOKED_AT, MESSAGE_MAX, NAME_MAX, general, group_of, is_group
from ferryman.domain.job import JobError


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no such user: 42", "no such user: <n>"),
        ("took 3.5s, not -2", "took <n>s, not -<n>"),
        ("at 2026-01-31 12:00:00", "at <n> <n>"),
        ("job 01890a5d-ac96-774b-bcce-b302099a8057 is gone", "job <uuid> is gone"),
        ("<Shop object at 0x7f2a88>", "<Shop object at <hex>>"),
        ("digest deadbeef01234567 differs", "digest <n> differs"),
        ("a defaced facade", "a defaced facade"),
        ("'a'", "<text>"),
        ('column "user id" of `orders`', "column <text> of <text>"),
        ("it's don't, not 'it\\'s' nor 'it's'", "it's don't, not <text> nor <text>"),
        ("cut off in 'the middle of", "cut off in <text>"),
        ("mail to anna.b+x@example.org bounced", "mail to <email> bounced"),
        ("GET https://example.org/a?b=1#c gave 503", "GET <url> gave <n>"),
        ("[Errno 2] /var/lib/a b", "[Errno <n>] <path> b"),
        ("C:\\temp\\x.txt, ../y and ~/z", "<path>, <path> and <path>"),
        ("either/or", "either/or"),
        ("connect 10.0.0.1:5432, fe80:1:2:3::4", "connect <n>, <ip>"),
        ("two\n  lines\t", "two lines"),
        ("\u0661\u0662 users", "<n> users"),
        ("", ""),
    ],
)
def test_what_differs_from_job_to_job_is_left_out(message: str, told: str) -> None:
    assert general(message) == told


@given(st.text(), st.text(), st.text(), st.none() | st.text())
def test_every_error_has_a_group_of_bounded_length(type: str, code: str, message: str, frame: str | None) -> None:
    error = JobError(code, type, message, frame=frame)
    group = group_of(error)
    assert group == group_of(JobError(code, type, message, "another traceback", frame))
    assert is_group(group.id)
    assert len(group.message) <= MESSAGE_MAX
    assert len(group.exception) <= NAME_MAX
    assert len(group.frame or "") <= NAME_MAX
    assert not re.search(r"\d", group.message)


@given(st.integers(0), st.uuids(), st.text("abc .\\'", max_size=20))
def test_jobs_differ_and_the_group_does_not(n: int, id: uuid.UUID, name: str) -> None:
    said = f"user {n} ({id}, {id.hex}) has no {name!r} in {n:#x}"
    assert general(said) == "user <n> (<uuid>, <n>) has no <text> in <hex>"


def test_exception_code_message_and_place_make_a_group() -> None:
    error = JobError("FM501", "ValueError", "no", frame="mail.py:send")
    others = [
        JobError("FM502", "ValueError", "no", frame="mail.py:send"),
        JobError("FM501", "KeyError", "no", frame="mail.py:send"),
        JobError("FM501", "ValueError", "yes", frame="mail.py:send"),
        JobError("FM501", "ValueError", "no", frame="mail.py:fetch"),
        JobError("FM501", "ValueError", "no"),
    ]
    assert len({group_of(each).id for each in (error, *others)}) == 6
    assert group_of(error).id == "76c9ee7ba2b674ee", "an id is the same on every machine, and in every version"


@pytest.mark.parametrize("unit", ["'", "'a", "\\", "'\\", "a@", "a.b", "1:", "a-", "://", "0a", "f:", "/", "~/."])
def test_a_huge_message_is_not_read_to_its_end(unit: str) -> None:
    whole = unit * (10_000_000 // len(unit))
    assert general(whole) == general(whole[:LOOKED_AT] + "and now for something else")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("9f2c01d4a37be615", True),
        ("9F2C01D4A37BE615", False),
        ("9f2c01d4a37be61", False),
        ("9f2c01d4a37be615\n", False),
    ],
)
def test_an_id_of_a_group_looks_like_one(text: str, is_one: bool) -> None:
    assert is_group(text) is is_one
