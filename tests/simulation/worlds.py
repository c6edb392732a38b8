"""Worlds in which one thing happens in every seed; what else happens is drawn as ever."""

from __future__ import annotations

import msgspec

from ferryman.domain.limits import Limit, Scope
from tests.simulation.drawing import draw
from tests.simulation.plan import TYPES, FaultPlan, JobPlan, Kind, Plan, RulePlan, Step, World

QUEUE = "default"
MILD = frozenset({"fail", "slow", "step", "beats"})
"""Faults that leave the others able to find out that somebody is frozen."""


def draw_in(world: World | None, seed: int, store: Kind | None = None) -> Plan:
    """The plan of a seed in a world; in none of them, where there is no other."""
    plan = draw(seed, store)
    return plan if world is None else with_holder(plan)


def with_holder(plan: Plan) -> Plan:
    """One job at a time over all nodes; who runs it is frozen for longer than its lease, while others look on."""
    nodes = [role for role in plan.roles if role != "client"]
    freeze = FaultPlan(at=0.45, what="hold up", which=0, seconds=4.0)
    steps = (Step("return", plan.lease * 3), Step("return", 0.0))
    long = JobPlan(at=0.4, steps=steps, type=TYPES[0], queue=QUEUE, priority=0, max_attempts=5)
    return msgspec.structs.replace(
        plan,
        roles=plan.roles if len(nodes) > 1 else (*plan.roles, "server"),
        jobs=(*(msgspec.structs.replace(job, queue=QUEUE, at=max(job.at, 0.6)) for job in plan.jobs), long),
        lease=min(plan.lease, 1.5),
        rules=tuple(RulePlan(at, Scope.QUEUE, QUEUE, Limit(1)) for at in (0.0, 0.1, 0.2)),
        faults=(freeze, *(fault for fault in plan.faults if fault.what in MILD)),
        outages=(),
    )
