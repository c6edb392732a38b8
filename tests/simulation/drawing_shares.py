"""Draws the shares of a seed: keys that take turns, with more jobs than can run at once."""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace

from ferryman.domain.keys import GateRule
from tests.simulation.plan import FAULTS_END, TYPES, GatePlan, JobPlan, KeyPlan, Plan, Step
from tests.simulation.together import FOLLOW

SHARING = 0.5
"""The share of seeds with keys in which these take turns."""
TENANTS = ("t", "u", "v")
"""Keys whose jobs come in crowds. Those that other jobs have take turns with them."""
WAVES = (0.3, 0.3, 0.35, 0.6, 1.0, 2.0)
"""When a crowd may come: mostly while another one waits."""


def with_shares(plan: Plan, dice: random.Random) -> Plan:
    """The plan with shares for its keys, or as it was. No other dice are thrown for them."""
    if not plan.gates or dice.random() >= SHARING:
        return plan
    usual = GateRule(share=dice.choice((1, 1, 2, 3)), concurrency=dice.choice((None, None, None, 1, 3)))
    names = TENANTS[: dice.choice((2, 3))]
    like = dice.choice(plan.jobs)
    crowds = tuple(job for key in names for _ in range(dice.choice((1, 1, 2))) for job in _jobs(dice, like, key))
    first = [KeyPlan(0.15, key, "set", _other(dice, usual)) for key in names if dice.random() < 0.5]
    later = [_wish(dice, dice.choice(names), usual) for _ in range(dice.choice((0, 0, 1, 4)))]
    return replace(
        plan,
        workers=dice.choice((1, 2, 3)),
        capacity=dice.choice((1, 2, 5)),
        max_pending=0,
        jobs=(*plan.jobs, *crowds),
        gates=tuple(GatePlan(type, usual) for type in (*TYPES, FOLLOW)),
        keys=tuple(sorted((*first, *plan.keys, *later), key=lambda wish: wish.at)),
    )


def _jobs(dice: random.Random, like: JobPlan, key: str) -> list[JobPlan]:
    """Those of one key come all at once, or one by one."""
    crowd = _crowd(dice, like, key)
    if dice.random() < 0.7:
        return [crowd]
    every = dice.choice((0.02, 0.1))
    return [replace(crowd, at=crowd.at + number * every, burst=1) for number in range(min(crowd.burst, 12))]


def _crowd(dice: random.Random, like: JobPlan, key: str) -> JobPlan:
    """Many jobs of one key, all in one lane."""
    return JobPlan(
        at=dice.choice(WAVES) + dice.random() * 0.02,
        steps=(Step("return", dice.choice((0.0, 0.01, 0.05))),),
        type=like.type,
        queue=like.queue,
        priority=like.priority,
        max_attempts=dice.choice((1, 3, 5)),
        key=key,
        burst=dice.choice((3, 6, 12, 20)),
    )


def _other(dice: random.Random, usual: GateRule) -> GateRule:
    """What a person gives one key instead."""
    return replace(usual, share=dice.choice((1, 2, 3)))


def _wish(dice: random.Random, key: str, usual: GateRule) -> KeyPlan:
    """A person gives a key another share, takes it away, or closes its gate for a while."""
    what: Any = dice.choice(("set", "set", "set", "unset", "pause", "resume"))
    rule = dice.choice((_other(dice, usual), replace(usual, share=None))) if what == "set" else None
    return KeyPlan(dice.random() * FAULTS_END, key, what, rule)
