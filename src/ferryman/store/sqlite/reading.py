"""What people and the engine read; none of it takes the write lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ferryman.domain.claim import OpenBatch
from ferryman.domain.filters import Field
from ferryman.domain.job import Attempt, Job
from ferryman.domain.state import EVERY, Status
from ferryman.store.counting import TallyRow, counts_of
from ferryman.store.protocol import Counts, JobFilter, Page, Retention
from ferryman.store.searching import Search, led_to
from ferryman.store.sqlite.people import running_runs
from ferryman.store.sqlite.session import Session, encode
from ferryman.store.views import JobRow, error_of, job_of, running, worker_id
from ferryman.store.watching import Version, portions

_ids: Final = msgspec.json.Decoder(list[str])
_rows: Final = msgspec.json.Decoder(list[JobRow])
_versions: Final = msgspec.json.Decoder(list[tuple[str, Status, int, str, int, int | None]])
_open: Final = msgspec.json.Decoder(list[tuple[int, str, int]])
_attempts: Final = msgspec.json.Decoder(
    list[tuple[int, str, Status, int, str | None, int | None, int, str | None, int | None]]
)
_tallies: Final = msgspec.json.Decoder(list[TallyRow])
_oldest: Final = msgspec.json.Decoder(list[tuple[str, int]])


def get(session: Session, id: str, now: int, retention: Retention) -> Job | None:
    """One job, or None."""
    found = _view(session, [id], JobFilter(), now, retention)
    return found[0] if found else None


def versions(session: Session, ids: Sequence[str], now: int, keep: Retention) -> Mapping[str, Version]:
    """What of each job changes."""
    found: dict[str, Version] = {}
    for some in portions(ids):
        rows = session.document(
            "versions",
            _versions,
            ids=encode(some).decode(),
            completed_before=now - keep.completed,
            failed_before=now - keep.failed,
            cancelled_before=now - keep.cancelled,
        )
        found |= {
            id: Version(status, number, queue, priority, run_at) for id, status, number, queue, priority, run_at in rows
        }
    return found


def list_jobs(session: Session, filter: JobFilter, now: int, retention: Retention) -> Page:
    """Look at pages of ids, from the places where such jobs lie, until enough of them fit."""
    search = Search(filter)
    while search.goes_on():
        ids = _page(session, filter, search.after, search.step)
        jobs = {job.id: job for job in _view(session, ids, filter, now, retention)} if ids else {}
        search.look(ids, jobs.get)
    return search.page()


def _page(session: Session, filter: JobFilter, after: str, limit: int) -> list[str]:
    wanted, groups = filter.possible(), filter.named(Field.GROUP)
    lanes = filter.lanes(session.lanes().by_number)
    place = {"after": after, "limit": limit, "lanes": None if lanes is None else encode(lanes).decode()}
    if groups is not None:
        failed = {"groups": encode(sorted(groups)).decode(), "led_to": encode(led_to(filter)).decode()}
        return session.document("group_desc" if filter.newest_first else "group_asc", _ids, **place, **failed)
    everything = Status.COMPLETED in wanted  # the place of completed jobs is where all are
    statuses = {each.value: each in wanted and not everything for each in Status if each is not Status.COMPLETED}
    name = "page_desc" if filter.newest_first else "page_asc"
    return session.document(name, _ids, **place, everything=everything, **statuses)


def _view(session: Session, ids: Sequence[str], filter: JobFilter, now: int, keep: Retention) -> list[Job]:
    wanted = filter.possible()
    rows = session.document(
        "view",
        _rows,
        ids=encode(ids).decode(),
        statuses=None if wanted == EVERY else encode(sorted(wanted)).decode(),
        tags=encode(sorted(filter.tags)).decode() if filter.tags else None,
        payloads=filter.reads_payloads(),
        results=filter.bodies,
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
    rows = session.document("tallies", _tallies)
    arrivals = session.document("oldest_pending", _oldest)
    return counts_of(rows, arrivals, now)


def open_batches(session: Session, node: int) -> list[OpenBatch]:
    """The claims of a node that still lack an outcome."""
    runs: dict[int, list[tuple[str, int]]] = {}
    for batch, id, number in session.document("open_batches", _open, node=node):
        runs.setdefault(batch, []).append((id, number))
    return [OpenBatch(batch, owed) for batch, owed in runs.items()]
