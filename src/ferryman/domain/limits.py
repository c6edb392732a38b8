"""Rules for queues and types: whether they are paused, and how much of them may be claimed.

    concurrency   so many of its jobs may be processing at once, over all nodes
    rate, burst   in any window of t seconds at most rate x t + burst of its jobs are claimed

A rule is asked by the claim itself, in the claim's own transaction, so both hold exactly. The rate is a token bucket
that is spent where the claim is written, at the time that the claim row has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from ferryman.domain.job import MICROS, Lane

TOKEN: Final = 1_000_000
"""Tokens are counted in millionths, in whole numbers, so that nothing is gained by rounding."""
JUMP: Final = 5 * MICROS
"""A clock that stands this far before a bucket's last use was set back: the bucket goes on from there."""
SOONEST: Final = MICROS // 40
"""A claim for a few tokens is cheaper than a claim for each: nobody looks again sooner than this."""


class Scope(StrEnum):
    """What a rule is for."""

    QUEUE = "queue"
    TYPE = "type"


class Limit(msgspec.Struct, frozen=True):
    """How much may be claimed; None is no limit."""

    concurrency: int | None = None
    rate: float | None = None
    """Claims in a second."""
    burst: int = 1
    """How many more there may be at once after a time without."""

    @property
    def is_bound(self) -> bool:
        """Whether it bounds anything."""
        return self.concurrency is not None or self.rate is not None


class Rule(msgspec.Struct, frozen=True):
    """What holds for all jobs of a queue or of a type."""

    scope: Scope
    name: str
    paused: bool = False
    limit: Limit = Limit()

    @property
    def says_nothing(self) -> bool:
        """Whether it could as well not be there."""
        return not self.paused and not self.limit.is_bound

    def covers(self, lane: Lane) -> bool:
        """Whether it holds for the jobs of a lane."""
        return self.name == (lane.queue if self.scope is Scope.QUEUE else lane.type)


class Bucket(msgspec.Struct, frozen=True):
    """The tokens of a rate at the time of its last use; the default is full, whatever its size."""

    level: int | None = None
    """In millionths of a token; None is full."""
    at: int = 0

    def filled(self, limit: Limit, now: int) -> Bucket:
        """What is in it at a time. One that was used after `now`, by a clock that is a little ahead, is at that time.

        So the time of a bucket never goes back, and claims that are written with it obey the rate by their own times.
        """
        if limit.rate is None:
            return Bucket(None, now)
        full = limit.burst * TOKEN
        at = now if self.at - now > JUMP else max(self.at, now)
        if self.level is None:
            return Bucket(full, at)
        gained = math.floor(limit.rate * max(0, at - self.at) * TOKEN / MICROS)
        return Bucket(min(full, self.level + gained), at)

    def spent(self, count: int) -> Bucket:
        """The same with so many tokens less."""
        return self if self.level is None else Bucket(self.level - count * TOKEN, self.at)


def allowance(limit: Limit, bucket: Bucket, processing: int) -> int:
    """How many more of its jobs may be claimed now.

    Args:
        bucket: as it is now, see `Bucket.filled`.
        processing: how many of its jobs have been claimed and have not ended.
    """
    bounds: list[int] = []
    if limit.concurrency is not None:
        bounds.append(max(0, limit.concurrency - processing))
    if bucket.level is not None:
        bounds.append(bucket.level // TOKEN)
    return min(bounds)


def due(limit: Limit, bucket: Bucket) -> int | None:
    """When there is a token again, and a few more where they come fast; None where none is waited for."""
    if not limit.rate or bucket.level is None or bucket.level >= TOKEN:
        return None
    return bucket.at + max(SOONEST, math.ceil((TOKEN - bucket.level) / limit.rate * MICROS / TOKEN))


class Use(msgspec.Struct, frozen=True):
    """A rule, and what has been used of it."""

    rule: Rule
    bucket: Bucket
    processing: int
    """How many of its jobs have been claimed and have not ended."""


def open_lanes(rules: Sequence[Rule], lanes: Mapping[int, Lane]) -> Mapping[int, Lane]:
    """The lanes that no rule pauses."""
    paused = [rule for rule in rules if rule.paused]
    if not paused:
        return lanes
    return {number: lane for number, lane in lanes.items() if not any(rule.covers(lane) for rule in paused)}


def limiting(rules: Sequence[Rule], lanes: Mapping[int, Lane]) -> list[Rule]:
    """The rules that bound any of these lanes, in an order that is the same everywhere: they are locked in it."""
    bounds = [rule for rule in rules if rule.limit.is_bound and any(rule.covers(lane) for lane in lanes.values())]
    return sorted(bounds, key=lambda rule: (rule.scope, rule.name))


class Again(msgspec.Struct, frozen=True):
    """Whether a claim may have left something for a limit's sake, and when the next token comes."""

    limited: bool = False
    due: int | None = None


NEVER: Final = Again()
"""Nothing was left for a limit's sake."""


class Bounds:
    """How much one claim may take of lanes that are under limits, and what that leaves of them."""

    def __init__(self, uses: Sequence[Use], lanes: Mapping[int, Lane], idle: int, now: int) -> None:
        """Reckon.

        Args:
            uses: what `limiting` gave, with what has been used.
            lanes: those that are asked for, by their numbers.
            idle: how many workers wait; a job under a limit is claimed only to start at once.
            now: the time of the claim.
        """
        self._idle = idle
        buckets = [_filled(use, now) for use in uses]
        self._at = max([now, *(use.bucket.at for use in buckets if use.rule.limit.rate is not None)])
        # one claim has one time: what it spends of one rate, it must not spend at an earlier time of another one
        self._uses = [_filled(use, self._at) for use in buckets]
        self._left = [allowance(use.rule.limit, use.bucket, use.processing) for use in self._uses]
        self._over = {
            number: [position for position, use in enumerate(self._uses) if use.rule.covers(lane)]
            for number, lane in lanes.items()
        }

    @property
    def claimed_at(self) -> int:
        """The time to write into the claim row: not before the last claim under the same rates."""
        return self._at

    def over(self, lane: int) -> Sequence[int]:
        """The positions in `left` of the limits that a lane is under."""
        return self._over[lane]

    def is_of_type(self, position: int) -> bool:
        """Whether the limit at this position in `left` is one for a type."""
        return self._uses[position].rule.scope is Scope.TYPE

    @property
    def left(self) -> Sequence[int]:
        """How many jobs may be taken under each limit."""
        return self._left

    def most(self, lane: int, limit: int) -> int:
        """How many jobs of a lane may be taken at most, as far as it alone is concerned."""
        over = self._over[lane]
        return min([limit, self._idle, *(self._left[position] for position in over)]) if over else limit

    def admit(self, lanes: Sequence[int], limit: int) -> list[int]:
        """The positions of the candidates that may be taken, of which the lanes are given in the order of the claim."""
        left = list(self._left)
        room = {lane: self.most(lane, limit) for lane in set(lanes)}
        admitted: list[int] = []
        for position, lane in enumerate(lanes):
            over = self._over[lane]
            if len(admitted) < limit and room[lane] > 0 and all(left[bound] for bound in over):
                admitted.append(position)
                room[lane] -= 1
                for bound in over:
                    left[bound] -= 1
        return admitted

    def spent(self, taken: Sequence[int]) -> list[tuple[Rule, Bucket]]:
        """What is left in each bucket of a rate, once jobs of these lanes have been taken."""
        counts = self._counts(taken)
        return [
            (use.rule, use.bucket.spent(counts[position]))
            for position, use in enumerate(self._uses)
            if use.rule.limit.rate is not None
        ]

    def again(self, taken: Sequence[int]) -> Again:
        """When it may be worth asking again, once jobs of these lanes have been taken."""
        counts = self._counts(taken)
        full = [position for position, left in enumerate(self._left) if counts[position] >= left]
        times = [due(self._uses[each].rule.limit, self._uses[each].bucket.spent(counts[each])) for each in full]
        return Again(bool(full), min((time for time in times if time is not None), default=None))

    def _counts(self, taken: Sequence[int]) -> Counter[int]:
        return Counter(position for lane in taken for position in self._over[lane])


def _filled(use: Use, now: int) -> Use:
    return Use(use.rule, use.bucket.filled(use.rule.limit, now), use.processing)
