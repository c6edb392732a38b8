"""What people and the engine read; none of it takes the write lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.domain.claim import OpenBatch
from ferryman.domain.job import Attempt, Job
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.protocol import TOTALS, Counts, JobFilter, Retention
from ferryman.store.sqlite.people import running_runs
from ferryman.store.sqlite.session import Session, encode
from ferryman.store.views import JobRow, error_of, job_of, running, worker_id

FIRST: Final = ""
LAST: Final = "~"
"""Sort before and after every id."""


_ids: Final = msgspec.json.Decoder(list[str])
_rows: Final = msgspec.json.Decoder(list[JobRow])
_open: Final = msgspec.json.Decoder(list[tuple[int, str, int]])
_attempts: Final = msgspec.json.Decoder(
    list[tuple[int, str, Status, int, str | None, int | None, int, str | None, int | None]]
)
_tallies: Final = msgspec.json.Decoder(list[tuple[str, str, int]])
_oldest: Final = msgspec.json.Decoder(list[tuple[str, int]])


def get(session: Session, id: str, now: int, retention: Retention) -> Job | None:
    """One job, or None."""
    found = _view(session, [id], JobFilter(), now, retention)
    return found[0] if found else None


def list_jobs(session: Session, filter: JobFilter, now: int, retention: Retention) -> list[Job]:
    """Look at pages of ids, from the places where such jobs lie, until enough of them fit."""
    found: list[Job] = []
    after = filter.after or (LAST if filter.newest_first else FIRST)
    while len(found) < filter.limit:
        ids = _page(session, filter, after)
        jobs = _view(session, ids, filter, now, retention) if ids else []
        found += sorted(jobs, key=lambda job: job.id, reverse=filter.newest_first)
        if len(ids) < filter.limit:
            break
        after = ids[-1]
    return found[: filter.limit]


def _page(session: Session, filter: JobFilter, after: str) -> list[str]:
    lanes: str | None = None
    if filter.types or filter.queues:
        fitting = [
            number
            for number, lane in session.lanes().by_number.items()
            if (not filter.types or lane.type in filter.types) and (not filter.queues or lane.queue in filter.queues)
        ]
        lanes = encode(fitting).decode()
    wanted = filter.statuses
    places = {status.value: status in wanted for status in Status if status is not Status.COMPLETED}
    return session.document(
        "page_desc" if filter.newest_first else "page_asc",
        _ids,
        after=after,
        limit=filter.limit,
        lanes=lanes,
        everything=not wanted or Status.COMPLETED in wanted,
        **places,
    )


def _view(session: Session, ids: Sequence[str], filter: JobFilter, now: int, keep: Retention) -> list[Job]:
    rows = session.document(
        "view",
        _rows,
        ids=encode(ids).decode(),
        statuses=encode(sorted(filter.statuses)).decode() if filter.statuses else None,
        tags=encode(sorted(filter.tags)).decode() if filter.tags else None,
        completed_before=now - keep.completed,
        failed_before=now - keep.failed,
        cancelled_before=now - keep.cancelled,
    )
    jobs = [job_of(row) for row in rows]
    if not any(job.status is Status.PROCESSING for job in jobs):
        return jobs
    only = ids[0] if len(ids) == 1 else None
    open_runs = {run[0]: run for run in session.document("running", running_runs, id=only)}
    return [_running(job, open_runs.get(job.id)) if job.status is Status.PROCESSING else job for job in jobs]


def _running(job: Job, run: tuple[str, int, int, int, str | None, int] | None) -> Job:
    return job if run is None else running(job, run[1], run[2], run[4], run[5])


def attempts(session: Session, id: str) -> list[Attempt]:
    """Every ended run, oldest first; a person's cancel and retry stand among them."""
    return [
        Attempt(
            number=number,
            what=what,
            status=status,
            attempt=attempt,
            error=error_of.decode(error) if error else None,
            started_at=started,
            finished_at=finished,
            worker_id=worker_id(node, worker),
            node=node,
        )
        for number, what, status, attempt, error, started, finished, node, worker in session.document(
            "attempts", _attempts, id=id
        )
    ]


def counts(session: Session, now: int) -> Counts:
    """Depths and totals from the tallies."""
    standing: Counter[tuple[str, Status]] = Counter()
    totals: Counter[str] = Counter(dict.fromkeys(TOTALS, 0))
    ended: Counter[str] = Counter()
    for queue, what, n in session.document("tallies", _tallies):
        if what in TOTALS:
            totals[what] += n
            if what in TERMINAL:
                ended[queue] += n
        elif n:
            standing[queue, Status(what)] += n
    oldest = {queue: max(0, now - arrival) for queue, arrival in session.document("oldest_pending", _oldest)}
    return Counts(dict(standing), dict(totals), oldest, dict(ended))


def open_batches(session: Session, node: int) -> list[OpenBatch]:
    """The claims of a node that still lack an outcome."""
    runs: dict[int, list[tuple[str, int]]] = {}
    for batch, id, number in session.document("open_batches", _open, node=node):
        runs.setdefault(batch, []).append((id, number))
    return [OpenBatch(batch, owed) for batch, owed in runs.items()]
