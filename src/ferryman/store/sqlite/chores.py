"""The sweeper's steps in the store: promote, expire, prune."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.bulk import KEPT as OPERATIONS_KEPT
from ferryman.domain.errors import JobExpired
from ferryman.domain.job import JobError
from ferryman.domain.state import TERMINAL, Status, allowed
from ferryman.store.controlling import Deleted
from ferryman.store.protocol import NODES_SHOWN, Promoted, Retention
from ferryman.store.sqlite import auditing, journaling, sightings
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.folding import Folder
from ferryman.store.sqlite.gating import Standing as StandingByGate
from ferryman.store.sqlite.gating import leave, let_in, rules_of, stand, with_slots
from ferryman.store.sqlite.keys import Deserted
from ferryman.store.sqlite.people import Standing, cancel_waiting, standing, visible
from ferryman.store.sqlite.session import Session, encode

DueRow = tuple[int, str, int, int, int, int, int, int, str | None]
"""(run_at, id, lane, number, attempt, crashes, interruptions, care, key)"""
_due: Final = msgspec.json.Decoder(list[DueRow])
_ids: Final = msgspec.json.Decoder(list[str])
_prunable: Final = msgspec.json.Decoder(list[tuple[str, bool | int, str | None]])
PRUNED: Final = ("job", "outcome", "result", "failure", "progress", "log")
"""The tables that hold something of an ended job."""
EXPIRED: Final = JobError(JobExpired.code, "JobExpired", "The job was not started before its expires_at.")


def promote(session: Session, now: int, limit: int) -> Promoted:
    """Move due jobs to the end of their lanes, in the order in which they are due, or before their gates."""
    rows = session.document("due", _due, now=now, limit=limit)
    held = _to_gates(session, rows)
    by_lane: dict[int, list[DueRow]] = {}
    for row in rows:
        if row[1] in held:
            continue
        by_lane.setdefault(row[2], []).append(row)
    for lane, group in by_lane.items():
        first = session.arrivals(lane, len(group), now)
        session.insert("add_ready", [(lane, arrival, row[1], *row[3:8]) for arrival, row in enumerate(group, first)])
        session.count(lane, "scheduled", -len(group))
        session.count(lane, "pending", len(group))
    if rows:
        session.run("drop_later", ids=encode([row[1] for row in rows]).decode())
        let_in(session, now)
    following = session.one("next_due")
    return Promoted(len(rows), None if following is None else following[0])


def _to_gates(session: Session, rows: list[DueRow]) -> set[str]:
    """Have the jobs with keys that have no slots stand before their gates. Returns their ids."""
    keyed = {row[1]: row[8] for row in rows if row[8] is not None}
    if not keyed:
        return set()
    slots = with_slots(session, keyed)
    rules = rules_of(session, keyed)
    held = [
        StandingByGate(key, row[1], row[2], row[3:8], rules.get(row[1]))
        for row in rows
        if (key := keyed.get(row[1])) is not None and row[1] not in slots
    ]
    stand(session, held)
    for job in held:
        session.count(job.lane, "scheduled", -1)
    return {job.id for job in held}


def expire(session: Session, now: int, limit: int) -> int:
    """Cancel what waited past its expires_at. A job that is running is the worker's to judge."""
    ids = session.document("expired", _ids, now=now, limit=limit)
    if not ids:
        return 0
    late: list[tuple[str, Standing]] = []
    for id in ids:
        job = standing(session, id)
        if job is not None and job.status is not Status.PROCESSING and allowed(job.status, Status.CANCELLED):
            late.append((id, job))
    if late:
        cancel_waiting(session, late, now, EXPIRED)
        let_in(session, now)
    session.run("drop_expiries", now=now, ids=encode(ids).decode())
    return len(late)


class Pruner:
    """Deletes what retention no longer keeps, walking over the jobs in the order of their ids.

    The walk starts again from the oldest job when it has reached those too young to be due.
    """

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._after = ""
        self._deserted = Deserted()
        self._series = Folder()

    @property
    def walking(self) -> bool:
        """Whether the walk has begun and not come to its end."""
        return self._after != ""

    def step(self, session: Session, now: int, limit: int) -> int:
        """Look at the next `limit` jobs. Returns how many were deleted."""
        keep = self._retention
        youngest = now - min(keep.completed, keep.failed, keep.cancelled)
        rows = session.document(
            "prunable",
            _prunable,
            after=self._after,
            horizon=id_horizon(youngest),
            completed_before=now - keep.completed,
            failed_before=now - keep.failed,
            cancelled_before=now - keep.cancelled,
            limit=limit,
        )
        due = {id: key for id, is_due, key in rows if is_due}
        if due:
            forget(session, due, now)
        session.run("prune_keys", now=now, limit=limit)
        self._deserted.step(session, now, limit)
        auditing.forget(session, now, limit)
        self._series.step(session, now)
        sightings.forget(session, now, limit)
        session.run("prune_operations", before=now - OPERATIONS_KEPT)
        journaling.forget(session, now, limit)
        session.run("prune_nodes", before=now - max(keep.completed, keep.failed, keep.cancelled, NODES_SHOWN))
        self._after = rows[-1][0] if len(rows) == limit else ""
        return len(due)


def delete(session: Session, id: str, now: int, retention: Retention, deed: Deed | None) -> Deleted:
    """Delete one job that has ended."""
    job = visible(session, id, now, retention)
    if job is None:
        return Deleted(None)
    if job.status not in TERMINAL or session.one("batch_of", id=id) is not None:
        return Deleted(job.status)
    forget(session, {id: job.key}, now)
    note(session, deed)
    return Deleted(job.status, gone=True)


def forget(session: Session, gone: Mapping[str, str | None], now: int) -> None:
    """Delete jobs (id -> key) with all that is told of them, and let sequences go on that waited for them."""
    ids = encode(list(gone)).decode()
    session.run("count_gone", ids=ids)
    for table in PRUNED:
        session.run(f"prune_{table}", ids=ids)
    keyed = {id: key for id, key in gone.items() if key is not None}
    slots = with_slots(session, keyed) if keyed else {}
    if slots:
        leave(session, {id: keyed[id] for id in slots})
        let_in(session, now)


def id_horizon(time: int) -> str:
    """The text that sorts after every UUIDv7 minted before `time`, and before every later one."""
    stamp = f"{max(0, time // 1000) + 1:012x}"
    return f"{stamp[:8]}-{stamp[8:]}"
