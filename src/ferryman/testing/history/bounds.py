"""P16: a full queue refuses, and what was refused is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ferryman.testing.history.entries import Asked
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index


def full_queues_refuse(index: Index) -> Iterator[Violation]:
    """P16: a refused job is not in the store, and a queue takes in no more than its bound.

    Not decided: whether a queue that refuses is full. That an accepted job is not dropped is P1.
    """
    yield from _refused_is_not_there(index)
    yield from _queues_are_bounded(index)


def _refused_is_not_there(index: Index) -> Iterator[Violation]:
    """A job whose request was refused is not in the store.

    Only for jobs that their client named, and requests that were sent once: an earlier try, given up as
    unanswered, may be stored after a later one was refused. That an accepted job is not dropped is P1.
    """
    for name, request in index.requests.items():
        job = request.asked.job
        if job is None or request.times > 1 or job not in index.final.jobs:
            continue
        for _, answer in request.answers:
            if answer.verdict == "refused":
                yield Violation("P16", f"Request {name} was refused ({answer.code}), but its job is stored.", (job,))


def _queues_are_bounded(index: Index) -> Iterator[Violation]:
    """No job is stored in a queue in which as many jobs as its bound certainly wait.

    Exact histories only, and those with a bound. A job certainly waits from its insert until its first claim; how
    long others wait, which come back, are cancelled or expire, is left out. For a follow-up and the job of a schedule
    no queue is too full, but it waits there like any other.
    """
    bound = index.history.terms.max_pending
    if not bound or not index.exact:
        return
    # at one place a claim comes after the insert that it rode along with
    moves = [(at, order, job) for job, (at, order) in index.stored.items()]
    brought = {asked.job for follow_ups in index.follow_ups.values() for asked in follow_ups}
    brought |= {asked.job for _, asked in index.of(Asked) if asked.tick is not None}
    leaves = [(claims[0].place, len(moves), job) for (job, number), claims in index.claims.items() if number == 1]
    claimed = {job for _, _, job in leaves}
    waiting: Counter[str] = Counter()
    stored: set[str] = set()
    for _, _, job in sorted([*moves, *leaves]):
        if job not in index.final.jobs:
            continue
        queue = index.final.jobs[job].queue
        if job in stored:
            waiting[queue] -= 1
            continue
        stored.add(job)
        if waiting[queue] >= bound and job not in brought:
            told = f"Job {job} was stored in queue {queue} with {waiting[queue]} jobs waiting, and a bound of {bound}."
            yield Violation("P16", told, (job,))
        waiting[queue] += job in claimed
