"""Operations: what may be done to every job that a filter means, and which jobs that are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ferryman.domain.audit import Action
from ferryman.domain.filters import JobFilter
from ferryman.domain.filters.narrowing import narrowed
from ferryman.domain.job import MICROS
from ferryman.domain.state import INITIAL, MOVABLE, RETRIABLE, TERMINAL, Status

KEPT: Final = 7 * 24 * 3600 * MICROS
"""For how long an operation is told of once it has ended, in microseconds."""


class BulkAction(StrEnum):
    """What is done to each of the jobs."""

    RETRY = "retry"
    CANCEL = "cancel"
    DELETE = "delete"
    CHANGE = "change"
    """It gets another queue, priority or time."""


class BulkStatus(StrEnum):
    """How far an operation is."""

    RUNNING = "running"
    """Nodes carry it out, or will once one runs."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    """Somebody has stopped it; what it had changed by then stays so."""
    FAILED = "failed"
    """It cannot be carried out; what it had changed by then stays so."""


_LIVING: Final = INITIAL | {Status.PROCESSING}
ALLOWED: Final[Mapping[BulkAction, frozenset[Status]]] = MappingProxyType(
    {
        BulkAction.RETRY: RETRIABLE,
        BulkAction.CANCEL: _LIVING,
        BulkAction.DELETE: TERMINAL,
        BulkAction.CHANGE: MOVABLE,
    }
)
"""The statuses of the jobs to which it can be done; a filter that names others is a mistake."""
USUAL: Final[Mapping[BulkAction, frozenset[Status]]] = MappingProxyType(
    {**ALLOWED, BulkAction.RETRY: frozenset({Status.FAILED})}
)
"""Those that are meant where the filter names none."""
DEEDS: Final[Mapping[BulkAction, Action]] = MappingProxyType(
    {
        BulkAction.RETRY: Action.JOB_RETRY,
        BulkAction.CANCEL: Action.JOB_CANCEL,
        BulkAction.DELETE: Action.JOB_DELETE,
        BulkAction.CHANGE: Action.JOB_PLACE,
    }
)
"""What the audit log calls what was done to the jobs of a portion."""


def meant(action: BulkAction, filter: JobFilter) -> JobFilter:
    """The filter with the statuses that an operation means. Raises BadOption: it names one that is not allowed."""
    return narrowed(filter, ALLOWED[action], USUAL[action])
