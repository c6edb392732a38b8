"""Operations in a store: a change of every job that a filter means, carried out portion by portion.

    cursor ----+------------------------+----> ids
               |  portion: looked at,   |
               |  changed where it fits |
    advance:   step as read -> step + 1, cursor, counts; and these jobs: all in one commit, or nothing

**The hazard.** A job that an operation has retried may fail again, and fits the filter again. Whoever retried it once
more would do so for ever; and whoever said a portion twice, since an answer was lost or another node was at it, too,
would retry what has failed again in the meantime. So each job is visited at most once, in the order of the ids, and
`advance` compares: it changes these jobs only if the row stands at the step at which it was read, and moves it on in
the very commit that changes them. Of those who say a portion of one step, one wins, and the others have changed
nothing. Whoever got no answer reads the row again, and goes on from where it stands: so nobody needs to know whether
a portion was written, and no lease says who may act.

Between the look for jobs and the portion a job may change; so each is judged anew by its version in the same commit,
and one that has another one is skipped. (On PostgreSQL a job that waits may still be claimed, run and come back between
that look and the grasp: it is changed then, as if the operation had come a moment later.)

Jobs that are made after the operation was started, by the time in their ids, are none of its business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from ferryman.domain import filters
from ferryman.domain.audit import MANY, Deed
from ferryman.domain.bulk import DEEDS, BulkAction, BulkStatus, meant
from ferryman.domain.filters import JobFilter, Span
from ferryman.domain.job import MICROS
from ferryman.domain.options import MAX_DELAY
from ferryman.store.controlling import Placement
from ferryman.store.records import Page
from ferryman.store.watching import Version, version_of

PORTION: Final = 200
"""Jobs that are changed in one commit, so that none is long."""
SLICE: Final = 5000
"""Jobs that do not fit and are looked at for one portion: so often progress is told, and others have their turn."""
_MILLISECOND: Final = MICROS // 1000
"""The time in an id is no finer."""


class Wish(msgspec.Struct, frozen=True):
    """What somebody has asked for."""

    action: BulkAction
    filter: str
    """As it was written; ages in it count from `created_at`."""
    by: str
    """The actor."""
    created_at: int
    queues: tuple[str, ...] | None = None
    """Only jobs in these, since whoever asked is limited to them; None is all."""
    placement: Placement | None = None
    """What is to be changed."""
    rate: float | None = None
    """So many a second become pending, by their run_at; None is all at once."""


class BulkOperation(msgspec.Struct, frozen=True):
    """An operation as a store keeps it."""

    id: str
    wish: Wish
    status: BulkStatus = BulkStatus.RUNNING
    step: int = 0
    """Grows with every portion."""
    cursor: str | None = None
    """The id of the last job that was looked at."""
    next_at: int | None = None
    """With a rate: before this time no further job is to become pending."""
    examined: int = 0
    """How many jobs were looked at."""
    changed: int = 0
    skipped: int = 0
    """How many fitted, and could not be changed."""
    finished_at: int | None = None
    error: str | None = None
    """Why it has failed."""

    def search(self) -> JobFilter:
        """The jobs of the next portion. Raises BadFilter, BadOption."""
        wish = self.wish
        made = Span(end=(wish.created_at // _MILLISECOND + 1) * _MILLISECOND)
        asked = meant(wish.action, filters.parse(wish.filter, wish.created_at))
        return replace(
            asked,
            queues=frozenset(wish.queues or ()),
            created=asked.created.within(made),
            after=self.cursor,
            limit=PORTION,
            scan=SLICE,
            bodies=False,
        )

    def portion(self, page: Page, now: int) -> Portion:
        """What a search has found, as it is to be changed."""
        at, next_at = self._paced(len(page), now)
        picks = [Pick(job.id, version_of(job), run_at) for job, run_at in zip(page, at, strict=True)]
        return Portion(picks, page.looked_at, page.next, next_at)

    def _paced(self, count: int, now: int) -> tuple[Sequence[int | None], int | None]:
        """When each of so many jobs is to run, and the `next_at` thereafter.

        What was missed while no node carried the operation out is not made up for: the rate holds at all times.
        """
        rate = self.wish.rate
        if rate is None:
            return [None] * count, None
        first, last = max(now, self.next_at or now), self.wish.created_at + MAX_DELAY * MICROS
        at = [min(first + round(n / rate * MICROS), last) for n in range(count + 1)]
        return at[:count], at[count]


class Pick(msgspec.Struct, frozen=True, gc=False):
    """A job that is to be changed, as it was when it was found to fit."""

    id: str
    version: Version
    run_at: int | None = None


class Portion(msgspec.Struct, frozen=True):
    """One step of an operation."""

    picks: Sequence[Pick] = ()
    examined: int = 0
    cursor: str | None = None
    """None: there are no further jobs, and the operation ends."""
    next_at: int | None = None
    error: str | None = None
    """Why it cannot be carried out, which ends it."""


class Advanced(msgspec.Struct, frozen=True):
    """What a portion has done: the operation thereafter, and the ids of the jobs that were changed."""

    operation: BulkOperation
    changed: Sequence[str]


class Bulk(Protocol):
    """What a store does for operations; a part of `Store`."""

    async def add_operation(self, operation: BulkOperation, *, deed: Deed | None = None) -> None:
        """Begin an operation. Said again, it changes nothing."""

    async def operation(self, id: str) -> BulkOperation | None:
        """One operation; None if there is none, or it ended more than `domain.bulk.KEPT` ago."""
        ...

    async def operations(self, before: str | None, limit: int) -> Sequence[BulkOperation]:
        """A page of them, the newest first; `before` is the id after which it starts."""
        ...

    async def running_operations(self, limit: int) -> Sequence[BulkOperation]:
        """Those that are to be carried out, the oldest first."""
        ...

    async def advance(self, operation: BulkOperation, portion: Portion, now: int) -> Advanced | None:
        """Do one portion: change its jobs and move the row on, in one commit, with a deed over the jobs changed.

        Args:
            operation: as it was read. Only its id and its step count: all else is taken from the row.
            portion: what was found from its cursor on.
            now: the time.

        Returns:
            None where it does not run any more, or stands at another step: nothing was changed.
        """
        ...

    async def cancel_operation(self, id: str, now: int, *, deed: Deed | None = None) -> BulkStatus | None:
        """Stop an operation: once this returns, it changes nothing more. Gives the status in which it was met."""
        ...


# -- what the verbs make of a row --------------------------------------------------------------------


def fresh(portion: Portion, versions: Mapping[str, Version]) -> Sequence[Pick]:
    """The jobs of a portion that are still as they were when they were found to fit."""
    return [pick for pick in portion.picks if versions.get(pick.id) == pick.version]


def after_portion(kept: BulkOperation, portion: Portion, changed: int, now: int) -> BulkOperation:
    """The operation once a portion was done."""
    ended = portion.cursor is None
    status = BulkStatus.FAILED if portion.error is not None else BulkStatus.COMPLETED
    return replace(
        kept,
        status=status if ended else kept.status,
        step=kept.step + 1,
        cursor=kept.cursor if ended else portion.cursor,
        next_at=portion.next_at,
        examined=kept.examined + portion.examined,
        changed=kept.changed + changed,
        skipped=kept.skipped + len(portion.picks) - changed,
        finished_at=now if ended else None,
        error=portion.error,
    )


def after_cancel(kept: BulkOperation, now: int) -> BulkOperation:
    """A running operation once somebody has stopped it."""
    return replace(kept, status=BulkStatus.CANCELLED, step=kept.step + 1, finished_at=now)


def deed_of(kept: BulkOperation, now: int) -> Deed:
    """What is written down of the jobs that a portion changes: whoever started the operation has done it."""
    return Deed(now, kept.wish.by, DEEDS[kept.wish.action], MANY, {"operation": kept.id})


# -- rows, where a store keeps texts and numbers -----------------------------------------------------

Columns = tuple[str, str, str, int, str | None, int | None, int, int, int, int | None, str | None]
"""id, spec, status, step, cursor, next_at, examined, changed, skipped, finished_at, error"""
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Wish).decode


def columns_of(kept: BulkOperation) -> Columns:
    """An operation as the columns of its row; what was asked for is JSON."""
    return (
        kept.id,
        _encode(kept.wish).decode(),
        kept.status.value,
        kept.step,
        kept.cursor,
        kept.next_at,
        kept.examined,
        kept.changed,
        kept.skipped,
        kept.finished_at,
        kept.error,
    )


def kept_of(row: Sequence[Any]) -> BulkOperation:
    """The operation of a row."""
    id, spec, status, step, cursor, next_at, examined, changed, skipped, finished_at, error = row
    return BulkOperation(
        id=id,
        wish=_decode(spec),
        status=BulkStatus(status),
        step=step,
        cursor=cursor,
        next_at=next_at,
        examined=examined,
        changed=changed,
        skipped=skipped,
        finished_at=finished_at,
        error=error,
    )
