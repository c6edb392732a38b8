"""P18: the jobs of a sequence run one after the other, in their order, and each keeps its turn until it has ended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from ferryman.domain.keys import OnFailure
from ferryman.domain.state import TERMINAL, Status
from ferryman.testing.history.entries import RunKey
from ferryman.testing.history.gates import Gate, gates_of, passed
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index
from ferryman.testing.history.limits import ends_of
from ferryman.testing.history.order import Passage, overtaken, passages, scheduled


class Turn(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the history in which one job has the slot of its sequence for certain."""

    job: str
    after: int
    before: int


def sequences_hold(index: Index) -> Iterator[Violation]:
    """P18: of a key that is a sequence no job is claimed in the turn of another one, and of two jobs, of which one was
    certainly stored first, that one is claimed first.

    A turn begins with the first claim of a job and lasts over its retries, its snoozes and the deaths of its nodes,
    until it is completed or cancelled, or has failed where that lets the next one go. Where it does not, the turn lasts
    until a person lets the sequence pass, or has retried the job and it has ended then.

    Stored first is what P12 says of inserts; jobs that were asked for at a later time are left out, they come before
    their gates when they are due. Only first claims (claim number 1) count.

    Not decided: anything from the place on where another rule than that of a sequence may have been in force.
    """
    gates = [gate for gate in gates_of(index) if any(each.value.strict for each in gate.possible)]
    if not gates:
        return
    ended = ends_of(index)
    for gate in gates:
        yield from _in_turn(index, gate, ended)
    strict = {job: gate for gate in gates for job in gate.jobs}
    lines: dict[str, list[Passage]] = {}
    for passage in passages(index, scheduled(index)):
        line = strict.get(passage.job)
        if line is not None and passage.claimed[0] < line.strict_until:
            lines.setdefault(line.key, []).append(passage)
    for key, found in lines.items():
        for job, other in overtaken(found):
            told = f"Job {job} was enqueued before job {other} and claimed after it, in the sequence {key}."
            yield Violation("P18", told, (job, other))


def _in_turn(index: Index, gate: Gate, ended: dict[RunKey, int]) -> Iterator[Violation]:
    """Each turn against the first claim of another job that comes after its beginning."""
    visits = [each for each in gate.visits if each.place < gate.strict_until]
    places = [each.place for each in visits]
    for job in gate.jobs:
        for turn in _turns(index, gate, job, ended):
            later = visits[bisect_right(places, turn.after) :]
            other = next((each for each in later if each.run[0] != job and each.asked > turn.after), None)
            if other is not None and other.place < turn.before:
                told = "Run {1} of job {0} was claimed in the turn of job {2}, in the sequence {3}."
                yield Violation("P18", told.format(*other.run, job, gate.key), (job, other.run[0]))


def _turns(index: Index, gate: Gate, job: str, ended: dict[RunKey, int]) -> Iterator[Turn]:
    """The turns of a job. Where nobody knows when an outcome came, one ends with the last thing that is known."""
    begun: int | None = None
    known = 0
    rows = index.final.attempts.get(job, ())
    for row in rows:
        run = (job, row.number)
        if run in index.claims:
            known = index.claims[run][0].place
            begun = known if begun is None else begun
        known = ended.get(run, known)
        if begun is None or row.status not in TERMINAL:
            continue
        over: int | None = known
        if row.status is Status.FAILED and run in ended and _holds(index, gate, known):
            over = passed(index, gate.key, job, known)
        if over is not None:
            yield Turn(job, begun, over)
            begun = None
    run = (job, len(rows) + 1)
    if begun is None and run in index.claims:
        begun = index.claims[run][0].place
    if begun is not None:
        yield Turn(job, begun, index.end)


def _holds(index: Index, gate: Gate, place: int) -> bool:
    """Whether a failure there holds the sequence up for certain."""
    rules = gate.rules(place, place if index.exact else index.end)
    return all(rule.on_failure is OnFailure.HOLD for rule in rules)
