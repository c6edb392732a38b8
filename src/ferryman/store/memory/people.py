"""What people ask a memory store: to see jobs, to cancel them, to retry them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from ferryman.domain.audit import Deed
from ferryman.domain.filters import Field
from ferryman.domain.job import Attempt, Job, Lane, NewJob
from ferryman.domain.outcome import What
from ferryman.domain.state import INITIAL, RETRIABLE
from ferryman.store.journaling import PAGE, Position, Told
from ferryman.store.memory.auditing import Auditing
from ferryman.store.memory.rows import JobRow, as_read
from ferryman.store.memory.tables import Tables
from ferryman.store.protocol import CancelResult, Counts, Declaration, JobFilter, Page, Retention, RetryResult
from ferryman.store.searching import Search, led_to
from ferryman.store.watching import Version, check_version, version_of


class People(Auditing):
    """The verbs that people say, over the tables; `MemoryStore` adds the others."""

    def __init__(self, tables: Tables, retention: Retention) -> None:
        self._tables = tables
        self._retention = retention

    def _visible(self, id: str, now: int) -> JobRow | None:
        """The job, unless its retention has passed: then it is gone for people, pruned or not."""
        row = self._tables.jobs.get(id)
        return None if row is None or row.hidden(now, self._retention) else row

    def _expect(self, id: str, now: int, expected: Version | None) -> JobRow | None:
        """The job, if it is visible. Raises PreconditionFailed: it is not as expected."""
        row = self._visible(id, now)
        check_version(id, expected, None if row is None else version_of(as_read(row)))
        return row

    async def cancel(
        self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None
    ) -> CancelResult:
        """End a job that nobody runs; note the wish, once, for one that somebody does."""
        row = self._expect(id, now, expected)
        if row is None:
            return CancelResult(None)
        before = row.status
        if row.claim is not None:
            if row.cancel_asked is None:
                row.cancel_asked = now
                self._note(deed)
            return CancelResult(before, row.claim.node.info.id)
        if before in INITIAL:
            self._tables.end_unclaimed(row, now)
            self._note(deed)
        return CancelResult(before).having_let_in(self._tables.let_in(now))

    async def force_cancel(self, asked_before: int, now: int) -> int:
        """Cut the runs whose nodes did not act on a wish in time."""
        runs = [(self._tables.jobs[each], claim) for claim in self._tables.claims.values() for each in claim.runs]
        late = [(row, claim) for row, claim in runs if row.cancel_asked is not None and row.cancel_asked < asked_before]
        for row, claim in late:
            self._tables.cut(row, claim, What.CANCELLED, now)
        self._tables.let_in(now)
        return len(late)

    async def retry(
        self, id: str, now: int, run_at: int | None = None, *, deed: Deed | None = None, expected: Version | None = None
    ) -> RetryResult:
        """Start an ended job over, unless another live job took its unique key meanwhile."""
        row = self._expect(id, now, expected)
        if row is None:
            return RetryResult(None)
        before = row.status
        if before not in RETRIABLE:
            return RetryResult(before)
        holder = self._holder(row.job)
        if holder is None:
            self._tables.restart(row, now, run_at)
            self._tables.let_in(now)
            self._note(deed)
        return RetryResult(before, holder)

    async def get(self, id: str, now: int) -> Job | None:
        """One job as it is read."""
        return self._read(id, now)

    async def list(self, filter: JobFilter, now: int) -> Page:
        """Jobs that fit every part of the filter; ids sort as text. Those of other lanes are not even looked at."""
        search = Search(filter)
        rows = self._rows_in(filter.lanes(await self.lanes()))
        groups, led = filter.named(Field.GROUP), led_to(filter)
        ids = sorted((row.job.id for row in rows if row.has_failed_of(groups, led)), reverse=filter.newest_first)
        ahead = [id for id in ids if (id < search.after if filter.newest_first else id > search.after)]
        search.look(ahead, lambda id: self._read(id, now))
        return search.page()

    def _rows_in(self, lanes: Sequence[int] | None) -> Iterable[JobRow]:
        """All jobs, or those that stand in these lanes."""
        rows = self._tables.jobs.values()
        if lanes is None:
            return rows
        known = list(self._tables.ready)
        wanted = {known[number - 1] for number in lanes}
        return (row for row in rows if row.job.lane in wanted)

    def _read(self, id: str, now: int) -> Job | None:
        row = self._visible(id, now)
        return None if row is None else as_read(row)

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        """Versions of what is visible."""
        rows = [row for row in (self._visible(id, now) for id in ids) if row is not None]
        return {row.job.id: version_of(as_read(row)) for row in rows}

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """Every outcome of the job, cancels and retries by people included."""
        row = self._tables.jobs.get(id)
        return [] if row is None else [each.attempt for each in row.outcomes.values()]

    async def journal(self, after: Position | None, now: int, limit: int = PAGE) -> Told:
        """What has happened since a position."""
        return self._tables.journal.read(after, now, limit)

    async def counts(self, now: int) -> Counts:
        """What stands and was counted, and how long the oldest pending job of each queue has waited."""
        tables = self._tables
        oldest: dict[str, int] = {}
        for lane, rows in tables.ready.items():
            for row in islice(rows.values(), 1):
                # at least 0, whatever the clock does
                oldest[lane.queue] = max(oldest.get(lane.queue, 0), now - row.ready_at)
        return Counts(dict(tables.tallied()), oldest)

    async def lanes(self) -> Mapping[int, Lane]:
        """Lanes, numbered as they were made."""
        return dict(enumerate(self._tables.ready, start=1))

    async def known_types(self) -> Mapping[str, Declaration]:
        """Types, of dead nodes too."""
        return dict(self._tables.types)

    def _holder(self, job: NewJob) -> str | None:
        return None if job.unique_key is None else self._tables.unique.get((job.type, job.unique_key))
