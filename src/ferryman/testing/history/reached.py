"""How to tell from a history that it was in a situation: each function here gives the cases that it finds."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final

from ferryman.domain.errors import HandlerTimedOut
from ferryman.testing.history.entries import (
    Answered,
    Asked,
    Calm,
    CancelTook,
    Claimed,
    Claiming,
    Entry,
    Found,
    Inserted,
    Killed,
    PromoteTook,
    Replied,
    Rescued,
    RunKey,
    Stepped,
    Stopped,
    Stopping,
    Wrote,
)
from ferryman.testing.history.index import Claim, Index, Write

Reached = Callable[[Index], Iterator[object]]
LONG: Final = 1.0
"""Seconds that a process lives on for an answer to count as lost, and not as cut off by its death."""


# -- attempts and outcomes ---------------------------------------------------------------------------


def last_attempts(index: Index) -> Iterator[object]:
    """Starts of jobs that may run no further time. One of one attempt is no such case."""
    for (id, _), starts in index.starts.items():
        job = index.final.jobs.get(id)
        if job is not None and starts[0][1].attempt == job.max_attempts > 1:
            yield id


def ended(what: str) -> Reached:
    """Outcomes of a kind."""
    return lambda index: (key for key, row in index.rows.items() if row.what == what)


def timeouts(index: Index) -> Iterator[object]:
    """Outcomes of runs that took too long."""
    for key, row in index.rows.items():
        if row.error is not None and row.error.code == HandlerTimedOut.code:
            yield key


def suspects(index: Index) -> Iterator[object]:
    """Claims that `domain.claim` gives to a node one at a time."""
    for key, claims in index.claims.items():
        run = claims[0].run
        if run.crashes >= 2 or (run.crashes and run.attempt >= run.max_attempts):
            yield key


# -- answers that got lost ---------------------------------------------------------------------------


def fenced_writes(index: Index) -> Iterator[object]:
    """Writes that came too late."""
    return (write for write in index.writes if write.fenced)


def lost_replies(kind: type[Claimed] | type[Wrote]) -> Reached:
    """Effects whose answer never came, although the process lived on."""

    def found(index: Index) -> Iterator[object]:
        ended = {each.process: each.at for _, each in index.of(Killed)}
        effects: list[tuple[int, Claimed | Wrote]] = [*index.of(kind)]
        for _, each in effects if index.exact else ():
            if (each.by, each.call) not in index.replied and ended.get(each.by, math.inf) > each.at + LONG:
                yield each

    return found


def own_recognised(index: Index) -> Iterator[Write]:
    """Writes of an outcome that the same run had written before, and that were not fenced."""
    known: set[tuple[RunKey, int, int]] = set()
    for write in index.writes:
        if write.place is None or write.fenced or not write.run.token:
            continue
        own = ((write.run.job, write.run.number), write.node, write.run.token)
        if own in known:
            yield write
        known.add(own)


def stored_unanswered(index: Index) -> Iterator[object]:
    """Requests that were sent again after their job had been stored."""
    stored = {job: at for at, each in index.of(Inserted) for job in each.jobs}
    for at, asked in index.of(Asked):
        if asked.job is not None and stored.get(asked.job, at) < at:
            yield asked


# -- races ---------------------------------------------------------------------------------------------


def rescue_and_finish(index: Index) -> Iterator[object]:
    """Writes that were under way when their node was found dead."""
    rescued = {each.node: at for at, each in reversed(index.of(Rescued))}
    for write in index.writes:
        at = rescued.get(index.name(write.node) or "")
        if at is not None and write.place is not None and write.asked < at < write.place:
            yield write


def cancel_and_claim(index: Index) -> Iterator[object]:
    """Cancels of pending jobs that overlap a claim: of their own job, if it came first; else of any."""
    answered = {(each.by, each.call): at for at, each in reversed(index.of(Replied))}
    answered |= {(each.by, each.call): at for at, each in reversed(index.of(Claimed))}
    flights = [(at, answered.get((each.by, each.call), index.end)) for at, each in index.of(Claiming)]
    for at, cancel in index.of(CancelTook):
        if cancel.before == "processing":
            if any(cancel.asked <= claim.place < at for claim in _claims_of(index, cancel.job)):
                yield cancel
        elif cancel.before == "pending" and any(asked < at < took for asked, took in flights):
            yield cancel


def _claims_of(index: Index, job: str) -> Iterator[Claim]:
    for row in index.final.attempts.get(job, ()):
        yield from index.claims.get((job, row.number), ())


def cancel_and_promote(index: Index) -> Iterator[object]:
    """Cancels that were asked for before jobs were promoted, and took effect while that was, or the reverse."""
    promotes = [(each.asked, at) for at, each in index.of(PromoteTook)]
    for at, cancel in index.of(CancelTook):
        if cancel.before == "scheduled":
            met = any(cancel.asked <= took and asked <= at for asked, took in promotes)
        else:
            met = cancel.before == "pending" and any(cancel.asked <= took < at for _, took in promotes)
        if met:
            yield cancel


# -- transactions that overlap --------------------------------------------------------------------------


def found(how: str) -> Reached:
    """Claims that took jobs which stood behind their nodes' cursors."""
    return lambda index: (each for _, each in index.of(Found) if each.how == how)


# -- stops and deaths ----------------------------------------------------------------------------------


def at_the_stop(what: str) -> Reached:
    """Outcomes of a kind that a node wrote while it stopped."""

    def found(index: Index) -> Iterator[object]:
        stopping = {each.process: at for at, each in reversed(index.of(Stopping))}
        for write in index.writes:
            if write.run.what == what and not write.fenced and stopping.get(write.process, index.end) < write.asked:
                yield write

    return found


def died_with_claims(index: Index) -> Iterator[RunKey]:
    """Runs that were lost with their process."""
    killed = {each.process: at for at, each in index.of(Killed)}
    for key, claims in index.claims.items():
        row = index.rows.get(key)
        if row is not None and row.what == "lost" and claims[0].process in killed:
            yield key


def killed_in_calm(index: Index) -> Iterator[object]:
    """The same where the kill came after the end of faults."""
    calm = index.of(Calm)
    late = {each.process for at, each in index.of(Killed) if calm and at > calm[0][0]}
    return (key for key in died_with_claims(index) if index.claims[key][0].process in late)


def lives_again(index: Index) -> Iterator[object]:
    """Claims by a process of which an earlier node had been found dead."""
    rescued = _rescues(index)
    again = {life.number for life in index.lives if any(at < life.place for at in rescued.get(life.process, ()))}
    return (each for _, each in index.of(Claimed) if each.node in again)


def _rescues(index: Index) -> dict[str, list[int]]:
    """By process: where nodes of it were found dead."""
    found: dict[str, list[int]] = {}
    for at, each in index.of(Rescued):
        life = index.life_of.get(each.node)
        if life is not None:
            found.setdefault(life.process, []).append(at)
    return found


def dead_alive(index: Index) -> Iterator[object]:
    """Rescues of nodes whose process lived still."""
    ends: dict[str, int] = {each.process: at for at, each in index.of(Stopped)}
    ends |= {each.process: at for at, each in index.of(Killed)}
    for process, places in _rescues(index).items():
        yield from (at for at in places if at < ends.get(process, index.end))


# -- the two well-known faults of other queues -----------------------------------------------------------


def late_finish(index: Index) -> Iterator[object]:
    """Fenced writes of runs whose job another node had claimed by then."""
    for write in index.writes:
        if write.fenced and write.place is not None and write.run.what in ("done", "failed"):
            later = index.claims.get((write.run.job, write.run.number + 1), ())
            if any(claim.place < write.place and claim.node != write.node for claim in later):
                yield write


def rescue_of_completed(index: Index) -> Iterator[object]:
    """Rescues of nodes that had completed a job in the seconds of a lease before."""
    done: dict[int, list[int]] = {}
    for write in index.writes:
        if write.place is not None and not write.fenced and write.run.what == "done":
            done.setdefault(write.node, []).append(write.place)
    entries, lease = index.history.entries, index.history.terms.lease
    for at, each in index.of(Rescued):
        life = index.life_of.get(each.node)
        places = [] if life is None else done.get(life.number, [])
        before = bisect_right(places, at)
        if before and entries[places[before - 1]].at >= each.at - 2 * lease:
            yield each


# -- what clients are told -------------------------------------------------------------------------------


def refused(code: str) -> Reached:
    """Answers with an error code."""
    return lambda index: (each for _, each in index.of(Answered) if each.code == code)


def replayed(index: Index) -> Iterator[object]:
    """Requests that were known by their idempotency key."""
    return (each for _, each in index.of(Answered) if each.verdict == "replayed")


def stepped(sign: int) -> Reached:
    """Steps of the wall clock in a direction."""
    return lambda index: (each for _, each in index.of(Stepped) if each.seconds * sign > 0)


def noted(kind: type[Entry]) -> Reached:
    """Entries of a kind."""
    return lambda index: (each for each in index.history.entries if type(each) is kind)
