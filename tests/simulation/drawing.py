"""Draws the plan of a seed: how often anything happens is decided here, and nowhere else."""

from __future__ import annotations

import random

import msgspec

from ferryman.domain.cron import Missed
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.schedule import Overlap
from tests.simulation.drawing_keys import with_keys
from tests.simulation.drawing_shares import with_shares
from tests.simulation.plan import (
    FAULTS_END,
    QUEUES,
    TYPES,
    Act,
    CrowdPlan,
    FaultPlan,
    FollowUp,
    JobPlan,
    Kind,
    OutagePlan,
    PersonPlan,
    Plan,
    Role,
    RulePlan,
    SchedulePlan,
    ServerPlan,
    Step,
)

RARE: tuple[Act, ...] = (
    "retry",
    "snooze",
    "cancel",
    "hang",
    "follow",
    "swallow",
    "exit",
    "die",
    "die",
    "block",
    "stubborn",
)


ON_POSTGRES = 1 / 3
"""The share of seeds on the model of PostgreSQL."""
RULED = 0.4
"""The share of seeds in which people set rules."""


def draw(seed: int, store: Kind | None = None, *, keys: bool = True) -> Plan:
    """The plan of a seed; a third of them on each store unless `store` says which. Without `keys` no job has one.

    Which seeds are on the model of PostgreSQL, and what happens only there, comes from dice of their own: everything
    else of a seed is the same on every store. Rules, schedules, keys and shares have their own dice, too.
    """
    dice = random.Random(f"plan {seed}")
    kind: Kind = dice.choice(("memory", "sqlite"))
    if random.Random(f"store {seed}").random() < ON_POSTGRES:
        kind = "postgres"
    plan = _with_schedules(_draw(seed, store or kind, dice), random.Random(f"schedules {seed}"))
    plan = _with_rules(plan, random.Random(f"rules {seed}"))
    if keys:
        plan = with_keys(plan, random.Random(f"keys {seed}"))
    if plan.store == "postgres":
        plan = _with_server(plan, random.Random(f"server {seed}"))
    return with_shares(plan, random.Random(f"shares {seed}"))


def _draw(seed: int, store: Kind, dice: random.Random) -> Plan:
    beat = dice.choice((0.3, 0.5))
    return Plan(
        seed=seed,
        store=store,
        roles=_roles(dice),
        workers=dice.choice((1, 2, 3, 5, 10)),
        capacity=dice.choice((1, 2, 5, 20)),
        lease=beat * dice.choice((3, 4, 5)),
        beat=beat,
        stop_deadline=dice.choice((0.0, 0.3, 1.0, 3.0)),
        grace=dice.choice((0.1, 0.5)),
        stall=dice.choice((0.6, 1.5, 4.0)),
        transaction_timeout=dice.choice((0.25, 0.5)),
        max_pending=dice.choice((0, 0, 0, 0, 5, 12)),
        shares=dice.choice((None, None, None, (("default", None), ("slow", 1)))),
        trip=dice.choice((0.0, 0.001, 0.001, 0.02)),
        hiccup=dice.choice((0.0, 0.02, 0.1)),
        deaf=dice.choice((0.0, 0.1, 1.0)),
        skew=dice.choice((0.0, 0.0, 1.5)),
        jobs=_jobs(dice),
        people=_people(dice),
        faults=_faults(dice),
        last_kill=dice.random() < 0.3,
    )


def _roles(dice: random.Random) -> tuple[Role, ...]:
    """Mostly two or three nodes, sometimes one, and processes that only enqueue."""
    nodes: list[Role] = [dice.choice(("server", "server", "worker")) for _ in range(dice.choice((1, 2, 2, 2, 3, 3, 4)))]
    if "server" not in nodes or dice.random() < 0.3:
        nodes.append("client")
    return tuple(nodes)


def _when(dice: random.Random) -> float:
    """Some time before faults end; crowds are likelier than an even spread."""
    if dice.random() < 0.3:
        return dice.choice((0.3, 0.8, 1.5)) + dice.random() * 0.02
    return dice.random() * FAULTS_END


# -- jobs ----------------------------------------------------------------------------------------------


def _jobs(dice: random.Random) -> tuple[JobPlan, ...]:
    lanes = dice.choice((1, 2, 4))
    kinds = [(dice.choice(TYPES), dice.choice(QUEUES), dice.choice((0, 5, 5, 9))) for _ in range(lanes)]
    return tuple(sorted((_job(dice, kinds) for _ in range(dice.randrange(10, 30))), key=lambda job: job.at))


def _job(dice: random.Random, kinds: list[tuple[str, str, int]]) -> JobPlan:
    type, queue, priority = dice.choice(kinds)
    steps = tuple(_step(dice) for _ in range(dice.choice((1, 1, 2, 3))))
    if steps[-1].act in ("snooze", "stubborn", "block", "swallow"):
        steps = (*steps, Step("return", 0.0))  # what repeats must come to an end
    patience = any(step.act == "hang" for step in steps)
    plain = dice.random() < 0.7
    return JobPlan(
        at=_when(dice),
        steps=steps,
        type=type,
        queue=queue,
        priority=priority,
        max_attempts=dice.choice((1, 2, 3, 5)),
        timeout=dice.choice((0.3, 1.0)) if patience else dice.choice((None, None, 2.0)),
        delay=None if plain else dice.choice((0.001, 0.4, 2.0)),
        expires=dice.choice((0.2, 2.0)) if dice.random() < 0.08 else None,
        unique_key=dice.choice(("k", "l")) if dice.random() < 0.2 else None,
        keyed=dice.random() < 0.3,
        again=dice.choice((0.01, 1.0, 3.0)) if dice.random() < 0.2 else None,
        burst=dice.choice((2, 5)) if dice.random() < 0.15 else 1,
    )


def _step(dice: random.Random) -> Step:
    act = _act(dice)
    # who blocks its loop may lose its claim, and with it what it would have brought
    brings = dice.random() < (0.5 if act.act == "block" else 0.12)
    follow_ups = tuple(_follow_up(dice) for _ in range(dice.choice((1, 1, 2)))) if brings else ()
    block = dice.choice((0.0, 0.0, 0.01, 0.2, 0.7)) if dice.random() < 0.12 else None
    return msgspec.structs.replace(act, follow_ups=follow_ups, block=block)


def _follow_up(dice: random.Random) -> FollowUp:
    return FollowUp(
        delay=dice.choice((0.01, 1.0)) if dice.random() < 0.25 else None,
        unique_key=dice.choice(("k", "l")) if dice.random() < 0.35 else None,
        more=dice.choice((0, 0, 0, 1)),
    )


def _act(dice: random.Random) -> Step:
    seconds = dice.choice((0.0, 0.0, 0.01, 0.2, dice.random() * 2))
    rare = dice.random()
    if rare < 0.50:
        return Step("return", seconds)
    if rare < 0.66:
        return Step("raise", seconds)
    act = dice.choice(RARE)
    if act == "block":
        seconds = dice.choice((0.2, 1.0, 2.0, 5.0))
    return Step(act, seconds)


# -- people --------------------------------------------------------------------------------------------


def _people(dice: random.Random) -> tuple[PersonPlan, ...]:
    found = [
        PersonPlan(
            _when(dice) + dice.choice((0.0, 1.0)),
            dice.choice(("cancel", "cancel", "retry", "retry", "look")),
            dice.randrange(1000),
        )
        for _ in range(dice.randrange(16))
    ]
    return tuple(sorted(found, key=lambda person: person.at))


# -- rules ---------------------------------------------------------------------------------------------


def _with_rules(plan: Plan, dice: random.Random) -> Plan:
    factor = dice.choice((0, 1, 2, 5, 100))
    count = dice.choice((1, 2, 4, 8)) if dice.random() < RULED else 0
    about = [_ruled(dice, dice.choice(plan.jobs)) for _ in range(dice.choice((1, 2, 2)))]
    rules = sorted((_rule(dice, *dice.choice(about)) for _ in range(count)), key=lambda rule: rule.at)
    return msgspec.structs.replace(plan, rules=tuple(rules), limits_stay=dice.random() < 0.4, priority_factor=factor)


def _ruled(dice: random.Random, job: JobPlan) -> tuple[Scope, str]:
    """What rules are for: several for the same queue or type say more than one for each."""
    return dice.choice(((Scope.QUEUE, job.queue), (Scope.TYPE, job.type)))


def _rule(dice: random.Random, scope: Scope, name: str) -> RulePlan:
    at = 0.1 if dice.random() < 0.4 else _when(dice)
    return RulePlan(at, scope, name, dice.choice((True, False, _limit(dice), _limit(dice), _limit(dice), Limit())))


def _limit(dice: random.Random) -> Limit:
    concurrency = dice.choice((1, 1, 2, 3, None))
    if concurrency is not None and dice.random() < 0.6:
        return Limit(concurrency)
    return Limit(concurrency, dice.choice((0.5, 3.0, 10.0, 40.0)), dice.choice((1, 2, 5)))


# -- faults --------------------------------------------------------------------------------------------

WEIGHTS = {
    "kill": 4,
    "die at": 4,
    "stop": 2,
    "stop at": 3,
    "pause": 3,
    "block": 2,
    "step": 2,
    "fail": 6,
    "slow": 4,
    "outage": 1,
    "beats": 1,
}
VERBS = {
    "insert": 3,
    "claim": 2,
    "finish": 5,
    "cancel": 1,
    "promote": 1,
    "rescue": 1,
    "register": 1,
    "retire": 1,
    "release": 1,
    "open_batches": 1,
    "cancellations": 1,
    "retry": 1,
    "begin": 1,
    "commit": 4,
}
"""Calls of the store that fail, and how much more often than others."""


def _faults(dice: random.Random) -> tuple[FaultPlan, ...]:
    """A seed has a few kinds of fault, and several of each."""
    kinds = dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=dice.choice((0, 2, 4, 5, 6, 7)))
    found = [_fault(dice, kind) for kind in kinds for _ in range(dice.choice((1, 1, 2, 3)))]
    return tuple(sorted(found, key=lambda fault: fault.at))


def _fault(dice: random.Random, what: str) -> FaultPlan:
    seconds = {
        "pause": dice.choice((0.1, 1.0, 2.0, 4.0)),
        "block": dice.choice((0.3, 1.0, 2.0, 4.0)),
        "step": dice.choice((-3600.0, -20.0, -2.0, 0.5, 5.0, 600.0)),
        "outage": dice.choice((0.3, 2.0, 5.0)),
    }.get(what, 0.0)
    return FaultPlan(
        at=_when(dice),
        what=what,  # type: ignore[arg-type]
        which=dice.randrange(1000),
        seconds=seconds,
        steps=dice.randrange(60),
        verb=dice.choices(list(VERBS), list(VERBS.values()))[0],
        after=dice.random() < 0.6,
        times=dice.choice((1, 1, 2, 4, 6)),
    )


# -- schedules -------------------------------------------------------------------------------------------

WITH_SCHEDULES = 1 / 4
"""The share of seeds that have any. They come from dice of their own, so that the others are as they were."""


def _with_schedules(plan: Plan, dice: random.Random) -> Plan:
    if dice.random() >= WITH_SCHEDULES:
        return plan
    faults = [
        FaultPlan(
            at=_when(dice),
            what=dice.choice(("fail", "slow", "die at", "stop at")),
            which=dice.randrange(1000),
            steps=dice.randrange(60),
            verb="fire",
            after=dice.random() < 0.6,
            times=dice.choice((1, 2)),
        )
        for _ in range(dice.randrange(5))
    ]
    return msgspec.structs.replace(
        plan,
        schedules=tuple(_schedule(dice, n) for n in range(dice.choice((1, 1, 2)))),
        faults=tuple(sorted([*plan.faults, *faults], key=lambda fault: fault.at)),
    )


def _schedule(dice: random.Random, number: int) -> SchedulePlan:
    return SchedulePlan(
        name=f"s{number}",
        expression=dice.choice(("* * * * * *", "*/2 * * * * *")),
        missed=dice.choice(tuple(Missed)),
        overlap=dice.choice(tuple(Overlap)),
    )


# -- a server --------------------------------------------------------------------------------------------


def _with_server(plan: Plan, dice: random.Random) -> Plan:
    return msgspec.structs.replace(
        plan,
        server=ServerPlan(
            late=dice.choice((0.0, 0.05, 0.3)),
            undone=dice.choice((0.0, 0.0, 0.05, 0.2)),
            lost=dice.choice((0.0, 0.0, 0.05, 0.25)),
            rescan=dice.choice((0.3, 1.0, 10.0)),
        ),
        crowds=tuple(_crowd(dice, len(plan.jobs)) for _ in range(dice.choice((0, 1, 2, 3)))),
        outages=tuple(_outage(dice) for _ in range(dice.choice((0, 0, 0, 1, 2)))),
    )


def _crowd(dice: random.Random, jobs: int) -> CrowdPlan:
    return CrowdPlan(
        at=_when(dice),
        count=dice.choice((2, 10, 30)),
        job=dice.randrange(jobs),
        seconds=dice.choice((0.0, 0.5, 1.0, 2.0)),
        undone=dice.random() < 0.25,
    )


def _outage(dice: random.Random) -> OutagePlan:
    return OutagePlan(_when(dice), dice.choice(("restart", "restart", "read-only")), dice.choice((0.01, 0.3, 1.0, 3.0)))
