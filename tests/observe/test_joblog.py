"""What the log says about jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from ferryman.domain.events import (
    Enqueued,
    Event,
    JobCancelledByRequest,
    JobRetriedByRequest,
    JobsRescued,
    LoopStalled,
    ReportsFenced,
    RunsEnded,
    StaleStart,
    ThreadStuck,
    WritesFenced,
)
from ferryman.domain.job import JobError
from ferryman.domain.outcome import What
from ferryman.observe.joblog import JobLog
from tests.observe.happenings import claimed, ended

Told = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """The records that an event makes, as dicts."""

    def tell(event: Event, *, log_jobs: bool = False) -> list[dict[str, Any]]:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "ferryman.jobs"):
            JobLog(lambda: "node-1", log_jobs=log_jobs).listen(event)
        return [vars(record) | {"message": record.getMessage()} for record in caplog.records]

    return tell


def test_a_failed_attempt_is_told_with_everything_that_finds_it(told: Told) -> None:
    [line] = told(RunsEnded([ended(What.FAILED, claimed(number=3, attempt=2))]))
    wanted = {
        "levelname": "WARNING",
        "event": "attempt_failed",
        "message": "Attempt 2 of 5 failed, the next one comes in 4.5 s",
        "job_id": "job-1",
        "type": "echo",
        "queue": "default",
        "attempt": 2,
        "claim": 3,
        "node": "node-1",
        "worker_id": "node-1/worker-7",
        "code": "FM501",
        "error": "ValueError: boom",
        "traceback": "Traceback:\n  ValueError: boom",
        "seconds": 1.0,
    }
    assert {name: line[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("what", "max_attempts", "level", "event", "words"),
    [
        (What.FAILED, 1, "ERROR", "job_failed", "for good on attempt 1 of 1"),
        (What.INTERRUPTED, 5, "WARNING", "job_interrupted", "pending again"),
        (What.INTERRUPTED, 1, "ERROR", "job_interrupted", "for good"),
        (What.LOST, 5, "WARNING", "job_interrupted", "cut off"),
        (What.CANCELLED, 5, "INFO", "job_cancelled", "cancelled"),
    ],
)
def test_how_a_run_ended_decides_how_loudly_it_is_told(
    told: Told, what: What, max_attempts: int, level: str, event: str, words: str
) -> None:
    [line] = told(RunsEnded([ended(what, claimed(max_attempts=max_attempts))]))
    assert (line["levelname"], line["event"]) == (level, event)
    assert words in line["message"]


@pytest.mark.parametrize(
    ("what", "event"),
    [(What.DONE, "job_completed"), (What.SNOOZED, "job_snoozed"), (What.RELEASED, "job_released")],
)
def test_what_went_right_is_told_only_with_log_jobs(told: Told, what: What, event: str) -> None:
    assert told(RunsEnded([ended(what)])) == []
    [line] = told(RunsEnded([ended(what)]), log_jobs=True)
    assert (line["levelname"], line["event"], line["job_id"]) == ("INFO", event, "job-1")


def test_a_job_that_expired_says_so(told: Told) -> None:
    error = JobError("FM510", "JobExpired", "too late")
    [line] = told(RunsEnded([ended(What.CANCELLED, error=error, started_at=None)]))
    assert (line["code"], line["error"], line["worker_id"]) == ("FM510", "JobExpired: too late", None)
    assert "seconds" not in line


@pytest.mark.parametrize(
    ("event", "level", "name", "words"),
    [
        (WritesFenced([ended(What.DONE)]), "WARNING", "write_fenced", "no longer"),
        (ReportsFenced([ended(What.DONE).job]), "WARNING", "report_fenced", "no longer"),
        (JobsRescued("node-9", 3), "WARNING", "jobs_rescued", "Node node-9 died: 3 jobs"),
        (StaleStart(claimed()), "WARNING", "stale_start", "in doubt"),
        (ThreadStuck(claimed(), "node-1/worker-2"), "ERROR", "thread_stuck", "given up"),
        (LoopStalled(12.3, ("job-1 echo",)), "ERROR", "loop_stalled", "12.3 s"),
        (JobCancelledByRequest("job-1", "echo", "default", running=True), "INFO", "cancel_asked", "asked to end"),
        (JobCancelledByRequest("job-1", "echo", "default", running=False), "INFO", "cancel_asked", "was cancelled"),
        (JobRetriedByRequest("job-1", "echo", "default"), "INFO", "retry_asked", "back to pending"),
    ],
)
def test_each_event_that_somebody_should_know_of_is_one_line(
    told: Told, event: Event, level: str, name: str, words: str
) -> None:
    [line] = told(event)
    assert (line["levelname"], line["event"]) == (level, name)
    assert words in line["message"]


def test_the_fields_name_who_is_meant(told: Told) -> None:
    assert told(ThreadStuck(claimed(), "node-1/worker-2"))[0]["worker_id"] == "node-1/worker-2"
    assert told(LoopStalled(1.0, ("a", "b")))[0]["running"] == "a, b"
    assert told(JobsRescued("node-9", 3))[0]["node"] == "node-9"
    assert told(JobRetriedByRequest("job-1", "echo", "mail"))[0]["queue"] == "mail"


def test_enqueueing_is_not_told(told: Told) -> None:
    assert told(Enqueued("echo", "default", 1), log_jobs=True) == []
