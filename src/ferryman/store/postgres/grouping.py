"""Error groups, in a database."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.store.grouping import FAILED_MOST, ErrorGroup, GroupFilter, Seen, first_hour, summed
from ferryman.store.postgres import lanes
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.sampling import Sampling
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import Retention


class Grouping(Sampling):
    """Implements `store.grouping.Grouping`."""

    _lanes: Lanes
    _retention: Retention

    async def error_groups(self, asked: GroupFilter, now: int) -> Sequence[ErrorGroup]:
        """See `Grouping.error_groups`."""
        return await self._people.read(_page(self._lanes, asked, now, self._retention))


def _page(known: Lanes, asked: GroupFilter, now: int, keep: Retention) -> Steps[list[ErrorGroup]]:
    yield from lanes.read(known)
    numbers = asked.lanes(known.by_number)
    ids = (yield from _ids(asked, numbers)) if asked.id is None else [asked.id]
    if not ids:
        return []
    failures = yield Ask("group_failures", (ids, numbers, now - keep.failed, FAILED_MOST))
    seen = yield Ask("seen", (ids, numbers))
    hours = yield Ask("seen_hours", (ids, numbers, first_hour(now)))
    return summed(
        ids,
        [Seen(*row) for row in seen],
        [(row[0], row[1], row[2]) for row in hours],
        {row[0]: (row[1], row[2]) for row in failures},
        known.by_number,
        now,
    )


def _ids(asked: GroupFilter, lanes: list[int] | None) -> Steps[list[str]]:
    """The ids of the groups of a page."""
    rows = yield Ask("group_page", (*asked.last, asked.start or 0, lanes, asked.limit))
    return [row[1] for row in rows]
