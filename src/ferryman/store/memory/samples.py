"""The samples and timings of a memory store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec.structs import replace

from ferryman.domain.series import HOURS_KEPT, Kept, Period, Sample, Timing, Which, hour_of, minutes_until
from ferryman.store.sampling import FOLDED, folded


class Samples:
    """All rows."""

    def __init__(self) -> None:
        self._moments = [0]
        self._lines: dict[tuple[str, str], list[Sample]] = {}
        """(queue, type) -> what had happened by when, the oldest first."""
        self._timings: dict[tuple[int, int, str, str], Timing] = {}
        """By (at, node, queue, type)."""

    def is_due(self, at: int) -> bool:
        """Whether nobody has sampled this minute yet, nor a later one."""
        return at > self._moments[-1]

    def add(self, at: int, samples: Iterable[Sample]) -> None:
        """Keep the samples of a minute that are not like those before."""
        self._moments.append(at)
        for sample in samples:
            line = self._lines.setdefault((sample.queue, sample.type), [])
            if not line or replace(line[-1], at=at) != sample:
                line.append(sample)

    def put(self, node: int, timings: Iterable[Timing]) -> None:
        """Keep what a node has timed."""
        self._timings.update({(each.at, node, each.queue, each.type): each for each in timings})

    def within(self, period: Period, which: Which) -> Kept:
        """Of samples all until the end: those before say what had been counted when it began."""
        lines = [line for group, line in self._lines.items() if which.fits(*group)]
        timings = [each for each in self._timings.values() if period.start < each.at <= period.end]
        return Kept(
            [at for at in self._moments if at <= period.end],
            [each for line in lines for each in line if each.at <= period.end],
            [each for each in timings if which.fits(each.queue, each.type)],
        )

    def prune(self, now: int) -> None:
        """Keep of old minutes the ends of their hours, and before them what the oldest is compared with."""
        self._moments = [self._moments[place] for place in _needed(self._moments, now)]
        for group, line in self._lines.items():
            self._lines[group] = [line[place] for place in _needed([each.at for each in line], now)]
        old = [key for key in self._timings if key[0] <= minutes_until(now)]
        self.put(FOLDED, folded(self._timings.pop(key) for key in old))
        self._timings = {key: each for key, each in self._timings.items() if key[0] > now - HOURS_KEPT}


def _needed(times: Sequence[int], now: int) -> list[int]:
    """The places of those that a later one does not stand for."""
    old = {place for place, (at, later) in enumerate(pairwise(times)) if _is_old(at, later, now)}
    return [place for place in range(len(times)) if place not in old]


def _is_old(at: int, later: int, now: int) -> bool:
    return later <= now - HOURS_KEPT or (later <= minutes_until(now) and hour_of(at) == hour_of(later))
