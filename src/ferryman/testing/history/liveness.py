"""P14, P15: who is taken for dead, and how soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ferryman.testing.history.entries import Calm, Faulted, Killed, Paused, Rescued, Resumed, Stopped, Stopping
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Index, Life

NEVER: Final = float("inf")


# -- P14 ---------------------------------------------------------------------------------------------


def only_the_dead_are_rescued(index: Index) -> Iterator[Violation]:
    """P14: a node is found dead only if its process was killed, stopped or frozen, or its beats were made to fail.

    So a wall clock that jumps costs nobody its claims. In exact histories a freeze counts until twice the lease
    after its end; in others for ever, since a rescue is noted when its answer is read.

    Not decided: that jobs become due in time; ids.
    """
    excused = _excused(index)
    for at, each in index.of(Rescued):
        life = index.life_of.get(each.node)
        if life is None:
            continue
        reasons = excused.get(life.process, ())
        if not any(since < at and each.at <= until for since, until in reasons):
            told = f"Node {each.node} of process {life.process} was taken for dead by {each.by}, but it lived."
            yield Violation("P14", told, (), (each.node,))


def _excused(index: Index) -> Mapping[str, list[tuple[int, float]]]:
    """By process: since which place, and until when, it may be taken for dead."""
    found: dict[str, list[tuple[int, float]]] = {}
    for at, end in _ends(index):
        found.setdefault(end.process, []).append((at, NEVER))
    for at, fault in index.of(Faulted):
        if fault.verb == "beat":
            found.setdefault(fault.process, []).append((at, NEVER))
    grace = 2 * index.history.terms.lease if index.exact else NEVER
    for process, at, until in _freezes(index):
        found.setdefault(process, []).append((at, until + grace))
    return found


def _ends(index: Index) -> list[tuple[int, Killed | Stopping | Stopped]]:
    """Every beginning of the end of a process."""
    return [*index.of(Killed), *index.of(Stopping), *index.of(Stopped)]


def _freezes(index: Index) -> Iterator[tuple[str, int, float]]:
    """(process, place, the time at which it went on)"""
    resumed: dict[str, list[tuple[int, float]]] = {}
    for at, each in index.of(Resumed):
        resumed.setdefault(each.process, []).append((at, each.at))
    for at, pause in index.of(Paused):
        ends = [when for place, when in resumed.get(pause.process, ()) if place > at]
        yield pause.process, at, min(ends, default=NEVER)


# -- P15 ---------------------------------------------------------------------------------------------


def the_killed_are_rescued_soon(index: Index) -> Iterator[Violation]:
    """P15: once faults have ended, a killed node that had runs open is rescued within `Terms.rescue_within`.

    Only where another process had a node all that time that was neither frozen, stopping nor dead, and where the
    history goes on for that long.

    Not decided: when the handlers start again, which is a matter of free workers. Where the history is not exact,
    a rescue that nobody noted: whoever did it may have died before.
    """
    calm = index.of(Calm)
    if not calm:
        return
    within = index.history.terms.rescue_within
    rescued = {each.node: (at, each) for at, each in reversed(index.of(Rescued))}
    last = {life.process: life for life in index.lives}
    over = index.history.entries[-1].at
    for at, kill in index.of(Killed):
        life = last.get(kill.process)
        until = kill.at + within
        if at < calm[0][0] or life is None or over < until:
            continue
        jobs = _open_runs(index, life, at)
        if not jobs or not _somebody_watches(index, last, kill.process, at, until):
            continue
        _, found = rescued.get(life.node, (0, None))
        if found is None and index.exact:
            told = f"Node {life.node} was killed with {len(jobs)} runs open, and never rescued."
            yield Violation("P15", told, jobs, (life.node,))
        elif found is not None and found.at > until:
            told = f"Node {life.node} was killed and rescued {found.at - kill.at:.3f} s later, not within {within:g} s."
            yield Violation("P15", told, jobs, (life.node,))


def _open_runs(index: Index, life: Life, place: int) -> tuple[str, ...]:
    """The jobs whose runs this node had open at a place, and that were lost with it."""
    found: list[str] = []
    for key, claims in index.claims.items():
        row = index.rows.get(key)
        for claim in claims:
            lost = row is None or (row.what == "lost" and index.took.get(key, index.end) > place)
            if claim.node == life.number and claim.place < place and lost:
                found.append(key[0])
    return tuple(found)


def _somebody_watches(index: Index, last: Mapping[str, Life], killed: str, place: int, until: float) -> bool:
    """Whether another process had a live node from a place on until a time."""
    gone = {killed} | {each.process for _, each in _ends(index) if each.at <= until}
    for process, at, resumed in _freezes(index):
        if index.history.entries[at].at <= until and resumed >= index.history.entries[place].at:
            gone.add(process)
    return any(life.place < place and life.process not in gone for life in last.values())
