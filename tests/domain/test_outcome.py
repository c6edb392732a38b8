from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.claim import Care, care
from ferryman.domain.job import MICROS, AfterCrashes, ClaimedJob, JobError, Lane
from ferryman.domain.outcome import INTERRUPTIONS_MAX, Outcome, Run, What, decide
from ferryman.domain.state import TERMINAL, Status, allowed
from tests.domain.strategies import ENDS, claimed_jobs, new_run, outcomes, runs

NOW = 1_767_225_600_000_000
FREE = (What.SNOOZED, What.RELEASED, What.INTERRUPTED)
free = st.sampled_from(FREE)


@given(claimed_jobs(), outcomes(), runs)
def test_every_outcome_leads_along_an_edge(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    assert allowed(Status.PROCESSING, decide(job, outcome, run, NOW).status)


@given(claimed_jobs(), outcomes(), runs)
def test_the_finish_names_the_run_and_the_job(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    finish = decide(job, outcome, run, NOW)
    assert (finish.id, finish.number, finish.batch) == (job.id, job.number, job.batch)
    assert (finish.token, finish.worker, finish.started_at) == (run.token, run.worker, run.started_at)
    assert (finish.what, finish.finished_at, finish.unique_key) == (outcome.what, NOW, job.unique_key)
    assert finish.lane == (job.lane.queue, job.lane.type, job.lane.priority)
    assert decide(job, outcome, run, NOW) == finish


@given(claimed_jobs(), outcomes(), runs)
def test_a_job_runs_again_only_with_an_attempt_left(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    finish = decide(job, outcome, run, NOW)
    assert job.attempt - 1 <= finish.attempt <= job.attempt <= job.max_attempts
    if finish.status not in TERMINAL:
        assert finish.attempt < job.max_attempts


@given(claimed_jobs(), outcomes(), runs)
def test_only_a_free_end_spends_nothing(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    spent = decide(job, outcome, run, NOW).attempt == job.attempt
    assert spent or outcome.what in FREE
    if outcome.what in (What.SNOOZED, What.RELEASED):
        assert not spent


@given(claimed_jobs(), st.floats(0, 1e6), runs)
def test_a_delay_counts_from_now(job: ClaimedJob, delay: float, run: Run) -> None:
    finish = decide(job, Outcome(What.SNOOZED, delay=delay), run, NOW)
    assert (finish.status, finish.run_at) == (Status.SCHEDULED, NOW + round(delay * MICROS))


@given(claimed_jobs(), outcomes(), runs)
def test_only_what_is_scheduled_has_a_time(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    finish = decide(job, outcome, run, NOW)
    assert (finish.run_at is not None) == (finish.status is Status.SCHEDULED)
    assert finish.run_at is None or finish.run_at >= NOW


@given(claimed_jobs(), outcomes(), runs)
def test_only_what_is_done_has_a_result(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    assert decide(job, outcome, run, NOW).result == (outcome.result if outcome.what is What.DONE else None)


@given(claimed_jobs(), outcomes(), runs)
def test_the_care_is_that_of_the_next_claim(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    finish = decide(job, outcome, run, NOW)
    assert finish.care == care(finish.attempt, job.max_attempts, finish.crashes)


@pytest.mark.parametrize(
    ("what", "crashes", "interruptions"),
    [
        (What.RELEASED, 2, 3),
        (What.LOST, 3, 0),
        (What.INTERRUPTED, 0, 4),
        (What.DONE, 0, 0),
        (What.FAILED, 0, 0),
        (What.SNOOZED, 0, 0),
        (What.CANCELLED, 0, 0),
    ],
)
@given(job=claimed_jobs())
def test_streaks(job: ClaimedJob, what: What, crashes: int, interruptions: int) -> None:
    job = msgspec.structs.replace(job, crashes=2, interruptions=3)
    finish = decide(job, Outcome(what), Run(), NOW)
    assert (finish.crashes, finish.interruptions) == (crashes, interruptions)


@pytest.mark.parametrize(("what", "code"), [(What.LOST, "FM505"), (What.INTERRUPTED, "FM506")])
def test_a_run_that_was_cut_off_says_why(what: What, code: str) -> None:
    job = new_run()
    found = decide(job, Outcome(what), Run(), NOW).error
    assert found is not None
    assert found.code == code
    own = JobError("FM501", "ValueError", "boom")
    kept = decide(job, Outcome(what, error=own), Run(), NOW).error
    assert kept is not None
    assert msgspec.structs.replace(kept, group=None) == own


@given(claimed_jobs(), outcomes(), runs)
def test_a_failed_attempt_has_a_group_and_nothing_else_has(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    finish = decide(job, outcome, run, NOW)
    failed = finish.status is Status.FAILED or outcome.what in (What.FAILED, What.LOST)
    assert (finish.group is not None) == (failed and finish.error is not None)
    if finish.error is not None:
        assert finish.error.group == (finish.group and finish.group.id)


@pytest.mark.parametrize("what", [What.DONE, What.FAILED, What.SNOOZED, What.CANCELLED, What.RELEASED], ids=str)
def test_other_ends_have_no_error_of_their_own(what: What) -> None:
    assert decide(new_run(), Outcome(what), Run(), NOW).error is None


@given(claimed_jobs(max_attempts=1), outcomes(), runs)
def test_a_job_of_one_attempt_is_pending_again_only_if_it_never_started(
    job: ClaimedJob, outcome: Outcome, run: Run
) -> None:
    again = decide(job, outcome, run, NOW).status not in TERMINAL
    assert again == (outcome.what in (What.RELEASED, What.SNOOZED))


@given(claimed_jobs(), outcomes(st.just(What.FAILED)), runs)
def test_what_is_not_retryable_ends_failed(job: ClaimedJob, outcome: Outcome, run: Run) -> None:
    status = decide(job, outcome, run, NOW).status
    again = outcome.retryable and job.attempt < job.max_attempts
    assert status is (Status.SCHEDULED if again else Status.FAILED)


@given(st.integers(1, 6), st.lists(outcomes(), max_size=80))
def test_starts_are_bounded_whatever_happens(max_attempts: int, story: list[Outcome]) -> None:
    """Promise P6: starts <= max_attempts + snoozes + interruptions, over any life of a job."""
    job = new_run(max_attempts)
    starts = snoozes = interruptions = 0
    for outcome in story:
        starts += outcome.what is not What.RELEASED
        snoozes += outcome.what is What.SNOOZED
        interruptions += outcome.what is What.INTERRUPTED
        assert starts <= max_attempts + snoozes + interruptions
        finish = decide(job, outcome, Run(), NOW)
        if finish.status in TERMINAL:
            return
        job = msgspec.structs.replace(
            job,
            number=job.number + 1,
            attempt=finish.attempt + 1,
            crashes=finish.crashes,
            interruptions=finish.interruptions,
        )


def test_interruptions_in_a_row_spend_attempts_in_the_end() -> None:
    job = new_run(max_attempts=3)
    starts = 1
    while (finish := decide(job, Outcome(What.INTERRUPTED), Run(), NOW)).status not in TERMINAL:
        job = msgspec.structs.replace(job, attempt=finish.attempt + 1, interruptions=finish.interruptions)
        starts += 1
    assert starts == INTERRUPTIONS_MAX + 3


@given(claimed_jobs())
def test_a_job_that_crashes_its_node_is_found_out(job: ClaimedJob) -> None:
    job = msgspec.structs.replace(job, attempt=1, max_attempts=5, crashes=0)
    first = decide(job, Outcome(What.LOST), Run(), NOW)
    second = decide(msgspec.structs.replace(job, attempt=2, crashes=first.crashes), Outcome(What.LOST), Run(), NOW)
    assert (first.care, second.care) == (Care.IDLE, Care.ALONE)


def test_every_end_of_a_run_is_met_here() -> None:
    assert set(ENDS) | {What.RETRIED} == set(What)


POISON = AfterCrashes(2, "poison")


@pytest.mark.parametrize(
    ("crashes", "what", "queue", "moves_to"),
    [
        (1, What.LOST, "default", "poison"),
        (5, What.LOST, "default", "poison"),
        (0, What.LOST, "default", None),
        (1, What.LOST, "poison", None),
        (1, What.INTERRUPTED, "default", None),
        (1, What.FAILED, "default", None),
        (2, What.RELEASED, "default", None),
    ],
)
def test_a_job_that_crashes_too_often_moves(crashes: int, what: What, queue: str, moves_to: str | None) -> None:
    job = msgspec.structs.replace(new_run(), crashes=crashes, lane=Lane(queue, "t", 5))
    assert decide(job, Outcome(what), Run(), 0, POISON).moves_to == moves_to
    assert decide(job, Outcome(what), Run(), 0).moves_to is None


def test_a_job_whose_attempts_are_spent_moves_nowhere() -> None:
    job = msgspec.structs.replace(new_run(), crashes=4, attempt=5)
    assert decide(job, Outcome(What.LOST), Run(), 0, POISON).moves_to is None
