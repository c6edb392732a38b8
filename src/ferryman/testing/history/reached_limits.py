"""Situations of rules: somebody waited because of them, and who held the place of others was taken for dead."""

from __future__ import annotations

from collections.abc import Iterator

from ferryman.domain.limits import Limit
from ferryman.testing.history.entries import Claiming, HeldBack, Paused, Rescued, RunKey
from ferryman.testing.history.index import Index
from ferryman.testing.history.limits import Period, covers, limits, pauses, rules_of
from ferryman.testing.history.order import scheduled


def held_back(index: Index) -> Iterator[object]:
    """Claims that have taken what a limit allows, while a job that is under a limit was left pending."""
    yield from _held_back(index, rate=False)


def held_back_by_a_rate(index: Index) -> Iterator[object]:
    """The same where the limit is a rate, and more may be taken at its next token."""
    yield from _held_back(index, rate=True)


def _held_back(index: Index, *, rate: bool) -> Iterator[object]:
    under = [(rule, period) for rule in rules_of(index) for period in limits(index, rule)]
    waits = _waits(index) if under else {}
    for at, each in index.of(HeldBack):
        now = [(rule, period.value) for rule, period in under if period.after < at < period.before]
        bounds = [rule for rule, limit in now if not rate or limit.rate is not None]
        left = (job for job, (stored, claimed) in waits.items() if stored < at < claimed)
        if (each.rate or not rate) and any(covers(index, rule, job) for job in left for rule in bounds):
            yield each


def waited_for_a_pause(index: Index) -> Iterator[object]:
    """Jobs that were left pending by claims until their queue or type was paused no more."""
    asked = [at for at, _ in index.of(Claiming)]
    for rule in rules_of(index):
        for period in pauses(index, rule):
            for job, (stored, claimed) in _waits(index).items():
                begun = max(stored, period.after)
                if begun < period.before < claimed and covers(index, rule, job):
                    yield from (job for at in asked if begun < at < period.before)


def holder_taken_for_dead(index: Index) -> Iterator[RunKey]:
    """Runs that had the only place of a limit, and were given back while their process was frozen or had been."""
    frozen = [(at, each.process) for at, each in index.of(Paused)]
    rescued = {each.node: at for at, each in reversed(index.of(Rescued))}
    single = [(rule, period) for rule in rules_of(index) for period in limits(index, rule) if _is_single(period)]
    for key, claims in index.claims.items() if single else ():
        row, claim = index.rows.get(key), claims[0]
        at = rescued.get(index.name(claim.node) or "")
        if row is None or row.what != "lost" or at is None:
            continue
        held = any(p.after < claim.place and at < p.before and covers(index, rule, key[0]) for rule, p in single)
        if held and any(claim.asked < place < at and process == claim.process for place, process in frozen):
            yield key


def _is_single(period: Period[Limit]) -> bool:
    return period.value.concurrency == 1


def _waits(index: Index) -> dict[str, tuple[int, int]]:
    """By job: where it was stored to be claimed at once, and where it was claimed first."""
    later = scheduled(index) | index.keyed.keys()
    found: dict[str, tuple[int, int]] = {}
    for job, (stored, _) in index.stored.items():
        claims = index.claims.get((job, 1))
        if claims and job not in later and job in index.final.jobs:
            found[job] = (stored, claims[0].place)
    return found
