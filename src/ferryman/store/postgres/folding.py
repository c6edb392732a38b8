"""What charts are made of grows old: hours stand for minutes, then nothing for hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ferryman.domain.series import HOUR, HOURS_KEPT, Timing, hour_of, minutes_until
from ferryman.store.postgres.columns import numbers
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.sampling import FOLDED, folded, row_of, timing_of

MOMENTS: Final = 120
"""How many moments are dropped at one go, with the samples of every queue and type."""


class Folder:
    """Does so a bounded stretch at a time."""

    def __init__(self) -> None:
        self._until = 0

    def step(self, now: int) -> Steps[None]:
        """Look only when another hour is due, or there was more than that to do. To be driven in a transaction."""
        until = minutes_until(now)
        if until <= self._until:
            return
        yield Ask("lock_moments")  # two that fold one hour would each put what they have found for all of it
        moments = [row[0] for row in (yield Ask("stale_moments", (until, MOMENTS)))]
        yield Ask("thin_samples", (moments,))
        yield Ask("drop_moments", (moments,))
        if not (yield from _fold(until)) and len(moments) < MOMENTS:
            self._until = until
        for name in ("prune_samples", "prune_moments", "prune_timings"):
            yield Ask(name, (now - HOURS_KEPT,))


def put(node: int, timings: Sequence[Timing]) -> Steps[None]:
    """Keep the timings of a node, or those of hours."""
    if timings:
        queues, types, times, waits, runs = zip(*map(row_of, timings), strict=True)
        yield Ask("put_timings", (node, queues, types, numbers(list(times)), waits, runs))


def _fold(until: int) -> Steps[bool]:
    """Fold the timings of one hour; False: there is none."""
    first = yield Ask("first_minute", (until,))
    if not first:
        return False
    end = hour_of(first[0][0])
    rows = yield Ask("take_timings", (end - HOUR, end))
    yield from put(FOLDED, folded(map(timing_of, rows)))
    return True
