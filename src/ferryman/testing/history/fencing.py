"""P7: who may write the outcome of a run, and what those who try are told."""

from __future__ import annotations

from collections.abc import Iterator

from ferryman.domain.job import Attempt
from ferryman.domain.state import TERMINAL
from ferryman.testing.history.entries import CancelAsked, Claimed, Rescued, RunKey
from ferryman.testing.history.history import Violation
from ferryman.testing.history.index import OWN, Index, Write


def writes_are_fenced(index: Index) -> Iterator[Violation]:
    """P7: a run has one claim and one outcome, both of the same node, and every write is answered truly.

    - No run is in two batches, and no claimed run is also the mark of a cancel or a retry by hand.
    - The outcome of a claimed run names the node that claimed it.
    - A write that was answered as written is in the store, as it was asked for; or cancelled, where it would have
      led to a further run and somebody had asked for the cancel.
    - A write that was answered as fenced lost to an outcome, and not to its own: a node that writes a run again
      is not told that it was fenced.
    - Exact histories: a node that was found dead claims nothing more.

    Not decided: whether the metric counts what was fenced; and who wrote an outcome `cancelled`, `released` or
    `lost`, as far as only its words tell, because others may write the same ones.
    """
    yield from _claims(index)
    yield from _dead_claim_nothing(index)
    cancels = {each.job for _, each in index.of(CancelAsked)}
    own: dict[tuple[RunKey, int, int], Write] = {}
    for write in index.writes:
        if write.place is None or write.run.job not in index.final.jobs:
            continue
        run = write.run
        key = (run.job, run.number)
        row = index.rows.get(key)
        if write.fenced:
            yield from _fenced(index, write, row, own.get((key, write.node, run.token)))
            continue
        first = own.setdefault((key, write.node, run.token), write)
        yield from _written(index, write, first, row, run.job in cancels)


def _claims(index: Index) -> Iterator[Violation]:
    for (id, number), claims in index.claims.items():
        if len(claims) > 1:
            names = tuple(sorted({_node(index, each.node) for each in claims}))
            told = f"Run {number} of job {id} was claimed {len(claims)} times, by {' and '.join(names)}."
            yield Violation("P7", told, (id,), names)
        row = index.rows.get((id, number))
        node = index.name(claims[0].node)
        if row is None or node is None or row.node == node:
            continue
        if row.node is not None:
            told = f"Run {number} of job {id} was claimed by node {node}, but is one of node {row.node} in the store."
            yield Violation("P7", told, (id,), (node, row.node))
        elif row.started_at is None and row.what in ("cancelled", "retried"):
            told = f"Run {number} of job {id} was claimed, but its number marks that a person {row.what} the job."
            yield Violation("P7", told, (id,), (node,))


def _dead_claim_nothing(index: Index) -> Iterator[Violation]:
    if not index.exact:
        return
    rescued = {each.node: at for at, each in reversed(index.of(Rescued))}
    for at, each in index.of(Claimed):
        node = index.name(each.node)
        if node is not None and rescued.get(node, at) < at and each.runs:
            jobs = tuple(run.job for run in each.runs)
            yield Violation("P7", f"Node {node} claimed {len(jobs)} jobs after it had been found dead.", jobs, (node,))


def _written(index: Index, write: Write, first: Write, row: Attempt | None, cancelled: bool) -> Iterator[Violation]:
    """The node was told that its write is in the store."""
    run = write.run
    node = _node(index, write.node)
    said = f"Node {node} was told that run {run.number} of job {run.job} is written as {run.what}"
    if row is None:
        yield Violation("P7", f"{said}, but it has no outcome.", (run.job,), (node,))
    elif row.what != run.what:
        if first is write or row.what != first.run.what:
            yield Violation("P7", f"{said}, but it is {row.what}.", (run.job,), (node,))
    elif row.status != run.status and first is write:
        overruled = cancelled and row.status == "cancelled" and run.status not in TERMINAL
        if not overruled:
            yield Violation("P7", f"{said} and {run.status}, but it is {row.status}.", (run.job,), (node,))


def _fenced(index: Index, write: Write, row: Attempt | None, first: Write | None) -> Iterator[Violation]:
    """The node was told that its write came too late."""
    run = write.run
    node = _node(index, write.node)
    said = f"Node {node} was told that it lost run {run.number} of job {run.job}"
    if row is None:
        yield Violation("P7", f"{said}, but the run has no outcome.", (run.job,), (node,))
    elif first is not None:
        yield Violation("P7", f"{said}, which it had written as {first.run.what} itself.", (run.job,), (node,))
    elif row.what in OWN and row.node == node and row.what == run.what:
        yield Violation("P7", f"{said}, but it is {row.what}, as that node wanted it.", (run.job,), (node,))


def _node(index: Index, number: int) -> str:
    return index.name(number) or str(number)
