"""P12: first claims follow the order of enqueueing within a lane."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterator
from typing import Final

import msgspec

from ferryman.testing.history.entries import Answered, Asked, Undone
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index, Point

_LAST: Final[Point] = (2**62, 0)


class Passage(msgspec.Struct, frozen=True, gc=False):
    """A job on its way through its lane: its insert and its first claim each lie between two points."""

    job: str
    asked: Point
    stored: Point
    claiming: Point
    claimed: Point


def first_come_first_claimed(index: Index) -> Iterator[Violation]:
    """P12: of two jobs in one lane, the one that was certainly inserted first is not certainly claimed last.

    Exact histories: inserts and claims stand where the store did them, in the order in which it gave them, and a
    follow-up was inserted where the completion of its run took effect. Others: an insert lies between asking and
    answer, a claim likewise, and follow-ups are left out. Only first claims count (claim number 1), and neither a job
    that was asked for at a later time, nor one cancelled before anybody claimed it.

    Where transactions overlap (`Terms.overlapping`), inserts and claims lie between two points in exact histories, too.
    Left out are jobs of a caller's own transaction, which have their places from before its commit, and those that a
    claim had taken which was rolled back, and that others may have passed by meanwhile.

    No rule of claiming lets a first claim be passed: who must wait for an idle worker ends the claim there, and
    only a job whose node died under it is passed over. Jobs with keys are left out: they come to their lanes when their
    gates let them in.
    """
    lanes: dict[tuple[str, str, int], list[Passage]] = {}
    for passage in passages(index, scheduled(index) | _without_a_place(index) | index.keyed.keys()):
        job = index.final.jobs[passage.job]
        lanes.setdefault((job.queue, job.type, job.priority), []).append(passage)
    for lane, found in lanes.items():
        for first, other in overtaken(found):
            told = "Job {} was enqueued before job {} and claimed after it, in queue {}, type {}, priority {}."
            yield Violation("P12", told.format(first, other, *lane), (first, other))


def overtaken(passages: list[Passage]) -> Iterator[tuple[str, str]]:
    """Of jobs that are to be claimed in the order of their inserts, those that were not, each with one that was claimed
    before it: from the newest job backwards, knowing the earliest claim among all that were asked for later."""
    passages.sort(key=lambda each: each.asked)
    earliest: list[tuple[Point, str]] = [(_LAST, "")]
    for each in reversed(passages):
        earliest.append(min(earliest[-1], (each.claimed, each.job)))
    earliest.reverse()
    asked = [each.asked for each in passages]
    for each in passages:
        claimed, other = earliest[bisect_right(asked, each.stored)]
        if claimed < each.claiming:
            yield each.job, other


def _pointed(index: Index) -> bool:
    """Whether inserts and claims took place at one point each."""
    return index.exact and not index.history.terms.overlapping


def _without_a_place(index: Index) -> set[str]:
    """Jobs of callers' own transactions, and of claims that were rolled back."""
    own = {each.job for _, each in index.of(Asked) if each.together and each.job is not None}
    return own | {job for _, each in index.of(Undone) for job in each.jobs}


def scheduled(index: Index) -> set[str]:
    """Jobs that were asked for at a later time, as far as anybody can tell."""
    found = {id for id, job in index.final.jobs.items() if job.run_at is not None}
    for request in index.requests.values():
        if request.asked.scheduled:
            found.update(answer.job for _, answer in request.answers if answer.job is not None)
            if request.asked.job is not None:
                found.add(request.asked.job)
    return found


def passages(index: Index, left_out: Container[str]) -> Iterator[Passage]:
    """Of every job that is in the store but these."""
    pointed = _pointed(index)
    for job, (asked, stored) in _inserts(index).items():
        claims = index.claims.get((job, 1), ())
        if len(claims) != 1 or job in left_out or job not in index.final.jobs:
            continue
        claim = claims[0]
        claimed = (claim.place, claim.order)
        yield Passage(job, asked, stored, claimed if pointed else (claim.asked, 0), claimed)


def _inserts(index: Index) -> dict[str, tuple[Point, Point]]:
    """By job: between which points it was inserted."""
    if _pointed(index):
        return {job: (point, point) for job, point in index.stored.items()}
    answers = {
        (each.job, each.request): (at, 0)
        for at, each in reversed(index.of(Answered))
        if each.job is not None and each.verdict == "accepted"
    }
    return {
        job: ((index.requests[request].place, 0), index.stored.get(job, stored))
        for (job, request), stored in answers.items()
        if request in index.requests and not index.requests[request].asked.scheduled
    }
