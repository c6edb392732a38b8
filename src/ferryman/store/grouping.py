"""Error groups in a store: what failed attempts have in common, how often and where.

A failed attempt brings two things with its outcome: its error, under the id of its group, by which the jobs of the
group are found; and a *sighting*, which counts. Sightings are of one group, hour, lane and version of a node; an old
hour becomes a part of its day, and what is older than 90 days goes. They outlive the jobs: a group is told of long
after its last job was pruned. A sighting has what the errors have in common, too, so that nothing has to be kept in
step: it is written beside those that there are, and whoever reads sums up.

Nothing of it is written for a job that completes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from ferryman.domain.error_groups import Group
from ferryman.domain.filters import JobFilter
from ferryman.domain.job import Lane
from ferryman.domain.outcome import Finish
from ferryman.domain.series import HOUR, HOURS_KEPT

KEPT: Final = HOURS_KEPT
"""For how long a sighting is kept, in microseconds."""
DAY: Final = 24 * HOUR
HOURS: Final = 24
"""So many hours are told one by one."""
FAILED_MOST: Final = 500
"""So many failures of a group are looked at, at most, to say how many of its jobs stand failed."""
VERSIONS_MOST: Final = 5
NAMES_MOST: Final = 50
"""Of types and of queues, each."""
FOLDED: Final = 1000
"""Sightings that become parts of their days at one go."""


class GroupFilter(msgspec.Struct, frozen=True):
    """Which error groups; empty collections and None mean all."""

    id: str | None = None
    queues: frozenset[str] = frozenset()
    """Only what jobs in these queues failed of: of all others nothing is told, or counted."""
    types: frozenset[str] = frozenset()
    """Likewise; `*` stands for any text."""
    start: int | None = None
    """Last seen then or later."""
    end: int | None = None
    """Last seen before."""
    after: tuple[int, str] | None = None
    """(last seen, id) of the group after which the page starts."""
    limit: int = 1000

    def lanes(self, known: Mapping[int, Lane]) -> list[int] | None:
        """The numbers of the lanes that count; None where every one does."""
        return JobFilter(types=self.types, queues=self.queues).lanes(known)

    @property
    def last(self) -> tuple[int, str]:
        """Before which, by (last seen, id), the groups lie: at the end, and after what was told already."""
        end = (_ALL_TIME if self.end is None else self.end, "")
        return end if self.after is None else min(end, self.after)


_ALL_TIME: Final = 2**62


class ErrorGroup(msgspec.Struct, frozen=True):
    """An error group, and what became of its jobs."""

    group: Group
    count: int
    """Failed attempts."""
    jobs: int
    """How many jobs stand failed by it now; those failed before there were groups are not among them."""
    at_least: bool
    """Whether they may be more, as not all were looked at."""
    first_at: int
    last_at: int
    types: Sequence[str]
    queues: Sequence[str]
    versions: Sequence[str]
    """Of the nodes on which it was seen, those that saw it last first."""
    job: str
    """The job that failed of it last."""
    since: int
    """When the first of the hours in `lately` begins."""
    lately: Sequence[int]
    """Failed attempts, hour by hour; the last hour has not ended."""


class Grouping(Protocol):
    """A part of `Store`."""

    async def error_groups(self, asked: GroupFilter, now: int) -> Sequence[ErrorGroup]:
        """The error groups that fit, the one that was seen last first."""
        ...


# -- what the stores have in common ------------------------------------------------------------------


class Seen(msgspec.Struct, array_like=True, frozen=True):
    """All sightings of a group in a lane and by a version, summed up."""

    id: str
    lane: int
    version: str
    count: int
    first_at: int
    last_at: int
    job: str
    """That of the last one."""
    about: str
    """The `Group`, as JSON."""


HourSeen = tuple[str, int, int]
"""(group, beginning of the hour, failed attempts)"""
Failures = Mapping[str, tuple[int, int]]
"""Group -> (failures that were looked at, jobs among them that stand failed)."""
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Group).decode


class Sighting(msgspec.Struct, frozen=True):
    """What one write adds."""

    group: Group
    hour: int
    lane: tuple[str, str, int]
    count: int
    first_at: int
    last_at: int
    job: str

    def with_later(self, new: Sighting) -> Sighting:
        """Both in one."""
        last = new if new.last_at >= self.last_at else self
        return replace(last, count=self.count + new.count, first_at=min(self.first_at, new.first_at))

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many, the first and the last of them."""
        return self.count, self.first_at, self.last_at


def about(group: Group) -> str:
    """A group as the stores keep it."""
    return _encode(group).decode()


def sightings(finishes: Iterable[Finish]) -> list[Sighting]:
    """What the failed attempts among some runs add."""
    found: dict[tuple[str, int, tuple[str, str, int]], list[Finish]] = {}
    for each in finishes:
        if each.group is not None:
            found.setdefault((each.group.id, hour_of(each.finished_at), each.lane), []).append(each)
    return [_sighting(hour, lane, ends) for (_, hour, lane), ends in found.items()]


def _sighting(hour: int, lane: tuple[str, str, int], ends: Sequence[Finish]) -> Sighting:
    first, *_, last = sorted([ends[0], *ends], key=lambda end: end.finished_at)
    assert last.group is not None
    return Sighting(last.group, hour, lane, len(ends), first.finished_at, last.finished_at, last.id)


def hour_of(at: int) -> int:
    """When the hour began in which a time lies."""
    return at // HOUR * HOUR


def first_hour(now: int) -> int:
    """When the first of the hours began that are told one by one."""
    return hour_of(now) - (HOURS - 1) * HOUR


def folds_before(now: int) -> int:
    """Days that began before this are told as a whole: no hour of them is told by itself any more."""
    return now // DAY * DAY - DAY


def summed(
    ids: Sequence[str],
    seen: Iterable[Seen],
    hours: Iterable[HourSeen],
    failures: Failures,
    known: Mapping[int, Lane],
    now: int,
) -> list[ErrorGroup]:
    """Make the groups of a page from what a store has found of them."""
    rows: dict[str, list[Seen]] = {}
    for row in sorted(seen, key=lambda row: (-row.last_at, row.version, row.lane)):
        rows.setdefault(row.id, []).append(row)
    since = first_hour(now)
    lately = {id: [0] * HOURS for id in ids}
    for id, hour, count in hours:
        if since <= hour <= hour_of(now):
            lately[id][(hour - since) // HOUR] += count
    return [_summed(rows[id], lately[id], failures[id], known, since) for id in ids if id in rows]


def _summed(
    rows: Sequence[Seen], lately: Sequence[int], failed: tuple[int, int], known: Mapping[int, Lane], since: int
) -> ErrorGroup:
    looked_at, jobs = failed
    lanes = [known[row.lane] for row in rows]
    return ErrorGroup(
        group=_decode(rows[0].about),
        count=sum(row.count for row in rows),
        jobs=jobs,
        at_least=looked_at >= FAILED_MOST,
        first_at=min(row.first_at for row in rows),
        last_at=rows[0].last_at,
        types=sorted({lane.type for lane in lanes})[:NAMES_MOST],
        queues=sorted({lane.queue for lane in lanes})[:NAMES_MOST],
        versions=list(dict.fromkeys(row.version for row in rows))[:VERSIONS_MOST],
        job=rows[0].job,
        since=since,
        lately=lately,
    )
