"""What requests may say, as the OpenAPI document tells it.

Requests are read by the checks beside each handler, which find everything that is wrong at once; these forms only
describe them. Tests hold both together: the names of the members, and what is taken and refused.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ferryman.client.many import MOST
from ferryman.domain.access import QUEUES_MOST, Right
from ferryman.domain.bulk import BulkAction
from ferryman.domain.cron import Ambiguous, Missed, Nonexistent
from ferryman.domain.keyed import LARGEST_SHARE
from ferryman.domain.keys import OnFailure
from ferryman.domain.options import MAX_DELAY
from ferryman.domain.schedule import MISSED_MOST, Overlap
from ferryman.http.forms import (
    Attempts,
    Count,
    Delay,
    DryRun,
    FilterText,
    JobKey,
    Name,
    NewId,
    OnConflict,
    Priority,
    QueueName,
    Rate,
    Retriable,
    Tags,
    Text,
    Texts,
    Timeout,
    UniqueKey,
    Waiting,
)
from ferryman.http.wire import Moment


class NewJob(msgspec.Struct, forbid_unknown_fields=True):
    """A job to be stored."""

    type: Name
    payload: dict[str, Any] = {}
    queue: QueueName | None = None
    priority: Priority | None = None
    max_attempts: Attempts | None = None
    timeout: Timeout | None = None
    run_at: Moment | None = None
    delay: Delay | None = None
    expires_at: Moment | None = None
    unique_key: UniqueKey | None = None
    key: JobKey | None = None
    on_conflict: OnConflict | None = None
    tags: Tags | None = None
    id: NewId | None = None


class NewBatch(msgspec.Struct, forbid_unknown_fields=True):
    """Jobs to be stored together."""

    jobs: Annotated[list[NewJob], Meta(min_length=1, max_length=MOST)]
    atomic: Annotated[bool, Meta(description="All or none; else each for itself.")] | None = True


class Placement(msgspec.Struct, forbid_unknown_fields=True):
    """Where a job that waits is to stand; one of run_at and delay."""

    queue: QueueName | None = None
    priority: Priority | None = None
    run_at: Moment | None = None
    delay: Delay | None = None


class RetryFilter(msgspec.Struct, forbid_unknown_fields=True):
    """Which jobs to retry; it must say something."""

    status: Retriable | list[Retriable] | None = None
    type: Texts | None = None
    queue: Texts | None = None
    tag: Texts | None = None


class PurgeFilter(msgspec.Struct, forbid_unknown_fields=True):
    """Which jobs of one queue to purge."""

    queue: QueueName
    status: Waiting | list[Waiting] | None = None
    type: Texts | None = None
    tag: Texts | None = None


class RetryMany(msgspec.Struct, forbid_unknown_fields=True):
    """Failed or cancelled jobs to be sent back."""

    filter: RetryFilter | FilterText
    rate: Rate | None = None
    dry_run: DryRun | None = None


class Purge(msgspec.Struct, forbid_unknown_fields=True):
    """Jobs to be cancelled."""

    filter: PurgeFilter | FilterText
    confirm: Annotated[QueueName, Meta(description="The name of the queue once more.")]
    dry_run: DryRun | None = None


class NewOperation(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be done to every job that fits; only a change has `change`, and only a retry a rate."""

    action: BulkAction
    filter: FilterText
    change: Placement | None = None
    rate: Rate | None = None
    dry_run: DryRun | None = None


class NewLimit(msgspec.Struct, forbid_unknown_fields=True):
    """What a queue or type is to keep to; what is not named is not bounded."""

    concurrency: Count | None = None
    rate: Rate | None = None
    burst: Count | None = None


class NewRule(msgspec.Struct, forbid_unknown_fields=True):
    """What the gate of a key is to keep to."""

    concurrency: Count | None = None
    rate: Rate | None = None
    burst: Count | None = None
    share: Annotated[int, Meta(ge=1, le=LARGEST_SHARE)] | None = None
    sequence: bool | None = None
    on_failure: OnFailure | None = None


class NewSchedule(msgspec.Struct, forbid_unknown_fields=True):
    """Jobs to be made by the clock."""

    cron: Text
    type: Name
    time_zone: str | None = None
    ambiguous: Ambiguous | None = None
    nonexistent: Nonexistent | None = None
    missed: Missed | None = None
    max_missed: Annotated[int, Meta(ge=0, le=MISSED_MOST)] | None = None
    overlap: Overlap | None = None
    payload: dict[str, Any] = {}
    queue: QueueName | None = None
    priority: Priority | None = None
    max_attempts: Attempts | None = None
    timeout: Timeout | None = None
    unique_key: UniqueKey | None = None
    tags: Tags | None = None


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants to sign in."""

    key: Annotated[str, Meta(description="An API key.")]


class NewApiKey(msgspec.Struct, forbid_unknown_fields=True):
    """Who may use this API, and what for."""

    name: Name
    scopes: Annotated[list[Right], Meta(min_length=1)]
    queues: Annotated[list[QueueName], Meta(min_length=1, max_length=QUEUES_MOST)] | None = None
    rate: Rate | None = None
    burst: Count | None = None
    quota: Count | None = None
    expires_at: Moment | None = None


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """For how long the former key goes on to open."""

    grace: Annotated[float, Meta(ge=0, le=MAX_DELAY, description="In seconds.")] | None = None
