"""What the gates of keys kept to, as far as anybody can tell, and who went through them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.state import Status
from ferryman.testing.history.entries import KeyAnswered, KeyAsked, KeyTook, RunKey
from ferryman.testing.history.index import Index, Request
from ferryman.testing.history.limits import Period, exactly, safely, takings_of

LAST: Final = 2**62
"""Comes after every place."""


class Visit(msgspec.Struct, frozen=True, gc=False):
    """A job that was let in is claimed."""

    run: RunKey
    asked: int
    """It took effect after this place .."""
    place: int
    """.. and at this one, or before it where the history is not exact."""


class Gate(msgspec.Struct, frozen=True):
    """The gate of one key, from the first entry to the last."""

    key: str
    jobs: dict[str, Request]
    visits: list[Visit]
    """In the order in which they took effect or were answered."""
    possible: list[Period[GateRule]]
    """Each rule that may have been in force, from where to where at most."""
    pauses: list[Period[bool]]
    """When it was certainly paused."""

    def rules(self, first: int, last: int) -> list[GateRule]:
        """Every rule that may have been in force at or between these places."""
        return [each.value for each in self.possible if each.after <= last and first <= each.before]

    def width(self, first: int, last: int) -> int | None:
        """The most slots that there may have been at or between these places; None is no bound."""
        rules = self.rules(first, last)
        widths = [rule.width for rule in rules if rule.width is not None]
        return max(widths) if widths and len(widths) == len(rules) else None

    @property
    def strict_until(self) -> int:
        """The place before which nothing but a sequence can have been in force."""
        return min((each.after for each in self.possible if not each.value.strict), default=LAST)

    def asked(self, jobs: Iterable[str]) -> int:
        """Where the last of these jobs was asked for: they were not all let in before that."""
        return max(self.jobs[job].place for job in jobs)


def gates_of(index: Index) -> list[Gate]:
    """The gates of all keys that jobs in the store have."""
    by_key: dict[str, dict[str, Request]] = {}
    for job, request in index.keyed.items():
        by_key.setdefault(request.asked.key or "", {})[job] = request
    visits: dict[str, list[Visit]] = {key: [] for key in by_key}
    for each in takings_of(index) if by_key else ():
        for run in each.runs:
            if run[0] in index.keyed:
                visits[index.keyed[run[0]].asked.key or ""].append(Visit(run, each.asked, each.place))
    return [
        Gate(key, jobs, visits[key], _possible(index, key, jobs.values()), list(_pauses(index, key)))
        for key, jobs in sorted(by_key.items())
    ]


# -- what was in force ---------------------------------------------------------------------------------


def _possible(index: Index, key: str, jobs: Iterable[Request]) -> list[Period[GateRule]]:
    """The rule of a job may be in force from where the job is asked for, but not while a person's rule is pinned. That
    of a person is until the next one; where nobody can tell when a change took effect, every rule is to the end."""
    brought: dict[GateRule, int] = {}
    for each in jobs:
        rule = each.asked.gate or GateRule()
        brought[rule] = min(each.place, brought.get(rule, each.place))
    if not index.exact:
        asked = [(each.rule, at) for at, each in index.of(KeyAsked) if each.key == key and each.rule is not None]
        return [Period(at, index.end, rule) for rule, at in [*brought.items(), *asked]]
    pinned: list[tuple[int, GateRule]] = []
    free: list[int] = [-1]  # where jobs may bring their rules: from, to, from, to ..
    for at, took in index.of(KeyTook):
        if took.key != key:
            continue
        if took.rule is not None:
            pinned.append((at, took.rule))
        if (took.wish == "set" and len(free) % 2) or (took.wish == "unset" and not len(free) % 2):
            free.append(at)
    free += [index.end] * (len(free) % 2)
    ends = [*(at for at, _ in pinned), index.end]
    return [
        *(Period(at, before, rule) for (at, rule), before in zip(pinned, ends[1:], strict=True)),
        *(
            Period(max(at, after), before, rule)
            for rule, at in brought.items()
            for after, before in zip(free[::2], free[1::2], strict=True)
            if at < before
        ),
    ]


def _pauses(index: Index, key: str) -> Iterator[Period[bool]]:
    if index.exact:
        took = [(at, each.wish) for at, each in index.of(KeyTook) if each.key == key]
        held = exactly([(at, wish == "pause") for at, wish in took if wish in ("pause", "resume")], False, index.end)
    else:
        held = list(safely(_wishes(index, key), index.end))
    yield from (period for period in held if period.value)


def _wishes(index: Index, key: str) -> list[tuple[int, int, bool, bool]]:
    answers = {(each.by, each.call): (at, each.done) for at, each in index.of(KeyAnswered)}
    found: list[tuple[int, int, bool, bool]] = []
    for at, each in index.of(KeyAsked):
        if each.key == key and each.wish in ("pause", "resume"):
            answered, done = answers.get((each.by, each.call), (index.end, False))
            found.append((at, answered if done else index.end, done, each.wish == "pause"))
    return found


# -- what only a person ends -----------------------------------------------------------------------------


def passed(index: Index, key: str, job: str, after: int) -> int | None:
    """Where a sequence may have gone on without a failed job, as a person asked after a place, or not long before."""
    if index.exact:
        took = (at for at, each in index.of(KeyTook) if each.key == key and job in each.passed)
        return next((at for at in took if at > after), None)
    answers = {(each.by, each.call): at for at, each in index.of(KeyAnswered) if each.done}
    asked = [(at, each) for at, each in index.of(KeyAsked) if each.key == key and each.wish == "pass"]
    return next((at for at, each in asked if answers.get((each.by, each.call), LAST) > after), None)


def may_wait_for_ever(index: Index) -> set[str]:
    """The jobs whose gates only a person opens."""
    return {job for gate in gates_of(index) if _is_closed_in_the_end(index, gate) for job in gate.jobs}


def _is_closed_in_the_end(index: Index, gate: Gate) -> bool:
    """Whether it may be that a person has paused it, or that its sequence waits for one."""
    if index.exact:
        paused = any(period.before == index.end for period in gate.pauses)
    else:
        paused = any(each.key == gate.key and each.wish == "pause" for _, each in index.of(KeyAsked))
    return paused or any(_holds(index, gate, job) for job in gate.jobs)


def _holds(index: Index, gate: Gate, job: str) -> bool:
    """Whether its sequence may wait for a failed job; where nobody knows what came first, no pass ends that."""
    rows = index.final.attempts.get(job, ())
    if index.final.jobs[job].status is not Status.FAILED or not rows:
        return False
    ended = index.took.get((job, rows[-1].number), -1)
    rules = gate.rules(ended, index.end if ended < 0 else ended)
    held = any(rule.strict and rule.on_failure is OnFailure.HOLD for rule in rules)
    certain = index.exact and ended >= 0
    return held and not (certain and passed(index, gate.key, job, ended) is not None)
