"""P19: keys with shares take turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from ferryman.domain.job import Lane
from ferryman.domain.keys import GateRule
from ferryman.domain.shares import STEP
from ferryman.domain.state import TERMINAL, Status
from ferryman.testing.history.entries import Claiming
from ferryman.testing.history.gates import LAST, Gate, gates_of
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index, Point
from ferryman.testing.history.order import scheduled

_NEVER: Final[Point] = (-1, 0)


class Tenant(msgspec.Struct, frozen=True):
    """A key that takes turns, and keeps to nothing else."""

    key: str
    share: int
    until: int
    """The place before which that is all there is to its gate, and all of its turns are first claims."""

    @property
    def step(self) -> int:
        """How much one turn costs it."""
        return STEP // self.share


class First(msgspec.Struct, frozen=True, gc=False):
    """The first claim of a job, in the line of its lane."""

    job: str
    tenant: Tenant | None
    stored: Point
    at_once: bool
    """Whether it came before its gate as it was stored, for all that is known."""
    claimed: Point
    ended: Point
    """Where its run had ended, at the latest that is known."""


class Gap(msgspec.Struct, frozen=True):
    """Two claims of a key in a row, the second of which had its job waiting when the first one was drawn."""

    tenant: Tenant
    first: First
    second: First
    between: Sequence[First]


def keys_take_turns(index: Index) -> Iterator[Violation]:
    """P19: over any n turns of a key with a share which has more waiting, from a first claim of its to the n-th one
    after that, no other such key of the lane (queue, type, priority) has more of them than n times the ratio of the
    shares, rounded up (and one more at most where a share does not divide the step of tags).

    A key counts as long as no rule can be in force but a share alone, nobody has paused it, and each of its turns is to
    be seen in a first claim (claim number 1): until a job of it comes before its gate again, after a failure, a snooze
    or a retry by hand, or was stored that ended unclaimed, and may have been drawn before that. Jobs that are claimed
    again at once, after a release or the death of a node, have kept their turns.

    A key has more waiting if the job of the second claim was stored before that of the first one was drawn, and did not
    ask for a later time. When that was nobody notes. But no draw leaves more ready in a lane than the claim before
    which it comes asks for: so it came after the claim of whoever stands as many places further in front in the line as
    any claim asks for. And it came after everybody in front was stored.

    Whatever stands in a lane is claimed for the first time in its order (P12), so the order of first claims is that of
    the draws. Of the other key those count together of which each came before its gate when the one before it had
    not ended: a key without any job there may be forgotten, and its turns with it.

    Not decided: keys with other rules, or with others beside their shares. Histories that are not exact: claims that
    found nothing are not noted there, and nobody knows how much they drew. Stores whose transactions overlap: the jobs
    of a draw that began earlier and commits later come to stand before those of another one, and whoever has lost the
    connection draws again while the first draw is under way still, so nobody can say how many such draws there are.
    """
    for stretch in _stretches(gaps(index)):
        found = {each.tenant.key: each.tenant for gap in stretch for each in gap.between if each.tenant is not None}
        found.pop(stretch[0].tenant.key, None)
        for _, other in sorted(found.items()):
            yield from _too_many(stretch, other)


def _stretches(found: Iterable[Gap]) -> Iterable[list[Gap]]:
    """The gaps of each key, in lists in which the second claim of one is the first of the next."""
    by_last: dict[str, list[Gap]] = {}
    for gap in found:
        stretch = by_last.pop(gap.first.job, [])
        stretch.append(gap)
        by_last[gap.second.job] = stretch
    return by_last.values()


def _too_many(stretch: Sequence[Gap], other: Tenant) -> Iterator[Violation]:
    """The first time that another key has had more than it may since any of the turns before.

    As a bucket that leaks: so much each turn of the one allows, so much each of the other takes, and at the least level
    of all the longest stretch begins.
    """
    own, cost = stretch[0].tenant, other.step
    taken: list[First] = []
    low = (0, 0, 0)  # the least level at the beginning of a gap, which one that was, and how many were taken by then
    for place, gap in enumerate(stretch):
        low = min(low, (len(taken) * cost - place * own.step, place, len(taken)))
        for each in gap.between:
            if each.tenant != other:
                continue
            if taken and (not each.at_once or each.stored >= taken[-1].ended):
                taken, low = [], (-place * own.step, place, 0)
            taken.append(each)
            if len(taken) * cost - (place + 1) * own.step - low[0] >= cost:
                _, since, before = low
                turns, jobs = place + 1 - since, [each.job for each in taken[before:]]
                told = (
                    "{} jobs of key {} were claimed between jobs {} and {} of key {}, {} turns apart: {} are its share."
                )
                ends, most = (stretch[since].first.job, gap.second.job), -(-turns * own.step // cost)
                said = told.format(len(jobs), other.key, *ends, own.key, turns, most)
                yield Violation("P19", said, (ends[0], *jobs, ends[1]))
                return


def gaps(index: Index) -> Iterator[Gap]:
    """Every two claims between which it is known how many others there may be."""
    most = _most_asked(index)
    if not index.exact or index.history.terms.overlapping or not most:
        return
    found = (_tenant(index, gate) for gate in gates_of(index))
    tenants = {each.key: each for each in found if each is not None}
    if len(tenants) < 2:
        return
    for line in _lines(index, tenants).values():
        drawn_after = _drawn_after(line, most)
        before: dict[Tenant, int] = {}
        for place, each in enumerate(line):
            tenant = each.tenant
            if tenant is None:
                continue
            first = before.get(tenant)
            if first is not None and each.at_once and each.stored < drawn_after[first]:
                yield Gap(tenant, line[first], each, line[first + 1 : place])
            before[tenant] = place


def _tenant(index: Index, gate: Gate) -> Tenant | None:
    """The key of a gate, as far as it is one."""
    rule = min(gate.possible, key=lambda each: each.after).value
    if rule.share is None or rule != GateRule(share=rule.share):
        return None
    others = (each.after for each in gate.possible if each.value != rule)
    paused = (each.after for each in gate.pauses)
    unseen = (_unseen(index, job) for job in gate.jobs)
    return Tenant(gate.key, rule.share, min((*others, *paused, *unseen)))


def _unseen(index: Index, job: str) -> int:
    """The place after which a job may be drawn, and not be claimed for the first time."""
    rows = index.final.attempts.get(job, ())
    claims = index.claims.get((job, 1), ())
    if not claims:
        waits = not rows and index.final.jobs[job].status is Status.WAITING
        return LAST if waits else index.stored.get(job, _NEVER)[0]
    for place, row in enumerate(rows, start=1):
        if row.status is Status.SCHEDULED or (row.status in TERMINAL and place < len(rows)):
            return index.took.get((job, row.number), claims[0].place)
    return LAST


def _most_asked(index: Index) -> int:
    """How many jobs any claim asks for; 0 if that is not known of all."""
    asked = [each.limit for _, each in index.of(Claiming)]
    return max(asked, default=0) if all(asked) else 0


def _lines(index: Index, tenants: Mapping[str, Tenant]) -> dict[Lane, list[First]]:
    """The first claims of each lane in their order."""
    lines: dict[Lane, list[First]] = {}
    at_once = index.stored.keys() - scheduled(index)
    for id, job in index.final.jobs.items():
        for claim in index.claims.get((id, 1), ())[:1]:
            claimed = (claim.place, claim.order)
            request = index.keyed.get(id)
            tenant = None if request is None else tenants.get(request.asked.key or "")
            if tenant is not None and tenant.until < claim.place:
                tenant = None
            ended = (index.took.get((id, 1), claim.place), 0)
            first = First(id, tenant, index.stored.get(id, _NEVER), id in at_once, claimed, ended)
            lines.setdefault(Lane(job.queue, job.type, job.priority), []).append(first)
    for line in lines.values():
        line.sort(key=lambda each: each.claimed)
    return lines


def _drawn_after(line: Sequence[First], most: int) -> list[Point]:
    """A point after which each of a line was drawn."""
    latest = accumulate((each.stored for each in line), max)
    return [max(line[at - most].claimed if at >= most else _NEVER, stored) for at, stored in enumerate(latest)]
