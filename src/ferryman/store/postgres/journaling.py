"""The journal of a database, in which transactions overlap: what begins early may commit late.

Each statement that stores jobs or writes outcomes adds a row of its own, under the number of its transaction. No
number that is given while it runs says when it will have committed. So the journal is told in tellings: a telling is a
snapshot, and tells what that sees and the snapshot before it does not. They are made one after the other, by whoever
reads and finds something new; everybody is then told the same, in the same order.

    telling 7              telling 8
    |----------------------|--------------------->  committed
      all that a snapshot sees is told once

Within a telling rows go by `place`, a number given while their statement runs. Where two changes of one job follow each
other, the later one has waited for the commit of the earlier one, and has a greater place.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ferryman.domain.state import Status
from ferryman.store.journaling import KEPT, PAGE, Change, Position, Told, attendance
from ferryman.store.postgres import lanes
from ferryman.store.postgres.bulk import BulkOperations
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Ask, Row, Steps

TELLINGS: Final = 50
"""So many of them make a page at most, however little there is in them."""
NOWHERE: Final = -1


class Journal(BulkOperations):
    """Implements `Journaling`."""

    async def journal(self, after: Position | None, now: int, limit: int = PAGE) -> Told:
        """See `Journaling.journal`. One statement where there is nothing new."""
        known = await self._people.do(audience(after))
        left = known.untold
        if known.lacks_a_telling(after, now):
            known, left = await self._people.transact(attend(after, now)), False
        if after is None or after == known.end:
            return Told((), known.end)
        told = await self._people.read(read(self._lanes, after, limit))
        return told._replace(more=told.more or left)


class Audience(NamedTuple):
    """What is known of those who listen, and of what they have been told."""

    since: int
    until: int
    last: int
    """The number of the last telling."""
    went_back: bool
    """Whether that is of a server which counts its transactions anew."""
    untold: bool
    reachable: bool
    """Whether the telling is there that came before the one asked about."""

    @property
    def end(self) -> Position:
        """Behind the last telling."""
        return Position(self.since, self.last + 1, 0, 0)

    def lacks_a_telling(self, after: Position | None, now: int) -> bool:
        """Whether something has to be written before anything is read."""
        if self.went_back or attendance(self.since, self.until, now) is not None:
            return True
        return self.untold and (after is None or after.telling > self.last)


def audience(after: Position | None = None) -> Steps[Audience]:
    """How it stands, for one who reads on from a position."""
    (row,) = yield Ask("audience", (NOWHERE if after is None else after.telling - 1,))
    return Audience(*row)


def attend(after: Position | None, now: int) -> Steps[Audience]:
    """Say that somebody listens, and tell what is new. To be driven in a transaction."""
    yield Ask("lock_journal")
    known = yield from audience(after)
    attends = attendance(0, 0, now) if known.went_back else attendance(known.since, known.until, now)
    if attends is not None:
        yield Ask("attend", attends)
    if known.untold or known.went_back:
        yield Ask("tell", (now,))
    if known.went_back:
        yield Ask("drop_tellings")
    return (yield from audience(after))


def read(known: Lanes, after: Position, limit: int) -> Steps[Told]:
    """See `Journaling.journal`. All of it is of one moment, so that no prune takes away what is passed by."""
    stands = yield from audience(after)
    end, place = stands.end, after
    if after.since != end.since or not stands.reachable:
        return Told((), end, gap=True)
    changes: list[Change] = []
    for _ in range(TELLINGS):
        if place.telling == end.telling or len(changes) == limit:
            break
        rows = yield Ask("journal_page", (*place[1:], limit - len(changes)))
        if any(row[4] not in known.by_number for row in rows):
            yield from lanes.read(known)
        changes += [_change(known, place, row) for row in rows]
        place = changes[-1].position if len(changes) == limit else Position(end.since, place.telling + 1, 0, 0)
    return Told(changes, place, more=place < end)


def _change(known: Lanes, within: Position, row: Row) -> Change:
    place, offset, at, id, lane, number, what, status = row
    position = Position(within.since, within.telling, place, offset)
    return Change(position, at, id, known.by_number[lane], number, what, Status(status))


class Forgetting:
    """Deletes what the journal no longer keeps. It remembers up to where nothing is left: there lie dead rows."""

    def __init__(self) -> None:
        self._from = 0

    def step(self, now: int, limit: int) -> Steps[None]:
        """Delete so many rows. To be driven in a transaction."""
        yield Ask("lock_journal")
        known = yield from audience()
        if known.untold and known.until <= now:
            yield Ask("tell", (now,))  # nobody else does
        ((count, first),) = yield Ask("prune_journal", (now - KEPT, limit, self._from))
        if count < limit and first is not None:
            self._from = first
