"""P9: a tick of a schedule fires once, over all nodes."""

from __future__ import annotations

from collections.abc import Iterator

from ferryman.testing.history.entries import Asked
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index


def ticks_fire_once(index: Index) -> Iterator[Violation]:
    """P9: of the jobs that nodes asked for at one tick of one schedule, at most one is in the store.

    Not decided: whether a tick that nobody asked for was due; which ticks are due is shown by tests of their own. Nor
    whether one that was asked for should have become a job: missed and overlapping ones need not.
    """
    fired: dict[tuple[str, int], str] = {}
    for _, asked in index.of(Asked):
        if asked.tick is None or asked.job is None or asked.job not in index.final.jobs:
            continue
        first = fired.setdefault(asked.tick, asked.job)
        if first != asked.job:
            name, instant = asked.tick
            told = f"The schedule {name} fired twice at {instant}: jobs {first} and {asked.job}."
            yield Violation("P9", told, (first, asked.job))
