"""Situations at the gates of keys: somebody waited before one, for others, for a token, or for a person."""

from __future__ import annotations

from collections.abc import Iterator

from ferryman.domain.state import Status
from ferryman.testing.history.entries import KeyTook, Paused, Rescued, RunKey
from ferryman.testing.history.gates import Gate, Visit, gates_of
from ferryman.testing.history.index import Index
from ferryman.testing.history.order import scheduled
from ferryman.testing.history.turns import gaps


def waited_for_a_slot(index: Index) -> Iterator[object]:
    """Jobs that were claimed when they had seen as many others of their key under way as its gate has slots."""
    for gate, visit, stored in _first_visits(index):
        most = gate.width(visit.place, visit.place)
        ends = ((each.run[0], index.took.get(each.run, -1)) for each in gate.visits if each.place < visit.place)
        others = {job for job, end in ends if stored < end and job != visit.run[0]}
        if most is not None and len(others) >= most:
            yield visit.run[0]


def waited_for_a_pause(index: Index) -> Iterator[object]:
    """Jobs that were claimed only when their key was paused no more."""
    for gate, visit, stored in _first_visits(index):
        if any(max(stored, each.after) < each.before < visit.place for each in gate.pauses):
            yield visit.run[0]


def waited_for_a_token(index: Index) -> Iterator[object]:
    """Claims beyond the burst, of a key that may have had a rate from the first of them on."""
    for gate in gates_of(index):
        if gate.visits:
            rules = gate.rules(gate.visits[0].place, gate.visits[-1].place)
            if all(rule.rate is not None for rule in rules):
                yield from gate.visits[max(rule.burst for rule in rules) :]


def passed(index: Index) -> Iterator[object]:
    """Sequences that a person let go on without a failed job."""
    return (each for _, each in index.of(KeyTook) if each.passed)


def retried_in_its_turn(index: Index) -> Iterator[object]:
    """Failed jobs of sequences that were retried, while others came after them only then."""
    for gate, visit, _ in _first_visits(index):
        for job in gate.jobs.keys() - {visit.run[0]}:
            rows = index.final.attempts.get(job, ())
            if any(
                row.what == "retried" and 0 <= index.took.get((job, row.number - 1), -1) < visit.place for row in rows
            ):
                yield job


def ruled_anew(index: Index) -> Iterator[object]:
    """Rules that a person set while jobs of the key were claimed."""
    for gate in gates_of(index):
        spans = [(each.place, index.took.get(each.run, -1)) for each in gate.visits]
        for at, took in index.of(KeyTook):
            if took.key == gate.key and took.wish == "set" and any(claimed < at < end for claimed, end in spans):
                yield took


def left_waiting(index: Index) -> Iterator[object]:
    """Jobs that wait in the end."""
    return (id for id, job in index.final.jobs.items() if job.status is Status.WAITING)


def holder_taken_for_dead(index: Index) -> Iterator[RunKey]:
    """Runs that had the only slot of a gate, and were given back while their process was frozen or had been."""
    frozen = [(at, each.process) for at, each in index.of(Paused)]
    rescued = {each.node: at for at, each in reversed(index.of(Rescued))}
    for gate in gates_of(index):
        for visit in gate.visits:
            row, claim = index.rows.get(visit.run), index.claims[visit.run][0]
            at = rescued.get(index.name(claim.node) or "")
            if row is None or row.what != "lost" or at is None or gate.width(visit.place, at) != 1:
                continue
            if any(visit.asked < place < at and process == claim.process for place, process in frozen):
                yield visit.run


def turns_taken(index: Index) -> Iterator[object]:
    """Claims of a key with a share that had more waiting, between which came those of another one."""
    for gap in gaps(index):
        if any(each.tenant not in (None, gap.tenant) for each in gap.between):
            yield gap


def _first_visits(index: Index) -> Iterator[tuple[Gate, Visit, int]]:
    """The first claims of jobs that were to be claimed at once, and where these were stored."""
    later = scheduled(index) if index.keyed else set()
    for gate in gates_of(index):
        for visit in gate.visits:
            stored = index.stored.get(visit.run[0])
            if visit.run[1] == 1 and stored is not None and visit.run[0] not in later:
                yield gate, visit, stored[0]
