"""Shortens a failing plan: leaves out whatever is not needed for the same promise to break."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tests.simulation.outcome import judge
from tests.simulation.plan import Plan

BUDGET = 150
"""Runs that a shortening may take."""
PARTS = ("schedules", "outages", "faults", "people", "rules", "keys", "crowds", "jobs")


def shrink(plan: Plan, promise: str) -> Plan:
    """A plan with as few faults, people and jobs as still break the promise."""
    budget = BUDGET
    for part in PARTS:
        size = max(1, len(getattr(plan, part)) // 2)
        while size and budget > 0:
            kept: Sequence[Any] = getattr(plan, part)
            shorter = None
            for start in range(0, len(kept), size):
                if part == "jobs" and not any(job.burst for job in kept[start : start + size]):
                    continue
                budget -= 1
                attempt = _without(plan, part, start, size)
                if budget > 0 and _breaks(attempt, promise):
                    shorter = attempt
                    break
            if shorter is not None:
                plan = shorter
            else:
                size //= 2
    return plan


def _without(plan: Plan, part: str, start: int, size: int) -> Plan:
    """Leave some out. A job's place in the list is its name in payloads, so a job stays, but is never asked for."""
    kept: tuple[Any, ...] = getattr(plan, part)
    if part != "jobs":
        return msgspec.structs.replace(plan, **{part: kept[:start] + kept[start + size :]})
    silenced = (msgspec.structs.replace(job, burst=0) for job in kept[start : start + size])
    return msgspec.structs.replace(plan, jobs=kept[:start] + tuple(silenced) + kept[start + size :])


def _breaks(plan: Plan, promise: str) -> bool:
    return any(violation.promise == promise for violation in judge(plan)[0].violations)
