"""What people and the engine read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ferryman.domain.claim import OpenBatch
from ferryman.domain.filters import Field
from ferryman.domain.job import Attempt, Job
from ferryman.domain.state import EVERY, Status
from ferryman.store.counting import counts_of
from ferryman.store.postgres.cursor import FIRST_ID, LAST_ID
from ferryman.store.postgres.ids import is_id
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import Counts, Declaration, JobFilter, Page, Retention
from ferryman.store.searching import Search, led_to
from ferryman.store.views import JobRow, error_of, job_of, running, worker_id
from ferryman.store.watching import Version, portions

_declared: Final = msgspec.json.Decoder(Declaration)


def get(id: str, now: int, retention: Retention) -> Steps[Job | None]:
    """One job, or None."""
    if not is_id(id):
        return None
    found = yield from _view([id], JobFilter(), now, retention)
    return found[0] if found else None


def versions(ids: Sequence[str], now: int, keep: Retention) -> Steps[Mapping[str, Version]]:
    """What of each job changes."""
    found: dict[str, Version] = {}
    for some in portions([id for id in ids if is_id(id)]):
        rows = yield Ask("versions", (list(some), now - keep.completed, now - keep.failed, now - keep.cancelled))
        found |= {row[0]: Version(Status(row[1]), *row[2:]) for row in rows}
    return found


def list_jobs(lanes: Lanes, filter: JobFilter, now: int, retention: Retention) -> Steps[Page]:
    """Look at pages of ids, from the places where such jobs lie, until enough of them fit."""
    if filter.after and not is_id(filter.after):  # nothing that was ever an id
        filter = msgspec.structs.replace(filter, after=None)
    search = Search(filter, FIRST_ID, LAST_ID)
    while search.goes_on():
        ids = yield from _page(lanes, filter, search.after, search.step)
        found = (yield from _view(ids, filter, now, retention)) if ids else []
        search.look(ids, {job.id: job for job in found}.get)
    return search.page()


def _page(lanes: Lanes, filter: JobFilter, after: str, limit: int) -> Steps[list[str]]:
    wanted, groups = filter.possible(), filter.named(Field.GROUP)
    if groups is not None:
        rows = yield Ask(
            "group_desc" if filter.newest_first else "group_asc",
            (after, limit, filter.lanes(lanes.by_number), sorted(groups), led_to(filter)),
        )
        return [row[0] for row in rows]
    # the place of completed jobs is where all are
    places = [Status.COMPLETED] if Status.COMPLETED in wanted else sorted(wanted)
    rows = yield Ask(
        "page_desc" if filter.newest_first else "page_asc",
        (after, limit, filter.lanes(lanes.by_number), [status.value for status in places]),
    )
    return [row[0] for row in rows]


def _view(ids: Sequence[str], filter: JobFilter, now: int, keep: Retention) -> Steps[list[Job]]:
    wanted = filter.possible()
    rows = yield Ask(
        "view",
        (
            list(ids),
            None if wanted == EVERY else [status.value for status in wanted],
            sorted(filter.tags) or None,
            now - keep.completed,
            now - keep.failed,
            now - keep.cancelled,
            filter.reads_payloads(),
            filter.bodies,
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
    rows = yield Ask("tallies")
    return counts_of(rows, (yield Ask("oldest_pending")), now)


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
