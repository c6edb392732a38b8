"""Finds the jobs that a filter means: a page of them, or how many they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from ferryman.client.known import Asking
from ferryman.domain.filters import JobFilter
from ferryman.domain.job import Job
from ferryman.store.protocol import Clock, Page, Store

SLICE: Final = 5000
"""So many jobs that do not fit are looked at in one go: others who read wait no longer than that takes."""
PAGE: Final = 1000
"""Jobs that are counted in one go."""
CHANGED: Final = 500
"""Jobs that are changed in one commit."""


class Counted(msgspec.Struct, frozen=True):
    """How many jobs fit."""

    count: int
    complete: bool
    """Whether all jobs were looked at; else there may be more."""


class Finding:
    """Whoever asks through it finds out nothing about what is not shown."""

    def __init__(self, store: Store, clock: Clock, types: Asking) -> None:
        self._store = store
        self._clock = clock
        self._types = types

    async def list(self, filter: JobFilter) -> Page:
        """A page of jobs in the order of their ids."""
        asked: JobFilter = await self._without_secrets(filter)
        found: list[Job] = []
        looked_at = 0
        while True:
            left = filter.scan - (looked_at - len(found))
            asked = msgspec.structs.replace(asked, limit=filter.limit - len(found), scan=min(SLICE, left))
            page = await self._store.list(asked, self._clock.now())
            found += page
            looked_at += page.looked_at
            if page.next is None or len(found) >= filter.limit or looked_at - len(found) >= filter.scan:
                return Page(found, page.next, looked_at)
            asked = msgspec.structs.replace(asked, after=page.next)

    async def pages(self, filter: JobFilter, before: int | None) -> AsyncIterator[Sequence[Job]]:
        """Every job that fits and was made before, oldest first, without its bodies; none comes twice."""
        newest = self._clock.now() if before is None else before
        filter = msgspec.structs.replace(filter, limit=CHANGED, newest_first=False, bodies=False)
        while True:
            page = await self.list(filter)
            meant = [job for job in page if job.created_at <= newest]
            if meant:
                yield meant
            if page.next is None or (page and not meant):  # what follows was made later
                return
            filter = msgspec.structs.replace(filter, after=page.next)

    async def count(self, filter: JobFilter, before: int) -> Counted:
        """How many jobs fit and were made no later than a time, among the first `filter.scan` that are looked at."""
        count, left = 0, filter.scan
        asked: JobFilter = msgspec.structs.replace(filter, limit=PAGE, newest_first=False, bodies=False)
        while True:
            page = await self.list(msgspec.structs.replace(asked, limit=min(PAGE, left), scan=left))
            count += sum(job.created_at <= before for job in page)
            left -= page.looked_at
            if page.next is None or left <= 0:
                return Counted(count, page.next is None)
            asked = msgspec.structs.replace(asked, after=page.next)

    async def _without_secrets(self, filter: JobFilter) -> JobFilter:
        if not filter.looks_into_payloads():
            return filter
        return msgspec.structs.replace(filter, secrets=await self._types.all_secrets())
