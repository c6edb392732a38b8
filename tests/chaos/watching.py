"""What a watched store notes: what its node asks and is answered, whichever store it is, and where a process dies."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import StoreError
from ferryman.domain.job import NewJob
from ferryman.domain.outcome import Finish
from ferryman.store.protocol import FinishReport, Inserted, NodeInfo, Rescued
from ferryman.store.sqlite import SqliteStore
from ferryman.testing.history.entries import (
    Claimed,
    ClaimedRun,
    Claiming,
    Faulted,
    Registered,
    Released,
    Replied,
    Writing,
    WrittenRun,
    Wrote,
)
from ferryman.testing.history.entries import Rescued as RescuedEntry
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.triggers import Triggers

# the verbs are those of every store; a type checker is told of one
if TYPE_CHECKING:
    Verbs = SqliteStore
else:
    Verbs = object


class Watched(Verbs):
    """To be mixed into a store: the same verbs with the same answers. What takes effect is noted when its answer is
    read."""

    def __init__(self, *args: Any, journal: Journal, triggers: Triggers, **parts: Any) -> None:
        super().__init__(*args, **parts)
        self._journal = journal
        self._triggers = triggers
        self._calls = itertools.count(time.monotonic_ns())  # no other process begins at the same nanosecond

    async def insert(
        self,
        jobs: Sequence[NewJob],
        now: int,
        *,
        claim: ClaimRequest | None = None,
        max_pending: Bound = 0,
        deed: Deed | None = None,
    ) -> Inserted:
        asked_at = time.monotonic()
        self._triggers.reach("insert asked")
        inserted = await super().insert(jobs, now, claim=claim, max_pending=max_pending, deed=deed)
        if claim is not None and inserted.batch is not None:
            self._note_claim(asked_at, claim, inserted.batch)
        self._triggers.reach("insert done")
        return inserted

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        asked_at = time.monotonic()
        batch = await super().claim(request, now)
        self._note_claim(asked_at, request, batch)
        return batch

    def _note_claim(self, asked_at: float, request: ClaimRequest, batch: Batch) -> None:
        """A claim that gave nothing leaves no trace; whether it will is known only now."""
        if not batch.jobs:
            return
        call, node, note = next(self._calls), request.node, self._journal.note
        note(Claiming, at=asked_at, call=call, node=node, batch=request.batch, idle=request.idle)
        runs = [ClaimedRun(job.id, job.number, job.attempt, job.max_attempts, job.crashes) for job in batch.jobs]
        note(Claimed, call=call, node=node, batch=batch.id, runs=runs, claimed_at=batch.claimed_at)
        self._triggers.reach("claim done")
        note(Replied, call=call)

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        call, note = next(self._calls), self._journal.note
        runs = [WrittenRun(each.id, each.number, each.what.value, each.status.value, each.token) for each in finishes]
        note(Writing, call=call, node=node, runs=runs)
        self._triggers.reach("finish asked")
        report = await super().finish(node, finishes, now)
        note(Wrote, call=call, node=node, fenced=sorted(report.fenced), cancelled=sorted(report.cancelled))
        self._triggers.reach("finish done")
        note(Replied, call=call)
        return report

    async def release(self, node: int, batch: int, now: int) -> int:
        count = await super().release(node, batch, now)
        if count:
            self._journal.note(Released, node=node, batch=batch, count=count)
        return count

    async def register(self, node: NodeInfo, now: int) -> int:
        number = await super().register(node, now)
        self._journal.note(Registered, node=node.id, number=number)
        self._triggers.reach("node registered")
        return number

    def beat(self, node: int) -> bool:
        try:
            return super().beat(node)
        except StoreError:
            self._journal.note(Faulted, by=NEMESIS, process=self._journal.name, verb="beat", kind="before")
            raise

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        rescued = await super().rescue(now, lease)
        for each in rescued:
            self._journal.note(RescuedEntry, node=each.node, count=each.count)
        return rescued
