"""The one table of status changes; stores, client and docs all ask it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ferryman.domain.errors import IllegalTransition


class Status(StrEnum):
    """Where a job stands. The order is the order of a job's life."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    # equal to its text, so hashed like it; Enum's own hash is written in Python and is asked for at every run
    __hash__ = str.__hash__


EDGES: Final[Mapping[Status, frozenset[Status]]] = MappingProxyType(
    {
        # its key or its parents allow it; waits for a time; a person cancels
        Status.WAITING: frozenset({Status.PENDING, Status.SCHEDULED, Status.CANCELLED}),
        # due; its key is taken; rescheduled; a person cancels, or it expired
        Status.SCHEDULED: frozenset({Status.PENDING, Status.WAITING, Status.SCHEDULED, Status.CANCELLED}),
        # claimed; rescheduled; a person cancels, or it expired
        Status.PENDING: frozenset({Status.PROCESSING, Status.SCHEDULED, Status.CANCELLED}),
        # done; attempts spent or not retryable; cancelled; retry or snooze; released, interrupted or rescued, and so
        # pending, or waiting where its key is taken
        Status.PROCESSING: frozenset(
            {Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.SCHEDULED, Status.PENDING, Status.WAITING}
        ),
        Status.COMPLETED: frozenset(),
        # a person retries, at once or at a time; its key is taken
        Status.FAILED: frozenset({Status.PENDING, Status.SCHEDULED, Status.WAITING}),
        Status.CANCELLED: frozenset({Status.PENDING, Status.SCHEDULED, Status.WAITING}),
    }
)

EVERY: Final = frozenset(Status)

TERMINAL: Final = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
"""The statuses in which a job rests and retention counts."""

INITIAL: Final = frozenset({Status.WAITING, Status.SCHEDULED, Status.PENDING})
"""The statuses in which a job may enter."""

MOVABLE: Final = frozenset({Status.SCHEDULED, Status.PENDING})
"""The statuses in which a person may give a job another queue, priority or time."""

RETRIABLE: Final = frozenset({Status.FAILED, Status.CANCELLED})
"""The statuses from which a person may send a job back."""


def allowed(before: Status, after: Status) -> bool:
    """Whether the table has the edge `before -> after`."""
    return after in EDGES[before]


def check_end(status: Status) -> None:
    """Refuse a status that no end of a run leads to. Waiting is none: that is for a job's gate to say.

    Raises:
        IllegalTransition: naming it.
    """
    if status is Status.WAITING:
        raise IllegalTransition(
            f"A {Status.PROCESSING} job cannot become {status} by its outcome.", why="Its gate says whether it waits."
        )
    check(Status.PROCESSING, status)


def check(before: Status, after: Status) -> None:
    """Refuse an edge that the table does not have.

    Raises:
        IllegalTransition: naming both ends and what would be allowed.
    """
    if not allowed(before, after):
        ends = ", ".join(sorted(EDGES[before])) or "nothing"
        raise IllegalTransition(
            f"A {before} job cannot become {after}.", why=f"From {before} a job may become: {ends}."
        )
