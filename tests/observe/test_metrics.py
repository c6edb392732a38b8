"""What is counted, and how Prometheus reads it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ferryman.domain.events import (
    Enqueued,
    Event,
    JobCancelledByRequest,
    JobRetriedByRequest,
    JobsRescued,
    ReportsFenced,
    RunsEnded,
    StaleStart,
    WritesFenced,
)
from ferryman.domain.outcome import What
from ferryman.observe.exposition import Gauges, render
from ferryman.observe.metrics import BOUNDS, LAGS_KEPT, Metrics
from tests.observe.happenings import SECOND, claimed, ended

IDLE = Gauges(pending={}, oldest_pending={}, in_progress=0, channel_length=0)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def samples(metrics: Metrics, gauges: Gauges = IDLE) -> Samples:
    text = render(metrics, gauges).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_every_name_of_the_contract_is_there(metrics: Metrics) -> None:
    metrics.listen(RunsEnded([ended(What.DONE)]))
    gauges = Gauges(pending={"default": 1}, oldest_pending={"default": 0.5}, in_progress=2, channel_length=3)
    families = {family.name: family.type for family in text_string_to_metric_families(render(metrics, gauges).decode())}
    labels = {(name, frozenset(names for names, _ in labels)) for name, labels in samples(metrics, gauges)}
    assert families == {
        "ferryman_jobs": "counter",
        "ferryman_enqueued": "counter",
        "ferryman_jobs_pending": "gauge",
        "ferryman_oldest_pending_seconds": "gauge",
        "ferryman_jobs_in_progress": "gauge",
        "ferryman_wait_seconds": "histogram",
        "ferryman_run_seconds": "histogram",
        "ferryman_channel_length": "gauge",
        "ferryman_fenced_writes": "counter",
        "ferryman_stale_starts": "counter",
        "ferryman_rescued": "counter",
        "ferryman_loop_lag_seconds": "gauge",
    }
    assert labels >= {
        ("ferryman_jobs_total", frozenset({"outcome", "type", "queue"})),
        ("ferryman_jobs_pending", frozenset({"queue"})),
        ("ferryman_oldest_pending_seconds", frozenset({"queue"})),
        ("ferryman_jobs_in_progress", frozenset()),
        ("ferryman_wait_seconds_bucket", frozenset({"type", "le"})),
        ("ferryman_run_seconds_sum", frozenset({"type"})),
        ("ferryman_run_seconds_count", frozenset({"type"})),
        ("ferryman_channel_length", frozenset()),
        ("ferryman_fenced_writes_total", frozenset()),
        ("ferryman_stale_starts_total", frozenset()),
        ("ferryman_rescued_total", frozenset()),
        ("ferryman_loop_lag_seconds", frozenset()),
    }


@pytest.mark.parametrize(
    ("what", "max_attempts", "outcome"),
    [
        (What.DONE, 5, "completed"),
        (What.FAILED, 5, "retried"),
        (What.FAILED, 1, "failed"),
        (What.CANCELLED, 5, "cancelled"),
        (What.SNOOZED, 5, "snoozed"),
        (What.RELEASED, 5, "released"),
        (What.INTERRUPTED, 5, "interrupted"),
        (What.INTERRUPTED, 1, "failed"),
        (What.LOST, 5, "lost"),
    ],
)
def test_runs_are_counted_by_outcome_type_and_queue(
    metrics: Metrics, what: What, max_attempts: int, outcome: str
) -> None:
    job = claimed(type="send", queue="mail", max_attempts=max_attempts)
    metrics.listen(RunsEnded([ended(what, job), ended(what, job)]))
    assert metrics.jobs == {(outcome, "send", "mail"): 2}
    assert value(samples(metrics), "ferryman_jobs_total", outcome=outcome, type="send", queue="mail") == 2


def test_a_cancel_counts_once(metrics: Metrics) -> None:
    metrics.listen(JobCancelledByRequest("job-1", "echo", "default", running=False))
    assert metrics.jobs["cancelled", "echo", "default"] == 1
    metrics.listen(JobCancelledByRequest("job-2", "echo", "default", running=True))
    assert metrics.jobs["cancelled", "echo", "default"] == 1
    metrics.listen(RunsEnded([ended(What.CANCELLED)]))
    assert metrics.jobs["cancelled", "echo", "default"] == 2


def test_the_other_events_are_counted(metrics: Metrics) -> None:
    metrics.listen(Enqueued("echo", "mail", 3))
    metrics.listen(Enqueued("echo", "mail", 4))
    metrics.listen(WritesFenced([ended(What.DONE), ended(What.FAILED)]))
    metrics.listen(ReportsFenced([claimed()]))
    metrics.listen(StaleStart(claimed()))
    metrics.listen(JobsRescued("node-1", 5))
    metrics.listen(JobRetriedByRequest("job-1", "echo", "default"))
    found = samples(metrics)
    assert value(found, "ferryman_enqueued_total", type="echo", queue="mail") == 7
    assert value(found, "ferryman_fenced_writes_total") == metrics.fenced_writes == 3
    assert value(found, "ferryman_stale_starts_total") == 1
    assert value(found, "ferryman_rescued_total") == 5
    assert metrics.jobs == {}


def test_what_one_process_counted_can_be_added_to_another(metrics: Metrics) -> None:
    here, there = Metrics(), Metrics()
    events: list[Event] = [
        RunsEnded([ended(What.DONE), ended(What.FAILED)]),
        Enqueued("echo", "mail", 3),
        WritesFenced([ended(What.DONE)]),
        StaleStart(claimed()),
        JobsRescued("node-1", 5),
    ]
    for event in events:
        metrics.listen(event)
        metrics.listen(event)
        here.listen(event)
        there.listen(event)
    there.see_loop_lag(0.5)
    metrics.see_loop_lag(0.5)
    here.add(there.take())
    assert samples(here) == samples(metrics)
    taken_before = there.take()
    assert (taken_before.jobs, taken_before.enqueued, taken_before.rescued, taken_before.runs) == ([], [], 0, {})


@pytest.mark.parametrize(
    ("created_at", "run_at", "wait"),
    [(0, None, 2.0), (SECOND, None, 1.0), (0, SECOND // 2, 1.5), (SECOND, 0, 1.0), (3 * SECOND, None, 0.0)],
)
def test_the_wait_runs_from_being_due_to_the_start(
    metrics: Metrics, created_at: int, run_at: int | None, wait: float
) -> None:
    metrics.listen(RunsEnded([ended(What.DONE, claimed(created_at=created_at, run_at=run_at))]))
    assert value(samples(metrics), "ferryman_wait_seconds_sum", type="echo") == wait


def test_only_the_first_claim_has_a_wait_and_only_what_started_has_a_run(metrics: Metrics) -> None:
    metrics.listen(RunsEnded([ended(What.DONE, claimed(number=2))]))
    metrics.listen(RunsEnded([ended(What.RELEASED, started_at=None)]))
    assert not metrics.waits
    assert value(samples(metrics), "ferryman_run_seconds_count", type="echo") == 1
    assert value(samples(metrics), "ferryman_run_seconds_sum", type="echo") == 1.0


def test_the_buckets_add_up(metrics: Metrics) -> None:
    for micros in (0, 1000, 1001, 10 * SECOND, 10**12):
        metrics.listen(RunsEnded([ended(What.DONE, started_at=0, finished_at=micros)]))
    found = samples(metrics)

    def below(bound: str) -> float:
        return value(found, "ferryman_run_seconds_bucket", type="echo", le=bound)

    assert (below("0.001"), below("0.0025"), below("5.0"), below("10.0")) == (2, 3, 3, 4)
    assert (below("3600.0"), below("+Inf")) == (4, 5)
    assert value(found, "ferryman_run_seconds_count", type="echo") == 5
    assert list(BOUNDS) == sorted(BOUNDS)


def test_a_clock_that_went_back_counts_as_no_time(metrics: Metrics) -> None:
    metrics.listen(RunsEnded([ended(What.DONE, started_at=5 * SECOND, finished_at=3 * SECOND)]))
    assert metrics.runs["echo"].seconds == 0


def test_the_gauges_are_shown(metrics: Metrics) -> None:
    gauges = Gauges(pending={"a": 1, "b": 2}, oldest_pending={"a": 0.25}, in_progress=4, channel_length=5)
    found = samples(metrics, gauges)
    assert value(found, "ferryman_jobs_pending", queue="b") == 2
    assert value(found, "ferryman_oldest_pending_seconds", queue="a") == 0.25
    assert value(found, "ferryman_jobs_in_progress") == 4
    assert value(found, "ferryman_channel_length") == 5


def test_the_loop_lag_is_the_worst_of_the_last_minute(metrics: Metrics) -> None:
    assert value(samples(metrics), "ferryman_loop_lag_seconds") == 0
    metrics.see_loop_lag(1.5)
    for _ in range(LAGS_KEPT - 1):
        metrics.see_loop_lag(0.1)
    assert value(samples(metrics), "ferryman_loop_lag_seconds") == 1.5
    metrics.see_loop_lag(0.2)
    assert metrics.loop_lag == 0.2


def test_names_of_types_and_queues_are_escaped(metrics: Metrics) -> None:
    metrics.listen(Enqueued('a"b\\c', "x\ny", 1))
    assert value(samples(metrics), "ferryman_enqueued_total", type='a"b\\c', queue="x\ny") == 1


def test_counting_needs_no_prometheus_client() -> None:
    script = (
        "import sys, ferryman.observe.metrics, ferryman.observe.joblog; sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
