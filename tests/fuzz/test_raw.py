"""A few seconds of bytes that are no requests; the command sends more."""

from __future__ import annotations

from tests.fuzz.hostile import Generator
from tests.fuzz.raw import attacked


def test_a_server_stands_what_is_no_request() -> None:
    report = attacked(2.0, 1)
    assert report.faults == []
    assert {200, 400, 422} <= report.answers.keys()


def test_a_seed_gives_the_same_bytes() -> None:
    one, other = Generator(7), Generator(7)
    assert [one.next() for _ in range(50)] == [other.next() for _ in range(50)]
    assert Generator(8).next() != Generator(7).next()
