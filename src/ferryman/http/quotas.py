"""How many jobs each API key may still enqueue today, in all processes together.

    store: taken so far <- a hundredth of the quota at a time - this process: left of its portion <- one a job

What a process has taken counts as used, durably and at once, so that all of them never enqueue more than the quota;
what it leaves of its last portion at the end of the day, or when it stops, is lost to the key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil
from typing import Final, TypeVar

from ferryman.domain.access import DAY, Caller, day_of
from ferryman.domain.errors import AccessError, EnqueueError, QuotaSpent
from ferryman.domain.job import MICROS
from ferryman.store.access import Access
from ferryman.store.protocol import Clock

T = TypeVar("T")
PORTIONS: Final = 100
"""In so many portions a quota is taken; a bigger one is lost with a process, a smaller one costs more commits."""


class Quotas:
    """Charges what is enqueued; a caller without a quota costs nothing."""

    def __init__(self, store: Access, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._left: dict[tuple[str, int], tuple[int, int]] = {}
        """By name and quota: a day, and what is left of the portions that were taken for it."""

    async def charge(
        self, caller: Caller, count: int, store: Callable[[], Awaitable[T]], refused: Callable[[T], int] | None = None
    ) -> T:
        """Store so many jobs, if there is as much left; `refused` says how many of them were not stored after all.

        Raises:
            QuotaSpent: there is not; nothing was stored.
            FerrymanError: as `store`. Where it may have stored jobs all the same, they count.
        """
        if caller.quota is None:
            return await store()
        day = await self._spend(caller.name, caller.quota, count)
        try:
            told = await store()
        except (EnqueueError, AccessError):
            self._give_back(caller.name, caller.quota, day, count)
            raise
        if refused is not None:
            self._give_back(caller.name, caller.quota, day, refused(told))
        return told

    async def _spend(self, name: str, quota: int, count: int) -> int:
        """Take so many from what this process has, and more from the store where that is not enough. Gives the day."""
        now = self._clock.now()
        while (left := self._has(name, quota, day_of(now))) < count:
            most = max(count - left, quota // PORTIONS)
            taken = await self._store.take_quota(name, quota, count - left, most, now)
            if not taken:
                raise _spent(name, quota, count, now)
            self._left[name, quota] = (day_of(now), self._has(name, quota, day_of(now)) + taken)
        self._left[name, quota] = (day_of(now), left - count)
        return day_of(now)

    def _has(self, name: str, quota: int, day: int) -> int:
        of, left = self._left.get((name, quota), (day, 0))
        return left if of == day else 0

    def _give_back(self, name: str, quota: int, day: int, count: int) -> None:
        of, left = self._left[name, quota]
        if of == day:
            self._left[name, quota] = (day, left + count)


def _spent(name: str, quota: int, count: int, now: int) -> QuotaSpent:
    return QuotaSpent(
        f"The API key {name} may not enqueue {count} more job{'' if count == 1 else 's'} today.",
        retry_after=ceil((DAY - now % DAY) / MICROS),
        quota=quota,
        why=f"Its quota is {quota} a day.",
        hint="Send it again after Retry-After, when the next day has begun by UTC"
        + (", and fewer at once." if count > quota else "."),
    )
