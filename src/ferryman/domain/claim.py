"""Claiming: which pending jobs a node may take now, and how carefully.

A job whose next crash would be its last chance is never prefetched: after a crash every job of an open
batch spends an attempt, whether it had started or not. A job that has crashed its node twice, or once
with its last attempt at stake, is claimed alone, so that a poison job is found out and its neighbours
are not dragged to failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import msgspec
from msgspec.structs import replace

from ferryman.domain.job import ClaimedJob
from ferryman.domain.limits import NEVER, Again


class Care(IntEnum):
    """How a pending job may be claimed; kept in its row so that a claim need not read the body."""

    NONE = 0
    """Prefetched freely."""
    IDLE = 1
    """Only for an idle worker: it is suspect, or this is its last attempt."""
    ALONE = 2
    """Only for an idle worker, and one at a time in a node."""


def care(spent: int, max_attempts: int, crashes: int) -> Care:
    """How to claim a job that has `spent` attempts and whose node died `crashes` times in a row under it."""
    last = spent + 1 >= max_attempts
    if crashes >= 2 or (crashes and last):
        return Care.ALONE
    return Care.IDLE if crashes or last else Care.NONE


def take(cares: Sequence[int], idle: int, alone: bool) -> list[int]:
    """The positions to claim among candidates in order, given their cares.

    The first `idle` of them start at once, the rest are prefetched. The line is cut before a careful
    job that would have to wait; a job that must be alone is passed over while another one is open, so
    that it holds nobody up.

    Args:
        cares: the `Care` of each candidate, in claim order.
        idle: how many workers wait for a job.
        alone: whether a job with `Care.ALONE` may be claimed now.
    """
    if not any(cares):
        return list(range(len(cares)))
    taken: list[int] = []
    for position, how in enumerate(cares):
        if how == Care.ALONE and not alone:
            continue
        if how and len(taken) >= idle:
            break
        taken.append(position)
        alone = alone and how != Care.ALONE
    return taken


class ClaimRequest(msgspec.Struct, frozen=True):
    """What a node asks of the store: at most `limit` jobs that it can run."""

    node: int
    """The number that the store gave the node's row."""
    batch: int
    """Minted by the node before the statement, so that it can tell its claims after a lost reply."""
    types: frozenset[str]
    queues: frozenset[str] | None
    """None means every queue."""
    limit: int
    idle: int
    alone: bool
    by_age: bool = False
    """Whether the priorities are to be passed over: who has been pending longest comes first."""


def care_of(request: ClaimRequest) -> Care:
    """The care of the jobs that a claim may take at most."""
    return Care.ALONE if request.alone else Care.IDLE


class Batch(msgspec.Struct, frozen=True):
    """What one claim gave: jobs in the order in which they are to start."""

    id: int
    claimed_at: int
    jobs: list[ClaimedJob]
    mixed: bool = False
    """Whether the lanes that were asked for have several priorities."""
    again: Again = NEVER

    def looking_again(self) -> Batch:
        """The same, where the next claim may find jobs that this one has left, though it asked for more."""
        return replace(self, again=replace(self.again, limited=True))


class OpenBatch(msgspec.Struct, frozen=True):
    """A claim row as the store has it: which runs (id, number) a node still owes an outcome."""

    id: int
    runs: list[tuple[str, int]]
