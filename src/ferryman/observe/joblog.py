"""What the log says about jobs: what went wrong, and with LOG_JOBS also what went right."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ferryman.domain.events import (
    Ended,
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
from ferryman.domain.job import MICROS, ClaimedJob
from ferryman.domain.outcome import Finish, What
from ferryman.domain.state import Status

_QUIET: Final = frozenset({What.DONE, What.SNOOZED, What.RELEASED})
"""What is said with LOG_JOBS only."""

Fields = dict[str, object]


class JobLog:
    """A listener of domain events that writes a line for each one that somebody should know of."""

    def __init__(self, node: Callable[[], str], *, log_jobs: bool = False) -> None:
        """`node` gives the id that this process has as a node at the moment."""
        self._node = node
        self._log_jobs = log_jobs
        self._log = logging.getLogger("ferryman.jobs")

    def listen(self, event: Event) -> None:  # noqa: C901 - one line per kind of event
        """Write what an event is worth."""
        match event:
            case RunsEnded():
                for ended in event.runs:
                    if self._log_jobs or ended.finish.what not in _QUIET:
                        self._run_ended(ended)
            case WritesFenced():
                for ended in event.runs:
                    fields = self._run("write_fenced", ended.job, ended.finish.worker)
                    self._log.warning("The outcome was refused: the claim is no longer this node's", extra=fields)
            case ReportsFenced():
                for job in event.jobs:
                    fields = self._run("report_fenced", job)
                    self._log.warning("What the run says was refused: its claim is no longer this node's", extra=fields)
            case JobsRescued():
                rescued: Fields = {"event": "jobs_rescued", "node": event.node, "count": event.count}
                self._log.warning("Node %s died: %d jobs were rescued", event.node, event.count, extra=rescued)
            case StaleStart():
                self._log.warning(
                    "The job was not started: its claim is in doubt", extra=self._run("stale_start", event.job)
                )
            case ThreadStuck():
                stuck = {**self._run("thread_stuck", event.job), "worker_id": event.worker}
                self._log.error("The handler's thread did not end at its timeout and was given up", extra=stuck)
            case LoopStalled():
                stalled: Fields = {"event": "loop_stalled", "node": self._node(), "running": ", ".join(event.running)}
                self._log.error("The event loop was blocked for %.1f s", event.seconds, extra=stalled)
            case JobCancelledByRequest() | JobRetriedByRequest():
                self._asked(event)
            case _:
                pass

    def _run_ended(self, ended: Ended) -> None:
        finish = ended.finish
        level, name, message = _told(ended)
        fields = self._run(name, ended.job, finish.worker)
        error = finish.error
        if error is not None:
            fields.update(code=error.code, error=f"{error.type}: {error.message}", traceback=error.traceback)
        if finish.started_at is not None:
            fields["seconds"] = (finish.finished_at - finish.started_at) / MICROS
        self._log.log(level, message, extra=fields)

    def _asked(self, event: JobCancelledByRequest | JobRetriedByRequest) -> None:
        """A person changed a job by hand."""
        fields: Fields = {"event": "retry_asked", "job_id": event.id, "type": event.type, "queue": event.queue}
        message = "The job was sent back to pending by request"
        if isinstance(event, JobCancelledByRequest):
            fields["event"] = "cancel_asked"
            message = "The running job was asked to end" if event.running else "The job was cancelled by request"
        self._log.info(message, extra=fields)

    def _run(self, name: str, job: ClaimedJob, worker: int | None = None) -> Fields:
        """The fields that tell which run this is about."""
        node = self._node()
        return {
            "event": name,
            "job_id": job.id,
            "type": job.lane.type,
            "queue": job.lane.queue,
            "attempt": job.attempt,
            "claim": job.number,
            "node": node,
            "worker_id": None if worker is None else f"{node}/worker-{worker}",
        }


def _told(ended: Ended) -> tuple[int, str, str]:
    """How loudly, under which event name and in which words the end of a run is told."""
    finish = ended.finish
    match finish.what:
        case What.DONE:
            return logging.INFO, "job_completed", "The job completed"
        case What.SNOOZED:
            return logging.INFO, "job_snoozed", f"The job snoozed and runs again {_when(finish)}"
        case What.RELEASED:
            return logging.INFO, "job_released", "The job was given back before it started"
        case What.CANCELLED:
            return logging.INFO, "job_cancelled", "The job was cancelled"
        case what if finish.status is Status.FAILED:
            name = "job_interrupted" if what is What.INTERRUPTED else "job_failed"
            return logging.ERROR, name, f"The job failed for good on attempt {_attempt(ended)}"
        case What.FAILED:
            again = f"Attempt {_attempt(ended)} failed, the next one comes {_when(finish)}"
            return logging.WARNING, "attempt_failed", again
        case _:
            return logging.WARNING, "job_interrupted", "The run was cut off, the job is pending again"


def _attempt(ended: Ended) -> str:
    return f"{ended.job.attempt} of {ended.job.max_attempts}"


def _when(finish: Finish) -> str:
    return f"in {((finish.run_at or finish.finished_at) - finish.finished_at) / MICROS:.1f} s"
