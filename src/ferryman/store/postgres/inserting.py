"""Handing in: bodies, places, keys, and what becomes of each job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound, bound_of
from ferryman.domain.claim import care
from ferryman.domain.job import NewJob
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.columns import if_any, numbers, numbers_if_any
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import Receipt, Verdict

IDEMPOTENCY: Final = "idempotency"
encode: Final = msgspec.json.Encoder().encode


def unique_scope(type: str) -> str:
    """Where the unique keys of a type live."""
    return f"unique:{type}"


def is_plain(jobs: Sequence[NewJob], max_pending: Bound) -> bool:
    """Whether nothing need be asked of these jobs."""
    return not max_pending and all(job.unique_key is None and job.idempotency is None for job in jobs)


def are_due(jobs: Sequence[NewJob]) -> bool:
    """Whether these jobs wait for nothing and for no time do they expire, as most do."""
    return all(job.run_at is None and job.expires_at is None and job.key is None for job in jobs)


def insert_plain(
    lanes: Lanes, jobs: Sequence[NewJob], now: int, ring: tuple[str, str] | None = None
) -> Steps[list[Receipt]]:
    """Insert jobs of which nothing need be asked, in one statement; `ring` goes with those that are due.

    Raises:
        AlreadyThere: an id is there already; nothing was inserted.
    """
    yield store(lanes, jobs, now, ring)
    return [Receipt(job.id, Verdict.INSERTED) for job in jobs]


def store(lanes: Lanes, jobs: Sequence[NewJob], now: int, ring: tuple[str, str] | None = None) -> Ask:
    """The statement that stores new jobs."""
    number = lanes.number
    first = (
        [job.id for job in jobs],
        numbers([number(job.queue, job.type, job.priority) for job in jobs]),
        [job.payload for job in jobs],
        numbers([job.max_attempts for job in jobs]),
        numbers_if_any([job.timeout for job in jobs]),
        numbers([job.created_at for job in jobs]),
    )
    options = (
        if_any([job.unique_key for job in jobs]),
        if_any([encode(job.tags).decode() if job.tags else None for job in jobs]),
        numbers([int(care(0, job.max_attempts, 0)) for job in jobs]),
    )
    if are_due(jobs):
        return Ask("insert_due", (*first, *options, now, *(ring or ("", ""))))
    times = numbers_if_any([job.run_at for job in jobs]), numbers_if_any([job.expires_at for job in jobs])
    keys = if_any([job.key for job in jobs])
    if not keys:
        return Ask("insert", (*first, *times, *options, now))
    gates = if_any([None if job.gate is None else encode(job.gate).decode() for job in jobs])
    return Ask("insert_keyed", (*first, *times, *options, keys, gates, now))


class Holder(NamedTuple):
    """Who has a key."""

    job: str
    body_hash: str | None
    expires_at: int | None


class Desk:
    """Judges jobs in order; each one that passes counts for those behind it."""

    def __init__(
        self,
        now: int,
        ids: set[str],
        keys: dict[tuple[str, str], Holder],
        depths: Mapping[str, int],
        max_pending: Bound,
    ) -> None:
        self._now = now
        self._ids = ids
        self._keys = keys
        self._depths = Counter(depths)
        self._max_pending = max_pending
        self.taken: dict[tuple[str, str], Holder] = {}
        """The keys that were given to new jobs."""

    def judge(self, job: NewJob) -> Receipt:
        """What becomes of one job."""
        receipt = self._refusal(job)
        if receipt is not None:
            return receipt
        self._ids.add(job.id)
        self._depths[job.queue] += 1
        for key, holder in _wanted(job).items():
            self._keys[key] = self.taken[key] = holder
        return Receipt(job.id, Verdict.INSERTED)

    def _refusal(self, job: NewJob) -> Receipt | None:
        if job.id in self._ids:
            return Receipt(job.id, Verdict.EXISTS)
        if job.idempotency is not None:
            held = self._keys.get((IDEMPOTENCY, job.idempotency.key))
            if held is not None and (held.expires_at is None or held.expires_at > self._now):
                same = held.body_hash == job.idempotency.body_hash
                return Receipt(held.job, Verdict.REPLAYED if same else Verdict.KEY_REUSED)
        if job.unique_key is not None:
            held = self._keys.get((unique_scope(job.type), job.unique_key))
            if held is not None:
                return Receipt(held.job, Verdict.KEY_TAKEN)
        bound = bound_of(self._max_pending, job.queue)
        if bound and self._depths[job.queue] >= bound:
            return Receipt(job.id, Verdict.FULL)
        return None


def insert_judged(
    lanes: Lanes, jobs: Sequence[NewJob], now: int, max_pending: Bound, deed: Deed | None = None
) -> Steps[list[Receipt]]:
    """Judge each job against ids, keys and bounds, then insert those that pass. To be driven in a transaction."""
    wanted = sorted({key for job in jobs for key in _wanted(job)})
    scopes, names = [scope for scope, _ in wanted], [name for _, name in wanted]
    keys: dict[tuple[str, str], Holder] = {}
    if wanted:
        yield Ask("lock_keys", (scopes, names))
        keys = {(row[0], row[1]): Holder(row[2], row[3], row[4]) for row in (yield Ask("keys", (scopes, names)))}
    known = {row[0] for row in (yield Ask("existing_jobs", ([job.id for job in jobs],)))}
    depths = yield from read_depths(jobs, max_pending)
    desk = Desk(now, known, keys, depths, max_pending)
    receipts = [desk.judge(job) for job in jobs]
    accepted = [job for job, receipt in zip(jobs, receipts, strict=True) if receipt.verdict is Verdict.INSERTED]
    if desk.taken:
        yield put_keys(desk.taken)
    if accepted:
        yield store(lanes, accepted, now)
        yield from note(deed)
    return receipts


def read_depths(jobs: Sequence[NewJob], max_pending: Bound) -> Steps[dict[str, int]]:
    """How many jobs wait, are scheduled or pending in the queues of these jobs, if that matters."""
    if not max_pending:
        return {}
    rows = yield Ask("depths", (sorted({job.queue for job in jobs}),))
    return {row[0]: row[1] for row in rows}


def put_keys(taken: Mapping[tuple[str, str], Holder]) -> Ask:
    """The statement that gives keys to jobs."""
    return Ask(
        "put_keys",
        (
            [scope for scope, _ in taken],
            [name for _, name in taken],
            [holder.job for holder in taken.values()],
            [holder.body_hash for holder in taken.values()],
            [holder.expires_at for holder in taken.values()],
        ),
    )


def _wanted(job: NewJob) -> dict[tuple[str, str], Holder]:
    """The keys that a job would take."""
    wanted: dict[tuple[str, str], Holder] = {}
    if job.idempotency is not None:
        key = job.idempotency
        wanted[IDEMPOTENCY, key.key] = Holder(job.id, key.body_hash, key.expires_at)
    if job.unique_key is not None:
        wanted[unique_scope(job.type), job.unique_key] = Holder(job.id, None, None)
    return wanted
