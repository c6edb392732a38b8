"""The verbs behind the series of charts, and what the stores that keep rows have in common for them.

What there is to keep is in `domain.series`. A sample is taken by the first node that asks for its minute. It is what
the tallies say, which change with the facts themselves: no job is counted twice, none is forgotten, and nothing more is
counted while jobs run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from ferryman.domain.buckets import Buckets, merged
from ferryman.domain.series import Kept, Period, Timing, Which, hour_of

FOLDED: Final = 0
"""Whose the timings of an hour are: of no node."""
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Buckets).decode


class Sampling(Protocol):
    """A part of `Store`."""

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        """Note what had happened by the end of a minute, and keep the timings of a node.

        Whether anybody has asked for this minute before, or for a later one, only the first one's is kept. Timings
        replace those of the same node, minute, queue and type.

        Args:
            at: the end of the minute, in microseconds.
            node: the number of the node whose timings these are.
            timings: of that minute or others.

        Returns:
            Whether this call took the sample.
        """
        ...

    async def sampled(self, period: Period, which: Which) -> Kept:
        """What is kept of a period for some jobs. `prune` keeps of old minutes the ends of their hours alone."""
        ...


TimingRow = tuple[str, str, int, str, str]
"""queue, type, at, waits, runs"""


def row_of(timing: Timing) -> TimingRow:
    """A timing as the columns of its row; the buckets are JSON."""
    return timing.queue, timing.type, timing.at, _encode(timing.waits).decode(), _encode(timing.runs).decode()


def timing_of(row: Sequence[Any]) -> Timing:
    """The timing of such a row."""
    queue, type, at, waits, runs = row
    return Timing(queue, type, at, _decode(waits), _decode(runs))


def folded(timings: Iterable[Timing]) -> list[Timing]:
    """One timing for each queue, type and hour."""
    groups: dict[tuple[str, str, int], list[Timing]] = {}
    for each in timings:
        groups.setdefault((each.queue, each.type, hour_of(each.at)), []).append(each)
    return [
        Timing(*group, merged(each.waits for each in found), merged(each.runs for each in found))
        for group, found in groups.items()
    ]
