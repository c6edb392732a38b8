"""What the sweeper does at the gates of keys."""

from __future__ import annotations

from typing import Final

from ferryman.domain.job import MICROS
from ferryman.store.protocol import Clock, Store, Wakeup

PERIOD: Final = 0.5
"""Seconds between two looks: so late is noticed who was overlooked, and that a rate has begun to hold jobs up."""
SHORTEST: Final = 0.02
"""Seconds between two looks at a rate: tokens that come faster are given out several at a time."""
BATCH: Final = 1000
"""How many keys one step looks at."""


class Admit:
    """Jobs for which a token is there by now are let in, and so are those whom nobody else has let in."""

    def __init__(self, store: Store, clock: Clock, wakeup: Wakeup) -> None:
        self._store = store
        self._clock = clock
        self._wakeup = wakeup

    async def step(self) -> float:
        """One batch of keys; due again when the next token comes."""
        now = self._clock.now()
        admitted = await self._store.admit(now, BATCH)
        if admitted.count:
            self._wakeup.work()
        if admitted.next_due is None:
            return PERIOD
        return min(PERIOD, max(SHORTEST, (admitted.next_due - now) / MICROS))
