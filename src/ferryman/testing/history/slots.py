"""P17: the gates of keys let in no more than they have room for, and nobody while they are paused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Final

import msgspec

from ferryman.domain.state import Status
from ferryman.testing.history.entries import Faulted, Killed, Paused, Resumed, RunKey, Stepped
from ferryman.testing.history.gates import Gate, Visit, gates_of
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index
from ferryman.testing.history.limits import Period, ends_of

AFTERMATH: Final = 6.0
"""Seconds after which a call has taken effect that was made slow, or whose process goes on."""
ROUNDING: Final = 1e-6
"""Of a claim, which floating point may add up to."""


def gates_hold(index: Index) -> Iterator[Violation]:
    """P17: never more jobs of a key are claimed and not ended than its gate is wide; while it is paused, nobody is
    claimed who came before it after that; in no window of t seconds are more than rate x t + burst claimed.

    Width: the widest that may have been in force since the last of these jobs was asked for, for the last of them was
    let in after that, and the others had their slots by then. A job counts from its claim until its outcome took effect
    (where the history is not exact: until its own worker asked for that to be written). The same holds for those who,
    while a gate is paused, are claimed or have been since before: each of them had a slot when it was paused.

    A job certainly comes before a paused gate if it was asked for, or its run led to a later time and gave its slot up,
    after the pause was answered (exact histories: took effect).

    Rates: as long as no other rule can be in force, over those who came before the gate in that time, and until a clock
    is set. The tokens come by the clock of whoever lets in, when they ask, so a claim may be early by `Terms.apart`.
    Windows in which somebody was frozen, or a call made slow, are left out.

    Not decided: which of several rules was in force, where jobs bring different ones; then the widest counts.
    """
    gates = gates_of(index)
    if not gates:
        return
    ended = ends_of(index)
    for gate in gates:
        yield from _at_once(index, gate, ended)
        for period in gate.pauses:
            yield from _while_paused(index, gate, period, ended)
        for stretch in _rated(gate):
            yield from _in_time(index, gate, stretch, ended)


# -- concurrency -----------------------------------------------------------------------------------------


def _at_once(index: Index, gate: Gate, ended: dict[RunKey, int]) -> Iterator[Violation]:
    """Claim by claim, with the runs that are open: they are few."""
    open: list[RunKey] = []
    for each in gate.visits:
        open = [run for run in open if ended[run] > each.place]
        if each.run in ended:
            open.append(each.run)
        elif not index.exact:
            continue
        yield from _too_many(gate, {each.run[0], *(job for job, _ in open)}, each.place, "were claimed at once")


def _too_many(gate: Gate, jobs: set[str], place: int, what: str) -> Iterator[Violation]:
    most = gate.width(gate.asked(jobs), place) if jobs else None
    if most is not None and len(jobs) > most:
        told = f"{len(jobs)} jobs of key {gate.key} {what}, and its gate has {most} slots at most."
        yield Violation("P17", told, tuple(sorted(jobs)))


# -- pauses ----------------------------------------------------------------------------------------------


def _while_paused(index: Index, gate: Gate, period: Period[bool], ended: dict[RunKey, int]) -> Iterator[Violation]:
    inside = [each for each in gate.visits if period.after < each.place < period.before]
    for each in inside:
        if _came(index, gate, each, ended) > period.after:
            job, number = each.run
            told = f"Run {number} of job {job} was claimed, which came before the gate of key {gate.key} in its pause."
            yield Violation("P17", told, (job,))
    before = [each.run for each in gate.visits if each.place <= period.after < ended.get(each.run, -1)]
    behind = {job for job, _ in (*before, *(each.run for each in inside)) if gate.jobs[job].place < period.after}
    yield from _too_many(gate, behind, period.after, "had slots when it was paused")


def _came(index: Index, gate: Gate, visit: Visit, ended: dict[RunKey, int]) -> int:
    """A place at which a job that is claimed had certainly not been let in."""
    job, number = visit.run
    asked = gate.jobs[job].place
    row, at = index.rows.get((job, number - 1)), ended.get((job, number - 1))
    if row is None or at is None or row.status is not Status.SCHEDULED:
        return asked
    return asked if any(rule.strict for rule in gate.rules(at, visit.place)) else at


# -- rates -----------------------------------------------------------------------------------------------


class Rated(msgspec.Struct, frozen=True):
    """Stretch of the history in which the same rules may have been in force, all of them with rates."""

    after: int
    before: int
    rate: float
    burst: int


def _rated(gate: Gate) -> Iterator[Rated]:
    for after, before in pairwise(sorted({place for each in gate.possible for place in (each.after, each.before)})):
        rules = gate.rules(after + 1, before - 1)
        rates = [rule.rate for rule in rules if rule.rate is not None]
        if rates and len(rates) == len(rules):
            yield Rated(after, before, max(rates), max(rule.burst for rule in rules))


def _in_time(index: Index, gate: Gate, period: Rated, ended: dict[RunKey, int]) -> Iterator[Violation]:
    """As a bucket that leaks. Where it is not known when claims took effect, a window begins when the first of all its
    claims was asked for."""
    most = period.burst + period.rate * index.history.terms.apart + ROUNDING
    visits = [each for each in gate.visits if _spent(gate, each, period, ended)]
    for claims in _undisturbed(index, visits, period):
        begun = list(accumulate((claim.begun for claim in reversed(claims)), min))[::-1]
        fullest = float("-inf")
        for place, claim in enumerate(claims):
            fullest = max(fullest, period.rate * begun[place] - place)
            level = place + 1 - period.rate * claim.at + fullest
            if level > most:
                told = "A window has {:.3f} claims of key {} beyond its rate of {:g} in a second, and a burst of {}."
                said = told.format(level, gate.key, period.rate, period.burst)
                yield Violation("P17", said, tuple(dict.fromkeys(each.job for each in claims[: place + 1])))
                return


class _Timed(msgspec.Struct, frozen=True, gc=False):
    """A claim; it took effect between two times."""

    job: str
    begun: float
    at: float


def _spent(gate: Gate, visit: Visit, period: Rated, ended: dict[RunKey, int]) -> bool:
    """Whether a claim has certainly spent a token of a stretch: its job came before the gate in it."""
    job, number = visit.run
    came = gate.jobs[job].place if number == 1 else ended.get((job, number - 1), -1)
    return came >= period.after


def _undisturbed(index: Index, visits: Iterable[Visit], period: Rated) -> Iterable[list[_Timed]]:
    """The claims of a stretch, in groups between which calls may have taken effect long after they were begun."""
    found: dict[int, list[_Timed]] = {}
    entries, times = index.history.entries, _disturbed(index)
    stepped = next((at for at, _ in index.of(Stepped)), index.end)
    for each in visits:
        if period.after < each.asked and each.place < min(period.before, stepped):
            at = entries[each.place].at
            begun = at if index.exact else entries[each.asked].at
            if all(over < begun or at < start for start, over in times):
                found.setdefault(sum(over < begun for _, over in times), []).append(_Timed(each.run[0], begun, at))
    return found.values()


def _disturbed(index: Index) -> list[tuple[float, float]]:
    """From when to when somebody was frozen or a call slow, and a while longer."""
    ends: Iterable[tuple[int, Resumed | Killed]] = [*index.of(Resumed), *index.of(Killed)]
    found = [(each.at, each.at + AFTERMATH) for _, each in index.of(Faulted) if each.kind == "slow"]
    for _, paused in index.of(Paused):
        after = [each.at for _, each in ends if each.process == paused.process and each.at >= paused.at]
        found.append((paused.at, min(after, default=float("inf")) + AFTERMATH))
    return found
