"""P2 and P12 where transactions overlap: what a late commit and a rolled-back claim excuse, and what they do not."""

from __future__ import annotations

import pytest

from ferryman.testing.history import Terms, Violation, story
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer


@pytest.fixture
def writer() -> Writer:
    writer = Writer(terms=Terms(types=frozenset({"mail"}), overlapping=True))
    writer.spawn("p1")
    writer.spawn("p2")
    return writer


def end(writer: Writer, *jobs: str) -> None:
    for job in jobs:
        writer.start(job)
        writer.end(job)
        writer.write(job)


# -- P12 ---------------------------------------------------------------------------------------------


def test_who_was_answered_before_the_other_one_asked_comes_first(writer: Writer) -> None:
    for job in "ab":
        writer.enqueue(job)
    for job in "ba":
        writer.run(job)
    assert writer.broken() == ["P12"]


def test_who_was_stored_before_the_other_one_asked_comes_first_whenever_the_answer_comes(writer: Writer) -> None:
    writer.ask("a")
    writer.store("a")
    writer.enqueue("b")
    writer.answer("a")
    for job in "ba":
        writer.run(job)
    assert writer.broken() == ["P12"]


def test_enqueues_that_overlap_have_no_order(writer: Writer) -> None:
    for job in "ab":
        writer.ask(job)
    for job in "ab":
        writer.store(job)
        writer.answer(job)
    for job in "ba":
        writer.run(job)
    assert writer.broken() == []


def test_claims_that_overlap_have_no_order(writer: Writer) -> None:
    for job in "ab":
        writer.enqueue(job)
    writer.note(e.Claiming, "p2", call=90, node=2, batch=90, idle=1)
    writer.run("b")
    writer.claimed(90, "a", process="p2", node=2)
    writer.note(e.Replied, "p2", call=90)
    end(writer, "a")
    assert "P12" not in writer.broken()


def test_jobs_of_a_callers_own_transaction_pass_others_and_are_passed(writer: Writer) -> None:
    writer.enqueue("a")
    writer.enqueue("own", together=True)
    writer.enqueue("b")
    for job in ("own", "b", "a"):
        writer.run(job)
    assert [each.jobs for each in writer.violations()] == [("a", "b")]


def test_a_job_that_a_claim_gave_back_by_a_rollback_is_passed(writer: Writer) -> None:
    writer.enqueue("a")
    writer.enqueue("b")
    writer.note(e.Undone, "p2", jobs=["a"])
    for job in "ba":
        writer.run(job)
    assert writer.broken() == []


# -- P2 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["gap", "rescan"])
def test_only_a_rollback_hides_a_job_until_the_next_look_from_the_beginning(writer: Writer, how: str) -> None:
    writer.enqueue("a")
    writer.note(e.Undone, "p2", jobs=["b"])
    writer.note(e.Found, "p1", node=1, batch=9, jobs=["a"], how=how)
    writer.run("a")
    assert writer.broken() == ([] if how == "gap" else ["P2"])


def test_a_rollback_hides_nothing_before_it(writer: Writer) -> None:
    writer.enqueue("a")
    writer.note(e.Found, "p1", node=1, batch=9, jobs=["a"], how="rescan")
    writer.note(e.Undone, "p2", jobs=["a"])
    writer.note(e.Found, "p1", node=1, batch=9, jobs=["a"], how="rescan")
    writer.run("a")
    assert [each.what for each in writer.violations()] == ["Job a was pending, and its node had lost sight of it."]


# -- the story ---------------------------------------------------------------------------------------


def test_a_story_tells_of_the_server_and_of_what_was_passed_and_found(writer: Writer) -> None:
    writer.enqueue("a", together=True)
    writer.note(e.Restarted, seconds=0.5)
    writer.note(e.ReadOnly, seconds=2.0)
    writer.note(e.Faulted, process="p1", verb="claim", kind="lost")
    writer.note(e.Undone, "p1", jobs=["a", "b"])
    writer.claim("a")
    call = writer.entries[-1]
    assert isinstance(call, e.Replied)
    batch = {"node": 1, "batch": call.call}
    writer.note(e.Passed, "p1", **batch, running=1)
    writer.note(e.Passed, "p1", **batch, running=2)
    writer.note(e.Found, "p1", **batch, jobs=["a", "b"], how="gap")
    writer.note(e.Found, "p1", **batch, jobs=["a"], how="rescan")
    writer.note(e.Found, "p1", **batch, jobs=["b"], how="rescan")
    told = story(writer.history, Violation("P2", "Job a never ended.", ("a",)))
    for sentence in (
        "asks in a transaction of the caller's own for job a: mail",
        "restarts the store's server, which takes 0.5 s",
        "lets the store's server fail over: nothing is written for 2 s",
        "makes a call of p1 lose its connection: claim",
        "what had taken job a is rolled back",
        "that claim of p1/1 has passed 1 transaction that is in progress still",
        "that claim of p1/1 has passed 2 transactions that are in progress still",
        "p1/1 finds job a behind its cursor, of a transaction that it had passed",
        "p1/1 finds job a behind its cursor, with a look from the beginning",
    ):
        assert sentence in told
    assert told.count("with a look from the beginning") == 1
