"""A history looked up from every side: made once, in linear time, and asked by every promise."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final, TypeVar, cast

import msgspec

from ferryman.domain.job import Attempt
from ferryman.testing.history.entries import (
    Answered,
    AnyEntry,
    Asked,
    Claimed,
    ClaimedRun,
    Claiming,
    Committed,
    Committing,
    Ended,
    Inserted,
    Registered,
    Released,
    Replied,
    Rescued,
    RunKey,
    Started,
    Writing,
    WrittenRun,
    Wrote,
)
from ferryman.testing.history.history import History

E = TypeVar("E", bound=AnyEntry)
Point = tuple[int, int]
"""(place, order at that place)"""

OWN: Final = frozenset({"done", "failed", "snoozed", "interrupted"})
"""Ends of a run that nobody but the worker itself writes. The others may come from a rescue, a cancel by force,
or the release of a whole claim."""


class Life(msgspec.Struct, frozen=True, gc=False):
    """A node: one life of a process."""

    place: int
    process: str
    node: str
    number: int


class Claim(msgspec.Struct, frozen=True, gc=False):
    """One run as a node claimed it."""

    asked: int
    """The place of its asking; where that was not noted, its own."""
    place: int
    order: int
    """Its place in the batch."""
    process: str
    node: int
    batch: int
    call: int
    run: ClaimedRun


class Write(msgspec.Struct, frozen=True, gc=False):
    """One outcome as a node asked for it to be written, once."""

    asked: int
    place: int | None
    """Where it took effect, or its answer was read; None where neither is known."""
    process: str
    node: int
    fenced: bool
    run: WrittenRun


class Request(msgspec.Struct, gc=False):
    """A client's request with all its repetitions."""

    asked: Asked
    place: int
    """Of the first asking."""
    times: int = 1
    answers: list[tuple[int, Answered]] = []


class Index:
    """What every promise looks things up in. A place is an index into the entries, and so a point in time."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.final = history.final
        self.exact = history.exact
        self.end = len(history.entries)
        """The place after the last one."""
        kinds: defaultdict[type, list[tuple[int, Any]]] = defaultdict(list)
        for found in enumerate(history.entries):
            kinds[type(found[1])].append(found)
        self._kinds = kinds
        self.rows: dict[RunKey, Attempt] = {
            (job, row.number): row for job, rows in history.final.attempts.items() for row in rows
        }
        """Every outcome in the store."""
        self.lives = [Life(at, each.by, each.node, each.number) for at, each in self.of(Registered)]
        self.life = {each.number: each for each in self.lives}
        """By the store's number."""
        self.life_of = {each.node: each for each in self.lives}
        """By the node's id."""
        self.replied = {(each.by, each.call) for _, each in self.of(Replied)}
        """(process, call) of the calls whose answer arrived."""
        self.requests = _requests(self)
        self.keyed = _keyed(self)
        """By job: the requests for those in the store that have keys, as far as anybody was told which."""
        self.starts = _starts(self)
        self.ends: dict[RunKey, tuple[int, Ended]] = {
            (each.job, each.number): (at, each) for at, each in reversed(self.of(Ended))
        }
        """The first end that a run's handler noted."""
        self.promised: dict[RunKey, tuple[int, Committing]] = {
            (each.job, each.number): (at, each) for at, each in self.of(Committing)
        }
        """What the handler of a run wanted to commit in a transaction of its own."""
        self.committed: dict[RunKey, int] = {(each.job, each.number): at for at, each in reversed(self.of(Committed))}
        """The place at which a handler's transaction completed its run."""
        self.follow_ups = _follow_ups(self)
        self.claims = _claims(self)
        self.writes = _writes(self)
        self.took = _effects(self)
        self.stored = _stored(self)

    def of(self, kind: type[E]) -> list[tuple[int, E]]:
        """Every entry of a kind, with its place."""
        return cast("list[tuple[int, E]]", self._kinds.get(kind, []))

    def name(self, number: int) -> str | None:
        """The id of a node, where it is known."""
        life = self.life.get(number)
        return None if life is None else life.node


def _requests(index: Index) -> dict[str, Request]:
    found: dict[str, Request] = {}
    for at, asked in index.of(Asked):
        request = found.get(asked.request)
        if request is None:
            found[asked.request] = Request(asked, at)
        else:
            request.times += 1
    for at, answered in index.of(Answered):
        request = found.get(answered.request)
        if request is not None:
            request.answers.append((at, answered))
    return found


def _keyed(index: Index) -> dict[str, Request]:
    found: dict[str, Request] = {}
    for request in index.requests.values():
        if request.asked.key is not None:
            told = (each.job for _, each in request.answers if each.verdict in ("accepted", "replayed"))
            jobs = (job for job in (request.asked.job, *told) if job is not None and job in index.final.jobs)
            found.update((job, request) for job in jobs)
    return found


def _starts(index: Index) -> dict[RunKey, list[tuple[int, Started]]]:
    found: dict[RunKey, list[tuple[int, Started]]] = {}
    for start in index.of(Started):
        key = (start[1].job, start[1].number)
        if key in found:
            found[key].append(start)
        else:
            found[key] = [start]
    return found


def _follow_ups(index: Index) -> dict[RunKey, list[Asked]]:
    """By the run that brings them, in the order in which its handler asked for them."""
    found: dict[RunKey, list[Asked]] = {}
    for _, asked in index.of(Asked):
        if asked.follows is not None:
            found.setdefault(asked.follows, []).append(asked)
    return found


def _claims(index: Index) -> dict[RunKey, list[Claim]]:
    """By run; the same batch seen twice, because it was asked for twice, counts once."""
    asked = {(each.by, each.call): at for at, each in index.of(Claiming)}
    found: dict[RunKey, list[Claim]] = {}
    for at, each in index.of(Claimed):
        began = asked.get((each.by, each.call), at)
        for order, run in enumerate(each.runs):
            claim = Claim(began, at, order, each.by, each.node, each.batch, each.call, run)
            known = found.setdefault((run.job, run.number), [])
            if all(other.batch != claim.batch or other.node != claim.node for other in known):
                known.append(claim)
    return found


def _writes(index: Index) -> list[Write]:
    """In the order in which they took effect, or else were asked for."""
    took = {(each.by, each.call): (at, each) for at, each in index.of(Wrote)}
    found: list[Write] = []
    for asked, each in index.of(Writing):
        at, wrote = took.get((each.by, each.call), (None, None))
        fenced = wrote.fenced if wrote is not None else ()
        for run in each.runs:
            lost = bool(fenced) and (run.job, run.number) in fenced
            found.append(Write(asked, at, each.by, each.node, lost, run))
    found.sort(key=_when)
    return found


def _when(write: Write) -> int:
    return write.asked if write.place is None else write.place


def _effects(index: Index) -> dict[RunKey, int]:
    """The place at which a run's outcome, as the store has it in the end, is first known to be there.

    In an exact history that is where it took effect. Missing: outcomes of which no entry tells, such as
    those of a cancel by force.
    """
    found = {key: at for key, at in index.committed.items() if key in index.rows and index.rows[key].what == "done"}
    for write in index.writes:
        run = write.run
        key = (run.job, run.number)
        row = index.rows.get(key)
        if write.place is not None and not write.fenced and row is not None and row.what == run.what:
            found.setdefault(key, write.place)
    _given_back(index, found)
    return found


def _stored(index: Index) -> dict[str, Point]:
    """By job: where it was stored first, in exact histories. A follow-up is where its run's completion took effect."""
    found: dict[str, Point] = {}
    for at, each in index.of(Inserted):
        for order, job in enumerate(each.jobs):
            found.setdefault(job, (at, order))
    if index.exact and index.follow_ups:
        done = [(key, at) for key, at in index.took.items() if index.rows[key].what == "done"]
        brought = [(at, asked.job) for key, at in done for asked in index.follow_ups.get(key, ())]
        for order, (at, follow_up) in enumerate(brought):
            if follow_up is not None and follow_up in index.final.jobs:
                found.setdefault(follow_up, (at, order))
    return found


def _given_back(index: Index, found: dict[RunKey, int]) -> None:
    """Outcomes that came with the release of a batch, or the rescue of a node."""
    released = {(each.node, each.batch): at for at, each in reversed(index.of(Released))}
    rescued = {each.node: at for at, each in reversed(index.of(Rescued))}
    if not released and not rescued:
        return
    for key, claims in index.claims.items():
        row = index.rows.get(key)
        if row is None:
            continue
        for claim in claims:
            at = None
            if row.what == "released":
                at = released.get((claim.node, claim.batch))
            elif row.what == "lost":
                at = rescued.get(index.name(claim.node) or "")
            if at is not None:
                found.setdefault(key, at)
