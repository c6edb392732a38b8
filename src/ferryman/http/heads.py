"""What the heads of requests may say, parameters and headers, as the OpenAPI document tells it: see `bodies`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ferryman.client.schedules import RUNS
from ferryman.domain.audit import Action
from ferryman.domain.series import STEPS, By
from ferryman.domain.state import Status
from ferryman.http.forms import FilterText, Id, OnConflict, Text, text
from ferryman.http.query import CLAIM_MAX, ERRORS_DEFAULT, ERRORS_MAX, LIMIT_DEFAULT, LIMIT_MAX
from ferryman.http.wire import Moment
from ferryman.store.scheduling import TICKS_KEPT


def _header(name: str) -> str:
    """The header of a field."""
    return name.replace("_", "-").title()


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
    bodies: Annotated[bool, Meta(description="Whether `payload` and `result` are told; else both are null.")] = True


class PageQuery(msgspec.Struct):
    """Which page, and how long."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[Text, Meta(description="As the Link to the next page has it.")] | None = None


class RunsQuery(msgspec.Struct):
    """How many of the latest."""

    limit: Annotated[int, Meta(ge=1, le=TICKS_KEPT)] = RUNS


class OperationsQuery(msgspec.Struct):
    """Which page, and how long."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[Id, Meta(description="As the Link to the next page has it.")] | None = None


class ApiKeyQuery(msgspec.Struct):
    """Which key of a name; all without."""

    id: Annotated[str, text(pattern="^[0-9a-f]{16}$")] | None = None


class AuditQuery(msgspec.Struct):
    """Which deeds, and how many of them."""

    actor: Text | None = None
    action: Action | None = None
    target: Text | None = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: (
        Annotated[str, text(pattern="^[1-9][0-9]{0,17}$", description="As the Link to the next page has it.")] | None
    ) = None


class StatsQuery(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Of which jobs, and from when to when."""

    queue: Text | None = None
    type: Text | None = None
    by: By = By.NONE
    start: Annotated[Moment, Meta(description="An hour before the end without.")] | None = None
    end: Annotated[Moment, Meta(description="Now without.")] | None = None
    step: Annotated[int, Meta(ge=1, le=STEPS[-1], description="Seconds; rounded up to one of a few.")] | None = None


class ErrorsQuery(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Which error groups, and how many of them."""

    queue: list[Annotated[Text, Meta(description="Only what jobs in these queues failed of.")]] = []
    type: list[Annotated[Text, Meta(description="Likewise; `*` stands for any text.")]] = []
    start: Annotated[Moment, Meta(description="Last seen then or later.")] | None = None
    end: Annotated[Moment, Meta(description="Last seen before.")] | None = None
    limit: Annotated[int, Meta(ge=1, le=ERRORS_MAX)] = ERRORS_DEFAULT
    cursor: (
        Annotated[str, text(pattern="^[0-9]{1,18}-[0-9a-f]{16}$", description="As the Link to the next page has it.")]
        | None
    ) = None


class LogsQuery(msgspec.Struct):
    """Which lines, and how many of them."""

    claim: (
        Annotated[int, Meta(ge=0, le=CLAIM_MAX, description="Only those of the run with this claim number.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: (
        Annotated[str, text(pattern="^[0-9]{1,9}-[0-9]{1,9}$", description="As the Link to the next page has it.")]
        | None
    ) = None


class ConflictQuery(msgspec.Struct):
    """What to do where a unique key is taken."""

    on_conflict: OnConflict | None = None


class NewJobHeaders(msgspec.Struct, rename=_header):
    """What makes a request safe to be sent again, and whether to wait for what becomes of the job."""

    idempotency_key: Annotated[str, text(pattern="^[!#-~][!-~]{0,254}$")] | None = None
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


class CountsQuery(msgspec.Struct):
    """Of which jobs; of several values of one name any will do."""

    queue: list[Text] = []
    type: list[Annotated[Text, Meta(description="In which `*` stands for any text.")]] = []


class LiveQuery(msgspec.Struct):
    """Of which jobs; of several queues any will do."""

    queue: list[Text] = []


class EventsQuery(msgspec.Struct):
    """Which changes; of several values of one name any will do."""

    queue: list[Text] = []
    type: list[Annotated[Text, Meta(description="In which `*` stands for any text.")]] = []
    status: list[Literal["pending", "scheduled", "completed", "failed", "cancelled"]] = []


class EventHeaders(msgspec.Struct, rename=_header):
    """Which event was the last one that came."""

    last_event_id: str | None = None
