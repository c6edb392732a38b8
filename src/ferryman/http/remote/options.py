"""What may be said of a job, and of a list of jobs, and how that becomes a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, TypedDict, TypeVar, Unpack
from urllib.parse import urlencode

import msgspec

from ferryman.client.request import JobRequest
from ferryman.domain import strictjson
from ferryman.domain.moments import read_moment
from ferryman.domain.options import moment_of, moment_text, seconds_of, type_name, whole
from ferryman.http.error_groups import ErrorGroupJson

R_co = TypeVar("R_co", covariant=True)

PAGE: Final = 100
"""Each of so many jobs may have a payload and a result of a mebibyte."""

_LAST: Final = 253_402_300_799_999_999
"""The last microsecond that has a text, in the year 9999."""


class CallLike(Protocol[R_co]):
    """What `job.call(...)` gives, with or without options."""

    @property
    def request(self) -> JobRequest:
        """What is asked for."""
        ...

    def decode(self, result: str, /) -> R_co:
        """What the handler returned, of its JSON text."""
        ...


class EnqueueOptions(TypedDict, total=False):
    """The members of POST /jobs; what is left out is as the call has it, or as the type declares it."""

    queue: str
    priority: int
    """0 (runs first) to 9."""
    max_attempts: int
    timeout: float
    """Seconds that a run may take."""
    delay: float | timedelta
    """Not before so many seconds from now."""
    run_at: datetime
    """Not before this time, given with its time zone."""
    expires_at: datetime
    """Cancelled unless it was started before this time."""
    unique_key: str
    on_conflict: Literal["error", "return"]
    tags: Sequence[str]
    key: str
    """Whose gate lets it in."""
    idempotency_key: str
    id: str
    """A UUID of version 7; else one is minted."""


class ListOptions(TypedDict, total=False):
    """Which jobs are listed; of several texts any may fit."""

    filter: str
    """Terms that all must hold, such as "type:mail.* created:<1h"; see docs/filters.md."""
    status: str | Sequence[str]
    type: str | Sequence[str]
    queue: str | Sequence[str]
    tag: str | Sequence[str]
    newest_first: bool
    bodies: bool
    """False: each payload is the text null and each result None, which spares their way where they are large."""
    page: int
    """So many jobs are asked for at once; 100 by default."""


def request_of(
    what: CallLike[Any] | str, payload: Mapping[str, Any] | None = None, **given: Unpack[EnqueueOptions]
) -> JobRequest:
    """The request for a call, or for a type by its name with a payload.

    Raises:
        BadOption: a time or the type's name is not allowed; the server judges the other options.
        NotSerialisable, BadNumber, BadText, TooDeep: the payload is not JSON.
    """
    asked: dict[str, Any] = dict(given)
    if "delay" in given:
        asked["delay"] = seconds_of("delay", given["delay"])
    if "run_at" in given:
        asked["run_at"] = moment_of("run_at", given["run_at"])
    if "expires_at" in given:
        asked["expires_at"] = moment_of("expires_at", given["expires_at"])
    if "tags" in given:
        asked["tags"] = tuple(given["tags"]) if isinstance(given["tags"], list) else given["tags"]
    if not isinstance(what, str):
        return msgspec.structs.replace(what.request, **asked)
    return JobRequest(type_name(what), strictjson.encode(dict(payload or {})), **asked)


class EventsOptions(TypedDict, total=False):
    """Which changes are told; of several texts any may fit."""

    queue: str | Sequence[str]
    type: str | Sequence[str]
    """In which `*` stands for any text."""
    status: str | Sequence[str]


class CountsOptions(TypedDict, total=False):
    """Which jobs count; of several texts any may fit."""

    queue: str | Sequence[str]
    type: str | Sequence[str]
    """In which `*` stands for any text."""


class LiveOptions(TypedDict, total=False):
    """Whose jobs count; of several queues any will do."""

    queue: str | Sequence[str]


class StatsOptions(TypedDict, total=False):
    """Of which jobs, from when to when, and what has a line of its own."""

    queue: str
    type: str
    by: Literal["none", "queue", "type", "both"]
    start: datetime
    end: datetime
    step: int
    """Seconds; rounded up to one of a few."""


class ErrorsOptions(TypedDict, total=False):
    """Which error groups; of several texts any may fit."""

    queue: str | Sequence[str]
    type: str | Sequence[str]
    """In which `*` stands for any text."""
    start: datetime
    end: datetime
    after: ErrorGroupJson
    """The last one of the page before."""
    limit: int


def errors_query_of(**which: Unpack[ErrorsOptions]) -> str:
    """The query of error groups. Raises BadOption: a time has no zone."""
    asked = [("queue", each) for each in _several(which.get("queue", ()))]
    asked += [("type", each) for each in _several(which.get("type", ()))]
    if "start" in which:
        asked.append(("from", moment_text(moment_of("start", which["start"]))))
    if "end" in which:
        asked.append(("to", moment_text(moment_of("end", which["end"]))))
    if "after" in which:
        asked.append(("cursor", f"{read_moment(which['after'].last_at)}-{which['after'].group}"))
    if "limit" in which:
        asked.append(("limit", str(which["limit"])))
    return urlencode(asked)


def stats_query_of(**which: Unpack[StatsOptions]) -> str:
    """The query of statistics. Raises BadOption: a time has no zone."""
    asked: dict[str, Any] = dict(which)
    for name, parameter in (("start", "from"), ("end", "to")):
        if name in asked:
            asked[parameter] = moment_text(moment_of(name, asked.pop(name)))
    return urlencode(asked)


def events_query_of(**which: Unpack[EventsOptions]) -> str:
    """The query of changes."""
    filters = {"queue": which.get("queue", ()), "type": which.get("type", ()), "status": which.get("status", ())}
    return urlencode([(name, each) for name, said in filters.items() for each in _several(said)])


def counts_query_of(**which: Unpack[CountsOptions]) -> str:
    """The query of counts."""
    filters = {"queue": which.get("queue", ()), "type": which.get("type", ())}
    return urlencode([(name, each) for name, said in filters.items() for each in _several(said)])


def query_of(**which: Unpack[ListOptions]) -> str:
    """The query of the first page."""
    filters = {
        "filter": which.get("filter", ()),
        "status": which.get("status", ()),
        "type": which.get("type", ()),
        "queue": which.get("queue", ()),
        "tag": which.get("tag", ()),
        "order": "desc" if which.get("newest_first") else "asc",
        "limit": str(which.get("page", PAGE)),
        "bodies": () if which.get("bodies", True) else "false",
    }
    return urlencode([(name, each) for name, said in filters.items() for each in _several(said)])


def micros_of(option: str, value: int | datetime) -> int:
    """A time with its zone, or in microseconds, as microseconds. Raises BadOption."""
    return moment_of(option, value) if isinstance(value, datetime) else whole(option, value, most=_LAST)


def _several(said: str | Sequence[str]) -> Sequence[str]:
    return (said,) if isinstance(said, str) else said
