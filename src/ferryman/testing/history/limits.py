"""P11: what is paused is not claimed, and limits hold over all claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from ferryman.domain.job import MICROS, Lane
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import JUMP, Limit, Rule
from ferryman.testing.history.entries import Claimed, Claiming, RuleAnswered, RuleAsked, RuleTook, RunKey, Stepped
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import OWN, Index

V = TypeVar("V", bool, Limit, GateRule)
SKEW: Final = 2.0
"""Seconds by which clocks may be apart though nobody has set them."""
ROUNDING: Final = 1e-6
"""Of a claim, which floating point may add up to."""


class Period(msgspec.Struct, Generic[V], frozen=True):
    """One and the same thing holds, for a queue, type or key, after one place and before another."""

    after: int
    before: int
    value: V


class Taking(msgspec.Struct, frozen=True, gc=False):
    """A claim, as far as its jobs are of one queue or type."""

    asked: int
    """It took effect after this place .."""
    place: int
    """.. and at this one, or before it where the history is not exact."""
    at: int
    """The time in the claim row."""
    runs: tuple[RunKey, ...]

    def within(self, period: Period[V]) -> bool:
        """Whether all that it might have gone by is what held in the period."""
        return period.after < self.asked and self.place < period.before


def limits_hold(index: Index) -> Iterator[Violation]:
    """P11: no claim takes a job of a paused queue or type; none takes more than a concurrency limit leaves; in no
    window of t seconds are more than rate x t + burst jobs claimed, by the times in the claim rows.

    A claim goes by a rule if that held from before the claim was asked for until it took effect. Exact histories: the
    rule holds from where its change took effect to where the next one did. Others: from the answer to the change until
    the next one is asked for, if neither overlaps another change.

    Concurrency: besides the jobs of the claim those count that others had certainly claimed and not ended. Exact
    histories: claimed before this claim was asked for, or, since the limit holds, before it took effect; until the
    outcome took effect. Others: claimed, as their nodes knew, before this claim was asked for; until their own
    worker asked for the outcome to be written. Jobs of whose outcome nobody knows where it came from do not count.

    Rates: as long as a rate is the same, and no clock has been set by more than a bucket takes for a little ahead: then
    it begins anew, also when the claim that made it do so found nothing and was not noted. Claims of which nobody noted
    the time do not count.

    Not decided: whether anything is claimed at all (that is P2), and limits over claims of which no answer came, where
    the history is not exact. How long priorities may keep a job waiting is not decided either: what is claimed by age
    depends on each node's own count, which pauses, limits, shares of the workers, and jobs that
    want an idle worker change.
    """
    rules = rules_of(index)
    if not rules:
        return
    takings = takings_of(index)
    ended, parted = ends_of(index), _until_clocks_part(index)
    for rule in rules:
        own = list(_of_one(index, takings, rule))
        yield from _paused(index, rule, own)
        for period in limits(index, rule):
            held = [each for each in own if each.within(period)]
            if held and period.value.concurrency is not None:
                yield from _at_once(index, rule, period, own, ended)
            if held and period.value.rate is not None:
                yield from _in_time(rule, period.value, [each for each in held if each.at and each.place < parted])


def rules_of(index: Index) -> list[Rule]:
    """One for each queue and type that ever had any."""
    names = {(each.scope, each.name) for _, each in index.of(RuleTook)}
    names |= {(each.scope, each.name) for _, each in index.of(RuleAsked)}
    return [Rule(scope, name) for scope, name in sorted(names)]


# -- what held when ------------------------------------------------------------------------------------


def pauses(index: Index, rule: Rule) -> list[Period[bool]]:
    """When a queue or type was paused."""
    found = _held(index, rule, False, lambda took: took.paused, lambda asked: asked.paused)
    return [period for period in found if period.value]


def limits(index: Index, rule: Rule) -> list[Period[Limit]]:
    """When a queue or type was under which limit."""
    found = _held(index, rule, Limit(), lambda took: took.limit, lambda asked: asked.limit)
    return [period for period in found if period.value.is_bound]


def _held(
    index: Index,
    rule: Rule,
    first: V,
    took: Callable[[RuleTook], V],
    asked: Callable[[RuleAsked], V | None],
) -> list[Period[V]]:
    if index.exact:
        changes = [(at, took(each)) for at, each in index.of(RuleTook) if _is_of(each, rule)]
        return exactly(changes, first, index.end)
    answers = {(each.by, each.call): (at, each.done) for at, each in index.of(RuleAnswered)}
    wishes: list[tuple[int, int, bool, V]] = []
    for at, each in index.of(RuleAsked):
        value = asked(each) if _is_of(each, rule) else None
        if value is not None:
            answered, done = answers.get((each.by, each.call), (index.end, False))
            wishes.append((at, answered if done else index.end, done, value))
    return list(safely(wishes, index.end))


def _is_of(entry: RuleTook | RuleAsked, rule: Rule) -> bool:
    return (entry.scope, entry.name) == (rule.scope, rule.name)


def exactly(changes: Sequence[tuple[int, V]], first: V, end: int) -> list[Period[V]]:
    """Changes that change nothing do not end a period."""
    found: list[tuple[int, V]] = []
    for at, value in changes:
        if value != (found[-1][1] if found else first):
            found.append((at, value))
    ends = [*(at for at, _ in found[1:]), end]
    return [Period(at, ends[place], value) for place, (at, value) in enumerate(found)]


def safely(wishes: Sequence[tuple[int, int, bool, V]], end: int) -> Iterator[Period[V]]:
    """From the answer to one change until any other that may have come after it was asked for."""
    for wish in wishes:
        asked, answered, done, value = wish
        others = [each[0] for each in wishes if each is not wish and each[1] > asked]
        before = min(others, default=end)
        if done and answered < before:
            yield Period(answered, before, value)


# -- what was claimed ----------------------------------------------------------------------------------


def takings_of(index: Index) -> list[Taking]:
    """Every claim once, whoever said it again, in the order in which they took effect or were answered."""
    first: dict[tuple[int, int], int] = {}
    for at, asking in index.of(Claiming):
        first.setdefault((asking.node, asking.batch), at)
    found: dict[tuple[int, int], Taking] = {}
    for at, each in index.of(Claimed):
        batch = (each.node, each.batch)
        runs = tuple((run.job, run.number) for run in each.runs)
        found.setdefault(batch, Taking(first.get(batch, at), at, each.claimed_at, runs))
    return list(found.values())


def _of_one(index: Index, takings: Sequence[Taking], rule: Rule) -> Iterator[Taking]:
    jobs = index.final.jobs
    for each in takings:
        runs = tuple(run for run in each.runs if run[0] in jobs and covers(index, rule, run[0]))
        if runs:
            yield Taking(each.asked, each.place, each.at, runs)


def covers(index: Index, rule: Rule, id: str) -> bool:
    """Whether a rule holds for a job that is there."""
    job = index.final.jobs[id]
    return rule.covers(Lane(job.queue, job.type, job.priority))


def ends_of(index: Index) -> dict[RunKey, int]:
    """The place after which a run's outcome came, at the earliest; missing where nobody knows."""
    if index.exact:
        found = dict(index.took)
    else:
        found = {}
        for write in index.writes:
            key = (write.run.job, write.run.number)
            found[key] = min(write.asked, found.get(key, write.asked))
        found = {key: at for key, at in found.items() if key in index.rows and index.rows[key].what in OWN}
    return found | dict.fromkeys(index.final.open, index.end)


# -- what is broken ------------------------------------------------------------------------------------


def _paused(index: Index, rule: Rule, takings: Sequence[Taking]) -> Iterator[Violation]:
    for period in pauses(index, rule):
        for each in takings:
            if each.within(period):
                job, number = each.runs[0]
                told = f"Run {number} of job {job} was claimed while {rule.scope.value} {rule.name} was paused."
                yield Violation("P11", told, (job,))


def _at_once(
    index: Index, rule: Rule, period: Period[Limit], takings: Sequence[Taking], ended: dict[RunKey, int]
) -> Iterator[Violation]:
    """Claim by claim, with the runs that others have open: they are few."""
    most = period.value.concurrency or 0
    open: list[tuple[RunKey, Taking]] = []
    for each in takings:
        open = [(run, taking) for run, taking in open if ended[run] > each.place]
        if each.within(period):
            others = [
                run
                for run, taking in open
                if taking.place < each.asked or (index.exact and period.after < taking.asked)
            ]
            if len(others) + len(each.runs) > most:
                jobs = tuple(dict.fromkeys(job for job, _ in (*each.runs, *others)))
                told = "{} jobs of {} {} were claimed with {} processing, and a limit of {}."
                said = told.format(len(each.runs), rule.scope.value, rule.name, len(others), most)
                yield Violation("P11", said, jobs)
        open += [(run, each) for run in each.runs if run in ended]


def _in_time(rule: Rule, limit: Limit, takings: Sequence[Taking]) -> Iterator[Violation]:
    """As a bucket that leaks: what is in it is what the fullest window up to a claim has beyond its rate."""
    assert limit.rate is not None
    level, last = 0.0, 0
    for each in sorted(takings, key=lambda taking: taking.at):
        level = max(0.0, level - limit.rate * (each.at - last) / MICROS) + len(each.runs)
        last = each.at
        if level > limit.burst + ROUNDING:
            told = "A window has {:.3f} claims of {} {} beyond its rate of {:g} in a second, and a burst of {}."
            said = told.format(level, rule.scope.value, rule.name, limit.rate, limit.burst)
            yield Violation("P11", said, tuple(job for job, _ in each.runs))
            return


def _until_clocks_part(index: Index) -> int:
    """The place up to which no two clocks can be further apart than what a bucket takes for a little ahead."""
    apart = SKEW
    for at, each in index.of(Stepped):
        apart += abs(each.seconds)
        if apart * MICROS > JUMP:
            return at
    return index.end
