"""What people and the engine read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ferryman.domain.claim import OpenBatch
from ferryman.domain.job import Attempt, Job
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.postgres.cursor import FIRST_ID, LAST_ID
from ferryman.store.postgres.ids import is_id
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import TOTALS, Counts, Declaration, JobFilter, Retention
from ferryman.store.views import JobRow, error_of, job_of, running, worker_id

_declared: Final = msgspec.json.Decoder(Declaration)


def get(id: str, now: int, retention: Retention) -> Steps[Job | None]:
    """One job, or None."""
    if not is_id(id):
        return None
    found = yield from _view([id], JobFilter(), now, retention)
    return found[0] if found else None


def list_jobs(lanes: Lanes, filter: JobFilter, now: int, retention: Retention) -> Steps[list[Job]]:
    """Look at pages of ids, from the places where such jobs lie, until enough of them fit."""
    found: list[Job] = []
    after = _start(filter)
    while len(found) < filter.limit:
        ids = yield from _page(lanes, filter, after)
        jobs = (yield from _view(ids, filter, now, retention)) if ids else []
        found += sorted(jobs, key=lambda job: job.id, reverse=filter.newest_first)
        if len(ids) < filter.limit:
            break
        after = ids[-1]
    return found[: filter.limit]


def _start(filter: JobFilter) -> str:
    """Where the first page starts: at the end where it names none, or nothing that was ever an id."""
    if filter.after and is_id(filter.after):
        return filter.after
    return LAST_ID if filter.newest_first else FIRST_ID


def _page(lanes: Lanes, filter: JobFilter, after: str) -> Steps[list[str]]:
    numbers: list[int] | None = None
    if filter.types or filter.queues:
        numbers = [
            number
            for number, lane in lanes.by_number.items()
            if (not filter.types or lane.type in filter.types) and (not filter.queues or lane.queue in filter.queues)
        ]
    # the place of completed jobs is where all are
    wanted = sorted(filter.statuses) or [Status.COMPLETED]
    rows = yield Ask(
        "page_desc" if filter.newest_first else "page_asc",
        (after, filter.limit, numbers, [status.value for status in wanted]),
    )
    return [row[0] for row in rows]


def _view(ids: Sequence[str], filter: JobFilter, now: int, keep: Retention) -> Steps[list[Job]]:
    rows = yield Ask(
        "view",
        (
            list(ids),
            [status.value for status in filter.statuses] or None,
            sorted(filter.tags) or None,
            now - keep.completed,
            now - keep.failed,
            now - keep.cancelled,
        ),
    )
    jobs = [job_of(msgspec.convert(tuple(row), JobRow)) for row in rows]
    busy = [job.id for job in jobs if job.status is Status.PROCESSING]
    if not busy:
        return jobs
    runs = {run[0]: run[1:] for run in (yield Ask("running", (busy,)))}
    return [running(job, *runs[job.id]) if job.id in runs else job for job in jobs]


def attempts(id: str) -> Steps[list[Attempt]]:
    """Every ended run, oldest first; a person's cancel and retry stand among them."""
    if not is_id(id):
        return []
    rows = yield Ask("attempts", (id,))
    return [
        Attempt(
            number=number,
            what=what,
            status=Status(status),
            attempt=attempt,
            error=error_of.decode(error) if error else None,
            started_at=started,
            finished_at=finished,
            worker_id=worker_id(node, worker),
            node=node,
        )
        for number, what, status, attempt, error, started, finished, node, worker in rows
    ]


def counts(now: int) -> Steps[Counts]:
    """Depths and totals from the tallies."""
    standing: Counter[tuple[str, Status]] = Counter()
    totals: Counter[str] = Counter(dict.fromkeys(TOTALS, 0))
    ended: Counter[str] = Counter()
    for queue, what, n in (yield Ask("tallies")):
        if what in TOTALS:
            totals[what] += n
            if what in TERMINAL:
                ended[queue] += n
        elif n:
            standing[queue, Status(what)] += n
    oldest = {queue: max(0, now - arrival) for queue, arrival in (yield Ask("oldest_pending"))}
    return Counts(dict(standing), dict(totals), oldest, dict(ended))


def open_batches(node: int) -> Steps[list[OpenBatch]]:
    """The claims of a node that still lack an outcome."""
    runs: dict[int, list[tuple[str, int]]] = {}
    for batch, id, number in (yield Ask("open_batches", (node,))):
        runs.setdefault(batch, []).append((id, number))
    return [OpenBatch(batch, owed) for batch, owed in runs.items()]


def cancellations(node: int) -> Steps[list[tuple[str, int]]]:
    """The open runs of a node that a person asked to cancel."""
    return [(row[0], row[1]) for row in (yield Ask("cancellations", (node,)))]


def known_types() -> Steps[Mapping[str, Declaration]]:
    """What each type declares; nodes that knew of no declarations have left Ferryman's defaults."""
    rows = yield Ask("types")
    return {name: _declared.decode(declared) if declared else Declaration() for name, declared in rows}
