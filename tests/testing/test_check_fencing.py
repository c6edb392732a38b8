"""P7: who may write the outcome of a run, and what those who try are told."""

from __future__ import annotations

import pytest

from ferryman.testing.history import entries as e
from tests.testing.histories import Writer


@pytest.fixture
def writer() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    writer.spawn("p2")
    writer.enqueue()
    return writer


def told(writer: Writer) -> list[str]:
    return [each.what for each in writer.violations() if each.promise == "P7"]


def freeze_and_take_over(writer: Writer) -> None:
    """p1 sleeps through its own rescue, and p2 claims its job."""
    writer.claim("a")
    writer.start()
    writer.note(e.Paused, process="p1")
    writer.rescue("a")
    writer.claim("a", process="p2")
    writer.start(process="p2")


# -- the two well-known faults of other queues ---------------------------------------------------------


def test_a_late_finish_is_fenced(writer: Writer) -> None:
    freeze_and_take_over(writer)
    writer.note(e.Resumed, process="p1")
    writer.note(e.Ended, "p1", job="a", number=1, how="returned", result=None)
    writer.write("a", fenced=True, number=1)
    writer.end(process="p2")
    writer.write(process="p2")
    assert writer.broken() == []


def test_a_late_finish_that_ends_the_job_another_node_runs(writer: Writer) -> None:
    """First fault: the fence goes by the job's id or status, not by the claim."""
    freeze_and_take_over(writer)
    writer.note(e.Resumed, process="p1")
    writer.note(e.Ended, "p1", job="a", number=1, how="returned", result=None)
    writer.write("a", number=1)
    assert "Node n1 was told that run 1 of job a is written as done, but it is lost." in told(writer)


def test_a_rescue_that_takes_a_completed_job_back(writer: Writer) -> None:
    """Second fault: the rescue overwrites the outcome that was there already."""
    writer.run()
    writer.note(e.Killed, process="p1")
    writer.rows["a"].clear()
    writer.rescue("a")
    writer.run("a", process="p2")
    assert told(writer) == ["Node n1 was told that run 1 of job a is written as done, but it is lost."]


# -- claims --------------------------------------------------------------------------------------------


def test_a_run_that_is_claimed_twice(writer: Writer) -> None:
    writer.claim("a")
    writer.claim("a", process="p2")
    writer.start()
    writer.end()
    writer.write()
    assert told(writer) == ["Run 1 of job a was claimed 2 times, by n1 and n2."]


def test_a_claim_that_is_asked_for_again_is_one_claim(writer: Writer) -> None:
    for call in (1, 2):
        writer.note(e.Claiming, "p1", call=call, node=1, batch=9, idle=1)
        runs = [e.ClaimedRun("a", 1, 1, 3, 0)]
        writer.note(e.Claimed, "p1", call=call, node=1, batch=9, runs=runs)
    writer.start()
    writer.end()
    writer.write()
    assert writer.broken() == []


def test_an_outcome_of_another_node_than_the_one_that_claimed(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.end()
    writer.write(process="p2")
    assert told(writer) == ["Run 1 of job a was claimed by node n1, but is one of node n2 in the store."]


def test_a_claimed_run_whose_number_marks_a_cancel(writer: Writer) -> None:
    writer.claim("a")
    writer.row("a", "cancelled", "cancelled", node=None)
    assert told(writer) == ["Run 1 of job a was claimed, but its number marks that a person cancelled the job."]


def test_a_node_that_claims_after_it_was_found_dead(writer: Writer) -> None:
    writer.note(e.Paused, process="p1")
    writer.rescue()
    writer.run()
    assert told(writer) == ["Node n1 claimed 1 jobs after it had been found dead."]


# -- what writers are told -------------------------------------------------------------------------------


def test_a_write_that_was_answered_and_is_not_there(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.end()
    writer.write()
    writer.rows["a"].clear()
    assert told(writer) == ["Node n1 was told that run 1 of job a is written as done, but it has no outcome."]


def test_a_write_that_stands_with_another_status(writer: Writer) -> None:
    writer.claim("a")
    writer.write("a", "failed", "scheduled")
    writer.rows["a"].clear()
    writer.row("a", "failed", "failed")
    assert told(writer) == [
        "Node n1 was told that run 1 of job a is written as failed and scheduled, but it is failed."
    ]


@pytest.mark.parametrize("asked", [True, False])
def test_a_run_that_would_run_again_may_end_cancelled_if_somebody_asked(writer: Writer, asked: bool) -> None:
    writer.claim("a")
    writer.start()
    if asked:
        writer.note(e.CancelAsked, "client", job="a")
    writer.end("a", "raised")
    writer.write("a", "failed", "scheduled")
    writer.rows["a"].clear()
    writer.row("a", "failed", "cancelled")
    assert writer.broken() == ([] if asked else ["P7"])


def test_a_write_whose_reply_was_lost_is_recognised_when_it_comes_again(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.end()
    writer.write(reply=False)
    again = [e.WrittenRun("a", 1, "done", "completed", 7)]
    writer.note(e.Writing, "p1", call=90, node=1, runs=again)
    writer.note(e.Wrote, "p1", call=90, node=1, fenced=[], cancelled=[])
    assert writer.broken() == []
    writer.note(e.Writing, "p1", call=91, node=1, runs=again)
    writer.note(e.Wrote, "p1", call=91, node=1, fenced=[("a", 1)], cancelled=[])
    assert told(writer) == ["Node n1 was told that it lost run 1 of job a, which it had written as done itself."]


def test_a_release_that_comes_again_is_recognised_too(writer: Writer) -> None:
    writer.claim("a")
    writer.write("a", "released", "pending", token=0, reply=False)
    writer.write("a", "released", "pending", token=0, fenced=True)
    writer.run()
    assert told(writer) == ["Node n1 was told that it lost run 1 of job a, which it had written as released itself."]


def test_a_fenced_write_of_a_run_that_has_no_outcome(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.end()
    writer.write(fenced=True, number=1)
    assert told(writer) == ["Node n1 was told that it lost run 1 of job a, but the run has no outcome."]


def test_a_fenced_write_that_stands_in_the_store_all_the_same() -> None:
    """Between real processes the effect of the first write is not seen, as its reply was lost."""
    writer = Writer(exact=False)
    writer.spawn()
    writer.enqueue()
    writer.claim("a")
    writer.start()
    writer.end()
    writer.row("a", "done", "completed")
    writer.write(fenced=True)
    assert told(writer) == ["Node n1 was told that it lost run 1 of job a, but it is done, as that node wanted it."]


def test_a_cancel_by_force_may_have_the_same_words_as_the_write_that_it_fences(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.end("a", "cancelled")
    writer.row("a", "cancelled", "cancelled")
    writer.write("a", "cancelled", "cancelled", fenced=True)
    assert writer.broken() == []
