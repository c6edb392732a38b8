"""Outcomes: each fenced by (id, number), the first one wins; then the job's next place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from ferryman.domain import state
from ferryman.domain.errors import StoreFailed
from ferryman.domain.job import ClaimedJob, JobError, Lane
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.gating import keys_told
from ferryman.store.grouping import about
from ferryman.store.postgres import claiming
from ferryman.store.postgres.columns import if_any, numbers, words
from ferryman.store.postgres.ended import EndedRuns
from ferryman.store.postgres.inserting import insert_judged, unique_scope
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Ask, Row, Steps
from ferryman.store.protocol import Declaration, FinishReport

encode: Final = msgspec.json.Encoder().encode


class Written(NamedTuple):
    """What became of finishes: those written now, the runs that were fenced, the ids that ended cancelled instead."""

    fresh: Sequence[Finish]
    fenced: frozenset[tuple[str, int]] = frozenset()
    cancelled: frozenset[str] = frozenset()


def check(finishes: Sequence[Finish]) -> None:
    """Refuse what the table of states does not have. Raises IllegalTransition."""
    for status in {each.status for each in finishes}:
        state.check_end(status)


class Settled(NamedTuple):
    """The answer to a finish, and what it leaves to be done at the gates of keys."""

    report: FinishReport
    keys: frozenset[str]
    """Those whose gates are to be looked at."""


def finish_briskly(lanes: Lanes, runs: EndedRuns, node: int, finishes: Sequence[Finish], now: int) -> Steps[Settled]:
    """Write outcomes in one statement, to be committed by itself. Those whose claim is gone are told apart afterwards.

    Raises:
        AlreadyThere: a run has an outcome already; nothing was written.
    """
    ended = runs.counting(finishes)
    wrote = yield from write(lanes, node, finishes, now, ended, hands_over=True)
    runs.written(ended, wrote.live, wrote.closed)
    fresh, rest = finishes, list[Finish]()
    if not wrote.live.issuperset(ended):
        fresh = [each for each in finishes if each.batch in wrote.live]
        rest = [each for each in finishes if each.batch not in wrote.live]
    written = Written(fresh, cancelled=wrote.obeyed)
    if rest:
        others = yield from sorted_out(rest, set())
        written = Written([*fresh, *others.fresh], others.fenced, others.cancelled | wrote.obeyed)
    told = report(finishes, written, now).having_let_in(wrote.handed_over)
    return Settled(told, wrote.look.union(keys_told(rest)))


def finish_carefully(lanes: Lanes, node: int, finishes: Sequence[Finish], now: int) -> Steps[FinishReport]:
    """Write the outcomes that win, and their follow-ups. To be driven in a transaction.

    No slot is handed over: whoever says so lets in afterwards, as here it would lock gates until the commit.
    """
    batches = sorted({each.batch for each in finishes})
    live = {row[0] for row in (yield Ask("lock_batches", (node, batches)))}
    written = yield from sorted_out(finishes, live)
    if written.fresh:
        wrote = yield from write(lanes, node, written.fresh, now, dict.fromkeys(batches, 0), hands_over=False)
        yield Ask("close_batches", (node, batches))
        yield from _move(lanes, (each for each in written.fresh if each.id not in wrote.obeyed))
        written = written._replace(cancelled=written.cancelled | wrote.obeyed)
    told = report(finishes, written, now)
    follow_ups = [job for each in written.fresh for job in each.follow_ups]
    if not follow_ups:
        return told
    # the keys of the ended jobs are free by now
    receipts = yield from insert_judged(lanes, follow_ups, now, 0)
    return told.with_follow_ups(follow_ups, receipts, now)


def targets(finishes: Iterable[Finish]) -> dict[tuple[str, str, int], list[str]]:
    """The lanes to which jobs move, and their ids."""
    found: dict[tuple[str, str, int], list[str]] = {}
    for each in finishes:
        if each.moves_to is not None:
            found.setdefault((each.moves_to, each.lane[1], each.lane[2]), []).append(each.id)
    return found


def _move(lanes: Lanes, finishes: Iterable[Finish]) -> Steps[None]:
    """Put jobs that are pending or wait again, as this transaction has written, into the queues to which they move."""
    for lane, ids in targets(finishes).items():
        yield Ask("move", (ids, lanes.number(*lane)))


def sorted_out(finishes: Sequence[Finish], live: set[int]) -> Steps[Written]:
    """Tell apart what may be written, what was written before by itself, and what is fenced."""
    rows = yield Ask("known_outcomes", ([each.id for each in finishes], [each.number for each in finishes]))
    known = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    fresh: list[Finish] = []
    fenced: set[tuple[str, int]] = set()
    cancelled: set[str] = set()
    for each in finishes:
        run = (each.id, each.number)
        if run in known:
            token, status = known[run]
            if not each.token or token != each.token:
                fenced.add(run)
            elif status == Status.CANCELLED:
                cancelled.add(each.id)
        elif each.batch in live:
            known[run] = (each.token, each.status)
            fresh.append(each)
        else:
            fenced.add(run)
    return Written(fresh, frozenset(fenced), frozenset(cancelled))


def report(finishes: Sequence[Finish], written: Written, now: int) -> FinishReport:
    """The answer to a finish. What ended cancelled instead was not to run again."""
    again = [each for each in written.fresh if each.status not in TERMINAL and each.id not in written.cancelled]
    due = [max(now, each.run_at or now) for each in again if each.status is Status.SCHEDULED]
    told = written.cancelled
    if told:
        told &= {each.id for each in finishes if each.status not in TERMINAL}
    return FinishReport(
        written.fenced,
        readied=any(each.status is Status.PENDING for each in again),
        scheduled=min(due, default=None),
        cancelled=told,
    )


class Wrote(NamedTuple):
    """What the statement that writes outcomes has to say."""

    live: frozenset[int]
    """The batches that were there: only of these runs anything was written."""
    closed: Sequence[int]
    """Those of them that are done."""
    obeyed: frozenset[str]
    """The ids of jobs that ended cancelled instead."""
    handed_over: int = 0
    """How many slots."""
    look: frozenset[str] = frozenset()
    """The keys that have slots free: their gates are to be looked at."""


def write(
    lanes: Lanes, node: int, finishes: Sequence[Finish], now: int, ended: dict[int, int], *, hands_over: bool
) -> Steps[Wrote]:
    """The statement itself.

    Args:
        ended: how many runs of each of their batches have ended with these.
        hands_over: whether the slots of keys are handed over to those who wait.
    """
    columns = _columns(lanes, node, finishes, now, ended)
    if any(each.key is not None for each in finishes):
        (row,) = yield Ask("finish_with_keys", (*columns, [each.key for each in finishes], hands_over))
        return Wrote(frozenset(row[0]), row[1], frozenset(row[2]), row[3], frozenset(row[4]))
    (row,) = yield Ask("finish", columns)
    return Wrote(frozenset(row[0]), row[1], frozenset(row[2]))


def _columns(lanes: Lanes, node: int, finishes: Sequence[Finish], now: int, ended: dict[int, int]) -> tuple[Any, ...]:
    lane = lanes.number
    goes_on = not TERMINAL.issuperset([each.status for each in finishes])
    again = finishes if goes_on else ()
    failures = if_any([None if each.error is None else encode(each.error).decode() for each in finishes])
    return (
        node,
        now,
        numbers(list(ended)),
        numbers(list(ended.values())),
        [each.id for each in finishes],
        numbers([each.number for each in finishes]),
        numbers([each.batch for each in finishes]),
        words([each.what for each in finishes]),
        words([each.status for each in finishes]),
        numbers([each.attempt for each in finishes]),
        numbers([each.token for each in finishes]),
        numbers([each.worker for each in finishes]),
        numbers([each.started_at for each in finishes]),
        numbers([each.finished_at for each in finishes]),
        numbers([lane(*each.lane) for each in finishes]),
        numbers([each.crashes for each in again]),
        numbers([each.interruptions for each in again]),
        numbers([int(each.care) for each in again]),
        numbers([each.run_at for each in again]),
        if_any([None if each.result == "null" else each.result for each in finishes]),
        failures,
        if_any([None if each.unique_key is None else unique_scope(each.lane[1]) for each in finishes]),
        if_any([each.unique_key for each in finishes]),
        if_any([None if each.group is None else about(each.group) for each in finishes]) if failures else [],
    )


class OpenRun(NamedTuple):
    """A run of a claim row that has no outcome."""

    node: int
    batch: int
    id: str
    number: int
    attempt: int
    lane: int
    crashes: int
    interruptions: int
    max_attempts: int | None
    """None: its body is gone."""
    unique_key: str | None
    claimed_at: int
    key: str | None


def open_runs(
    batch: int | None = None, node: int | None = None, asked_before: int | None = None
) -> Steps[list[OpenRun]]:
    """The open runs that fit."""
    rows: Sequence[Row] = yield Ask("open_runs", (batch, node, asked_before))
    return [OpenRun._make(row) for row in rows]


def ended(run: OpenRun, lane: Lane, what: What, now: int, declared: Declaration | None) -> Finish:
    """What to write for an open run, decided as if its worker had said it; `declared` is what its type declares."""
    job = ClaimedJob(
        run.id,
        run.number,
        run.attempt,
        run.crashes,
        run.interruptions,
        run.batch,
        lane,
        "",
        run.attempt if run.max_attempts is None else run.max_attempts,
        None,
        run.claimed_at,
        None,
        None,
        run.unique_key,
        (),
        run.key,
    )
    ran = Run() if what is What.RELEASED else Run(started_at=run.claimed_at)
    return decide(job, Outcome(what), ran, now, None if declared is None else declared.after_crashes)


def bodiless(batch: int, run: claiming.Run, lane: Lane, now: int) -> Finish:
    """The end of a claimed job whose body is gone: nobody can run it, and it must not be claimed for ever."""
    job = ClaimedJob(
        run.id,
        run.number,
        run.attempt,
        run.crashes,
        run.interruptions,
        batch,
        lane,
        "",
        run.attempt,
        None,
        now,
        None,
        None,
        None,
        (),
    )
    error = JobError(StoreFailed.code, "StoreFailed", "The body of the job is not in the database any more.")
    return decide(job, Outcome(What.FAILED, error=error, retryable=False), Run(), now)
