"""Situations of what commits together with a completion: follow-ups, and what handlers write in the store's file."""

from __future__ import annotations

from collections.abc import Iterator

from ferryman.domain.errors import TransactionTimedOut
from ferryman.testing.history.entries import IN_A_TRANSACTION, Killed
from ferryman.testing.history.index import Index
from ferryman.testing.history.reached import own_recognised

# -- follow-ups ----------------------------------------------------------------------------------------


def follow_ups_fenced(index: Index) -> Iterator[object]:
    """Completions that came too late, with the follow-ups that they would have brought."""
    for write in index.writes:
        key = (write.run.job, write.run.number)
        if write.fenced and write.run.what == "done" and key in index.follow_ups:
            yield write


def follow_ups_replayed(index: Index) -> Iterator[object]:
    """Completions that were written again, whose follow-ups had come with the first write."""
    for write in own_recognised(index):
        if write.run.what == "done" and (write.run.job, write.run.number) in index.follow_ups:
            yield write


def follow_ups_that_gave_way(index: Index) -> Iterator[object]:
    """Follow-ups of completed runs that are not there, as another job had their key."""
    for key, follow_ups in index.follow_ups.items():
        row = index.rows.get(key)
        if row is not None and row.what == "done":
            yield from (each for each in follow_ups if each.job not in index.final.jobs)


# -- transactions --------------------------------------------------------------------------------------


def committed(index: Index) -> Iterator[object]:
    """Runs that a transaction of their handler completed."""
    return iter(index.committed)


def commits_unheard(index: Index) -> Iterator[object]:
    """Writes of runs whose transaction had committed, which nobody there knew; who knows writes under its token."""
    for write in index.writes:
        at = index.committed.get((write.run.job, write.run.number))
        if write.fenced and at is not None and at < write.asked:
            yield write


def killed_in_a_transaction(index: Index) -> Iterator[object]:
    """Deaths of processes in which a handler's transaction was open."""
    return (each for _, each in index.of(Killed) if each.during == IN_A_TRANSACTION)


def transactions_timed_out(index: Index) -> Iterator[object]:
    """Runs that failed because their transaction was open for too long."""
    for key, row in index.rows.items():
        if row.error is not None and row.error.type == TransactionTimedOut.__name__:
            yield key
