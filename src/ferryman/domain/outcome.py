"""What a run ended in, and what to write for it: `decide` is the only place that knows."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.domain import state
from ferryman.domain.claim import care
from ferryman.domain.error_groups import Group, group_of
from ferryman.domain.errors import RunInterrupted, RunLost
from ferryman.domain.job import MICROS, AfterCrashes, ClaimedJob, JobError, Lane, NewJob
from ferryman.domain.state import Status

INTERRUPTIONS_MAX: Final = 20
"""A job that was interrupted this often in a row spends attempts from then on."""


class What(StrEnum):
    """How a run ended; `RETRIED` marks a person's retry, which has no run."""

    DONE = "done"
    FAILED = "failed"
    SNOOZED = "snoozed"
    CANCELLED = "cancelled"
    RELEASED = "released"
    INTERRUPTED = "interrupted"
    LOST = "lost"
    RETRIED = "retried"

    __hash__ = str.__hash__  # see `Status`


_DEFAULT_ERRORS: Final = MappingProxyType(
    {
        What.LOST: JobError(RunLost.code, "RunLost", "The node died while it held the claim."),
        What.INTERRUPTED: JobError(
            RunInterrupted.code, "RunInterrupted", "The node stopped before the handler had ended."
        ),
    }
)
"""The errors of runs that end without one of their own."""
_FAILURES: Final = frozenset({What.FAILED, What.LOST})
"""What is a failed attempt wherever it leads; an interruption is one only where the job ends failed by it."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a run ended in, as the executor, the stop or the rescue saw it."""

    what: What
    result: str | None = None
    """JSON text, for DONE."""
    error: JobError | None = None
    delay: float | None = None
    """Seconds until the next run, for SNOOZED and for a FAILED that is to be retried."""
    retryable: bool = True
    follow_ups: tuple[NewJob, ...] = ()
    """Jobs that are to exist if this is written, for DONE."""


class Run(msgspec.Struct, frozen=True, gc=False):
    """Who ran a claimed job, when, and the token by which it knows its own finish again."""

    token: int = 0
    """0 where nobody ran it: a rescue, a cancel."""
    worker: int | None = None
    started_at: int | None = None


class Finish(msgspec.Struct, frozen=True, gc=False):
    """What to write for one run: the outcome row, and where the job goes next."""

    id: str
    number: int
    batch: int
    what: What
    status: Status
    attempt: int
    """Attempts spent once this is written."""
    crashes: int
    interruptions: int
    care: int
    lane: tuple[str, str, int]
    """(queue, type, priority)"""
    finished_at: int
    run_at: int | None
    """When it is due again, for SCHEDULED."""
    token: int
    worker: int | None
    started_at: int | None
    error: JobError | None
    result: str | None
    unique_key: str | None
    follow_ups: tuple[NewJob, ...] = ()
    """Jobs that this write brings along: they exist iff it wins. Only a DONE has any."""
    moves_to: str | None = None
    """The queue in which it is pending from now on, for a PENDING that has crashed too often."""
    key: str | None = None
    """Whose slot the job has."""
    group: Group | None = None
    """What the attempt has failed of, if it has."""


def decide(job: ClaimedJob, outcome: Outcome, run: Run, now: int, after_crashes: AfterCrashes | None = None) -> Finish:
    """Say what to write for an outcome. Pure: the same arguments give the same answer.

    `after_crashes` is what the job's type declares; only who ends runs of dead nodes needs to know.

    Raises:
        IllegalTransition: never for outcomes built as documented; it guards the table.
    """
    what, lane, moves_to = outcome.what, job.lane, None
    error, group = outcome.error, None
    if what is What.DONE:  # nearly all runs, so they are not asked the rest
        spent, status, crashes, interruptions = job.attempt, Status.COMPLETED, 0, 0
    else:
        spent = job.attempt if _spends(job, what) else job.attempt - 1
        status = _status(job, outcome, spent)
        crashes, interruptions = _streaks(job, what)
        if what is What.LOST and status is Status.PENDING:
            moves_to = _detour(lane, crashes, after_crashes)
        state.check_end(status)
        error, group = _grouped(error or _DEFAULT_ERRORS.get(what), what, status)
    return Finish(
        id=job.id,
        number=job.number,
        batch=job.batch,
        what=what,
        status=status,
        attempt=spent,
        crashes=crashes,
        interruptions=interruptions,
        care=care(spent, job.max_attempts, crashes),
        lane=(lane.queue, lane.type, lane.priority),
        finished_at=now,
        run_at=now + round((outcome.delay or 0) * MICROS) if status is Status.SCHEDULED else None,
        token=run.token,
        worker=run.worker,
        started_at=run.started_at,
        error=error,
        result=outcome.result if what is What.DONE else None,
        unique_key=job.unique_key,
        follow_ups=outcome.follow_ups if what is What.DONE else (),
        moves_to=moves_to,
        key=job.key,
        group=group,
    )


def _spends(job: ClaimedJob, what: What) -> bool:
    """Whether the run spends its attempt."""
    if what is What.INTERRUPTED:
        return job.max_attempts == 1 or job.interruptions >= INTERRUPTIONS_MAX
    return what is not What.SNOOZED and what is not What.RELEASED


def _status(job: ClaimedJob, outcome: Outcome, spent: int) -> Status:
    """Where the run leads the job; a max_attempts=1 job that was cut off after its start never runs again."""
    match outcome.what:
        case What.CANCELLED:
            return Status.CANCELLED
        case What.SNOOZED:
            return Status.SCHEDULED
        case What.RELEASED:
            return Status.PENDING
        case What.FAILED if outcome.retryable and spent < job.max_attempts:
            return Status.SCHEDULED
        case What.LOST | What.INTERRUPTED if spent < job.max_attempts:
            return Status.PENDING
        case _:
            return Status.FAILED


def _grouped(error: JobError | None, what: What, status: Status) -> tuple[JobError | None, Group | None]:
    """The error of a run and its group; it has none unless the attempt has failed."""
    if error is None or (what not in _FAILURES and status is not Status.FAILED):
        return error, None
    group = group_of(error)
    return msgspec.structs.replace(error, group=group.id), group


def _detour(lane: Lane, crashes: int, declared: AfterCrashes | None) -> str | None:
    """The queue to which a job moves that has crashed too often in a row and is to run again."""
    if declared is None or crashes < declared.crashes or lane.queue == declared.queue:
        return None
    return declared.queue


def _streaks(job: ClaimedJob, what: What) -> tuple[int, int]:
    """(crashes, interruptions) in a row once this run is written; a release says nothing about either."""
    match what:
        case What.RELEASED:
            return job.crashes, job.interruptions
        case What.LOST:
            return job.crashes + 1, 0
        case What.INTERRUPTED:
            return 0, job.interruptions + 1
        case _:
            return 0, 0
