"""What a node has looked at of each lane, so that it never walks over the same dead rows twice.

A claim deletes rows from the front of a lane's line. Until vacuum has removed their index entries, whoever starts at
the front walks over all of them; an old snapshot of somebody keeps vacuum from it for hours. So each node remembers,
per lane, the key (xid, arrival, id) after which it has not looked yet. `xid` is the transaction that wrote the row:

    seen            | position            not looked at yet
    ----------------+--------------------------------------->  xid
         ^     ^
         gaps: transactions that were in progress when the position went past them

What a transaction that began early commits late lies before the position. That is no secret: the snapshot of each
look names the transactions that were in progress, and only they can. They are the gaps. One that has ended is looked
at once more, and then forgotten; what the limit left of it is a leftover, a span of its own.

One thing the cursor cannot know: a row that another node's claim had locked was passed by, and is back if that claim
rolls back. A look behind the position finds it, every few seconds (see `left_behind.sql`).

The cursor belongs to one session with one server: after a reconnect it begins anew, because a server that was restored
or promoted may give the same numbers again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

LAST: Final = (1 << 63) - 1
"""Later than every transaction and every arrival."""
FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"
LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Key(NamedTuple):
    """A place in a lane's line."""

    xid: int
    arrival: int
    id: str


START: Final = Key(0, 0, FIRST_ID)


class Span(NamedTuple):
    """A stretch of a lane's line: what comes after a key, up to the end of a transaction."""

    lane: int
    after: Key
    last: int

    @property
    def is_head(self) -> bool:
        """Whether it is open at its end."""
        return self.last == LAST


class Position(NamedTuple):
    """Where a node stands in one lane."""

    after: Key = START
    gaps: frozenset[int] = frozenset()
    leftovers: tuple[Span, ...] = ()


class Look(NamedTuple):
    """What a claim is to look at."""

    spans: Sequence[Span]
    gaps: Sequence[int]


class Cursor:
    """The positions of one node in all lanes."""

    def __init__(self) -> None:
        self._positions: dict[int, Position] = {}

    def forget(self) -> None:
        """Begin anew, at the front of every lane."""
        self._positions.clear()

    def look(self, lanes: Iterable[int]) -> Look:
        """What is left to look at in these lanes."""
        spans: list[Span] = []
        gaps: set[int] = set()
        for lane in lanes:
            position = self._positions.get(lane, Position())
            spans.append(Span(lane, position.after, LAST))
            spans.extend(position.leftovers)
            gaps.update(position.gaps)
        return Look(spans, sorted(gaps))

    def looked(
        self, lanes: Iterable[int], look: Look, left: Iterable[Span], next_xid: int, running: Iterable[int]
    ) -> None:
        """Go on to where a look has ended.

        Args:
            lanes: those that were looked at.
            look: what was looked at; what was left behind and found meanwhile is not among it, and stays.
            left: what the look has left of its spans, heads included; what is not among it is done.
            next_xid: the first transaction that the look could not see, because it had not begun.
            running: the transactions before that which it could not see, because they were in progress.
        """
        gaps = frozenset(running)
        heads: dict[int, Key] = {}
        leftovers: dict[int, list[Span]] = {}
        for span in left:
            if span.is_head:
                heads[span.lane] = span.after
            else:
                leftovers.setdefault(span.lane, []).append(span)
        end, looked_at = Key(next_xid - 1, LAST, LAST_ID), set(look.spans)
        for lane in lanes:
            found = [span for span in self._positions.get(lane, Position()).leftovers if span not in looked_at]
            # rows of the look's own transaction lie beyond what it could see of others
            self._positions[lane] = Position(min(heads.get(lane, end), end), gaps, (*found, *leftovers.get(lane, ())))

    def passed(self) -> list[tuple[int, Key]]:
        """The position in each lane, for the look behind it."""
        return [(lane, position.after) for lane, position in self._positions.items()]

    def left_behind(self, lane: int, xid: int, arrival: int) -> None:
        """There is a row behind the position: look at the lane again from there."""
        position = self._positions.get(lane)
        if position is None:
            return
        first = Key(xid, arrival - 1, LAST_ID)
        if first >= position.after or any(span.after <= first for span in position.leftovers):
            return
        again = Span(lane, first, position.after.xid)
        self._positions[lane] = position._replace(leftovers=(*position.leftovers, again))
