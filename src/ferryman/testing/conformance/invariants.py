"""What must be true of every store after every step, said through the store's own verbs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ferryman.domain.job import Attempt, Job
from ferryman.domain.outcome import What
from ferryman.domain.state import MOVABLE, TERMINAL, Status, allowed
from ferryman.store.protocol import Counts, JobFilter, Store
from ferryman.store.watching import version_of

PAGE: Final = 500
FREE: Final = frozenset({What.SNOOZED, What.INTERRUPTED, What.RELEASED})
"""Ends of a run after which it may start once more than max_attempts says (promise P6)."""


async def check(store: Store, nodes: Sequence[int], now: int) -> None:
    """Assert every invariant. `nodes` are all nodes that ever were registered."""
    jobs = await everything(store, now)
    for job in jobs:
        check_job(job)
        check_history(job, await store.attempts(job.id))
    assert await store.versions([job.id for job in jobs], now) == {job.id: version_of(job) for job in jobs}
    await check_counts(store, jobs, now)
    await check_keys(store, jobs)
    await check_claims(store, jobs, nodes)
    held = Counter((job.type, job.unique_key) for job in jobs if job.unique_key and job.status not in TERMINAL)
    assert all(count == 1 for count in held.values()), f"unique keys held twice: {held}"


async def everything(store: Store, now: int) -> list[Job]:
    """All jobs, page by page, which must come in strict order."""
    jobs: list[Job] = []
    while True:
        after = jobs[-1].id if jobs else None
        page = list(await store.list(JobFilter(after=after, limit=PAGE), now))
        jobs += page
        if len(page) < PAGE:
            break
    assert [job.id for job in jobs] == sorted({job.id for job in jobs})
    return jobs


def check_job(job: Job) -> None:
    """One job by itself: what may be set in which status."""
    assert (job.finished_at is not None) == (job.status in TERMINAL), job
    assert job.result is None or job.status is Status.COMPLETED, job
    assert job.error is None or job.status is not Status.COMPLETED, job
    assert 0 <= job.attempt <= job.max_attempts, job
    if job.status is Status.PROCESSING:
        assert job.attempt >= 1, job
        assert job.node is not None, job
        assert job.started_at is not None, job
    if job.status is Status.SCHEDULED:
        assert job.run_at is not None, job


def check_history(job: Job, attempts: Sequence[Attempt]) -> None:
    """A job against its outcomes: no claim number without one, no edge but the table's, no start too many."""
    last = job.claim - (job.status is Status.PROCESSING)
    assert [each.number for each in attempts] == list(range(1, last + 1)), (job, attempts)
    at: Status | None = None
    starts = bound = 0
    for each in attempts:
        if each.what == What.RETRIED:
            starts = bound = 0
            assert at is not None and allowed(at, each.status), (job, attempts)
        elif each.what == What.CANCELLED and each.started_at is None:
            # nobody ran it
            assert each.status is Status.CANCELLED and at not in TERMINAL, (job, attempts)
        else:
            assert at not in TERMINAL and allowed(Status.PROCESSING, each.status), (job, attempts)
            starts, bound = starts + 1, bound + (each.what in FREE)
            assert starts <= job.max_attempts + bound, (job, attempts)
        at = each.status
    # what waits is promoted, and put off by people, without an outcome; before the gate of its key it waits
    resting = {*MOVABLE, Status.WAITING} if at in MOVABLE else {at}
    assert job.status is Status.PROCESSING or at is None or job.status in resting, (job, attempts)
    assert job.status not in TERMINAL or job.status is at, (job, attempts)


async def check_counts(store: Store, jobs: Sequence[Job], now: int) -> None:
    """Depths equal the truth; totals are at least what can be seen of them."""
    counts = await store.counts(now)
    await check_what_there_is(store, counts)
    seen = Counter((job.queue, job.status) for job in jobs if job.status not in TERMINAL)
    assert {key: count for key, count in counts.standing.items() if count} == dict(seen)
    ended = Counter(job.status for job in jobs if job.status in TERMINAL)
    assert all(counts.totals[status.value] >= count for status, count in ended.items()), (counts, ended)
    assert counts.totals["created"] >= len(jobs)
    assert set(counts.oldest_pending) == {job.queue for job in jobs if job.status is Status.PENDING}
    assert all(age >= 0 for age in counts.oldest_pending.values()), counts


async def check_what_there_is(store: Store, counts: Counts) -> None:
    """Every status of every queue and type has as many jobs as a list of all of them, also of those past retention."""
    listed = Counter((job.queue, job.type, job.status) for job in await everything(store, 0))
    counted = {(*group, status): n for group, each in counts.tallied.items() for status, n in each.standing.items()}
    assert counted == dict(listed)
    assert counts.jobs() == {status: sum(n for place, n in listed.items() if place[2] is status) for status in Status}


async def check_keys(store: Store, jobs: Sequence[Job]) -> None:
    """Who waits stands before a gate."""
    keys = await store.keys(None, PAGE)
    if len(keys) < PAGE:
        assert sum(key.waiting for key in keys) == sum(job.status is Status.WAITING for job in jobs)


async def check_claims(store: Store, jobs: Sequence[Job], nodes: Sequence[int]) -> None:
    """Every run under way is in exactly one open batch; no open batch names any other run."""
    owed: Counter[tuple[str, int]] = Counter()
    for node in nodes:
        for batch in await store.open_batches(node):
            assert batch.runs, f"batch {batch.id} is open, and owes nothing"
            owed.update((id, number) for id, number in batch.runs)
    running = Counter((job.id, job.claim) for job in jobs if job.status is Status.PROCESSING)
    assert owed == running
