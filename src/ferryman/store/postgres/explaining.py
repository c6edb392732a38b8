"""What stands before a job."""

from __future__ import annotations

from ferryman.domain.limits import Bucket, Use, limiting
from ferryman.store.explaining import AHEAD_MOST, HOLDERS_SHOWN, Held, Whereabouts
from ferryman.store.postgres import lanes as known_lanes
from ferryman.store.postgres.keys import page
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.people import standing
from ferryman.store.postgres.rules import Rules, names, read
from ferryman.store.postgres.steps import Ask, Steps


def whereabouts(id: str) -> Steps[Whereabouts | None]:
    """Those ahead of it, and the limits that it is under. To be driven with one snapshot."""
    job = yield from standing(id)
    if job is None:
        return None
    lanes = Lanes()
    yield from known_lanes.read(lanes)
    rules = limiting((yield from read(Rules())), {job.lane: lanes.by_number[job.lane]})
    ((ahead,),) = yield Ask("ahead", (id, AHEAD_MOST + 1))
    buckets = {(row[0], row[1]): Bucket(row[2], row[3]) for row in (yield Ask("rule_levels", names(rules)))}
    limits: list[Held] = []
    for rule in rules:
        covered = [number for number, lane in lanes.by_number.items() if rule.covers(lane)]
        processing = sum(row[1] for row in (yield Ask("processing", (covered,))))
        holders = yield Ask("holders", (covered, HOLDERS_SHOWN))
        use = Use(rule, buckets[rule.scope, rule.name], processing)
        limits.append(Held(use, [row[0] for row in holders]))
    found = () if job.key is None else (yield from page(job.key, job.key, "", 1))
    return Whereabouts(ahead, limits, next(iter(found), None))
