"""Writes what runs say of themselves: whatever has piled up, for all runs of a node at once.

While handlers run it does so at most once a second, and not at all while nobody says anything. The last words of a
run are written before its outcome, on the completer's demand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context as Variables
from typing import Final

from ferryman.domain.errors import SchemaMissing, StoreError, StoreFailed
from ferryman.domain.events import Events, ReportsFenced
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish
from ferryman.domain.report import Report
from ferryman.engine.endings import Hide
from ferryman.engine.notebook import Notebook
from ferryman.engine.pause import Pause
from ferryman.engine.telling import tell
from ferryman.store.protocol import Clock, Store

PERIOD: Final = 1.0
"""Seconds from one write to the next."""

_FOR_GOOD: Final = (StoreFailed, SchemaMissing)
"""What a store says that may not write this, such as one whose tables of reports nobody has granted."""

log: Final = logging.getLogger("ferryman.engine")


class Scribe:
    """One for each life of a node. All of it but the notebook belongs to the event loop."""

    def __init__(
        self, store: Store, node: int, clock: Clock, events: Events, hiding: Callable[[ClaimedJob], Hide]
    ) -> None:
        """`hiding` gives what takes the secrets of a job out of texts."""
        self.notebook = Notebook(clock, hiding, self._wake)
        self._store = store
        self._node = node
        self._clock = clock
        self._events = events
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        """One write at a time, so that an older progress never comes after a newer one."""
        self._pause = Pause()
        self._due = 0.0
        self._failures = 0
        self._stopping = False

    async def start(self) -> None:
        """From now on, write when there is something."""
        self._loop = asyncio.get_running_loop()

    async def stop(self) -> None:
        """Write no more by itself."""
        self._stopping = True
        self._pause.cut()
        if self._writing is not None:
            await asyncio.wait((self._writing,))

    async def step(self) -> None:
        """Write what is new of all runs. Raises StoreError: it is new as before."""
        async with self._turn:
            await self._write(self.notebook.news())

    async def last(self, finishes: Sequence[Finish]) -> None:
        """Write what is left of runs that end, and listen to them no more.

        Raises:
            StoreError: say it again. Not where another try would find the same: then it is lost.
        """
        if not self.notebook:
            return
        async with self._turn:
            reports = self.notebook.last(finishes)
            try:
                await self._write(reports)
            except _FOR_GOOD:
                _refused(reports)
        self.notebook.close([(each.id, each.number) for each in finishes])

    def _wake(self) -> None:
        """From any thread; after the loop's end nobody writes any more."""
        if self._loop is not None:
            with suppress(RuntimeError):
                # in no run's context: what is logged while writing is not what a run says
                self._loop.call_soon_threadsafe(self._begin, context=Variables())

    def _begin(self) -> None:
        if self._writing is None and not self._stopping:
            self._writing = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            while self.notebook.has_news and not self._stopping:
                left = self._due - self._clock.monotonic()
                if left > 0:
                    await self._pause.wait(left)
                    continue
                self._due = self._clock.monotonic() + PERIOD
                await self._try()
        finally:
            self._writing = None

    async def _try(self) -> None:
        try:
            await self.step()
        except StoreError as error:
            self._failures += 1
            if self._failures & (self._failures - 1) == 0:  # the 1st, 2nd, 4th, 8th ... in a row
                log.warning("What runs say could not be written: %s", error, extra={"event": "report_failed"})
        else:
            self._failures = 0

    async def _write(self, reports: Sequence[Report]) -> None:
        if not reports:
            return
        try:
            fenced = await self._store.report(self._node, reports)
        except StoreError:
            self.notebook.kept(reports)
            raise
        except Exception:
            _refused(reports)
            fenced = frozenset[tuple[str, int]]()
        outdated = self.notebook.outdated(reports, fenced)
        self.notebook.kept(outdated)
        again = {(each.id, each.number) for each in outdated}
        self.notebook.written([each for each in reports if (each.id, each.number) not in again])
        if fenced - again:
            tell(self._events, ReportsFenced(self.notebook.close(fenced - again)))


def _refused(reports: Sequence[Report]) -> None:
    """Called while an error is handled: nothing that a run says is worth its outcome."""
    log.exception("The store refused what %d runs say.", len(reports), extra={"event": "report_refused"})
