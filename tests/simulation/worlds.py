"""Worlds in which one thing happens in every seed; what else happens is drawn as ever."""

from __future__ import annotations

import msgspec

from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from tests.simulation.drawing import draw
from tests.simulation.plan import TYPES, FaultPlan, GatePlan, JobPlan, Kind, Plan, RulePlan, Step, World
from tests.simulation.together import FOLLOW

QUEUE = "default"
MILD = frozenset({"fail", "slow", "step", "beats"})
"""Faults that leave the others able to find out that somebody is frozen."""


def draw_in(world: World | None, seed: int, store: Kind | None = None) -> Plan:
    """The plan of a seed in a world; in none of them, where there is no other."""
    plan = draw(seed, store, keys=world is None)
    match world:
        case "holder":
            return with_holder(plan)
        case "key-holder":
            return with_key_holder(plan)
        case None:
            return plan


def with_holder(plan: Plan) -> Plan:
    """One job at a time over all nodes; who runs it is frozen for longer than its lease, while others look on."""
    one = tuple(RulePlan(at, Scope.QUEUE, QUEUE, Limit(1)) for at in (0.0, 0.1, 0.2))
    return msgspec.structs.replace(_with_frozen(plan, None), rules=one)


def with_key_holder(plan: Plan) -> Plan:
    """The same where all jobs have one key, whose gate says so: a sequence in half of the seeds."""
    one = GateRule(strict=True) if plan.seed % 2 else GateRule(concurrency=1)
    gates = tuple(GatePlan(type, one) for type in (*TYPES, FOLLOW))
    # without what has no key, or somebody may be frozen who runs just that
    alone = msgspec.structs.replace(_with_frozen(plan, "a"), rules=(), crowds=(), schedules=())
    return msgspec.structs.replace(alone, gates=gates, keys_stay=plan.limits_stay)


def _with_frozen(plan: Plan, key: str | None) -> Plan:
    """Whoever runs the first job, which is long, is frozen with it; all other jobs stand behind it."""
    nodes = [role for role in plan.roles if role != "client"]
    freeze = FaultPlan(at=0.45, what="hold up", which=0, seconds=4.0)
    steps = (Step("return", plan.lease * 3), Step("return", 0.0))
    long = JobPlan(at=0.4, steps=steps, type=TYPES[0], queue=QUEUE, priority=0, max_attempts=5, key=key)
    return msgspec.structs.replace(
        plan,
        roles=plan.roles if len(nodes) > 1 else (*plan.roles, "server"),
        jobs=(*(_behind(job, key) for job in plan.jobs), long),
        lease=min(plan.lease, 1.5),
        faults=(freeze, *(fault for fault in plan.faults if fault.what in MILD)),
        outages=(),
    )


def _behind(job: JobPlan, key: str | None) -> JobPlan:
    """With a key callers mint the ids, as ever."""
    return msgspec.structs.replace(job, queue=QUEUE, at=max(job.at, 0.6), key=key, keyed=job.keyed and key is None)
