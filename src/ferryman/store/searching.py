"""One look for jobs that fit a filter: which ids to look at next, which jobs fitted, where the page ends.

Places say where jobs of a status and a lane can lie, and an index which have failed of an error group; what else a
filter asks for is judged job by job. As few may fit, a page ends after so many that do not, and says where to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from ferryman.domain.filters import JobFilter
from ferryman.domain.job import LEFT_OUT, Job
from ferryman.domain.state import Status
from ferryman.store.records import Page

STRIDE: Final = 1000
"""Ids that are looked at in one go, at most, where jobs have to be read before they are judged."""
FIRST_STRIDE: Final = 100
LOAD: Final = 4 * 1024 * 1024
"""Characters of payloads that are read and judged in one go, about: fewer jobs at a time where these are large, as they
are all in memory at once and others wait meanwhile."""
_LED_TO: Final = ("failed", "scheduled", "pending", "cancelled")
"""Where a failed attempt can lead."""


def led_to(filter: JobFilter) -> list[str]:
    """The statuses to which those failures led by which jobs of error groups are found.

    A job that stands failed does so by its last failure, so the others need not be looked at; in any other status it
    may have come to be in several ways.
    """
    return [Status.FAILED.value] if filter.possible() == frozenset({Status.FAILED}) else list(_LED_TO)


class Search:
    """The page of one filter while it is made."""

    def __init__(self, filter: JobFilter, first: str = "", last: str = "~") -> None:
        """`first` and `last` sort before and after every id."""
        low, high = filter.ids()
        self._backwards = filter.newest_first
        self._limit = filter.limit
        self._left = filter.scan
        self._reads = filter.reads()
        self._bodies = filter.bodies
        self.step = FIRST_STRIDE if self._reads else filter.limit
        """How many ids to look at in one go."""
        self._fits = filter.judge()
        self._found: list[Job] = []
        self._looked_at = 0
        self._next: str | None = None
        self._ended = filter.limit < 1 or not filter.possible()
        if self._backwards:
            self.after = min(high or last, filter.after or last)
            self._bound = low or first
        else:
            self.after = max(low or first, filter.after or first)
            self._bound = high or last

    def goes_on(self) -> bool:
        """Whether more ids are to be looked at: `step` of those after `after`."""
        return not self._ended

    def look(self, ids: Sequence[str], read: Callable[[str], Job | None]) -> None:
        """Look at the next ids, in their order; `read` gives the job of one, None where it cannot be seen."""
        load = 0
        for id in ids:
            if self._is_beyond(id):
                self._ended = True
            if self._ended:
                return
            job = read(id)
            self._judge(id, job)
            load += 0 if job is None else len(job.payload)
        if len(ids) < self.step:
            self._ended = True
            return
        self.after = ids[-1]
        if self._reads:
            self.step = max(1, min(STRIDE, 2 * self.step, self.step * LOAD // max(1, load)))

    def page(self) -> Page:
        """What was found."""
        return Page(self._found, self._next, self._looked_at)

    def _is_beyond(self, id: str) -> bool:
        return id <= self._bound if self._backwards else id >= self._bound

    def _judge(self, id: str, job: Job | None) -> None:
        self._looked_at += 1
        if job is not None and self._fits(job):
            self._found.append(job if self._bodies else _without_bodies(job))
        else:
            self._left -= 1
        if len(self._found) == self._limit or self._left <= 0:
            self._next, self._ended = id, True


def _without_bodies(job: Job) -> Job:
    return msgspec.structs.replace(job, payload=LEFT_OUT, result=None)
