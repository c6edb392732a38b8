"""Writes outcomes in batches: whatever has piled up while the last commit was in flight.

An outcome that is not written is a job that runs again, so the completer does not give up while the
node lives: a busy, full or failing store is asked again and again, while handlers go on running.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from msgspec.structs import replace

from ferryman.domain.errors import IllegalTransition, StoreError, StoreFailed
from ferryman.domain.events import Ended, Enqueued, Events, RunsEnded, WritesFenced
from ferryman.domain.job import ClaimedJob, JobError, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.engine.pause import Pause, backoff
from ferryman.engine.telling import tell
from ferryman.store.pile import Pile
from ferryman.store.protocol import Clock, FinishReport, Store, Wakeup

log: Final = logging.getLogger("ferryman.engine")

CAP: Final = 1000
"""Outcomes in one commit."""


async def _silence(_finishes: Sequence[Finish]) -> None:
    """Runs have nothing to say."""


class Completer:
    """Takes outcomes from workers, writes them for one node, and tells everybody once they are durable."""

    def __init__(
        self,
        store: Store,
        node: int,
        clock: Clock,
        wakeup: Wakeup,
        events: Events,
        on_written: Callable[[Sequence[Finish]], None],
        token: Callable[[], int],
        last: Callable[[Sequence[Finish]], Awaitable[None]] = _silence,
    ) -> None:
        """Make a completer.

        Args:
            on_written: hears of every run whose outcome, ours or another one, is in the store.
            token: gives each release its own, by which it knows its own write again.
            last: writes what runs have still to say; raises StoreError.
        """
        self._store = store
        self._node = node
        self._clock = clock
        self._wakeup = wakeup
        self._events = events
        self._on_written = on_written
        self._token = token
        self._last = last
        self._pile: Pile[Ended, None] = Pile(self._write, CAP)
        self._pause = Pause()
        self._giving_up = False
        self._unwritten = 0

    @property
    def backlog(self) -> int:
        """How many outcomes wait for the commit after the next."""
        return len(self._pile)

    def submit(self, job: ClaimedJob, outcome: Outcome, run: Run) -> None:
        """Hand over how a run ended; it is written with the next commit. Never waits."""
        self._pile.add(Ended(job, outcome, decide(job, outcome, run, self._clock.now())))

    def release(self, jobs: Sequence[ClaimedJob]) -> None:
        """Give back claims whose handlers never started."""
        for job in jobs:
            self.submit(job, Outcome(What.RELEASED), Run(self._token()))

    def too_late(self, job: ClaimedJob, outcome: Outcome, run: Run) -> None:
        """A handler ended whose run was given up before; what it did counts for nothing, but is counted."""
        tell(self._events, WritesFenced([Ended(job, outcome, decide(job, outcome, run, self._clock.now()))]))

    async def stop(self, patience: float) -> int:
        """Write what there is, for about `patience` seconds; gives how many outcomes could not be written.

        Their jobs stay claimed until this node is found dead; then they run again.
        """
        flushing = asyncio.ensure_future(self._pile.flush())
        await asyncio.wait((flushing,), timeout=patience)
        if not flushing.done():
            self._giving_up = True
            self._pause.cut()
        await flushing
        return self._unwritten

    # -- writing ---------------------------------------------------------------------------------

    async def _write(self, group: list[Ended]) -> Sequence[None]:
        try:
            report = await self._finish([ended.finish for ended in group])
        except Exception as error:
            if len(group) > 1:
                for ended in group:  # so that the one that the store cannot take fails alone
                    await self._write([ended])
            else:
                await self._write_instead(group[0], error)
        else:
            # soon, not now: the next commit is to be under way while everybody is told about this one
            asyncio.get_running_loop().call_soon(self._after, group, report)
        return [None] * len(group)

    async def _finish(self, finishes: list[Finish]) -> FinishReport | None:
        """Write, however often the store fails; None where the node could not wait any longer.

        A write whose reply was lost is simply written again: each run knows its own by its token.

        Raises:
            Exception: not the store's trouble, but something in an outcome that it cannot take.
        """
        failures = 0
        while True:
            try:
                await self._last(finishes)
                return await self._store.finish(self._node, finishes, self._clock.now())
            except IllegalTransition:
                raise
            except StoreError as error:
                failures += 1
                if self._giving_up:
                    self._unwritten += len(finishes)
                    return None
                _warn(error, failures, len(finishes))
                await self._pause.wait(backoff(failures))

    async def _write_instead(self, ended: Ended, error: Exception) -> None:
        """The store cannot take this outcome: the job ends failed, with the reason."""
        log.error("The store refused the outcome of job %s.", ended.job.id, exc_info=error, extra=_fields(ended))
        told = JobError(StoreFailed.code, type(error).__name__, "The store refused the outcome of the run.")
        outcome = Outcome(What.FAILED, error=told, retryable=False)
        run = Run(ended.finish.token, ended.finish.worker, ended.finish.started_at)
        failed = Ended(ended.job, outcome, decide(ended.job, outcome, run, ended.finish.finished_at))
        try:
            report = await self._finish([failed.finish])
        except Exception:
            self._unwritten += 1
            log.exception("Job %s stays claimed until this node ends.", ended.job.id, extra=_fields(ended))
        else:
            self._after([failed], report)

    # -- once it is durable ----------------------------------------------------------------------

    def _after(self, group: list[Ended], report: FinishReport | None) -> None:
        if report is None:
            return
        self._on_written([ended.finish for ended in group])
        if report.fenced or report.cancelled:
            group, fenced = _sorted_out(group, report)
            if fenced:
                tell(self._events, WritesFenced(fenced))
        if group:
            tell(self._events, RunsEnded(group))
        follow_ups = [job for ended in group for job in ended.finish.follow_ups]
        if follow_ups:
            self._announce([job for job in follow_ups if job.id not in report.superseded])
        if report.readied:
            self._wakeup.work()
        if report.scheduled is not None:
            self._wakeup.scheduled(report.scheduled)

    def _announce(self, follow_ups: Sequence[NewJob]) -> None:
        """Say that follow-ups are stored. A report that is told again, after a lost reply or a transaction of the
        handler's own, does not say so any more, so it is not asked."""
        now = self._clock.now()
        for (type, queue), count in Counter([(job.type, job.queue) for job in follow_ups]).items():
            tell(self._events, Enqueued(type, queue, count))
        due = [job.run_at for job in follow_ups if job.run_at is not None and job.run_at > now]
        if len(due) < len(follow_ups):
            self._wakeup.work()
        if due:
            self._wakeup.scheduled(min(due))


def _sorted_out(group: list[Ended], report: FinishReport) -> tuple[list[Ended], list[Ended]]:
    """(runs as they were written, fenced ones)."""
    written: list[Ended] = []
    fenced: list[Ended] = []
    for ended in group:
        finish = ended.finish
        if (finish.id, finish.number) in report.fenced:
            fenced.append(ended)
        elif finish.id in report.cancelled:
            finish = replace(finish, what=What.CANCELLED, status=Status.CANCELLED, run_at=None)
            written.append(Ended(ended.job, Outcome(What.CANCELLED), finish))
        else:
            written.append(ended)
    return written, fenced


def _warn(error: StoreError, failures: int, count: int) -> None:
    """Say so at the 1st, 2nd, 4th, 8th ... failure in a row."""
    if failures & (failures - 1) == 0:
        log.warning(
            "%d outcomes could not be written (%d times): %s", count, failures, error, extra={"event": "finish_failed"}
        )


def _fields(ended: Ended) -> dict[str, object]:
    return {"event": "outcome_refused", "job_id": ended.job.id, "type": ended.job.type}
