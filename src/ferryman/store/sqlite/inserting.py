"""Handing in: bodies, places, keys, and what becomes of each job."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound, bound_of
from ferryman.domain.claim import ClaimRequest, care
from ferryman.domain.job import NewJob
from ferryman.domain.state import Status
from ferryman.store.gating import keys_in
from ferryman.store.journaling import CREATED
from ferryman.store.protocol import Inserted, Receipt, Verdict
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.claiming import claim as claim_jobs
from ferryman.store.sqlite.claiming import require_live
from ferryman.store.sqlite.gating import Standing, let_in, stand, stored_rule, touch_all
from ferryman.store.sqlite.session import ChangeRow, Session, encode

IDEMPOTENCY: Final = "idempotency"
_ids: Final = msgspec.json.Decoder(list[str])


def unique_scope(type: str) -> str:
    """Where the unique keys of a type live."""
    return f"unique:{type}"


def insert(
    session: Session,
    jobs: Sequence[NewJob],
    now: int,
    request: ClaimRequest | None,
    max_pending: Bound,
    deed: Deed | None = None,
) -> Inserted:
    """Store what may be stored, then let a claim ride along."""
    if request is not None:
        require_live(session, request.node)
    receipts = hand_in(session, jobs, now, max_pending)
    touch_all(session, keys_in(jobs))
    let_in(session, now)
    if deed is not None and any(each.verdict is Verdict.INSERTED for each in receipts):
        note(session, deed)
    return Inserted(receipts, None if request is None else claim_jobs(session, request, now))


def hand_in(session: Session, jobs: Sequence[NewJob], now: int, max_pending: Bound) -> list[Receipt]:
    """Store what may be stored; whoever says so lets in those who then stand before their gates."""
    plain = not max_pending and all(job.unique_key is None and job.idempotency is None for job in jobs)
    return (_insert_plain(session, jobs, now) if plain else None) or _insert_judged(session, jobs, now, max_pending)


def _insert_plain(session: Session, jobs: Sequence[NewJob], now: int) -> list[Receipt] | None:
    """Insert jobs of which nothing need be asked; None if an id is there already."""
    session.connection.execute("SAVEPOINT jobs")
    try:
        _store_bodies(session, jobs)
    except sqlite3.IntegrityError:
        session.connection.execute("ROLLBACK TO jobs")
        session.forget()
        return None
    finally:
        session.connection.execute("RELEASE jobs")
    _place(session, jobs, now)
    return [Receipt(job.id, Verdict.INSERTED) for job in jobs]


def _insert_judged(session: Session, jobs: Sequence[NewJob], now: int, max_pending: Bound) -> list[Receipt]:
    """Judge each job against ids, keys and bounds, then insert those that pass."""
    known = session.document("existing_jobs", _ids, ids=encode([job.id for job in jobs]).decode())
    seen = set(known)
    depths: Counter[str] = Counter()
    accepted: list[NewJob] = []
    receipts: list[Receipt] = []
    for job in jobs:
        receipt = _judge(session, job, now, seen, depths, max_pending)
        receipts.append(receipt)
        if receipt.verdict is Verdict.INSERTED:
            seen.add(job.id)
            depths[job.queue] += 1
            accepted.append(job)
            _take_keys(session, job)
    _store_bodies(session, accepted)
    _place(session, accepted, now)
    return receipts


def _judge(
    session: Session, job: NewJob, now: int, seen: set[str], depths: Counter[str], max_pending: Bound
) -> Receipt:
    """What becomes of one job."""
    if job.id in seen:
        return Receipt(job.id, Verdict.EXISTS)
    if job.idempotency is not None:
        held = session.one("key", scope=IDEMPOTENCY, key=job.idempotency.key)
        if held is not None and held[2] > now:
            same = held[1] == job.idempotency.body_hash
            return Receipt(held[0], Verdict.REPLAYED if same else Verdict.KEY_REUSED)
    if job.unique_key is not None:
        held = session.one("key", scope=unique_scope(job.type), key=job.unique_key)
        if held is not None:
            return Receipt(held[0], Verdict.KEY_TAKEN)
    bound = bound_of(max_pending, job.queue)
    if bound:
        if job.queue not in depths:
            depths[job.queue] = depth(session, job.queue)
        if depths[job.queue] >= bound:
            return Receipt(job.id, Verdict.FULL)
    return Receipt(job.id, Verdict.INSERTED)


def depth(session: Session, queue: str) -> int:
    """How many jobs of a queue are waiting, scheduled or pending, this transaction's own included."""
    row = session.one("depth", queue=queue)
    stored: int = row[0] if row else 0
    own = sum(
        n
        for (lane, what), n in session.tallies.items()
        if what in ("pending", "scheduled", "waiting") and session.lanes().by_number[lane].queue == queue
    )
    return stored + own


def _take_keys(session: Session, job: NewJob) -> None:
    if job.idempotency is not None:
        key = job.idempotency
        session.run(
            "put_key", scope=IDEMPOTENCY, key=key.key, job=job.id, body_hash=key.body_hash, expires_at=key.expires_at
        )
    if job.unique_key is not None:
        take_unique_key(session, job.type, job.unique_key, job.id)


def take_unique_key(session: Session, type: str, key: str, id: str) -> None:
    """Give a type's unique key to a job."""
    session.run("put_key", scope=unique_scope(type), key=key, job=id, body_hash=None, expires_at=None)


def _store_bodies(session: Session, jobs: Sequence[NewJob]) -> None:
    lane = session.lane
    rows = [
        (
            job.id,
            lane(job.queue, job.type, job.priority),
            job.payload,
            job.max_attempts,
            job.timeout,
            job.created_at,
            job.run_at,
            job.expires_at,
            job.unique_key,
            encode(job.tags).decode() if job.tags else None,
        )
        for job in jobs
    ]
    if keys_in(jobs):
        keyed = [(*row, job.key, stored_rule(job)) for row, job in zip(rows, jobs, strict=True)]
        session.insert("add_keyed_jobs", keyed)
    else:
        session.insert("add_jobs", rows)


def _place(session: Session, jobs: Sequence[NewJob], now: int) -> None:
    """Give each new job its place: ready now, later, or before its gate."""
    due: dict[int, list[NewJob]] = {}
    later: list[tuple[object, ...]] = []
    keyed_later: list[tuple[object, ...]] = []
    held: list[Standing] = []
    for job in jobs:
        lane = session.lane(job.queue, job.type, job.priority)
        if job.run_at is not None and job.run_at > now:
            row = (job.run_at, job.id, lane, 0, 0, 0, 0, care(0, job.max_attempts, 0))
            if job.key is None:
                later.append(row)
            else:
                keyed_later.append((*row, job.key))
            session.count(lane, "scheduled")
            session.count(lane, "created")
        elif job.key is None:
            due.setdefault(lane, []).append(job)
        else:
            held.append(Standing(job.key, job.id, lane, (0, 0, 0, 0, care(0, job.max_attempts, 0)), job.gate))
            session.count(lane, "created")
    for lane, group in due.items():
        first = session.arrivals(lane, len(group), now)
        session.insert(
            "add_new_ready",
            [(lane, arrival, job.id, care(0, job.max_attempts, 0)) for arrival, job in enumerate(group, first)],
        )
        session.count(lane, "pending", len(group))
        session.count(lane, "created", len(group))
    session.insert("add_later", later)
    session.insert("add_keyed_later", keyed_later)
    stand(session, held)
    session.insert("add_expiries", [(job.expires_at, job.id) for job in jobs if job.expires_at is not None])
    session.changes.append(lambda: [_created(session, job, now) for job in jobs])


def _created(session: Session, job: NewJob, now: int) -> ChangeRow:
    lane = session.lane(job.queue, job.type, job.priority)
    scheduled = job.run_at is not None and job.run_at > now
    return (job.id, lane, 0, CREATED, Status.SCHEDULED if scheduled else Status.PENDING, now)
