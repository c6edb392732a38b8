"""What requests may say, as the OpenAPI document tells it.

Requests are read by the checks beside each handler, which find everything that is wrong at once; these forms only
describe them. Tests hold both together: the names of the members, and what is taken and refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from ferryman.client.many import MOST
from ferryman.domain.access import QUEUES_MOST, Right
from ferryman.domain.audit import Action
from ferryman.domain.bulk import BulkAction
from ferryman.domain.cron import Ambiguous, Missed, Nonexistent
from ferryman.domain.filters import MAX_TEXT
from ferryman.domain.keyed import LARGEST_SHARE
from ferryman.domain.keys import OnFailure
from ferryman.domain.options import COUNT_MAX, MAX_ATTEMPTS, MAX_DELAY, MAX_TAGS, RATE_MAX
from ferryman.domain.schedule import MISSED_MOST, Overlap
from ferryman.domain.series import STEPS, By
from ferryman.domain.state import Status
from ferryman.http.query import CLAIM_MAX, LIMIT_DEFAULT, LIMIT_MAX
from ferryman.http.wire import Moment


def _text(
    pattern: str, min_length: int | None = None, max_length: int | None = None, description: str | None = None
) -> Meta:
    """A text that looks so; only the document has to know how.

    Told as `Meta(pattern=)`, msgspec 0.22 breaks its memory where such a text or something else may stand, and the
    process dies when it ends.
    """
    schema = {"pattern": pattern}
    return Meta(min_length=min_length, max_length=max_length, description=description, extra_json_schema=schema)


Id = Annotated[str, _text(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
NewId = Annotated[
    str,
    _text(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="A UUID of version 7 that the client makes: sent again, the job is not stored again.",
    ),
]
QueueName = Annotated[str, _text(pattern="^[A-Za-z0-9_.-]{1,128}$")]
Name = Annotated[str, _text(pattern="^[A-Za-z0-9_.:-]{1,128}$")]
Delay = Annotated[float, Meta(ge=0, le=MAX_DELAY, description="In so many seconds.")]
Timeout = Annotated[float, Meta(gt=0, le=MAX_DELAY, description="Seconds that one run may take.")]
Priority = Annotated[int, Meta(ge=0, le=9, description="0 runs first.")]
Attempts = Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)]
Count = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
Rate = (
    Annotated[float, Meta(gt=0, le=RATE_MAX, description="So many a second.")]
    | Annotated[str, _text(pattern=r"^\d{1,7}(\.\d{1,6})?(/[smhd])?$", description="Such as 20/s, 5/m or 100/h.")]
)
NO_NUL: Final = "^[^\\u0000]*$"
Text = Annotated[str, _text(min_length=1, pattern=NO_NUL)]
Texts = Text | Annotated[list[Text], Meta(min_length=1)]
"""One text, or several that mean "or"."""
FilterText = Annotated[
    str,
    _text(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=NO_NUL,
        description="Terms that all must hold, such as status:failed type:mail.*; see docs/filters.md.",
    ),
]
DryRun = Annotated[bool, Meta(description="Change nothing, and say how many jobs are meant.")]
UniqueKey = Annotated[str, _text(min_length=1, max_length=256, pattern=NO_NUL)]
JobKey = Annotated[str, _text(min_length=1, max_length=200, pattern=NO_NUL)]
Tag = Annotated[str, _text(min_length=1, max_length=64, pattern=NO_NUL)]
Tags = Annotated[list[Tag], Meta(max_length=MAX_TAGS)]
Retriable = Literal["failed", "cancelled"]
Waiting = Literal["waiting", "scheduled", "pending"]
OnConflict = Literal["error", "return"]


# -- bodies ------------------------------------------------------------------------------------------


def _header(name: str) -> str:
    """The header of a field."""
    return name.replace("_", "-").title()


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


# -- parameters and headers --------------------------------------------------------------------------


class JobsQuery(msgspec.Struct):
    """Which jobs, and how many of them."""

    filter: FilterText | None = None
    status: list[Status] = []
    type: list[Text] = []
    queue: list[Text] = []
    tag: list[Text] = []
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[Id, Meta(description="As the Link to the next page has it.")] | None = None
    order: Literal["asc", "desc"] = "asc"


class PageQuery(msgspec.Struct):
    """Which page, and how long."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[Text, Meta(description="As the Link to the next page has it.")] | None = None


class OperationsQuery(msgspec.Struct):
    """Which page, and how long."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[Id, Meta(description="As the Link to the next page has it.")] | None = None


class ApiKeyQuery(msgspec.Struct):
    """Which key of a name; all without."""

    id: Annotated[str, _text(pattern="^[0-9a-f]{16}$")] | None = None


class AuditQuery(msgspec.Struct):
    """Which deeds, and how many of them."""

    actor: Text | None = None
    action: Action | None = None
    target: Text | None = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: (
        Annotated[str, _text(pattern="^[1-9][0-9]{0,17}$", description="As the Link to the next page has it.")] | None
    ) = None


class StatsQuery(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Of which jobs, and from when to when."""

    queue: Text | None = None
    type: Text | None = None
    by: By = By.NONE
    start: Annotated[Moment, Meta(description="An hour before the end without.")] | None = None
    end: Annotated[Moment, Meta(description="Now without.")] | None = None
    step: Annotated[int, Meta(ge=1, le=STEPS[-1], description="Seconds; rounded up to one of a few.")] | None = None


class LogsQuery(msgspec.Struct):
    """Which lines, and how many of them."""

    claim: (
        Annotated[int, Meta(ge=0, le=CLAIM_MAX, description="Only those of the run with this claim number.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: (
        Annotated[str, _text(pattern="^[0-9]{1,9}-[0-9]{1,9}$", description="As the Link to the next page has it.")]
        | None
    ) = None


class ConflictQuery(msgspec.Struct):
    """What to do where a unique key is taken."""

    on_conflict: OnConflict | None = None


class NewJobHeaders(msgspec.Struct, rename=_header):
    """What makes a request safe to be sent again, and whether to wait for what becomes of the job."""

    idempotency_key: Annotated[str, _text(pattern="^[!#-~][!-~]{0,254}$")] | None = None
    prefer: str | None = None


class JobHeaders(msgspec.Struct, rename=_header):
    """Whether to wait for the end of the job, and which version is known already."""

    prefer: str | None = None
    if_none_match: str | None = None


class OperationHeaders(msgspec.Struct, rename=_header):
    """Which version is known already."""

    if_none_match: str | None = None


class MatchHeaders(msgspec.Struct, rename=_header):
    """Which version is to be changed."""

    if_match: str | None = None


class EventsQuery(msgspec.Struct):
    """Which changes; of several values of one name any will do."""

    queue: list[Text] = []
    type: list[Annotated[Text, Meta(description="In which `*` stands for any text.")]] = []
    status: list[Literal["pending", "scheduled", "completed", "failed", "cancelled"]] = []


class EventHeaders(msgspec.Struct, rename=_header):
    """Which event was the last one that came."""

    last_event_id: str | None = None
