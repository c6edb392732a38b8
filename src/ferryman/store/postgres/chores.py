"""The sweeper's steps in the store: promote, expire, prune."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ferryman.domain.bulk import KEPT as OPERATIONS_KEPT
from ferryman.domain.errors import JobExpired
from ferryman.domain.job import MICROS, JobError
from ferryman.store.postgres import auditing, sightings
from ferryman.store.postgres.cursor import FIRST_ID
from ferryman.store.postgres.folding import Folder
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.people import end_waiting, keys_of
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import NODES_SHOWN, Promoted, Retention

EXPIRED: Final = JobError(JobExpired.code, "JobExpired", "The job was not started before its expires_at.")
BEHIND: Final = 60 * MICROS
"""How far behind its last step a promote looks, in microseconds: a commit may come that late."""
FULL_SECONDS: Final = 10.0
"""How often a promote looks at everything, and folds tallies and sightings."""
FOLD: Final = 50_000
"""Rows of each that one step folds."""


class Promoter:
    """Makes due jobs pending. It remembers how far it has come, because behind it lie the dead rows of what it has
    promoted; a full look now and then finds what was committed very late."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._from = 0
        self._full_at = -FULL_SECONDS

    def step(self, now: int, limit: int) -> Steps[tuple[Promoted, Sequence[str]]]:
        """One batch, in the order in which they are due; and the keys before whose gates some of them stand."""
        moment = self._monotonic()
        if moment - self._full_at >= FULL_SECONDS:
            self._from, self._full_at = 0, moment
            yield Ask("fold_tallies", (FOLD,))
            yield Ask("fold_gone", (FOLD,))
            yield Ask("fold_sightings", (FOLD,))
        ((count, following, keys),) = yield Ask("promote", (now, limit, self._from))
        if count < limit:
            self._from = max(0, now - BEHIND)
        return Promoted(count, following), keys


def expire(lanes: Lanes, now: int, limit: int) -> Steps[tuple[int, Sequence[str]]]:
    """Cancel what waited past its expires_at. A job that is running is the worker's to judge. In a transaction.

    Returns:
        How many, and the keys whose gates may have room by that.
    """
    ids = [row[0] for row in (yield Ask("expired", (now, limit)))]
    if not ids:
        return 0, ()
    ended = yield from end_waiting(lanes, ids, now, EXPIRED)
    if len(ended) < len(ids):
        # one that was promoted while we waited for its row stands elsewhere now
        gone = {job.id for job in ended}
        ended += yield from end_waiting(lanes, [id for id in ids if id not in gone], now, EXPIRED)
    yield Ask("drop_expiries", (ids, now))
    return len(ended), keys_of(ended)


class Pruner:
    """Deletes what retention no longer keeps, walking over the jobs in the order of their ids.

    The walk starts again from the oldest job when it has reached those too young to be due.
    """

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._after = FIRST_ID
        self._series = Folder()

    @property
    def youngest(self) -> int:
        """No job that ended more recently than so many microseconds ago is deleted."""
        keep = self._retention
        return min(keep.completed, keep.failed, keep.cancelled)

    @property
    def walking(self) -> bool:
        """Whether the walk has begun and not come to its end."""
        return self._after != FIRST_ID

    def step(self, now: int, limit: int) -> Steps[int]:
        """Look at the next `limit` jobs, in a transaction. Returns how many were deleted."""
        keep = self._retention
        ended = (now - keep.completed, now - keep.failed, now - keep.cancelled)
        rows = yield Ask("prunable", (self._after, limit, id_horizon(now - self.youngest), *ended))
        count = yield from _delete([id for id, due in rows if due], ended)
        yield Ask("prune_keys", (now, limit))
        yield Ask("prune_nodes", (now - max(keep.completed, keep.failed, keep.cancelled, NODES_SHOWN),))
        yield auditing.forget(now, limit)
        yield from self._series.step(now)
        yield from sightings.forget(now, limit)
        yield Ask("prune_operations", (now - OPERATIONS_KEPT,))
        self._after = rows[-1][0] if len(rows) == limit else FIRST_ID
        return count


def _delete(due: list[str], ended: tuple[int, int, int]) -> Steps[int]:
    """Delete these jobs, but for those that somebody has sent back since we looked."""
    if not due:
        return 0
    locked = [row[0] for row in (yield Ask("lock_jobs", (due,)))]
    ((count,),) = yield Ask("prune_jobs", (locked, *ended))
    return int(count)


def id_horizon(time: int) -> str:
    """The id that sorts after every UUIDv7 minted before `time`, and before every later one."""
    stamp = f"{max(0, time // 1000) + 1:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-0000-0000-000000000000"
