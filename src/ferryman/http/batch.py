"""POST /jobs/batch: up to a thousand jobs in one request, all or none, or each for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec

from ferryman.client import Client, JobRequest
from ferryman.client.many import MOST, is_certain
from ferryman.domain import options
from ferryman.domain.access import Caller, Right
from ferryman.domain.errors import BadOption, FerrymanError, QueueForbidden, QueueFull, WrongContent
from ferryman.http import query, wire
from ferryman.http.bodies import NewBatch
from ferryman.http.exchange import Answer, Request
from ferryman.http.heads import ConflictQuery
from ferryman.http.items import read_item, refusals, refuse_idempotency_key
from ferryman.http.operation import Operation
from ferryman.http.problems import document, errors_of
from ferryman.http.quotas import Quotas
from ferryman.http.resource import check_json

_JSON: Final = (b"content-type", b"application/json")


class Batch(msgspec.Struct, frozen=True):
    """What the body asks for; the jobs go by their places in it."""

    size: int
    atomic: bool
    requests: Mapping[int, JobRequest]
    wrong: Mapping[int, FerrymanError]
    """Those whose JSON does not describe a job."""


class IdsJson(msgspec.Struct, frozen=True):
    """The jobs of a batch that is stored as one, in order."""

    ids: list[str]


class AnswersJson(msgspec.Struct, frozen=True):
    """What became of each job of a batch that is not atomic, in order: its id, or a problem."""

    jobs: list[dict[str, Any]]


class Batches:
    """The path; its method gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, max_body: int, quotas: Quotas) -> None:
        self._client = client
        self._max_body = max_body
        self._quotas = quotas

    def operations(self) -> tuple[Operation, ...]:
        """The one thing to do."""
        answers = {200: AnswersJson, 201: IdsJson}
        return (
            Operation(
                "POST",
                "/jobs/batch",
                Right.ENQUEUE,
                self.create,
                "Enqueue up to a thousand jobs",
                answers,
                ConflictQuery,
                body=NewBatch,
                by_queue=True,
                problems=(429,),
            ),
        )

    async def create(self, request: Request) -> Answer:
        """POST /jobs/batch: 201 with the ids once all are durable; unless it is atomic, 200 with an answer for each."""
        check_json(request)
        refuse_idempotency_key(request)
        on_conflict = query.on_conflict(request)
        batch = read_batch(await request.body(self._max_body), on_conflict, request.caller.queues)
        return await (self._all if batch.atomic else self._each)(batch, request.caller)

    async def _all(self, batch: Batch, caller: Caller) -> Answer:
        judged = await self._client.many.judge(batch.requests)
        _refuse_queues(judged.refused)
        _refuse(batch.size, {**batch.wrong, **judged.refused})
        news = list(judged.news.values())
        ids = await self._quotas.charge(caller, len(news), lambda: self._client.many.hand_in_all(news))
        return Answer(201, (_JSON,), msgspec.json.encode(IdsJson(list(ids))))

    async def _each(self, batch: Batch, caller: Caller) -> Answer:
        many = self._client.many
        judged = await many.judge(batch.requests)
        told_by_store = await self._quotas.charge(
            caller, len(judged.news), lambda: many.hand_in(batch.requests, judged.news), refusals
        )
        told: dict[int, str | FerrymanError] = {
            **batch.wrong,
            **judged.refused,
            **told_by_store,
        }
        entries = [_entry(told[place], place) for place in range(batch.size)]
        return Answer(200, (_JSON,), msgspec.json.encode(AnswersJson(entries)))


def read_batch(body: bytes, on_conflict: str | None, within: frozenset[str] | None) -> Batch:
    """What the body of a POST /jobs/batch asks for; jobs that are wrong are only noted.

    `within` are the queues to which its caller is limited.

    Raises:
        WrongContent: the batch itself is wrong.
        MalformedJson, DuplicateMember, BadNumber, BadText, TooDeep: the body is not strict JSON.
    """
    asked = wire.described(body, MEMBERS, {"jobs": "The jobs are missing: a list of them."}, "a batch")
    atomic: bool = asked.get("atomic", True)
    requests: dict[int, JobRequest] = {}
    wrong: dict[int, FerrymanError] = {}
    places: dict[str, int] = {}
    for place, value in enumerate(asked["jobs"]):
        try:
            request = read_item(value, on_conflict, within, _at(place))
            _check_beside_others(request, place, places, atomic)
        except WrongContent as error:
            wrong[place] = error
        else:
            requests[place] = request
    return Batch(len(asked["jobs"]), atomic, requests, wrong)


def _check_beside_others(request: JobRequest, place: int, places: dict[str, int], atomic: bool) -> None:
    """Refuse what cannot be in a batch together. Raises WrongContent."""
    if request.id is not None and (first := places.setdefault(request.id, place)) != place:
        text = f"The job at {_at(first)} has this id, too."
        raise WrongContent("Two jobs have one id.", why=text, errors=((f"{_at(place)}/id", text),))
    if atomic and not is_certain(request):
        text = 'Where all or none are stored, a unique_key needs "on_conflict": "return".'
        raise WrongContent(
            "Whether a key is taken is not known before the jobs are stored.",
            why=text,
            hint='Say "on_conflict": "return", or "atomic": false for the batch.',
            errors=((f"{_at(place)}/unique_key", text),),
        )


def _refuse_queues(refused: Mapping[int, FerrymanError]) -> None:
    """Refuse a batch that asks for a queue which is not its caller's. Raises QueueForbidden."""
    for place, error in sorted(refused.items()):
        if isinstance(error, QueueForbidden):
            raise QueueForbidden(f"The job at {_at(place)} cannot be stored, so none was.", why=error.what)


def _refuse(size: int, wrong: Mapping[int, FerrymanError]) -> None:
    """Refuse a batch of which all or none is to be stored, if some jobs are wrong. Raises WrongContent."""
    if not wrong:
        return
    first = wrong[min(wrong)]
    found = [each for place in sorted(wrong) for each in _errors_at(wrong[place], _at(place))]
    raise WrongContent(
        f"{len(wrong)} of the {size} jobs cannot be stored, so none was.",
        why=f"The job at {_at(min(wrong))}: {' '.join(part for part in (first.what, first.why) if part)}",
        hint=first.hint or 'Correct what errors points at, or say "atomic": false to have the others stored.',
        errors=tuple(found),
    )


def _errors_at(error: FerrymanError, at: str) -> tuple[tuple[str, str], ...]:
    if isinstance(error, WrongContent):
        return error.errors
    text = " ".join(part for part in (error.what, error.why) if part)
    return tuple((pointer, text) for pointer, _ in errors_of(error, at)) or ((at, text),)


def _entry(told: str | FerrymanError, place: int) -> dict[str, object]:
    """The answer for one job."""
    if isinstance(told, str):
        return {"id": told}
    entry = document(told, _at(place))
    return entry | {"retry_after": max(1, told.retry_after)} if isinstance(told, QueueFull) else entry


def _at(place: int) -> str:
    return f"/jobs/{place}"


def _jobs(value: object) -> object:
    if not isinstance(value, list):
        raise options.refused("jobs", value, "a list of jobs")
    count = len(cast("list[object]", value))
    if not 1 <= count <= MOST:
        raise BadOption(f"jobs has {count} entries.", why=f"Allowed: 1 to {MOST}.")
    return cast("object", value)


MEMBERS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {"jobs": _jobs, "atomic": partial(options.flag, "atomic")}
)
