"""P9: a tick fires once."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.testing.history import Terms
from tests.testing.histories import Writer


@pytest.fixture
def writer() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    return writer


def fire(writer: Writer, job: str, tick: tuple[str, int], *, stored: bool = True, **more: Any) -> None:
    """A node asks for a job at a tick."""
    writer.ask(job, request=job, scheduled=True, tick=tick, **more)
    if stored:
        writer.store(job)
        writer.run(job)


def test_each_tick_of_each_schedule_may_have_a_job(writer: Writer) -> None:
    fire(writer, "a", ("s", 1))
    fire(writer, "b", ("s", 2))
    fire(writer, "c", ("t", 1))
    assert writer.broken() == []


def test_those_who_come_second_are_asked_for_in_vain(writer: Writer) -> None:
    fire(writer, "a", ("s", 1))
    fire(writer, "b", ("s", 1), stored=False)
    assert writer.broken() == []


def test_one_that_is_asked_for_again_after_a_lost_reply_is_the_same(writer: Writer) -> None:
    fire(writer, "a", ("s", 1))
    writer.ask("a", request="a", scheduled=True, tick=("s", 1))
    assert writer.broken() == []


def test_two_jobs_at_one_tick_break_it(writer: Writer) -> None:
    fire(writer, "a", ("s", 1))
    fire(writer, "b", ("s", 1))
    assert writer.broken() == ["P9"]


def test_no_queue_is_too_full_for_a_tick() -> None:
    writer = Writer(terms=Terms(types=frozenset({"mail"}), max_pending=1))
    writer.spawn("p1")
    for number in range(3):
        writer.ask(f"{number}", request=f"{number}", scheduled=True, tick=("s", number))
        writer.store(f"{number}")
    for number in range(3):
        writer.run(f"{number}")
    assert writer.broken() == []
