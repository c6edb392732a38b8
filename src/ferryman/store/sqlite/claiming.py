"""The claim: pending rows become one claim row, durable before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from ferryman.domain.claim import Batch, Care, ClaimRequest, care_of, take
from ferryman.domain.errors import NodeNotLive, StoreFailed
from ferryman.domain.job import ClaimedJob, Lane
from ferryman.domain.limits import NEVER, Again, limiting, open_lanes
from ferryman.store.sqlite.rules import spend, using
from ferryman.store.sqlite.session import Session, encode
from ferryman.store.sqlite.shares import draw
from ferryman.store.views import tags_of

Candidate = tuple[
    int,
    int,
    str,
    int,
    int,
    int,
    int,
    int,
    str,
    int,
    float | None,
    int,
    int | None,
    int | None,
    str | None,
    str | None,
    str | None,
]
"""(lane, arrival, id, number, attempt, crashes, interruptions, care, then the body's columns)"""
_candidates: Final = msgspec.json.Decoder(list[Candidate])


def require_live(session: Session, node: int) -> None:
    """Refuse a node that was rescued or never registered.

    Raises:
        NodeNotLive
    """
    if session.one("live_node", node=node) is None:
        raise NodeNotLive(
            f"Node {node} is not live, so it may not claim.",
            why="It was taken for dead and its claims were given back, or it never registered.",
            hint="It registers again under a new id by itself.",
        )


def claim(session: Session, request: ClaimRequest, now: int) -> Batch:
    """Take what `domain.claim.take` allows from the lanes that the node can run.

    A batch that is open already, because the answer to its claim was lost, is answered with what it still holds.
    """
    require_live(session, request.node)
    held = session.document("held_batch", _candidates, batch=request.batch, node=request.node)
    if held:
        session.lanes()
        return Batch(request.batch, held[0][1], [_claimed(session, request.batch, row) for row in held])
    lanes: Mapping[int, Lane] = {
        number: lane
        for number, lane in session.lanes().by_number.items()
        if lane.type in request.types and (request.queues is None or lane.queue in request.queues)
    }
    rules = session.rules()
    if rules:
        lanes = open_lanes(rules, lanes)
    if session.fair():
        draw(session, lanes, request.limit, care_of(request), now)
    if rules and limiting(rules, lanes):
        return claim_bounded(session, request, lanes, now)
    if not lanes or request.limit <= 0:
        return Batch(request.batch, now, [])
    care = care_of(request)
    found = candidates(session, request, lanes, care)
    positions = take([row[7] for row in found], request.idle, request.alone)
    taken = [found[position] for position in positions]
    if taken:
        _leave_ready(session, taken, whole=len(lanes) == 1 and positions[-1] == len(positions) - 1, care=care)
    return _given(session, request, taken, now, lanes)


def candidates(session: Session, request: ClaimRequest, lanes: Mapping[int, Lane], care: Care) -> list[Candidate]:
    """The first pending jobs of these lanes."""
    if len(lanes) == 1:
        return session.document("lane_candidates", _candidates, lane=next(iter(lanes)), care=care, limit=request.limit)
    asked = encode(list(lanes)).decode()
    return session.document(
        "candidates", _candidates, lanes=asked, care=care, limit=request.limit, by_age=request.by_age
    )


def claim_bounded(session: Session, request: ClaimRequest, lanes: Mapping[int, Lane], now: int) -> Batch:
    """The same where limits bound how much of the lanes may be taken; what is taken is spent in this transaction."""
    bounds = using(session, lanes, request.idle, now)
    asked = [lane for lane in lanes if bounds.most(lane, request.limit) > 0]
    found = session.document(
        "bounded_candidates",
        _candidates,
        lanes=encode(asked).decode(),
        care=care_of(request),
        limit=request.limit,
        by_age=request.by_age,
    )
    admitted = bounds.admit([row[0] for row in found], request.limit)
    positions = take([found[each][7] for each in admitted], request.idle, request.alone)
    taken = [found[admitted[position]] for position in positions]
    if taken:
        _leave_ready(session, taken, whole=False, care=Care.ALONE)
    spend(session, bounds, [row[0] for row in taken])
    return _given(session, request, taken, bounds.claimed_at, lanes, bounds.again([row[0] for row in taken]))


def _given(
    session: Session,
    request: ClaimRequest,
    taken: list[Candidate],
    claimed_at: int,
    lanes: Mapping[int, Lane],
    again: Again = NEVER,
) -> Batch:
    if taken:
        _write_claim(session, request, taken, claimed_at)
    jobs = [_claimed(session, request.batch, row) for row in taken]
    return Batch(request.batch, claimed_at, jobs, len({lane.priority for lane in lanes.values()}) > 1, again)


def _leave_ready(session: Session, taken: list[Candidate], *, whole: bool, care: int) -> None:
    """Delete the ready rows of what was taken; `whole` says that they are one stretch of one lane."""
    if whole:
        gone = session.run("drop_ready_run", lane=taken[0][0], first=taken[0][1], last=taken[-1][1], care=care)
    else:
        gone = session.run("drop_ready", ids=encode([row[2] for row in taken]).decode())
    if gone != len(taken):
        raise StoreFailed(
            f"A claim of {len(taken)} jobs would have removed {gone} rows.", why="The ready table is not sound."
        )
    for lane, count in Counter([row[0] for row in taken]).items():
        session.count(lane, "pending", -count)
        session.count(lane, "processing", count)


def _write_claim(session: Session, request: ClaimRequest, taken: list[Candidate], now: int) -> None:
    jobs = [(row[2], row[3] + 1, row[4] + 1, row[0], row[5], row[6]) for row in taken]
    session.run("add_claim", batch=request.batch, node=request.node, claimed_at=now, jobs=encode(jobs).decode())


def _claimed(session: Session, batch: int, row: Candidate) -> ClaimedJob:
    (
        lane,
        _,
        id,
        number,
        attempt,
        crashes,
        interruptions,
        _,
        payload,
        most,
        timeout,
        created,
        run_at,
        until,
        unique_key,
        tags,
        key,
    ) = row
    return ClaimedJob(
        id,
        number + 1,
        attempt + 1,
        crashes,
        interruptions,
        batch,
        session.known.by_number[lane],
        payload,
        most,
        timeout,
        created,
        run_at,
        until,
        unique_key,
        tags_of.decode(tags) if tags else (),
        key,
    )
