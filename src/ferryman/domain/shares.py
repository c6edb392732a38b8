"""Fair shares: whose turn it is among the keys of a lane.

    key     share   jobs before the gate     who is drawn
    alice   1       a1 a2 a3 a4 ...
    bob     1       b1 b2                    a1 b1 c1 c2 a2 b2 c3 c4 a3 c5 c6 ...
    carol   2       c1 c2 c3 c4 ...

Start-time fair queueing (Goyal, Vin and Cheng, 1996), where every job is as long as any other. A lane has a time of its
own, which is no clock's, and each key a tag: the time at which its next job starts. Who has the smallest tag goes next,
and his tag moves on by 1 / share; the lane's time is the tag of whoever went last. A key whose jobs come after a while
begins right after the lane's time: it has saved nothing up, and owes nothing. (At the lane's time itself it could, by
the order of keys, be drawn twice before somebody who has just been drawn is drawn again.)

So between two jobs of a key that has more waiting, another key with r times its share is drawn at most ceil(r) times
(once more at most where a share does not divide `STEP`), however many jobs that one has and however early they came.

A claim draws as many as it asks for and its lane has not ready, so what was drawn and nobody has claimed is never more
than one claim asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from heapq import heapify, heapreplace
from typing import Final, NamedTuple

from ferryman.domain.gates import Look

STEP: Final = 720_720_000
"""So far does the tag of a key with share 1 move on for each job; most shares divide it."""


class Tag(NamedTuple):
    """When a key's next job starts, in the time of its lane, and the share of the key."""

    at: int
    share: int

    def after(self, jobs: int) -> int:
        """When the next one starts after so many."""
        return self.at + jobs * (STEP // self.share)


def drawn(tags: Mapping[str, Tag], count: int) -> list[str]:
    """The keys whose turns are the next `count`, in their order, if all of them have jobs enough."""
    if not tags:
        return []
    line = [(tag.at, key) for key, tag in tags.items()]
    heapify(line)
    order: list[str] = []
    for _ in range(count):
        at, key = line[0]
        order.append(key)
        heapreplace(line, (Tag(at, tags[key].share).after(1), key))
    return order


class Round:
    """One look at the first keys in the ring of a lane: whose turns come next, and what becomes of the ring."""

    def __init__(self, ats: Mapping[str, int], looks: Mapping[str, Look], count: int) -> None:
        """Reckon the next turns.

        Args:
            ats: the keys, and when the next job of each starts.
            looks: their gates; one that has no share any more leaves the ring.
            count: how many turns.
        """
        self._ats = ats
        shares = {key: look.gate.rule.share for key, look in looks.items()}
        self._tags = {key: Tag(ats[key], share) for key, share in shares.items() if share is not None}
        self.order = drawn(self._tags, count)
        """The keys whose turns they are."""
        self._turns = Counter(self.order)
        self.rooms = {key: min(self._turns[key], looks[key].room) for key in self._tags}
        """How many jobs of each key may go."""

    def after(self, went: Mapping[str, int], there: Mapping[str, int]) -> dict[str, tuple[int, bool]]:
        """The keys of which something has changed: when their next jobs start, and whether they stay in the ring.

        Args:
            went: how many jobs of each key went.
            there: how many of them there were, counted up to one more than there was room for.
        """
        stay = {key for key, n in there.items() if self.rooms[key] >= self._turns[key] and n > went.get(key, 0)}
        after = {key: (self._moved(key, went.get(key, 0)), key in stay) for key in self._ats}
        return {key: row for key, row in after.items() if row != (self._ats[key], True)}

    def time(self, went: Mapping[str, int]) -> int:
        """The lane's time once these have gone, of whom there was at least one."""
        return max(self._tags[key].after(jobs - 1) for key, jobs in went.items() if jobs)

    def _moved(self, key: str, jobs: int) -> int:
        return self._tags[key].after(jobs) if key in self._tags else self._ats[key]
