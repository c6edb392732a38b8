"""The audit log: who changed what, of all that operators may change.

A deed is written in the transaction that makes the change: there is no change without its deed, and no deed without a
change. What enqueues jobs, what handlers do, and what nodes and declared schedules do by themselves is no deed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from ferryman.domain import options
from ferryman.domain.job import MICROS

KEPT: Final = 90 * 24 * 3600 * MICROS
"""For how long deeds are kept, in microseconds."""
PYTHON: Final = "python"
"""Who acts where a program says nothing else."""
MANY: Final = "*"
"""The target of a deed that was done to many jobs."""
ACTOR_MOST: Final = 128
"""Characters that say who acts."""


class Action(StrEnum):
    """What operators do, as this version names it."""

    JOB_CANCEL = "job.cancel"
    JOB_RETRY = "job.retry"
    JOB_PLACE = "job.place"
    JOB_PURGE = "job.purge"
    JOB_DELETE = "job.delete"
    QUEUE_PAUSE = "queue.pause"
    QUEUE_RESUME = "queue.resume"
    QUEUE_LIMIT = "queue.limit"
    TYPE_PAUSE = "type.pause"
    TYPE_RESUME = "type.resume"
    TYPE_LIMIT = "type.limit"
    KEY_SET = "key.set"
    KEY_UNSET = "key.unset"
    KEY_PAUSE = "key.pause"
    KEY_RESUME = "key.resume"
    KEY_PASS = "key.pass"  # noqa: S105 - no password
    SCHEDULE_PUT = "schedule.put"
    SCHEDULE_PAUSE = "schedule.pause"
    SCHEDULE_RESUME = "schedule.resume"
    SCHEDULE_DROP = "schedule.drop"
    SCHEDULE_RUN = "schedule.run"
    NODE_QUIET = "node.quiet"
    NODE_RESUME = "node.resume"
    NODE_STOP = "node.stop"
    OPERATION_START = "operation.start"
    OPERATION_CANCEL = "operation.cancel"
    API_KEY_ADD = "api-key.add"
    API_KEY_ROTATE = "api-key.rotate"
    API_KEY_REVOKE = "api-key.revoke"
    API_KEY_DROP = "api-key.drop"


class Deed(msgspec.Struct, frozen=True):
    """What somebody did."""

    at: int
    """The store's time when it was asked for, in microseconds."""
    actor: str
    """Who: `cli:anna@host`, `api-key:web`, `http`, `python`."""
    action: str
    """One of `Action`; in a store that newer versions write, too, maybe one of theirs."""
    target: str
    """The id of a job, the name of a queue, type or schedule, a key; `*` where `detail` says which jobs."""
    detail: Mapping[str, Any] = {}
    """What else there is to say, in JSON's own kinds of values. Never a payload."""

    def over(self, ids: Sequence[str]) -> Deed:
        """The deed as done to these jobs: one is its target; of many it has the number, and the first and the last.

        So a change of many jobs takes one row, however many they are. The time of a cancelled job's last outcome is
        that of the deed, which leads from the one to the other.
        """
        if len(ids) == 1:
            return msgspec.structs.replace(self, target=ids[0])
        told = {"count": len(ids), "first": min(ids), "last": max(ids)}
        return msgspec.structs.replace(self, target=MANY, detail={**self.detail, **told})


def actor(value: object) -> str:
    """Who acts. Raises BadOption."""
    if isinstance(value, str) and 1 <= len(value) <= ACTOR_MOST and value.isprintable():
        return value
    raise options.refused("actor", value, f"1 to {ACTOR_MOST} printable characters")
