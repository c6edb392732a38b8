"""Carries operations out, one portion after the other.

Every node does so: of two that are at one portion the store lets one win (see `store.bulk`). So that they rarely are,
who sees that an operation has moved on since its own last look leaves it to whoever moves it, for a while.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ferryman.domain.bulk import BulkAction, BulkStatus
from ferryman.domain.errors import FerrymanError, InternalError, StoreError
from ferryman.domain.events import Events, JobCancelledByRequest, JobRetriedByRequest
from ferryman.domain.job import Job
from ferryman.domain.state import Status
from ferryman.engine.telling import tell
from ferryman.store.bulk import Advanced, BulkOperation, Portion
from ferryman.store.protocol import Clock, Page, Store, Wakeup

log: Final = logging.getLogger("ferryman.engine")

LOOK: Final = 1.0
"""Seconds between two looks for operations that others have started, and for which one is left to who moves it."""
AT_ONCE: Final = 100
"""How many are carried out in turns; others wait until one of these has ended."""
_LEFT: Final = -1.0


class Operate:
    """The next portion of one operation after the other; each has its turn."""

    def __init__(self, store: Store, clock: Clock, wakeup: Wakeup, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._wakeup = wakeup
        self._events = events
        self._known: dict[str, tuple[int, float]] = {}
        """Of each operation the step at which it was seen last, and up to when it is left to others."""
        self._last = ""
        """The one that had its turn last."""

    async def step(self) -> float:
        """One portion; due again after as long as it took, so that half of the time is left to others."""
        began = self._clock.monotonic()
        running = await self._store.running_operations(AT_ONCE)
        self._known = {each.id: self._seen(each, began) for each in running}
        free = [each for each in running if self._known[each.id][1] <= began]
        if not free:
            return LOOK
        operation = min(free, key=lambda each: (each.id <= self._last, each.id))
        self._last = operation.id
        await self._carry_on(operation)
        return min(LOOK, self._clock.monotonic() - began)

    def _seen(self, operation: BulkOperation, now: float) -> tuple[int, float]:
        """What is to be known of an operation: one that has moved without us is left to others for a while."""
        step, until = self._known.get(operation.id, (operation.step, _LEFT))
        return (step, until) if step == operation.step else (operation.step, now + LOOK)

    async def _carry_on(self, operation: BulkOperation) -> None:
        """Do the next portion of an operation; one that cannot be carried out ends. Raises StoreError."""
        try:
            page = await self._look(operation)
            portion = operation.portion(page, self._clock.now())
        except StoreError:
            raise
        except Exception as error:
            page, portion = None, Portion(error=self._told(operation, error))
        advanced = await self._store.advance(operation, portion, self._clock.now())
        if advanced is None:  # somebody else was faster, or has stopped it
            self._known[operation.id] = (operation.step, self._clock.monotonic() + LOOK)
            return
        self._known[operation.id] = (advanced.operation.step, _LEFT)
        self._tell(advanced, page or ())
        if advanced.operation.status is not BulkStatus.RUNNING:
            self._log(advanced.operation)

    async def _look(self, operation: BulkOperation) -> Page:
        """The jobs of its next portion; nobody finds out anything about what is not shown."""
        asked = operation.search()
        if asked.looks_into_payloads():
            types = await self._store.known_types()
            asked = replace(asked, secrets={type: each.secrets for type, each in types.items() if each.secrets})
        return await self._store.list(asked, self._clock.now())

    def _told(self, operation: BulkOperation, error: Exception) -> str:
        """Why an operation cannot be carried out."""
        if isinstance(error, FerrymanError):
            return str(error)
        log.error("The operation %s broke.", operation.id, exc_info=error, extra={"event": "operation_broke"})
        return str(InternalError("Something in Ferryman broke over it.", hint="The log of the node has the traceback."))

    def _tell(self, advanced: Advanced, jobs: Sequence[Job]) -> None:
        """Say what was done to whoever listens, here and in other processes."""
        if not advanced.changed:
            return
        changed = set(advanced.changed)
        wish = advanced.operation.wish
        for job in jobs:
            if job.id in changed and wish.action is BulkAction.RETRY:
                tell(self._events, JobRetriedByRequest(job.id, job.type, job.queue))
            elif job.id in changed and wish.action is BulkAction.CANCEL:
                running = job.status is Status.PROCESSING
                tell(self._events, JobCancelledByRequest(job.id, job.type, job.queue, running))
                if running:
                    self._wakeup.cancelled(job.node)
        self._wakeup.work()
        if wish.rate is not None or (wish.placement is not None and wish.placement.run_at is not None):
            self._wakeup.scheduled(self._clock.now())  # a promote finds out what is due, and when to look again

    def _log(self, ended: BulkOperation) -> None:
        fields = {"event": "operation_ended", "operation": ended.id, "status": ended.status.value}
        told = "The operation %s (%s) is %s: %d changed, %d skipped, of %d examined."
        counts = (ended.changed, ended.skipped, ended.examined)
        log.info(told, ended.id, ended.wish.action, ended.status, *counts, extra=fields)
