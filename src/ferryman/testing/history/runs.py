"""P4, P5, P6: how often a job completes, how often a run starts, how many attempts there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from ferryman.domain.job import Attempt, Job
from ferryman.domain.outcome import INTERRUPTIONS_MAX
from ferryman.domain.state import Status
from ferryman.testing.history.entries import RunKey
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index
from ferryman.testing.history.together import commits_together

_NOTHING: Final = "null"
_json: Final = msgspec.json.Decoder()


# -- P4 ----------------------------------------------------------------------------------------------


def one_completion(index: Index) -> Iterator[Violation]:
    """P4: a job has at most one outcome `completed`, nothing comes after it, and the job's result is exactly what
    the handler of that run returned, or what it named in the transaction that completed the run. A job that is not
    completed has no result. No outcome `done` is asked for before the handler has returned, or its transaction has
    committed. What belongs to a completion exists iff that committed: see `together.py`.

    That a handler which returned is written as done is not asked here: it may have been told to end before, and
    then the reason counts. That a write which was answered stands in the store is P7.
    """
    for id, rows in index.final.attempts.items():
        numbers = [row.number for row in rows if row.status is Status.COMPLETED]
        job = index.final.jobs.get(id)
        if len(numbers) > 1:
            yield Violation("P4", f"Job {id} was completed by each of its runs {numbers}.", (id,))
        elif numbers:
            yield from _completed(index, id, numbers[0], rows[-1].number, job)
        elif job is not None and job.result is not None:
            yield Violation("P4", f"Job {id} never completed, and has a result.", (id,))
    yield from _written_too_early(index)
    yield from commits_together(index)


def _completed(index: Index, id: str, number: int, last: int, job: Job | None) -> Iterator[Violation]:
    if last > number:
        yield Violation("P4", f"Job {id} was completed by run {number}, and went on to {last}.", (id,))
    _, end = index.ends.get((id, number), (0, None))
    _, promised = index.promised.get((id, number), (0, None))
    if promised is not None and (id, number) in index.committed:
        if job is not None and not _same(job.result, promised.result):
            told = f"Job {id} has the result {job.result}, but its run {number} committed {promised.result}."
            yield Violation("P4", told, (id,))
    elif promised is not None and not index.exact:
        return  # nobody noted whether the transaction or the return has completed it
    elif end is None:
        if index.exact:
            yield Violation("P4", f"Run {number} completed job {id}, but its handler never ended.", (id,))
    elif end.how != "returned":
        yield Violation("P4", f"Run {number} completed job {id}, but its handler {end.how}.", (id,))
    elif job is not None and not _same(job.result, end.result):
        told = f"Job {id} has the result {job.result}, but its run {number} returned {end.result}."
        yield Violation("P4", told, (id,))


def _same(stored: str | None, returned: str | None) -> bool:
    stored, returned = stored or _NOTHING, returned or _NOTHING
    return stored == returned or bool(_json.decode(stored) == _json.decode(returned))


def _written_too_early(index: Index) -> Iterator[Violation]:
    told: set[RunKey] = set()
    for write in index.writes:
        if write.run.what != "done":
            continue
        key = (write.run.job, write.run.number)
        if index.committed.get(key, write.asked) < write.asked:
            continue  # it is written once more
        at, _ = index.ends.get(key, (index.end if index.exact else 0, None))
        if write.asked < at and key not in told:
            told.add(key)
            yield Violation("P4", f"Run {key[1]} of job {key[0]} was written as done before it had ended.", (key[0],))


# -- P5 ----------------------------------------------------------------------------------------------


def one_start_per_run(index: Index) -> Iterator[Violation]:
    """P5: no run starts twice, and every run that starts is one that the starting node has claimed.

    Exact histories: the claim took effect before the start. Others: the run has an outcome, or is open still, and
    the store names no other node for it.

    Not decided: what the handler does outside; that is the handler's own.
    """
    open_runs = set(index.final.open)
    for key, starts in index.starts.items():
        id, number = key
        at, start = starts[0]
        if len(starts) > 1:
            names = " and ".join(sorted({each.node for _, each in starts}))
            told = f"Run {number} of job {id} started {len(starts)} times, on {names}."
            yield Violation("P5", told, (id,), tuple({each.node for _, each in starts}))
        if index.exact:
            claims = index.claims.get(key, ())
            if not any(each.place < at and index.name(each.node) == start.node for each in claims):
                told = f"Run {number} of job {id} started on node {start.node}, which had not claimed it."
                yield Violation("P5", told, (id,), (start.node,))
        elif id in index.final.jobs and key not in index.rows and key not in open_runs:
            told = f"Run {number} of job {id} started on node {start.node}, but the store knows of no such run."
            yield Violation("P5", told, (id,), (start.node,))
        row = index.rows.get(key)
        if row is not None and (_nobody_ran(row) or row.node not in (None, start.node)):
            told = f"Run {number} of job {id} started on node {start.node}, but it is {_whose(row)}."
            yield Violation("P5", told, (id,), (start.node,))


def _nobody_ran(row: Attempt) -> bool:
    """Whether it is the mark of a cancel or a retry by hand, which stands where a run would."""
    return row.node is None and row.started_at is None and row.what in ("cancelled", "retried")


def _whose(row: Attempt) -> str:
    return f"the mark of what a person {row.what}" if _nobody_ran(row) else f"a run of node {row.node}"


# -- P6 ----------------------------------------------------------------------------------------------


def starts_are_bounded(index: Index) -> Iterator[Violation]:
    """P6: since the last retry by hand, at most max_attempts + snoozes + interruptions runs of a job start, and
    no handler is told of an attempt beyond max_attempts.

    Further, each outcome spends what it must: a snooze, a release and an interruption nothing, a retry by hand
    gives all back, anything else one attempt. An interruption spends one, too, with max_attempts=1 and after twenty
    of them in a row; so a job with max_attempts=1 starts once, but for snoozes. Each run is told the attempt that
    follows from the outcomes before it. A run that was released never started.
    """
    for id, rows in index.final.attempts.items():
        job = index.final.jobs.get(id)
        if job is not None:
            yield from _bounded(index, job, rows)


def _bounded(index: Index, job: Job, rows: Sequence[Attempt]) -> Iterator[Violation]:
    id, most = job.id, job.max_attempts
    spent = streak = starts = free = 0
    for row in rows:
        started = index.starts.get((id, row.number))
        if started is not None:
            starts += 1
            yield from _told(id, row.number, {each.attempt for _, each in started}, spent + 1, most)
            if row.what == "released":
                yield Violation("P6", f"Run {row.number} of job {id} had started, and was released.", (id,))
        before = spent
        spent, streak = _after(row, spent, streak, most)
        if row.what == "retried":
            starts = free = 0
        elif started is not None and spent == before:
            free += 1
        if row.attempt != spent:
            told = f"Outcome {row.number} of job {id} ({row.what}) says {row.attempt} attempts spent, not {spent}."
            yield Violation("P6", told, (id,))
            spent = row.attempt
        if starts > most + free:
            told = f"Job {id} started {starts} times with max_attempts={most} and {free} runs that spend none."
            yield Violation("P6", told, (id,))
    last = rows[-1].number if rows else 0
    open_starts = index.starts.get((id, last + 1), ())
    yield from _told(id, last + 1, {each.attempt for _, each in open_starts}, spent + 1, most)


def _told(id: str, number: int, attempts: set[int], expected: int, most: int) -> Iterator[Violation]:
    """What the handler of a run was told, against what it should have been."""
    for attempt in attempts:
        if attempt != expected:
            yield Violation("P6", f"Run {number} of job {id} was told attempt {attempt}, not {expected}.", (id,))
        if attempt > most:
            yield Violation("P6", f"Run {number} of job {id} was attempt {attempt} of {most}.", (id,))


def _after(row: Attempt, spent: int, streak: int, most: int) -> tuple[int, int]:
    """(attempts spent, interruptions in a row) after an outcome."""
    what = row.what
    if what == "retried":
        return 0, 0
    if what == "released" or _nobody_ran(row):
        return spent, streak
    if what == "interrupted":
        return spent + (most == 1 or streak >= INTERRUPTIONS_MAX), streak + 1
    return spent + (what != "snoozed"), 0
