"""P10: two live jobs of one type never have the same unique key."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL
from ferryman.testing.history.entries import Answered, Asked
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import OWN, Index


class Span(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the history, [start, end), in which a job was live for certain."""

    start: int
    end: int
    asked: int
    """Where the job was asked for; its insert lies between this and `start`. -1 for what follows a retry."""
    job: str


def keys_are_unique(index: Index) -> Iterator[Violation]:
    """P10: of two jobs with one type and unique key, none is live while the other is.

    A job is taken to be live where that is certain. Exact histories: from its insert until the outcome that ended
    it. Others: from the answer that accepted it (after a retry by hand: from the next claim that was answered)
    until its last claim, or the write of its end if its worker wrote that, was asked for. Two such stretches must
    not meet, and no job may be inserted, as a whole between asking and answer, within one of another job.

    Not decided: what lies between; and that a key is given out again once it is free.
    """
    holders: dict[tuple[str, str], list[Job]] = {}
    for job in index.final.jobs.values():
        if job.unique_key is not None:
            holders.setdefault((job.type, job.unique_key), []).append(job)
    shared = {key: jobs for key, jobs in holders.items() if len(jobs) > 1}
    if not shared:
        return
    entered, asked, wanted = _entered(index), _asked(index), _wanted(index)
    for (kind, key), jobs in shared.items():
        spans = [span for job in jobs for span in _spans(index, job, entered, asked, wanted)]
        spans.sort(key=lambda span: span.start)
        yield from _meeting(kind, key, spans)


def _meeting(kind: str, key: str, spans: list[Span]) -> Iterator[Violation]:
    holder: Span | None = None
    for span in spans:
        if holder is not None and span.job != holder.job and span.start < holder.end:
            both = span.end > span.start or holder.start < span.asked
            if both:
                told = f"Jobs {holder.job} and {span.job} of type {kind} were both live with the unique key {key}."
                yield Violation("P10", told, (holder.job, span.job))
        if holder is None or span.end > holder.end:
            holder = span


def _entered(index: Index) -> dict[str, int]:
    """By job: the place from which it was certainly in the store."""
    found = {job: at for job, (at, _) in index.stored.items()}
    for at, answer in index.of(Answered):
        if answer.job is not None and answer.verdict == "accepted":
            found.setdefault(answer.job, at)
    return found


def _asked(index: Index) -> dict[str, int]:
    """By job: the place before which it was certainly not in the store."""
    found: dict[str, int] = {}
    for at, each in index.of(Asked):
        if each.job is not None:
            found.setdefault(each.job, at)
    for request in index.requests.values():
        for _, answer in request.answers:
            if answer.job is not None and answer.verdict == "accepted":
                found.setdefault(answer.job, request.place)
    return found


def _wanted(index: Index) -> dict[tuple[str, int], int]:
    """By run: where the outcome that it has was first asked for, if that was its worker's own."""
    found: dict[tuple[str, int], int] = {}
    for write in index.writes:
        key = (write.run.job, write.run.number)
        row = index.rows.get(key)
        if row is not None and row.what in OWN and row.what == write.run.what:
            found[key] = min(write.asked, found.get(key, write.asked))
    return found


def _spans(
    index: Index, job: Job, entered: dict[str, int], asked: dict[str, int], wanted: dict[tuple[str, int], int]
) -> Iterator[Span]:
    """One stretch for each time that the job was live: since its insert, and since each retry by hand."""
    start = entered.get(job.id)
    begun = asked.get(job.id, -1)
    end = -1
    for row in index.final.attempts.get(job.id, ()):
        key = (job.id, row.number)
        if row.what == "retried":
            start, begun, end = None, -1, -1
        for claim in index.claims.get(key, ()):
            start = claim.place if start is None else start
            end = max(end, claim.place if index.exact else claim.asked)
        if row.status in TERMINAL:
            last = index.took.get(key) if index.exact else wanted.get(key)
            end = end if last is None else max(end, last)
            if start is not None:
                yield Span(start, end, begun, job.id)
            start = None
    if start is not None and job.status not in TERMINAL:
        yield Span(start, index.end, begun, job.id)
