"""How long things took, in buckets whose width grows with the time: small, mergeable, and never far off.

Up to 31 microseconds each time has a bucket of its own. Above, every doubling is parted into 16 buckets of one width,
and a bucket stands for the time in its middle: so what it tells is at most a thirty-second part (3.2 %) off. Only whole
numbers are needed: a bucket is found without a logarithm and without a search.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

Buckets = dict[int, int]
"""bucket -> how many times fell into it; those into which none fell are left out."""

PARTS: Final = 16
"""Buckets to a doubling."""
OFF: Final = 1 / (2 * PARTS)
"""How far from the truth a time is told at most, as a part of it."""
_EXACT: Final = 2 * PARTS
_LONGEST: Final = _EXACT.bit_length() - 1


def bucket_of(micros: int) -> int:
    """The bucket of a time in microseconds; a clock that went back makes it none."""
    if micros < _EXACT:
        return micros if micros > 0 else 0
    shift = micros.bit_length() - _LONGEST
    return shift * PARTS + (micros >> shift)


def count_into(buckets: Buckets, micros: list[int]) -> None:
    """Count times, and empty their list. They are sorted, then passed bucket by bucket, as that is done quickest."""
    micros.sort()
    place, count = 0, len(micros)
    while place < count:
        bucket = bucket_of(micros[place])
        after = bisect_left(micros, first_of(bucket + 1), place)
        buckets[bucket] = buckets.get(bucket, 0) + after - place
        place = after
    micros.clear()


def first_of(bucket: int) -> int:
    """The shortest time of a bucket, in microseconds."""
    if bucket < _EXACT:
        return bucket
    return bucket % PARTS + PARTS << bucket // PARTS - 1


def middle_of(bucket: int) -> int:
    """The time that a bucket stands for, in microseconds."""
    return (first_of(bucket) + first_of(bucket + 1)) // 2


def merged(several: Iterable[Mapping[int, int]]) -> Buckets:
    """What one would hold into which all had been counted."""
    found: Buckets = {}
    for each in several:
        for bucket, count in each.items():
            found[bucket] = found.get(bucket, 0) + count
    return found


def quantiles(buckets: Mapping[int, int], parts: Iterable[float]) -> list[int | None]:
    """For each part, the time within which that part of the times lay, in microseconds; None where there are none.

    It is the bucket of the time which has so many in front of it when they stand in a line (the nearest rank).
    """
    order = sorted(buckets)
    passed = list(accumulate(buckets[bucket] for bucket in order))
    if not order:
        return [None for _ in parts]
    ranks = (max(1, math.ceil(part * passed[-1])) for part in parts)
    return [middle_of(order[bisect_left(passed, rank)]) for rank in ranks]
