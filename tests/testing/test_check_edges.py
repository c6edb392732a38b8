"""P8: what a job went through, by its outcomes in order, and by what readers saw of it."""

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


def told(writer: Writer) -> list[str]:
    return [each.what for each in writer.violations() if each.promise == "P8"]


def test_a_life_with_everything_in_it(writer: Writer) -> None:
    writer.look("a", "pending", 0, 0)
    writer.cancel()
    writer.look("a", "cancelled", 0, 1)
    writer.retry()
    writer.claim("a")
    writer.look("a", "processing", 1, 3)
    writer.write("a", "released", "pending", token=0)
    writer.run("a", "snoozed", "scheduled")
    writer.look("a", "scheduled", 0, 4)
    writer.look("a", "pending", 0, 4)
    writer.run("a", "failed", "failed")
    writer.retry()
    writer.run()
    writer.look("a", "completed", 1, 7)
    assert writer.broken() == []


def test_a_number_that_is_missing(writer: Writer) -> None:
    writer.run("a", "failed", "scheduled")
    writer.row("a", "done", "completed", number=3)
    assert told(writer)[0] == "Outcome 2 of job a is numbered 3."


def test_a_job_with_another_claim_number_than_its_last_outcome(writer: Writer) -> None:
    writer.cancel()
    writer.alter("a", claim=2)
    assert told(writer) == ["Job a is cancelled with claim number 2, after 1 outcomes."]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("done", "completed"), ("retried", "pending")),
        (("done", "completed"), ("lost", "pending")),
        (("failed", "failed"), ("done", "completed")),
        (("failed", "scheduled"), ("retried", "pending")),
        (("cancelled", "cancelled"), ("cancelled", "cancelled")),
    ],
    ids=str,
)
def test_an_outcome_that_must_not_follow(writer: Writer, before: tuple[str, str], after: tuple[str, str]) -> None:
    for what, status in (before, after):
        by_hand = what in ("cancelled", "retried")
        writer.row("a", what, status, node=None if by_hand else "n1")
    assert any("leads from" in each for each in told(writer))


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("done", "failed"),
        ("snoozed", "pending"),
        ("released", "scheduled"),
        ("lost", "completed"),
        ("done", "cancelled"),
    ],
)
def test_an_outcome_that_leads_where_its_kind_does_not(writer: Writer, what: str, status: str) -> None:
    writer.row("a", what, status)
    assert f"Outcome 1 of job a is {what}, and {status}." in told(writer)


@pytest.mark.parametrize(
    ("what", "left", "found"),
    [
        ("failed", "scheduled", Status.FAILED),
        ("failed", "failed", Status.PENDING),
        ("lost", "pending", Status.SCHEDULED),
        ("done", "completed", Status.CANCELLED),
    ],
)
def test_a_job_that_stands_elsewhere_than_its_last_outcome_left_it(
    writer: Writer, what: str, left: str, found: Status
) -> None:
    writer.row("a", what, left)
    writer.alter("a", status=found)
    assert told(writer) == [f"Job a is {found}, but its last outcome says {left}."]


def test_a_job_without_outcomes_that_has_ended(writer: Writer) -> None:
    writer.alter("a", status=Status.FAILED)
    assert told(writer) == ["Job a is failed, but its last outcome says nothing."]


# -- readers -------------------------------------------------------------------------------------------


def test_a_claim_number_that_goes_down(writer: Writer) -> None:
    writer.run("a", "failed", "scheduled")
    writer.look("a", "scheduled", 1, 1)
    writer.look("a", "pending", 0, 0)
    writer.run()
    assert told(writer) == ["A reader saw job a with claim number 0, after one had seen 1."]


def test_a_look_that_began_before_another_was_answered_may_see_less(writer: Writer) -> None:
    asked = len(writer.entries)
    writer.run("a", "failed", "scheduled")
    writer.look("a", "scheduled", 1, 1)
    writer.look("a", "pending", 0, 0, asked=asked)
    writer.run()
    assert writer.broken() == []


@pytest.mark.parametrize(
    ("status", "attempt", "claim"),
    [("completed", 1, 1), ("pending", 0, 1), ("processing", 1, 2), ("failed", 1, 1), ("completed", 2, 3)],
)
def test_a_look_that_no_outcome_bears_out(writer: Writer, status: str, attempt: int, claim: int) -> None:
    writer.run("a", "failed", "scheduled")
    writer.run()
    writer.look("a", status, attempt, claim)
    assert len(told(writer)) == 1


def test_a_cancel_that_was_read_and_left_no_trace(writer: Writer) -> None:
    writer.note(e.CancelAnswered, "client", job="a", after="cancelled")
    writer.run()
    assert told(writer) == ["Somebody cancelled job a and read that it was, but it never was."]


def test_a_retry_that_was_answered_and_left_no_trace(writer: Writer) -> None:
    writer.run("a", "failed", "failed")
    writer.note(e.RetryAnswered, "client", job="a", done=True)
    assert told(writer) == ["People were told 1 times that job a is retried, but it was 0 times."]
