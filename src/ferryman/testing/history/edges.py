"""P8: what a job went through, by its outcomes in order, and by what readers saw of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ferryman.domain.job import Attempt, Job
from ferryman.domain.state import INITIAL, TERMINAL, Status, allowed
from ferryman.testing.history.entries import CancelAnswered, Looked, RetryAnswered
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index

LEADS: Final[Mapping[str, frozenset[Status]]] = MappingProxyType(
    {
        "done": frozenset({Status.COMPLETED}),
        "failed": frozenset({Status.FAILED, Status.SCHEDULED}),
        "snoozed": frozenset({Status.SCHEDULED}),
        "cancelled": frozenset({Status.CANCELLED}),
        "released": frozenset({Status.PENDING}),
        "interrupted": frozenset({Status.PENDING, Status.FAILED}),
        "lost": frozenset({Status.PENDING, Status.FAILED}),
        "retried": frozenset({Status.PENDING}),
    }
)
"""Where each end of a run may lead. One that would lead to a further run may lead to `cancelled` instead."""
_PLACES: Final = frozenset({"waiting", "scheduled", "pending"})


def only_the_edges(index: Index) -> Iterator[Violation]:
    """P8: the outcomes of a job follow the table of `domain.state`, and everybody who looks sees them.

    - Outcomes are numbered 1, 2, 3 ... with no gap; the last number is that of the job, or one less while it runs.
    - Each follows on a status from which a job is claimed, cancelled or retried, and leads where it may lead.
    - The job stands where its last outcome left it; from `scheduled` it may have become due, and with a key it
      waits where it would be pending.
    - A reader sees a claim number that is never smaller than what was seen before its look began, and a status
      and attempt that fit the outcomes.
    - A person who read that the job is cancelled now, or was told that it is retried, finds that among the outcomes.
    """
    for id, job in index.final.jobs.items():
        rows = index.final.attempts.get(id, ())
        yield from _numbers(job, rows)
        yield from _statuses(job, rows)
        yield from _rest(job, rows, keyed=id in index.keyed)
    yield from _looks(index)
    yield from _people(index)


def _numbers(job: Job, rows: Sequence[Attempt]) -> Iterator[Violation]:
    for expected, row in enumerate(rows, start=1):
        if row.number != expected:
            told = f"Outcome {expected} of job {job.id} is numbered {row.number}."
            yield Violation("P8", told, (job.id,))
            return
    running = job.status is Status.PROCESSING
    if job.claim != len(rows) + running:
        told = f"Job {job.id} is {job.status} with claim number {job.claim}, after {len(rows)} outcomes."
        yield Violation("P8", told, (job.id,))


def _statuses(job: Job, rows: Sequence[Attempt]) -> Iterator[Violation]:
    """Each outcome against the status before it."""
    before: Status | None = None
    for row in rows:
        what, status = row.what, row.status
        marks = row.node is None and row.started_at is None
        if what == "retried":
            legal = before is not None and before in TERMINAL and allowed(before, status)
        elif what == "cancelled" and marks:
            legal = before not in TERMINAL and status is Status.CANCELLED
        else:
            legal = before not in TERMINAL and allowed(Status.PROCESSING, status)
        if not legal:
            told = f"Outcome {row.number} of job {job.id} ({what}) leads from {before or 'its start'} to {status}."
            yield Violation("P8", told, (job.id,))
        elif status not in LEADS[what] and (status is not Status.CANCELLED or LEADS[what] <= TERMINAL):
            yield Violation("P8", f"Outcome {row.number} of job {job.id} is {what}, and {status}.", (job.id,))
        before = status


def _rest(job: Job, rows: Sequence[Attempt], *, keyed: bool) -> Iterator[Violation]:
    """Where the job stands, against its last outcome."""
    status = Status.PENDING if keyed and job.status is Status.WAITING else job.status
    last = rows[-1].status if rows else None
    if status is Status.PROCESSING:
        fits = last not in TERMINAL
    elif last is None:
        fits = status in INITIAL
    elif last is Status.SCHEDULED:
        fits = status is Status.SCHEDULED or status is Status.PENDING
    else:
        fits = status is last
    if not fits:
        yield Violation(
            "P8", f"Job {job.id} is {job.status}, but its last outcome says {last or 'nothing'}.", (job.id,)
        )


# -- what people saw ---------------------------------------------------------------------------------


def _looks(index: Index) -> Iterator[Violation]:
    by_job: dict[str, list[tuple[int, Looked]]] = {}
    for at, look in index.of(Looked):
        by_job.setdefault(look.job, []).append((at, look))
    for id, looks in by_job.items():
        if id not in index.final.jobs:
            continue
        for _, look in looks:
            yield from _seen(index, look)
        yield from _never_back(id, looks)


def _seen(index: Index, look: Looked) -> Iterator[Violation]:
    """One look against the outcomes, which never change."""
    status = look.status
    number = look.claim - (status == "processing")
    row = index.rows.get((look.job, number))
    said = f"A reader saw job {look.job} {status} with claim number {look.claim} and attempt {look.attempt}"
    if row is None:
        if number != 0 or status not in (*_PLACES, "processing"):
            yield Violation("P8", f"{said}, but there is no outcome {number}.", (look.job,))
            return
        fits, spent = True, 0
    else:
        after = row.status
        waits = after not in TERMINAL and (status in _PLACES or status == "processing")
        fits = status == after or (waits and not (status == "scheduled" and after is Status.PENDING))
        spent = row.attempt
    if not fits or look.attempt != spent + (status == "processing"):
        outcome = "the beginning" if row is None else f"outcome {number}, which is {row.what} and {row.status}"
        yield Violation("P8", f"{said}; that does not fit {outcome}, with {spent} attempts spent.", (look.job,))


def _never_back(id: str, looks: Sequence[tuple[int, Looked]]) -> Iterator[Violation]:
    """Claim numbers over looks of which one began after the other was answered."""
    begun = sorted(looks, key=lambda found: found[1].asked)
    answered = iter(looks)
    at, ended = next(answered, (0, None))
    most = 0
    for _, look in begun:
        while ended is not None and at < look.asked:
            most = max(most, ended.claim)
            at, ended = next(answered, (0, None))
        if look.claim < most:
            told = f"A reader saw job {id} with claim number {look.claim}, after one had seen {most}."
            yield Violation("P8", told, (id,))


def _people(index: Index) -> Iterator[Violation]:
    """What people were told that they did, against the outcomes."""
    for id in {each.job for _, each in index.of(CancelAnswered) if each.after == "cancelled"}:
        rows = index.final.attempts.get(id, ())
        if id in index.final.jobs and not any(row.status is Status.CANCELLED for row in rows):
            yield Violation("P8", f"Somebody cancelled job {id} and read that it was, but it never was.", (id,))
    for id, times in Counter(each.job for _, each in index.of(RetryAnswered) if each.done).items():
        found = sum(row.what == "retried" for row in index.final.attempts.get(id, ()))
        if id in index.final.jobs and found < times:
            told = f"People were told {times} times that job {id} is retried, but it was {found} times."
            yield Violation("P8", told, (id,))
