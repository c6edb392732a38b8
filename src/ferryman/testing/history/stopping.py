"""P13: what a process does once it was asked to stop, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

from ferryman.testing.history.entries import Claiming, Faulted, Paused, Started, Stopped, Stopping
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import Claim, Index, Life


def stop_is_orderly(index: Index) -> Iterator[Violation]:
    """P13: a process that is asked to stop claims no more; one that has stopped well leaves no run open.

    - After `Stopping` no `Claiming` of that process, but one for a batch that it had asked for before: an insert
      whose answer failed is said again, and what its claim then gives is released. In histories that are not
      exact only where the process noted the `Stopping` itself, since the signal travels.
    - After `Stopped` none of its handlers starts. One that would not end may end yet, while the process is taken down.
    - After `Stopped` with code 0 and nothing unwritten, each run of its last node that it knows of has an outcome.
      Exact histories: one that took effect before. Others: one that is not `lost`, unless the process was ever
      frozen or its beats were made to fail, since then it may have been taken for dead long before.
      Runs of a claim whose answer got lost are left out where its store calls were made to fail during the stop.

    Not decided: how long the stop took; the lives of a process before its last one; an end with another code.
    """
    yield from _takes_nothing_new(index)
    stopped = {each.process: (at, each) for at, each in index.of(Stopped)}
    for at, start in index.of(Started):
        if stopped.get(start.by, (at,))[0] < at:
            told = f"Process {start.by} had stopped, and started a handler for job {start.job}."
            yield Violation("P13", told, (start.job,), (start.node,))
    last = {life.process: life for life in index.lives}
    clean = {process: at for process, (at, end) in stopped.items() if not end.code and not end.unwritten}
    owners = {life.number: life for process, life in last.items() if process in clean}
    if owners:
        yield from _leaves_nothing(index, clean, owners)


def _takes_nothing_new(index: Index) -> Iterator[Violation]:
    stopping: dict[str, int] = {}
    for at, each in index.of(Stopping):
        if index.exact or each.by == each.process:
            stopping.setdefault(each.process, at)
    asked: set[int] = set()
    for at, claiming in index.of(Claiming):
        said_again = claiming.batch in asked
        asked.add(claiming.batch)
        if stopping.get(claiming.by, at) < at and not said_again:
            node = index.name(claiming.node)
            told = f"Process {claiming.by} was stopping, and asked for jobs."
            yield Violation("P13", told, (), () if node is None else (node,))


def _leaves_nothing(index: Index, clean: dict[str, int], owners: dict[int, Life]) -> Iterator[Violation]:
    hampered, doubted = _hampered(index), _doubted(index)
    for (id, number), claims in index.claims.items():
        for claim in claims:
            life = owners.get(claim.node)
            if life is None or id not in index.final.jobs:
                continue
            known = (claim.process, claim.call) in index.replied or life.process not in hampered
            if known and _left_open(index, claim, clean[life.process], life.process in doubted):
                told = f"Process {life.process} stopped well, but left run {number} of job {id} open."
                yield Violation("P13", told, (id,), (life.node,))


def _left_open(index: Index, claim: Claim, stopped: int, doubted: bool) -> bool:
    key = (claim.run.job, claim.run.number)
    row = index.rows.get(key)
    if row is None:
        return True
    if index.exact:
        return index.took.get(key, stopped) > stopped
    return row.what == "lost" and not doubted


def _hampered(index: Index) -> set[str]:
    """Processes whose store was made to fail while they stopped."""
    stopping = {each.process: at for at, each in reversed(index.of(Stopping))}
    return {each.process for at, each in index.of(Faulted) if stopping.get(each.process, at) < at}


def _doubted(index: Index) -> set[str]:
    """Processes that somebody may have taken for dead while they lived."""
    frozen = {each.process for _, each in index.of(Paused)}
    return frozen | {each.process for _, each in index.of(Faulted) if each.verb == "beat"}
