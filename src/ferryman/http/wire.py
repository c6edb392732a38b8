"""Jobs on the wire: the body of POST /jobs, and a job as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from msgspec import Meta

from ferryman.client import JobRequest
from ferryman.domain import options, strictjson
from ferryman.domain.errors import BadOption, BadParameter, WrongContent
from ferryman.domain.job import Job
from ferryman.domain.moments import read_moment as read_moment
from ferryman.domain.moments import write_moment as write_moment
from ferryman.domain.suggest import did_you_mean

T = TypeVar("T")

PIECE: Final = 200
"""How many jobs of a page, or runs of a job, are encoded at one go: about a millisecond's work."""


# -- in ----------------------------------------------------------------------------------------------


def read_request(
    body: bytes, idempotency_key: str | None, on_conflict: str | None, within: frozenset[str] | None
) -> JobRequest:
    """The job that the body of a POST /jobs asks for; `within` are the queues to which its caller is limited.

    Raises:
        WrongContent: naming every member that is wrong, with its pointer.
        BadParameter: there is an idempotency key, and an id.
        MalformedJson, DuplicateMember, BadNumber, BadText, TooDeep: the body is not strict JSON.
    """
    asked = described(body, OF_A_JOB, NEEDED, "a job")
    if idempotency_key is not None and "id" in asked:
        raise BadParameter(
            "The request has an Idempotency-Key, and its job an id.",
            why="Either makes it safe to be sent again.",
            hint="Leave one of them out.",
        )
    if on_conflict is not None:
        asked["on_conflict"] = on_conflict
    return JobRequest(**asked, idempotency_key=idempotency_key, within=within)


def described(
    body: bytes, known: Mapping[str, Callable[[object], object]], needed: Mapping[str, str], what: str
) -> dict[str, Any]:
    """The members of a body that describes something, each checked; one that is null is as if it were not there.

    Args:
        body: as it came in.
        known: what checks each member, by name.
        needed: what is said of those that are missing and may not be.
        what: what the body describes.

    Raises: as `read_request`.
    """
    return described_by(read_members(body), known, needed, f"The body does not describe {what}.")


def described_by(
    given: Mapping[str, object],
    known: Mapping[str, Callable[[object], object]],
    needed: Mapping[str, str],
    what: str,
    at: str = "",
) -> dict[str, Any]:
    """As `described`, of an object that stands `at` a place in the body; `what` is said of one that is wrong.

    Raises:
        WrongContent: naming every member that is wrong, with its pointer.
    """
    asked, wrong = checked(given, known, _NEVER_NULL.union(needed), at)
    wrong += [(at + pointer(name), text) for name, text in needed.items() if name not in given]
    if wrong:
        raise WrongContent(what, why=wrong[0][1], errors=tuple(wrong))
    return asked


def read_members(body: bytes) -> dict[str, object]:
    """The members of the object that a body holds. Raises as `read_request`."""
    return members(strictjson.parse(body))


def checked(
    given: Mapping[str, object],
    known: Mapping[str, Callable[[object], object]],
    never_null: frozenset[str] = frozenset(),
    at: str = "",
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The members of an object, each as its check gives it, and what is wrong with it, with its pointer.

    Args:
        given: what came in.
        known: the check of each member that there may be; what it refuses it says with BadOption.
        never_null: those of which null is checked, too; of every other one null is as if it were not there.
        at: the pointer to the object itself.
    """
    asked: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for name, value in given.items():
        check = known.get(name)
        if check is None:
            wrong.append((at + pointer(name), f"There is no member {name!a}. {did_you_mean(name, known)}".strip()))
        elif value is not None or name in never_null:
            try:
                asked[name] = check(value)
            except BadOption as error:
                wrong.append((at + pointer(name), f"{error.what} {error.why}"))
    return asked, wrong


def check_empty(body: bytes) -> None:
    """Refuse a body where nothing is to be said; an empty object says nothing. Raises as `read_request`."""
    if body and members(strictjson.parse(body)):
        raise WrongContent("This takes no body.", hint="Send none, or {}.", errors=(("", "Should be empty."),))


def pointer(name: str) -> str:
    """The JSON pointer to a member of the body (RFC 6901)."""
    return f"/{name.replace('~', '~0').replace('/', '~1')}"


def members(value: object) -> dict[str, object]:
    """The members of an object. Raises WrongContent: it is none."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value)
    raise WrongContent("The body is not a JSON object.", errors=(("", "Should be an object."),))


def _payload(value: object) -> str:
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    raise options.refused("payload", value, "a JSON object, whose members are the handler's keyword arguments")


def moment(name: str, value: object) -> int:
    """A time as microseconds. Raises BadOption."""
    found = read_moment(value) if isinstance(value, str) else None
    if found is None:
        raise options.refused(name, value, "an RFC 3339 time with its offset, such as 2030-01-31T12:00:00Z")
    return found


def _seconds(value: object) -> float:
    return options.seconds_of("delay", value)


def _on_conflict(value: object) -> object:
    if value in ("error", "return"):
        return value
    raise options.refused("on_conflict", value, "error, return")


def _id(value: object) -> str:
    """An id as they are minted here; others would stand in the wrong place wherever jobs are listed by age."""
    if isinstance(value, str) and options.is_id(value) and value[14] == "7" and value[19] in "89ab":
        return value
    raise options.refused(
        "id", value, "a UUID of version 7 in lower case, such as 01890a5d-ac96-774b-bcce-b302099a8057"
    )


OF_A_JOB: Final[Mapping[str, Callable[[object], object]]] = {
    "type": options.type_name,
    "payload": _payload,
    "queue": options.queue,
    "priority": options.priority,
    "max_attempts": options.max_attempts,
    "timeout": options.timeout,
    "run_at": partial(moment, "run_at"),
    "delay": _seconds,
    "expires_at": partial(moment, "expires_at"),
    "unique_key": options.unique_key,
    "key": options.key,
    "on_conflict": _on_conflict,
    "tags": options.tags,
    "id": _id,
}
"""What may be said of a new job, and what checks it."""
NEEDED: Final = MappingProxyType({"type": "The type is missing: it says which handler runs the job."})
"""What has to be said of a new job."""
_NEVER_NULL: Final = frozenset({"payload"})
"""Of every other member that is not needed null means the default, as if it were not there."""
OF_EVERY_JOB: Final = MappingProxyType(
    {
        name: OF_A_JOB[name]
        for name in ("type", "payload", "queue", "priority", "max_attempts", "timeout", "unique_key", "tags")
    }
)
"""The members that may also be said of many jobs at once."""


# -- out ---------------------------------------------------------------------------------------------


Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339."""
Object = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]
"""JSON text of an object, which goes out as it is."""
ObjectOrNull = Annotated[msgspec.Raw, Meta(extra_json_schema={"anyOf": [{"type": "object"}, {"type": "null"}]})]
"""Likewise; null where it was left out of a list."""


class ErrorJson(msgspec.Struct, gc=False):
    """Why the latest attempt failed."""

    code: str
    type: str
    message: str


class JobJson(msgspec.Struct, gc=False):
    """A job."""

    # the fields in the order in which the contract names them

    id: str
    type: str
    queue: str
    priority: int
    status: str
    attempt: int
    max_attempts: int
    claim: int
    payload: ObjectOrNull
    result: msgspec.Raw | None
    error: ErrorJson | None
    run_at: Moment | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Moment | None
    worker_id: str | None
    node: str | None
    unique_key: str | None
    tags: tuple[str, ...]


def job_json(job: Job) -> bytes:
    """A job as JSON; payload and result are JSON text already and go in as they are."""
    error = job.error
    return msgspec.json.encode(
        JobJson(
            job.id,
            job.type,
            job.queue,
            job.priority,
            job.status.value,
            job.attempt,
            job.max_attempts,
            job.claim,
            msgspec.Raw(job.payload),
            None if job.result is None else msgspec.Raw(job.result),
            None if error is None else ErrorJson(error.code, error.type, error.message),
            None if job.run_at is None else write_moment(job.run_at),
            write_moment(job.created_at),
            None if job.started_at is None else write_moment(job.started_at),
            None if job.finished_at is None else write_moment(job.finished_at),
            None if job.expires_at is None else write_moment(job.expires_at),
            job.worker_id,
            job.node,
            job.unique_key,
            job.tags,
        )
    )


def page_json(jobs: Sequence[Job]) -> Iterator[bytes]:
    """A page of jobs as a JSON array, in pieces."""
    return array_json(jobs, job_json)


def array_json(found: Sequence[T], form: Callable[[T], bytes]) -> Iterator[bytes]:
    """A JSON array of what `form` makes of each, in pieces."""
    before = b"["
    for start in range(0, len(found), PIECE):
        yield before + b",".join(map(form, found[start : start + PIECE]))
        before = b","
    yield b"]" if found else b"[]"
