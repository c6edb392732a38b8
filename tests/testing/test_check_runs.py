"""P4, P5, P6: how often a job completes, how often a run starts, how many attempts there are."""

from __future__ import annotations

import pytest

from ferryman.domain.state import Status
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer


@pytest.fixture
def writer() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    writer.enqueue()
    return writer


def told(writer: Writer, promise: str) -> list[str]:
    return [each.what for each in writer.violations() if each.promise == promise]


# -- P4 ----------------------------------------------------------------------------------------------


def test_a_result_is_what_the_completing_run_returned(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.end("a", "returned", '{"n": 1}')
    writer.write()
    writer.alter("a", result='{"n":1}')
    assert writer.broken() == []
    writer.alter("a", result='{"n":2}')
    assert writer.broken() == ["P4"]
    writer.alter("a", result=None)
    assert writer.broken() == ["P4"]


def test_no_result_is_the_result_null(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.end("a", "returned", "null")
    writer.write()
    assert writer.broken() == []


def test_a_job_that_completes_twice(writer: Writer) -> None:
    writer.run()
    writer.run()
    assert told(writer, "P4") == ["Job a was completed by each of its runs [1, 2]."]


def test_a_job_that_goes_on_after_its_completion(writer: Writer) -> None:
    writer.run()
    writer.run("a", "failed", "failed")
    assert told(writer, "P4") == ["Job a was completed by run 1, and went on to 2."]


def test_a_result_without_a_completion(writer: Writer) -> None:
    writer.run("a", "failed", "failed")
    writer.alter("a", result="1")
    assert writer.broken() == ["P4"]


@pytest.mark.parametrize("how", ["raised", "cut off", "cancelled"])
def test_a_completion_by_a_handler_that_did_not_return(writer: Writer, how: str) -> None:
    writer.claim("a")
    writer.start()
    writer.end("a", how)
    writer.write()
    assert writer.broken() == ["P4"]


def test_an_outcome_that_is_written_before_the_handler_ends(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    call = writer.call()
    writer.note(e.Writing, "p1", call=call, node=1, runs=[e.WrittenRun("a", 1, "done", "completed", 7)])
    writer.end()
    writer.row("a", "done", "completed")
    writer.note(e.Wrote, "p1", call=call, node=1, fenced=[], cancelled=[])
    assert told(writer, "P4") == ["Run 1 of job a was written as done before it had ended."]


def test_a_completion_by_a_handler_that_never_ended(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.write()
    assert told(writer, "P4") == [
        "Run 1 completed job a, but its handler never ended.",
        "Run 1 of job a was written as done before it had ended.",
    ]


def test_an_end_that_is_missing_proves_nothing_where_a_history_is_not_exact() -> None:
    writer = Writer(exact=False)
    writer.spawn()
    writer.enqueue()
    writer.claim("a")
    writer.start()
    writer.write()
    assert writer.broken() == []


# -- P5 ----------------------------------------------------------------------------------------------


def test_a_run_that_starts_twice(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.start()
    writer.end()
    writer.write()
    assert writer.broken() == ["P5"]


def test_a_run_that_starts_before_its_claim_takes_effect(writer: Writer) -> None:
    writer.start()
    writer.claim("a")
    writer.end()
    writer.write()
    assert writer.broken() == ["P5"]


def test_a_run_that_starts_on_a_node_that_did_not_claim_it(writer: Writer) -> None:
    writer.spawn("p2")
    writer.claim("a")
    writer.start(process="p2")
    writer.end(process="p2")
    writer.write()
    assert set(told(writer, "P5")) == {
        "Run 1 of job a started on node n2, which had not claimed it.",
        "Run 1 of job a started on node n2, but it is a run of node n1.",
    }


def test_a_run_whose_number_marks_a_cancel(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.row("a", "cancelled", "cancelled", node=None)
    assert "Run 1 of job a started on node n1, but it is the mark of what a person cancelled." in told(writer, "P5")


@pytest.mark.parametrize("open", [True, False])
def test_a_start_of_which_the_store_knows_nothing(open: bool) -> None:
    writer = Writer(exact=False)
    writer.spawn()
    writer.enqueue("a", type="unknown")
    writer.start()
    if open:
        writer.open = [("a", 1)]
        writer.alter("a", status=Status.PROCESSING, claim=1)
    assert ("P5" in writer.broken()) is not open


# -- P6 ----------------------------------------------------------------------------------------------


def test_what_spends_no_attempt_may_happen_any_number_of_times(writer: Writer) -> None:
    for _ in range(3):
        writer.run("a", "snoozed", "scheduled")
        writer.run("a", "interrupted", "pending")
        writer.claim("a")
        writer.write("a", "released", "pending", token=0)
    for _ in range(2):
        writer.run("a", "failed", "scheduled")
    writer.run()
    assert writer.broken() == []


def test_a_retry_by_hand_gives_all_attempts_back(writer: Writer) -> None:
    for _ in range(2):
        for status in ("scheduled", "scheduled", "failed"):
            writer.run("a", "failed", status)
        writer.retry()
    writer.run()
    assert writer.broken() == []


def test_more_starts_than_attempts(writer: Writer) -> None:
    for status in ("scheduled", "scheduled", "scheduled", "failed"):
        writer.run("a", "failed", status)
    assert told(writer, "P6") == [
        "Run 4 of job a was attempt 4 of 3.",
        "Job a started 4 times with max_attempts=3 and 0 runs that spend none.",
    ]


def test_a_job_of_one_attempt_that_is_interrupted_starts_no_more() -> None:
    writer = Writer()
    writer.spawn()
    writer.enqueue(max_attempts=1)
    writer.run("a", "interrupted", "pending")
    writer.run()
    assert told(writer, "P6") == [
        "Outcome 1 of job a (interrupted) says 0 attempts spent, not 1.",
        "Job a started 2 times with max_attempts=1 and 0 runs that spend none.",
    ]


def test_the_twenty_first_interruption_in_a_row_spends_an_attempt(writer: Writer) -> None:
    for _ in range(20):
        writer.run("a", "interrupted", "pending")
    writer.claim("a")
    writer.start()
    writer.end("a", "cut off")
    writer.row("a", "interrupted", "pending", attempt=1)
    writer.run()
    assert writer.broken() == []
    writer.rows["a"].pop()
    writer.rows["a"].pop()
    writer.row("a", "interrupted", "pending", attempt=0)
    writer.row("a", "done", "completed")
    assert "Outcome 21 of job a (interrupted) says 0 attempts spent, not 1." in told(writer, "P6")


@pytest.mark.parametrize(
    ("what", "status", "attempt", "should"),
    [
        ("failed", "scheduled", 0, 1),
        ("lost", "pending", 0, 1),
        ("snoozed", "scheduled", 1, 0),
        ("released", "pending", 1, 0),
        ("interrupted", "pending", 1, 0),
    ],
)
def test_an_outcome_that_spends_what_it_must_not(
    writer: Writer, what: str, status: str, attempt: int, should: int
) -> None:
    writer.claim("a")
    writer.row("a", what, status, attempt=attempt)
    writer.run()
    assert told(writer, "P6") == [f"Outcome 1 of job a ({what}) says {attempt} attempts spent, not {should}."]


def test_a_handler_that_is_told_the_wrong_attempt(writer: Writer) -> None:
    writer.claim("a")
    writer.start(attempt=2)
    writer.end()
    writer.write()
    assert told(writer, "P6") == ["Run 1 of job a was told attempt 2, not 1."]


def test_the_handler_of_a_run_that_is_open_still_is_told_the_wrong_attempt(writer: Writer) -> None:
    writer.claim("a")
    writer.start(attempt=4)
    assert told(writer, "P6") == ["Run 1 of job a was told attempt 4, not 1.", "Run 1 of job a was attempt 4 of 3."]


def test_a_run_that_started_and_was_released(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.write("a", "released", "pending", token=0)
    writer.run()
    assert told(writer, "P6") == ["Run 1 of job a had started, and was released."]
