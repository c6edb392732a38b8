"""What a person may do to a job: cancel it, retry it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.claim import care
from ferryman.domain.job import JobError
from ferryman.domain.outcome import What
from ferryman.domain.state import RETRIABLE, TERMINAL, Status, allowed
from ferryman.store.protocol import CancelResult, Retention, RetryResult
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.gating import Carried, leave, let_in, mark, rules_of, stand, touch, with_slots
from ferryman.store.sqlite.gating import Standing as StandingByGate
from ferryman.store.sqlite.inserting import take_unique_key, unique_scope
from ferryman.store.sqlite.session import Session, encode

Running = tuple[str, int, int, int, str | None, int]
"""(id, number, attempt, node number, node id, claimed_at)"""
running_runs: Final = msgspec.json.Decoder(list[Running])


class Standing(msgspec.Struct, array_like=True, frozen=True):
    """Where a job stands, as `standing.sql` says it."""

    lane: int
    status: Status
    number: int
    attempt: int
    max_attempts: int
    unique_key: str | None
    expires_at: int | None
    ended_at: int | None
    """When its last outcome was written."""
    key: str | None


def standing(session: Session, id: str) -> Standing | None:
    """Where one job stands, or None if there is no such job."""
    row = session.one("standing", id=id)
    return None if row is None else msgspec.convert(row, Standing)


def visible(session: Session, id: str, now: int, retention: Retention) -> Standing | None:
    """Where a job stands, unless its retention has passed: then it is gone for people, pruned or not."""
    job = standing(session, id)
    if job is None or job.status not in TERMINAL or job.ended_at is None:
        return job
    kept: int = getattr(retention, job.status.value)
    return None if job.ended_at + kept <= now else job


def cancel(session: Session, id: str, now: int, retention: Retention, deed: Deed | None = None) -> CancelResult:
    """Cancel what waits; ask for it where it runs."""
    job = visible(session, id, now, retention)
    if job is None:
        return CancelResult(None)
    if job.status is Status.PROCESSING:
        return CancelResult(job.status, _ask(session, id, now, deed))
    if allowed(job.status, Status.CANCELLED):
        cancel_waiting(session, [(id, job)], now, None)
        note(session, deed)
    return CancelResult(job.status).having_let_in(let_in(session, now))


def _ask(session: Session, id: str, now: int, deed: Deed | None) -> str | None:
    """Store the request for the run that is open now. Returns the node that runs it."""
    _, number, _, node, node_id, _ = session.document("running", running_runs, id=id)[-1]
    if session.run("add_cancellation", id=id, number=number, node=node, asked_at=now):
        note(session, deed)
    return node_id


def cancel_waiting(session: Session, jobs: Sequence[tuple[str, Standing]], now: int, error: JobError | None) -> None:
    """End waiting, scheduled and pending jobs: a tombstone under the next claim number, and no place any more.

    Whoever says so lets in for whom that makes room.
    """
    ids = encode([id for id, _ in jobs]).decode()
    for place in ("drop_ready", "drop_later", "drop_held"):
        session.run(place, ids=ids)
    session.insert(
        "add_outcomes",
        [_marker(id, job.number + 1, What.CANCELLED, Status.CANCELLED, job.attempt, now) for id, job in jobs],
    )
    session.changes.append(
        lambda: [(id, job.lane, job.number + 1, What.CANCELLED, Status.CANCELLED, now) for id, job in jobs]
    )
    if error is not None:
        text = encode(error).decode()
        session.insert("add_failures", [(id, job.number + 1, text, None, None) for id, job in jobs])
    for id, job in jobs:
        session.count(job.lane, job.status.value, -1)
        session.count(job.lane, "cancelled")
        if job.unique_key is not None:
            type = session.lanes().by_number[job.lane].type
            session.run("drop_key", scope=unique_scope(type), key=job.unique_key, job=id)
    keyed = {id: job.key for id, job in jobs if job.key is not None}
    if keyed:
        leave(session, keyed)


def retry(
    session: Session, id: str, now: int, retention: Retention, run_at: int | None, deed: Deed | None = None
) -> RetryResult:
    """Send a failed or cancelled job back; the marker under the next claim number is its audit."""
    job = visible(session, id, now, retention)
    if job is None:
        return RetryResult(None)
    if job.status not in RETRIABLE:
        return RetryResult(job.status)
    if job.unique_key is not None:
        type = session.lanes().by_number[job.lane].type
        held = session.one("key", scope=unique_scope(type), key=job.unique_key)
        if held is not None:
            return RetryResult(job.status, held[0])
        take_unique_key(session, type, job.unique_key, id)
    number = job.number + 1
    due = run_at if run_at is not None and run_at > now else None
    carried = (number, 0, 0, 0, care(0, job.max_attempts, 0))
    status = Status.PENDING if due is None else Status.SCHEDULED
    session.run("count_gone", ids=encode([id]).decode())
    session.insert("add_outcomes", [_marker(id, number, What.RETRIED, status, 0, now)])
    session.changes.append(lambda: [(id, job.lane, number, What.RETRIED, status, now)])
    _place(session, id, job, carried, now, due)
    if job.expires_at is not None:
        session.insert("add_expiries", [(job.expires_at, id)])
    session.count(job.lane, "retried")
    let_in(session, now)
    note(session, deed)
    return RetryResult(job.status)


def _place(session: Session, id: str, job: Standing, carried: Carried, now: int, due: int | None) -> None:
    """Give a job that starts over its place: in its lane, or before its gate unless it has a slot still; or later."""
    if due is not None:
        if job.key is None:
            session.insert("add_later", [(due, id, job.lane, *carried)])
        else:
            session.insert("add_keyed_later", [(due, id, job.lane, *carried, job.key)])
        session.count(job.lane, "scheduled")
    elif job.key is None or with_slots(session, {id: job.key}):
        session.insert("add_ready", [(job.lane, session.arrivals(job.lane, 1, now), id, *carried)])
        session.count(job.lane, "pending")
    else:
        stand(session, [StandingByGate(job.key, id, job.lane, carried, rules_of(session, [id]).get(id))])
    if job.key is not None:
        mark(session, {id: job.key}, failed=False)
        touch(session, job.key)


def _marker(id: str, number: int, what: What, status: Status, attempt: int, now: int) -> tuple[object, ...]:
    """An outcome that no run had: batch and token 0, no node, no start."""
    return (id, number, what.value, status.value, attempt, 0, 0, None, None, None, now)
