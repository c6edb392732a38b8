"""Outcomes: each fenced by (id, number), the first one wins; then the job's next place."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from ferryman.domain import state
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.gating import keys_told
from ferryman.store.protocol import Declaration, FinishReport
from ferryman.store.sqlite.gating import Standing, ended, let_in, stand, touch_all
from ferryman.store.sqlite.inserting import hand_in, unique_scope
from ferryman.store.sqlite.session import Session, encode
from ferryman.store.sqlite.sightings import note_failures

OpenRun = tuple[int, int, str, int, int, int, int, int, int, str | None, int, str | None]
"""(node, batch, id, number, attempt, lane, crashes, interruptions, max_attempts, unique_key, claimed_at, key)"""
_open_runs: Final = msgspec.json.Decoder(list[OpenRun])
_numbers: Final = msgspec.json.Decoder(list[int])
NOTHING_DECLARED: Final[Mapping[str, Declaration]] = MappingProxyType({})
run_keys: Final = msgspec.json.Decoder(list[tuple[str, int]])
_known: Final = msgspec.json.Decoder(list[tuple[str, int, int, Status]])


class Written(NamedTuple):
    """What became of finishes: those written now, the runs of those that lost, and the ids of those that were
    written before, by themselves, as cancelled."""

    fresh: Sequence[Finish]
    fenced: frozenset[tuple[str, int]] = frozenset()
    cancelled: frozenset[str] = frozenset()


def is_open(session: Session, node: int, job: ClaimedJob) -> bool:
    """Whether a run still lacks its outcome, and the node holds its claim."""
    batches = session.document("live_batches", _numbers, node=node, batches=encode([job.batch]).decode())
    runs = encode([(job.id, job.number)]).decode()
    return bool(batches) and not session.document("known_outcomes", _known, runs=runs)


def finish(session: Session, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
    """Write the outcomes that win, and let in for whom they made room."""
    report = _write(session, node, finishes, now)
    touch_all(session, keys_told(finishes))
    return report.having_let_in(let_in(session, now))


def _write(session: Session, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
    """Write the outcomes that win, move their jobs on, close batches that are done."""
    for status in {each.status for each in finishes}:
        state.check_end(status)
    asked = _asked_to_cancel(session, finishes)
    obeyed = [_obey(each) if each.id in asked else each for each in finishes] if asked else finishes
    fresh, fenced, cancelled = _write_outcomes(session, node, obeyed)
    _write_sides(session, node, fresh)
    _count(session, fresh)
    session.changes.append(
        lambda: [(each.id, session.lane(*each.lane), each.number, each.what, each.status, now) for each in fresh]
    )
    _free_keys(session, fresh)
    readied, scheduled = _place(session, fresh, now)
    if fresh:
        session.run("close_batches", batches=encode(sorted({each.batch for each in fresh})).decode())
    if asked:
        session.run("drop_cancellations", ids=encode([each.id for each in fresh]).decode())
        cancelled |= asked.intersection(each.id for each in fresh)
    if cancelled:
        cancelled &= {each.id for each in finishes if each.status not in TERMINAL}
    report = FinishReport(fenced, readied, scheduled, cancelled)
    follow_ups = [job for each in fresh for job in each.follow_ups]
    if not follow_ups:
        return report
    # the keys of the ended jobs are free by now
    return report.with_follow_ups(follow_ups, hand_in(session, follow_ups, now, 0), now)


def _asked_to_cancel(session: Session, finishes: Sequence[Finish]) -> frozenset[str]:
    """Which of these jobs a person asked to cancel; mostly nobody asked for anything."""
    if session.one("any_cancellation") is None:
        return frozenset()
    ids = encode([each.id for each in finishes]).decode()
    return frozenset(id for id, _ in session.document("cancellations_of", run_keys, ids=ids))


def _obey(each: Finish) -> Finish:
    """A run that would lead to another one ends cancelled instead."""
    if each.status in TERMINAL:
        return each
    return msgspec.structs.replace(each, status=Status.CANCELLED, run_at=None)


def end_open_runs(
    session: Session,
    what: What,
    now: int,
    *,
    batch: int | None = None,
    node: int | None = None,
    asked_before: int | None = None,
    declared: Mapping[str, Declaration] = NOTHING_DECLARED,
) -> int:
    """Give every open run that fits the same outcome, decided as if its worker had said it. Returns how many.

    `declared` is what types declare, for those who end the runs of a dead node.
    """
    rows = session.document("open_runs", _open_runs, batch=batch, node=node, asked_before=asked_before)
    by_node: dict[int, list[Finish]] = {}
    for row in rows:
        run = Run() if what is What.RELEASED else Run(started_at=row[10])
        job = _claimed(session, row)
        type = declared.get(job.type)
        ended = decide(job, Outcome(what), run, now, None if type is None else type.after_crashes)
        by_node.setdefault(row[0], []).append(ended)
    for owner, finishes in by_node.items():
        _write(session, owner, finishes, now)
        touch_all(session, keys_told(finishes))
    let_in(session, now)
    return len(rows)


def _claimed(session: Session, row: OpenRun) -> ClaimedJob:
    _, batch, id, number, attempt, lane, crashes, interruptions, most, unique_key, claimed_at, key = row
    return ClaimedJob(
        id,
        number,
        attempt,
        crashes,
        interruptions,
        batch,
        session.lanes().by_number[lane],
        "",
        most,
        None,
        claimed_at,
        None,
        None,
        unique_key,
        (),
        key,
    )


def _write_outcomes(session: Session, node: int, finishes: Sequence[Finish]) -> Written:
    """Write the finishes that win; a repeated own finish neither wins nor loses."""
    batches = sorted({each.batch for each in finishes})
    open_batches = session.document("live_batches", _numbers, node=node, batches=encode(batches).decode())
    live = set(open_batches)
    if len(live) == len(batches) and _insert_all(session, node, finishes):
        return Written(finishes)
    return _insert_unknown(session, node, finishes, live)


def _insert_all(session: Session, node: int, finishes: Sequence[Finish]) -> bool:
    """Insert the outcomes if none of the runs has one yet, which is the rule."""
    session.connection.execute("SAVEPOINT outcomes")
    try:
        session.insert("add_outcomes", [_row(node, each) for each in finishes])
    except sqlite3.IntegrityError:
        session.connection.execute("ROLLBACK TO outcomes")
        return False
    finally:
        session.connection.execute("RELEASE outcomes")
    return True


def _insert_unknown(session: Session, node: int, finishes: Sequence[Finish], live: set[int]) -> Written:
    """Some of these runs have an outcome already, or their claim is gone: tell them apart, write the rest."""
    runs = encode([(each.id, each.number) for each in finishes]).decode()
    known = {
        (id, number): (token, status)
        for id, number, token, status in session.document("known_outcomes", _known, runs=runs)
    }
    fresh: list[Finish] = []
    fenced: set[tuple[str, int]] = set()
    cancelled: set[str] = set()
    for each in finishes:
        run = (each.id, each.number)
        if run in known:
            token, status = known[run]
            if not each.token or token != each.token:
                fenced.add(run)
            elif status is Status.CANCELLED:
                cancelled.add(each.id)
        elif each.batch in live:
            known[run] = (each.token, each.status)
            fresh.append(each)
        else:
            fenced.add(run)
    session.insert("add_outcomes", [_row(node, each) for each in fresh])
    return Written(fresh, frozenset(fenced), frozenset(cancelled))


def _row(node: int, each: Finish) -> tuple[object, ...]:
    return (
        each.id,
        each.number,
        each.what.value,
        each.status.value,
        each.attempt,
        each.batch,
        each.token,
        node,
        each.worker,
        each.started_at,
        each.finished_at,
    )


def _write_sides(session: Session, node: int, fresh: Sequence[Finish]) -> None:
    """Results and errors lie apart, so that outcomes stay narrow."""
    results = [(each.id, each.number, each.result) for each in fresh if each.result is not None]
    session.insert("add_results", [row for row in results if row[2] != "null"])
    failed = [each for each in fresh if each.error is not None]
    if failed:
        note_failures(session, node, failed)


def _count(session: Session, fresh: Sequence[Finish]) -> None:
    for (where, what, status), n in Counter([(each.lane, each.what, each.status) for each in fresh]).items():
        lane = session.lane(*where)
        session.count(lane, "processing", -n)
        session.count(lane, status.value, n)  # a place for jobs that run again, an event for those that have ended
        if what is What.FAILED and status is Status.SCHEDULED:
            session.count(lane, "retried", n)
        if what is What.LOST:
            session.count(lane, "rescued", n)


def _free_keys(session: Session, fresh: Sequence[Finish]) -> None:
    for each in fresh:
        if each.unique_key is not None and each.status in TERMINAL:
            session.run("drop_key", scope=unique_scope(each.lane[1]), key=each.unique_key, job=each.id)


def _place(session: Session, fresh: Sequence[Finish], now: int) -> tuple[bool, int | None]:
    """Give jobs that run again their next place. Returns whether one is ready, and the earliest that is due."""
    earliest: int | None = None
    readied = False
    back = ended(session, fresh)
    held: list[Standing] = []
    for each in fresh:
        if each.status in TERMINAL:
            continue
        lane = session.lane(*each.lane)
        carried = (each.number, each.attempt, each.crashes, each.interruptions, each.care)
        if each.status is Status.SCHEDULED:
            due = max(now, each.run_at or now)
            if each.key is None:
                session.insert("add_later", [(due, each.id, lane, *carried)])
            else:
                session.insert("add_keyed_later", [(due, each.id, lane, *carried, each.key)])
            earliest = due if earliest is None else min(earliest, due)
            continue
        readied = True
        if each.moves_to is not None:
            lane = _move_to(session, each.id, lane, each.moves_to)
        if each.key is not None and each.id in back:
            held.append(Standing(each.key, each.id, lane, carried, place=back[each.id]))
            session.count(lane, "pending", -1)
        else:
            session.insert("add_ready", [(lane, session.arrivals(lane, 1, now), each.id, *carried)])
    stand(session, held)
    return readied, earliest


def _move_to(session: Session, id: str, lane: int, queue: str) -> int:
    """Note that a job is pending in another queue than it was claimed from. Returns its lane there."""
    was = session.lanes().by_number[lane]
    number = session.lane(queue, was.type, was.priority)
    session.count(lane, "pending", -1)
    session.count(number, "pending")
    session.run("place_bodies", moves=encode([(id, number)]).decode(), run_at=None)
    return number
