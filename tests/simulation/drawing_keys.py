"""Draws the keys of a seed: whose gates jobs come before, what these keep to, and what people say about them."""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace

from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.limits import Scope
from tests.simulation.plan import FAULTS_END, TYPES, GatePlan, JobPlan, KeyPlan, Plan, RulePlan, Step
from tests.simulation.together import FOLLOW

KEYED = 0.4
"""The share of seeds in which jobs have keys."""
FAILING = 0.2
"""The share of jobs with keys that fail for good: sequences wait for people then."""
RULES = (
    GateRule(strict=True),
    GateRule(strict=True),
    GateRule(strict=True, on_failure=OnFailure.PASS),
    GateRule(concurrency=1),
    GateRule(concurrency=2),
    GateRule(concurrency=3),
)
GATES = ("pause", "resume", "pass", "pass", "retry", "retry", "cancel", "cancel")
"""What people say about keys, .."""
RULED = (*GATES, "set", "set", "set", "unset")
""".. and where they have rules in mind, too."""


def with_keys(plan: Plan, dice: random.Random) -> Plan:
    """The plan with keys for some of its jobs, or as it was. No other dice are thrown for them."""
    if dice.random() >= KEYED:
        return plan
    names = dice.choice((("a",), ("a", "b"), ("a", "b", "c")))
    usual, share = _rule(dice), dice.choice((0.3, 0.6))
    alike = dice.choice((1.0, 0.8)) if usual.rate is None else 1.0
    gates = tuple(GatePlan(type, usual if dice.random() < alike else _rule(dice)) for type in (*TYPES, FOLLOW))
    whats: Any = dice.choice((GATES, RULED))
    wishes = [_wish(dice, dice.choice(names), dice.choice(whats)) for _ in range(dice.choice((0, 4, 8, 16)))]
    jobs = tuple(_keyed(dice, job, names, share) for job in plan.jobs)
    stand = usual.rate is not None and dice.random() < 0.5
    return replace(
        plan,
        jobs=jobs,
        rules=(_pause(dice, jobs), *plan.rules) if stand else plan.rules,
        gates=gates,
        keys=tuple(sorted(wishes, key=lambda wish: wish.at)),
        keys_stay=dice.random() < 0.6,
    )


def _pause(dice: random.Random, jobs: tuple[JobPlan, ...]) -> RulePlan:
    """The pause of a queue: jobs that were let in stand there unclaimed, and are claimed all at once when it ends."""
    keyed = [job for job in jobs if job.key is not None]
    return RulePlan(0.1, Scope.QUEUE, dice.choice(keyed or jobs).queue, True)


def _keyed(dice: random.Random, job: JobPlan, names: tuple[str, ...], share: float) -> JobPlan:
    """Callers mint the ids of jobs with keys, so that everybody knows whose they are."""
    if dice.random() >= share:
        return job
    key = dice.choice(names)
    if dice.random() < FAILING:
        return replace(job, key=key, keyed=False, steps=(Step("raise", 0.01),), max_attempts=dice.choice((1, 2)))
    steps = tuple(_followed(dice, step, key) for step in job.steps)
    return replace(job, key=key, keyed=False, steps=steps)


def _followed(dice: random.Random, step: Step, key: str) -> Step:
    """Half of all follow-ups have the key of what they follow."""
    return replace(step, follow_ups=tuple(replace(f, key=dice.choice((key, None))) for f in step.follow_ups))


def _rule(dice: random.Random) -> GateRule:
    if dice.random() < 0.65:
        return dice.choice(RULES)
    rate = GateRule(rate=dice.choice((0.5, 1.0, 3.0)), burst=dice.choice((1, 2, 4)))
    return replace(rate, concurrency=dice.choice((None, None, 2)))


def _wish(dice: random.Random, key: str, what: Any) -> KeyPlan:
    at = 0.05 if dice.random() < 0.1 else dice.random() * FAULTS_END
    return KeyPlan(at, key, what, _rule(dice) if what == "set" else None, dice.randrange(1000))
