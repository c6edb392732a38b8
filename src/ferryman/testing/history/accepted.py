"""P1, P2, P3: what is accepted is there and ends; what is refused is not; nothing is invented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from ferryman.domain.state import TERMINAL, Status
from ferryman.testing.history.entries import Asked, Found, Looked, RunKey, Undone
from ferryman.testing.history.gates import may_wait_for_ever
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index, Request

OWN_ANSWERS: Final = ("accepted", "replayed")
"""Answers that name the request's own job."""
Shape = tuple[str, str, int, int]
"""(type, queue, priority, max_attempts)"""


def accepted_is_durable(index: Index) -> Iterator[Violation]:
    """P1: the job of every answer "accepted", "existed" or "replayed" is in the store in the end.

    Two requests that were accepted have two jobs, a request that is said again still stands for the same one,
    and a job that its client named is answered by that name.

    Not decided: power cuts, which no history survives to tell of; jobs that retention deleted, so judge a store
    that keeps everything.
    """
    owners: dict[str, str] = {}
    for name, request in index.requests.items():
        stands = list(dict.fromkeys(each.job for _, each in request.answers if each.verdict in OWN_ANSWERS))
        if len(stands) > 1:
            told = f"Request {name} was told of {len(stands)} jobs that stand for it."
            yield Violation("P1", told, tuple(str(job) for job in stands))
        for _, answer in request.answers:
            job = answer.job
            if job is None or answer.verdict == "refused" or answer.verdict == "unknown":
                continue
            if job not in index.final.jobs:
                yield Violation("P1", f"Request {name} was answered {answer.verdict}, but its job is gone.", (job,))
            if answer.verdict != "accepted":
                continue
            if request.times == 1 and request.asked.job is not None and request.asked.job != job:
                told = f"Request {name} asked for job {request.asked.job} and was told that {job} was accepted."
                yield Violation("P1", told, (request.asked.job, job))
            if owners.setdefault(job, name) != name:
                yield Violation("P1", f"Requests {owners[job]} and {name} were both accepted as one job.", (job,))


def nothing_lost(index: Index) -> Iterator[Violation]:
    """P2: in the end every job is terminal and no run is open; who started or was read is there still.

    This holds for stored jobs whose answer got lost, too. What only a look from the beginning has found was hidden by
    something that was rolled back: else its node had lost it, and that look is no excuse.

    A job waits before the gate of its key only as long as somebody holds it up there: in the end none does so, unless a
    person has paused the key, or its sequence waits for one.

    Excepted are types that nobody has a handler for in the end (`Terms.types`), and where there is no such type at all,
    open runs: nobody was there to rescue them.
    """
    types = index.history.terms.types
    living = [(id, job) for id, job in index.final.jobs.items() if job.type in types and job.status not in TERMINAL]
    waiting = may_wait_for_ever(index) if any(job.status is Status.WAITING for _, job in living) else ()
    for id, job in living:
        if job.status is not Status.WAITING or id not in waiting:
            yield Violation("P2", f"Job {id} never ended: it is {job.status} for ever.", (id,))
    if types:
        for id, number in index.final.open:
            yield Violation("P2", f"Run {number} of job {id} is claimed for ever.", (id,))
    yield from _overlooked(index)
    for id in sorted(_seen(index) - index.final.jobs.keys()):
        yield Violation("P2", f"Job {id} was in the store once, and is gone.", (id,))


def _overlooked(index: Index) -> Iterator[Violation]:
    hidden = {job: at for at, each in reversed(index.of(Undone)) for job in each.jobs}
    for at, found in index.of(Found):
        if found.how == "rescan":
            for id in found.jobs:
                if hidden.get(id, at) >= at:
                    yield Violation("P2", f"Job {id} was pending, and its node had lost sight of it.", (id,))


def _seen(index: Index) -> set[str]:
    """Jobs that must have been in the store, because they were claimed, were started, or were read."""
    runs: set[RunKey] = index.claims.keys() | index.starts.keys()
    return {job for job, _ in runs} | {look.job for _, look in index.of(Looked)}


def nothing_invented(index: Index) -> Iterator[Violation]:
    """P3: every job in the store was asked for, with the type, queue, priority and max_attempts that it has.

    A job that a client named, or that an answer names, belongs to that request. Each of the other jobs needs a
    request of its own of its shape, whose answer got lost or named an older job instead.

    Not decided: the payload.
    """
    named = _named(index)
    spare = Counter(_asked_shape(each.asked) for each in index.requests.values() if _may_have_stored(each))
    for id, job in index.final.jobs.items():
        shape = (job.type, job.queue, job.priority, job.max_attempts)
        asked = named.get(id)
        if asked is not None:
            if _asked_shape(asked) != shape:
                told = f"Job {id} is {_words(shape)}, but was asked for as {_words(_asked_shape(asked))}."
                yield Violation("P3", told, (id,))
        elif spare[shape] > 0:
            spare[shape] -= 1
        else:
            yield Violation("P3", f"Nobody asked for job {id} ({_words(shape)}).", (id,))


def _named(index: Index) -> dict[str, Asked]:
    """By job: the request that is known to be its own."""
    found = {asked.job: asked for _, asked in index.of(Asked) if asked.job is not None}
    for request in index.requests.values():
        if request.asked.job is not None:
            continue
        for _, answer in request.answers:
            if answer.job is not None and answer.verdict in OWN_ANSWERS:
                found.setdefault(answer.job, request.asked)
    return found


def _may_have_stored(request: Request) -> bool:
    """Whether a job may stand for a request without any answer naming it."""
    if request.asked.job is not None:
        return False
    verdicts = [answer.verdict for _, answer in request.answers]
    return "accepted" not in verdicts and "replayed" not in verdicts


def _asked_shape(asked: Asked) -> Shape:
    return asked.type, asked.queue, asked.priority, asked.max_attempts


def _words(shape: Shape) -> str:
    return "type {} in queue {} with priority {} and max_attempts {}".format(*shape)
