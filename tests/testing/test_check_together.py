"""P4: follow-ups, and what a handler wrote in its own transaction, exist iff the completion committed."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.state import Status
from ferryman.testing.history import Terms
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

both = pytest.mark.parametrize("exact", [True, False], ids=["exact", "not exact"])
KEY: dict[str, Any] = {"unique_key": "k"}


def begin(*, exact: bool = True, **terms: Any) -> Writer:
    """A job `a` whose handler runs."""
    writer = Writer(exact=exact, terms=Terms(types=frozenset({"mail"}), **terms))
    writer.spawn("p1")
    writer.spawn("p2")
    writer.enqueue("a")
    writer.claim("a")
    writer.start("a")
    return writer


def told(writer: Writer) -> list[str]:
    return [each.what for each in writer.violations() if each.promise == "P4"]


def complete(writer: Writer, **how: Any) -> None:
    writer.end("a")
    writer.write("a", **how)


# -- follow-ups ----------------------------------------------------------------------------------------


@both
def test_follow_ups_come_with_the_completion(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.follow("b")
    writer.follow("c")
    complete(writer)
    writer.brought("b", "c")
    writer.run("b")
    writer.run("c", process="p2")
    assert writer.broken() == []


@both
def test_a_follow_up_that_is_missing(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.follow("b")
    complete(writer)
    assert writer.broken() == ["P4"]
    assert told(writer) == ["Run 1 completed job a, but its follow-up b is not there."]
    assert writer.violations()[0].jobs == ("a", "b")


@both
@pytest.mark.parametrize("how", ["raised", "lost", "open"])
def test_a_follow_up_of_a_run_that_did_not_complete(exact: bool, how: str) -> None:
    writer = begin(exact=exact)
    writer.follow("b")
    if how == "raised":
        writer.end("a", "raised")
        writer.write("a", "failed", "failed")
    elif how == "lost":
        writer.note(e.Killed, process="p1")
        writer.rescue("a", status="failed")
    assert told(writer) == []
    writer.brought("b")
    writer.run("b", process="p2")
    assert told(writer) == ["Job b follows run 1 of job a, which did not complete."]


def test_a_run_that_was_fenced_leaves_its_follow_ups_and_the_next_one_brings_its_own() -> None:
    writer = begin()
    writer.follow("b")
    writer.note(e.Paused, process="p1")
    writer.rescue("a")
    writer.claim("a", process="p2")
    writer.start("a", process="p2")
    writer.follow("c", process="p2")
    writer.end("a", process="p2")
    writer.write("a", process="p2")
    writer.note(e.Ended, "p1", job="a", number=1, how="returned")
    writer.write("a", process="p1", number=1, fenced=True)
    writer.brought("c")
    writer.run("c", process="p2")
    assert writer.broken() == []
    writer.brought("b")
    writer.run("b", process="p2")
    assert writer.broken() == ["P4"]


def test_a_follow_up_that_is_claimed_before_its_run_has_completed() -> None:
    writer = begin()
    writer.follow("b")
    writer.brought("b")
    writer.run("b", process="p2")
    complete(writer)
    assert told(writer) == ["Job b was claimed before run 1 completed job a, which it follows."]


def test_a_follow_up_is_what_was_asked_for_and_comes_once() -> None:
    writer = begin()
    writer.follow("b")
    complete(writer)
    writer.brought("b", priority=9)
    writer.run("b")
    assert writer.broken() == ["P3"]
    writer.alter("b", priority=5)
    assert writer.broken() == []
    writer.brought("again")
    writer.run("again")
    assert writer.broken() == ["P3"]


def test_a_follow_up_must_end_like_any_job() -> None:
    writer = begin()
    writer.follow("b")
    complete(writer)
    writer.brought("b")
    assert writer.broken() == ["P2"]


# -- follow-ups and keys ---------------------------------------------------------------------------------


@both
def test_a_follow_up_gives_way_to_a_live_job_with_its_key(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("holder", **KEY)
    writer.follow("b", **KEY)
    complete(writer)
    writer.run("holder")
    assert writer.broken() == []


def test_a_follow_up_gives_way_to_nobody_who_lived_at_another_time() -> None:
    writer = begin()
    writer.enqueue("before", **KEY)
    writer.run("before", process="p2")
    writer.follow("b", **KEY)
    complete(writer)
    assert told(writer) == ["Run 1 completed job a, but its follow-up b is not there."]
    writer.enqueue("after", **KEY)
    writer.run("after", process="p2")
    assert told(writer) == ["Run 1 completed job a, but its follow-up b is not there."]


def test_a_follow_up_gives_way_to_no_job_of_another_type() -> None:
    writer = begin()
    writer.enqueue("other", type="sms", **KEY)
    writer.follow("b", **KEY)
    complete(writer)
    assert told(writer) == ["Run 1 completed job a, but its follow-up b is not there."]


def test_a_follow_up_may_have_met_a_job_that_was_retried() -> None:
    writer = begin()
    writer.enqueue("other", **KEY)
    writer.run("other", "failed", "failed", process="p2")
    writer.follow("b", **KEY)
    complete(writer)
    assert writer.broken() == ["P4"]
    writer.retry("other")
    writer.run("other", process="p2")
    assert writer.broken() == []


def test_a_follow_up_takes_the_key_of_the_job_that_it_follows() -> None:
    writer = begin()
    writer.alter("a", unique_key="k")
    writer.follow("b", **KEY)
    complete(writer)
    assert told(writer) == ["Run 1 completed job a, but its follow-up b is not there."]
    writer.brought("b", **KEY)
    writer.run("b")
    assert writer.broken() == []


def test_a_follow_up_and_another_job_that_have_one_key_at_once() -> None:
    writer = begin()
    writer.follow("b", **KEY)
    writer.enqueue("other", **KEY)
    complete(writer)
    writer.brought("b", **KEY)
    writer.run("other")
    writer.run("b")
    assert writer.broken() == ["P10"]


# -- follow-ups in their lane and queue --------------------------------------------------------------------


def test_a_follow_up_stands_in_its_lane_where_its_run_completed() -> None:
    writer = begin()
    writer.follow("b")
    writer.follow("c")
    writer.enqueue("before")
    complete(writer)
    writer.brought("b", "c")
    writer.enqueue("after")
    for job in ("before", "b", "c", "after"):
        writer.run(job)
    assert writer.broken() == []


@pytest.mark.parametrize("order", [("b", "before", "c"), ("before", "c", "b")])
def test_a_follow_up_that_is_claimed_out_of_turn(order: tuple[str, ...]) -> None:
    writer = begin()
    writer.follow("b")
    writer.follow("c")
    writer.enqueue("before")
    complete(writer)
    writer.brought("b", "c")
    for job in order:
        writer.run(job)
    assert writer.broken() == ["P12"]


def test_a_queue_is_never_too_full_for_a_follow_up() -> None:
    writer = begin(max_pending=1)
    writer.follow("b")
    writer.follow("c")
    complete(writer)
    writer.brought("b", "c")
    writer.run("b")
    writer.run("c")
    assert writer.broken() == []


def test_a_follow_up_waits_in_its_queue_like_any_job() -> None:
    writer = begin(max_pending=1)
    writer.follow("b")
    complete(writer)
    writer.brought("b")
    writer.enqueue("c")
    writer.run("b")
    writer.run("c")
    assert writer.broken() == ["P16"]


# -- a handler's own transaction ---------------------------------------------------------------------------


@both
def test_a_transaction_completes_its_run_whatever_the_handler_does_then(exact: bool) -> None:
    for how in ("returned", "raised", "snoozed", "cut off", None):
        writer = begin(exact=exact)
        writer.commit("a", '{"n": 1}')
        if how is not None:
            writer.note(e.Ended, "p1", job="a", number=1, how=how, result="7")
        if how is not None or exact:  # one that will not end is given up, and written
            writer.repeat()
        assert writer.broken() == []


def test_the_result_is_what_was_committed() -> None:
    writer = begin()
    writer.commit("a", "1")
    writer.note(e.Ended, "p1", job="a", number=1, how="returned", result="2")
    writer.alter("a", result="2")
    assert told(writer) == ["Job a has the result 2, but its run 1 committed 1."]


def test_a_handler_that_does_not_return_needs_a_transaction_that_committed() -> None:
    writer = begin()
    writer.note(e.Committing, "p1", job="a", number=1)
    writer.end("a", "raised")
    writer.write("a")
    assert told(writer) == ["Run 1 completed job a, but its handler raised."]


def test_follow_ups_come_with_a_transaction() -> None:
    writer = begin()
    writer.follow("b")
    writer.commit("a")
    writer.brought("b")
    writer.run("b", process="p2")
    assert writer.broken() == []


def test_follow_ups_of_a_transaction_stand_in_their_lane_where_it_committed() -> None:
    writer = begin()
    writer.follow("b")
    writer.commit("a")
    writer.brought("b")
    writer.enqueue("after")
    writer.note(e.Ended, "p1", job="a", number=1, how="returned")
    writer.repeat()
    writer.run("after")
    writer.run("b")
    assert writer.broken() == ["P12"]


@both
def test_a_row_of_a_run_that_did_not_complete(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.end("a", "raised")
    writer.write("a", "failed", "failed")
    writer.ledger = [("a", 1)]
    assert told(writer) == ["What run 1 of job a wrote is there, but the run did not complete."]


@both
def test_a_row_that_is_there_twice(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.commit("a", rows=2)
    assert told(writer) == ["What run 1 of job a wrote is there 2 times."]


def test_a_row_that_is_missing() -> None:
    writer = begin()
    writer.commit("a", rows=0)
    assert told(writer) == ["Run 1 of job a committed what it wrote, but it is not there."]


def test_a_row_that_nobody_committed() -> None:
    writer = begin()
    complete(writer)
    writer.ledger = [("a", 1)]
    assert told(writer) == ["What run 1 of job a wrote is there, but was never committed."]


def test_a_commit_without_a_completion() -> None:
    writer = begin()
    writer.note(e.Committing, "p1", job="a", number=1)
    writer.note(e.Committed, "p1", node=1, job="a", number=1)
    writer.end("a", "raised")
    writer.write("a", "failed", "failed")
    writer.ledger = [("a", 1)]
    assert told(writer) == [
        "What run 1 of job a wrote is there, but the run did not complete.",
        "Run 1 of job a committed what it wrote, but did not complete.",
    ]
    assert writer.jobs["a"].status is Status.FAILED
