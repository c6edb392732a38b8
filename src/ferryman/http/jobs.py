"""How jobs are handed in and looked at: a thin skin over the client's verbs."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ferryman.client import Accepted, Client
from ferryman.domain.access import Right
from ferryman.domain.errors import AccessError, BadParameter, JobNotFound, StoreError
from ferryman.domain.job import Job
from ferryman.http import bodies, etags, heads, prefer, query, wire
from ferryman.http.attempts import AttemptJson, attempts_json
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.explanation import ExplanationJson, explanation_json
from ferryman.http.lasting import Lasting
from ferryman.http.narrowing import check_job, job_id, narrowed, veiled
from ferryman.http.operation import Operation
from ferryman.http.quotas import Quotas
from ferryman.http.resource import check_json
from ferryman.http.wire import JobJson

ONE_JOB: Final = "/jobs/{id}"
_JSON: Final = (b"content-type", b"application/json")
_ONLY_JSON: Final[Headers] = (_JSON,)
_REPLAYED: Final = (b"idempotent-replayed", b"true")
_KEY: Final = re.compile(rb'"([!-~]{1,255})"|([!#-~][!-~]{0,254})')
"""The IETF draft has the key as a quoted string; most clients send it bare. Both are the same key."""


class Jobs:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, max_body: int, lasting: Lasting, quotas: Quotas) -> None:
        self._client = client
        self._max_body = max_body
        self._lasting = lasting
        self._quotas = quotas

    def operations(self) -> tuple[Operation, ...]:
        """How jobs are handed in and looked at, one at a time or by a filter."""
        return (*self._of_many(), *self._shows())

    def _of_many(self) -> tuple[Operation, ...]:
        return (
            Operation(
                "GET",
                "/jobs",
                Right.READ,
                self.list,
                "List jobs",
                {200: list[JobJson]},
                heads.JobsQuery,
                by_queue=True,
            ),
            Operation(
                "POST",
                "/jobs",
                Right.ENQUEUE,
                self.create,
                "Enqueue a job",
                {200: JobJson, 201: JobJson},
                heads.ConflictQuery,
                heads.NewJobHeaders,
                bodies.NewJob,
                by_queue=True,
                problems=(409, 429),
            ),
        )

    def _shows(self) -> tuple[Operation, ...]:
        """What is to be seen of one job."""
        return (
            Operation(
                "GET",
                ONE_JOB,
                Right.READ,
                self.show,
                "Show a job",
                {200: JobJson, 304: None},
                headers=heads.JobHeaders,
                by_queue=True,
                problems=(404,),
            ),
            Operation(
                "GET",
                f"{ONE_JOB}/attempts",
                Right.READ,
                self.attempts,
                "List the attempts of a job",
                {200: list[AttemptJson]},
                by_queue=True,
                problems=(404,),
            ),
            Operation(
                "GET",
                f"{ONE_JOB}/explain",
                Right.READ,
                self.explain,
                "Say why a job has not started",
                {200: ExplanationJson},
                problems=(404,),
            ),
        )

    async def create(self, request: Request) -> Answer:
        """POST /jobs: 201 once the job is durable, the same again where its id or its key is known."""
        check_json(request)
        asked = wire.read_request(
            await request.body(self._max_body),
            idempotency_key=_idempotency_key(request),
            on_conflict=query.on_conflict(request),
            within=request.caller.queues,
        )
        accepted = await self._quotas.charge(request.caller, 1, lambda: self._client.enqueue(asked))
        location = (b"location", f"{request.prefix}/jobs/{accepted.id}".encode())
        headers = (_JSON, location, _REPLAYED) if accepted.replayed else (_JSON, location)
        job, applied = await self._accepted(request, accepted)
        job = veiled(request.caller, accepted, job)
        return await job_answer(self._client, job, 200 if accepted.existed else 201, (*headers, *applied))

    async def _accepted(self, request: Request, accepted: Accepted) -> tuple[Job, Headers]:
        """The job as it is once the client need not wait for it any longer; it is accepted, whatever fails now."""
        seconds = self._wait(request)
        if seconds is None:
            return accepted.job(), ()
        try:
            job = check_job(request.caller, await self._settled(request, accepted.id, seconds))
        except (StoreError, JobNotFound, AccessError):
            job = accepted.job()
        return job, (prefer.applied(seconds),)

    def _wait(self, request: Request) -> int | None:
        """For how many seconds to wait; None where the client does not ask for it, or too many do so already."""
        seconds = prefer.wait(request)
        return None if seconds is None or not self._lasting.begins(request) else seconds

    async def _settled(self, request: Request, id: str, seconds: int) -> Job:
        """The job once it has ended, the time is over, or the node stops; as it then is. Raises as `Request.passes`."""
        job = await request.while_wanted(self._client.waiting.settled(id, seconds))
        await request.passes()
        return job or await self._client.get(id)

    async def list(self, request: Request) -> Answer:
        """GET /jobs: a page, and where the next one is if there is one."""
        asked, found = query.job_filter(request, self._client.read_filter)
        asked = narrowed(request.caller, asked)
        one_more = await self._client.list(msgspec.structs.replace(asked, limit=asked.limit + 1))
        jobs = one_more[: asked.limit]
        after = jobs[-1].id if len(one_more) > asked.limit else one_more.next
        link: Headers = ()
        if after is not None:
            link = ((b"link", query.next_page(f"{request.prefix}/jobs", found, after)),)
        told = query.scanned(asked, one_more, complete=after is None or len(jobs) == asked.limit)
        return Answer(200, (_JSON, *link, *told), pieces=wire.page_json(await self._client.all_shown(jobs)))

    async def show(self, request: Request) -> Answer:
        """GET /jobs/{id}, at once, or with a Prefer header once it has ended."""
        query.parameters(request)
        id, seconds = await job_id(self._client, request), self._wait(request)
        if seconds is None:
            job, headers = await self._client.get(id), _ONLY_JSON
        else:
            job, headers = await self._settled(request, id, seconds), (_JSON, prefer.applied(seconds))
        check_job(request.caller, job)
        if etags.is_known(request, job):
            return Answer(304, (*headers[1:], etags.etag(job)))
        return await job_answer(self._client, job, headers=headers)

    async def explain(self, request: Request) -> Answer:
        """GET /jobs/{id}/explain: why it has not started."""
        query.parameters(request)
        return Answer(200, (_JSON,), explanation_json(await self._client.explain(request.job_id)))

    async def attempts(self, request: Request) -> Answer:
        """GET /jobs/{id}/attempts: every ended run, oldest first."""
        query.parameters(request)
        found = await self._client.attempts(await job_id(self._client, request))
        return Answer(200, (_JSON,), pieces=attempts_json(found))


async def job_answer(client: Client, job: Job, status: int = 200, headers: Headers = _ONLY_JSON) -> Answer:
    """One job as it is shown to others."""
    return Answer(status, (*headers, etags.etag(job)), wire.job_json(await client.shown(job)))


def _idempotency_key(request: Request) -> str | None:
    said = request.headers.get(b"idempotency-key")
    if said is None:
        return None
    match = _KEY.fullmatch(said)
    if match is None:
        raise BadParameter("The Idempotency-Key cannot be read.", why="Allowed: 1 to 255 visible ASCII characters.")
    return (match[1] or match[2]).decode()
