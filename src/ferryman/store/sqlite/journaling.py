"""The journal of a file. There is one writer at a time, so rows are numbered in the order in which they commit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from ferryman.domain.state import Status
from ferryman.store.journaling import KEPT, Change, Position, Told, attendance
from ferryman.store.sqlite.session import ChangeRow, Session

_changes: Final = msgspec.json.Decoder(list[ChangeRow])


class Audience(NamedTuple):
    """Since when and until when somebody listens, and which rows there are."""

    since: int
    until: int
    first: int
    end: int
    """The number of the next row."""


def audience(session: Session) -> Audience:
    """What is known of those who listen."""
    row = session.one("audience")
    assert row is not None
    since, until, first, last = row
    return Audience(since, until, first or 1, (last or 0) + 1)


def attend(session: Session, now: int) -> None:
    """Say that somebody listens."""
    known = audience(session)
    attends = attendance(known.since, known.until, now)
    if attends is not None:
        session.run("attend", since=attends[0], until=attends[1])


def read(session: Session, after: Position | None, now: int, limit: int) -> Told | None:
    """See `Journaling.journal`; None: the store has to be told first that somebody listens."""
    known = audience(session)
    if attendance(known.since, known.until, now) is not None:
        return None
    end = Position(known.since, 0, known.end, 0)
    if after is None or after.since != known.since or not known.first <= after.place <= known.end:
        return Told((), end, gap=after is not None)
    changes = list(islice(_following(session, after), limit + 1))
    more = len(changes) > limit
    return Told(changes[:limit], changes[limit - 1].position if more else end, more)


def forget(session: Session, now: int, limit: int) -> None:
    """Of the first rows: drop those that are not kept any longer."""
    session.run("prune_journal", before=now - KEPT, limit=limit)


def _following(session: Session, after: Position) -> Iterator[Change]:
    """What comes after a position, row by row: there may be more than anybody wants to have in memory."""
    lanes = session.lanes().by_number
    for number, text in session.connection.execute(session.statements["journal"], {"number": after.place}):
        for offset, (id, lane, claim, what, status, at) in enumerate(_changes.decode(text), 1):
            if number > after.place or offset > after.offset:
                yield Change(Position(after.since, 0, number, offset), at, id, lanes[lane], claim, what, Status(status))
