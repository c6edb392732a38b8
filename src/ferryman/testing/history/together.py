"""The second half of P4: what commits together with a completion exists iff the completion does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ferryman.domain.state import TERMINAL
from ferryman.testing.history.entries import Asked, RunKey
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index


def commits_together(index: Index) -> Iterator[Violation]:
    """P4: a follow-up exists iff the run that brings it has completed, and so does what a handler wrote in its own
    transaction.

    - The follow-ups of a run that did not complete are not in the store. Those of one that did are there, unless
      another job may have had the unique key of one in that moment. Exact histories: no follow-up is claimed before
      the completion took effect.
    - A handler's row belongs to a run that has completed, and a run has at most one. Exact histories: it has one iff
      a transaction of its handler committed, and then the run has completed.

    That a follow-up is stored once is P3: nobody has asked for the second one.

    Not decided: follow-ups with an idempotency key that another job has used; where a history is not exact, a
    follow-up that gave way to any other job with its unique key.
    """
    for key, follow_ups in index.follow_ups.items():
        if _completed(index, key):
            yield from _brought(index, key, follow_ups)
        else:
            yield from _left_behind(index, key, follow_ups)
    yield from _rows(index)


def _completed(index: Index, key: RunKey) -> bool:
    row = index.rows.get(key)
    return row is not None and row.what == "done"


# -- follow-ups ----------------------------------------------------------------------------------------


def _left_behind(index: Index, key: RunKey, follow_ups: list[Asked]) -> Iterator[Violation]:
    id, number = key
    for each in follow_ups:
        if each.job is not None and each.job in index.final.jobs:
            told = f"Job {each.job} follows run {number} of job {id}, which did not complete."
            yield Violation("P4", told, (id, each.job))


def _brought(index: Index, key: RunKey, follow_ups: list[Asked]) -> Iterator[Violation]:
    id, number = key
    took = index.took.get(key)
    for each in follow_ups:
        if each.job is None:
            continue
        if each.job not in index.final.jobs:
            if not _gave_way(index, each, took):
                told = f"Run {number} completed job {id}, but its follow-up {each.job} is not there."
                yield Violation("P4", told, (id, each.job))
            continue
        claims = index.claims.get((each.job, 1), ())
        if index.exact and took is not None and any(claim.place < took for claim in claims):
            told = f"Job {each.job} was claimed before run {number} completed job {id}, which it follows."
            yield Violation("P4", told, (id, each.job))


def _gave_way(index: Index, asked: Asked, took: int | None) -> bool:
    """Whether another job may have had the unique key of a follow-up when that was to be stored."""
    if asked.unique_key is None:
        return False
    return any(
        job.unique_key == asked.unique_key and job.type == asked.type and _may_have_lived(index, job.id, took)
        for job in index.final.jobs.values()
    )


def _may_have_lived(index: Index, job: str, at: int | None) -> bool:
    """Whether a job was live at a place, as far as anybody can tell; what ends at that very place is live no more."""
    if at is None or not index.exact:
        return True
    entered, _ = index.stored.get(job, (0, 0))
    if entered > at:
        return False
    rows = index.final.attempts.get(job, ())
    if not rows or rows[-1].status not in TERMINAL:
        return True
    return index.took.get((job, rows[-1].number), index.end) > at


# -- a handler's own rows ------------------------------------------------------------------------------


def _rows(index: Index) -> Iterator[Violation]:
    written = Counter(index.final.ledger)
    for (id, number), times in written.items():
        if times > 1:
            yield Violation("P4", f"What run {number} of job {id} wrote is there {times} times.", (id,))
        if not _completed(index, (id, number)):
            yield Violation("P4", f"What run {number} of job {id} wrote is there, but the run did not complete.", (id,))
        elif index.exact and (id, number) not in index.committed:
            yield Violation("P4", f"What run {number} of job {id} wrote is there, but was never committed.", (id,))
    for id, number in index.committed:
        if (id, number) not in written:
            yield Violation("P4", f"Run {number} of job {id} committed what it wrote, but it is not there.", (id,))
        if not _completed(index, (id, number)):
            yield Violation("P4", f"Run {number} of job {id} committed what it wrote, but did not complete.", (id,))
