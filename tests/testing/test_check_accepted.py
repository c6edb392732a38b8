"""P1, P2, P3, P16: what is accepted is there and ends; what is refused is not; nothing is invented."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import QueueFull
from ferryman.domain.state import Status
from ferryman.testing.history import NOT_YET, PROMISES, Terms
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer


@pytest.fixture
def writer() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    return writer


def test_every_promise_has_a_predicate_or_a_reason_why_not() -> None:
    assert {*PROMISES, *NOT_YET} == {f"P{number}" for number in range(1, 20)}
    assert not PROMISES.keys() & NOT_YET.keys()


def test_an_empty_history_breaks_nothing() -> None:
    assert Writer().broken() == []


def test_a_job_that_is_asked_for_runs_and_ends_breaks_nothing(writer: Writer) -> None:
    writer.enqueue()
    writer.run("a", "failed", "scheduled")
    writer.run()
    assert writer.broken() == []


# -- P1 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["accepted", "existed", "replayed"])
def test_an_accepted_job_that_is_gone(writer: Writer, verdict: str) -> None:
    writer.ask()
    writer.answer("a", verdict)
    assert writer.broken() == ["P1"]


def test_a_job_that_nobody_was_told_of_may_be_gone(writer: Writer) -> None:
    writer.ask()
    writer.answer("a", "unknown")
    assert writer.broken() == []


def test_two_accepted_requests_that_share_a_job(writer: Writer) -> None:
    writer.enqueue()
    writer.run()
    writer.ask("b", minted=False)
    writer.answer("a", request="r-b")
    assert writer.broken() == ["P1"]


def test_an_answer_that_names_another_job(writer: Writer) -> None:
    writer.enqueue()
    writer.run()
    writer.ask("b")
    writer.store("b")
    writer.run("b")
    writer.answer("a", request="r-b")
    assert writer.broken() == ["P1"]
    assert writer.violations()[0].jobs == ("b", "a")


def test_a_request_that_is_repeated_may_be_accepted_twice(writer: Writer) -> None:
    writer.enqueue()
    writer.ask()
    writer.answer()
    writer.run()
    assert writer.broken() == []


def test_a_request_that_is_repeated_with_a_new_id_may_be_answered_with_the_old_one(writer: Writer) -> None:
    writer.ask()
    writer.store("a")
    writer.ask("b", request="r-a")
    writer.answer("a")
    writer.run()
    assert writer.broken() == []


# -- P2 ----------------------------------------------------------------------------------------------


def test_an_accepted_job_that_never_ends(writer: Writer) -> None:
    writer.enqueue()
    assert writer.broken() == ["P2"]


def test_a_stored_job_without_an_answer_has_to_end_too(writer: Writer) -> None:
    writer.ask()
    writer.store("a")
    assert writer.broken() == ["P2"]


def test_a_job_of_a_type_that_nobody_knows_may_wait(writer: Writer) -> None:
    writer.enqueue("a", type="unknown")
    assert writer.broken() == []


def test_a_run_that_is_open_for_ever(writer: Writer) -> None:
    writer.enqueue()
    writer.claim("a")
    writer.alter("a", status=Status.PROCESSING, claim=1, attempt=1)
    assert [each.what for each in writer.violations()] == [
        "Job a never ended: it is processing for ever.",
        "Run 1 of job a is claimed for ever.",
    ]


def test_open_runs_with_no_node_left_to_rescue_them(writer: Writer) -> None:
    writer.terms = Terms()
    writer.enqueue()
    writer.claim("a")
    writer.alter("a", status=Status.PROCESSING, claim=1, attempt=1)
    assert writer.broken() == []


@pytest.mark.parametrize("seen", ["claimed", "started", "read"])
def test_a_job_that_was_seen_and_is_gone(seen: str) -> None:
    writer = Writer(exact=False)
    writer.spawn("p1")
    writer.ask()
    writer.answer("a", "unknown")
    if seen == "claimed":
        run = e.ClaimedRun("a", 1, 1, 3, 0)
        writer.note(e.Claimed, "p1", call=1, node=1, batch=1, runs=[run])
    elif seen == "started":
        writer.note(e.Started, "p1", job="a", number=1, attempt=1, node="n1")
    else:
        writer.look("a", "pending", 0, 0)
    assert writer.broken() == ["P2"]


# -- P3 ----------------------------------------------------------------------------------------------


def test_a_job_that_nobody_asked_for(writer: Writer) -> None:
    writer.store("a")
    writer.run()
    assert writer.broken() == ["P3"]


@pytest.mark.parametrize("other", [{"type": "sms"}, {"queue": "q"}, {"priority": 1}, {"max_attempts": 9}])
def test_a_job_that_is_not_what_was_asked_for(writer: Writer, other: dict[str, object]) -> None:
    writer.ask()
    writer.store("a", **other)
    writer.run()
    assert writer.broken() == ["P3"]


def test_an_unanswered_request_may_have_left_one_job_of_its_shape(writer: Writer) -> None:
    writer.ask("?", minted=False)
    writer.answer(None, "unknown", request="r-?")
    writer.store("a")
    writer.run()
    assert writer.broken() == []
    writer.store("b")
    writer.run("b")
    assert writer.broken() == ["P3"]


def test_an_unanswered_request_leaves_no_job_of_another_shape(writer: Writer) -> None:
    writer.ask("?", minted=False, queue="elsewhere")
    writer.store("a")
    writer.run()
    assert writer.broken() == ["P3"]


@pytest.mark.parametrize("verdict", ["accepted", "replayed"])
def test_a_request_whose_answer_names_its_job_left_no_other(writer: Writer, verdict: str) -> None:
    writer.ask("a", minted=False)
    writer.store("a")
    writer.answer("a", verdict)
    writer.run()
    assert writer.broken() == []
    writer.store("b")
    writer.run("b")
    assert writer.broken() == ["P3"]


def test_an_answer_that_names_an_older_job_says_nothing_of_who_asked_for_it(writer: Writer) -> None:
    writer.ask("a", minted=False)
    writer.answer(None, "unknown", request="r-a")
    writer.store("a")
    writer.ask("b", minted=False, priority=1)
    writer.answer("a", "existed", request="r-b")
    writer.run()
    assert writer.broken() == []


# -- P16 ---------------------------------------------------------------------------------------------


def test_a_refused_job_is_not_stored(writer: Writer) -> None:
    writer.ask()
    writer.answer("a", "refused", code=QueueFull.code)
    assert writer.broken() == []
    writer.store("a")
    writer.run()
    assert writer.broken() == ["P16"]


def test_a_try_before_the_refused_one_may_have_been_stored(writer: Writer) -> None:
    writer.ask()
    writer.answer("a", "unknown")
    writer.ask()
    writer.answer("a", "refused")
    writer.store("a")
    writer.run()
    assert writer.broken() == []


def bounded(bound: int) -> Writer:
    writer = Writer(terms=Terms(types=frozenset({"mail"}), max_pending=bound))
    writer.spawn()
    return writer


def test_a_queue_that_holds_its_bound_takes_in_more_once_somebody_has_left() -> None:
    writer = bounded(2)
    writer.enqueue("a")
    writer.enqueue("b")
    writer.enqueue("other", queue="another")
    writer.run("a")
    writer.enqueue("c")
    for job in ("b", "c", "other"):
        writer.run(job)
    assert writer.broken() == []


def test_a_queue_that_takes_in_more_than_its_bound() -> None:
    writer = bounded(2)
    for job in "abc":
        writer.enqueue(job)
    for job in "abc":
        writer.run(job)
    assert writer.broken() == ["P16"]
    assert "bound of 2" in str(writer.violations()[0])


def test_a_request_that_is_said_again_and_stands_for_another_job() -> None:
    writer = bounded(0)
    for job in "ab":
        writer.ask(job, minted=False, request="key")
        writer.store(job)
        writer.answer(job, request="key")
        writer.run(job)
    assert writer.broken() == ["P1"]
