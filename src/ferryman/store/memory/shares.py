"""The lanes of a memory store whose keys have shares, and whose turn it is in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from ferryman.domain.job import Lane
from ferryman.domain.shares import Tag, drawn


class Ring(msgspec.Struct):
    """The keys of one lane that take turns."""

    time: int = 0
    """The tag of whoever was drawn last."""
    tags: dict[str, int] = {}
    open: set[str] = set()
    """Those who may have a job to be drawn."""


class Shares:
    """Every ring there is. A key joins it when a job of it may go, and is left out once that has proved wrong."""

    def __init__(self) -> None:
        self._rings: dict[Lane, Ring] = {}

    def join(self, key: str, lanes: Iterable[Lane]) -> bool:
        """Jobs of a key may go in these lanes. Returns whether that is news."""
        news = False
        for lane in lanes:
            ring = self._rings.setdefault(lane, Ring())
            if key not in ring.open:
                ring.tags[key] = max(ring.tags.get(key, 0), ring.time + 1)
                ring.open.add(key)
                news = True
        return news

    def draw(
        self, lane: Lane, count: int, share: Callable[[str], int | None], take: Callable[[str, int], list[str]]
    ) -> list[str]:
        """The ids of the next `count` jobs of a lane.

        Args:
            lane: which one.
            count: how many.
            share: that of a key; None: it has none any more.
            take: lets in at most so many jobs of a key in this lane, and says which.
        """
        ring = self._rings.get(lane)
        ids: list[str] = []
        while ring is not None and ring.open and len(ids) < count:
            shares = {key: share(key) for key in ring.open}
            ring.open = {key for key, each in shares.items() if each is not None}
            tags = {key: Tag(ring.tags[key], each) for key, each in shares.items() if each is not None}
            ids += _go(ring, tags, count - len(ids), take)
        return ids

    def forget(self, key: str) -> None:
        """Nobody uses a key."""
        for ring in self._rings.values():
            ring.tags.pop(key, None)
            ring.open.discard(key)


def _go(ring: Ring, tags: Mapping[str, Tag], count: int, take: Callable[[str, int], list[str]]) -> list[str]:
    """One round: those who have fewer jobs than turns leave the ring."""
    order = drawn(tags, count)
    lines = {key: take(key, turns) for key, turns in Counter(order).items()}
    went: Counter[str] = Counter()
    ids: list[str] = []
    for key in order:
        if went[key] < len(lines[key]):
            ids.append(lines[key][went[key]])
            ring.time = max(ring.time, tags[key].after(went[key]))
            went[key] += 1
        else:
            ring.open.discard(key)
    for key, jobs in went.items():
        ring.tags[key] = tags[key].after(jobs)
    return ids
